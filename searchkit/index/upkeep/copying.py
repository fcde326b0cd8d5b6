"""Copy: add the answers of one index to another, with their vectors; nothing is embedded."""

from __future__ import annotations

import logging
import time

from searchkit.core.errors import BadInput, IndexMismatch
from searchkit.core.progress import Progress
from searchkit.index.base import BaseIndex
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

    A copy that was killed is resumed by running it again. Decisions about findings are not copied;
    the settings of grading and the history of its changes are, for the questions that have none in
    the target.

    Args:
        source: Open for reading.
        target: Open for writing, of the same model.
        progress: Called with how many answers are done, and of how many.
        batch: Answers in a transaction.

    Raises:
        BadInput: if both are the same index.
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


def _copy_grading(source: BaseIndex, target: BaseIndex) -> None:
    """Copy what is kept about the grading of questions about which the target knows nothing."""
    old, new = source.grading, target.grading
    settings = old.settings() if old else {}
    changes = old.changes() if old else []
    if (settings or changes) and new is None:
        log.info("the settings and the history of grading stay in %s", source.place)
    if new:
        new.copy(settings, changes)
