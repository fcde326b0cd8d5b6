"""Reindex: every answer embedded anew with another model, beside the old vectors, then a swap.

Readers see the old state until they open again. A reindex that was killed is resumed by running it
again with the same model: what was committed is not embedded twice.
"""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from heapq import nsmallest

from searchkit.core.errors import BadInput, StorageFailed
from searchkit.core.progress import Counter, Progress
from searchkit.encoding.encoder import Encoder
from searchkit.index.embedding import AnswerProgress, cut, embed, model_row, new_texts
from searchkit.index.folder import Index
from searchkit.index.ingest import BATCH, batches
from searchkit.index.storage.successor import Successor

log = logging.getLogger("searchkit")
SAMPLE = 512  # texts that are embedded to measure how long all of them will take
WARM_UP = 16  # texts that are embedded before the clock starts
# Bytes beside the numbers themselves: hash, key and their place in an index of the database
VECTOR_ROW, PASSAGE_ROW, FAISS_KEY = 100, 40, 8


@dataclass(frozen=True, slots=True)
class Reindexed:
    """What a reindex did.

    Attributes:
        answers: In the index.
        passages: Cut from them for this model.
        embedded: Distinct passage texts that the model was run on.
        reused: Those that an earlier reindex, which was not finished, had embedded already.
        seconds: Wall time.
    """

    answers: int
    passages: int
    embedded: int
    reused: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a reindex would do.

    Attributes:
        answers: In the index.
        passages: As this model would have them.
        to_embed: Distinct passage texts that the model would be run on.
        reused: Those that an unfinished reindex with this model has embedded already.
        seconds: How long it would take, by a sample.
        disk: Bytes needed while it runs; most of them are free again afterwards.
        free: Bytes that are free where the index is.
    """

    answers: int
    passages: int
    to_embed: int
    reused: int
    seconds: float
    disk: int
    free: int


def reindex(
    index: Index, encoder: Encoder, *, progress: Progress | None = None, batch: int = BATCH
) -> Reindexed:
    """Embed every answer with another model, and swap its vectors in, in one commit.

    Answers, keys, columns and full text stay as they are. With the model that the index has, only
    what an unfinished reindex has left is dropped.

    Args:
        index: Open for writing; it has the new model afterwards.
        encoder: The new model.
        progress: Called with how many answers are done, and of how many.
        batch: Answers in a transaction.

    Raises:
        BadInput: if the model gives a vector that is not one; the answer is named.
        StorageFailed: if the disk is full. The index is usable, with the model that it had or, if
            only the wiping out of the old vectors failed, with the new one.
    """
    if not index.is_writable:
        raise ValueError("opened for reading; use Index.open(path, write=True)")
    started = time.perf_counter()
    successor = Successor(index.store)
    embedded = reused = 0
    if _is_made_with(index, encoder):
        if successor.model():
            index.drop_reindex()
    else:
        try:
            successor.begin(model_row(encoder))
            reused = successor.counts()["vectors"]
            embedded = _embed_pending(index, encoder, progress, batch)
            index.switch_model(encoder)
        except StorageFailed as error:
            raise StorageFailed(f"{error}; {_what_now(index, encoder)}") from error
    counts, seconds = index.store.counts(), round(time.perf_counter() - started, 3)
    return Reindexed(counts["answers"], counts["passages"], embedded, reused, seconds)


def _is_made_with(index: Index, encoder: Encoder) -> bool:
    """Return whether an index has this model already, and if so, say it to the user, too."""
    model = index.store.model()
    if model.fingerprint != encoder.fingerprint:
        return False
    made_with = f"{model.name} ({model.fingerprint[:12]})"
    log.info("%s: made with %s already; there is nothing to do", index.path, made_with)
    return True


def _embed_pending(index: Index, encoder: Encoder, progress: Progress | None, batch: int) -> int:
    """Embed the answers that the successor doesn't have yet; return how many texts that were."""
    successor = Successor(index.store)
    pending, total = successor.pending().tolist(), len(index)
    counter = Counter(progress, total, total - len(pending))
    counter.advance(0)
    embedded = 0
    for keys in batches(pending, batch):
        answers = index.store.get_keys(keys)
        rows = cut(encoder, [answers[key] for key in keys])
        new = new_texts(rows, successor.known({sha for row in rows for sha in row.hashes}))
        share = AnswerProgress(_after(counter.done, total, progress), len(rows))
        try:
            vectors = embed(encoder, list(new.values()), share)
        except BadInput as error:
            sha = _culprit(encoder, new)
            answer = next(row.answer for row in rows if sha in row.hashes)
            raise BadInput(
                f"answer {answer.id!r}: {error}; the index is as it was; use another model"
            ) from error
        successor.put(keys, rows, list(new), vectors)
        counter.advance(len(rows))
        embedded += len(new)
    return embedded


def _after(before: int, total: int, progress: Progress | None) -> Progress | None:
    """Report the answers of a batch together with those that are done."""
    return (lambda done, _: progress(before + done, total)) if progress else None


def _culprit(encoder: Encoder, texts: dict[bytes, str]) -> bytes:
    """Find the hash of a text for which the model gives no vector, among some that hold one."""
    suspects = list(texts)
    while len(suspects) > 1:
        half = suspects[: len(suspects) // 2]
        try:
            embed(encoder, [texts[sha] for sha in half])
            suspects = suspects[len(half) :]
        except BadInput:
            suspects = half
    return suspects[0]


def _what_now(index: Index, encoder: Encoder) -> str:
    if index.store.model().fingerprint == encoder.fingerprint:
        return (
            "the index has the new model; the old vectors are wiped out by the next command that "
            "writes and finds room"
        )
    return "make room and run the same command again: it goes on where it was"


# -- what it would take ----------------------------------------------------------------------------


def estimate(index: Index, encoder: Encoder) -> Estimate:
    """Say what a reindex would take; cuts every answer, embeds a sample, and changes nothing."""
    free = shutil.disk_usage(index.path).free
    if _is_made_with(index, encoder):
        return Estimate(len(index), index.store.counts()["passages"], 0, 0, 0.0, 0, free)
    started = time.perf_counter()
    passages, hashes, sample = _survey(index, encoder)
    seconds = time.perf_counter() - started
    successor = Successor(index.store)
    unfinished = successor.model()
    same = unfinished is not None and unfinished.fingerprint == encoder.fingerprint
    reused = len(successor.known(hashes)) if same else 0
    to_embed = len(hashes) - reused
    return Estimate(
        answers=len(index),
        passages=passages,
        to_embed=to_embed,
        reused=reused,
        seconds=round(seconds + _seconds_a_text(encoder, sample) * to_embed, 1),
        disk=_disk(index, encoder.dimension, len(hashes), passages),
        free=free,
    )


def _survey(index: Index, encoder: Encoder) -> tuple[int, set[bytes], list[str]]:
    """Cut every answer: how many passages, the hashes of their texts, a sample of these texts.

    The sample are the texts with the least hashes: the same each time, and of every kind.
    """
    passages, hashes, sample = 0, set[bytes](), dict[bytes, str]()
    for answers in batches(index.answers(), BATCH):
        rows = cut(encoder, answers)
        passages += sum(len(row.passages) for row in rows)
        found = new_texts(rows, {})
        hashes |= found.keys()
        found |= sample
        sample = {sha: found[sha] for sha in nsmallest(SAMPLE, found)}
    return passages, hashes, list(sample.values())


def _seconds_a_text(encoder: Encoder, texts: Sequence[str]) -> float:
    embed(encoder, texts[:WARM_UP])
    started = time.perf_counter()
    embed(encoder, texts)
    return (time.perf_counter() - started) / max(len(texts), 1)


def _disk(index: Index, dimension: int, vectors: int, passages: int) -> int:
    """Return the bytes needed at once: while swapping, or while the database is vacuumed."""
    counts = index.store.counts()
    database = index.store.path.stat().st_size
    old = _table(index.store.model().dimension, counts["vectors"], counts["passages"])
    new = _table(dimension, vectors, passages)
    faiss = vectors * (2 * dimension + FAISS_KEY)
    log_of_the_swap = old + 2 * new  # what is freed is overwritten with zeros
    copy_and_log_of_the_vacuum = 2 * max(database - old + new, 0)
    return new + faiss + max(log_of_the_swap, copy_and_log_of_the_vacuum)


def _table(dimension: int, vectors: int, passages: int) -> int:
    return vectors * (2 * dimension + VECTOR_ROW) + passages * PASSAGE_ROW
