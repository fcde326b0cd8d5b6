"""The vectors that all readers of one state of an index share."""

from __future__ import annotations

import threading
from collections.abc import Callable

from searchkit.index.vectors.vector_index import VectorIndex


class SharedVectors:
    """All vectors of one state of an index, loaded once; a writer shares its own with nobody.

    Attributes:
        vectors: They; None if they aren't loaded.
        key: A hash of them and the model; None if nobody has asked for it.
    """

    def __init__(self) -> None:
        self.vectors: VectorIndex | None = None
        self.key: bytes | None = None
        self._lock = threading.Lock()

    def load(self, load: Callable[[], VectorIndex]) -> VectorIndex:
        """Return the vectors; the first caller loads them, others wait for that."""
        vectors = self.vectors  # without the lock, as another may be reading millions of rows
        return self.replace(None, load) if vectors is None else vectors

    def replace(self, damaged: VectorIndex | None, load: Callable[[], VectorIndex]) -> VectorIndex:
        """Return other vectors than the damaged ones, which the first caller loads."""
        with self._lock:
            if self.vectors is damaged or self.vectors is None:
                self.vectors = load()
            return self.vectors
