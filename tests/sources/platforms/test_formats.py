"""What is no platform's export: a table with few columns, or with none."""

from __future__ import annotations

import pytest

from searchkit.sources.platforms.formats import TABLES


@pytest.mark.parametrize("platform", TABLES)
@pytest.mark.parametrize("names", [(), ("",), ("id",), ("Student", "ID")])
def test_a_table_with_few_columns_or_none_is_no_platforms(
    platform: str, names: tuple[str, ...]
) -> None:
    assert TABLES[platform].find_layout(names, [dict.fromkeys(names)]) is None
