"""Killed at any step, an index is in the state before or after, and can be used."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from helpers.files import TESTS


@pytest.mark.crash
@pytest.mark.parametrize(
    "scenario",
    [
        *("ingest", "update", "delete", "take over", "rebuild"),
        *("grade", "reindex", "resume", "migrate"),
    ],
)
def test_sigkill_at_every_step(scenario: str, tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "helpers.crash_driver", scenario, str(tmp_path)],
        capture_output=True, text=True, timeout=600, cwd=TESTS,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr[-3000:]
    assert int(run.stdout) > 20  # else the steps were not seen, and nothing was tested
