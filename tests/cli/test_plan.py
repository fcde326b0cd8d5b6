"""`grade --plan`: in every format, on a column that is not there, and with wrong options."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from helpers.courses import course, course_index

from searchkit.cli.app import main


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("plan")
    with course_index(path, course(30)):
        return path / "i"


def plan(folder: Path, *arguments: str, code: int = 0) -> Result:
    options = ["grade", "-i", str(folder), "--column", "points", *arguments]
    result = CliRunner().invoke(main, options)
    assert result.exit_code == code, (result.output, result.exception)
    return result


def test_the_promise_stands_above_the_answers_to_mark(folder: Path) -> None:
    result = plan(folder, "--plan")
    assert result.stdout.startswith("Too few marks to promise anything yet")
    assert "points: 0 of 120 answers marked" in result.stderr
    assert "drawn at random" in result.stdout
    assert "teaches most" in plan(folder, "--plan", "--max-off", "0.01").stdout


def test_json_has_the_promise_and_csv_the_texts(folder: Path) -> None:
    document = json.loads(plan(folder, "--plan", "--question", "q2", "-f", "json").stdout)
    assert document["column"] == "points" and document["unmarked"] == 30
    assert document["promise"]["holds"] is False and document["promise"]["to_mark"] is None
    assert {answer["question"] for answer in document["answers"]} == {"q2"}
    rows = list(csv.DictReader(io.StringIO(plan(folder, "--plan", "-f", "csv").stdout)))
    assert [row["rank"] for row in rows] == [str(n) for n in range(1, 21)]
    assert all(row["text"] and row["reason"] in ("check", "learn") for row in rows)
    lines = plan(folder, "--plan", "-f", "jsonl").stdout.splitlines()
    assert [json.loads(line)["id"] for line in lines] == [row["id"] for row in rows]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--plan", "--write", "x"], "--write can't be used with --plan"),
        (["--plan", "--propagate", "q1-01"], "--propagate can't be used with --plan"),
        (["--plan", "--min-confidence", "0.5"], "--min-confidence can't be used with --plan"),
        (["--max-off", "0.1"], "--max-off goes with --plan"),
        (["--confidence", "0.8"], "--confidence goes with --plan"),
    ],
)
def test_options_that_do_not_go_together(folder: Path, arguments: list[str], message: str) -> None:
    assert message in plan(folder, *arguments, code=2).stderr


def test_a_share_that_is_none_is_refused(folder: Path) -> None:
    result = plan(folder, "--plan", "--max-off", "5", code=1)
    assert "--max-off must be above 0 and below 1, not 5" in result.stderr
