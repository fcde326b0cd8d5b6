"""FAISS's threads sleep while they wait."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

SEARCH = """
import os
import numpy as np
from searchkit.index.vectors.vector_index import VectorIndex
index = VectorIndex(8)
index.add(np.arange(9), np.eye(9, 8, dtype=np.float32))
index.search(np.eye(1, 8, dtype=np.float32), 3)
print(os.environ.get("OMP_WAIT_POLICY"))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="other libraries print it in other words")
@pytest.mark.parametrize(
    ("chosen", "policy"), [(None, "PASSIVE"), ("active", "ACTIVE"), ("passive", "PASSIVE")]
)
def test_threads_sleep_unless_the_environment_says_otherwise(
    chosen: str | None, policy: str
) -> None:
    environment = {**os.environ, "OMP_DISPLAY_ENV": "true"}
    environment.pop("OMP_WAIT_POLICY", None)
    if chosen:
        environment["OMP_WAIT_POLICY"] = chosen
    done = subprocess.run(
        [sys.executable, "-c", SEARCH], env=environment, capture_output=True, text=True, check=True
    )
    assert f"OMP_WAIT_POLICY = '{policy}'" in done.stderr
    assert done.stdout.strip() == str(chosen)  # the environment of other programs is as it was
