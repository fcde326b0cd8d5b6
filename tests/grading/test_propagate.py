"""The mark of one answer for all that say the same: shown, never written unasked."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.courses import course_index

from searchkit import Answer, propagate
from searchkit.core.errors import BadInput

LOOP = "The event loop runs the callbacks of finished operations one after the other"


def answers() -> list[Answer]:
    rows = [("l0", "then", "7"), ("l1", "now", ""), ("l2", "so", ""), ("l3", "it", "2"),
            ("l4", "as", "7.2")]  # fmt: skip
    found = [Answer(i, f"{LOOP} {word}", "q1", i, meta={"score": m}) for i, word, m in rows]
    found += [
        Answer("ref", LOOP, "q1", "reference"),
        Answer("odd", "PHP forever", "q1", "odd", meta={"score": ""}),
        Answer("blank", " ", "q1", "blank"),
        Answer("other", LOOP, "q2", "other", meta={"score": "10"}),
        Answer("zero", "nothing at all", "q2", "zero", meta={"score": "0"}),
    ]
    return found


def test_who_would_get_it_who_has_it_and_who_has_another(tmp_path: Path) -> None:
    with course_index(tmp_path, answers()) as index:
        (propagation,) = propagate(index, "score", {"l0": None}, threshold=0.7)
        assert (propagation.id, propagation.question, propagation.mark) == ("l0", "q1", 7.0)
        assert sorted(propagation.recipients) == [
            "l1",
            "l2",
        ]  # not the reference, nor another question's
        assert propagation.agreeing == ("l4",)
        assert propagation.differing == (("l3", 2.0),)
        assert {a.id: a.meta for a in index.answers()} == {a.id: a.meta for a in answers()}


def test_a_mark_that_is_said_counts_and_order_is_kept(tmp_path: Path) -> None:
    with course_index(tmp_path, answers()) as index:
        odd, loop = propagate(index, "score", {"odd": "1", "l1": "5,5"}, threshold=0.7)
        assert (odd.id, odd.mark, odd.recipients) == ("odd", 1.0, ())
        assert (loop.id, loop.mark, loop.recipients) == ("l1", 5.5, ("l2",))
        assert dict(loop.differing) == {"l0": 7.0, "l3": 2.0, "l4": 7.2}


def test_a_column_may_be_empty_as_yet(tmp_path: Path) -> None:
    with course_index(tmp_path, answers()) as index:
        (propagation,) = propagate(index, "new", {"l0": "good"}, threshold=0.7)
        assert propagation.mark == "good" and sorted(propagation.recipients) == [
            "l1",
            "l2",
            "l3",
            "l4",
        ]


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"l1": None}, "l1 has no mark in score; say l1=MARK"),
        ({"ref": None}, "ref has no mark in score"),
        ({"l0": None, "l1": "3"}, "l0 and l1 are in one cluster; name one of them"),
        ({"blank": "3"}, "blank is blank, and says the same as no other"),
        ({"nobody": "3"}, "no answer 'nobody'"),
        ({"l1": "good"}, "'good' is no number, and the marks in score are"),
    ],
)
def test_bad_input(said, message: str, tmp_path: Path) -> None:
    with course_index(tmp_path, answers()) as index, pytest.raises(BadInput, match=message):
        propagate(index, "score", said, threshold=0.7)
