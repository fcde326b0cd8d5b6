"""`searchkit evaluate`: tables, JSON and CSV that compare models, and its errors."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from searchkit.cli.app import main
from searchkit.demo.corpus import DEMO_ANSWERS, DEMO_PLANTED
from searchkit.evaluation.comparison import Estimate, Evaluation, MetricComparison, ModelResult
from searchkit.output import evaluation

BETTER = ModelResult("new", Estimate(0.75, 0.7, 0.8), Estimate(0.1, 0.05, 0.15), "better")
WITHIN_CHANCE = ModelResult(
    "old\x1b[2J", Estimate(0.6, 0.5, 0.7), Estimate(-0.05, -0.1, 0.01), "within chance"
)
FIRST = ModelResult("base", Estimate(0.65, 0.6, 0.7), None, None)
EVALUATION = Evaluation(
    ("base", "new", "old\x1b[2J"), "20 pairs", "pair", 20, 1000,
    (MetricComparison("AUC", "8 of 20 pairs are positive", (FIRST, BETTER, WITHIN_CHANCE)),),
    {"Pearson": "all labels are 3"}, ("a note",),
)  # fmt: skip


def shown(result: Evaluation) -> str:
    out = io.StringIO()
    evaluation.print_evaluation(result, out)
    return out.getvalue()


def test_the_table() -> None:
    text = shown(EVALUATION)
    lines = text.splitlines()
    assert lines[0] == "20 pairs"
    assert lines[1].split() == ["figure", "base", "new", "old<U+001B>[2J"]
    assert "AUC" in text and "0.650 [0.600, 0.700]" in text
    assert lines[4].split() == ["+0.100", "[+0.050,", "+0.150]", "-0.050", "[-0.100,", "+0.010]"]
    assert lines[5].split(maxsplit=1) == ["better", "no difference: within chance"]
    assert "AUC: 8 of 20 pairs are positive" in text
    assert "95 % of 1,000 resamples of 20 pairs; +/-: the difference to base" in text
    assert "Pearson: not given, all labels are 3" in lines
    assert lines[-1] == "a note"
    assert "\x1b" not in text


def test_a_table_without_intervals_and_one_without_figures() -> None:
    one = ModelResult("base", Estimate(0.65, None, None), None, None)
    two = ModelResult(
        "new", Estimate(0.7, None, None), Estimate(0.05, None, None), "too few to tell"
    )
    few = Evaluation(("base", "new"), "3 queries", "query", 3, 1000,
                    (MetricComparison("MAP", "3 queries", (one, two)),), {}, ())  # fmt: skip
    assert "0.650" in shown(few) and "+0.050" in shown(few) and "too few to tell" in shown(few)
    assert "resamples" not in shown(few)
    none = Evaluation(("base",), "1 pair", "pair", 1, 1000, (), {"AUC": "no"}, ())
    assert shown(none) == "1 pair\nAUC: not given, no\n"


def test_records_and_rows() -> None:
    record = json.loads(json.dumps(EVALUATION.to_record()))
    assert record["models"][:2] == ["base", "new"] and record["missing"] == EVALUATION.missing
    first, better, _ = record["figures"][0]["models"]
    assert first == {"model": "base", "value": 0.65, "low": 0.6, "high": 0.7, "difference": None}
    assert better["difference"] == {
        "value": 0.1, "low": 0.05, "high": 0.15, "verdict": "better",
    }  # fmt: skip
    rows = EVALUATION.to_records()
    assert [row["model"] for row in rows[:3]] == list(EVALUATION.models)
    assert all(set(row) <= set(evaluation.COLUMNS) for row in rows)
    assert (rows[1]["difference_low"], rows[1]["verdict"]) == (0.05, "better")
    assert rows[3] == {"figure": "Pearson", "on": "all labels are 3"}


# -- the command -----------------------------------------------------------------------------------


def run(*arguments: object, code: int = 0) -> Result:
    result = CliRunner().invoke(main, ["evaluate", *map(str, arguments)])
    assert result.exit_code == code, (result.output, result.stderr, result.exception)
    assert "Traceback" not in result.output
    return result


@pytest.mark.model
def test_the_demo_corpus_with_the_real_model_and_a_random_one(
    tiny: Path, tmp_path: Path, remembered: None
) -> None:
    result = run("--corpus", DEMO_ANSWERS, "--copies", DEMO_PLANTED, "--model", "default",
                 "--model", tiny,
                 "-f", "json", "-o", tmp_path / "out.json")  # fmt: skip
    assert result.stdout == "" and "28 listed pairs are of a kind that is no copy" in result.stderr
    document = json.loads((tmp_path / "out.json").read_text())
    assert document["models"] == ["all-MiniLM-L6-v2", str(tiny)]
    assert (document["unit"], document["units"]) == ("question", 16)
    figures = {figure["figure"]: figure["models"] for figure in document["figures"]}
    good, bad = figures["same question: AUC"]
    assert 0.85 < good["low"] < good["value"] < good["high"] < 0.95
    assert bad["value"] < 0.7 and bad["difference"]["verdict"] == "worse"
    assert 0.85 < figures["copies: AUC"][0]["value"] < 0.95


@pytest.mark.model
@pytest.mark.parametrize("form", ["table", "json", "csv"])
def test_pairs_in_every_format(tmp_path: Path, form: str) -> None:
    file = tmp_path / "pairs.csv"
    file.write_text(
        "sentence_0,sentence_1,label\n"
        + "".join(f"the cat sat on {n} mats,a cat was on {n} mats,5\n" for n in range(6))
        + "".join(f"the cat sat on {n} mats,stocks fell by {n} %,0\n" for n in range(6))
    )
    text = run("--pairs", file, "-f", form, "--resamples", 200).stdout
    if form == "json":
        document = json.loads(text)
        assert {metric["figure"]: metric["models"][0]["value"] for metric in document["figures"]}[
            "AUC"
        ] == 1
        assert document["resamples"] == 200
    elif form == "csv":
        rows = list(csv.DictReader(io.StringIO(text)))
        assert [row["figure"] for row in rows] == ["Pearson", "Spearman", "AUC",
                                                   "average precision"]  # fmt: skip
    else:
        assert "6 of 12 pairs have a label of 3 or more" in text and "Spearman" in text
    less = run("--pairs", file, "--positive-from", 9).stdout
    assert "AUC: not given, no pair has a label of 9 or more; set --positive-from" in less


@pytest.mark.model
def test_a_search_with_the_real_model(tmp_path: Path) -> None:
    (tmp_path / "qrels").mkdir()
    topics = ["event loop", "garbage collection", "binary search tree", "photosynthesis"]
    documents = [{"_id": f"d{n}", "title": topic.title(), "text": f"All about {topic}."}
                 for n, topic in enumerate(topics)]  # fmt: skip
    queries = [{"_id": f"q{n}", "text": f"what is {topic}?"} for n, topic in enumerate(topics)]
    for name, rows in (("corpus", documents), ("queries", queries)):
        (tmp_path / f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows)))
    lines = [f"q{n}\td{n}\t1" for n in range(4)]
    qrels = tmp_path / "qrels" / "test.tsv"
    qrels.write_text("query-id\tcorpus-id\tscore\n" + "\n".join(lines))
    result = run("--qrels", tmp_path, "--model", "default", "--model", "all-MiniLM-L6-v2")
    assert "4 queries, 4 documents, 4 judged relevant" in result.stdout
    assert "1.000" in result.stdout and "too few to tell" in result.stdout
    assert "4 are too few to resample" in result.stdout
    assert "test.tsv" in result.stderr and not run("--qrels", tmp_path, "-q").stderr
    qrels.write_text("query-id\tcorpus-id\tscore\nq1\td9\t1\n")
    assert run("--qrels", tmp_path, code=1).stderr == (
        f"searchkit: {qrels}:2: no document 'd9' in corpus.jsonl\n"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "give exactly one of --pairs, --corpus or --qrels"),
        (
            ("--pairs", "a.csv", "--corpus", "b.csv"),
            "give exactly one of --pairs, --corpus or --qrels",
        ),
        (("--corpus", "b.csv", "--positive-from", "3"), "--positive-from goes with --pairs"),
        (("--pairs", "b.csv", "--label-column", "x"), "--label-column goes with --corpus"),
        (("--qrels", ".", "--copies", "x"), "--copies goes with --corpus"),
    ],
)
def test_wrong_usage(arguments: tuple[str, ...], message: str) -> None:
    assert message in run(*arguments, code=2).stderr


@pytest.mark.model
def test_an_error_is_one_line(tmp_path: Path) -> None:
    empty, one = tmp_path / "empty.csv", tmp_path / "one.csv"
    empty.write_text("")
    one.write_text("question,answer\nq1,the loop\n")
    for arguments, message in [
        (("--corpus", empty), "empty.csv: "),
        (("--pairs", empty), "empty.csv: "),
        (("--pairs", one), "one.csv:2: no column 'sentence_0'; there are: question, answer"),
        (("--corpus", one, "--label-column", "mark"), "no column 'mark'; there are none but the t"),
        (("--corpus", one, "--copies", one), "one.csv:2: no column 'copy'"),
        (("--corpus", tmp_path / "none.csv"), "none.csv: no such file"),
        (("--qrels", tmp_path), "no corpus.jsonl in it"),
        (("--corpus", one, "--resamples", 3), "--resamples must be 100 or more, not 3"),
        (("--corpus", one, "--model", "default", "--model", "nowhere/else/it"), "no such model f"),
    ]:
        result = run(*arguments, code=1)
        assert result.stdout == "" and message in result.stderr
        assert result.stderr.startswith("searchkit: ") and result.stderr.count("\n") == 1


@pytest.mark.model
def test_one_question_limits_the_metrics_with_a_note(tmp_path: Path) -> None:
    file = tmp_path / "one.csv"
    file.write_text("question,answer,verdict\n" + "".join(
        f"q1,{'the loop runs callbacks' if n % 2 else 'I like cheese'} {n},{n % 2}\n"
        for n in range(12)
    ))  # fmt: skip
    text = run("--corpus", file, "--label-column", "verdict").stdout
    assert "same question: AUC: not given, all answers are to one question" in text
    assert "V-measure, verdict" in text and "1 question is too few to resample: answers" in text
