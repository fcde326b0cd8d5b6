"""Overlap: the passages that two texts share, verbatim or reworded."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import numpy as np

from searchkit.core.arrays import Float32
from searchkit.plagiarism.records import Overlap
from searchkit.text.words import Words, sequences, split_sentences, split_words

# Words of prose, and tokens of code:
SEED_LENGTH = (3, 6)  # that are the same where a verbatim passage begins
MIN_LENGTH = (4, 8)  # of a verbatim passage
MAX_GAP = 4  # words between two seeds, which may be common ones
MAX_REPEATS = 64  # of a seed in a text
MIN_COSINE = 0.6  # of two sentences, one of which rewords the other
MAX_COVERED = 0.6  # share of a sentence that is verbatim, above which it isn't listed as reworded

Span = tuple[int, int]  # start and end offsets, in characters


@dataclass(frozen=True, slots=True)
class TokenRun:
    """Consecutive tokens that are the same in two texts.

    Attributes:
        left: The number of the first token in one text.
        right: The number of the first token in the other.
        length: The number of tokens.
    """

    left: int
    right: int
    length: int


def overlaps(
    left: str, right: str, embed: Callable[[list[str]], Float32] | None = None
) -> list[Overlap]:
    """Return the passages that two texts share.

    Args:
        left: One text.
        right: The other text.
        embed: Returns unit vectors `(n, d)` of n sentences, such as `Encoder.encode`. None: only
            verbatim passages are found.

    Returns:
        Verbatim passages, and sentences that say the same in other words, in the order of `left`.
    """
    words = split_words(left), split_words(right)
    spans = split_sentences(left), split_sentences(right)
    cosines = np.full((len(spans[0]), len(spans[1])), -1, np.float32)
    if embed and cosines.size:
        texts = [left[a:b] for a, b in spans[0]] + [right[a:b] for a, b in spans[1]]
        rows = embed(texts)
        cosines = rows[: len(spans[0])] @ rows[len(spans[0]) :].T
    return align(*words, shared_runs(*words), spans, cosines)


def shared_runs(left: Words, right: Words, leave_out: Collection[int] = ()) -> list[TokenRun]:
    """Return the longest runs of equal tokens; no token is in two runs.

    Greedy string tiling (Wise, String similarity via greedy string tiling, 1993), over the runs of
    equal sequences of `SEED_LENGTH`, the seeds.

    Args:
        left: The words of one text.
        right: The words of the other.
        leave_out: Hashes of sequences that are no seeds. They may stand between two seeds.

    Returns:
        In the order of the left text.
    """
    places: dict[int, list[int]] = defaultdict(list)
    for seed, j in _seeds(right):
        places[seed].append(j)
    diagonals: dict[int, list[int]] = defaultdict(list)
    for seed, i in sorted(_seeds(left), key=lambda pair: pair[1]):
        if 0 < len(places.get(seed, ())) <= MAX_REPEATS and seed not in leave_out:
            for j in places[seed]:
                diagonals[j - i].append(i)
    runs = [run for shift, seeds in diagonals.items() for run in _join(seeds, shift, left, right)]
    return _tile(runs, left)


def _seeds(words: Words) -> list[tuple[int, int]]:
    """Return the hash of each sequence of `SEED_LENGTH`, and the number of its first token."""
    hashes, firsts = sequences(words, SEED_LENGTH)
    return list(zip(hashes.tolist(), firsts.tolist(), strict=True))


def _join(seeds: Sequence[int], shift: int, left: Words, right: Words) -> list[TokenRun]:
    """Join seeds that overlap, or have the same few words between them.

    Args:
        seeds: The first token of each seed in the left text, ascending.
        shift: By how much the tokens' numbers in the right text are higher.
        left: The words of one text.
        right: The words of the other.
    """
    runs: list[TokenRun] = []
    start = end = -1
    for seed in seeds:
        continues = (
            start >= 0
            and seed - end <= MAX_GAP
            and left.tokens[end:seed] == right.tokens[end + shift : seed + shift]
        )
        if not continues:
            if start >= 0:
                runs.append(TokenRun(start, start + shift, end - start))
            start = seed
        end = seed + SEED_LENGTH[int(left.is_code[seed])]
    if start >= 0:
        runs.append(TokenRun(start, start + shift, end - start))
    return runs


def _tile(runs: list[TokenRun], left: Words) -> list[TokenRun]:
    """Choose the longest runs first, and of the others what no chosen run covers."""
    taken_left: set[int] = set()
    taken_right: set[int] = set()
    tiles = []
    for run in sorted(runs, key=lambda run: (-run.length, run.left, run.right)):
        free = [
            k
            for k in range(run.length)
            if run.left + k not in taken_left and run.right + k not in taken_right
        ]
        if not free:
            continue
        first, last = free[0], free[-1]
        if len(free) != last - first + 1:
            continue  # a longer run covers its middle
        if len(free) >= MIN_LENGTH[int(left.is_code[run.left])]:
            tiles.append(TokenRun(run.left + first, run.right + first, len(free)))
            taken_left.update(range(run.left + first, run.left + last + 1))
            taken_right.update(range(run.right + first, run.right + last + 1))
    return sorted(tiles, key=lambda run: run.left)


def coverage(runs: Sequence[TokenRun], left: Words, right: Words) -> float:
    """Return the share of the shorter text's words that are in the runs, 0 to 1."""
    shorter = min(len(left), len(right))
    return sum(run.length for run in runs) / shorter if shorter else 0.0


def align(
    left: Words,
    right: Words,
    runs: Sequence[TokenRun],
    sentences: tuple[Sequence[Span], Sequence[Span]],
    cosines: Float32,
    leave_out: Collection[int] = (),
) -> list[Overlap]:
    """Return verbatim passages, and sentences that say the same in other words.

    Args:
        left: The words of one text.
        right: The words of the other.
        runs: From `shared_runs`.
        sentences: The spans of each text's sentences.
        cosines: `(l, r)` of the sentences.
        leave_out: Hashes of sequences that are no evidence. A sentence that mostly consists of
            them isn't listed.

    Returns:
        In the order of the left text.
    """
    passages = [
        Overlap(left.span(run.left, run.length), right.span(run.right, run.length), "verbatim", 1.0)
        for run in runs
    ]
    free = np.array(cosines, np.float32, copy=True)
    for side, (words, spans) in enumerate(zip((left, right), sentences, strict=True)):
        covering = [passage.left if side == 0 else passage.right for passage in passages]
        covering += _left_out_spans(words, leave_out)
        for n, span in enumerate(spans):
            if _covered_share(span, covering) > MAX_COVERED:
                free[(n, slice(None)) if side == 0 else (slice(None), n)] = -1
    while free.size and free.max() >= MIN_COSINE:
        i, j = divmod(int(free.argmax()), free.shape[1])
        score = round(min(1.0, float(free[i, j])), 6)
        passages.append(Overlap(sentences[0][i], sentences[1][j], "reworded", score))
        free[i, :] = -1
        free[:, j] = -1
    return sorted(passages, key=lambda passage: (passage.left, passage.right))


def _left_out_spans(words: Words, leave_out: Collection[int]) -> list[Span]:
    """Return the spans of a text that consist of sequences to leave out."""
    firsts = sorted(first for seed, first in _seeds(words) if seed in leave_out)
    spans: list[Span] = []
    for first in firsts:
        start, end = words.span(first, SEED_LENGTH[int(words.is_code[first])])
        if spans and start <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(end, spans[-1][1]))
        else:
            spans.append((start, end))
    return spans


def _covered_share(span: Span, covering: Sequence[Span]) -> float:
    """Return the share of a span's characters that other spans cover."""
    covered: set[int] = set()
    for start, end in covering:
        covered.update(range(max(span[0], start), min(span[1], end)))
    return len(covered) / max(1, span[1] - span[0])
