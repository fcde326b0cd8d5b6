"""What sets apart answers that are otherwise alike: a negation, a number, a unit, a formula.

Embeddings hardly see these: "is connected" and "is not connected" are nearest neighbours. Claims
are compared where the clauses around them are alike, and set two answers apart only where neither
makes the other's claim elsewhere. The words are English; numbers, units and formulas aren't.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from searchkit.core.arrays import Int64
from searchkit.grading.groups.claims import Claim, read_claims
from searchkit.grading.groups.quantities import Quantity

if TYPE_CHECKING:
    from scipy.sparse import csr_array

DifferenceKind = Literal["negation", "number", "unit", "formula"]
MIN_SHARED_WORDS = 0.6  # Jaccard similarity of the contexts of two claims about the same thing
MAX_DIFFERENCES = 5  # of one group; those of most answers
BLOCK_ROWS = 512  # claims that are compared with all others at once


@dataclass(frozen=True, slots=True)
class Difference:
    """What sets some answers of a group apart from others that are otherwise alike.

    Attributes:
        kind: `negation`, `number`, `unit` or `formula`.
        versions: What is said, as it stands in one of the answers, and the rows of the answers that
            say it; the most frequent first.
    """

    kind: DifferenceKind
    versions: tuple[tuple[str, tuple[int, ...]], ...]


def find_differences(texts: Sequence[str]) -> list[Difference]:
    """Return what sets apart the answers of one group.

    Args:
        texts: The answers of the group; a row is a position among them.

    Returns:
        At most `MAX_DIFFERENCES`, those between most answers first.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    differences: list[Difference] = []
    for claims, left, right in _opposed_claims(texts):
        count = len(claims)
        linked = coo_array((np.ones(len(left), bool), (left, right)), (count, count))
        _, labels = connected_components(linked, directed=False)
        involved = np.unique(np.concatenate([left, right]))
        for label in np.unique(labels[involved]).tolist():
            members = [claims[n] for n in involved[labels[involved] == label].tolist()]
            differences.append(_difference(members))
    differences.sort(key=_by_size)
    return _of_different_rows(differences)[:MAX_DIFFERENCES]


def _by_size(difference: Difference) -> tuple[object, ...]:
    """Return a key that sorts differences between most answers first."""
    versions = difference.versions
    return -len(versions[1][1]), -len(versions[0][1]), -len(versions), versions


def opposed_rows(texts: Sequence[str]) -> tuple[Int64, Int64]:
    """Return the pairs of answers, otherwise alike, that a claim sets apart, as two row arrays."""
    lefts, rights = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for claims, left, right in _opposed_claims(texts):
        rows = np.array([claim.row for claim in claims], np.int64)
        lefts.append(rows[left])
        rights.append(rows[right])
    return np.concatenate(lefts), np.concatenate(rights)


def _opposed_claims(texts: Sequence[str]) -> Iterator[tuple[list[Claim], Int64, Int64]]:
    """Yield claims on one topic, and the pairs of them that set two answers apart."""
    topics: dict[tuple[str, str], list[Claim]] = defaultdict(list)
    for row, text in enumerate(texts):
        for claim in read_claims(row, text):
            topics[claim.kind, claim.topic].append(claim)
    for (kind, _), claims in topics.items():
        if len({claim.values for claim in claims}) < 2:
            continue
        if kind == "negation":
            claims = _consistent(claims)
        left, right = _opposed_pairs(claims)
        if len(left):
            yield claims, left, right


def _consistent(claims: list[Claim]) -> list[Claim]:
    """Return the claims without those of answers that say both a thing and its negation."""
    said: dict[int, set[object]] = defaultdict(set)
    for claim in claims:
        said[claim.row].add(claim.values)
    return [claim for claim in claims if len(said[claim.row]) == 1]


def _opposed_pairs(claims: Sequence[Claim]) -> tuple[Int64, Int64]:
    """Return the pairs of claims in like contexts whose answers don't make both of them."""
    context, _ = _incidences([(claim.context, claim.context) for claim in claims])
    values, compatible = _incidences([_values(claim) for claim in claims])
    rows = np.unique([claim.row for claim in claims], return_inverse=True)[1]
    said = _by_row(compatible, rows)
    words = context.sum(axis=1)  # (c,)
    sizes = values.sum(axis=1)
    lefts, rights = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for begin in range(0, len(claims), BLOCK_ROWS):
        block = slice(begin, begin + BLOCK_ROWS)
        shared = (context[block] @ context.T).toarray()
        joint = words[block, None] + words[None] - shared
        alike = shared >= MIN_SHARED_WORDS * joint  # also two without any other words
        alike &= np.arange(len(claims)) > np.arange(len(claims))[block, None]
        alike &= (values[block] @ said[rows].T).toarray() < sizes[block, None]
        alike &= (said[rows[block]] @ values.T).toarray() < sizes[None]
        alike &= (sizes[block, None] == sizes[None]) & (rows[block, None] != rows[None])
        left, right = np.nonzero(alike)
        lefts.append(left + begin)
        rights.append(right)
    return np.concatenate(lefts), np.concatenate(rights)


def _values(claim: Claim) -> tuple[Set[Any], Set[Any]]:
    """Return what is claimed, and with it what may be meant by it."""
    bare = {value.without_unit() for value in claim.values if isinstance(value, Quantity)}
    return claim.values, claim.values | bare


def _incidences(sets: Sequence[tuple[Set[Any], Set[Any]]]) -> tuple[csr_array, csr_array]:
    """Return two `(c, v)` sparse float32: which value is in which first and second set."""
    from scipy.sparse import csr_array

    numbers: dict[Any, int] = {}
    columns = [
        [[numbers.setdefault(value, len(numbers)) for value in pair[side]] for pair in sets]
        for side in (0, 1)
    ]
    shape = (len(sets), max(1, len(numbers)))
    matrices = []
    for rows in columns:
        begins = np.concatenate([[0], np.cumsum([len(row) for row in rows])])
        flat = np.array([number for row in rows for number in row], np.int64)
        matrices.append(csr_array((np.ones(len(flat), np.float32), flat, begins), shape))
    return matrices[0], matrices[1]


def _by_row(values: csr_array, rows: Int64) -> csr_array:
    """Return `(r, v)` sparse float32: which value is in any claim of an answer."""
    from scipy.sparse import csr_array

    count = int(rows.max(initial=-1)) + 1
    ones = np.ones(len(rows), np.float32)
    said = csr_array((ones, (rows, np.arange(len(rows)))), (count, len(rows))) @ values
    said.data[:] = 1
    return said


def _difference(claims: Sequence[Claim]) -> Difference:
    """Return the difference that some claims in like contexts make."""
    rows: dict[frozenset[Any], set[int]] = defaultdict(set)
    quotes: dict[frozenset[Any], str] = {}
    common = frozenset.intersection(*(claim.values for claim in claims))
    for claim in claims:
        rows[claim.values].add(claim.row)
        own = [quote for value, quote in claim.quotes.items() if value not in common]
        quotes.setdefault(claim.values, own[0])
    versions = [(quotes[values], tuple(sorted(rows[values]))) for values in rows]
    versions.sort(key=lambda version: (-len(version[1]), version[1]))
    return Difference(_kind(claims), tuple(versions))


def _kind(claims: Sequence[Claim]) -> DifferenceKind:
    """Return what differs; of quantities the unit, if all versions are written with one number."""
    kind = claims[0].kind
    if kind != "quantity":
        return kind
    written: dict[frozenset[Any], set[Any]] = defaultdict(set)
    for claim in claims:
        numbers = (value.written for value in claim.quotes if isinstance(value, Quantity))
        written[claim.values].add(frozenset(numbers))
    return "unit" if set.intersection(*written.values()) else "number"


def _of_different_rows(differences: Sequence[Difference]) -> list[Difference]:
    """Return the differences without those that only set apart what an earlier one does."""
    kept: list[Difference] = []
    for difference in differences:
        if not any(_is_within(difference, earlier) for earlier in kept):
            kept.append(difference)
    return kept


def _is_within(difference: Difference, other: Difference) -> bool:
    """Whether the rows of each version are in a version of their own of the other difference."""
    places = [
        next((n for n, (_, rows) in enumerate(other.versions) if set(rows) >= set(own)), None)
        for _, own in difference.versions
    ]
    return None not in places and len(set(places)) == len(places)
