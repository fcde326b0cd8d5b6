"""How much inexact inner products can differ."""

from __future__ import annotations

BFLOAT16_ROUNDING = 2.0**-8  # of a number, at most, when it is rounded to the nearest bfloat16


def summation_error(dimension: int) -> float:
    """Return by how much two float32 sums of the same products differ, relative to both norms.

    A sum of d products in float32, in any order, is wrong by at most d · 2⁻²³ · |a| |b| (Higham,
    Accuracy and Stability of Numerical Algorithms, 2002, section 3.1, with room for the second
    order); here two are compared.
    """
    return 2 * dimension * 2.0**-23
