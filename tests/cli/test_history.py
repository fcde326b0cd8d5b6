"""`export --history` writes what was changed while questions were graded."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from helpers.grading import do, make_question

from searchkit.cli.app import main
from searchkit.grading.marking.changes import undo
from searchkit.grading.marking.records import ChangeSettings, WriteComment, WriteMarks


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with make_question(tmp_path / "i") as index:
        do(index, WriteMarks({"a": "7", "b": "7"}), by="Ada")
        do(index, WriteComment(["a"], "=1+1"), by="Ben")
        do(index, ChangeSettings({"level": 0}))
        undo(index, "q1")
    return tmp_path / "i"


def export(folder: Path, *options: str, code: int = 0) -> str:
    result = CliRunner().invoke(main, ["export", "--history", "-i", str(folder), *options])
    assert result.exit_code == code, result.output
    return result.stdout if code == 0 else result.stderr


def test_each_change_is_a_line(folder: Path) -> None:
    marked, commented, _, undone = map(json.loads, export(folder, "-q").splitlines())
    assert (marked["by"], marked["what"]) == ("Ada", "mark 7 for 2 answers")
    assert marked["cells"][1] == {"id": "b", "column": "mark", "before": None, "after": "7"}
    assert (commented["by"], undone["reverts"]) == ("Ben", 3)
    assert undone["what"] == "undo: change the settings (level)"
    assert json.loads(export(folder, "-q", "--format", "json"))[0] == marked


def test_each_cell_is_a_row(folder: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(export(folder, "-q", "--format", "csv"))))
    assert [row["id"] for row in rows] == ["a", "b", "a", "", ""]
    assert rows[0] | {"at": "", "settings": ""} == {
        **dict.fromkeys(rows[0], ""), "number": "1", "by": "Ada", "question": "q1", "id": "a",
        "what": "mark 7 for 2 answers", "state": "done", "column": "mark", "after": "7",
    }  # fmt: skip
    assert rows[2]["after"] == "'=1+1"


def test_a_question_without_changes_is_told(folder: Path) -> None:
    assert len(export(folder, "-q", "--question", "Q1").splitlines()) == 4
    assert "no question 'q9'" in export(folder, "--question", "q9", code=1)
    for option in ("--author", "--where", "--as"):
        value = "csv" if option == "--as" else "1"
        said = export(folder, option, value, code=2)
        assert f"--history can't be used with {option}" in said
