"""An answer's columns, and what its author is compared by."""

from __future__ import annotations

import pytest

from searchkit.core.identity import author_key, make_id
from searchkit.core.records import Answer


@pytest.mark.parametrize(
    "name", ["Ann Lee", "ann lee", "  Ann \t LEE ", "Ann\u00a0Lee", "\uff21nn Lee"]
)
def test_an_author_is_one_however_the_name_is_written(name: str) -> None:
    assert author_key(name) == "ann lee"
    assert Answer("a", "", "q", name).slot == ("q", "ann lee")


@pytest.mark.parametrize("name", [None, "", " \t"])
def test_a_blank_name_is_no_author(name: str | None) -> None:
    assert author_key(name) is None


def test_a_reference_is_one_in_any_spelling() -> None:
    assert Answer("a", "", author=" Reference").is_reference
    assert not Answer("a", "", author="referee").is_reference
    assert not Answer("a", "").is_reference


def test_written_columns_win_over_those_of_the_file() -> None:
    answer = Answer("a", "", meta={"Score": "3", "group": "x"}, written={"score": "4", "note": "n"})
    assert answer.columns == {"Score": "4", "group": "x", "note": "n"}
    assert Answer("a", "", meta={"Score": "3"}).columns == {"Score": "3"}


def test_a_made_id_follows_from_question_and_author() -> None:
    assert make_id("q1", "Ann", "x") == "q1/Ann"
    assert make_id(None, "Ann", "x") == "Ann"
    assert make_id("q1", None, "x") == "q1/2d711642"
    assert make_id(None, None, "x") == "2d711642b726"
    assert make_id(None, None, " x\n") == make_id(None, None, "x") != make_id(None, None, "y")
