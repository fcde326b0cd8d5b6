"""An index in a folder: a SQLite database and a FAISS file."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import numpy as np

from searchkit.core.arrays import Float16
from searchkit.core.errors import BadInput, IndexNotFound, as_list
from searchkit.core.records import Answer
from searchkit.encoding.encoder import Encoder
from searchkit.encoding.loading import load_encoder
from searchkit.index.cache.index_cache import IndexCache
from searchkit.index.embedding import check_answers, model_of
from searchkit.index.folder_reading import FolderReader
from searchkit.index.records import Decision, GradingChange, SplitAnswer, with_values
from searchkit.index.storage.connection import ChangeWatch
from searchkit.index.storage.lock import WriterLock
from searchkit.index.storage.schema import DATABASE, is_index, no_index
from searchkit.index.storage.store import AnswerStore
from searchkit.index.storage.successor import Successor
from searchkit.index.vectors.checkpoint import Checkpoints
from searchkit.index.vectors.sharing import SharedVectors

log = logging.getLogger("searchkit")


class Index(FolderReader):
    """A corpus of answers in a folder, searchable by meaning and by words.

    `Index.create` makes one, and `Index.open` opens one; use it in a `with` block, or call `close`.
    An index that was opened for reading shows the state of that moment for as long as it is open,
    whatever is written meanwhile; one that was opened with `write=True` keeps other writers out.
    One thread at a time uses an index; another one needs its own, from `reopened`.

    Attributes:
        path: The folder.
        store: The database.
        checkpoints: The FAISS files.
        cache: Vectors of sentences, and results.
    """

    def __init__(
        self,
        path: Path,
        store: AnswerStore,
        *,
        lock: WriterLock | None = None,
        encoder: Encoder | None = None,
    ) -> None:
        self.path = path
        self.store = store
        self.checkpoints = Checkpoints(path, store)
        self.cache = IndexCache(path, store)
        self._lock = lock
        self._encoder = encoder
        self._shared = SharedVectors()
        self._identity = ("", 0, 0)

    # -- opening and closing ---------------------------------------------------------------------

    @classmethod
    def create(cls, path: str | Path, encoder: Encoder | None = None) -> Self:
        """Create an empty index, open for writing.

        Args:
            path: The folder; created if it doesn't exist.
            encoder: The model to embed answers with; None for the model that comes with searchkit.

        Raises:
            BadInput: if there is an index in the folder.
            StorageFailed: if the folder can't be written.
        """
        folder = Path(path)
        lock = WriterLock.of(folder, create=True)
        try:
            if is_index(folder):
                raise BadInput(f"{folder}: there is an index already; open it or delete it first")
            encoder = encoder or load_encoder(notify=log.info)
            store = AnswerStore.create(folder / DATABASE, model_of(encoder))
            IndexCache(folder, store).clear()  # that of an earlier index
        except BaseException:
            lock.release()
            raise
        return cls(folder, store, lock=lock, encoder=encoder)

    @classmethod
    def open(cls, path: str | Path, *, write: bool = False, encoder: Encoder | None = None) -> Self:
        """Open an index.

        Args:
            path: The folder.
            write: Whether answers will be added or removed; there is one writer at a time.
            encoder: The model that the index was made with, if it is loaded; None loads it when it
                is first needed.

        Raises:
            IndexNotFound: if there is no index.
            IndexMismatch: if it was made with another model, or by a newer searchkit.
            IndexBusy: if `write` and another process is writing.
            IndexDamaged: if the database is damaged, or none of searchkit's.
        """
        folder = Path(path)
        if not is_index(folder):
            raise IndexNotFound(no_index(folder))
        database = folder / DATABASE
        with ExitStack() as stack:
            lock = WriterLock.of(folder) if write else None
            if lock:
                stack.callback(lock.release)
            store = AnswerStore.write(database) if write else AnswerStore.read(database)
            index = cls(folder, store, lock=lock, encoder=encoder)
            stack.callback(index._release)
            if not write:
                index._pin()
            index._check_model()
            inode = database.stat().st_ino
            index._identity = (index.model.fingerprint, inode, index.store.revision())
            if write:
                index.cache.catch_up()
            index._erase_if_needed()
            stack.pop_all()  # nothing failed, so it stays open
        return index

    def _pin(self) -> None:
        """Keep the FAISS file open; if it has been replaced already, take the newest state."""
        while not self.checkpoints.pin() and not self.store.is_newest():
            self.store.close()
            self.store = AnswerStore.read(self.path / DATABASE)
            self.checkpoints = Checkpoints(self.path, self.store)
            self.cache = IndexCache(self.path, self.store)

    def reopened(self, *, with_new_files: bool = False) -> Index:
        """Open the newest state for reading, with this index's model and vectors if they fit.

        Both indexes can be used, each by one thread at a time, and are closed separately; this one
        may be closed already.

        Args:
            with_new_files: Whether a FAISS file or codes that were written meanwhile are read, also
                for the same answers.
        """
        newest = Index.open(self.path)
        if newest._identity[0] == self._identity[0]:
            newest._encoder = self._encoder
            has_new_files = newest.checkpoints.pinned_files != self.checkpoints.pinned_files
            is_outdated = with_new_files and has_new_files
            if self._lock is None and newest.has_answers_of(self) and not is_outdated:
                newest._shared = self._shared
        return newest

    @staticmethod
    def watch(path: Path) -> ChangeWatch:
        """Return what tells whether the index in a folder has changed; close it after use."""
        return ChangeWatch(path / DATABASE)

    def close(self) -> None:
        """Close; a writer first makes a checkpoint, if it pays, and empties the log."""
        try:
            if self._lock:
                self.checkpoint(only_if_outgrown=True)
                self.flush()
        finally:
            self._release()

    def _release(self) -> None:
        self.cache.close()
        self.checkpoints.close()
        self.store.close()
        if self._lock:
            self._shared.vectors = None
            self._lock.release()
            self._lock = None

    # -- writing ---------------------------------------------------------------------------------

    def remove(self, ids: Sequence[str]) -> int:
        """Delete answers and erase them: no byte of their text or vectors stays in the folder.

        Returns:
            How many answers were deleted.

        Raises:
            NotFound: if there is no answer with one of the ids; nothing was deleted.
        """
        self.require_writer()
        return self._remove(self._keys(as_list("ids", ids, str)))

    def _remove(self, keys: Sequence[int]) -> int:
        if keys:
            with self.cache.forgetting(keys):
                self._update_vectors(self.store.delete(keys))
            self._erase_if_needed()
        return len(keys)

    def add_decisions(self, decisions: Iterable[Decision]) -> list[Decision]:
        """Store decisions in one commit; return them with their numbers."""
        self.require_writer()
        return self.store.decisions.add(decisions)

    def remove_decisions(self, first: int | None, last: int | None = None) -> list[Decision]:
        """Delete and return decisions: from one number to another, one, or the latest of all."""
        self.require_writer()
        return self.store.decisions.remove(first, last)

    def add_grading_change(self, change: GradingChange) -> GradingChange:
        """Write what a change writes into columns, and store it; return it with its number."""
        self.require_writer()
        columns: dict[str, dict[str, str | None]] = {}
        for cell in change.cells:
            columns.setdefault(cell.answer, {})[cell.column] = cell.after
        answers = self._get_all(list(columns))
        changed = [
            replace(answer, written=with_values(answer.written, columns[id_]))
            for id_, answer in answers.items()
        ]
        check_answers(changed)
        with self.store.transaction():
            self.store.update_columns(changed)
            return self.store.grading.add(change)

    def checkpoint(self, *, only_if_outgrown: bool = False) -> None:
        """Write the vectors as a FAISS file, so that opening doesn't read them row by row."""
        self.require_writer()
        if not only_if_outgrown or self.checkpoints.table.is_outgrown():
            self._with_vectors(self.checkpoints.write)
            self._shared.vectors = None  # the next search maps the new file
        self.checkpoints.write_codes()

    def flush(self) -> None:
        """Move the write-ahead log into the database, unless a reader prevents it."""
        self.store.flush_log(wait=False)

    def rebuild(self) -> None:
        """Make full text, pages and FAISS file again, and mend what sound rows can mend.

        A damaged FAISS file is set aside, not deleted. `verify` tells what is left.
        """
        from searchkit.index.upkeep.folder_repair import rebuild_files

        self.require_writer()
        self._shared.vectors = None
        rebuild_files(self.store, self.checkpoints)
        self.cache.rebuild()

    def damaged_ids(self) -> list[str]:
        """Return the ids, as they stand there, of the answers that aren't what was written."""
        from searchkit.index.upkeep.damage import damaged_answers

        return [answer.id for answer in damaged_answers(self.store)]

    def remove_damaged(self) -> int:
        """Delete and erase the answers that aren't what was written; return how many."""
        from searchkit.index.upkeep.damage import damaged_answers

        self.require_writer()
        return self._remove([answer.key for answer in damaged_answers(self.store)])

    def embed_damaged(self) -> int:
        """Embed again the answers with sound texts whose passages or vectors are damaged.

        Returns:
            The number of answers.
        """
        from searchkit.index.upkeep.folder_repair import embed_damaged

        self.require_writer()
        self._shared.vectors = None
        count = embed_damaged(self.store, self.encoder)
        self.cache.catch_up()
        return count

    def _known(self, hashes: set[bytes]) -> Mapping[bytes, Any]:
        return self.store.known(hashes)

    def _put(
        self,
        answers: Sequence[SplitAnswer],
        same_text: Sequence[Answer],
        known: Mapping[bytes, Any],
        hashes: Sequence[bytes],
        vectors: Float16,
    ) -> None:
        replaced = self.store.keys([split.answer.id for split in answers])
        with self.cache.forgetting(list(replaced.values())):
            self._update_vectors(self.store.put(answers, same_text, hashes, vectors))
        if any(split.is_other for split in answers):
            self._erase_if_needed()

    def _update_columns(self, answers: Sequence[Answer]) -> None:
        self.store.update_columns(answers)

    def _update_vectors(self, deleted: Sequence[int]) -> None:
        """Bring the loaded vectors, if they are, up to the table."""
        vectors = self._shared.vectors
        if vectors is not None:
            vectors.remove(np.array(deleted, np.int64))
            for keys, rows in self.store.vectors(after=vectors.last_key()):
                vectors.add(keys, rows)

    def _erase_if_needed(self) -> None:
        if self._lock and self.store.needs_erasure():
            if len(self.checkpoints.table.removals()):
                self.checkpoint()
            self.cache.vacuum()
            self.checkpoints.erase_deleted()

    # -- another model ---------------------------------------------------------------------------

    def successor(self) -> Successor:
        """Return the passages and vectors that an unfinished reindex has made."""
        return Successor(self.store)

    def switch_model(self, encoder: Encoder) -> None:
        """Replace passages, vectors and model by the successor's, in one commit, and erase them.

        The FAISS file is part of the commit.

        Raises:
            StorageFailed: if the disk is full; before the commit the index is as it was.
        """
        self.require_writer()
        self.checkpoints.set_aside()
        try:
            with self.store.transaction():
                self.successor().take_over()
                vectors = self.checkpoints.read_rows()
                if len(vectors):
                    self.checkpoints.table.commit(self.checkpoints.write_file(vectors))
        except BaseException:
            self.checkpoints.remove_leftovers()
            raise
        self._encoder, self._shared.vectors = encoder, None
        self.cache.clear()
        self._erase_if_needed()

    def drop_reindex(self) -> None:
        """Drop the successor, and give its disk space back."""
        self.require_writer()
        self.successor().drop()
        self._erase_if_needed()
