"""Likeness: how much two programs share that the others of the class don't have."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from searchkit.core.arrays import Float64, Int64
from searchkit.plagiarism.code.features import Feature, Features

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

UNSEEN = 0.5  # programs of others with a feature that none of them has: a pseudo-count
UNSEEN_ELSE = 0.5  # the same, of those that chose otherwise
BLOCK_ROWS = 500  # programs that are compared with all others at a time


@dataclass(frozen=True, slots=True)
class Channel:
    """Which programs have which features of one kind.

    Attributes:
        features: `(f,)` the features.
        matrix: `(n, f)` sparse, 1 where a program has a feature.
        rarity: `(f,)` the information of a feature that two authors have, in nats: -log of the
            probability that another one has it, by the authors but for these two.
        own: `(f,)` the same of a feature that one of two authors has.
    """

    features: list[Feature]
    matrix: csr_matrix
    rarity: Float64
    own: Float64

    @classmethod
    def of(cls, programs: Sequence[Features], authors: Int64, left_out: Features) -> Channel:
        """Count the authors that have each feature.

        Args:
            programs: The features of each program.
            authors: `(n,)` the number of its author.
            left_out: Features that say nothing.
        """
        from scipy import sparse

        number_of: dict[Feature, int] = {}
        place_of: dict[Feature, int] = {}
        places: list[int] = []  # of each feature, where the choice was made
        rows, columns = [], []
        for row, features in enumerate(programs):
            for feature in sorted(features - left_out, key=repr):
                if feature not in number_of:
                    number_of[feature] = len(number_of)
                    places.append(place_of.setdefault(feature[:-1], len(place_of)))
                rows.append(row)
                columns.append(number_of[feature])
        shape = (len(programs), len(number_of))
        matrix = sparse.csr_matrix((np.ones(len(rows)), (rows, columns)), shape)
        place = np.array(places, np.int64)
        row_of = authors[np.array(rows, np.int64)]
        column = np.array(columns, np.int64)
        frequency = _distinct(row_of, column, shape[1])
        at_place = _distinct(row_of, place[column], len(place_of))[place]
        return cls(
            list(number_of),
            matrix,
            _information(frequency - 2, at_place - 2),
            _information(frequency - 1, at_place - 1),
        )

    def likeness(self) -> Iterator[tuple[Int64, Int64, Float64]]:
        """Yield the likeness of all pairs, a block of rows at a time.

        It is the information s of what both have, divided by the square root of 1 + s + d, where d
        is the mean information of what one has and the other doesn't: half-way between an amount
        and a share.

        Yields:
            `(p,)` programs; `(p,)` programs with higher numbers; `(p,)` in the square root of nats.
        """
        count = self.matrix.shape[0]
        total = self.matrix @ self.own
        rare, own = (
            self.matrix.multiply(self.rarity).tocsr(),
            self.matrix.multiply(self.own).tocsr(),
        )
        for first in range(0, count, BLOCK_ROWS):
            block = slice(first, min(count, first + BLOCK_ROWS))
            shared = np.maximum((rare[block] @ self.matrix.T).toarray(), 0)
            in_both = (own[block] @ self.matrix.T).toarray()
            apart = np.maximum((total[block, None] + total[None, :]) / 2 - in_both, 0)
            values = shared / np.sqrt(1 + shared + apart)
            row, right = np.nonzero(np.arange(count)[None, :] > np.arange(count)[block, None])
            yield row + first, right, np.round(values[row, right], 6)

    def rarest(self, left: int, right: int) -> list[tuple[Feature, float]]:
        """Return the features that both programs have, and their information, the rarest first."""
        both = np.intersect1d(self.matrix[left].indices, self.matrix[right].indices)
        order = both[np.argsort(-self.rarity[both], kind="stable")]
        return [(self.features[n], float(self.rarity[n])) for n in order.tolist()]


def shares(sets: Sequence[frozenset[object]], *, of_both: bool) -> Float64:
    """Return `(n, n)` the share of elements that two sets have in common.

    Args:
        sets: The sets.
        of_both: The share of the union (Jaccard); otherwise of the smaller set. NaN where both are
            empty.
    """
    from scipy import sparse

    number_of: dict[object, int] = {}
    columns = [number_of.setdefault(element, len(number_of)) for s in sets for element in s]
    sizes = np.array([len(s) for s in sets], np.float64)
    rows = np.repeat(np.arange(len(sets)), sizes.astype(np.int64))
    matrix = sparse.csr_matrix((np.ones(len(rows)), (rows, columns)), (len(sets), len(number_of)))
    common: Float64 = (matrix @ matrix.T).toarray()
    union = sizes[:, None] + sizes[None, :] - common
    whole = union if of_both else np.minimum(sizes[:, None], sizes[None, :])
    whole = np.where(union > 0, np.maximum(whole, 1), np.nan)
    share: Float64 = common / whole
    return share


def _distinct(authors: Int64, items: Int64, count: int) -> Float64:
    """Return `(count,)` the number of distinct authors of each item."""
    if not len(items):
        return np.zeros(count)
    pairs = np.unique(np.stack([items, authors]), axis=1)
    return np.bincount(pairs[0], minlength=count).astype(np.float64)


def _information(frequency: Float64, at_place: Float64) -> Float64:
    """Return -log of the probability of a choice, from how many made it, and how many chose."""
    made = np.maximum(frequency, 0)
    chose = np.maximum(at_place, made)
    information: Float64 = -np.log((made + UNSEEN) / (chose + UNSEEN + UNSEEN_ELSE))
    return information
