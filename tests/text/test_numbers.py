"""Numbers as people write them."""

from __future__ import annotations

import pytest

from searchkit.text.numbers import read_number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("7", 7.0),
        ("7.5", 7.5),
        ("7,5", 7.5),
        ("1_0", None),
        ("inf", None),
        ("nan", None),
        ("", None),
    ],
)
def test_numbers_are_read_as_people_write_them(text: str, number: float | None) -> None:
    assert read_number(text) == number
