"""Records: the order in which findings are listed."""

from __future__ import annotations

from searchkit.plagiarism.records import Finding


def finding(expected: float | None, verbatim: float, score: float) -> Finding:
    return Finding("l", "r", "q", "near copy", score, 0.9, verbatim, expected, (), "")


def test_unjudged_findings_come_last_those_who_share_most_first() -> None:
    ordered = [
        finding(1e-9, 0.1, 0.1),
        finding(0.04, 0.9, 0.9),
        finding(0.04, 0.9, 0.8),
        finding(None, 1.0, 0.2),
        finding(None, 0.5, 0.9),
        finding(None, 0.5, 0.8),
    ]
    assert sorted(reversed(ordered), key=Finding.rank) == ordered
