"""Numbers as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from searchkit.text.numbers import Amount, parse_amount, parse_number

SPELLINGS = {
    7.0: ["7", "7.0", "7,0", "007", "+7", " 7 ", "7\u00a0", "7.", "7/10", "7 / 10", "7,0/10"],
    7.5: ["7.5", "7,5", "7½", "7,5/10", "7.5 / 10", "7,5 points", "7.5pts"],
    -3.0: ["-3", "\u22123", "\u20133", "-3,0"],
    0.5: ["0.5", "0,5", ".5", ",5", "½", "0½"],
    1.234: ["1.234", "1,234"],
    1234.0: ["1234", "1 234", "1\u00a0234", "1\u202f234", "1\u2009234", "1'234", "1’234"],
    1234.5: ["1.234,5", "1,234.5", "1 234,5", "1 234.5", "1'234.5", "1.234,50"],
    1234567.0: ["1,234,567", "1.234.567", "1 234 567", "1'234'567", "1,234,567.0"],
    1000.0: ["1e3", "1E3", "1.0e+3"],
    75.0: ["75 %", "75%", "75\u00a0%", "75,0 %"],
    9.0: ["9 points", "9 Punkte", "9 P.", "9 Pkt.", "9/10 points", "9 marks", "9 puntos"],
}
NO_NUMBERS = """
1_0 inf -inf nan NaN A- <5 5-7 7/0 7/-1 7/ /10 % - -- . , e5 1e 1e999 0x10 2025-08-07 07.08.2025
12:30 1,234,56 12,34,567 1.2.3 1,23,4 q7 7a 7/10/2025 7%% ٧ absent
""".split()


@pytest.mark.parametrize(("number", "text"), [(n, t) for n, all in SPELLINGS.items() for t in all])
def test_numbers_are_read_as_people_write_them(number: float, text: str) -> None:
    assert parse_number(text) == number


@pytest.mark.parametrize("text", [*NO_NUMBERS, "", " ", "1 2", "7 of 10", "1 0000", "9 people"])
def test_other_texts_are_no_numbers(text: str) -> None:
    assert parse_number(text) is None


def test_what_a_number_is_out_of() -> None:
    assert parse_amount("7,5 / 10") == Amount(7.5, 10)
    assert parse_amount("14/20") == Amount(14, 20)
    assert parse_amount("75 %") == Amount(75, 100, is_per_cent=True)
    assert parse_amount("75") == Amount(75)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_python_spellings_are_read_as_python_does(number: float) -> None:
    assert parse_number(repr(number)) == number
    assert parse_number(repr(number).replace(".", ",")) == number


@given(st.integers(-(10**12), 10**12), st.sampled_from([",", "'", " "]))
def test_groups_of_three(number: int, separator: str) -> None:
    text = f"{number:,}".replace(",", separator)
    assert parse_number(f"{text}.5") == float(f"{number}.5")


@given(st.text(alphabet="0123456789.,'-+/% ½e"))
def test_any_text_is_a_finite_number_or_none(text: str) -> None:
    number = parse_number(text)
    assert number is None or abs(number) < float("inf")
