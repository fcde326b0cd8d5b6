"""The full text finds all forms of a word, by the language of each answer."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from helpers.encoder import ToyEncoder
from helpers.files import DATA

from searchkit import Answer, Index, ingest
from searchkit.index.locations import open_or_create
from searchkit.index.upkeep.verify import verify

ANSWERS = [
    Answer("de", "Die Häuser haben Adressen.", "q", language="de"),
    Answer("de2", "Ein Haus und seine Straße.", "q", language="de"),
    Answer("fr", "L'école prépare des requêtes.", "q", language="fr"),
    Answer("es", "Las canciones se envían rápidamente.", "q", language="es"),
    Answer("ar", "الخادم يرد على الطلبات", "q", language="ar"),
    Answer("en", "Servers have addresses, and hauser is a name.", "q", language="en"),
    Answer("zh", "事件循环在调用栈为空时运行", "q", language="zh"),
    Answer("short", "Häusern", "q", language="und"),
    Answer("mixed", "Der Server sends responses; die Häuser warten.", "q", language="de"),
    Answer("old", "Häuschen ohne Sprache", "q"),
    Answer("strange", "Häuschen", "q", language='"; DROP TABLE answers; --'),
]


@pytest.fixture(scope="module", params=["folder", "lite"])
def index(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory):
    base = tmp_path_factory.mktemp("stems")
    place = base / "i" if request.param == "folder" else f"milvus+lite:{base / 'i.db'}"
    with open_or_create(place, ToyEncoder()) as made:
        made.add(ANSWERS)
        yield made


def found(index: Index, words: str) -> list[str]:
    (hits,) = index.search_words([words], 20)
    return sorted(hit.answer.id for hit in hits)


@pytest.mark.parametrize(
    ("words", "ids"),
    [
        ("haus", ["de", "de2", "mixed", "short"]),
        ("Häuser", ["de", "de2", "en", "mixed", "short"]),  # "hauser" as it is written
        ("HAUSER", ["de", "de2", "en", "mixed", "short"]),
        ("haeuser", ["de", "de2", "mixed", "short"]),
        ("strassen", ["de2"]),
        ("d'écoles", ["fr"]),
        ("ecoles", ["fr"]),
        ("requete", ["fr"]),
        ("cancion", ["es"]),
        ("خادم", ["ar"]),
        ("server", ["en", "mixed"]),  # English words, as before, whatever the answer's language
        ("response", ["mixed"]),
        ("循环", ["zh"]),
        ("haeuser 循环 canción", ["de", "de2", "es", "mixed", "short", "zh"]),
        ("\ue000ar", []),  # what all Arabic answers have beside their stems
        ('stems : "haus"', ["de", "de2", "mixed", "short"]),  # words, no operators
    ],
)
def test_all_forms_of_a_word_are_found(index: Index, words: str, ids: list[str]) -> None:
    assert found(index, words) == ids


def test_the_form_that_was_typed_comes_first_and_all_are_marked(index: Index) -> None:
    (hits,) = index.search_words(["häuser"], 20)
    assert hits[-1].answer.id == "de2"
    marked = {h.answer.id: [h.answer.text[start:end] for start, end in h.words] for h in hits}
    assert marked["de"] == ["Häuser"]
    assert marked["de2"] == ["Haus"]
    assert marked["short"] == ["Häusern"]
    assert marked["mixed"] == ["Häuser"]


def test_an_english_corpus_is_searched_as_without_stems(tmp_path: Path) -> None:
    english = [Answer("a", "the tests", language="en"), Answer("b", "testen", language="und")]
    with Index.create(tmp_path / "i", ToyEncoder()) as index:
        index.add(english)
        assert found(index, "testing") == ["a"]
        ((hit,),) = index.search_words(["test"], 9)
        assert [hit.answer.text[start:end] for start, end in hit.words] == ["tests"]


def test_another_language_and_another_text_have_other_stems(tmp_path: Path) -> None:
    with Index.create(tmp_path / "i", ToyEncoder()) as index:
        ingest(index, [replace(ANSWERS[0], language="en"), ANSWERS[1]])
        assert found(index, "haus") == ["de2"]
        ingest(index, [ANSWERS[0]], on_duplicate="keep-last")
        assert found(index, "haus") == ["de", "de2"]
        assert verify(index) == []
        ingest(index, [replace(ANSWERS[0], text="Bäume im Park")], on_duplicate="keep-last")
        assert (found(index, "haus"), found(index, "baum")) == (["de2"], ["de"])
        index.remove(["de2"])
        assert found(index, "haus") == []
        assert verify(index) == []


@pytest.mark.parametrize("number", [4, 5, 6])
def test_a_reader_of_an_older_format_searches_as_before_and_a_writer_adds_stems(
    tmp_path: Path, number: int
) -> None:
    folder = shutil.copytree(DATA / f"format-{number}", tmp_path / "i")
    with Index.open(folder, encoder=ToyEncoder()) as index:
        assert found(index, "callback") == ["a"]
    with Index.open(folder, write=True, encoder=ToyEncoder()) as index:
        index.add(ANSWERS[:2])
        assert found(index, "haus") == ["de", "de2"]
        assert verify(index) == []
