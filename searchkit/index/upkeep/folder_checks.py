"""What can be told, and checked, about the folder of an index without the model."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from typing import Any

from searchkit.index.cache.index_cache import IndexCache
from searchkit.index.storage.lock import seems_held
from searchkit.index.storage.schema import schema_problems
from searchkit.index.storage.store import AnswerStore
from searchkit.index.storage.successor import Successor
from searchkit.index.upkeep.damage import (
    DamagedAnswer,
    damaged_answers,
    damaged_passages,
    damaged_vectors,
    low_counters,
    missing_rows,
    other_damage,
    page_problems,
    unused_rows,
)
from searchkit.index.vectors.checkpoint import Checkpoints

log = logging.getLogger("searchkit")
REBUILD = "run: searchkit rebuild"
EMBED = "run: searchkit reindex --damaged"
RESTORE = "restore a copy, or ingest the files into a new index"
SET_ASIDE = "set aside as damaged"
DROP_REINDEX = "drop the unfinished reindex; run: searchkit reindex --model"


def describe(store: AnswerStore, checkpoints: Checkpoints) -> dict[str, Any]:
    """Return files, checkpoint, changes since, format and unfinished reindex; see `status`."""
    checkpoint, successor = checkpoints.table.current(), Successor(store)
    model = successor.model()
    files = sorted(path for path in checkpoints.folder.iterdir() if path.is_file())
    return {
        "files": {path.name: path.stat().st_size for path in files},
        "checkpoint": checkpoint and {"file": checkpoint.file, "vectors": checkpoint.count},
        "tail": checkpoints.table.tail_length(),
        "removed": len(checkpoints.table.removals()),
        "format": store.format(),
        "unfinished": model and {"model": model.name, "answers": successor.counts()["answers"]},
    }


def find_problems(
    store: AnswerStore, checkpoints: Checkpoints, cache: IndexCache, *, is_writable: bool
) -> Iterator[str]:
    """Yield every problem in one line with what mends it.

    Checks the database's pages, references and tables; the checksum of every row; that each
    passage's text has the hash its vector was made for, so that no text changed unnoticed; that
    passages leave no word out; that vectors are finite and of unit length; that no acknowledged
    commit is lost; that the FAISS file is the one recorded and holds the table's vectors, bit for
    bit; the full text against the texts; and, unless another process is writing, that nothing
    deleted is left, neither in free pages and the log of the database nor in files of earlier
    states; and that the kept vectors of sentences are sound and belong to answers. A reindex that
    is not finished is no problem, and is logged.

    Args:
        store: The database.
        checkpoints: The FAISS files.
        cache: Vectors of sentences, and results.
        is_writable: Whether the store was opened for writing, which checking the full text needs.
    """
    of_indexes, of_pages = page_problems(store)
    of_pages += schema_problems(store)
    yield from (f"{store.path}: damaged ({message}); {RESTORE}" for message in of_pages)
    if of_pages:
        return  # nothing else can be read safely
    yield from (f"{store.path}: damaged ({message}); {REBUILD}" for message in of_indexes)
    if store.has_lost_commits():
        yield (
            f"{store.path}: acknowledged changes are lost; ingest the latest files again; "
            f"then {REBUILD}"
        )
    if of_indexes:
        return  # answers can't be found by their ids, and so not be mended
    damaged_tables = other_damage(store)
    if model_rows := damaged_tables.get("model"):
        yield from _row_problems(store, "model", model_rows)
        return  # the vectors' dimension is not known
    answers = damaged_answers(store)
    yield from map(_answer_problem, answers)
    vector_problems = list(_vector_problems(store, answers))
    yield from vector_problems
    for table, keys in damaged_tables.items():
        yield from _row_problems(store, table, keys)
    yield from _other_problems(store)
    if not vector_problems:
        yield from _checkpoint_problems(checkpoints)
    if is_writable and not store.fulltext.is_sound():
        yield f"{store.path}: the full text is not that of the answers; {REBUILD}"
    if is_writable or not seems_held(checkpoints.folder):
        yield from _leftover_problems(store, checkpoints)
        yield from (f"{problem}; {REBUILD}" for problem in cache.problems())
    yield from _reindex_problems(store, checkpoints)


def _answer_problem(answer: DamagedAnswer) -> str:
    place = f"{answer.source}:{answer.line}" if answer.line else answer.source
    again = f"ingest {place} again" if place else "ingest it again"
    return (
        f"answer {answer.id!r}: damaged; restore a copy, or {again}, and remove what stays "
        "damaged: searchkit delete --damaged"
    )


def _vector_problems(store: AnswerStore, answers: Sequence[DamagedAnswer]) -> Iterator[str]:
    """Yield what is wrong with vectors and passages, all of which can be embedded again."""
    vectors = damaged_vectors(store)
    for key, problem in vectors.items():
        yield f"vector {key}: {problem}; {EMBED}"
    passages = damaged_passages(store, answers, vectors)
    ids = {key: answer.id for key, answer in store.get_keys(list(passages)).items()}
    for key, problem in passages.items():
        yield f"answer {ids[key]!r}: {problem}; {EMBED}"


_ROWS = {
    "checkpoints": f"the record of the FAISS file is damaged; {REBUILD}",
    "decisions": f"a decision is damaged and will be deleted; decide again; {REBUILD}",
    "grading_cells": f"a change of grading is damaged and will be forgotten; {REBUILD}",
    "grading_changes": f"a change of grading is damaged and will be forgotten; {REBUILD}",
    "grading_settings": f"a question's settings of grading are damaged; set them again; {REBUILD}",
    "model": f"the model's record is damaged; run: searchkit reindex --model MODEL; or {RESTORE}",
    "removals": f"the record of removed vectors is damaged; {REBUILD}",
    "revision": f"the counters of changes are damaged; {REBUILD}",
    "sources": f"the name of a file of answers is damaged and will be forgotten; {REBUILD}",
    "state": f"the record of unfinished work is damaged; {REBUILD}",
}


def _other_problems(store: AnswerStore) -> Iterator[str]:
    for name, count in missing_rows(store).items():
        yield (
            f"{store.path}: {count} {name} are missing; restore a copy, or ingest the files again "
            f"and then {REBUILD}"
        )
    for name, count in unused_rows(store).items():
        yield f"{count} {name} belong to no answer; {REBUILD}"
    for table in low_counters(store):
        yield f"{store.path}: the counter of {table} is damaged; {REBUILD}"
    if store.record_is_damaged():
        yield f"{store.path.parent}: COMMITS is missing or damaged; {REBUILD}"


def _row_problems(
    store: AnswerStore, table: str, keys: Sequence[tuple[object, ...]]
) -> Iterator[str]:
    advice = _ROWS.get(table) or f"damaged; {DROP_REINDEX} {store.model().name}"
    for key in keys:
        yield f"{store.path}: {table}, row {', '.join(map(str, key))}: {advice}"


def _checkpoint_problems(checkpoints: Checkpoints) -> Iterator[str]:
    if problem := checkpoints.problem():
        yield f"{problem}; {REBUILD}"
    elif differing := checkpoints.differing_rows():
        yield (
            f"{checkpoints.folder}: {differing} vectors of the FAISS file are not the table's; "
            f"{REBUILD}"
        )
    elif problem := checkpoints.codes_problem():
        yield f"{problem}; {REBUILD}"


def _leftover_problems(store: AnswerStore, checkpoints: Checkpoints) -> Iterator[str]:
    folder = checkpoints.folder
    if store.needs_erasure():
        yield f"{folder}: deleted data is not erased yet (is a reader open?); {REBUILD}"
    for path in checkpoints.leftovers():
        yield f"{path}: left over from an earlier state; {REBUILD}"
    for path in sorted(folder.glob("*.damaged")):
        yield f"{path}: {SET_ASIDE}; it may hold vectors of deleted answers; delete it"


def _reindex_problems(store: AnswerStore, checkpoints: Checkpoints) -> Iterator[str]:
    successor = Successor(store)
    model = successor.model()
    if model is None:
        return
    current = store.model().name
    log.info(
        "%s: a reindex is not finished (%s answers are embedded); go on with: "
        "searchkit reindex --model %s; or drop it: searchkit reindex --model %s",
        checkpoints.folder,
        f"{successor.counts()['answers']:,}",
        model.name,
        current,
    )
    if unused := successor.unused_vectors():
        yield (
            f"{unused} vectors of the unfinished reindex belong to no answer; drop it, run: "
            f"searchkit reindex --model {current}"
        )
