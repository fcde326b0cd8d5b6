"""Each program that tries to break searchkit, for 15 seconds; `make break` runs them longer."""

from __future__ import annotations

from importlib import import_module

import pytest
from breaking.__main__ import SHARES


@pytest.mark.slow
@pytest.mark.parametrize("name", SHARES)
def test_no_promise_is_broken(name: str) -> None:
    report = import_module(f"breaking.{name}").run(20261127, seconds=15)
    print(report)
    assert not report.failures, report
