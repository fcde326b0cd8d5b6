"""Random requests for some seconds; `make break` sends more."""

from __future__ import annotations

import pytest
from breaking import requests


@pytest.mark.slow
@pytest.mark.parametrize("seed", [20261127])
def test_random_requests_do_no_harm(seed: int) -> None:
    report = requests.run(seed, seconds=25)
    print(report)
    assert not report.failures, report
