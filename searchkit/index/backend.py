"""The interface of an index: what a backend stores, returns, searches and writes.

`base.BaseIndex` adds what all backends share. `folder.Index` and `milvus.index.MilvusIndex` are the
two backends; another one is a subclass of `BaseIndex` with the abstract methods of this file.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import islice
from typing import Any

import numpy as np

from searchkit.core.arrays import Float16, Float32, Float64
from searchkit.core.errors import BadInput, IndexMismatch
from searchkit.core.messages import Message
from searchkit.core.records import Answer, Hit, Slot
from searchkit.core.where import EVERYTHING, Where
from searchkit.encoding.encoder import Encoder, model_options
from searchkit.index.records import (
    Decision,
    GradingChange,
    Model,
    PassageVectors,
    SplitAnswer,
    StoredAnswer,
)
from searchkit.index.storage.successor import Successor
from searchkit.index.storage.tables.grading import GradingTable


def count_lone(questions: Sequence[Mapping[str, Any]]) -> int:
    """Return the number of questions if each has a name and one author, and 0 if not.

    Args:
        questions: As `by_question` returns them.
    """
    are_lone = all(row["question"] and row["authors"] <= 1 for row in questions)
    return len(questions) if are_lone else 0


class IndexBackend(ABC):
    """The methods in which one kind of index differs from another.

    A method that isn't abstract is right for most backends, and refuses or does nothing in others.
    """

    # -- identity and lifetime -------------------------------------------------------------------

    @property
    @abstractmethod
    def place(self) -> str:
        """Where the index is, as a user would write it."""

    @property
    @abstractmethod
    def name(self) -> str:
        """A short name, for titles."""

    @property
    @abstractmethod
    def model(self) -> Model:
        """The model that the index was made with; it is not loaded for this."""

    @property
    @abstractmethod
    def is_writable(self) -> bool:
        """Whether the index was opened for writing."""

    def is_same(self, other: IndexBackend) -> bool:
        """Whether both are one index."""
        return self.place == other.place

    @abstractmethod
    def close(self) -> None:
        """Finish writing, and release everything."""

    @abstractmethod
    def _release(self) -> None:
        """Release everything, after an error."""

    # -- reading about the whole -----------------------------------------------------------------

    @abstractmethod
    def counts(self) -> dict[str, int]:
        """Return the number of answers, blank ones, questions, authors, passages and vectors.

        Among them are the answers that are earlier attempts.
        """

    @abstractmethod
    def by_question(self) -> list[dict[str, Any]]:
        """Return the number of answers and authors of each question, in order of the questions."""

    def lone_questions(self) -> int:
        """Return the number of questions if each has a name and one author, and 0 if not."""
        return count_lone(self.by_question())

    @abstractmethod
    def columns(self) -> list[str]:
        """Return the names of the columns of answers, in the order in which they were added."""

    @abstractmethod
    def resolve(self, where: Where) -> Where:
        """Return a filter with its question and author as the index writes them.

        Every method that takes a filter does this by itself.

        Raises:
            NotFound: if no answer has the question or the author; names the nearest.
        """

    @abstractmethod
    def storage(self) -> dict[str, Any]:
        """Return what `status` shows of how the index is stored, as JSON values by name."""

    @abstractmethod
    def problems(self) -> Iterator[str]:
        """Yield everything that is wrong with what is stored, in one line with what mends it."""

    def is_outdated(self) -> bool:
        """Whether the index has an older format, which opening it for writing updates."""
        return False

    @abstractmethod
    def decisions(self) -> list[Decision]:
        """Return the latest decision about each pair, in the order of deciding."""

    @property
    def grading(self) -> GradingTable | None:
        """The settings of grading and the history of its changes; None where they aren't kept."""
        return None

    # -- reading answers -------------------------------------------------------------------------

    @abstractmethod
    def get_existing(self, ids: Sequence[str]) -> dict[str, Answer]:
        """Return the answers with these ids that are in the index, by id."""

    @abstractmethod
    def __len__(self) -> int:
        """Return the number of answers."""

    def is_empty(self) -> bool:
        """Whether there is no answer."""
        return len(self) == 0

    def get_replaceable(self, ids: Sequence[str]) -> dict[str, Answer]:
        """Return the answers with these ids for comparison with new ones, by id.

        Answers that aren't what was written are left out, so that new ones replace them.
        """
        return self.get_existing(ids)

    def find_slots(self, slots: Collection[Slot]) -> dict[Slot, list[Answer]]:
        """Return the answers of each author to each question, in order of attempt.

        Answers that aren't what was written are left out, as in `get_replaceable`.

        Args:
            slots: Pairs of question and author's name for comparing, as `Answer.slot`; each of
                both can be None, which is the question or the author of answers without one.

        Returns:
            The answers by pair; pairs without answers are left out.
        """
        found: dict[Slot, list[Answer]] = {}
        for answer in self.answers() if slots else ():
            if answer.slot in slots:
                found.setdefault(answer.slot, []).append(answer)
        return {slot: sorted(rows, key=lambda a: a.attempt) for slot, rows in found.items()}

    @abstractmethod
    def get_stored(self, id_: str) -> StoredAnswer:
        """Return an answer with its passages and vectors.

        Raises:
            NotFound: if there is no answer with this id.
        """

    @abstractmethod
    def ids(self, where: Where = EVERYTHING) -> list[str]:
        """Return the ids of the answers that match a filter, blank ones too, sorted."""

    @abstractmethod
    def answers(self, where: Where = EVERYTHING) -> Iterator[Answer]:
        """Stream the answers that match a filter, in the order in which they were added."""

    def answers_page(self, where: Where, start: int, stop: int) -> tuple[list[Answer], int]:
        """Return answers number `start` (from 0) to `stop` (exclusive) of `answers`, and how many.

        Returns:
            The answers, and the number of all answers that match the filter.
        """
        return list(islice(self.answers(where), start, stop)), len(self.ids(where))

    @abstractmethod
    def iter_stored(self, where: Where = EVERYTHING) -> Iterator[StoredAnswer]:
        """Stream the answers that match a filter, blank ones too, with passages and vectors.

        They come in the order in which they were added.
        """

    @abstractmethod
    def passage_vectors(self, where: Where = EVERYTHING) -> PassageVectors:
        """Return the vectors of all passages of the answers that match a filter."""

    def _cached_vectors(self, hashes: Collection[bytes]) -> dict[bytes, Float16]:
        """Return the `(d,)` vector of each of these SHA-256 of sentences that has one.

        Here they are kept in memory, until the index is closed.
        """
        return {sha: self._in_memory[sha] for sha in hashes if sha in self._in_memory}

    def _cache_vectors(self, vectors: Mapping[bytes, Float16]) -> None:
        """Keep the vectors of sentences of answers, `(d,)` each, by SHA-256."""
        self._in_memory |= vectors

    def answers_key(self) -> bytes | None:
        """Return what differs whenever an answer, its columns or the model do; None if unknown."""
        return None

    def vectors_key(self) -> bytes | None:
        """Return what differs whenever a vector or the model does; None if unknown."""
        return None

    def get_result(self, key: bytes) -> bytes | None:
        """Return the result that is kept under a key; None if there is none."""
        return None

    def put_result(self, key: bytes, value: bytes) -> None:  # noqa: B027
        """Keep a result of the answers, and of no others, until any of them changes.

        Args:
            key: A hash of all that the result depends on, `answers_key` or `vectors_key` too.
            value: The result.
        """

    @cached_property
    def _in_memory(self) -> dict[bytes, Float16]:
        return {}

    # -- searching -------------------------------------------------------------------------------

    @abstractmethod
    def search_vectors(
        self, queries: Sequence[Float32], k: int = 10, where: Where = EVERYTHING
    ) -> list[list[Hit]]:
        """Find the answers nearest to each query, given by the vectors of its passages.

        Args:
            queries: For each query `(p, d)` float32, unit rows; `(d,)` for one passage.
            k: Number of hits for each query, at most.
            where: Which answers to search among.
        """

    def nearest_scores(self, queries: Sequence[Float32]) -> Float64:
        """Return the score of the answer nearest to each query, `(q,)`; `(0,)` if there is none.

        Args:
            queries: As `search_vectors` takes them.
        """
        return np.array([hit.score for hits in self.search_vectors(queries, 1) for hit in hits])

    @abstractmethod
    def search_words(
        self, queries: Sequence[str], k: int = 10, where: Where = EVERYTHING
    ) -> list[list[Hit]]:
        """Find the answers that best match each query's words, by BM25.

        Words are taken literally, whatever they mean to SQLite, and compared by their English
        stem, without case and accents. Scripts without spaces are searched by phrases; see
        `text.unspaced`.
        """

    # -- writing ---------------------------------------------------------------------------------

    @abstractmethod
    def remove(self, ids: Sequence[str]) -> int:
        """Delete answers.

        Returns:
            How many answers were deleted.

        Raises:
            NotFound: if there is no answer with one of the ids; nothing was deleted.
        """

    def damaged_ids(self) -> list[str]:
        """Return the ids, as they stand there, of the answers that aren't what was written."""
        return []

    def remove_damaged(self) -> int:
        """Delete the answers that aren't what was written; return how many."""
        return 0

    @abstractmethod
    def rebuild(self) -> None:
        """Make again, or tidy up, everything that needs no model."""

    def flush(self) -> None:  # noqa: B027
        """Move what was written to where it is kept for good, if that is another place."""

    @abstractmethod
    def add_decisions(self, decisions: Iterable[Decision]) -> list[Decision]:
        """Store decisions in one commit; return them with their numbers, which follow on."""

    @abstractmethod
    def remove_decisions(self, first: int | None, last: int | None = None) -> list[Decision]:
        """Delete and return decisions, in one commit; those that aren't there are left out.

        Args:
            first: The number of the first one; None for the latest of all.
            last: The number of the last one; None if there is only one.
        """

    def add_grading_change(self, change: GradingChange) -> GradingChange:
        """Write what a change writes into columns, and store it, in one commit.

        Returns:
            The change with its number.

        Raises:
            BadInput: if changes aren't kept here, or a value can't be stored.
            NotFound: if there is no answer with one of the ids; nothing was changed.
        """
        raise BadInput(
            f"{self.place}: only an index in a folder keeps what is graded on the page; "
            "copy it into a folder"
        )

    @abstractmethod
    def _known(self, hashes: set[bytes]) -> Mapping[bytes, Any]:
        """Return where the vector of each of these hashes is, for those that have one."""

    @abstractmethod
    def _put(
        self,
        answers: Sequence[SplitAnswer],
        same_text: Sequence[Answer],
        known: Mapping[bytes, Any],
        hashes: Sequence[bytes],
        vectors: Float16,
    ) -> None:
        """Write answers; see `AnswerStore.put`. `known` is what `_known` returned."""

    @abstractmethod
    def _update_columns(self, answers: Sequence[Answer]) -> None:
        """Replace what stored answers have in `written`."""

    # -- another model ---------------------------------------------------------------------------

    def successor(self) -> Successor:
        """Return the passages and vectors that an unfinished reindex has made.

        Raises:
            BadInput: if the index can't be reindexed.
        """
        raise BadInput(
            f"{self.place}: only an index in a folder can be reindexed; copy it into a folder"
        )

    def switch_model(self, encoder: Encoder) -> None:
        """Replace passages, vectors and model by those of the successor, in one commit.

        Raises:
            BadInput: if the index can't be reindexed.
            StorageFailed: if the disk is full; before the commit the index is as it was.
        """
        self.successor()

    def drop_reindex(self) -> None:
        """Drop the successor, and give its disk space back.

        Raises:
            BadInput: if the index can't be reindexed.
        """
        self.successor()


def check_earlier(index: IndexBackend, earlier: IndexBackend, parameter: str) -> None:
    """Check that an index of earlier answers is another one, of the same model.

    Args:
        index: The index.
        earlier: Of earlier answers.
        parameter: Through which it was given.

    Raises:
        BadInput: if both are one index.
        IndexMismatch: if they were made with two models.
    """
    if earlier.is_same(index):
        template = f"`{parameter}={{place}}`: is the index itself; name one of earlier answers"
        raise BadInput(Message(template, place=earlier.place))
    ours, theirs = index.model, earlier.model
    if ours.fingerprint != theirs.fingerprint:
        raise IndexMismatch(
            Message(
                "{earlier}: made with {theirs}, and {place} with {ours}; give both the same "
                "model: searchkit reindex {options} -i {earlier}",
                earlier=earlier.place,
                theirs=theirs.described,
                place=index.place,
                ours=ours.described,
                options=model_options(ours.name, ours.fingerprint),
            )
        )
