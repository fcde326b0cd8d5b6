"""Marks come out of the web application as from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from helpers.encoder import ToyEncoder
from helpers.serving import make_index, writer
from starlette.testclient import TestClient

from searchkit import Answer, Index
from searchkit.output.platforms.formats import NAMES, marks_file
from searchkit.output.platforms.marks import MarkOptions

PEOPLE = {"Ada": {"id": "1", "participant": "51", "uid": "ada"}, "Bö": {"uid": "bo"}}
ANSWERS = [
    Answer(f"{n}", f"A text by {name}", "q1", name, source="/ps1/p.ipynb", meta=PEOPLE[name])
    for n, name in enumerate(PEOPLE)
]


@pytest.fixture
def folder(tmp_path: Path, toy: None) -> Path:
    folder = make_index(tmp_path / "index", ANSWERS)
    with writer(folder) as index:
        index.update_columns({answer.id: {"group_mark": "7"} for answer in ANSWERS})
    return folder


@pytest.mark.parametrize("platform", NAMES)
def test_the_file_is_that_of_the_command_line(
    client: TestClient, folder: Path, platform: str
) -> None:
    answer = client.get("/api/marks", params={"as": platform, "maximum": 10})
    assert answer.status_code == 200, answer.text
    with Index.open(folder, encoder=ToyEncoder()) as index:
        file = marks_file(index, platform, MarkOptions(maximum=10))
    if platform != "xlsx":  # which holds the time
        assert answer.content == file.content
    assert json.loads(answer.headers["searchkit-notes"]) == file.notes
    stem = "marks" if platform in ("csv", "xlsx") else f"marks-{platform}"
    name = f'attachment; filename="{stem}.{file.suffix}"'
    assert answer.headers["content-disposition"] == name


def test_what_is_wrong_is_one_line(client: TestClient, folder: Path) -> None:
    for parameters, status, said in [
        ({"as": "blackboard"}, 422, "as"),
        ({"as": "csv", "maximum": "0"}, 422, "maximum"),
        ({"as": "csv", "marks": "grade"}, 400, "`marks`: no answer has a column 'grade'"),
        ({"as": "csv", "question": "q2"}, 404, "q2"),
    ]:
        answer = client.get("/api/marks", params=parameters)
        assert answer.status_code == status, answer.text
        assert said in answer.json()["error"]
    with writer(folder) as index:
        index.update_columns({"0": {"other_mark": "3"}})
    answer = client.get("/api/marks", params={"as": "canvas"})
    expected = "which column holds the marks: group_mark or other_mark? name it: `marks=NAME`"
    assert answer.json() == {"error": expected}
