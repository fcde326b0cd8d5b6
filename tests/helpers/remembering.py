"""The vectors of texts, remembered by all processes of a run: the demo corpus is embedded once.

`python -m helpers.remembering FILE …` is `searchkit …` with the vectors of a file.
"""

from __future__ import annotations

import hashlib
import sqlite3
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from searchkit.core.arrays import Float32
from searchkit.core.progress import Progress
from searchkit.encoding.batch_encoder import BatchEncoder

_embed = BatchEncoder._embed

MEMORY = "SEARCHKIT_TESTS_MEMORY"
"""Names the file of vectors in the environment of a test run's processes."""


class Memory:
    """Embeds texts as `BatchEncoder` does, each once for all processes that have its file."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._db = sqlite3.connect(path, 60, isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode = wal")
        self._db.execute("CREATE TABLE IF NOT EXISTS vectors (key BLOB PRIMARY KEY, vector BLOB)")

    def embed(
        self, encoder: BatchEncoder, texts: Sequence[str], prompt: str, progress: Progress | None
    ) -> Float32:
        """Return the vectors of texts, `(n, d)`; the encoder sees those that are new."""
        said = f"{type(encoder).__name__} {encoder.fingerprint} {prompt}\0"
        keys = [hashlib.sha256(f"{said}{t}".encode(errors="surrogatepass")).digest() for t in texts]
        with self._lock:
            known = {key: self._get(key) for key in keys}
        new = {key: text for key, text in zip(keys, texts, strict=True) if known[key] is None}
        if new:
            vectors = _embed(encoder, list(new.values()), prompt, progress)
            rows = [(key, row.tobytes()) for key, row in zip(new, vectors, strict=True)]
            known |= dict(rows)
            with self._lock:
                self._db.executemany("INSERT OR IGNORE INTO vectors VALUES (?, ?)", rows)
        found = np.frombuffer(b"".join(known[key] or b"" for key in keys), np.float32)
        return found.reshape(len(keys), encoder.dimension).copy()

    def _get(self, key: bytes) -> bytes | None:
        row = self._db.execute("SELECT vector FROM vectors WHERE key = ?", [key]).fetchone()
        return row[0] if row else None

    def close(self) -> None:
        self._db.close()


def remember(path: Path | str) -> None:
    """Let this process embed no text that another one with this file has, until it ends."""
    memory = Memory(Path(path))
    BatchEncoder._embed = lambda *arguments: memory.embed(*arguments)


if __name__ == "__main__":
    from searchkit.__main__ import main

    remember(sys.argv.pop(1))
    main()
