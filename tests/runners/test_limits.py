"""What the process may use of the machine."""

from __future__ import annotations

import os
import sys

import pytest

from searchkit.runners.limits import usable_cores


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says which cores a process has")
def test_cores_that_the_process_may_not_use_do_not_count() -> None:
    allowed = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(allowed)})
        assert usable_cores() == 1
    finally:
        os.sched_setaffinity(0, allowed)
    assert usable_cores() == len(allowed)
