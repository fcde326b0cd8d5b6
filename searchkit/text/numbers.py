"""Numbers as people write them in tables: with decimal commas, of ten, in per cent.

    text                      value   out of
    7   7.0   007   +7            7
    7.5   7,5   7½              7.5
    -3 (or a minus sign or dash) -3
    .5   ,5   ½                 0.5
    1.234   1,234             1.234           one point or comma is a decimal one
    1 234   1'234              1234           also a no-break or thin space, a curled mark
    1.234,5   1,234.5        1234.5
    1,234,567   1.234.567   1234567
    1e3                        1000
    7/10   7 / 10                 7       10
    7,5/10                      7.5       10
    75 %   75%                   75      100
    9 points   9 P.   7/10 Pkt.   9           a unit: points, marks, pts, Punkte, puntos …

Nothing else is a number: `A-`, `<5`, `5-7`, `1_0`, `inf`, `nan`, `7/0`, `2025-08-07`, `1,234,56`.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

PER_CENT = 100.0
_SPELLINGS = str.maketrans(
    {"\u2212": "-", "\u2013": "-", "\u2019": "'", "\u00a0": " ", "\u2009": " ", "\u202f": " "}
)
_FRACTIONS = {"¼": ".25", "½": ".5", "¾": ".75"}
_AMOUNT = re.compile(
    r"(?P<number>[^/%a-z]+(?:e[-+]?[0-9]+)?)(?: ?/ ?(?P<out_of>[0-9.,]+)| ?(?P<per_cent>%))?"
    r"(?: ?(?:points?|marks?|pts?|p|punkte?|pkte?|pkt|puntos?|pontos?|punti|punto|punten|punt)\.?)?"
)
_GROUPED = re.compile(
    r"[-+]?[0-9]{1,3}(?P<by>[ ',.])[0-9]{3}(?P<more>(?:(?P=by)[0-9]{3})*)"
    r"(?:(?P<point>[.,])[0-9]*)?"
)
_PLAIN = re.compile(r"[-+]?(?:[0-9]+[.,]?[0-9]*|[.,][0-9]+)(?:e[-+]?[0-9]+)?")


@dataclass(frozen=True, slots=True)
class Amount:
    """A number, and what it is out of.

    Attributes:
        value: The number.
        out_of: What stands behind `/`, 100 for per cent; None if there is neither.
        is_per_cent: Whether it is in per cent.
    """

    value: float
    out_of: float | None = None
    is_per_cent: bool = False


def parse_number(text: str) -> float | None:
    """Return the finite number that a text is, without what it is out of; None for other texts.

    The module's table has the spellings.
    """
    amount = parse_amount(text)
    return None if amount is None else amount.value


def parse_amount(text: str) -> Amount | None:
    """Return the finite number that a text is, and what it is out of; None for other texts."""
    match = _AMOUNT.fullmatch(text.translate(_SPELLINGS).strip().lower())
    value = None if match is None else _parse_plain(match["number"].rstrip(" "))
    if match is None or value is None:
        return None
    if match["per_cent"]:
        return Amount(value, PER_CENT, is_per_cent=True)
    if match["out_of"] is None:
        return Amount(value)
    out_of = _parse_plain(match["out_of"])
    return Amount(value, out_of) if out_of else None


def _parse_plain(text: str) -> float | None:
    if text[-1:] in _FRACTIONS:
        text = text[:-1] + _FRACTIONS[text[-1]]
    grouped = _GROUPED.fullmatch(text)
    if grouped and (grouped["by"] in " '" or grouped["more"] or grouped["point"]):
        if grouped["point"] == grouped["by"]:
            return None
        text = text.replace(grouped["by"], "")
    if not _PLAIN.fullmatch(text):
        return None
    number = float(text.replace(",", "."))
    return number if math.isfinite(number) else None
