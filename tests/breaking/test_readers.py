"""Readers beside a writer for some seconds; `make break` tries more."""

from __future__ import annotations

import pytest
from breaking import readers


@pytest.mark.slow
@pytest.mark.parametrize("seed", [20261127])
def test_readers_see_whole_states(seed: int) -> None:
    report = readers.run(seed, seconds=25)
    print(report)
    assert not report.failures, report
