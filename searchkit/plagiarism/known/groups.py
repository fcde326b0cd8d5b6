"""Groups: students at one source, and pairs that a source explains."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

from searchkit.core.messages import counted
from searchkit.plagiarism.evidence.collect import MIN_EXPLAINED
from searchkit.plagiarism.records import Finding, SourceFinding, SourceGroup

Spans = Iterable[tuple[int, int]]


def group_by_source(findings: Sequence[SourceFinding]) -> list[SourceGroup]:
    """Return the sources with findings of two authors or more, the strongest first.

    Args:
        findings: In order of rank. Answers without an author count as by different ones.
    """
    of_source: dict[str, list[SourceFinding]] = defaultdict(list)
    for finding in findings:
        of_source[finding.source].append(finding)
    groups = []
    for source, found in of_source.items():
        authors = {finding.author or (finding.answer,) for finding in found}
        questions = tuple(sorted({f.question for f in found if f.question is not None}))
        if len(authors) > 1:
            where = f" in {counted(len(questions), 'question')}" if len(questions) > 1 else ""
            group = SourceGroup(
                source=source,
                answers=tuple(finding.answer for finding in found),
                authors=tuple(finding.author for finding in found),
                questions=questions,
                expected=found[0].expected,
                reason=f"{counted(len(authors), 'author')} share with {source}{where}.",
            )
            groups.append(group)
    return groups


def with_known_sources(
    findings: Sequence[Finding], from_sources: Sequence[SourceFinding]
) -> list[Finding]:
    """Return findings with the verdict `shared source`, or a remark, where both took from one.

    The verdict is on answers most of whose shared passages stand in the source; identical ones
    keep theirs.
    """
    known: dict[str, dict[str, SourceFinding]] = defaultdict(dict)
    for finding in from_sources:
        known[finding.answer][finding.source] = finding
    return [
        _with_source(finding, known[finding.left], known[finding.right]) for finding in findings
    ]


def _with_source(
    finding: Finding, left: dict[str, SourceFinding], right: dict[str, SourceFinding]
) -> Finding:
    """Return a finding that names the known sources that both sides took from.

    Args:
        finding: Of two answers.
        left: What was found of the left one, by source.
        right: What was found of the right one, by source.
    """
    for source in sorted(left.keys() & right.keys()):
        sides = [
            _covered([p.left for p in finding.passages], left[source]),
            _covered([p.right for p in finding.passages], right[source]),
        ]
        if finding.verdict != "identical" and min(sides) >= MIN_EXPLAINED:
            reason = f"What both share stands in the known source {source}."
            finding = replace(finding, verdict="shared source", reason=reason)
        else:
            remark = f"both share passages with the known source {source}"
            finding = replace(finding, remarks=(*finding.remarks, remark))
    return finding


def _covered(spans: Spans, found: SourceFinding) -> float:
    """Return the share of the characters of an answer's passages that a source has, too."""
    own = {n for start, end in spans for n in range(start, end)}
    in_source = {n for passage in found.passages for n in range(*passage.left)}
    return len(own & in_source) / len(own) if own else 0.0
