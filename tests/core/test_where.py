"""A filter holds texts that can be stored."""

from __future__ import annotations

import pytest

from searchkit.core.errors import BadInput
from searchkit.core.where import Where


@pytest.mark.parametrize(
    ("name", "parameter"), [("question", "question"), ("author", "author"), ("sql", "where")]
)
def test_a_text_that_is_no_unicode_is_refused(name: str, parameter: str) -> None:
    with pytest.raises(
        BadInput, match=rf"^`{parameter}`: '\\udcff' is not UTF-8; write it in UTF-8$"
    ):
        Where(**{name: "\udcff"})


def test_there_are_no_other_attempts() -> None:
    with pytest.raises(BadInput, match="`attempts` must be one of latest, first, all, not 'last'"):
        Where(attempts="last")
