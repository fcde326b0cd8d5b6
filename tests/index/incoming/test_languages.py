"""The languages of answers: identified, kept, counted, found, and unknown to the model."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from helpers.encoder import ToyEncoder
from helpers.serving import toy

from searchkit import Answer, Index, Where, ingest
from searchkit.cli.app import main
from searchkit.encoding.models.names import DEFAULT_MODEL
from searchkit.index.locations import open_or_create
from searchkit.index.upkeep.copying import copy
from searchkit.index.upkeep.status import status
from searchkit.index.upkeep.verify import verify

__all__ = ["toy"]
ENGLISH = "The event loop runs a callback as soon as the stack is empty."
GERMAN = "Die Ereignisschleife führt einen Callback aus, sobald der Stapel leer ist."
HINDI = "पौधे सूरज की रोशनी से पानी और कार्बन डाइऑक्साइड को शर्करा में बदलते हैं।"
ANSWERS = [Answer("a", ENGLISH), Answer("b", GERMAN), Answer("c", "ok"), Answer("d", "")]


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    with Index.create(tmp_path / "index", ToyEncoder()) as made:
        yield made


def languages(index: Index) -> dict[str, str | None]:
    return {answer.id: answer.language for answer in index.answers()}


def test_identified_kept_counted_and_found(index: Index) -> None:
    ingest(index, ANSWERS)
    assert languages(index) == {"a": "en", "b": "de", "c": "und", "d": None}
    assert status(index)["languages"] == {"de": 1, "en": 1, "und": 1}
    assert index.ids(Where(sql="language = 'de'")) == ["b"]
    assert index.ids(Where(sql="language IS NULL")) == ["d"]
    assert verify(index) == []


def test_a_file_that_comes_again_loads_nothing_that_identifies(index: Index, monkeypatch) -> None:
    ingest(index, ANSWERS)
    monkeypatch.setattr("searchkit.text.languages.identification._loaded", [])
    monkeypatch.setattr("searchkit.text.languages.identification._classifier", pytest.fail)
    assert ingest(index, ANSWERS).unchanged == len(ANSWERS)


def test_a_column_of_that_name_is_what_filters_see(index: Index) -> None:
    ingest(index, [Answer("a", GERMAN, meta={"language": "python"})])
    assert index.ids(Where(sql="language = 'python'")) == ["a"]
    assert languages(index) == {"a": "de"}


def test_a_given_language_stays_until_the_text_changes(index: Index) -> None:
    ingest(index, [replace(ANSWERS[0], language="fr"), *ANSWERS[1:]])
    assert ingest(index, ANSWERS).unchanged == 4
    assert languages(index)["a"] == "fr"
    ingest(index, [replace(ANSWERS[0], meta={"score": "1"})], on_duplicate="keep-last")
    assert languages(index)["a"] == "fr"
    report = ingest(index, [Answer("e", GERMAN, "q", "eve")])
    assert (report.added, languages(index)["e"]) == (1, "de")
    ingest(index, [Answer("e", ENGLISH, "q", "eve")])
    assert languages(index)["e"] == "en"


def test_answers_from_before_are_identified_when_they_come_again(index: Index) -> None:
    index.add(ANSWERS)
    assert status(index)["languages"] == {}
    report = ingest(index, ANSWERS)
    assert (report.updated, report.unchanged, report.embedded) == (3, 1, 0)
    assert status(index)["languages"] == {"de": 1, "en": 1, "und": 1}


@pytest.mark.parametrize("target", ["folder", "lite"])
def test_a_copy_has_them(target: str, index: Index, tmp_path: Path) -> None:
    if target == "lite":
        pytest.importorskip("milvus_lite")
    ingest(index, ANSWERS)
    place = tmp_path / "copy" if target == "folder" else f"milvus+lite:{tmp_path / 'copy.db'}"
    with open_or_create(place, ToyEncoder()) as copied:
        copy(index, copied)
        assert copied.languages() == index.languages()
        assert copied.ids(Where(sql="language = 'de'")) == ["b"]
        assert ingest(copied, ANSWERS).unchanged == 4


@pytest.mark.parametrize(
    ("texts", "model", "warning"),
    [
        ([ENGLISH, "ok"], DEFAULT_MODEL, None),
        ([ENGLISH, GERMAN], "/some/folder", None),
        ([GERMAN, "你好，世界上所有的人"], "multilingual", None),
        (
            [ENGLISH, GERMAN, GERMAN + " Punkt."],
            DEFAULT_MODEL,
            "2 in German, of 3 new or changed answers: all-MiniLM-L6-v2 doesn't know that "
            "language; one that does: searchkit reindex --model multilingual",
        ),
        (
            [HINDI, ENGLISH],
            "multilingual",
            "1 in Hindi, of 2 new or changed answers: multilingual doesn't know that language",
        ),
    ],
)
def test_what_the_model_does_not_know(
    texts: list[str], model: str, warning: str | None, tmp_path: Path
) -> None:
    encoder = ToyEncoder()
    encoder.name = model
    with Index.create(tmp_path / "index", encoder) as index:
        report = ingest(index, [Answer(str(n), text) for n, text in enumerate(texts)])
        assert report.warnings == ([warning] if warning else [])
        again = ingest(index, [Answer(str(n), text) for n, text in enumerate(texts)])
        assert again.warnings == [], "nothing is new"


def test_a_single_answer_among_many_may_be_a_mistake(tmp_path: Path) -> None:
    encoder = ToyEncoder()
    encoder.name = DEFAULT_MODEL
    answers = [Answer(str(n), f"{ENGLISH} Number {n}.") for n in range(99)]
    with Index.create(tmp_path / "index", encoder) as index:
        assert ingest(index, [*answers, Answer("x", GERMAN)]).warnings == []


@pytest.mark.usefixtures("toy")
def test_the_command(tmp_path: Path) -> None:
    file, index = tmp_path / "answers.csv", tmp_path / "index"
    file.write_text(f'id,answer\n1,"{ENGLISH}"\n2,"{GERMAN}"\n3,ok\n', encoding="utf-8")

    def run(*arguments: object, code: int = 0) -> str:
        result = CliRunner().invoke(main, [*map(str, arguments), "-i", str(index)])
        assert result.exit_code == code, result.output
        return result.stderr if code else result.stdout

    refused = run("ingest", file, "--language", "german", code=1)
    assert "german: no language; give one of af, ar" in refused
    assert not index.exists()
    run("ingest", file)
    assert "languages   German 1, English 1, not told 1" in " ".join(run("status").split("\n"))
    run("ingest", file, "--language", "DE")
    assert json.loads(run("status", "-f", "json"))["languages"] == {"de": 3}
    assert '"id": "3"' in run("query", "ok", "--where", "language = 'de'", "-f", "json")
