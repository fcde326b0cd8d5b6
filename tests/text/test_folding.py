"""Folding: what a reader takes for the same is the same, and every character knows its place."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from searchkit.text.folding import fold


def test_case_accents_and_forms_make_no_difference() -> None:
    for one, other in [
        ("Event LOOP", "event loop"),
        ("café", unicodedata.normalize("NFD", "CAFÉ")),
        ("ﬁle", "file"),
        ("Ｎｏｄｅ", "node"),
        ("it’s – “so”", 'it\'s - "so"'),
    ]:
        assert fold(one).text == fold(other).text


def test_hidden_characters_vanish_and_are_told() -> None:
    folded = fold("ev\u200bent lo\u2060op")
    assert folded.text == "event loop"
    assert folded.hidden == [2, 9]


def test_look_alikes_inside_latin_words_are_told() -> None:
    folded = fold("the event lооp")  # two Cyrillic о
    assert folded.text == "the event loop"
    assert folded.hidden == [11, 12]
    assert fold("цикл событий").hidden == []  # Russian is Russian
    assert fold("soft\u00adhyphen").hidden == []
    assert fold("👩\u200d💻 codes").hidden == []  # a joined emoji hides nothing


@given(st.text())
def test_every_character_comes_from_its_offset(text: str) -> None:
    folded = fold(text)
    places = [folded.original_offset(n) for n in range(len(folded.text) + 1)]
    assert places == sorted(places)
    assert places[-1] == len(text)
    for n, character in enumerate(folded.text):
        assert character in fold(text[places[n]]).text
