"""Rings: authors who are found together in several questions, or with one source."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from searchkit.core.identity import author_key
from searchkit.core.messages import counted
from searchkit.plagiarism.records import MAX_EXPECTED, Finding, Ring

AuthorPair = tuple[str, str]  # in alphabetical order
Pairs = Mapping[str | None, int]  # the number of pairs of answers in each question
# An answer that more are found with joins nobody: it says little about who works together.
MAX_SOURCE_FINDINGS = 100


@dataclass(frozen=True, slots=True)
class _Meeting:
    """Two authors who are found together in a question.

    Attributes:
        question: The question.
        findings: Their finding; or the finding of each with the same third answer.
        p_value: The probability of that, for two given authors; None if it can't be judged.
        source: The id of the third answer; None if they are found with each other.
    """

    question: str | None
    findings: tuple[Finding, ...]
    p_value: float | None
    source: str | None = None


def find_rings(
    findings: Sequence[Finding], authors: Mapping[str, str | None], pairs: Pairs
) -> list[Ring]:
    """Find the authors who are found together in two questions or more.

    They are together in a question if they have a finding, or if both have one with the same third
    answer, a shared source.

    `expected` of a pair of authors is the number of author pairs, times the number of ways to
    choose so many questions, times the product of the p-values in these questions. That of a ring
    is the lowest of its pairs. Questions where chance can't be judged don't enter it. Two authors
    who are together through sources alone need an `expected` of `MAX_EXPECTED` or less.

    Args:
        findings: Of all questions.
        authors: The author of each answer, by the answer's id.
        pairs: The number of pairs of answers in each question.

    Returns:
        Most significant first, then those of which chance can't be judged, with the most questions
        first; equal ones by the names.
    """
    keys = {id_: author_key(name) for id_, name in authors.items()}
    spelling = {key: authors[id_] or "" for id_, key in reversed(keys.items())}  # the first counts
    author_count = len(spelling.keys() - {None})
    author_pairs = author_count * (author_count - 1) / 2
    repeated, expected = {}, {}
    for pair, meetings in _meetings(findings, keys, pairs).items():
        if len({meeting.question for meeting in meetings}) > 1:
            p_value = _p_value(meetings, len(pairs))
            number = None if p_value is None else author_pairs * p_value
            direct = len({m.question for m in meetings if m.source is None}) > 1
            if direct or (number is not None and number <= MAX_EXPECTED):
                repeated[pair], expected[pair] = meetings, number
    rings = []
    for names in _connected(repeated):
        inside = [pair for pair in repeated if pair[0] in names]
        numbers = [number for pair in inside if (number := expected[pair]) is not None]
        rings.append(
            _ring(
                sorted(spelling[name] for name in names),
                [meeting for pair in inside for meeting in repeated[pair]],
                float(f"{min(numbers):.3g}") if numbers else None,
                {id_ for id_, key in keys.items() if key in names},
            )
        )
    return sorted(rings, key=_rank)


def _ring(
    authors: Sequence[str], meetings: Sequence[_Meeting], expected: float | None, own: set[str]
) -> Ring:
    """Return a ring and its reason; `own` are the ids of its authors' answers."""
    findings = {(f.question or "", f.left, f.right) for m in meetings for f in m.findings}
    questions = sorted({question for question, _, _ in findings})
    sources = {m.source: m.question for m in meetings if m.source and m.source not in own}
    reason = f"{_enumerated(authors)} share passages in {counted(len(questions), 'question')}"
    if sources:
        count = len(set(sources.values()))
        reason += f", in {count:,} of them with {_enumerated(sorted(sources))}"
    return Ring(
        authors=tuple(authors),
        questions=tuple(questions),
        findings=tuple((left, right) for _, left, right in sorted(findings)),
        expected=expected,
        reason=f"{reason}.",
        sources=tuple(sorted(sources)),
    )


def _enumerated(names: Sequence[str]) -> str:
    """Return names with commas, and with `and` before the last."""
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last


def _rank(ring: Ring) -> tuple[bool, float, tuple[str, ...]]:
    if ring.expected is None:
        return True, -len(ring.questions), ring.authors
    return False, ring.expected, ring.authors


def _meetings(
    findings: Sequence[Finding], authors: Mapping[str, str | None], pairs: Pairs
) -> dict[AuthorPair, list[_Meeting]]:
    """Return in which questions each pair of authors is found together, and how."""
    together: dict[AuthorPair, list[_Meeting]] = defaultdict(list)
    with_answer: dict[str, list[tuple[str, Finding]]] = defaultdict(list)
    for finding in findings:
        left, right = authors.get(finding.left), authors.get(finding.right)
        if left and right:
            meeting = _Meeting(finding.question, (finding,), _chance(finding, pairs))
            together[min(left, right), max(left, right)].append(meeting)
        for author, source in ((left, finding.right), (right, finding.left)):
            if author:
                with_answer[source].append((author, finding))
    for pair, meeting in _through_sources(with_answer, pairs):
        if not any(m.question == meeting.question for m in together[pair] if m.source is None):
            together[pair].append(meeting)
    return together


def _through_sources(
    with_answer: Mapping[str, Sequence[tuple[str, Finding]]], pairs: Pairs
) -> Iterator[tuple[AuthorPair, _Meeting]]:
    """Yield the pairs of authors who both have a finding with the same answer.

    Some third answer is found with both by chance no more often than with the one who is less
    significantly found with it, for each answer that it may be.

    Args:
        with_answer: The authors who have a finding with each answer, and their findings.
        pairs: The number of pairs of answers in each question.
    """
    for source, found in with_answer.items():
        if len(found) > MAX_SOURCE_FINDINGS:
            continue
        for (one, first), (other, second) in combinations(found, 2):
            chances = _chance(first, pairs), _chance(second, pairs)
            if one != other:
                answers = (1 + math.sqrt(1 + 8 * pairs[first.question])) / 2
                weaker = None if None in chances else max(c for c in chances if c is not None)
                p_value = None if weaker is None else min(1.0, answers * weaker)
                meeting = _Meeting(first.question, (first, second), p_value, source)
                yield (min(one, other), max(one, other)), meeting


def _chance(finding: Finding, pairs: Pairs) -> float | None:
    """Return the p-value of a finding; None if chance can't be judged."""
    if finding.expected is None:
        return None
    return min(1.0, finding.expected / max(1, pairs[finding.question]))


def _p_value(meetings: Sequence[_Meeting], questions: int) -> float | None:
    """Return the probability that two given authors are together in so many of the questions."""
    lowest: dict[str | None, float] = {}
    for meeting in meetings:
        if meeting.p_value is not None:
            known = lowest.get(meeting.question, 1.0)
            lowest[meeting.question] = min(meeting.p_value, known)
    if not lowest:
        return None
    return math.comb(questions, len(lowest)) * math.prod(lowest.values())


def _connected(author_pairs: Collection[AuthorPair]) -> list[set[str]]:
    """Return the connected components of the graph whose edges are these pairs."""
    if not author_pairs:
        return []
    from scipy import sparse
    from scipy.sparse.csgraph import connected_components

    names = sorted({name for author_pair in author_pairs for name in author_pair})
    number = {name: n for n, name in enumerate(names)}
    left, right = zip(*((number[a], number[b]) for a, b in author_pairs), strict=True)
    graph = sparse.coo_matrix(([1] * len(left), (left, right)), (len(names), len(names)))
    count, labels = connected_components(graph, directed=False)
    return [
        {name for name, label in zip(names, labels, strict=True) if label == component}
        for component in range(count)
    ]
