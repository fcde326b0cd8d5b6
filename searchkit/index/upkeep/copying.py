"""Copy: add the answers of one index to another, with their vectors; nothing is embedded."""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import Self

from searchkit.core.errors import BadInput, IndexMismatch
from searchkit.core.messages import Message, counted, listed
from searchkit.core.progress import Progress
from searchkit.core.records import Answer
from searchkit.index.base import BaseIndex
from searchkit.index.embedding import is_unchanged
from searchkit.index.incoming.identity import Identity
from searchkit.index.incoming.records import Ingested
from searchkit.index.ingest import BATCH_SIZE, batches
from searchkit.index.records import StoredAnswer

log = logging.getLogger("searchkit")


def copy(
    source: BaseIndex,
    target: BaseIndex,
    *,
    progress: Progress | None = None,
    batch: int = BATCH_SIZE,
) -> Ingested:
    """Add every answer of one index to another, or update it there.

    An answer is updated only if it is the same, as `ingest` sees it; if an id belongs to another
    one there, nothing is copied. A copy that was killed is resumed by running it again. Decisions
    about findings are not copied; the settings of grading and the history of its changes are, for
    the questions that weren't graded in the target.

    What was written in the source is copied, and what it took back is taken back, as far as its
    history of changes knows it; but for what was changed in the target since.

    Args:
        source: Open for reading.
        target: Open for writing, of the same model.
        progress: Called with how many answers are done, and of how many.
        batch: Answers in a transaction.

    Raises:
        BadInput: if both are the same index, or an id belongs to another answer in the target.
        IndexMismatch: if their models differ.
    """
    if source.is_same(target):
        raise BadInput(f"{source.place}: can't be copied into itself; name another index")
    old, new = source.model, target.model
    if old.fingerprint != new.fingerprint:
        raise IndexMismatch(
            f"{target.place}: made with {new.described}, and "
            f"{source.place} with {old.described}; copy into a new index"
        )
    written = _Written.of(source, target)
    _check_ids(source, target, written, batch)
    started, report, total = time.perf_counter(), Ingested(), len(source)
    for answers in batches(source.iter_stored(), batch):
        report.read += len(answers)
        report.count(target.add_with_vectors(list(map(written.without_own, answers))))
        if progress:
            progress(report.read, total)
    if decisions := len(source.decisions()):
        log.info("%s decisions about findings stay in %s", f"{decisions:,}", source.place)
    if written.taken_back:
        target.forget_columns(written.taken_back)
    report.updated += len(written.otherwise_unchanged)
    report.unchanged -= len(written.otherwise_unchanged)
    if written.kept:
        kept = counted(len(written.kept), "answer")
        log.info("%s in %s with columns that %s hasn't", kept, target.place, source.place)
    _copy_grading(source, target)
    report.seconds = round(time.perf_counter() - started, 3)
    return report


@dataclass(slots=True)
class _Written:
    """What was written in columns of the source and the target, by their histories.

    Attributes:
        own: The cells, by id and column in lower case, that were changed in the target.
        former: The values that cells of the source have or had.
        taken_back: For each id the columns of the target whose values the source has taken back.
        otherwise_unchanged: The ids of those that differ in nothing else.
        kept: The ids of the answers of the target with other columns that the source hasn't.
    """

    own: set[tuple[str, str]]
    former: dict[tuple[str, str], set[str | None]]
    taken_back: dict[str, set[str]] = field(default_factory=dict)
    otherwise_unchanged: set[str] = field(default_factory=set)
    kept: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, source: BaseIndex, target: BaseIndex) -> Self:
        """Read both histories."""
        theirs = source.grading.changes() if source.grading else []
        ours = target.grading.changes() if target.grading else []
        copied = {change.identity for change in theirs}
        former: dict[tuple[str, str], set[str | None]] = defaultdict(set)
        for cell in (cell for change in theirs for cell in change.cells):
            former[cell.answer, cell.column.lower()] |= {cell.before, cell.after}
        since = (change for change in ours if change.identity not in copied)
        return cls({(c.answer, c.column.lower()) for new in since for c in new.cells}, former)

    def without_own(self, stored: StoredAnswer) -> StoredAnswer:
        """Return an answer of the source without the columns that were changed in the target."""
        answer = stored.answer
        cells = {name: (answer.id, name.lower()) for name in answer.written}
        if self.own.isdisjoint(cells.values()):
            return stored
        written = {n: v for n, v in answer.written.items() if cells[n] not in self.own}
        return replace(stored, answer=replace(answer, written=written))

    def compare(self, old: Answer, new: Answer) -> None:
        """Note what an answer of the target has, and that of the source hasn't."""
        names = {name.lower() for name in new.written}
        for name, value in old.written.items():
            cell = old.id, name.lower()
            if cell[1] in names:
                continue
            if cell in self.own or value not in self.former.get(cell, ()):
                self.kept.add(old.id)
                continue
            self.taken_back.setdefault(old.id, set()).add(name)
            if is_unchanged(old, new):
                self.otherwise_unchanged.add(old.id)


def _check_ids(source: BaseIndex, target: BaseIndex, written: _Written, batch: int) -> None:
    """Check that no id belongs to another answer in the target, with what was written there.

    What was written in the same answers is compared.

    Raises:
        BadInput: if one does.
    """
    if target.is_empty():
        return
    identity = Identity(path_of=str, allow_empty=False)
    others: list[str] = []
    for answers in batches(source.answers(), batch):
        stored = target.get_replaceable([answer.id for answer in answers])
        for new in answers:
            old = stored.get(new.id)
            if old and identity.is_same(old, new):
                written.compare(old, new)
            elif old:
                others.append(new.id)
    if others:
        raise BadInput(
            Message(
                "{place}: {count} other answers than in {source}: {ids}; copy into a new index, "
                "or delete them there",
                place=target.place,
                count=counted(len(others), "id") + (" has" if len(others) == 1 else " have"),
                source=source.place,
                ids=listed(others),
            )
        )


def _copy_grading(source: BaseIndex, target: BaseIndex) -> None:
    """Copy what is kept about the grading of questions that weren't graded in the target."""
    old, new = source.grading, target.grading
    settings = old.settings() if old else {}
    changes = old.changes() if old else []
    if (settings or changes) and new is None:
        log.info("the settings and the history of grading stay in %s", source.place)
    if new:
        new.copy(settings, changes)
