"""Files of arrays and texts in a folder that every worker reaches.

Arrays are `.npy` files, not Parquet: what is read is, bit for bit, what was written, and unit
vectors don't compress. Texts are Parquet. Nothing is pickled.
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
    """Write an array.

    The file appears when it is complete, and replaces that of an earlier try.
    """
    unfinished = unfinished_path(path)
    with unfinished.open("wb") as file:
        np.save(file, array, allow_pickle=False)
    unfinished.replace(path)


def read_array(path: Path) -> NDArray[Any]:
    """Read an array into memory."""
    array: NDArray[Any] = np.load(path, allow_pickle=False)
    return array


def write_texts(path: Path, texts: Sequence[str]) -> None:
    """Write texts; the file appears when it is complete, as in `write_array`."""
    import pyarrow
    from pyarrow import parquet

    unfinished = unfinished_path(path)
    column = pyarrow.array(texts, pyarrow.large_string())
    parquet.write_table(pyarrow.table({"text": column}), unfinished)
    unfinished.replace(path)


def read_texts(path: Path) -> list[str]:
    """Read texts, in their order."""
    from pyarrow import parquet

    texts: list[str] = parquet.read_table(path, columns=["text"])["text"].to_pylist()
    return texts


def unfinished_path(path: Path) -> Path:
    """Return a path beside `path` that no other process writes to."""
    return path.with_name(f"{path.name}.{platform.node()}-{os.getpid()}")
