"""What a grader knows of an answer besides its mark."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from searchkit.core.arrays import Float32, Float64, Intp

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
    """

    vectors: Float32
    features: Float64
    relative: Float64
    ngrams: csr_matrix

    def __len__(self) -> int:
        return len(self.vectors)

    def take(self, rows: Intp | NDArray[np.bool_]) -> Inputs:
        """Return the answers in some rows."""
        return Inputs(
            self.vectors[rows], self.features[rows], self.relative[rows], self.ngrams[rows]
        )
