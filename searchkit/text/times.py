"""Times as files and platforms write them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
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
_DAY_LENGTH = len("2025-08-30")  # of a day in ISO 8601, at most
_MONTH_NAMES = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
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


@dataclass(frozen=True, slots=True)
class _Moment:
    """A point in time as it was written.

    Attributes:
        at: The time; midnight if only the day is known.
        has_time: Whether more than the day is known.
    """

    at: datetime
    has_time: bool


def read_times(texts: Iterable[str | None]) -> list[datetime] | None:
    """Return times that can be compared with each other; None if one of them can't be read.

    ISO 8601 is read, and what platforms write: `7 August 2025  5:53 PM`, `7. August 2025, 17:53`,
    `07.08.2025 17:53`, `2025/08/07 5:11:03 PM GMT+2`, `2025-08-07 17:53:20 UTC`. In `8/7/2025` the
    month can't be told from the day, and so it isn't read. Where one time has no zone, the zones of
    the others are left out.
    """
    times = [_read_moment(text or "") for text in texts]
    found = [time.at for time in times if time is not None]
    if len(found) < len(times):
        return None
    if any(time.tzinfo is None for time in found):
        return [time.replace(tzinfo=None) for time in found]
    return found


def time_in_words(text: str) -> str:
    """Return a time as people read it: `30 Aug 2025, 18:33`; as it was written if it isn't read."""
    moment = _read_moment(text)
    if moment is None:
        return text.strip()
    at = moment.at
    day = f"{at.day} {_MONTH_NAMES[at.month - 1]} {at.year}"
    return f"{day}, {at:%H:%M}{_zone_in_words(at)}" if moment.has_time else day


def _zone_in_words(at: datetime) -> str:
    """Return ` UTC+2`, or nothing if a time has no zone."""
    offset = at.utcoffset()
    if offset is None:
        return ""
    minutes = round(abs(offset).total_seconds() / 60)
    sign = "" if not minutes else "-" if offset < timedelta() else "+"
    hours, rest = divmod(minutes, 60)
    return f" UTC{sign}{hours}:{rest:02}" if rest else f" UTC{sign}{hours or ''}"


def time_apart_in_words(text: str, other: str) -> str:
    """Return how much earlier or later a time is than another one: `1 day 15 h earlier`.

    Where one of them is only a day, whole days count. Nothing is returned if one can't be read, or
    only one has a zone, so that they may be hours nearer or farther than they look.
    """
    one, two = _read_moment(text), _read_moment(other)
    if one is None or two is None:
        return ""
    if not (one.has_time and two.has_time):
        days = (one.at.date() - two.at.date()).days
        return _apart(timedelta(days=days)) if days else "the same day"
    if (one.at.tzinfo is None) != (two.at.tzinfo is None):
        return ""
    return _apart(one.at - two.at) if one.at != two.at else "at the same time"


def _apart(difference: timedelta) -> str:
    """Return a difference in its two largest units, of which the second may be left out."""
    seconds = round(abs(difference).total_seconds())
    days, hours, minutes = seconds // 86_400, seconds // 3_600 % 24, seconds // 60 % 60
    units = [(days, "day" if days == 1 else "days"), (hours, "h"), (minutes, "min")]
    first = next((n for n, (count, _) in enumerate(units) if count), None)
    if first is None:
        words = f"{seconds} s"
    else:
        words = " ".join(f"{count:,} {unit}" for count, unit in units[first : first + 2] if count)
    return f"{words} {'earlier' if difference < timedelta() else 'later'}"


@cache  # ISO 8601 needs none of these, which take a millisecond to compile
def _spellings() -> list[re.Pattern[str]]:
    return [re.compile(rf"(?:[a-z]+,? )?{date}{_TIME}") for date in _DATES]


def _read_moment(text: str) -> _Moment | None:
    text = text.strip()
    try:
        return _Moment(datetime.fromisoformat(text), len(text) > _DAY_LENGTH)
    except ValueError:
        decomposed = unicodedata.normalize("NFKD", text.lower())
        plain = "".join(c for c in decomposed if not unicodedata.combining(c))
        line = " ".join(plain.split())
    matches = (spelling.fullmatch(line) for spelling in _spellings())
    match = next(filter(None, matches), None)
    at = None if match is None else _from_parts(match.groupdict(), line)
    return None if match is None or at is None else _Moment(at, match["hour"] is not None)


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
