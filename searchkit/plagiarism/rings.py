"""Rings: authors whose answers keep being found together, over several questions."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from searchkit.plagiarism.records import Finding, Ring


def find_rings(
    findings: Sequence[Finding], authors: Mapping[str, str | None], pairs: Mapping[str | None, int]
) -> list[Ring]:
    """Gather the authors who are found together in two questions or more.

    `expected` of a ring: of all pairs of authors, how many would by chance be found in so many of
    all questions. The probabilities of a pair's questions are multiplied, times the ways to choose
    these questions; that of the ring is its most surprising pair's.

    Args:
        findings: Of all questions.
        authors: Of each answer, by its id.
        pairs: How many pairs of answers each question has.

    Returns:
        Most surprising first; equal ones by the names.
    """
    together: dict[tuple[str, str], list[Finding]] = defaultdict(list)
    for finding in findings:
        one, other = authors.get(finding.left), authors.get(finding.right)
        if one and other:
            together[min(one, other), max(one, other)].append(finding)
    repeated = {
        both: found
        for both, found in together.items()
        if len({finding.question for finding in found}) > 1
    }
    everybody = len({name for name in authors.values() if name})
    couples = everybody * (everybody - 1) / 2
    rings = []
    for names in _connected(repeated):
        among = [found for both, found in repeated.items() if both[0] in names]
        inside = sorted(
            (finding for found in among for finding in found),
            key=lambda finding: (finding.question or "", finding.left, finding.right),
        )
        rings.append(
            Ring(
                authors=tuple(sorted(names)),
                questions=tuple(dict.fromkeys(finding.question or "" for finding in inside)),
                findings=tuple((finding.left, finding.right) for finding in inside),
                expected=float(f"{couples * min(_chance(found, pairs) for found in among):.3g}"),
            )
        )
    return sorted(rings, key=lambda ring: (ring.expected, ring.authors))


def _chance(found: Sequence[Finding], pairs: Mapping[str | None, int]) -> float:
    """Return the chance that one pair of authors is found in so many questions."""
    best: dict[str | None, float] = {}
    for finding in found:
        chance = min(1.0, finding.expected / max(1, pairs[finding.question]))
        best[finding.question] = min(chance, best.get(finding.question, 1.0))
    return math.comb(len(pairs), len(best)) * math.prod(best.values())


def _connected(couples: Iterable[tuple[str, str]]) -> list[set[str]]:
    rings: list[set[str]] = []
    for one, other in couples:
        touching = [ring for ring in rings if one in ring or other in ring]
        rings = [ring for ring in rings if ring not in touching]
        rings.append({one, other}.union(*touching))
    return rings
