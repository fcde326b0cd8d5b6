"""Packing: objects for another process, with their arrays in a file that the process maps.

A pickle travels through the runner's own channel and holds everything but arrays. These go into one
file in a folder that every worker reaches: a worker maps it, so that it reads only the rows that it
needs, all workers of a machine share one copy, and the numbers are bit for bit those that were
written. Nothing that is read from the folder is unpickled.
"""

from __future__ import annotations

import io
import pickle
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from searchkit.runners.files import unfinished_path

MIN_BYTES = 512  # smaller arrays stay in the pickle
ALIGNMENT = 64  # bytes: every array begins at a multiple of it
NUMBERS = "biufc"  # kinds of dtypes whose bytes say everything

ArrayKey = tuple[int, str, tuple[int, ...]]  # offset in the file, dtype, shape


@dataclass(frozen=True, slots=True)
class Packed:
    """An object that can be sent to another process.

    Attributes:
        pickled: The object without its larger arrays.
        path: The file with these arrays; None if there are none.
    """

    pickled: bytes
    path: Path | None

    def unpack(self, *, mapped: bool) -> Any:  # noqa: ANN401
        """Return a copy of the object.

        Args:
            mapped: Map the arrays: pages are read when they are touched, and changes are private.
                Otherwise they are read into memory, and the file is no longer needed.
        """
        buffer = np.empty(0, np.uint8)
        if self.path is not None:
            buffer = (
                np.asarray(np.memmap(self.path, np.uint8, "c"))
                if mapped
                else np.fromfile(self.path, np.uint8)
            )
        return _Unpickler(io.BytesIO(self.pickled), buffer).load()

    def delete(self) -> None:
        """Delete the file, if there is one."""
        if self.path is not None:
            self.path.unlink(missing_ok=True)


def pack(value: object, path: Path) -> Packed:
    """Pickle an object and write its arrays to a file.

    Args:
        value: Any picklable object. An iterator is consumed and packed as a list.
        path: Where arrays are written, if there are any. The file appears when it is complete, and
            replaces that of an earlier try.
    """
    value = list(value) if isinstance(value, Iterator) else value
    stream, unfinished = io.BytesIO(), unfinished_path(path)
    with unfinished.open("wb") as file:
        _Pickler(stream, file).dump(value)
        has_arrays = file.tell() > 0
    if not has_arrays:
        unfinished.unlink()
        return Packed(stream.getvalue(), None)
    unfinished.replace(path)
    return Packed(stream.getvalue(), path)


class _Pickler(pickle.Pickler):
    """Pickles an object, and writes its arrays to a file instead."""

    def __init__(self, stream: BinaryIO, file: BinaryIO) -> None:
        super().__init__(stream, protocol=pickle.HIGHEST_PROTOCOL)
        self._file = file

    def persistent_id(self, value: object) -> ArrayKey | None:
        """Write an array, and return its key; None for everything else."""
        if not isinstance(value, np.ndarray) or value.nbytes < MIN_BYTES:
            return None
        if value.dtype.kind not in NUMBERS:
            return None
        self._file.write(b"\0" * (-self._file.tell() % ALIGNMENT))
        offset = self._file.tell()
        self._file.write(np.ascontiguousarray(value).data)
        return offset, value.dtype.str, value.shape


class _Unpickler(pickle.Unpickler):
    """Loads an object whose arrays are in a buffer."""

    def __init__(self, stream: BinaryIO, buffer: NDArray[np.uint8]) -> None:
        super().__init__(stream)
        self._buffer = buffer

    def persistent_load(self, key: ArrayKey) -> NDArray[Any]:
        """Return an array as a view of the buffer."""
        offset, dtype, shape = key
        array: NDArray[Any] = np.ndarray(shape, dtype, self._buffer, offset)
        return array
