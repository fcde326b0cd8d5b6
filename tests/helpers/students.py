"""Findings of students who are found together, without their texts."""

from __future__ import annotations

import random

from searchkit import Answer
from searchkit.plagiarism.records import Finding


def met(
    question: str, left: str, right: str, expected: float | None = 1e-3
) -> tuple[Finding, dict[str, Answer]]:
    """Return a finding of two students, and their answers by id."""
    ids = f"{question}-{left}", f"{question}-{right}"
    found = Finding(*ids, question, "near copy", 0.9, 0.9, 0.8, expected, (), "the same")
    answers = {
        id_: Answer(id_, "", question, who) for id_, who in zip(ids, (left, right), strict=True)
    }
    return found, answers


def course(*meetings: tuple[Finding, dict[str, Answer]]) -> tuple[list[Finding], dict[str, Answer]]:
    """Return all findings, and all answers by id."""
    answers: dict[str, Answer] = {}
    for _, own in meetings:
        answers |= own
    return [finding for finding, _ in meetings], answers


def large_course(students: int, findings: int) -> tuple[list[Finding], dict[str, Answer]]:
    """Return findings among students of whom some work together often."""
    draw = random.Random(1)
    meetings = {}
    while len(meetings) < findings:
        one = draw.randrange(students)
        near = one // 12 * 12 + draw.randrange(12)
        other = near if draw.random() < 0.9 else draw.randrange(students)
        if one != other and other < students:
            pair = f"s{min(one, other):03}", f"s{max(one, other):03}"
            expected = 10 ** -draw.uniform(1.3, 7)
            meetings[f"q{draw.randrange(9)}", *pair] = expected
    return course(*(met(*key, expected) for key, expected in meetings.items()))
