"""nbgrader: scores by assignment, notebook, cell and student."""

from __future__ import annotations

from pathlib import Path

from helpers.encoder import ToyEncoder
from helpers.marks import rows_of

from searchkit import Answer, Index
from searchkit.output.platforms.formats import marks_file
from searchkit.output.platforms.marks import MarkOptions
from searchkit.output.platforms.nbgrader import COLUMNS


def test_cells_are_known_by_nbgraders_folders(tmp_path: Path) -> None:
    notebook = "/c/submitted/{}/ps1/problem.ipynb"
    with Index.create(tmp_path / "i", ToyEncoder()) as index:
        index.add(
            [
                Answer("a", "x = 1", "q1", "007", source=notebook.format("007")),
                Answer("b", "x = 2", "q1", "bo", source=notebook.format("bo")),
                Answer("c", "x = 3", "q1", "cy"),
            ]
        )
        index.update_columns({id_: {"mark": "7"} for id_ in "ac"})
        index.update_columns({"a": {"comment": "Good"}})
        file = marks_file(index, "nbgrader", MarkOptions(maximum=10))
    (row,) = rows_of(file)
    assert tuple(row.values()) == ("ps1", "problem", "q1", "007", "7", "10", "Good")
    assert tuple(row) == COLUMNS
    assert "1 answer left out: assignment, notebook, cell (the question)" in file.notes[1]
    assert "nbgrader imports no marks by itself" in file.notes[2]
