"""Scripts without spaces: cut into characters, and searched for by phrases."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from searchkit.text.unspaced import BOUNDARY, cut_unspaced, search_terms, without_boundaries


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("event loop", ["event loop"]),
        ("café", ["café"]),
        ("事件循环", ["事", "件", "循", "环"]),
        ("Node用事件", ["Node", "用", "事", "件"]),
        ("フロー", ["フ", "ロ", "ー"]),
        ("が", ["が"]),  # か and a sign
        ("กันน้ำ", ["กั", "น", "น้", "ำ"]),
        ("콜백", ["콜", "백"]),
        ("हिन्दी", ["हिन्दी"]),
    ],
)
def test_each_character_with_its_signs_is_cut_off(text: str, pieces: list[str]) -> None:
    assert [piece for piece in cut_unspaced(text).split(BOUNDARY) if piece] == pieces


@pytest.mark.parametrize(
    ("word", "terms"),
    [
        ("loop", ["loop"]),
        ("事", ["事"]),
        ("事件", ["事件"]),
        ("事件循环", ["事件", "件循", "循环"]),
        ("Node用事件loop", ["Node", "用事", "事件", "loop"]),
        ("กันน้ำ", ["กันน้", "นน้ำ"]),
        ("ก", ["ก"]),
        ("", []),
    ],
)
def test_a_run_is_searched_for_by_its_phrases(word: str, terms: list[str]) -> None:
    assert [term for term in search_terms(word) if term] == terms


@given(st.text(st.characters(exclude_characters=BOUNDARY)))
def test_cutting_changes_no_character(text: str) -> None:
    assert without_boundaries(cut_unspaced(text)) == text


@given(st.text("ab事件กั่ が 백"))
def test_terms_have_every_character_of_a_word(word: str) -> None:
    assert set("".join(search_terms(word))) == set(word)
