"""Rings: who is found together again and again, and how unlikely that is."""

from __future__ import annotations

from dataclasses import replace

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


def with_source(question: str, one: str, source: str, expected: float | None = 1e-5) -> Finding:
    return replace(finding(question, one, "x", expected), right=source)


def test_authors_who_share_a_source_in_two_questions_are_a_ring() -> None:
    """Nobody else is found twice; two sources are by others, one by an author of last year."""
    authors = AUTHORS | {"last-year:7": "z", "last-year:8": None}
    found = [
        with_source(q, who, s) for q, s in (("q1", "q1-c"), ("q2", "last-year:7")) for who in "ab"
    ]
    (ring,) = find_rings(found, authors, PAIRS)
    assert ring.authors == ("a", "b") and ring.questions == ("q1", "q2")
    assert ring.sources == ("last-year:7", "q1-c")
    assert ring.findings == (
        ("q1-a", "q1-c"), ("q1-b", "q1-c"), ("q2-a", "last-year:7"), ("q2-b", "last-year:7")
    )  # fmt: skip
    answers, couples, ways = 6, 21, 6  # 15 pairs are of 6 answers; of seven authors, of 4 questions
    assert ring.expected == pytest.approx(couples * ways * (answers * 1e-5 / 15) ** 2, rel=0.01)
    assert ring.reason == (
        "a and b share passages in 2 questions, in 2 of them with last-year:7 and q1-c."
    )
    mixed = [finding("q1", "a", "b"), *(with_source("q2", who, "last-year:8") for who in "ab")]
    (ring,) = find_rings(mixed, authors, PAIRS)
    assert ring.authors == ("a", "b") and ring.sources == ("last-year:8",)


def test_a_source_by_one_of_a_ring_is_none_and_weak_ones_join_nobody() -> None:
    found = [finding(q, one, "c") for q in ("q1", "q2") for one in "ab"]
    (ring,) = find_rings(found, AUTHORS, PAIRS)
    assert ring.authors == ("a", "b", "c") and ring.sources == ()
    assert ring.reason == "a, b and c share passages in 2 questions."
    weak = [
        with_source(q, who, f"{q}-{s}", 0.08) for q, s in (("q1", "c"), ("q2", "d")) for who in "ab"
    ]
    assert find_rings(weak, AUTHORS, PAIRS) == []
    unjudged = [replace(one, expected=None) for one in weak]
    assert find_rings(unjudged, AUTHORS, PAIRS) == []


def test_an_answer_that_many_are_found_with_joins_nobody() -> None:
    authors = {f"{q}-{n}": f"author {n}" for q in ("q1", "q2") for n in range(102)}
    found = [finding(q, str(n), "x", 1e-9) for q in ("q1", "q2") for n in range(102)]
    found = [replace(one, right="source") for one in found]
    assert find_rings(found, authors, {"q1": 5151, "q2": 5151}) == []
    few = [one for one in found if int(one.left.split("-")[1]) < 50]
    (ring,) = find_rings(few, authors, {"q1": 5151, "q2": 5151})
    assert len(ring.authors) == 50
