"""Random damage for some seconds; `make break` tries more."""

from __future__ import annotations

import pytest
from breaking import damage


@pytest.mark.slow
@pytest.mark.parametrize("seed", [20261127])
def test_random_damage_is_noticed_and_mended(seed: int) -> None:
    report = damage.run(seed, seconds=25)
    print(report)
    assert not report.failures, report
