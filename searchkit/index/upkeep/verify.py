"""Verify: everything about an index that can be checked without the model."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import numpy as np

from searchkit.index.base import BaseIndex
from searchkit.index.embedding import passage_hash
from searchkit.index.folder import Index
from searchkit.index.storage import checkpoint
from searchkit.index.storage.successor import Successor

log = logging.getLogger("searchkit")
REBUILD = "run: searchkit rebuild"
RESTORE = "restore a copy, or ingest the files into a new index"


def verify(index: BaseIndex) -> list[str]:
    """Return every problem, each in one line with what mends it; an empty list if there is none.

    Checks the database's pages and references; that each passage's text has the hash its vector
    was made for, so that no text changed unnoticed; that passages leave no word out; that vectors
    are finite and of unit length; that the FAISS file is the one recorded and holds the table's
    vectors, bit for bit; the full text against the texts; and that nothing deleted is left:
    neither in free pages and the log of the database, nor in files of earlier states. A reindex
    that is not finished is no problem; it is said. An index that is no folder checks itself.
    """
    if not isinstance(index, Index):
        return list(index.problems())
    checks = (_database, _passages, _vectors, _checkpoint, _fulltext, _forgotten, _unfinished)
    problems = [*_database(index)]
    if problems:
        return problems  # nothing else can be read safely
    return [problem for check in checks[1:] for problem in check(index)]


def _database(index: Index) -> Iterator[str]:
    for said in index.store.integrity_problems():
        yield f"{index.store.path}: damaged ({said}); {RESTORE}"


def _passages(index: Index) -> Iterator[str]:
    for answer_id, text, spans in index.store.cut_texts():
        at = 0
        for start, end, sha in spans:
            if text[at:start].strip() or not start < end <= len(text):
                yield f"answer {answer_id!r}: its passages leave text out; {RESTORE}"
            if sha is None or passage_hash(text[start:end]) != sha:
                yield f"answer {answer_id!r}: its text is not what was embedded; {RESTORE}"
            at = end
        if text[at:].strip():
            yield f"answer {answer_id!r}: its passages leave text out; {RESTORE}"


def _vectors(index: Index) -> Iterator[str]:
    unused = index.store.unused_vectors()
    if unused:
        yield f"{unused} vectors belong to no answer; {REBUILD}"
    for keys, rows in index.store.vectors():
        lengths = np.linalg.norm(rows.astype(np.float32), axis=1)
        for key in keys[~(np.abs(lengths - 1) < 1e-3)]:  # NaN is not below either
            yield f"vector {key}: not of unit length; {RESTORE}"


def _checkpoint(index: Index) -> Iterator[str]:
    problem = checkpoint.checkpoint_problem(index.path, index.store.checkpoint())
    if problem:
        yield f"{problem}; {REBUILD}"
    elif differing := checkpoint.differing_rows(index.path, index.store):
        yield f"{index.path}: {differing} vectors of the FAISS file are not the table's; {REBUILD}"


def _fulltext(index: Index) -> Iterator[str]:
    if index.is_writable and not index.store.fulltext_is_sound():
        yield f"{index.store.path}: the full text is not that of the answers; {REBUILD}"


def _forgotten(index: Index) -> Iterator[str]:
    if index.store.pending():
        yield f"{index.path}: something deleted is not yet wiped out (a reader is open?); {REBUILD}"
    for path in checkpoint.leftovers(index.path, index.store):
        yield f"{path}: left over from an earlier state; {REBUILD}"
    for path in sorted(index.path.glob("*.damaged")):
        yield f"{path}: set aside as damaged; it may hold vectors of deleted answers; delete it"


def _unfinished(index: Index) -> Iterator[str]:
    successor = Successor(index.store)
    model = successor.model()
    if model is None:
        return
    log.info(
        "%s: a reindex is not finished (%s answers are embedded); go on with: "
        "searchkit reindex --model %s; or drop it: searchkit reindex --model %s",
        index.path,
        f"{successor.counts()['answers']:,}",
        model.name,
        index.store.model().name,
    )
    unused = successor.unused_vectors()
    if unused:
        yield (
            f"{unused} vectors of the unfinished reindex belong to no answer; drop it, run: "
            f"searchkit reindex --model {index.store.model().name}"
        )
