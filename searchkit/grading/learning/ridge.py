"""Ridge regression on the coordinates of answers: in the model's space, or with words beside it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from searchkit.core.arrays import Float64, Int64
from searchkit.grading.learning.inputs import Inputs

INTERCEPT_SCALE = 30.0  # the value of the constant column, which is nearly free of the penalty
NGRAM_WEIGHT = 2.0  # of the likeness by n-grams, beside 1 for meaning and 1 for features
MAX_LANDMARKS = 1_000  # answers that a likeness is computed with
MIN_SQUARE = 1e-13  # of the largest; smaller ones are rounding errors
JITTER = 1e-8  # added to the diagonal of the kernel, so that equal answers don't make it singular


class Ridge:
    """A ridge regression on one set of rows, for any targets and strength."""

    def __init__(self, coordinates: Float64, weights: Float64) -> None:
        """Prepare the regression.

        Args:
            coordinates: `(n, r)`.
            weights: `(n,)` how much the error of each row counts.
        """
        self._center = np.average(coordinates, axis=0, weights=weights)
        self._scale = np.sqrt(weights)[:, None]
        self._rows = self._scale * self._design(coordinates)  # (n, r + 1)
        # Squares of the singular values, and left singular vectors, from the smaller Gram matrix.
        if len(self._rows) <= self._rows.shape[1]:
            squares, self._left = np.linalg.eigh(self._rows @ self._rows.T)
            self._squares = np.maximum(squares, 0)
        else:
            squares, right = np.linalg.eigh(self._rows.T @ self._rows)
            kept = squares > squares[-1] * MIN_SQUARE
            self._squares = squares[kept]
            self._left = self._rows @ (right[:, kept] / np.sqrt(self._squares))

    def leave_one_out(self, targets: Float64, strengths: Sequence[float], sample: Int64) -> Float64:
        """Estimate rows from the others, by the closed form of leave-one-out.

        That is the residual over one minus the leverage (Rifkin and Lippert, Notes on Regularized
        Least-Squares, 2007).

        Args:
            targets: `(n, c)`.
            strengths: Weights of the penalty; `p` of them.
            sample: `(s,)` the rows, each of weight 1.

        Returns:
            `(p, s, c)` estimates.
        """
        shrinkage = self._squares / (self._squares + np.array(strengths)[:, None])  # (p, r)
        left, own = self._left[sample], targets[sample]
        fitted = left @ (shrinkage[:, :, None] * self._rotated(targets))  # (p, s, c)
        remainder = np.maximum(1 - shrinkage @ (left**2).T, 1e-6)[:, :, None]
        estimates: Float64 = own - (own - fitted) / remainder
        return estimates

    def weights(self, targets: Float64, strength: float) -> Float64:
        """Return the weights that `estimate` takes."""
        inverse = 1 / (self._squares + strength)
        weights: Float64 = self._rows.T @ (self._left @ (inverse[:, None] * self._rotated(targets)))
        return weights

    def estimate(self, coordinates: Float64, weights: Float64) -> Float64:
        """Return `(m, c)` estimates for other rows."""
        return self._design(coordinates) @ weights

    def _rotated(self, targets: Float64) -> Float64:
        rotated: Float64 = self._left.T @ (self._scale * targets)
        return rotated

    def _design(self, coordinates: Float64) -> Float64:
        constant = np.full(len(coordinates), INTERCEPT_SCALE)
        return np.column_stack([coordinates - self._center, constant])


class VectorSpace:
    """The vectors of the model as coordinates, and which cohort an answer is from.

    Attributes:
        own: `(n, d + e)` coordinates of the answers that it was made for.
    """

    def __init__(self, inputs: Inputs) -> None:
        self.own = self.coordinates(inputs)

    def coordinates(self, inputs: Inputs) -> Float64:
        """Return `(m, d + e)`."""
        return np.hstack([inputs.vectors.astype(np.float64), inputs.cohorts])


class WordSpace:
    """Coordinates whose dot product is the likeness of two answers; see `likeness`.

    With more than `MAX_LANDMARKS` answers it is approximated with some of them (Williams and
    Seeger, Using the Nyström method to speed up kernel machines, 2001).

    Attributes:
        own: `(n, l)` coordinates of the answers that it was made for, l the number of landmarks.
    """

    def __init__(self, inputs: Inputs) -> None:
        self._landmarks = inputs
        if len(inputs) > MAX_LANDMARKS:
            rng = np.random.default_rng(0)
            rows = np.sort(rng.choice(len(inputs), MAX_LANDMARKS, replace=False))
            self._landmarks = inputs.take(rows)
        kernel = likeness(self._landmarks, self._landmarks)
        kernel[np.diag_indices_from(kernel)] += JITTER
        self._factor = np.linalg.cholesky(kernel).astype(np.float64, copy=False)
        self.own = self._factor if self._landmarks is inputs else self.coordinates(inputs)

    def coordinates(self, inputs: Inputs) -> Float64:
        """Return `(m, l)`."""
        from scipy.linalg import solve_triangular

        products = likeness(self._landmarks, inputs)
        coordinates: Float64 = solve_triangular(self._factor, products, lower=True).T
        return coordinates


def likeness(left: Inputs, right: Inputs) -> Float64:
    """Return `(m, n)` how alike answers to one question are: the sum of four kernels.

    A Gaussian kernel on their vectors, another on their features, the cosine of their n-grams, and
    whether they are from one earlier cohort, whose graders may have been more or less severe.
    """
    from scipy.spatial.distance import cdist

    cosines = left.vectors.astype(np.float64) @ right.vectors.astype(np.float64).T
    distances = cdist(left.relative, right.relative, "sqeuclidean") / left.relative.shape[1]
    same_words = (left.ngrams @ right.ngrams.T).toarray()
    same_cohort = left.cohorts @ right.cohorts.T
    alike: Float64 = (
        np.exp(2 * cosines - 2) + np.exp(-distances) + NGRAM_WEIGHT * same_words + same_cohort
    )
    return alike
