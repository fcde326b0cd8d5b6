"""OpenVINO's runtime: the process's core, its threads, and the precisions that the CPU supports."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar

from searchkit.runners.cores import usable_cores

if TYPE_CHECKING:
    from openvino import CompiledModel, Core, InferRequest

Label = TypeVar("Label")


def openvino() -> ModuleType:
    """Import OpenVINO without its telemetry and its converter.

    On import these write to ~/intel, connect to a server, and take 60 ms.
    """
    with block_imports("openvino_telemetry", "openvino.tools.ovc"):
        import openvino

    module: ModuleType = openvino
    return module


@cache
def openvino_core() -> Core:
    """Return the process's only core.

    When its last core is destroyed, OpenVINO unloads its CPU plugin, and loads it again for the
    next core; closing and reopening an index would do this under threads that are still ending.
    """
    return openvino().Core()


def use_one_thread() -> None:
    """Let networks that this process loads from now on compute on one core only."""
    openvino_core().set_property("CPU", {"INFERENCE_NUM_THREADS": 1})


def thread_count() -> int:
    """Return on how many cores networks compute that this process loads from now on."""
    chosen = int(openvino_core().get_property("CPU", "INFERENCE_NUM_THREADS"))
    return chosen or usable_cores()


def half_precisions() -> list[str]:
    """Return the half precisions that this CPU computes in, the fastest first."""
    capabilities = openvino_core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    return [name for name, flag in (("bf16", "BF16"), ("f16", "FP16")) if flag in capabilities]


def infer_in_turn(
    network: CompiledModel, batches: Iterable[tuple[Label, list[Any]]]
) -> Generator[tuple[Label, InferRequest]]:
    """Yield the label of each batch with the request that has computed it, in order.

    As many are computed at once as the network has streams, and the next one is prepared meanwhile.

    Args:
        network: Computes; what it puts out is in the request until the next one is yielded.
        batches: Each a label and the input tensors; the label keeps memory that they only borrow.
    """
    streams = network.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS")
    free: list[InferRequest] = []
    running: deque[tuple[Label, InferRequest]] = deque()
    try:
        for label, tensors in batches:
            request = free.pop() if free else network.create_infer_request()
            request.start_async(tensors)
            running.append((label, request))
            if len(running) > streams:
                running[0][1].wait()
                yield running[0]
                free.append(running.popleft()[1])
        for label, request in running:
            request.wait()
            yield label, request
    finally:
        for _, request in running:
            request.wait()  # it reads the tensors


@contextmanager
def block_imports(*names: str) -> Iterator[None]:
    """Make imports of these modules fail inside the block, unless they are imported already."""
    blocked = [name for name in names if name not in sys.modules]
    for name in blocked:
        sys.modules[name] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        for name in blocked:
            del sys.modules[name]
