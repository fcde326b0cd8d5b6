"""Ingest: answers from files into an index, in batches, each one transaction.

A killed ingest is resumed by running it again: what was committed is found unchanged, by its text,
and nothing is embedded twice.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from itertools import islice
from typing import Literal, TypeVar

from searchkit.core.errors import BadInput
from searchkit.core.progress import Progress
from searchkit.core.records import Answer
from searchkit.index.base import BaseIndex
from searchkit.index.records import Added

BATCH_SIZE = 4096  # answers in a transaction: enough to sort by length, little to lose in a kill
OnDuplicate = Literal["refuse", "keep-first", "keep-last"]
Item = TypeVar("Item")


@dataclass(slots=True)
class Ingested:
    """What an ingest did, in numbers of answers (passages and texts where it says so).

    Attributes:
        read: Rows that were read, the skipped ones included.
        added: Answers that were not there before.
        updated: Answers whose text or columns changed.
        unchanged: Answers that were there just so.
        skipped: Rows that were rejected, or left out as duplicates.
        passages: Passages cut from the added and updated texts.
        embedded: Distinct passage texts that the model was run on.
        seconds: Wall time.
    """

    read: int = 0
    added: int = 0
    updated: int = 0
    unchanged: int = 0
    skipped: int = 0
    passages: int = 0
    embedded: int = 0
    seconds: float = 0.0

    def count(self, done: Added) -> None:
        """Add what became of one batch."""
        for name, number in asdict(done).items():
            setattr(self, name, getattr(self, name) + number)


@dataclass(slots=True)
class _Places:
    """Where each id of this ingest was seen first, so that a second one can name both places."""

    on_duplicate: OnDuplicate
    reject: Callable[[Answer, str], None]
    seen: dict[str, tuple[str | None, int | None]] = field(default_factory=dict)
    skipped: int = 0

    def unique(self, batch: Iterable[Answer]) -> list[Answer]:
        """Leave each id once, as `on_duplicate` says."""
        kept: dict[str, Answer] = {}
        for answer in batch:
            if answer.id not in self.seen:
                self.seen[answer.id] = (answer.source, answer.line)
                kept[answer.id] = answer
            elif self.on_duplicate == "keep-last":
                self.skipped += 1
                kept[answer.id] = answer
            else:
                self._second(answer)
        return list(kept.values())

    def _second(self, answer: Answer) -> None:
        self.skipped += 1
        if self.on_duplicate == "refuse":
            first = _place(*self.seen[answer.id])
            self.reject(
                answer,
                f"id {answer.id!r} stands already at {first}; give each answer its own id, "
                "or say --on-duplicate keep-first or keep-last",
            )


def ingest(
    index: BaseIndex,
    answers: Iterable[Answer],
    *,
    on_duplicate: OnDuplicate = "refuse",
    on_reject: Callable[[Answer, str], None] | None = None,
    progress: Progress | None = None,
    batch: int = BATCH_SIZE,
) -> Ingested:
    """Add or update answers, a transaction a batch.

    Args:
        index: Open for writing.
        answers: In any order; read once, as a stream.
        on_duplicate: What to do when an id comes twice in `answers`.
        on_reject: Called with an answer that can't be used and why; None raises instead.
        progress: Called with how many answers are done; the total is unknown, 0.
        batch: Answers in a transaction.

    Raises:
        BadInput: for the first answer that can't be used, if `on_reject` is None. Batches before
            it are kept.
    """
    started = time.perf_counter()
    done = Ingested()
    reject = on_reject or _refuse
    places = _Places(on_duplicate, reject)
    for rows in batches(answers, batch):
        before = done.read
        kept = places.unique(rows)
        usable = _not_taken(index, kept, on_duplicate, reject)
        places.skipped += len(kept) - len(usable)
        done.count(index.add(usable, _after(before, progress)))
        done.read += len(rows)
        if progress:
            progress(done.read, 0)
    done.skipped = places.skipped
    done.seconds = round(time.perf_counter() - started, 3)
    return done


def _after(before: int, progress: Progress | None) -> Progress | None:
    """Report the answers of a batch together with those of the batches before it."""
    return (lambda done, _: progress(before + done, 0)) if progress else None


def _not_taken(
    index: BaseIndex,
    answers: list[Answer],
    on_duplicate: OnDuplicate,
    reject: Callable[[Answer, str], None],
) -> list[Answer]:
    """Leave out answers whose id another answer of the index has.

    It is the same answer if it comes from the same file, or was given to the same question by the
    same author; a second file that counts its rows from 1 again is not an update.
    """
    if on_duplicate == "keep-last":
        return answers
    stored = index.get_existing([answer.id for answer in answers])
    usable = []
    for answer in answers:
        before = stored.get(answer.id)
        if before is None or _same_answer(before, answer):
            usable.append(answer)
        elif on_duplicate == "refuse":
            first = _place(before.source, before.line)
            reject(
                answer,
                f"id {answer.id!r} is taken by another answer, from {first}; give it its own id, "
                "or say --on-duplicate keep-last to replace it",
            )
    return usable


def _same_answer(before: Answer, new: Answer) -> bool:
    same_task = new.question is not None and new.author is not None
    same_task = same_task and (before.question, before.author) == (new.question, new.author)
    return same_task or before.text == new.text or before.source == new.source


def _refuse(answer: Answer, reason: str) -> None:
    raise BadInput.at(answer.source or "answers", answer.line, reason)


def _place(source: str | None, line: int | None) -> str:
    return f"{source or 'an earlier answer'}" + (f":{line}" if line is not None else "")


def batches(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Yield so many at a time; the last time what is left."""
    stream = iter(items)
    while rows := list(islice(stream, size)):
        yield rows
