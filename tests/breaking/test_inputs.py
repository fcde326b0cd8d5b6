"""Random files for some seconds; `make break` tries more."""

from __future__ import annotations

import pytest
from breaking import inputs


@pytest.mark.slow
@pytest.mark.parametrize("seed", [20261127])
def test_random_files_are_read_or_refused(seed: int) -> None:
    report = inputs.run(seed, seconds=25)
    print(report)
    assert not report.failures, report
