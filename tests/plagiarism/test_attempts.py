"""Several answers of one author to a question: one counts, and a copy in another is found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from helpers.answers import honest
from helpers.encoder import ToyEncoder

from searchkit import Answer, Index, Where
from searchkit.plagiarism.compare import compare
from searchkit.plagiarism.find import find_plagiarism
from searchkit.plagiarism.records import PlagiarismResult


def made(path: Path, answers: Sequence[Answer]) -> Index:
    with Index.create(path, ToyEncoder(window=100)) as index:
        index.add(answers)
    return Index.open(path, encoder=ToyEncoder(window=100))


def with_drafts(answers: Sequence[Answer], drafts: dict[int, str]) -> list[Answer]:
    """Return the answers after drafts of some of them, with these texts."""
    rows = [replace(answers[n], id=f"draft-{n}", text=text) for n, text in drafts.items()]
    return [*rows, *answers]


def beginning(answers: Sequence[Answer], source: int, copy: int) -> str:
    """Return the text of an answer that begins as another does."""
    words = answers[source].text.split()[:40] + answers[copy].text.split()[40:]
    return " ".join(words)


def pairs(found: PlagiarismResult) -> list[tuple[str, str]]:
    return [(finding.left, finding.right) for finding in found.findings]


def test_a_copy_in_an_earlier_attempt_is_found_and_says_so(tmp_path: Path) -> None:
    answers = honest(30)
    rows = with_drafts(answers, {9: beginning(answers, 4, 9)})
    with made(tmp_path / "i", rows) as index:
        found = find_plagiarism(index)
        compared = compare(index, "draft-9", "q1-004").finding
    assert pairs(found) == [("draft-9", "q1-004")]
    assert "draft-9 is attempt 1 of 2 of its author" in found.findings[0].remarks
    assert (found.answers, found.drafts, found.pairs) == (30, 1, 435)
    assert compared.expected == found.findings[0].expected


def test_two_authors_have_one_finding_in_a_question(tmp_path: Path) -> None:
    answers = honest(30)
    answers[9] = replace(answers[9], text=beginning(answers, 4, 9))
    drafts = {9: answers[4].text, 4: answers[4].text + " indeed"}
    with made(tmp_path / "i", with_drafts(answers, drafts)) as index:
        found = find_plagiarism(index)
    assert pairs(found) == [("q1-004", "q1-009")]  # though the drafts are more alike
    assert found.findings[0].remarks == ()


def test_an_own_draft_is_no_finding_and_changes_no_other(tmp_path: Path) -> None:
    answers = honest(30)
    answers[9] = replace(answers[9], text=beginning(answers, 4, 9))
    drafts = {n: answers[n].text + " and so on" for n in range(10, 30)}
    with (
        made(tmp_path / "a", answers) as alone,
        made(tmp_path / "b", with_drafts(answers, drafts)) as among,
    ):
        (one,), (other,) = find_plagiarism(alone).findings, find_plagiarism(among).findings
    assert (other.left, other.right) == ("q1-004", "q1-009")
    assert other.expected == pytest.approx(one.expected, rel=0.02)


@pytest.mark.parametrize(
    ("attempts", "expected"),
    [
        (None, [("q1-004", "q1-009")]),
        ("latest", [("q1-004", "q1-009")]),
        ("first", [("draft-9", "q1-004")]),
        ("all", [("draft-9", "q1-004"), ("q1-004", "q1-009")]),
    ],
)
def test_which_attempt_counts_can_be_said(
    attempts: str | None, expected: list[tuple[str, str]], tmp_path: Path
) -> None:
    answers = honest(30)
    answers[9] = replace(answers[9], text=beginning(answers, 4, 9))
    rows = with_drafts(answers, {9: answers[9].text + " or thereabouts"})
    with made(tmp_path / "i", rows) as index:
        found = find_plagiarism(index, where=Where(attempts=attempts))
    assert sorted(pairs(found)) == expected


def test_authors_are_one_however_their_names_are_written(tmp_path: Path) -> None:
    answers = honest(30)
    answers[9] = replace(answers[9], text=beginning(answers, 4, 9), author="Ann Lee")
    answers[4] = replace(answers[4], author=" ann  LEE", question="q1")
    with made(tmp_path / "i", answers) as index:
        assert find_plagiarism(index, where=Where(attempts="all")).findings == []
        assert index.counts()["authors"] == 29
