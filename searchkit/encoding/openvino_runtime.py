"""The CPU as OpenVINO sees it: one core a process, and the precisions that are fast here."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any


def openvino() -> Any:  # noqa: ANN401
    """Import OpenVINO without its telemetry and its converter.

    On import they write to ~/intel and connect to a server, and cost 60 ms.
    """
    with block_imports("openvino_telemetry", "openvino.tools.ovc"):
        import openvino

    return openvino


@cache
def openvino_core() -> Any:  # noqa: ANN401
    """Return the one core of this process.

    With the last of its cores OpenVINO unloads what runs the networks, and loads it anew with the
    next: an index closed and opened again would do so beneath threads that are still winding down.
    """
    return openvino().Core()


def use_one_thread() -> None:
    """Let networks that are loaded from now on in this process compute on one core alone."""
    openvino_core().set_property("CPU", {"INFERENCE_NUM_THREADS": 1})


def half_precisions() -> list[str]:
    """Name the half precisions that this CPU computes in, the fastest first."""
    able = openvino_core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    return [name for name, there in (("bf16", "BF16"), ("f16", "FP16")) if there in able]


@contextmanager
def block_imports(*names: str) -> Iterator[None]:
    """Make importing these modules fail meanwhile, so that what needs them does without."""
    absent = [name for name in names if name not in sys.modules]
    for name in absent:
        sys.modules[name] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]
