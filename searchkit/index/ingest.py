"""Ingest: add answers from files to an index, in batches, each one transaction.

An ingest that was killed is resumed by running it again: answers that were committed are found
unchanged, and nothing is embedded twice.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from itertools import islice
from typing import Literal, TypeVar

from searchkit.core.errors import BadInput
from searchkit.core.messages import Message
from searchkit.core.progress import Progress
from searchkit.core.records import Answer
from searchkit.index.base import BaseIndex
from searchkit.index.records import Added

BATCH_SIZE = 4096  # answers in a transaction: enough to sort by length, little to lose in a kill
OnDuplicate = Literal["refuse", "keep-first", "keep-last"]
OnReject = Callable[[Answer, str], None]  # takes an answer that can't be used, and why
Item = TypeVar("Item")


@dataclass(slots=True)
class Ingested:
    """What an ingest did, in numbers of answers where nothing else is said.

    Attributes:
        read: Rows that were read, including the skipped ones.
        added: Answers whose id was new.
        updated: Answers whose text or columns changed.
        unchanged: Answers that were already in the index.
        skipped: Rows that were rejected, or left out as duplicates.
        passages: Passages that the added and updated texts were split into.
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

    def count(self, added: Added) -> None:
        """Add the numbers of one batch."""
        for name, number in asdict(added).items():
            setattr(self, name, getattr(self, name) + number)


@dataclass(slots=True)
class _Duplicates:
    """Finds ids that occur twice in one ingest, and remembers where each was read first."""

    on_duplicate: OnDuplicate
    reject: OnReject
    skipped: int = 0
    _first_places: dict[str, tuple[str | None, int | None]] = field(default_factory=dict)

    def filter(self, batch: Iterable[Answer]) -> list[Answer]:
        """Return one answer for each id, as `on_duplicate` says."""
        answers: dict[str, Answer] = {}
        for answer in batch:
            if answer.id not in self._first_places:
                self._first_places[answer.id] = (answer.source, answer.line)
                answers[answer.id] = answer
                continue
            self.skipped += 1
            if self.on_duplicate == "keep-last":
                answers[answer.id] = answer
            elif self.on_duplicate == "refuse":
                first = _place(*self._first_places[answer.id])
                self.reject(
                    answer,
                    Message(
                        "id {id!r} stands already at {first}; give each answer its own id, or say "
                        "`on_duplicate='keep-first'` or keep-last",
                        id=answer.id,
                        first=first,
                    ),
                )
        return list(answers.values())


def ingest(
    index: BaseIndex,
    answers: Iterable[Answer],
    *,
    on_duplicate: OnDuplicate = "refuse",
    on_reject: OnReject | None = None,
    progress: Progress | None = None,
    batch: int = BATCH_SIZE,
) -> Ingested:
    """Add or update answers, a transaction a batch.

    Args:
        index: Open for writing.
        answers: In any order; read once, as a stream.
        on_duplicate: What to do when an id occurs twice in `answers`, or is the id of another
            answer of the index.
        on_reject: Called with an answer that can't be used and why; None raises an error instead.
        progress: Called with how many answers are done; the total is unknown, 0.
        batch: Answers in a transaction.

    Raises:
        BadInput: for the first answer that can't be used, if `on_reject` is None. Batches before
            it stay in the index.
    """
    started = time.perf_counter()
    report = Ingested()
    reject = on_reject or _raise
    duplicates = _Duplicates(on_duplicate, reject)
    for rows in batches(answers, batch):
        unique = duplicates.filter(rows)
        usable = _without_taken_ids(index, unique, on_duplicate, reject)
        duplicates.skipped += len(unique) - len(usable)
        report.count(index.add(usable, _offset(progress, report.read)))
        report.read += len(rows)
        if progress:
            progress(report.read, 0)
    report.skipped = duplicates.skipped
    report.seconds = round(time.perf_counter() - started, 3)
    return report


def _offset(progress: Progress | None, before: int) -> Progress | None:
    """Return a `progress` that counts the answers of a batch after those of earlier batches."""
    return (lambda done, _: progress(before + done, 0)) if progress else None


def _without_taken_ids(
    index: BaseIndex, answers: list[Answer], on_duplicate: OnDuplicate, reject: OnReject
) -> list[Answer]:
    """Leave out answers whose id another answer of the index has.

    An answer is the same one if it has the same text or file, or if question and author are the
    same; a second file that numbers its rows from 1 again is not an update.
    """
    if on_duplicate == "keep-last":
        return answers
    stored = index.get_replaceable([answer.id for answer in answers])
    usable = []
    for answer in answers:
        old = stored.get(answer.id)
        if old is None or _is_same_answer(old, answer):
            usable.append(answer)
        elif on_duplicate == "refuse":
            reject(
                answer,
                Message(
                    "id {id!r} is taken by another answer, from {first}; give it its own id, or "
                    "say `on_duplicate='keep-last'` to replace it",
                    id=answer.id,
                    first=_place(old.source, old.line),
                ),
            )
    return usable


def _is_same_answer(old: Answer, new: Answer) -> bool:
    has_task = new.question is not None and new.author is not None
    is_same_task = has_task and (old.question, old.author) == (new.question, new.author)
    return is_same_task or old.text == new.text or old.source == new.source


def _raise(answer: Answer, reason: str) -> None:
    raise BadInput.at(answer.source or "answers", answer.line, reason)


def _place(source: str | None, line: int | None) -> str:
    return f"{source or 'an earlier answer'}" + (f":{line}" if line is not None else "")


def batches(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Yield lists of `size` items; the last one may be shorter."""
    stream = iter(items)
    while rows := list(islice(stream, size)):
        yield rows
