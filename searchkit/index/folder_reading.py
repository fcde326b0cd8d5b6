"""What an index in a folder reads: answers, passages, vectors, and what is near to a query."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from searchkit.core.arrays import Float16, Float32, Float64
from searchkit.core.messages import path_text
from searchkit.core.records import Answer, Hit, Slot
from searchkit.core.where import EVERYTHING, Where
from searchkit.index.backend import IndexBackend
from searchkit.index.base import BaseIndex, check_all_exist, check_k
from searchkit.index.cache.index_cache import IndexCache
from searchkit.index.cache.nearest import kept_nearest_scores
from searchkit.index.filters.names import resolve_names
from searchkit.index.records import Decision, Model, PassageVectors, StoredAnswer
from searchkit.index.storage.checksums import hash_checksums
from searchkit.index.storage.lock import WriterLock
from searchkit.index.storage.schema import FORMAT
from searchkit.index.storage.store import AnswerStore
from searchkit.index.storage.tables.grading import GradingTable
from searchkit.index.storage.tables.rows import count_languages, lone_questions
from searchkit.index.vectors import search
from searchkit.index.vectors.checkpoint import Checkpoints
from searchkit.index.vectors.codes_file import DamagedFile
from searchkit.index.vectors.sharing import SharedVectors
from searchkit.index.vectors.vector_index import VectorIndex

_BLOCK = 4096  # answers that are read together
T = TypeVar("T")


class FolderReader(BaseIndex):
    """The part of `folder.Index` that reads.

    Attributes:
        path: The folder.
        store: The database.
        checkpoints: The FAISS files.
        cache: Vectors of sentences, and results.
    """

    path: Path
    store: AnswerStore
    checkpoints: Checkpoints
    cache: IndexCache
    _lock: WriterLock | None
    _shared: SharedVectors
    _answers_key: bytes | None = None
    _identity: tuple[str, int, int]  # fingerprint, inode and revision, when it was opened

    # -- identity --------------------------------------------------------------------------------

    @property
    def place(self) -> str:
        """The folder."""
        return path_text(self.path)

    @property
    def name(self) -> str:
        """The folder's own name."""
        return path_text(Path(self.path.resolve().name))

    @property
    def model(self) -> Model:
        """The model that the index was made with; it is not loaded for this."""
        return self.store.model()

    @property
    def is_writable(self) -> bool:
        """Whether the index was opened for writing."""
        return self._lock is not None

    @property
    def revision(self) -> int:
        """The number that grows when answers change, as it was when the index was opened."""
        return self._identity[2]

    def is_same(self, other: IndexBackend) -> bool:
        """Whether both are in one folder."""
        return isinstance(other, FolderReader) and self.path.resolve() == other.path.resolve()

    def has_answers_of(self, other: FolderReader) -> bool:
        """Whether another reader surely shows the same answers, passages and vectors.

        The revision alone is not enough: in a folder that was made anew it counts from 1 again.
        """
        return bool(self.revision) and self._identity == other._identity

    # -- reading about the whole -----------------------------------------------------------------

    @property
    def vectors(self) -> VectorIndex:
        """All vectors of the index, loaded when they are first needed."""
        return self._shared.load(self.checkpoints.load_vectors)

    def _with_vectors(self, read: Callable[[VectorIndex], T]) -> T:
        """Return what `read` returns of all vectors; of the database's if the file is damaged."""
        vectors = self.vectors
        try:
            return read(vectors)
        except DamagedFile as error:
            problem = str(error)
        read_rows = partial(self.checkpoints.read_rows_instead, problem)
        return read(self._shared.replace(vectors, read_rows))

    def prefetch(self, where: Where = EVERYTHING) -> None:
        """Begin to read what a search needs, while other things are done."""
        if self._shared.vectors is None:
            self.checkpoints.begin_check(with_codes=where.is_empty())

    def counts(self) -> dict[str, int]:
        """Return the number of answers, blank ones, questions, authors, passages and vectors."""
        return self.store.counts()

    def is_empty(self) -> bool:
        """Whether there is no answer; nothing is counted."""
        return not self.store.rows("SELECT 1 FROM answers LIMIT 1")

    def languages(self) -> dict[str, int]:
        """Return the number of answers in each language, the most first; see `Answer.language`."""
        return count_languages(self.store)

    def by_question(self) -> list[dict[str, Any]]:
        """Return the number of answers and authors of each question, in order of the questions."""
        return self.store.by_question()

    def lone_questions(self) -> int:
        """Return the number of questions if each has a name and one author, and 0 if not."""
        return super().lone_questions() if self.is_outdated() else lone_questions(self.store)

    def columns(self) -> list[str]:
        """Return the names of the columns of answers, in the order in which they were added."""
        return self.store.meta_columns()

    def resolve(self, where: Where) -> Where:
        """Return a filter with its question and author as the index writes them."""
        return resolve_names(where, self.store, self.place)

    def storage(self) -> dict[str, Any]:
        """Return the files, the checkpoint, what changed since, the format, an open reindex."""
        from searchkit.index.upkeep.folder_checks import describe

        return describe(self.store, self.checkpoints)

    def problems(self) -> Iterator[str]:
        """Yield everything that is wrong with the files, in one line with what mends it."""
        from searchkit.index.upkeep.folder_checks import find_problems

        return find_problems(self.store, self.checkpoints, self.cache, is_writable=self.is_writable)

    def is_outdated(self) -> bool:
        """Whether the database has an older format, which opening it for writing updates."""
        return self.store.format() < FORMAT

    def decisions(self) -> list[Decision]:
        """Return the latest decision about each pair, in the order of deciding."""
        return self.store.decisions.latest()

    @property
    def grading(self) -> GradingTable:
        """The settings of grading and the history of its changes."""
        return self.store.grading

    # -- reading answers -------------------------------------------------------------------------

    def get_existing(self, ids: Sequence[str]) -> dict[str, Answer]:
        """Return the answers with these ids that are in the index, by id."""
        return self.store.get(ids)

    def find_slots(self, slots: Collection[Slot]) -> dict[Slot, list[Answer]]:
        """Return the answers of each author to each question, in order of attempt."""
        return super().find_slots(slots) if self.is_outdated() else self.store.get_slots(slots)

    def get_replaceable(self, ids: Sequence[str]) -> dict[str, Answer]:
        """Return the answers with these ids that are what was written, by id."""
        return self.store.get(self.store.sound_ids(ids))

    def get_stored(self, id_: str) -> StoredAnswer:
        """Return an answer with its passages and vectors."""
        return self._stored_answers(self._keys([id_]))[0]

    def ids(self, where: Where = EVERYTHING) -> list[str]:
        """Return the ids of the answers that match a filter, blank ones too, sorted."""
        rows = self.store.identities(self.store.matching(where))
        return sorted(row[1] for row in rows)

    def answers(self, where: Where = EVERYTHING) -> Iterator[Answer]:
        """Stream the answers that match a filter, in the order in which they were added."""
        return self.store.answers(where)

    def answers_page(self, where: Where, start: int, stop: int) -> tuple[list[Answer], int]:
        """Return answers `start` to `stop` of those that match a filter, and how many match."""
        keys = self.store.matching(where).tolist()
        answers = self.store.get_keys(keys[start:stop])
        return [answers[key] for key in keys[start:stop]], len(keys)

    def iter_stored(self, where: Where = EVERYTHING) -> Iterator[StoredAnswer]:
        """Stream the answers that match a filter, blank ones too, with passages and vectors."""
        keys = self.store.matching(where).tolist()
        for start in range(0, len(keys), _BLOCK):
            yield from self._stored_answers(keys[start : start + _BLOCK])

    def _stored_answers(self, keys: Sequence[int]) -> list[StoredAnswer]:
        return self._with_vectors(lambda all_: list(search.stored_answers(self.store, all_, keys)))

    def passage_vectors(self, where: Where = EVERYTHING) -> PassageVectors:
        """Return the vectors of all passages of the answers that match a filter."""
        return self._with_vectors(lambda all_: search.passage_vectors(self.store, all_, where))

    def _cached_vectors(self, hashes: Collection[bytes]) -> dict[bytes, Float16]:
        keys = self.store.known(hashes)
        wanted = np.array(list(keys.values()), np.int64)
        rows = self._with_vectors(lambda all_: all_.get(wanted)).astype(np.float16)
        passages = dict(zip(keys, rows, strict=True))
        return passages | self.cache.get(sha for sha in hashes if sha not in passages)

    def _cache_vectors(self, vectors: Mapping[bytes, Float16]) -> None:
        self.cache.put(vectors)

    def answers_key(self) -> bytes | None:
        """Return a hash of all answers as they are; None in formats 1 and 2.

        It reads every checksum. A reader's answers don't change, so it does so once.
        """
        key = self._answers_key
        if key is None:
            with self.store.translated():
                key = hash_checksums(self.store.connection)
            if not self.is_writable:
                self._answers_key = key
        return key

    def vectors_key(self) -> bytes | None:
        """Return a hash of all vectors and the model, once for readers that share their vectors."""
        key = self._shared.key
        if key is None:
            key = self.checkpoints.table.vectors_key()
            if not self.is_writable:
                self._shared.key = key
        return key

    def get_result(self, key: bytes) -> bytes | None:
        """Return the result that is kept under a key; None if there is none."""
        return self.cache.get_result(key)

    def put_result(self, key: bytes, value: bytes) -> None:
        """Keep a result until any answer changes."""
        self.cache.put_result(key, value)

    def _keys(self, ids: Sequence[str]) -> list[int]:
        """Return the keys of answers, all of which must exist."""
        keys = self.store.keys(ids)
        check_all_exist(self.place, ids, keys, self.store.ids)
        return list(keys.values())

    # -- searching -------------------------------------------------------------------------------

    def search_vectors(
        self, queries: Sequence[Float32], k: int = 10, where: Where = EVERYTHING
    ) -> list[list[Hit]]:
        """Find the answers nearest to each query, given by the vectors of its passages."""
        check_k(k)
        return self._with_vectors(
            lambda all_: search.VectorSearch(self.store, all_, k, where).run(queries)
        )

    def nearest_scores(self, queries: Sequence[Float32]) -> Float64:
        """Return the score of the answer nearest to each query."""
        return self._with_vectors(lambda all_: kept_nearest_scores(all_, queries, self.cache))

    def search_words(
        self, queries: Sequence[str], k: int = 10, where: Where = EVERYTHING
    ) -> list[list[Hit]]:
        """Find the answers that best match each query's words, by BM25."""
        check_k(k)
        allowed = None if self.store.allows_all(where) else self.store.matching(where)
        return [search.search_words(self.store, query, k, allowed) for query in queries]
