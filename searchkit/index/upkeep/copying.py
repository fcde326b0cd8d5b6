"""Copy: add the answers of one index to another, with their vectors; nothing is embedded."""

from __future__ import annotations

import logging
import time

from searchkit.core.errors import BadInput, IndexMismatch
from searchkit.core.messages import Message, counted, listed
from searchkit.core.progress import Progress
from searchkit.index.base import BaseIndex
from searchkit.index.incoming.identity import Identity
from searchkit.index.incoming.records import Ingested
from searchkit.index.ingest import BATCH_SIZE, batches

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
    the questions that have none in the target.

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
    _check_ids(source, target, batch)
    started, report, total = time.perf_counter(), Ingested(), len(source)
    for answers in batches(source.iter_stored(), batch):
        report.read += len(answers)
        report.count(target.add_with_vectors(answers))
        if progress:
            progress(report.read, total)
    if decisions := len(source.decisions()):
        log.info("%s decisions about findings stay in %s", f"{decisions:,}", source.place)
    _copy_grading(source, target)
    report.seconds = round(time.perf_counter() - started, 3)
    return report


def _check_ids(source: BaseIndex, target: BaseIndex, batch: int) -> None:
    """Check that no id belongs to another answer in the target, with what was written there.

    Raises:
        BadInput: if one does.
    """
    if target.is_empty():
        return
    identity = Identity(path_of=str, allow_empty=False)
    others: list[str] = []
    for answers in batches(source.answers(), batch):
        stored = target.get_replaceable([answer.id for answer in answers])
        others += [
            new.id
            for new in answers
            if (old := stored.get(new.id)) and not identity.is_same(old, new)
        ]
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
    """Copy what is kept about the grading of questions about which the target knows nothing."""
    old, new = source.grading, target.grading
    settings = old.settings() if old else {}
    changes = old.changes() if old else []
    if (settings or changes) and new is None:
        log.info("the settings and the history of grading stay in %s", source.place)
    if new:
        new.copy(settings, changes)
