"""Suggestions, cross-validation, audits and propagations as tables, records and rows."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from helpers.courses import course, course_index, with_scores

from searchkit import Answer, Index, audit_grades, evaluate_grades, grade, propagate
from searchkit.cli.app import main
from searchkit.output import grades
from searchkit.output.files import write_csv

OPEN = {"q1-00": None, "q1-03": None, "q2-00": None}


def shown(print_result, *arguments) -> str:
    out = io.StringIO()
    print_result(*arguments, out)
    return out.getvalue()


def test_suggestions_as_a_tree(tmp_path: Path) -> None:
    with course_index(tmp_path, with_scores(course(), OPEN)) as index:
        result = grade(index, "score", min_confidence=0)
        text = shown(grades.print_suggestions, result, index.get)
        assert "q1   2 of 2 suggested" in text and "q2   1 of 1 suggested" in text
        for suggestion in result.suggestions:
            assert re.search(rf"{suggestion.confidence:.2f}  .*{suggestion.id} ", text)
            assert suggestion.neighbours[0].id in text
        none = grade(index, "score", min_confidence=1)
        text = shown(grades.print_suggestions, none, index.get)
        assert "0 of 2 suggested" in text and text.count("yours") == 3
        assert next(grades.describe_learning(result)).startswith(
            "score: 53 graded answers, marks from 0 to 4; learned mostly by "
        )
    with course_index(tmp_path / "all", course()) as index:
        text = shown(grades.print_suggestions, grade(index, "score"), index.get)
        assert text == "no ungraded answer to suggest a mark for\n"


def test_suggestions_as_records_and_rows(tmp_path: Path) -> None:
    with course_index(tmp_path, with_scores(course(), OPEN)) as index:
        result = grade(index, "score", min_confidence=0)
        record = result.suggestions[0].to_record()
        assert list(record) == [
            *("id", "question", "suggested", "confidence", "neighbours", "low", "high", "labels")
        ]
        assert json.loads(json.dumps(record)) == record
        out = io.StringIO()
        write_csv(grades.suggestions_as_rows(result, index.get), grades.COLUMNS, out)
        rows = list(csv.DictReader(io.StringIO(out.getvalue())))
        assert [row["id"] for row in rows] == ["q1-00", "q1-03", "q2-00"]
        assert rows[0]["author"] == "s00" and rows[0]["text"]


def test_answers_without_a_suggestion_are_counted(tmp_path: Path) -> None:
    rows = [
        a for a in with_scores(course(), {f"q2-{n:02}": None for n in range(14)}) if a.id < "q3"
    ]
    with course_index(tmp_path, [*rows, Answer("blank", "", "q1", "x")]) as index:
        lines = "\n".join(grades.describe_learning(grade(index, "score")))
        assert "no mark suggested for 14 answers to question q2: fewer than 5 of its" in lines
        assert "no mark suggested for 1 blank answer" in lines


def test_an_evaluation(tmp_path: Path) -> None:
    with course_index(tmp_path, course()) as index:
        result = evaluate_grades(index, "score")
        text = shown(grades.print_evaluation, result)
        assert "Unseen answers: others to the same question were graded (56 answers in 4" in text
        assert "Unseen questions: nothing of the same question was graded (56" in text
        for name in ("suggested", "mean of the question", "Pearson", "RMSE", "QWK"):
            assert name in text
        record = result.to_record()
        assert record["trials"][0]["scores"].keys() == {
            "suggested", "mean of the question", "nearest graded answer",
        }  # fmt: skip
        rows = result.to_records()
        assert len(rows) == 5 and set(rows[0]) <= set(grades.EVALUATION_COLUMNS)
        labels = evaluate_grades(index, "verdict")
        assert "accuracy" in shown(grades.print_evaluation, labels)
        assert "labels fail, pass" in shown(grades.print_evaluation, labels)


def test_an_audit(tmp_path: Path) -> None:
    first = next(a for a in course() if a.id == "q1-00")
    twin = Answer("q1-twin", first.text, "q1", "zoe", meta={"score": "0"})
    with course_index(tmp_path, [*course(), twin]) as index:
        result = audit_grades(index, "score")
        text = shown(grades.print_audit, result, index.get)
        assert "Near-equal answers with different marks, worst first" in text
        assert "q1-twin" in text and "1.00" in text
        records = result.to_records()
        assert [r["kind"] for r in records] == sorted((r["kind"] for r in records), reverse=True)
        rows = list(grades.audit_as_rows(result, index.get))
        assert len(rows) == len(records)
        assert (rows[0]["id"], rows[0]["other"], rows[0]["other_mark"]) == ("q1-00", "q1-twin", 0)
        assert set(rows[0]) | set(rows[-1]) <= set(grades.AUDIT_COLUMNS)
        none = audit_grades(index, "score", tolerance=4)
        assert shown(grades.print_audit, none, index.get).count("none") == 2


def test_a_long_list_is_cut_with_a_note(tmp_path: Path) -> None:
    rows = [
        Answer(f"a{n:02}", "just the same words", "q1", f"s{n}", meta={"score": str(n % 2)})
        for n in range(20)
    ]
    with course_index(tmp_path, rows) as index:
        text = shown(grades.print_audit, audit_grades(index, "score"), index.get)
        assert "… and 70 more; --format csv has all" in text  # of 100 pairs


def test_propagations(tmp_path: Path) -> None:
    rows = [Answer(f"a{n:02}", f"just the same words {n % 2}", "q1", f"s{n}") for n in range(20)]
    rows[1] = Answer("a01", rows[1].text, "q1", "s1", meta={"score": "2"})
    rows[2] = Answer("a02", rows[2].text, "q1", "s2", meta={"score": "7"})
    with course_index(tmp_path, rows) as index:
        propagations = propagate(index, "score", {"a00": "7"}, threshold=0.5)
        text = shown(grades.print_propagations, propagations, index.get)
        assert "17 without a mark would get it" in text
        assert "… and 5 more; --format csv has all" in text
        assert "1 has it, or one as near as makes no difference" in text
        assert "1 has another mark" in text
        record = propagations[0].to_record()
        assert record["differ"] == [{"id": "a01", "mark": 2.0}] and len(record["given"]) == 17
        table = {r["id"]: r for r in grades.propagations_as_rows(propagations, index.get, "score")}
        assert len(table) == 20
        assert (table["a01"]["mark"], table["a01"]["would_get"]) == ("2", None)
        assert table["a05"]["would_get"] == 7


def test_hostile_marks_and_texts_are_escaped(tmp_path: Path) -> None:
    bad = "\x1b[31mred\x1b[0m \u202e[bold]"
    rows = with_scores(course(), OPEN)
    rows = [
        Answer(a.id, f"{a.text} {bad}", a.question, a.author,
               meta={"v": bad if n % 2 else "ok"} if a.id not in OPEN else {})
        for n, a in enumerate(rows)
    ]  # fmt: skip
    with course_index(tmp_path, rows) as index:
        for text in (
            shown(grades.print_suggestions, grade(index, "v", min_confidence=0), index.get),
            shown(grades.print_audit, audit_grades(index, "v"), index.get),
            shown(grades.print_evaluation, evaluate_grades(index, "v")),
            shown(grades.print_propagations, propagate(index, "v", {"q1-00": bad}), index.get),
        ):
            assert "\x1b" not in text and "\u202e" not in text


# -- the command -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("grade")
    with Index.create(path / "i") as index:
        index.add(with_scores(course(), OPEN))
    return path / "i"


def run(folder: Path, *arguments: str, code: int = 0) -> Result:
    result = CliRunner().invoke(main, ["grade", "-i", str(folder), *arguments])
    assert result.exit_code == code, (result.output, result.exception)
    return result


@pytest.mark.model
@pytest.mark.parametrize("form", ["table", "json", "jsonl", "csv"])
@pytest.mark.parametrize(
    "mode", [(), ("--evaluate",), ("--audit",), ("--propagate", "q1-00=3", "--propagate", "q2-01")]
)
def test_every_mode_in_every_format(folder: Path, mode: tuple[str, ...], form: str) -> None:
    result = run(folder, "--column", "score", *mode, "-f", form)
    if form == "json":
        json.loads(result.stdout)
    elif form == "jsonl":
        assert all(isinstance(json.loads(line), dict) for line in result.stdout.splitlines())
    elif form == "csv":
        assert all(None not in row for row in csv.DictReader(io.StringIO(result.stdout)))
    assert result.stdout.strip()


@pytest.mark.model
def test_suggestions_are_written_a_question_at_a_time(tmp_path: Path) -> None:
    with Index.create(tmp_path / "i") as index:
        index.add(with_scores(course(), OPEN))
    write = ("--column", "score", "--min-confidence", "0", "--write", "hint")
    assert "2 marks written into hint" in run(tmp_path / "i", *write, "--question", "q1").stderr
    assert "1 mark written into hint" in run(tmp_path / "i", *write, "--question", "q2").stderr
    again = run(tmp_path / "i", *write, code=1)
    assert "3 of these answers, such as q1-00, have something in 'hint' already" in again.stderr
    run(tmp_path / "i", *write, "--overwrite")
    run(tmp_path / "i", "--column", "score", "--propagate", "q1-00=3", "--write", "by_group")
    with Index.open(tmp_path / "i") as index:
        ids = {a.id for a in index.answers() if "hint" in a.columns}
        assert ids == set(OPEN)
        assert {a.columns["by_group"] for a in index.answers() if "by_group" in a.columns} == {"3"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "Missing option '--column'"),
        (
            ("--column", "score", "--audit", "--propagate", "x"),
            "--propagate can't be used with --audit",
        ),
        (("--column", "score", "--audit", "--write", "x"), "--write can't be used with --audit"),
        (("--column", "score", "--overwrite"), "--overwrite goes with --write"),
        (
            ("--column", "score", "--audit", "--min-confidence", "0.5"),
            "--min-confidence can't be used with --audit",
        ),
        (("--column", "score", "-t", "0.5"), "--threshold goes with --audit or --propagate"),
        (
            ("--column", "score", "--propagate", "x", "--question", "q1"),
            "--propagate can't be used with --question",
        ),
    ],
)
def test_wrong_usage(folder: Path, arguments: tuple[str, ...], message: str) -> None:
    assert message in run(folder, *arguments, code=2).stderr


@pytest.mark.model
def test_an_error_is_one_line(folder: Path) -> None:
    result = run(folder, "--column", "marks", code=1)
    assert result.stderr == "searchkit: no column 'marks'; there are score, verdict\n"
