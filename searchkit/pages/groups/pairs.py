"""Pairs of students, each with all findings that bring the two together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from searchkit.core.identity import author_key
from searchkit.core.records import Answer
from searchkit.plagiarism.records import Finding, Ring

Ids = tuple[str, str]  # of the left and the right answer of a finding
Keys = tuple[str, str]  # of two authors, in order


@dataclass(frozen=True, slots=True)
class Meeting:
    """A finding by which two students are together.

    Attributes:
        finding: The finding of the two; or where both are found with the same third answer, the
            weaker of the two findings with it.
        has_source: Whether it is by a third answer.
    """

    finding: Finding
    has_source: bool = False


@dataclass(frozen=True, slots=True)
class StudentPair:
    """Two students who are found together.

    Attributes:
        one: The key of the first author, in order.
        other: The key of the other author.
        meetings: How they are found together, the least expected first, then those of which chance
            can't be judged.
    """

    one: str
    other: str
    meetings: tuple[Meeting, ...]

    @property
    def expected(self) -> float | None:
        """`expected` of the strongest finding; None where chance can't be judged in any."""
        return self.meetings[0].finding.expected

    def count_below(self, bound: float | None) -> int:
        """Return the number of findings with an `expected` below a bound; None counts all."""
        for count, meeting in enumerate(self.meetings):
            expected = meeting.finding.expected
            if bound is not None and (expected is None or expected >= bound):
                return count
        return len(self.meetings)


def student_pairs(
    findings: Sequence[Finding], rings: Iterable[Ring], answers: Mapping[str, Answer]
) -> list[StudentPair]:
    """Return the pairs of students over all questions, the strongest first.

    Args:
        findings: Those that count.
        rings: Whose authors may be found together through a third answer alone.
        answers: The answers of all findings, by id.
    """
    together: dict[Keys, list[Meeting]] = defaultdict(list)
    for finding in findings:
        one, other = (answers[id_].author_key for id_ in (finding.left, finding.right))
        if one and other and one != other:
            together[min(one, other), max(one, other)].append(Meeting(finding))
    by_ids = {(finding.left, finding.right): finding for finding in findings}
    for ring in rings:
        for keys, meeting in _through_sources(ring, by_ids, answers):
            questions = {m.finding.question for m in together[keys]}
            if meeting.finding.question not in questions:
                together[keys].append(meeting)
    return _in_order(together)


def ring_pairs(
    ring: Ring, findings: Iterable[Finding], answers: Mapping[str, Answer]
) -> list[StudentPair]:
    """Return the pairs of students within a ring, the strongest first.

    Args:
        ring: The ring.
        findings: Those that count, of any authors.
        answers: The answers of all findings, by id.
    """
    ids = set(ring.findings)
    own = [finding for finding in findings if (finding.left, finding.right) in ids]
    keys = {author_key(author) for author in ring.authors}
    pairs = student_pairs(own, [ring], answers)
    return [pair for pair in pairs if pair.one in keys and pair.other in keys]


def spellings(rings: Iterable[Ring], answers: Iterable[Answer]) -> dict[str, str]:
    """Return the name of each author by its key: as in the rings, or else the first one."""
    names: dict[str, str] = {}
    for name in [author for ring in rings for author in ring.authors]:
        names.setdefault(author_key(name) or "", name)
    for answer in answers:
        if answer.author and answer.author_key:
            names.setdefault(answer.author_key, answer.author)
    return names


def _through_sources(
    ring: Ring, findings: Mapping[Ids, Finding], answers: Mapping[str, Answer]
) -> Iterator[tuple[Keys, Meeting]]:
    """Yield two authors of a ring who are both found with one of its sources, for each source."""
    keys = {author_key(author) for author in ring.authors}
    found_with: dict[str, list[tuple[str, Finding]]] = defaultdict(list)
    for ids in ring.findings:
        for source, id_ in (ids, ids[::-1]):
            key = answers[id_].author_key
            if source in ring.sources and key in keys and key and ids in findings:
                found_with[source].append((key, findings[ids]))
    for found in found_with.values():
        for (one, first), (other, second) in combinations(found, 2):
            if one != other:
                weaker = max(first, second, key=_rank)
                yield (min(one, other), max(one, other)), Meeting(weaker, has_source=True)


def _in_order(together: Mapping[Keys, Sequence[Meeting]]) -> list[StudentPair]:
    pairs = [
        StudentPair(*keys, tuple(sorted(meetings, key=lambda meeting: _rank(meeting.finding))))
        for keys, meetings in together.items()
    ]
    return sorted(
        pairs,
        key=lambda pair: (
            _rank(pair.meetings[0].finding)[:2],
            -len(pair.meetings),
            pair.one,
            pair.other,
        ),
    )


def _rank(finding: Finding) -> tuple[bool, float, str, str]:
    return (
        finding.expected is None,
        finding.expected or 0.0,
        finding.question or "",
        finding.left,
    )
