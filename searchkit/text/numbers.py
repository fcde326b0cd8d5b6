"""Numbers as people write them."""

from __future__ import annotations

import math


def read_number(text: str) -> float | None:
    """Return the finite number in a text such as 7, 7.5 or 7,5; None for any other text.

    Python's own forms 1_0, inf and nan are no numbers here.
    """
    try:
        number = float(text.replace(",", ".", 1) if "." not in text else text)
    except ValueError:
        return None
    return number if math.isfinite(number) and "_" not in text else None
