"""Nested groups by average linkage, until `grading.groups.tree` is there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from searchkit.core.arrays import Float32, Float64, Int64


@dataclass(frozen=True, slots=True)
class SimpleTree:
    """Nested groups of texts."""

    links: Float64
    count: int
    levels: int = 20
    default: int = 8

    def cut(self, level: int) -> Int64:
        """Return `(n,)` the group of each text; -1 for those that stand alone."""
        from scipy.cluster.hierarchy import fcluster

        if self.count < 2:
            return np.full(self.count, -1, np.int64)
        labels = fcluster(self.links, 0.02 + level * 0.04, "distance")
        sizes, first = np.bincount(labels), np.full(labels.max() + 1, self.count)
        np.minimum.at(first, labels, np.arange(self.count))
        order = sorted(
            (label for label in set(labels.tolist()) if sizes[label] > 1),
            key=lambda label: (-sizes[label], first[label]),
        )
        number = {label: code for code, label in enumerate(order)}
        return np.array([number.get(label, -1) for label in labels.tolist()], np.int64)


def build_tree(texts: Sequence[str], vectors: Float32) -> SimpleTree:
    """Return the nested groups of texts."""
    from scipy.cluster.hierarchy import linkage

    links = linkage(vectors, "average", "cosine") if len(texts) > 1 else np.zeros((0, 4))
    return SimpleTree(links, len(texts))
