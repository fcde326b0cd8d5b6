"""Random filters for some seconds; `make break` tries more."""

from __future__ import annotations

import pytest
from breaking import where


@pytest.mark.slow
@pytest.mark.parametrize("seed", [20261127])
def test_random_filters_keep_their_promises(seed: int) -> None:
    report = where.run(seed, seconds=20)
    print(report)
    assert not report.failures, report
