"""Numbers and counts as people write them."""

from __future__ import annotations

import math


def counted(count: int, noun: str) -> str:
    """Return a number with its noun, in the plural if it is one."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def read_number(text: str) -> float | None:
    """Read 7, 7.5 and 7,5; infinity is none, and 1_0 is how programs write."""
    try:
        number = float(text.replace(",", ".", 1) if "." not in text else text)
    except ValueError:
        return None
    return number if math.isfinite(number) and "_" not in text else None
