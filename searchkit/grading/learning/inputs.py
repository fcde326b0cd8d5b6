"""What a grader knows of answers, and of graded ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from searchkit.core.arrays import Float32, Float64, Int64, Intp

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix


@dataclass(frozen=True, slots=True)
class Inputs:
    """The answers as arrays.

    Attributes:
        vectors: `(n, d)` unit rows, one for each whole answer.
        features: `(n, f)`; see `compute_features`.
        relative: `(n, f)` the features compared with the question's other answers; see
            `relative_features`.
        ngrams: `(n, v)` sparse unit rows; see `character_ngrams`.
        cohorts: `(n, e)` 1 for the earlier index that an answer is from; zeros if it is from none.
    """

    vectors: Float32
    features: Float64
    relative: Float64
    ngrams: csr_matrix
    cohorts: Float64

    def __len__(self) -> int:
        return len(self.vectors)

    def take(self, rows: Intp | NDArray[np.bool_]) -> Inputs:
        """Return the answers in some rows."""
        return Inputs(
            self.vectors[rows],
            self.features[rows],
            self.relative[rows],
            self.ngrams[rows],
            self.cohorts[rows],
        )


@dataclass(frozen=True, slots=True)
class Examples:
    """Graded answers.

    Attributes:
        inputs: The answers; `n` of them.
        questions: `(n,)` code of each answer's question.
        targets: `(n, c)` a number, or a one-hot label.
        weights: `(q, q)` how much an answer to a question (column) counts for another one (row);
            None if answers count for their own question only.
    """

    inputs: Inputs
    questions: Int64
    targets: Float64
    weights: Float64 | None = None

    def weights_for(self, question: int) -> Float64:
        """Return `(n,)` how much each example counts for a question: 1 for its own answers."""
        if self.weights is None or question >= len(self.weights):
            return np.asarray(self.questions == question, np.float64)
        return np.asarray(self.weights[question, self.questions], np.float64)

    def take(self, rows: Intp | NDArray[np.bool_]) -> Examples:
        """Return the examples in some rows."""
        return Examples(
            self.inputs.take(rows), self.questions[rows], self.targets[rows], self.weights
        )
