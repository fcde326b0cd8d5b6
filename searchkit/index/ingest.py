"""Ingest: add answers from files to an index, in batches, each one transaction.

An ingest that was killed is resumed by running it again: answers that were committed are found
unchanged, and nothing is embedded twice. Which stored answer a row is, `incoming/` finds out.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice
from pathlib import PurePath
from typing import TypeVar, get_args

from searchkit.core.errors import BadInput, as_list, check_choice
from searchkit.core.messages import Message
from searchkit.core.progress import Progress, after
from searchkit.core.records import Answer
from searchkit.index.base import BaseIndex
from searchkit.index.embedding import as_answers
from searchkit.index.incoming.answers import AnswerMatcher
from searchkit.index.incoming.identity import Identity
from searchkit.index.incoming.languages import Languages
from searchkit.index.incoming.marks import MarksMatcher
from searchkit.index.incoming.namesakes import authors_in_both_orders
from searchkit.index.incoming.records import Ingested, OnDuplicate, OnReject, PathOf, Remarks
from searchkit.index.incoming.targets import Target, Writer
from searchkit.sources.columns import AnswerColumns

BATCH_SIZE = 4096  # answers in a transaction: enough to sort by length, little to lose in a kill
Item = TypeVar("Item")
Row = Answer | AnswerColumns


def ingest(
    index: BaseIndex,
    answers: Iterable[Row],
    *,
    on_duplicate: OnDuplicate = "refuse",
    allow_empty: bool = False,
    on_reject: OnReject | None = None,
    progress: Progress | None = None,
    batch: int = BATCH_SIZE,
) -> Ingested:
    """Add or update answers, a transaction a batch.

    An answer of the index is updated only if the new one is the same: by the same author to the
    same question, or, where one of both isn't known, with the same text or from the same file.
    An update changes the text and the columns of the file, never what was written in the index.

    Answers whose ids were made (`Answer.has_made_id`) are found by author and question. Several of
    one author to one question, which have another time or come together, are attempts.

    Each answer without a `language` gets the one that its text is in, as far as that can be told.

    Args:
        index: Open for writing.
        answers: In any order; read once, as a stream. `AnswerColumns` among them update columns.
        on_duplicate: What to do when an id occurs twice in `answers`, or is the id of another
            answer of the index: `refuse` it, `keep-first`, `keep-last`, or `keep-both`, the second
            as `ID#2`.
        allow_empty: Whether an empty text, or an empty cell of a column that other answers of the
            file have, empties what is stored; if not, that stays.
        on_reject: Called with an answer that can't be used and why; None raises an error instead.
        progress: Called with how many answers are done; the total is unknown, 0.
        batch: Answers in a transaction.

    Raises:
        BadInput: for the first answer that can't be used, if `on_reject` is None. Batches before
            it stay in the index.
    """
    choices = Choices(on_duplicate, allow_empty=allow_empty, on_reject=on_reject)
    return Ingest(Writer(index), choices).read(answers, progress, batch)


@dataclass(frozen=True, slots=True)
class Choices:
    """How an ingest treats what it reads.

    Attributes:
        on_duplicate: As in `ingest`.
        allow_empty: As in `ingest`.
        on_reject: As in `ingest`.
        path_of: Returns the path under which a source is stored, from the name that messages show;
            None if the name identifies no file.
    """

    on_duplicate: OnDuplicate = "refuse"
    allow_empty: bool = False
    on_reject: OnReject | None = None
    path_of: PathOf = str


class Ingest:
    """One ingest into an index, or the rehearsal of one.

    Attributes:
        report: What was done so far.
    """

    def __init__(self, target: Target, choices: Choices) -> None:
        check_choice("on_duplicate", choices.on_duplicate, get_args(OnDuplicate))
        self.report = Ingested()
        self._target = target
        self._path_of = choices.path_of
        self._goes_on = choices.on_reject is not None
        self._paths: set[str] = set()  # of the answers that were read
        self._remarks = Remarks()
        self._languages = Languages(target)
        reject, on_duplicate = choices.on_reject or _raise, choices.on_duplicate
        self._identity = Identity(choices.path_of, choices.allow_empty)
        self._answers = AnswerMatcher(target, self._identity, on_duplicate, reject)
        self._marks = MarksMatcher(target, on_duplicate, reject, choices.on_reject)

    def read(
        self,
        rows: Iterable[Row],
        progress: Progress | None = None,
        batch: int = BATCH_SIZE,
    ) -> Ingested:
        """Add or update answers, a transaction a batch; return what was done.

        Raises:
            BadInput: for the first row that can't be used, if there is no `on_reject`.
        """
        started = time.perf_counter()
        report = self.report
        for items in batches(rows, batch):
            batch_rows = as_list("answers", items, (Answer, AnswerColumns))
            self._add(batch_rows, progress)
            self._update_columns(batch_rows)
            report.read += len(batch_rows)
            if progress:
                progress(report.read, 0)
        self._check_marks()
        report.warnings = [
            *self._remarks.sentences(report),
            *self._questions_of_one(),
            *self._languages.sentences(self._target.model_name),
        ]
        report.seconds = round(time.perf_counter() - started, 3)
        return report

    def _questions_of_one(self) -> Iterator[str]:
        """Yield a warning if every question has one author: these were people, perhaps."""
        count = self._target.lone_questions() if self.report.added else 0
        if count > 1:
            yield Message(
                "each of the {count:,} questions has only one author, so that nothing can be "
                "compared; if people were taken for questions, say who is who with "
                "`folder_is='author'` or `columns.author=NAME`",
                count=count,
            )

    def _add(self, rows: Sequence[Row], progress: Progress | None) -> None:
        """Add or update the answers of a batch, in one transaction."""
        answers = as_answers(row for row in rows if isinstance(row, Answer))
        self._identity.note_columns(answers)
        updates = self._answers.match(answers, self.report, self._remarks)
        updates = [update.with_new(self._with_path(update.new)) for update in updates]
        updates = self._languages.identify(updates)
        self.report.count(self._target.write(updates, after(progress, self.report.read, 0)))
        added = [update.new for update in updates if update.old is None]
        pairs = authors_in_both_orders(added, self._target)
        self._remarks.both_orders.update(map(frozenset, pairs))

    def _update_columns(self, rows: Sequence[Row]) -> None:
        """Update the columns of answers for which a batch has rows without a text."""
        if marks := [row for row in rows if isinstance(row, AnswerColumns)]:
            updates = self._marks.match(marks, self.report, self._remarks)
            self.report.count(self._target.write(updates, None))

    def _check_marks(self) -> None:
        """Check that the rows belong to something, if none has a text.

        Raises:
            BadInput: if not; that must be the wrong file, column or index.
        """
        report = self.report
        if report.marks_unmatched and report.marks_unmatched == report.read and not self._goes_on:
            raise BadInput(
                Message(
                    "no row has a text, and none belongs to an answer of the index; {first}; "
                    "ingest the answers first, or name the columns: `columns.text=NAME`, "
                    "`columns.id=NAME`",
                    first=self._remarks.first_unmatched,
                )
            )

    def find_missing(self, files: Iterable[str]) -> list[str]:
        """Return the ids of the answers that these files had once, and have no longer.

        Args:
            files: The paths of files, folders and zips, as `path_of` returns them. Those of which
                no answer was read are left out.
        """
        roots = {folder for path in self._paths for folder in _with_folders(path)} & set(files)
        return [
            answer.id
            for answer in self._target.answers()
            if answer.id not in self._answers.ids
            and not roots.isdisjoint(_with_folders(answer.source or ""))
        ]

    def remove(self, ids: Sequence[str]) -> None:
        """Delete answers, and erase them."""
        self.report.removed += self._target.remove(ids) if ids else 0

    def _with_path(self, answer: Answer) -> Answer:
        path = answer.source and self._path_of(answer.source)
        if not path:
            return answer
        self._paths.add(path)
        return replace(answer, source=path) if path != answer.source else answer


@lru_cache(maxsize=1)
def _with_folders(path: str) -> tuple[str, ...]:
    """Return a path and the folders, or the zip, in which the file is."""
    return path, *(str(folder) for folder in PurePath(path).parents)


def _raise(answer: Answer, reason: str) -> None:
    raise BadInput.at(answer.source or "answers", answer.line, reason)


def batches(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Yield lists of `size` items; the last one may be shorter."""
    if size < 1:
        raise ValueError(f"a batch has at least 1 item, not {size}")
    stream = iter(items)
    while rows := list(islice(stream, size)):
        yield rows
