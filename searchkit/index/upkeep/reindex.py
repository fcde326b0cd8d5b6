"""Reindex: embed every answer with another model, beside the vectors in use, and then switch.

Readers see the old state until they open again. A reindex that was killed is resumed by running it
again with the same model: what was committed is not embedded twice.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from heapq import nsmallest

from searchkit.core.errors import BadInput, StorageFailed
from searchkit.core.progress import Counter, Progress, after
from searchkit.encoding.encoder import Encoder
from searchkit.index.base import BaseIndex
from searchkit.index.embedding import AnswerProgress, embed, model_of, new_texts, split_answers
from searchkit.index.ingest import BATCH_SIZE, batches

log = logging.getLogger("searchkit")
SAMPLE_SIZE = 512  # texts that are embedded to measure how long all of them will take
WARM_UP_SIZE = 16  # texts that are embedded before the clock starts


@dataclass(frozen=True, slots=True)
class Reindexed:
    """What a reindex did.

    Attributes:
        answers: Answers in the index.
        passages: Passages that they were split into for the new model.
        embedded: Distinct passage texts that the model was run on.
        reused: Distinct passage texts that an earlier, unfinished reindex had embedded.
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
        answers: Answers in the index.
        passages: Passages that they would be split into for the new model.
        to_embed: Distinct passage texts that the model would be run on.
        reused: Distinct passage texts that an unfinished reindex with this model has embedded.
        seconds: Expected wall time, from a sample.
        disk: Bytes needed while it runs; most of them are free again afterwards.
        free: Bytes that are free on the disk of the index.
    """

    answers: int
    passages: int
    to_embed: int
    reused: int
    seconds: float
    disk: int
    free: int


def reindex(
    index: BaseIndex, encoder: Encoder, *, progress: Progress | None = None, batch: int = BATCH_SIZE
) -> Reindexed:
    """Embed every answer with another model, and switch to its vectors in one commit.

    Answers, keys, columns and full text stay as they are. With the index's own model this only
    drops what an unfinished reindex has left.

    Args:
        index: Open for writing; it has the new model afterwards.
        encoder: The new model.
        progress: Called with how many answers are done, and of how many.
        batch: Answers in a transaction.

    Raises:
        BadInput: if the index can't be reindexed, or the model gives an invalid vector; the
            message names the answer.
        StorageFailed: if the disk is full. The index is usable, with its old model, or with the
            new one if only erasing the old vectors failed.
    """
    index.require_writer()
    started = time.perf_counter()
    successor = index.successor()
    embedded = reused = 0
    if _has_model(index, encoder):
        if successor.model():
            index.drop_reindex()
        # It is in another folder now, or its record is damaged.
        if index.model != model_of(encoder) or successor.has_damaged_model():
            successor.record_model(model_of(encoder))
    else:
        try:
            successor.begin(model_of(encoder))
            reused = successor.counts()["vectors"]
            embedded = _embed_pending(index, encoder, progress, batch)
            index.switch_model(encoder)
        except StorageFailed as error:
            raise StorageFailed(f"{error}; {_advice(index, encoder)}") from error
    counts, seconds = index.counts(), round(time.perf_counter() - started, 3)
    return Reindexed(counts["answers"], counts["passages"], embedded, reused, seconds)


def _has_model(index: BaseIndex, encoder: Encoder) -> bool:
    """Whether an index was made with this model; if so, log that there is nothing to do."""
    model = index.model
    if model.fingerprint != encoder.fingerprint:
        return False
    made_with = model.described
    log.info("%s: made with %s already; there is nothing to do", index.place, made_with)
    return True


def _embed_pending(
    index: BaseIndex, encoder: Encoder, progress: Progress | None, batch: int
) -> int:
    """Embed the answers that the successor doesn't have; return the number of texts embedded."""
    successor = index.successor()
    pending, total = successor.pending().tolist(), len(index)
    counter = Counter(progress, total, total - len(pending))
    counter.advance(0)
    embedded = 0
    for keys in batches(pending, batch):
        split = split_answers(encoder, successor.answers(keys))
        new = new_texts(split, successor.known({sha for a in split for sha in a.hashes}))
        report = AnswerProgress(after(progress, counter.done, total), len(split))
        try:
            vectors = embed(encoder, list(new.values()), report)
        except BadInput as error:
            sha = _find_failing_text(encoder, new)
            answer = next(a.answer for a in split if sha in a.hashes)
            raise BadInput(
                f"answer {answer.id!r}: {error}; the index is as it was; use another model"
            ) from error
        successor.put(keys, split, list(new), vectors)
        counter.advance(len(split))
        embedded += len(new)
    return embedded


def _find_failing_text(encoder: Encoder, texts: dict[bytes, str]) -> bytes:
    """Return the hash of a text for which the model gives an invalid vector, by bisection."""
    suspects = list(texts)
    while len(suspects) > 1:
        half = suspects[: len(suspects) // 2]
        try:
            embed(encoder, [texts[sha] for sha in half])
            suspects = suspects[len(half) :]
        except BadInput:
            suspects = half
    return suspects[0]


def _advice(index: BaseIndex, encoder: Encoder) -> str:
    """Return what to do after the disk was full."""
    if index.model.fingerprint == encoder.fingerprint:
        return (
            "the index has the new model; the old vectors are erased by the next command that "
            "writes and has room"
        )
    return "make room and run the same command again: it resumes where it stopped"


# -- estimate --------------------------------------------------------------------------------------


def estimate(index: BaseIndex, encoder: Encoder) -> Estimate:
    """Return what a reindex would take; this splits every answer, and embeds a sample.

    Raises:
        BadInput: if the index can't be reindexed.
    """
    successor = index.successor()
    free = successor.free_bytes()
    if _has_model(index, encoder):
        return Estimate(len(index), index.counts()["passages"], 0, 0, 0.0, 0, free)
    started = time.perf_counter()
    passages, hashes, sample = _survey(index, encoder)
    seconds = time.perf_counter() - started
    unfinished = successor.model()
    can_resume = unfinished is not None and unfinished.fingerprint == encoder.fingerprint
    reused = len(successor.known(hashes)) if can_resume else 0
    to_embed = len(hashes) - reused
    return Estimate(
        answers=len(index),
        passages=passages,
        to_embed=to_embed,
        reused=reused,
        seconds=round(seconds + _seconds_per_text(encoder, sample) * to_embed, 1),
        disk=successor.needed_bytes(encoder.dimension, len(hashes), passages),
        free=free,
    )


def _survey(index: BaseIndex, encoder: Encoder) -> tuple[int, set[bytes], list[str]]:
    """Split every answer; return the number of passages, the hashes of their texts, a sample.

    The sample holds the texts with the smallest hashes: the same each time, and of every kind.
    """
    passages, hashes, sample = 0, set[bytes](), dict[bytes, str]()
    for answers in batches(index.answers(), BATCH_SIZE):
        split = split_answers(encoder, answers)
        passages += sum(len(answer.passages) for answer in split)
        texts = new_texts(split, {})
        hashes |= texts.keys()
        texts |= sample
        sample = {sha: texts[sha] for sha in nsmallest(SAMPLE_SIZE, texts)}
    return passages, hashes, list(sample.values())


def _seconds_per_text(encoder: Encoder, texts: Sequence[str]) -> float:
    embed(encoder, texts[:WARM_UP_SIZE])
    started = time.perf_counter()
    embed(encoder, texts)
    return (time.perf_counter() - started) / max(len(texts), 1)
