"""A question, an author or an id that isn't in the index ends every command with the nearest."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from helpers.encoder import ToyEncoder
from helpers.serving import toy_encoder

from searchkit import Answer, Index
from searchkit.cli.app import main
from searchkit.index.locations import open_or_create

ANSWERS = [
    Answer(
        f"a{n:02}",
        f"answer number{n} says that the event loop runs callbacks when the stack is empty",
        f"q{n % 3:02}",
        ("Ann Lee", "Bob Hill", "Cy Young")[n // 3 % 3],
        meta={"score": str(n % 5)},
    )
    for n in range(1, 25)
]
QUESTION = "no question 'q99' in {place}; there are q00, q01, q02"
AUTHOR = "no author 'Ann Leigh' in {place}; did you mean 'Ann Lee'?"
ID = "no answer 'a99' in {place}; did you mean 'a19' or 'a09'?"
FILTERED = [
    ["query", "loop"],
    ["query", "loop", "-m", "lexical"],
    ["query", "loop", "-m", "hybrid"],
    ["mine"],
    ["mine", "--partitions", "2"],
    ["plagiarism"],
    ["plagiarism", "-f", "json"],
    ["report", "-o", "{folder}/r.html"],
    ["cluster"],
    ["grade", "--column", "score"],
    ["grade", "--column", "score", "--write", "mark"],
    ["grade", "--column", "score", "--evaluate"],
    ["grade", "--column", "score", "--audit"],
    ["export"],
    ["delete", "-y"],
]
MATCHING_NONE = [c for c in FILTERED if not {"delete", "--evaluate"} & set(c)]
BY_ID = [
    ["compare", "a01", "a99"],
    ["compare", "a99", "a01"],
    ["delete", "-y", "a01", "a99"],
    ["grade", "--column", "score", "--propagate", "a99"],
    ["grade", "--column", "score", "--propagate", "a99=3", "--write", "mark"],
]


@pytest.fixture(scope="module", params=["folder", "lite"])
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    base = tmp_path_factory.mktemp("names")
    place = base / "i" if request.param == "folder" else f"milvus+lite:{base / 'i.db'}"
    with open_or_create(place, ToyEncoder()) as index:
        index.add(ANSWERS)
    return str(place)


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("searchkit.index.base.load_encoder", toy_encoder)


def run(place: str, folder: Path, *arguments: str, code: int = 1) -> Result:
    given = [argument.format(folder=folder) for argument in arguments]
    result = CliRunner().invoke(main, [*given, "-i", place])
    assert result.exit_code == code, (result.output, result.exception)
    return result


@pytest.mark.parametrize("command", FILTERED, ids=" ".join)
def test_an_unknown_name_ends_the_command(
    toy: None, place: str, tmp_path: Path, command: list[str]
) -> None:
    for options, message in (
        (["--question", "q99"], QUESTION),
        (["--author", "Ann Leigh"], AUTHOR),
        (["--question", "q99", "--where", "score > 1"], QUESTION),
    ):
        result = run(place, tmp_path, *command, *options)
        assert message.format(place=place.removeprefix("milvus+lite:")) in _unplaced(result.stderr)
        assert not result.stdout
    assert list(tmp_path.iterdir()) == []
    assert _ids(place) == [answer.id for answer in ANSWERS]


@pytest.mark.parametrize("command", BY_ID, ids=" ".join)
def test_an_unknown_id_ends_the_command(
    toy: None, place: str, tmp_path: Path, command: list[str]
) -> None:
    result = run(place, tmp_path, *command)
    assert ID.format(place=place.removeprefix("milvus+lite:")) in _unplaced(result.stderr)
    assert _ids(place) == [answer.id for answer in ANSWERS]


@pytest.mark.parametrize("command", MATCHING_NONE, ids=" ".join)
def test_another_spelling_is_taken_and_no_match_is_said(
    toy: None, place: str, tmp_path: Path, command: list[str]
) -> None:
    result = run(place, tmp_path, *command, "--where", "score > 77", code=0)
    assert "no answer matches where 'score > 77'" in result.stderr
    assert "chance explains" not in result.stdout
    result = run(place, tmp_path, *command, "--question", "", code=0)
    assert "no answer matches question ''" in result.stderr


def test_a_name_in_another_case_finds_the_same(toy: None, place: str, tmp_path: Path) -> None:
    exact = run(place, tmp_path, "export", "--question", "q01", "--author", "Ann Lee", code=0)
    other = run(place, tmp_path, "export", "--question", " Q01", "--author", "ann  LEE", code=0)
    assert exact.stdout == other.stdout != ""


def test_two_questions_that_differ_in_case_are_two(tmp_path: Path) -> None:
    with Index.create(tmp_path / "i", ToyEncoder()) as index:
        index.add([Answer("1", "x", "Loop"), Answer("2", "y", "loop")])
    result = run(str(tmp_path / "i"), tmp_path, "export", "--question", "LOOP")
    assert "no question 'LOOP' in" in result.stderr
    assert "did you mean 'loop'" in result.stderr


def _unplaced(message: str) -> str:
    return message.replace("milvus+lite:", "")


def _ids(place: str) -> list[str]:
    with open_or_create(Path(place) if "lite" not in place else place, ToyEncoder()) as index:
        return index.ids()
