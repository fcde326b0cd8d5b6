"""Pairs of students: all their findings, the strongest first, and those through a source."""

from __future__ import annotations

from helpers.students import course, met

from searchkit import Answer
from searchkit.pages.groups.pairs import ring_pairs, spellings, student_pairs
from searchkit.plagiarism.records import Ring


def test_all_findings_of_two_students_are_one_pair_whoever_is_left() -> None:
    findings, answers = course(
        met("q1", "ann", "bob", 1e-2), met("q2", "BOB ", "Ann", 1e-6), met("q3", "cy", "ann", None)
    )
    strong, unjudged = student_pairs(findings, [], answers)
    assert (strong.one, strong.other) == ("ann", "bob") and len(strong.meetings) == 2
    assert strong.expected == 1e-6 and strong.meetings[0].finding.question == "q2"
    assert [strong.count_below(bound) for bound in (None, 1e-2, 1e-3, 1e-6)] == [2, 1, 1, 0]
    assert unjudged.expected is None
    assert [unjudged.count_below(bound) for bound in (None, 1.0)] == [1, 0]


def test_answers_without_an_author_and_of_the_same_one_are_no_pair() -> None:
    findings, answers = course(met("q1", "", "bob"), met("q2", "bob", "Bob"))
    assert student_pairs(findings, [], answers) == []


def test_students_who_share_a_source_alone_are_a_pair_by_the_weaker_finding() -> None:
    findings, answers = course(
        met("q1", "a", "b", 1e-5), met("q2", "a", "c", 1e-7), met("q2", "b", "c", 1e-3)
    )
    answers["q2-c"] = Answer("q2-c", "", "q2", None)
    ids = tuple((finding.left, finding.right) for finding in findings)
    ring = Ring(("a", "b"), ("q1", "q2"), ids, 1e-5, "", ("q2-c",))
    (pair,) = ring_pairs(ring, findings, answers)
    assert [(m.finding.question, m.has_source) for m in pair.meetings] == [
        ("q1", False), ("q2", True),
    ]  # fmt: skip
    assert pair.meetings[1].finding.expected == 1e-3
    assert student_pairs(findings, [ring], answers) == [pair]
    assert len(student_pairs(findings, [], answers)[0].meetings) == 1


def test_names_are_spelled_as_in_the_groups() -> None:
    ring = Ring(("Ann",), ("q",), (), None)
    answers = [
        Answer("1", "", "q", "ANN"),
        Answer("2", "", "q", "bob"),
        Answer("3", "", "q", "BOB"),
    ]
    assert spellings([ring], answers) == {"ann": "Ann", "bob": "bob"}
