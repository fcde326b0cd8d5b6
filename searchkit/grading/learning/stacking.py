"""Stacking: what the best method leaves to be explained, by what the others say."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from searchkit.core.arrays import Float64

STACK_STRENGTH = 5.0  # of the ridge, for targets of standard deviation 1


class Stack:
    """A ridge regression of what is left by the best method on the estimates of all.

    With few answers it hardly moves the best method's estimates (stacked generalization, Wolpert,
    1992; Breiman, Stacked regressions, 1996).
    """

    def __init__(self, estimates: Sequence[Float64], targets: Float64) -> None:
        """Learn the weights of the methods.

        Args:
            estimates: For each method, the best one first, `(n, c)` leave-one-out estimates.
            targets: `(n, c)`.
        """
        design = np.hstack(estimates)
        self._center = design.mean(axis=0)
        design = design - self._center
        penalty = STACK_STRENGTH * max(float(targets.var(axis=0).mean()), 1e-9)
        self._weights = np.linalg.solve(
            design.T @ design + penalty * np.eye(design.shape[1]),
            design.T @ (targets - estimates[0]),
        )

    def combine(self, estimates: Sequence[Float64]) -> Float64:
        """Return `(m, c)` estimates, from those of each method in the same order."""
        corrections = (np.hstack(estimates) - self._center) @ self._weights
        combined: Float64 = estimates[0] + corrections
        return combined
