"""Shards: arrays and texts as files in a folder that every worker reaches.

Arrays are `.npy` files, not Parquet: a worker maps them, so that it reads the rows of its block and
no others, all workers of a machine share one copy, and what is multiplied is, bit for bit, what was
written. Parquet would be decoded into a copy for each worker, and unit vectors don't compress.
Texts are Parquet. Nothing is pickled.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


def write_array(path: Path, array: NDArray[Any]) -> None:
    """Write an array; the file appears when it is whole, and a task that is retried replaces it."""
    unready = _beside(path)
    with unready.open("wb") as file:
        np.save(file, array, allow_pickle=False)
    unready.replace(path)


def map_array(path: Path) -> NDArray[Any]:
    """Return a mapped array: pages are read as they are touched, and changes are private."""
    if path.stat().st_size < 4096:  # an array without elements can't be mapped
        return read_array(path)
    array: NDArray[Any] = np.load(path, mmap_mode="c", allow_pickle=False)
    return np.asarray(array)


def read_array(path: Path) -> NDArray[Any]:
    """Read an array into memory."""
    array: NDArray[Any] = np.load(path, allow_pickle=False)
    return array


def write_texts(path: Path, texts: Sequence[str]) -> None:
    """Write texts; as `write_array`."""
    import pyarrow
    from pyarrow import parquet

    unready = _beside(path)
    column = pyarrow.array(texts, pyarrow.large_string())
    parquet.write_table(pyarrow.table({"text": column}), unready)
    unready.replace(path)


def read_texts(path: Path) -> list[str]:
    """Read texts, in their order."""
    from pyarrow import parquet

    texts: list[str] = parquet.read_table(path, columns=["text"])["text"].to_pylist()
    return texts


def _beside(path: Path) -> Path:
    return path.with_name(f"{path.name}.{platform.node()}-{os.getpid()}")
