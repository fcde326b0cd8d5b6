"""Random kills for some seconds; `make break` tries more."""

from __future__ import annotations

import pytest
from breaking import kills


@pytest.mark.slow
@pytest.mark.parametrize("seed", [20261127])
def test_killed_writers_lose_nothing(seed: int) -> None:
    report = kills.run(seed, seconds=25)
    print(report)
    assert not report.failures, report
