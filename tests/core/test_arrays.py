"""Arrays."""

from __future__ import annotations

import numpy as np
import pytest

from searchkit.core.arrays import distinct


@pytest.mark.parametrize("values", [[], [3], [2, 2], [5, -1, 5, 0, -1, 2**62]])
def test_distinct_values_are_those_of_numpy(values: list[int]) -> None:
    given = np.array(values, np.int64)
    np.testing.assert_array_equal(distinct(given), np.unique(given))
    assert given.tolist() == values
