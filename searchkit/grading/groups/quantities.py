"""Quantities in prose: numbers with their units, so that 5 ms equals 0.005 s and not 5 s."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_NUMBER_WORDS = dict(
    zip("one two three four five six seven eight nine ten".split(), range(1, 11), strict=True)
)
_NUMBER = re.compile(
    r"(?<![\w.,/])(?P<currency>[$€£]\s?)?"
    r"(?P<value>[-+]?(?:0x[0-9a-f]+|(?:\d+(?:[.,]\d+)*|\.\d+)(?:e[-+]?\d+|/\d+)?)"
    r"|two|three|four|five|six|seven|eight|nine|ten|"
    r"one(?=\s[a-z]{3})(?!\s(?:can|has|must|should|could|may|will|would|needs|another|more|way)\b))"
    r"(?:(?P<gap>[ -]?)(?P<unit>[%$€£]|°[cf]\b|[a-zμω]+(?:/[a-z]+)?\b))?(?!\w)"
)
_NAMED = re.compile(r"(?<!\w)(?P<name>[^\W\d_]+)(?P<number>\d+)(?!\w)")  # IPv4, bulb2
_GROUPED = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_SPACED_LETTERS = frozenset("smvwghlω%$€£")  # units of one letter that may stand behind a space

# Each unit's dimension, its size in the base unit, and its names in small letters.
_TABLE = """
time       1e-9   ns nanosecond
time       1e-6   us μs microsecond
time       1e-3   ms msec millisecond
time       1      s sec second
time       60     min minute
time       3600   h hr hour
time       86400  day
data       1      bit
data       1e3    kbit kilobit
data       1e6    mbit megabit
data       1e9    gbit gigabit
data       8      b byte
data       8e3    kb kib kbyte kilobyte
data       8e6    mb mib mbyte megabyte
data       8e9    gb gib gbyte gigabyte
data       8e12   tb tib tbyte terabyte
length     1e-9   nm nanometer nanometre
length     1e-6   um μm micrometer micrometre
length     1e-3   mm millimeter millimetre
length     1e-2   cm centimeter centimetre
length     1      m meter metre
length     1e3    km kilometer kilometre
mass       1e-3   mg milligram
mass       1      g gram
mass       1e3    kg kilogram
volume     1e-3   ml milliliter millilitre
volume     1      l liter litre
frequency  1      hz hertz
frequency  1e3    khz kilohertz
frequency  1e6    mhz megahertz
frequency  1e9    ghz gigahertz
voltage    1e-3   mv millivolt
voltage    1      v volt
voltage    1e3    kv kilovolt
current    1e-3   ma milliamp milliampere
current    1      a amp ampere
power      1      w watt
power      1e3    kw kilowatt
resistance 1      ω ohm
resistance 1e3    kω kohm kiloohm
force      1      n newton
energy     1      j joule
energy     1e3    kj kilojoule
pressure   1      pa pascal
pressure   1e3    kpa kilopascal
share      1      % percent
celsius    1      °c celsius
fahrenheit 1      °f fahrenheit
kelvin     1      k kelvin
dollar     1      $ usd dollar
euro       1      € eur euro
pound      1      £ gbp
"""
_UNITS: dict[str, tuple[str, float]] = {
    name: (dimension, float(size))
    for dimension, size, *names in map(str.split, _TABLE.strip().splitlines())
    for name in names
}


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with its unit.

    Attributes:
        size: In the unit's base unit; a text for what is no number, such as a version.
        dimension: What is measured, or what bears the number; empty without a known unit.
        written: The number as it is written.
    """

    size: float | str
    dimension: str
    written: float | str = field(compare=False)

    def without_unit(self) -> Quantity:
        """Return the number as it is written; a quantity without a unit may be meant so."""
        return Quantity(self.written, "", self.written)


def read_quantities(text: str) -> Iterator[tuple[int, int, Quantity]]:
    """Yield the (start, end) of each quantity in a folded text, and what it says; in order."""
    matches = [*_NUMBER.finditer(text), *_NAMED.finditer(text)]
    for match in sorted(matches, key=lambda match: match.start()):
        if match.re is _NAMED:
            yield *match.span(), Quantity(match["number"], match["name"], match["number"])
        else:
            yield _read_number(match)


def _read_number(match: re.Match[str]) -> tuple[int, int, Quantity]:
    """Return the start and end of a number with its unit, and what it says."""
    start, end = match.start(), match.end("value")
    value = _parse(match["value"])
    unit = (match["currency"] or "").strip() or match["unit"] or ""
    known = _find_unit(unit)
    is_spaced = bool(match["gap"]) and not match["currency"]
    if (
        isinstance(value, str)
        or not known
        or (len(unit) == 1 and is_spaced and unit not in _SPACED_LETTERS)
    ):
        return start, end, Quantity(value, "", value)
    dimension, size = known
    end = end if match["currency"] else match.end()
    return start, end, Quantity(float(f"{value * size:.9g}"), dimension, value)


def _parse(text: str) -> float | str:
    """Return the number that a text is; the text for a version, an address, or n/0."""
    if text in _NUMBER_WORDS:
        return float(_NUMBER_WORDS[text])
    if text.startswith("0x"):
        return float(int(text, 16))
    number, _, divisor = text.partition("/")
    plain = number.replace(",", "" if _GROUPED.fullmatch(number.lstrip("+-")) else ".")
    if plain.count(".") > 1 or (divisor and not float(divisor)):
        return text
    return float(plain) / float(divisor or 1)


def _find_unit(name: str) -> tuple[str, float] | None:
    """Return the dimension and size of a unit, which may be one per another."""
    if "/" in name:
        top, bottom = (_find_unit(part) for part in name.split("/", 1))
        return (f"{top[0]}/{bottom[0]}", top[1] / bottom[1]) if top and bottom else None
    return _UNITS.get(name) or (_UNITS.get(name.removesuffix("s")) if len(name) > 2 else None)
