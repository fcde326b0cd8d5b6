"""The command line as a teacher uses it, with the real model: files in, tables and JSON out."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from unittest.mock import Mock

import click
import openpyxl
import pytest
from click.testing import CliRunner, Result

from searchkit import Index
from searchkit.cli.app import main
from searchkit.index.decisions import decide

pytestmark = pytest.mark.model

ROWS = [
    ("1", "q1", "ann", "The event loop runs callbacks when the call stack is empty.", "8"),
    ("2", "q1", "bob", "Callbacks get executed by the loop as soon as nothing else runs.", "7"),
    ("3", "q1", "cy", "PHP is a language for web pages", "0"),
    ("4", "q2", "ann", "Middleware are functions with request, response and next.", "9"),
    ("5", "q2", "bob", "A stream reads a file piece by piece, so memory stays small.", "6.5"),
    ("6", "q2", "cy", "", ""),
]


def run(*arguments: object, code: int = 0, stdin: str | None = None) -> Result:
    result = CliRunner().invoke(main, [str(a) for a in arguments], input=stdin)
    assert result.exit_code == code, (result.output, result.stderr, result.exception)
    assert "Traceback" not in result.output
    return result


def sheet(path: Path, rows: list[tuple[str, ...]] = ROWS) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerows([("id", "question", "student", "answer", "score"), *rows])
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("cli")
    run("ingest", sheet(base / "quiz.csv"), "-i", base / "index")
    return base / "index"


def test_ingest_counts_and_the_same_again_embeds_nothing(tmp_path: Path) -> None:
    path, index = sheet(tmp_path / "quiz.csv"), tmp_path / "i"
    first = json.loads(run("ingest", path, "-i", index, "-f", "json").stdout)
    assert list(first) == [
        "read", "added", "updated", "unchanged", "skipped", "attempts", "kept_beside",
        "marks_matched", "marks_unmatched", "texts_kept", "removed", "passages", "embedded",
        "seconds", "warnings",
    ]  # fmt: skip
    assert (first["read"], first["added"], first["embedded"], first["passages"]) == (6, 6, 5, 5)
    again = json.loads(run("ingest", path, "-i", index, "-f", "json").stdout)
    assert (again["unchanged"], again["embedded"]) == (6, 0)
    changed = [("1", "q1", "ann", "Something else now", "1"), *ROWS[1:]]
    third = json.loads(run("ingest", sheet(path, changed), "-i", index, "-f", "json").stdout)
    assert (third["updated"], third["unchanged"], third["embedded"]) == (1, 5, 1)
    assert "read" in run("ingest", path, "-i", index).stdout


@pytest.mark.parametrize("mode", ["semantic", "lexical", "hybrid"])
def test_query_in_three_modes_and_four_formats(folder: Path, mode: str) -> None:
    text = "which function runs the callbacks of the event loop"
    (record,) = json.loads(run("query", text, "-i", folder, "-m", mode, "-f", "json").stdout)
    assert record["query"] == text
    assert record["hits"][0]["id"] in ("1", "2")
    assert [hit["rank"] for hit in record["hits"]] == list(range(1, len(record["hits"]) + 1))
    lines = run("query", text, "-i", folder, "-m", mode, "-f", "jsonl").stdout.splitlines()
    assert [json.loads(line) for line in lines] == [record]
    table = csv.DictReader(io.StringIO(
        run("query", text, "-i", folder, "-m", mode, "-f", "csv").stdout))  # fmt: skip
    assert [row["id"] for row in table] == [hit["id"] for hit in record["hits"]]
    assert "event loop" in run("query", text, "-i", folder, "-m", mode).stdout


def test_filters_and_k(folder: Path) -> None:
    def ids(*options: str) -> list[str]:
        out = run("query", "server", "-i", folder, "-f", "json", *options).stdout
        return [hit["id"] for hit in json.loads(out)[0]["hits"]]

    assert set(ids("--question", "q2")) == {"4", "5"}
    assert set(ids("--author", "ann", "-n", "1000000000")) == {"1", "4"}
    assert set(ids("--where", "score >= 7")) == {"1", "2", "4"}
    assert len(ids("-n", "2")) == 2


def test_many_queries_from_stdin(folder: Path) -> None:
    out = run("query", "-", "-i", folder, "-f", "json", stdin="streams\n\nmiddleware\n").stdout
    assert [r["hits"][0]["id"] for r in json.loads(out)] == ["5", "4"]


def test_output_to_a_file(folder: Path, tmp_path: Path) -> None:
    result = run("query", "x", "-i", folder, "-f", "json", "-o", tmp_path / "out.json")
    assert result.stdout == ""
    assert json.loads((tmp_path / "out.json").read_text("utf-8"))
    run("query", "x", "-i", folder, "-o", tmp_path / "no" / "out.json", code=1)


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["query", "x", "-n", "0"], 1, "must be at least 1, not 0"),
        (["query", "x", "-n", "-3"], 1, "must be at least 1, not -3"),
        (["query", "x", "-n", "many"], 2, "not a valid integer"),
        (["query", "  "], 1, "the query is blank"),
        (["query", "x", "--where", "nope = 1"], 1, "no column 'nope'"),
        (["query", "x", "--mode", "magic"], 2, "magic"),
        (["delete", "nope"], 1, "; there are 1, 2, 3, 4, 5, 6"),
        (["delete"], 2, "give ID, --question, --author, --where or --damaged"),
        (["delete", "1", "--author", "ann"], 2, "ID can't be used with --author"),
        (["ingest", "missing.csv"], 1, "missing.csv"),
    ],
)
def test_errors_are_one_line(folder: Path, arguments, code: int, message: str) -> None:
    result = run(*arguments, "-i", folder, code=code)
    assert message in result.stderr
    assert result.stdout == ""
    if code == 1:
        assert result.stderr.startswith("searchkit: ")
        assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("command", ["query x", "status", "verify", "rebuild", "export"])
def test_the_error_for_no_index_says_how_to_make_one(tmp_path: Path, command: str) -> None:
    result = run(*command.split(), "-i", tmp_path / "none", code=1)
    assert "no index here; make one with: searchkit ingest FILE" in result.stderr
    assert not (tmp_path / "none").exists()


def test_the_index_can_be_named_by_the_environment(folder: Path, monkeypatch) -> None:
    monkeypatch.setenv("SEARCHKIT_INDEX", str(folder))
    assert json.loads(run("status", "-f", "json").stdout)["answers"] == 6


def test_status_verify_rebuild(folder: Path) -> None:
    known = json.loads(run("status", "-i", folder, "-f", "json").stdout)
    assert (known["answers"], known["blank"], known["questions"], known["authors"]) == (6, 1, 2, 3)
    assert known["model"]["name"] == "all-MiniLM-L6-v2"
    assert known["model"]["dimension"] == 384
    assert known["checkpoint"] == {"file": "vectors-1.faiss", "vectors": 5}
    assert "q2" in run("status", "-i", folder).stdout
    assert run("verify", "-i", folder).stdout == "sound\n"
    assert "rebuilt 5 vectors of 6 answers" in run("rebuild", "-i", folder).stdout
    assert run("verify", "-i", folder).stdout == "sound\n"


def test_verify_names_what_is_wrong(tmp_path: Path) -> None:
    index = tmp_path / "i"
    run("ingest", sheet(tmp_path / "quiz.csv"), "-i", index)
    (index / "vectors-1.faiss").write_bytes(b"junk")
    result = run("verify", "-i", index, code=1)
    assert "4 bytes where" in result.stdout
    assert "1 problem" in result.stderr
    assert not json.loads(run("verify", "-i", index, "-f", "json", code=1).stdout)["sound"]


def test_delete_by_author_leaves_no_trace(tmp_path: Path) -> None:
    index = tmp_path / "i"
    run("ingest", sheet(tmp_path / "quiz.csv"), "-i", index)
    assert b"piece by piece" in b"".join(p.read_bytes() for p in index.iterdir())
    assert json.loads(run("delete", "--author", "bob", "-i", index, "-f", "json").stdout) == {
        "deleted": 2
    }
    left = b"".join(path.read_bytes() for path in index.iterdir())
    assert b"piece by piece" not in left
    assert b"executed" not in left
    assert run("verify", "-i", index).stdout == "sound\n"


def test_marks_come_out_as_a_platform_takes_them(folder: Path, tmp_path: Path) -> None:
    essay = ("--as", "canvas", "--marks", "score", "--assignment", "Essay (12)", "-i", folder)
    result = run("export", *essay, "--question", "q1")
    assert [row["Essay (12)"] for row in csv.DictReader(io.StringIO(result.stdout))] == [
        "", "8", "7", "0",
    ]  # fmt: skip
    assert "no Canvas ID or SIS ID of 3 people, found by name: ann, bob, cy" in result.stderr
    path = tmp_path / "out.xlsx"
    run("export", "--as", "xlsx", "-i", folder, "-o", path)
    assert openpyxl.load_workbook(path).active["A2"].value == "1"
    refused = run("export", "--as", "canvas", "-i", folder, code=1).stderr
    assert "no marks were written here; name the column with the marks, --marks NAME" in refused
    assert "--marks goes with --as" in run("export", "--marks", "x", "-i", folder, code=2).stderr


def test_export_and_ingest_give_the_same_index(folder: Path, tmp_path: Path) -> None:
    exported = run("export", "-i", folder).stdout
    assert len(exported.splitlines()) == 6
    (tmp_path / "out.jsonl").write_text(exported, encoding="utf-8")
    run("ingest", tmp_path / "out.jsonl", "-i", tmp_path / "copy")
    assert run("export", "-i", tmp_path / "copy").stdout == exported
    table = list(csv.DictReader(io.StringIO(run("export", "-i", folder, "-f", "csv").stdout)))
    assert [row["id"] for row in table] == ["1", "2", "3", "4", "5", "6"]
    assert table[4]["score"] == "6.5"
    only = run("export", "-i", folder, "--question", "q1", "-f", "json").stdout
    assert len(json.loads(only)) == 3


def test_keep_going_writes_bad_rows_to_a_file(tmp_path: Path) -> None:
    path = sheet(tmp_path / "quiz.csv", [*ROWS, ("1", "q9", "eve", "twice", "0")])
    with path.open("a", encoding="utf-8") as file:
        file.write("7,too,few\n")
    result = run("ingest", path, "-i", tmp_path / "i", code=1)
    assert "quiz.csv:9: " in result.stderr
    rejects = tmp_path / "bad.jsonl"
    result = run("ingest", path, "-i", tmp_path / "i", "--keep-going", "--rejects", rejects,
                 "-f", "json", code=1)  # fmt: skip
    done = json.loads(result.stdout)
    assert (done["added"], done["skipped"]) == (6, 2)
    assert "2 rows could not be used; they are in" in result.stderr
    kept = [json.loads(line) for line in rejects.read_text("utf-8").splitlines()]
    assert sorted(row["line"] for row in kept) == [8, 9]


def test_the_exit_code_for_a_busy_index_is_75(folder: Path) -> None:
    from searchkit import Index

    with Index.open(folder, write=True):
        result = run("rebuild", "-i", folder, code=75)
        assert "being written by process" in result.stderr
        assert "full text is not checked" in run("verify", "-i", folder).stderr
        run("query", "callbacks", "-i", folder)


def test_another_model_is_refused(folder: Path, tmp_path: Path) -> None:
    result = run("ingest", sheet(tmp_path / "q.csv"), "-i", folder, "--model", tmp_path, code=1)
    assert str(tmp_path) in result.stderr


def test_every_command_takes_the_same_names_of_models(folder: Path, tmp_path: Path) -> None:
    file, pairs = sheet(tmp_path / "q.csv"), tmp_path / "pairs.csv"
    pairs.write_text("sentence_0,sentence_1,label\n" + "a,b,1\nc,d,9\n" * 9, "utf-8")
    run("ingest", file, "-i", tmp_path / "i", "--model", "default")
    run("reindex", "-i", tmp_path / "i", "--model", "default")
    for command in (
        ("ingest", file, "-i", tmp_path / "new"),
        ("reindex", "-i", folder),
        ("evaluate", "--corpus", file),
        ("train", pairs, "-o", tmp_path / "trained"),
    ):
        (line,) = [
            line
            for line in run(*command, "--model", "multilingua", code=1).stderr.splitlines()
            if "multilingua" in line
        ]
        assert line == (
            "searchkit: multilingua: no such model; write default, multilingual, a model's folder, "
            "or OWNER/NAME for one on the hub (sentence-transformers/multilingua)"
        )


def test_a_killed_ingest_continues(tmp_path: Path) -> None:
    words = "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda".split()
    rows = [
        (str(n), "q", f"s{n}", " ".join(words[(n * k) % 11] for k in range(3, 13)) + f" {n}", "1")
        for n in range(7_000)
    ]
    path, index = sheet(tmp_path / "many.csv", rows), tmp_path / "i"
    command = [sys.executable, "-m", "searchkit", "ingest", str(path), "-i", str(index), "-q"]
    process = subprocess.Popen(command)
    wait_for_rows(index, process)
    process.send_signal(signal.SIGKILL)
    process.wait()
    kept = json.loads(run("status", "-i", index, "-f", "json").stdout)["answers"]
    assert 0 < kept < 7_000
    done = json.loads(run("ingest", path, "-i", index, "-f", "json").stdout)
    assert (done["unchanged"], done["added"]) == (kept, 7_000 - kept)
    assert run("verify", "-i", index).stdout == "sound\n"


def wait_for_rows(index: Path, process: subprocess.Popen[bytes]) -> None:
    from searchkit import Index
    from searchkit.core.errors import SearchkitError

    for _ in range(2400):
        assert process.poll() is None
        time.sleep(0.05)
        try:
            with Index.open(index) as reader:
                if len(reader):
                    return
        except SearchkitError:
            pass
    raise AssertionError("nothing was written within two minutes")


def test_a_query_imports_nothing_heavy_that_it_does_without(folder: Path) -> None:
    run("query", "loop", "-i", folder)  # the first one computes which scores are close
    code = (
        "import sys; from searchkit.cli.app import main\n"
        f"main(['query', 'loop', '-i', {str(folder)!r}, '-q'], standalone_mode=False)\n"
        "heavy = {'torch', 'transformers', 'sentence_transformers', 'numpy.ma', 'regex'}\n"
        "heavy |= {'searchkit.index.upkeep.damage', 'rich._emoji_codes'}\n"
        "assert heavy.isdisjoint(sys.modules), heavy & {*sys.modules}"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_no_network_is_touched(folder: Path, tmp_path: Path) -> None:
    blocked = tmp_path / "sitecustomize.py"
    blocked.write_text(
        "import socket\n"
        "def refuse(*a, **k): raise SystemExit('a connection was opened')\n"
        "socket.socket.connect = refuse; socket.getaddrinfo = refuse\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    for arguments in (["query", "loop"], ["ingest", str(sheet(tmp_path / "q.csv"))]):
        command = [sys.executable, "-m", "searchkit", *arguments, "-i", str(folder)]
        run_ = subprocess.run(command, env=environment, capture_output=True, text=True)
        assert "connection" not in run_.stderr + run_.stdout
        assert run_.returncode in (0, 1)


def test_arguments_that_are_not_utf8(folder: Path, tmp_path: Path) -> None:
    for arguments in (["query", "caf\udce9", "-m", "lexical"], ["delete", "\udcff"],
                      ["query", "x", "--author", "\udcff"]):  # fmt: skip
        assert "is not UTF-8; write it in UTF-8" in run(*arguments, "-i", folder, code=1).stderr
    path = sheet(tmp_path / "quiz.csv")
    try:
        path = path.rename(tmp_path / "caf\udce9.csv")
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    run("ingest", path, "-i", tmp_path / "i")


def test_output_that_cannot_be_written(folder: Path) -> None:
    if not Path("/dev/full").is_char_device():
        pytest.skip("needs /dev/full")
    result = run("export", "-i", folder, "-o", "/dev/full", code=1)
    assert "/dev/full: can't be written (No space left on device)" in result.stderr
    assert Path("/dev/full").is_char_device()
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "searchkit", "export", "-i", str(folder)]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1
    assert done.stderr.splitlines()[0].startswith("searchkit: standard output: can't be written")


def test_a_file_that_cannot_be_used_makes_no_index(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a,b\n1,2\n")
    run("ingest", tmp_path / "a.csv", "-i", tmp_path / "i", code=1)
    assert not (tmp_path / "i").exists()


def test_the_error_for_a_full_gpu_is_one_line(folder: Path, monkeypatch) -> None:
    import torch

    from searchkit.index import query

    monkeypatch.setattr(query, "query", Mock(side_effect=torch.OutOfMemoryError("CUDA out of …")))
    result = run("query", "x", "-i", folder, code=1)
    assert result.stderr.startswith("searchkit: the GPU's memory is full; ")
    assert result.stderr.count("\n") == 1


def test_an_internal_error_is_one_line(folder: Path, monkeypatch) -> None:
    from searchkit.index import query

    monkeypatch.setattr(query, "query", lambda *_, **__: 1 / 0)
    result = run("query", "x", "-i", folder, code=1)
    assert "internal error (ZeroDivisionError: division by zero)" in result.stderr


def test_demo(tmp_path: Path, remembered: None) -> None:
    out = run("demo", "-i", tmp_path / "demo").stdout
    assert out.count("searchkit query") >= 3
    assert "What to try next" in out


def test_a_filter_that_no_answer_passes_is_reported(folder: Path) -> None:
    result = run("query", "loop", "-i", folder, "--question", "q1", "--where", "score > 8")
    assert "no answer matches question 'q1', where 'score > 8'" in result.stderr
    assert "no answer matches" not in run("query", "zzz", "-i", folder, "-m", "lexical").stderr


def test_mine_writes_every_format(folder: Path) -> None:
    found = json.loads(run("mine", "-i", folder, "-t", "0.5", "-f", "json").stdout)
    assert found["equal"] == []
    (pair,) = found["pairs"]
    assert (pair["left"], pair["right"]) == ("1", "2") and 0.5 < pair["score"] < 1
    assert json.loads(run("mine", "-i", folder, "-t", "0.5", "-f", "jsonl").stdout) == pair
    (row,) = csv.DictReader(io.StringIO(run("mine", "-i", folder, "-t", "0.5", "-f", "csv").stdout))
    assert (row["left"], row["right_author"], row["question"]) == ("1", "bob", "q1")
    assert row["left_text"] == ROWS[0][3] and row["kind"] == "alike"
    table = run("mine", "-i", folder, "-t", "0.5").stdout
    assert "1 · ann" in table and "2 · bob" in table
    assert "no pair reaches" in run("mine", "-i", folder, "-t", "1").stdout


def test_mine_reports_the_pairs_left_out_and_refuses_a_bad_threshold(folder: Path) -> None:
    result = run("mine", "-i", folder, "-t", "-1", "--by", "all", "--max-pairs", "1")
    assert "--max-pairs left out 9 pairs that have the threshold, too" in result.stderr
    result = run("mine", "-i", folder, "-t", "-1", "--by", "all", "--max-pairs", "0")
    assert result.stdout.strip() == "10 pairs found, and none listed"
    assert "--max-pairs left out 10 pairs" in result.stderr
    assert "no pair reaches" in run("mine", "-i", folder, "-t", "1", "--max-pairs", "0").stdout
    for threshold in ("nan", "1.5"):
        refused = run("mine", "-i", folder, "-t", threshold, code=1)
        assert "a threshold is a cosine, from -1 to 1" in refused.stderr


def test_mine_lists_equal_texts_as_groups(tmp_path: Path) -> None:
    rows = [(str(n), "q", f"s{n}", f"=cmd {'x' * (n // 3)} \x1b[31m", "1") for n in range(3)]
    run("ingest", sheet(tmp_path / "a.csv", rows), "-i", tmp_path / "i")
    table = run("mine", "-i", tmp_path / "i").stdout
    assert "0, 1, 2" in table and "\x1b" not in table
    first = run("mine", "-i", tmp_path / "i", "-f", "csv").stdout.splitlines()[1]
    assert first.startswith('1.0,"equal","q","0","s0","1","s1","\'=cmd')
    assert '{"equal": ["0", "1", "2"]}' in run("mine", "-i", tmp_path / "i", "-f", "jsonl").stdout


TERM = [
    "My answer: middleware sits between the request and the handler, reads or changes both, and "
    "either ends the answer itself or calls next so that the following one has its turn.",
    "A stream hands on a big file in small chunks, so the memory stays flat and the first bytes "
    "reach the reader long before the last ones were read from the disk.",
    "Callbacks were the first way; promises made chains of them readable, and with async and await "
    "the same code looks as if it ran line by line although nothing waits.",
    "The package file names the dependencies with their ranges, and the lock file pins the exact "
    "versions, so that everybody who installs the project gets the same tree.",
]


@pytest.fixture(scope="module")
def term(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four answers a question, and in the first two questions a copy."""
    base = tmp_path_factory.mktemp("term")
    rows = [
        (f"{q}{s}", q, f"s{s}", f"{text} {q}", "1")
        for q in ("a", "b")
        for s, text in enumerate(TERM)
    ]
    rows += [(f"{q}9", q, "s9", f"{TERM[1].replace('big', 'large')} ok", "1") for q in ("a", "b")]
    rows.append(("short", "a", "s8", "No idea, sorry", "0"))
    run("ingest", sheet(base / "term.csv", rows), "-i", base / "index")
    return base / "index"


def test_plagiarism_with_known_sources(term: Path, tmp_path: Path) -> None:
    (tmp_path / "page.txt").write_text(f"From the page: {TERM[2]}")
    command = ("plagiarism", "-i", term, "--sources", tmp_path)
    result = run(*command, "-f", "json")
    assert "compared with 1 known source, too" in result.stderr
    found = json.loads(result.stdout)
    assert [(one["answer"], one["source"]) for one in found["sources"]] == [
        ("a2", "page.txt"),
        ("b2", "page.txt"),
    ]
    assert all(one["expected"] is None for one in found["sources"])  # so few answers
    lines = [json.loads(line) for line in run(*command, "-f", "jsonl").stdout.splitlines()]
    assert [line for line in lines if "source" in line and "answer" in line] == found["sources"]
    rows = list(csv.DictReader(io.StringIO(run(*command, "-f", "csv").stdout)))
    (first, _) = [row for row in rows if row["kind"] == "known source"]
    assert first["right"] == "page.txt" and first["right_text"].startswith("From the page")
    table = run(*command).stdout
    assert "Near to a known source" in table and "Shares with page.txt: " in table
    missing = run("plagiarism", "-i", term, "--sources", tmp_path / "none.txt", code=1)
    assert missing.stderr.strip().endswith("none.txt: no such file")


def test_plagiarism_writes_every_format(term: Path) -> None:
    result = run("plagiarism", "-i", term, "-f", "json")
    found = json.loads(result.stdout)
    (one, other) = found["findings"]
    assert {one["left"], other["left"]} == {"a1", "b1"}
    assert list(one) == ["left", "right", "question", "verdict", "score", "semantic", "verbatim",
                         "expected", "passages", "reason", "remarks", "first",
                         "q_value", "decision"]  # fmt: skip
    assert one["verdict"] == "near copy" and one["passages"][0]["kind"] == "verbatim"
    (ring,) = found["rings"]
    assert ring["authors"] == ["s1", "s9"] and ring["questions"] == ["a", "b"]
    assert "10 answers compared in 2 questions, 20 pairs" in result.stderr
    assert "in no pair: 1 answer with fewer than 10 words of its own" in result.stderr
    assert "chance can't be judged in 2 questions" in result.stderr
    assert "judged together" not in result.stderr
    lines = run("plagiarism", "-i", term, "-f", "jsonl").stdout.splitlines()
    assert [json.loads(line) for line in lines] == [one, other, ring]
    rows = list(csv.DictReader(io.StringIO(run("plagiarism", "-i", term, "-f", "csv").stdout)))
    assert rows[0]["left_author"] == "s1" and rows[0]["right_text"].startswith("A stream hands")
    assert json.loads(rows[0]["passages"]) == one["passages"]
    table = run("plagiarism", "-i", term).stdout
    assert (
        "near copy" in table
        and "s1 and s9 share passages in 2 questions." in table
        and "a reason to look, not a proof" in table
    )
    none = run("plagiarism", "-i", term, "--max-expected", "0", "-q")
    assert "no pair is more alike than chance explains" in none.stdout and none.stderr == ""
    few = json.loads(run("plagiarism", "-i", term, "--fdr", "0.9", "-f", "json", "-q").stdout)
    judged = [one["q_value"] for one in few["findings"] if one["q_value"] is not None]
    assert few["by_chance"] == pytest.approx(0.9 * len(judged)) and max(judged, default=0) <= 0.9
    wrong = run("plagiarism", "-i", term, "--fdr", "5", code=1)
    assert wrong.stderr == "searchkit: --fdr must be more than 0 and at most 1, not 5.0\n"
    both = run("report", "-i", term, "-o", term.parent / "r.html", "--fdr", "0.1",
               "--max-expected", "0.1", code=2)  # fmt: skip
    assert "--fdr can't be used with --max-expected" in both.stderr


def test_a_dismissed_pair_stays_dismissed(term: Path) -> None:
    found = json.loads(run("plagiarism", "-i", term, "-f", "json", "-q").stdout)["findings"]
    with Index.open(term, write=True) as index:
        decide(index, found[0]["left"], found[0]["right"], "dismissed", "same table")
        decide(index, found[1]["left"], found[1]["right"], "confirmed")
    again = json.loads(run("plagiarism", "-i", term, "-f", "json", "-q").stdout)["findings"]
    assert [one["decision"] for one in again] == ["dismissed", "confirmed"]
    table = run("plagiarism", "-i", term, "-q").stdout
    assert "not shown: 1 that you dismissed" in table and "confirmed" in table
    assert found[0]["left"] not in table
    pair = [found[0]["left"], found[0]["right"], "-i", term]
    assert json.loads(run("compare", *pair, "-f", "json").stdout)["decision"] == "dismissed"
    assert "You dismissed it: same table." in run("compare", *pair).stdout
    with Index.open(term, write=True) as index:
        decide(index, found[0]["left"], found[0]["right"], "asked", "where they sat")
    asked = run("plagiarism", "-i", term, "-q").stdout
    assert "ask the student" in asked and "that you dismissed" not in asked
    assert "You want to ask the student: where they sat." in run("compare", *pair).stdout


def test_plagiarism_with_a_template_and_an_earlier_index(term: Path, tmp_path: Path) -> None:
    template = tmp_path / "handout.txt"
    template.write_text(TERM[1], "utf-8")
    found = run("plagiarism", "-i", term, "--template", template, "-f", "json").stdout
    assert json.loads(found)["findings"] == []
    missing = run("plagiarism", "-i", term, "--template", tmp_path / "no.txt", code=1)
    assert missing.stderr.endswith("no.txt: no such file\n")
    new = sheet(tmp_path / "new.csv", [("n1", "a", "t1", TERM[0] + " As I said.", "1")])
    run("ingest", new, "-i", tmp_path / "new")
    result = run("plagiarism", "-i", tmp_path / "new", "--against", term, "-f", "json")
    (finding,) = json.loads(result.stdout)["findings"]
    assert (finding["left"], finding["right"]) == ("n1", "index:a0")
    side = run("compare", "n1", "index:a0", "-i", tmp_path / "new", "--against", term)
    assert "index:a0 is one of the earlier answers" in " ".join(side.stdout.split())
    itself = run("plagiarism", "-i", term, "--against", term, code=1)
    assert "is the index itself; name one of earlier answers" in itself.stderr


def test_whether_the_reference_was_given_is_said(tmp_path: Path) -> None:
    rows = [(f"a{s}", "a", f"s{s}", text, "1") for s, text in enumerate(TERM)]
    rows += [("a9", "a", "s9", f"{TERM[1]} ok", "1"), ("ref", "a", "reference", TERM[1], "1")]
    place = ["-i", tmp_path / "i"]
    run("ingest", sheet(tmp_path / "term.csv", rows), *place)
    page = tmp_path / "r.html"
    for given, findings in ([], 1), (["--reference-was-given"], 0):
        found = json.loads(run("plagiarism", *place, "-f", "json", *given).stdout)
        assert len(found["findings"]) == findings
        compared = json.loads(run("compare", "a1", "a9", *place, "-f", "json", *given).stdout)
        assert (compared["verdict"] != "no finding") == bool(findings)
        run("report", "-o", page, *place, *given)
        report = json.loads(page.with_suffix(".json").read_text("utf-8"))
        assert len(report["findings"]) == findings
        assert report["settings"]["reference answers"] == ("given" if given else "not given")


@pytest.mark.parametrize("command", ["plagiarism", "report", "compare"])
def test_a_template_has_its_own_encoding(term: Path, tmp_path: Path, command: str) -> None:
    template = tmp_path / "handout.txt"
    more = {"plagiarism": [], "report": ["-o", tmp_path / "r.html"], "compare": ["a1", "a2"]}
    arguments = [command, *more[command], "-i", term, "--template", template]
    template.write_bytes(
        "Gr\u00f6\u00dfe der \u00dcbung: was hei\u00dft \u201eSchleife\u201c?".encode("cp1252")
    )
    assert "not UTF-8, and read as cp1252" in run(*arguments).stderr
    assert "cp1252" not in run(*arguments, "--encoding", "cp1252").stderr
    refused = run(*arguments, "--encoding", "utf-8", code=1).stderr
    assert f"{template}:1: " in refused and "utf-8" in refused.lower()
    assert "no encoding 'klingon'" in run(*arguments, "--encoding", "klingon", code=1).stderr
    alone = run(command, *more[command], "-i", term, "--encoding", "cp1252", code=2).stderr
    assert "--encoding goes with --template" in alone


def test_help_says_similarity() -> None:
    for name in main.list_commands(click.Context(main)):
        text = run(name, "--help").stdout
        assert "cosine" not in text.replace("similarity of a pair, a cosine", ""), name


def test_compare_shows_both_answers_and_explains_the_numbers(term: Path) -> None:
    shown = " ".join(run("compare", "a1", "a9", "-i", term).stdout.split())
    assert "[1 A stream hands" in shown and "Near copy: " in shown
    assert shown.count("be judged") == 1 and "Chance can't be judged here: " in shown
    other = " ".join(run("compare", "a0", "a1", "-i", term).stdout.split())
    assert "No finding, since so much is no evidence here" in other
    record = json.loads(run("compare", "a1", "a9", "-i", term, "-f", "json").stdout)
    assert (record["left"], record["right"], record["verdict"]) == ("a1", "a9", "near copy")
    assert "no answer 'a77'" in run("compare", "a1", "a77", "-i", term, code=1).stderr
    assert "are one answer; name two" in run("compare", "a1", "a1", "-i", term, code=1).stderr


def test_cluster_writes_every_format(folder: Path) -> None:
    found = json.loads(run("cluster", "-i", folder, "-t", "0.5", "-f", "json").stdout)
    assert list(found[0]) == ["cluster", "question", "kind", "size", "keywords", "center", "spread",
                              "members"]  # fmt: skip
    assert (found[0]["size"], found[0]["question"]) == (2, "q1")
    lines = run("cluster", "-i", folder, "-t", "0.5", "-f", "jsonl").stdout.splitlines()
    assert [json.loads(line) for line in lines] == found
    result = run("cluster", "-i", folder, "-t", "0.5", "-f", "csv")
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    assert len(rows) == 5 and rows[0]["author"] in ("ann", "bob") and rows[0]["cluster"] == "1"
    assert "1 blank answers are in no cluster" in result.stderr
    table = run("cluster", "-i", folder, "--question", "q1").stdout
    assert "q1   3 answers" in table and "chosen, of 23 tried" in table
    assert run("cluster", "-i", folder, "-t", "many", code=2).exit_code == 2
    wrong = run("cluster", "-i", folder, "-m", "k-means", "-t", "0.5", code=1)
    assert "threshold 0.5 goes with the method communities, not with k-means" in wrong.stderr


def test_a_file_without_answers_is_no_success(tmp_path: Path) -> None:
    index, rubbish = tmp_path / "i", tmp_path / "a.csv"
    rubbish.write_text("rubbish")
    result = run("ingest", rubbish, "-i", index, code=1)
    assert result.stderr == (
        f"searchkit: {rubbish}: no rows in it, only a line that was taken for the columns' names: "
        "rubbish; is it the right file?\n"
    )
    assert not index.exists()
    result = run("ingest", rubbish, sheet(tmp_path / "quiz.csv"), "-i", index, "-f", "json")
    assert json.loads(result.stdout)["read"] == len(ROWS)
    assert f"searchkit: {rubbish}: no rows in it" in result.stderr


CONTROLS = {chr(n) for n in (*range(9), *range(11, 32), *range(0x7F, 0xA0))} | set("\u202e\u2028")
EVIL = "\x9b31m\x1b]0;x\x07\x7f\x85\u202e"


@pytest.fixture(scope="module")
def evil(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index that holds control characters in every field, every name and every column."""
    base = tmp_path_factory.mktemp(f"evil{EVIL[0]}")
    texts = ["The event loop runs callbacks", "The event loop runs the callbacks", "PHP is a"]
    rows = [
        {
            "id": f"{n}{EVIL}", "text": f"{text} {EVIL}", "question": f"q{EVIL}",
            "author": f"s{n % 3}{EVIL}", "submitted_at": EVIL, f"mark{EVIL}": str(n % 3),
            "score": str(n % 3), EVIL: EVIL,
        }
        for n, text in enumerate(texts * 3)
    ]  # fmt: skip
    path = base / f"a{EVIL}.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    run("ingest", path, "-i", base / "index")
    return base / "index"


@pytest.mark.parametrize(
    "arguments",
    [
        ("query", f"loop{EVIL}"), ("mine",), ("plagiarism",), ("cluster",), ("status",),
        ("export",), ("grade", "--column", "score", "--evaluate"),
        ("grade", "--column", "score", "--audit"),
        ("grade", "--column", f"mark{EVIL}"), ("compare", f"0{EVIL}", f"1{EVIL}"), ("verify",),
        ("decisions",), ("query", "x", "--where", f"x = {EVIL}"), ("grade", "--column", EVIL),
        ("query", "x", "--question", EVIL), (f"--{EVIL}",), (f"c{EVIL}",), ("query", f"--{EVIL}"),
        ("query", "x", "--mode", EVIL), ("query", "x", "-n", EVIL), ("ingest", f"{EVIL}.csv"),
        ("compare", EVIL, "x"), ("delete", EVIL), ("export", "-o", f"{EVIL}/x"),
    ],
    ids=repr,
)  # fmt: skip
@pytest.mark.parametrize("format", [None, "json", "jsonl", "csv"])
def test_nothing_that_is_printed_controls_a_terminal(
    evil: Path, arguments: tuple[str, ...], format: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("click.testing._NamedTextIOWrapper.isatty", lambda _: True, raising=False)
    options = ["-i", str(evil), *(["-f", format] if format else [])]
    result = CliRunner().invoke(main, [*arguments, *options])
    own = re.compile(r"\x1b\[[?\d;]*[A-Za-z]|\r")  # colours, and the bar's movements
    assert not CONTROLS & set(own.sub("", result.output)), result.output
    assert "internal error" not in result.output
    if format == "json" and result.exit_code == 0:
        json.loads(result.stdout)
