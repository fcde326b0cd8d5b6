"""The vectors of sentences, kept by the hash of their text; no text is kept.

Whatever is kept belongs to an answer of the index. So a writer that deletes or replaces answers
forgets their sentences after its commit, also those that another answer has: these are embedded
again. A reader keeps nothing if the answers have changed since it was opened. The revision of the
answers is recorded with each forgetting: where a writer was killed in between, the next one sees
another revision, and drops what belongs to no answer.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from sqlite3 import Connection

import numpy as np

from searchkit.core.arrays import Float16
from searchkit.core.errors import SearchkitError
from searchkit.core.messages import counted
from searchkit.index.cache.database import Absent, CacheDatabase, Unusable
from searchkit.index.embedding import passage_hash
from searchkit.index.storage.store import AnswerStore
from searchkit.text.words import sentence_spans

log = logging.getLogger("searchkit")
MAX_PENDING = 2_000  # vectors that are held back, so that they are written in one transaction
_CHECKSUM_BYTES = 8
_MAX_PARAMETERS = 30_000  # of one statement; SQLite takes 32,766


class SentenceCache:
    """The vectors of the sentences of an index's answers, in its file `cache.db`."""

    def __init__(self, folder: Path, store: AnswerStore) -> None:
        self._database = CacheDatabase(folder, store)
        self._store = store
        self._pending: dict[bytes, Float16] = {}

    def close(self) -> None:
        """Write what was held back, and close the file; closing it twice is harmless."""
        self._write_pending()
        self._database.close()

    # -- for everybody ---------------------------------------------------------------------------

    def get(self, hashes: Iterable[bytes]) -> dict[bytes, Float16]:
        """Return the `(d,)` vector of each of these SHA-256 that is kept and sound."""
        vectors, others = {}, []
        for sha in hashes:
            if sha in self._pending:
                vectors[sha] = self._pending[sha]
            else:
                others.append(sha)
        with suppress(Unusable), self._database.reading() as connection:
            vectors |= _read(connection, others, 2 * self._store.model().dimension)
        return vectors

    def put(self, vectors: Mapping[bytes, Float16]) -> None:
        """Keep vectors, `(d,)` each, of sentences of the index's answers, by SHA-256."""
        self._pending |= vectors
        if len(self._pending) >= MAX_PENDING:
            self._write_pending()

    def _write_pending(self) -> None:
        pending, self._pending = self._pending, {}
        if not pending:
            return
        with suppress(Unusable, SearchkitError), self._database.writing() as connection:
            # Asked for within the transaction: a writer's forgetting then comes after it.
            if self._store.is_newest():
                connection.executemany(
                    "INSERT OR REPLACE INTO sentences VALUES (?, ?, ?)",
                    ((_key(sha), row.tobytes(), _checksum(sha, row.tobytes()))
                     for sha, row in pending.items()),
                )  # fmt: skip

    # -- for the writer --------------------------------------------------------------------------

    @contextmanager
    def forgetting(self, keys: Sequence[int]) -> Iterator[None]:
        """Forget the sentences of the answers with these keys, which the block deletes or replaces.

        The block commits.
        """
        hashes = self._hashes_of(keys) if self._database.exists() else set()
        yield
        self._pending.clear()
        if hashes is None:
            self.prune()
        elif self._database.exists():
            with self._saying_what_stays(), self._database.writing() as connection:
                self._forget(connection, map(_key, hashes))

    def catch_up(self) -> None:
        """Drop what belongs to no answer, if a writer was killed before it had forgotten that."""
        with suppress(Unusable):
            with self._database.reading() as connection:
                ((revision,),) = connection.execute("SELECT revision FROM state").fetchall()
            if revision != self._store.revision():
                self.prune()

    def prune(self) -> None:
        """Drop what is damaged or belongs to no answer, and erase it."""
        if not self._database.exists():
            return
        with self._saying_what_stays():
            with self._database.writing() as connection:
                damaged, unknown = self._find_bad(connection)
                self._forget(connection, damaged + unknown)
            self._database.vacuum()

    def vacuum(self) -> None:
        """Leave no byte of what was forgotten in the file."""
        if self._database.exists():
            with self._saying_what_stays():
                self._database.vacuum()

    def clear(self) -> None:
        """Drop everything."""
        self._pending.clear()
        self._database.remove()

    def rebuild(self) -> None:
        """Drop what is damaged or belongs to no answer; all of it if the file can't be read."""
        try:
            with self._database.reading():
                pass
        except Unusable:
            self.clear()
        self.prune()

    def problems(self) -> Iterator[str]:
        """Yield what is wrong with the file, in one line each."""
        try:
            with self._database.reading() as connection:
                damaged, unknown = self._find_bad(connection)
        except Absent:
            return
        except Unusable as error:
            yield str(error)
            return
        if not self._store.is_newest():
            return  # another process may have kept what belongs to newer answers
        for keys, what in ((damaged, "damaged"), (unknown, "of no answer")):
            if keys:
                count = counted(len(keys), "vector of a sentence", "vectors of sentences")
                yield f"{self._database.path}: {count} {what}"

    def _find_bad(self, connection: Connection) -> tuple[list[int], list[int]]:
        """Return the keys of the vectors that are damaged, and of those that have no answer."""
        kept = {key for (key,) in connection.execute("SELECT key FROM sentences")}
        sha_of: dict[int, bytes] = {}
        for text in self._store.texts() if kept else ():
            sha_of |= {key: sha for sha in sentence_hashes([text]) if (key := _key(sha)) in kept}
        rows = connection.execute("SELECT key, vector, checksum FROM sentences")
        damaged = [key for key, *row in rows if key in sha_of and not _is_sound(sha_of[key], *row)]
        return damaged, sorted(kept - sha_of.keys())

    def _forget(self, connection: Connection, keys: Iterable[int]) -> None:
        """Delete vectors, and record the revision; part of a transaction."""
        connection.executemany("DELETE FROM sentences WHERE key = ?", ((key,) for key in keys))
        connection.execute("UPDATE state SET revision = ?", [self._store.revision()])

    def _hashes_of(self, keys: Sequence[int]) -> set[bytes] | None:
        """Return the hashes of the sentences of answers; None if one isn't what was written."""
        if self._store.damaged_keys(keys):
            return None
        return sentence_hashes(self._store.texts(keys))

    @contextmanager
    def _saying_what_stays(self) -> Iterator[None]:
        try:
            yield
        except Unusable as error:
            log.warning(
                "%s; vectors of sentences that were deleted may stay there until the next command "
                "writes",
                error,
            )


def sentence_hashes(texts: Iterable[str]) -> set[bytes]:
    """Return the SHA-256 of every sentence of some answers' texts."""
    return {passage_hash(text[start:end]) for text in texts for start, end in sentence_spans(text)}


def _read(connection: Connection, hashes: Sequence[bytes], size: int) -> dict[bytes, Float16]:
    """Return the vectors of `size` bytes that are kept; a damaged one is none."""
    sha_of = {_key(sha): sha for sha in hashes}
    keys, vectors = list(sha_of), {}
    for at in range(0, len(keys), _MAX_PARAMETERS):
        block = keys[at : at + _MAX_PARAMETERS]
        marks = ",".join("?" * len(block))
        sql = f"SELECT key, vector, checksum FROM sentences WHERE key IN ({marks})"
        for key, vector, checksum in connection.execute(sql, block):
            if _is_sound(sha_of[key], vector, checksum) and len(vector) == size:
                vectors[sha_of[key]] = np.frombuffer(vector, np.float16)
    return vectors


def _key(sha: bytes) -> int:
    """Return the first 8 bytes of a hash as SQLite's number of a row; the checksum has the rest."""
    return int.from_bytes(sha[:8], "big", signed=True)


def _checksum(sha: bytes, vector: bytes) -> bytes:
    return hashlib.blake2b(sha + vector, digest_size=_CHECKSUM_BYTES).digest()


def _is_sound(sha: bytes, vector: object, checksum: object) -> bool:
    """Whether a row is what was written for a sentence."""
    return isinstance(vector, bytes) and checksum == _checksum(sha, vector)
