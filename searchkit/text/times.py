"""Times as files and platforms write them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, timezone
from functools import cache

# The first letters of the months in English, German, French, Spanish, Portuguese, Italian and
# Dutch, without accents.
_MONTHS = {
    letters: month
    for month, words in enumerate(
        (
            "jan ene gen", "feb fev", "mar mrt maa", "apr avr abr", "may mai mag mei",
            "jun juin giu", "jul juil lug", "aug aou ago", "sep set", "oct okt ott out", "nov",
            "dec dez dic",
        ),
        1,
    )
    for letters in words.split()
}  # fmt: skip
_DATES = (
    r"(?P<year>\d{4})[-/.](?P<month>\d{1,2})[-/.](?P<day>\d{1,2})",
    r"(?P<day>\d{1,2})\.(?P<month>\d{1,2})\.(?P<year>\d{4})",
    r"(?P<day>\d{1,2})\.?(?: de)? (?P<name>[a-z]{3,})\.?(?: de)? (?P<year>\d{4})",
    r"(?P<name>[a-z]{3,})\.? (?P<day>\d{1,2}),? (?P<year>\d{4})",
)
_TIME = (
    r"(?:[, ]+(?:at |um |a las |alle |as )?(?P<hour>\d{1,2})[:h](?P<minute>\d{2})"
    r"(?::(?P<second>\d{2}))?(?: uhr)?(?: ?(?P<half>[ap])\.?m\.?)?"
    r"(?: (?:utc|gmt|z)(?P<zone>[-+]\d{1,2})?)?)?"
)


def read_times(texts: Iterable[str | None]) -> list[datetime] | None:
    """Return times that can be compared with each other; None if one of them can't be read.

    ISO 8601 is read, and what platforms write: `7 August 2025  5:53 PM`, `7. August 2025, 17:53`,
    `07.08.2025 17:53`, `2025/08/07 5:11:03 PM GMT+2`, `2025-08-07 17:53:20 UTC`. In `8/7/2025` the
    month can't be told from the day, and so it isn't read. Where one time has no zone, the zones of
    the others are left out.
    """
    times = [_read_time((text or "").strip()) for text in texts]
    found = [time for time in times if time is not None]
    if len(found) < len(times):
        return None
    if any(time.tzinfo is None for time in found):
        return [time.replace(tzinfo=None) for time in found]
    return found


@cache  # ISO 8601 needs none of these, which take a millisecond to compile
def _spellings() -> list[re.Pattern[str]]:
    return [re.compile(rf"(?:[a-z]+,? )?{date}{_TIME}") for date in _DATES]


def _read_time(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        decomposed = unicodedata.normalize("NFKD", text.lower())
        plain = "".join(c for c in decomposed if not unicodedata.combining(c))
        line = " ".join(plain.split())
    matches = (spelling.fullmatch(line) for spelling in _spellings())
    match = next(filter(None, matches), None)
    return None if match is None else _from_parts(match.groupdict(), line)


def _from_parts(parts: dict[str, str | None], line: str) -> datetime | None:
    """Return the time of the parts of a match; None if there is no such time."""
    name = parts.get("name")
    month = int(parts.get("month") or 0)
    if name is not None:
        month = _MONTHS.get(name[:4]) or _MONTHS.get(name[:3], 0)
    hour = int(parts["hour"] or 0)
    if parts["half"]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + 12 * (parts["half"] == "p")
    try:
        zone = timezone(timedelta(hours=int(parts["zone"]))) if parts["zone"] else None
        if zone is None and re.search(r" (?:utc|gmt|z)$", line):
            zone = UTC
        return datetime(
            int(parts["year"] or 0),
            month,
            int(parts["day"] or 0),
            hour,
            int(parts["minute"] or 0),
            int(parts["second"] or 0),
            tzinfo=zone,
        )
    except ValueError:
        return None
