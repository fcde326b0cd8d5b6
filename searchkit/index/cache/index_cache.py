"""The cache of an index: vectors of sentences, and results, kept until their answers are gone.

Whatever is kept belongs to answers of the index. So a writer that deletes or replaces answers
forgets their sentences after its commit, also those that another answer has: these are embedded
again. With any change of answers all results of them are forgotten. A reader keeps nothing if the
answers have changed since it was opened. The revision of the answers is recorded with each
forgetting: where a writer was killed in between, the next one sees another revision, and drops what
belongs to no answer.
"""

from __future__ import annotations

import logging
from collections import ChainMap
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from sqlite3 import Connection

from searchkit.core.arrays import Float16
from searchkit.core.errors import SearchkitError
from searchkit.core.messages import counted
from searchkit.index.cache.database import Absent, CacheDatabase, Unusable
from searchkit.index.cache.results import (
    bad_results,
    delete_results,
    delete_results_of_answers,
    read_result,
    write_result,
)
from searchkit.index.cache.sentences import (
    bad_rows,
    delete_rows,
    delete_vectors,
    read_vectors,
    sentence_hashes,
    write_vectors,
)
from searchkit.index.storage.store import AnswerStore

log = logging.getLogger("searchkit")
MAX_PENDING = 2_000  # vectors that are held back, so that they are written in one transaction


class IndexCache:
    """What an index keeps in its file `cache.db`."""

    def __init__(self, folder: Path, store: AnswerStore) -> None:
        self._database = CacheDatabase(folder, store)
        self._store = store
        self._pending: dict[bytes, Float16] = {}
        self._unwritten: dict[bytes, Float16] = {}  # what the file didn't take

    def close(self) -> None:
        """Write what was held back, and close the file; closing it twice is harmless."""
        self._write_pending()
        self._database.close()

    # -- for everybody ---------------------------------------------------------------------------

    def get(self, hashes: Iterable[bytes]) -> dict[bytes, Float16]:
        """Return the `(d,)` vector of each of these SHA-256 that is kept and sound."""
        wanted, memory = set(hashes), ChainMap(self._pending, self._unwritten)
        vectors = {sha: memory[sha] for sha in wanted & memory.keys()}
        wanted -= vectors.keys()
        with suppress(Unusable), self._database.reading() as connection:
            vectors |= read_vectors(
                connection, wanted - vectors.keys(), self._store.model().dimension
            )
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
        if not self._keep(partial(write_vectors, vectors=pending)):
            self._unwritten |= pending

    def get_result(self, key: bytes) -> bytes | None:
        """Return the result that is kept under a key; None if there is none."""
        with suppress(Unusable), self._database.reading() as connection:
            return read_result(connection, key)
        return None

    def put_result(self, key: bytes, value: bytes) -> None:
        """Keep a result of the index's answers under a key of everything that it depends on."""
        self._keep(partial(write_result, key=key, value=value, revision=self._store.revision()))

    def put_file_result(self, key: bytes, value: bytes) -> None:
        """Keep a result of the vectors' file alone, also when answers change."""
        self._keep(partial(write_result, key=key, value=value, revision=None))

    def _keep(self, write: Callable[[Connection], None]) -> bool:
        """Write in a transaction; False if answers have changed, or the file can't be written."""
        with suppress(Unusable, SearchkitError), self._database.writing() as connection:
            # Asked for within the transaction: a writer's forgetting then comes after it.
            if self._store.is_newest():
                write(connection)
                return True
        return False

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
                delete_vectors(connection, hashes)
                delete_results_of_answers(connection)
                self._record_revision(connection)

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
                damaged, unknown = bad_rows(connection, self._store.texts())
                delete_rows(connection, damaged + unknown)
                delete_results(connection)
                self._record_revision(connection)
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
                damaged, unknown = map(len, bad_rows(connection, self._store.texts()))
                damaged_results, other_results = bad_results(connection, self._store.revision())
        except Absent:
            return
        except Unusable as error:
            yield str(error)
            return
        if not self._store.is_newest():
            return  # another process may have kept what belongs to newer answers
        for number, noun, plural in (
            (damaged, "damaged vector of a sentence", "damaged vectors of sentences"),
            (unknown, "vector of a sentence of no answer", "vectors of sentences of no answer"),
            (damaged_results, "damaged result", "damaged results"),
            (other_results, "result of other answers", "results of other answers"),
        ):
            if number:
                yield f"{self._database.path}: {counted(number, noun, plural)}"

    def _record_revision(self, connection: Connection) -> None:
        """Record to which answers all rows belong; part of a transaction."""
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
                "%s; what was kept of deleted answers may stay there until the next command writes",
                error,
            )
