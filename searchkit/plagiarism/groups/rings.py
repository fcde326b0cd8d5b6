"""Rings: authors whose answers are findings together in several questions."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

from searchkit.core.identity import author_key
from searchkit.plagiarism.records import Finding, Ring

AuthorPair = tuple[str, str]  # in alphabetical order


def find_rings(
    findings: Sequence[Finding], authors: Mapping[str, str | None], pairs: Mapping[str | None, int]
) -> list[Ring]:
    """Find the authors who have findings together in two questions or more.

    `expected` of a pair of authors is the number of author pairs, times the number of ways to
    choose so many questions, times the product of the p-values of the pair's findings. That of a
    ring is the lowest of its pairs. Questions where chance can't be judged don't enter it.

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
    repeated = _repeated(findings, keys)
    author_count = len(spelling.keys() - {None})
    author_pairs = author_count * (author_count - 1) / 2
    rings = []
    for names in _connected(repeated):
        inside = [shared for author_pair, shared in repeated.items() if author_pair[0] in names]
        ordered = sorted(
            (finding for shared in inside for finding in shared),
            key=lambda finding: (finding.question or "", finding.left, finding.right),
        )
        p_values = [_p_value(judged, pairs) for shared in inside if (judged := _judged(shared))]
        rings.append(
            Ring(
                authors=tuple(sorted(spelling[name] for name in names)),
                questions=tuple(dict.fromkeys(finding.question or "" for finding in ordered)),
                findings=tuple((finding.left, finding.right) for finding in ordered),
                expected=float(f"{author_pairs * min(p_values):.3g}") if p_values else None,
            )
        )
    return sorted(rings, key=_rank)


def _rank(ring: Ring) -> tuple[bool, float, tuple[str, ...]]:
    if ring.expected is None:
        return True, -len(ring.questions), ring.authors
    return False, ring.expected, ring.authors


def _judged(findings: Sequence[Finding]) -> list[tuple[str | None, float]]:
    """Return the question and `expected` of each finding of which chance can be judged."""
    return [(f.question, f.expected) for f in findings if f.expected is not None]


def _repeated(
    findings: Sequence[Finding], authors: Mapping[str, str | None]
) -> dict[AuthorPair, list[Finding]]:
    """Return the findings of each pair of authors who have some in two questions or more."""
    together: dict[AuthorPair, list[Finding]] = defaultdict(list)
    for finding in findings:
        left, right = authors.get(finding.left), authors.get(finding.right)
        if left and right:
            together[min(left, right), max(left, right)].append(finding)
    return {
        author_pair: shared
        for author_pair, shared in together.items()
        if len({finding.question for finding in shared}) > 1
    }


def _p_value(judged: Sequence[tuple[str | None, float]], pairs: Mapping[str | None, int]) -> float:
    """Return the probability that two given authors have findings in so many questions.

    Args:
        judged: The question and `expected` of each of their findings.
        pairs: The number of pairs of answers in each question.
    """
    lowest: dict[str | None, float] = {}
    for question, expected in judged:
        p_value = min(1.0, expected / max(1, pairs[question]))
        lowest[question] = min(p_value, lowest.get(question, 1.0))
    return math.comb(len(pairs), len(lowest)) * math.prod(lowest.values())


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
