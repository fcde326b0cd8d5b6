"""Rings: who is found together again and again, and how unlikely that is."""

from __future__ import annotations

import pytest

from searchkit.plagiarism.groups.rings import find_rings
from searchkit.plagiarism.records import Finding

AUTHORS = {f"{q}-{a}": a for q in ("q1", "q2", "q3", "q4") for a in "abcdef"}
PAIRS = {q: 15 for q in ("q1", "q2", "q3", "q4")}


def finding(question: str, one: str, other: str, expected: float | None = 0.03) -> Finding:
    return Finding(f"{question}-{one}", f"{question}-{other}", question, "near copy", 0.9, 0.9, 0.9,
                   expected, (), "")  # fmt: skip


def test_one_question_is_no_ring() -> None:
    assert find_rings([finding("q1", "a", "b")], AUTHORS, PAIRS) == []
    assert find_rings([], {}, {}) == []


def test_two_questions_are_and_their_chances_are_multiplied() -> None:
    found = [finding("q1", "a", "b"), finding("q3", "b", "a", 0.015)]
    (ring,) = find_rings(found, AUTHORS, PAIRS)
    assert ring.authors == ("a", "b")
    assert ring.questions == ("q1", "q3")
    assert ring.findings == (("q1-a", "q1-b"), ("q3-b", "q3-a"))
    couples, ways = 15, 6  # of six authors, of four questions
    assert ring.expected == pytest.approx(couples * ways * 0.03 / 15 * 0.015 / 15, rel=0.01)


def test_couples_that_meet_are_one_ring_and_a_chance_meeting_is_not() -> None:
    found = [finding(q, "a", "b") for q in ("q1", "q2")]
    found += [finding(q, "b", "c") for q in ("q2", "q3")]
    found += [finding("q4", "c", "f")]  # once only
    found += [finding(q, "d", "e", 1e-9) for q in ("q1", "q4")]
    rings = find_rings(found, AUTHORS, PAIRS)
    assert [ring.authors for ring in rings] == [("d", "e"), ("a", "b", "c")]


def test_answers_without_an_author_are_in_no_ring() -> None:
    found = [finding(q, "a", "b") for q in ("q1", "q2")]
    assert find_rings(found, dict.fromkeys(AUTHORS), PAIRS) == []


def test_questions_where_chance_cannot_be_judged_join_authors_but_do_not_count() -> None:
    found = [finding("q1", "a", "b"), finding("q2", "a", "b"), finding("q3", "a", "b", None)]
    found += [finding(q, "c", "d", None) for q in ("q1", "q2", "q3")]
    found += [finding(q, "e", "f", None) for q in ("q1", "q2", "q3", "q4")]
    judged, *unjudged = find_rings(found, AUTHORS, PAIRS)
    assert judged.questions == ("q1", "q2", "q3")
    assert judged.expected == find_rings(found[:2], AUTHORS, PAIRS)[0].expected
    assert [(ring.authors, ring.expected) for ring in unjudged] == [
        (("e", "f"), None),
        (("c", "d"), None),
    ]
