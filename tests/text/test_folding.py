"""Folding: texts that look the same are equal, and every character has its original offset."""

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


def test_hidden_characters_are_removed_and_recorded() -> None:
    folded = fold("ev\u200bent lo\u2060op")
    assert folded.text == "event loop"
    assert folded.hidden == [2, 9]


def test_look_alikes_inside_latin_words_are_recorded() -> None:
    folded = fold("the event lооp")  # two Cyrillic о
    assert folded.text == "the event loop"
    assert folded.hidden == [11, 12]
    assert fold("цикл событий").hidden == []  # a Russian text hides nothing
    assert fold("soft\u00adhyphen").hidden == []
    assert fold("👩\u200d💻 codes").hidden == []  # nor does a joined emoji


@given(st.text())
def test_every_character_comes_from_its_offset(text: str) -> None:
    folded = fold(text)
    offsets = [folded.original_offset(n) for n in range(len(folded.text) + 1)]
    assert offsets == sorted(offsets)
    assert offsets[-1] == len(text)
    for n, character in enumerate(folded.text):
        assert character in fold(text[offsets[n]]).text
