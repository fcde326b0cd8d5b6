"""Times as they are written in tables."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime


def read_times(texts: Iterable[str | None]) -> list[datetime] | None:
    """Return times that can be compared with each other; None if one of them can't be read.

    Where one has no time zone, the zones of the others are left out.
    """
    try:
        times = [datetime.fromisoformat((text or "").strip()) for text in texts]
    except ValueError:
        return None
    if any(time.tzinfo is None for time in times):
        return [time.replace(tzinfo=None) for time in times]
    return times
