"""Overlap: two texts side by side, what they share word for word and what in other words."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import numpy as np

from searchkit.core.arrays import Float32
from searchkit.plagiarism.records import Overlap
from searchkit.text.words import Words, sequences, split_sentences, split_words

SEED = (3, 6)  # words of prose, tokens of code, that must be the same to begin a passage
SHORTEST = (4, 8)  # of a verbatim passage
BRIDGE = 4  # words between two seeds that may be common ones
REPEATED = 64  # times that a seed may stand in a text
REWORDED = 0.6  # cosine of two sentences, at least
COVERED = 0.6  # a sentence with so much of it verbatim is not listed as reworded, too
Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Run:
    """Tokens that are the same in two texts: `length` from `left` and from `right` on."""

    left: int
    right: int
    length: int


def overlaps(
    left: str, right: str, embed: Callable[[list[str]], Float32] | None = None
) -> list[Overlap]:
    """Return what two texts share.

    Args:
        left: One text.
        right: The other.
        embed: Gives unit vectors `(n, d)` of n sentences, such as `Encoder.encode`. None:
            only what is verbatim is looked for.

    Returns:
        Verbatim passages, and sentences that say the same in other words; in the order of `left`.
    """
    words = split_words(left), split_words(right)
    spans = split_sentences(left), split_sentences(right)
    cosines = np.full((len(spans[0]), len(spans[1])), -1, np.float32)
    if embed and cosines.size:
        texts = [left[a:b] for a, b in spans[0]] + [right[a:b] for a, b in spans[1]]
        rows = embed(texts)
        cosines = rows[: len(spans[0])] @ rows[len(spans[0]) :].T
    return align(*words, shared_runs(*words), spans, cosines)


def shared_runs(left: Words, right: Words, leave_out: Collection[int] = ()) -> list[Run]:
    """Return the longest runs of equal tokens; no token is in two.

    Greedy tiling (Wise, String similarity via greedy string tiling, 1993), over the runs of
    equal sequences of `SEED`.

    Args:
        left: The words of one text.
        right: The words of the other.
        leave_out: Hashes of sequences of `SEED` that are no evidence. A passage is made of the
            others, and of what stands between two of them.

    Returns:
        In the order of the left text.
    """
    places: dict[int, list[int]] = defaultdict(list)
    for gram, j in _pairs(right):
        places[gram].append(j)
    diagonals: dict[int, list[int]] = defaultdict(list)
    for gram, i in sorted(_pairs(left), key=lambda pair: pair[1]):
        if 0 < len(places.get(gram, ())) <= REPEATED and gram not in leave_out:
            for j in places[gram]:
                diagonals[j - i].append(i)
    runs = [run for shift, seeds in diagonals.items() for run in _joined(seeds, shift, left, right)]
    return _tiles(runs, left)


def _pairs(words: Words) -> list[tuple[int, int]]:
    hashes, firsts = sequences(words, SEED)
    return list(zip(hashes.tolist(), firsts.tolist(), strict=True))


def _joined(seeds: Sequence[int], shift: int, left: Words, right: Words) -> list[Run]:
    """Join the seeds of one diagonal that follow each other, or have the same words between."""
    runs: list[Run] = []
    start = end = -1
    for seed in seeds:
        same = (
            start >= 0
            and seed - end <= BRIDGE
            and left.tokens[end:seed] == right.tokens[end + shift : seed + shift]
        )
        if not same:
            if start >= 0:
                runs.append(Run(start, start + shift, end - start))
            start = seed
        end = seed + SEED[int(left.code[seed])]
    if start >= 0:
        runs.append(Run(start, start + shift, end - start))
    return runs


def _tiles(runs: list[Run], left: Words) -> list[Run]:
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
            continue  # its middle is in a longer one
        if len(free) >= SHORTEST[int(left.code[run.left])]:
            tiles.append(Run(run.left + first, run.right + first, len(free)))
            taken_left.update(range(run.left + first, run.left + last + 1))
            taken_right.update(range(run.right + first, run.right + last + 1))
    return sorted(tiles, key=lambda run: run.left)


def coverage(runs: Sequence[Run], left: Words, right: Words) -> float:
    """Return the share of the shorter text's words that are in the runs, 0 to 1."""
    shorter = min(len(left), len(right))
    return sum(run.length for run in runs) / shorter if shorter else 0.0


def align(
    left: Words,
    right: Words,
    runs: Sequence[Run],
    sentences: tuple[Sequence[Span], Sequence[Span]],
    cosines: Float32,
    leave_out: Collection[int] = (),
) -> list[Overlap]:
    """Return what two texts share: verbatim passages, and sentences that say the same otherwise.

    Args:
        left: The words of one text.
        right: The words of the other.
        runs: From `shared_runs`.
        sentences: The (start, end) of each text's sentences.
        cosines: `(l, r)` of the sentences.
        leave_out: Hashes of sequences of `SEED` that are no evidence; a sentence that is made of
            them is none either.

    Returns:
        In the order of the left text.
    """
    passages = [
        Overlap(left.span(run.left, run.length), right.span(run.right, run.length), "verbatim", 1.0)
        for run in runs
    ]
    free = np.array(cosines, np.float32, copy=True)
    for side, (words, spans) in enumerate(zip((left, right), sentences, strict=True)):
        known = [passage.left if side == 0 else passage.right for passage in passages]
        known += _left_out(words, leave_out)
        for n, span in enumerate(spans):
            if _covered(span, known) > COVERED:
                free[(n, slice(None)) if side == 0 else (slice(None), n)] = -1
    while free.size and free.max() >= REWORDED:
        i, j = divmod(int(free.argmax()), free.shape[1])
        score = round(min(1.0, float(free[i, j])), 6)
        passages.append(Overlap(sentences[0][i], sentences[1][j], "reworded", score))
        free[i, :] = -1
        free[:, j] = -1
    return sorted(passages, key=lambda passage: (passage.left, passage.right))


def _left_out(words: Words, leave_out: Collection[int]) -> list[Span]:
    """Return the stretches of a text that are made of sequences that are no evidence."""
    at = sorted(first for gram, first in _pairs(words) if gram in leave_out)
    spans: list[Span] = []
    for first in at:
        start, end = words.span(first, SEED[int(words.code[first])])
        if spans and start <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(end, spans[-1][1]))
        else:
            spans.append((start, end))
    return spans


def _covered(span: Span, found: Sequence[Span]) -> float:
    inside: set[int] = set()
    for start, end in found:
        inside.update(range(max(span[0], start), min(span[1], end)))
    return len(inside) / max(1, span[1] - span[0])
