"""The distribution of similarity scores: how many pairs of answers have which cosine."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from searchkit.core.arrays import Float32, Int64
from searchkit.core.progress import Progress
from searchkit.core.where import Where
from searchkit.index.base import BaseIndex

BINS = 100  # of equal width, from -1 to 1
BLOCK_ROWS = 1024  # rows that are compared at a time
MAX_ROWS = 20_000  # answers to a question that are compared, which makes 200,000,000 pairs


def score_counts(
    rows: Float32,
    authors: Sequence[str | None],
    earlier: int = 0,
    *,
    block_rows: int = BLOCK_ROWS,
) -> list[int]:
    """Count the cosines of all pairs of rows by different authors, exactly.

    Args:
        rows: `(n, d)` unit vectors.
        authors: The author of each row; None: unknown, and different from everybody else.
        earlier: Number of rows at the end that belong to an earlier cohort; these are compared with
            the other rows but not with each other.
        block_rows: Number of rows that are compared at a time.

    Returns:
        `BINS` numbers: of scores from -1 to -0.98, and so on; 1 belongs to the last.
    """
    numbers = {name: n for n, name in enumerate(dict.fromkeys(authors))}
    codes = np.array(
        [-1 - n if name is None else numbers[name] for n, name in enumerate(authors)], np.int64
    )
    counts = np.zeros(BINS, np.int64)
    new = len(rows) - earlier
    for start in range(0, new, block_rows):
        end = min(start + block_rows, new)
        scores = rows[start:end] @ rows[start:].T  # (block, n - start)
        is_other_author = codes[start:end, None] != codes[None, start:]
        is_later = np.arange(start, len(rows)) > np.arange(start, end)[:, None]
        scores = scores[is_other_author & is_later]
        bins = np.floor((scores + 1) * (BINS / 2) + 1e-5).astype(np.int64)
        counts += np.bincount(np.clip(bins, 0, BINS - 1), minlength=BINS)
    return [int(count) for count in counts]


def evenly_spaced(count: int, max_rows: int = MAX_ROWS) -> Int64:
    """Return the numbers of all `count` rows, or of `max_rows` evenly spaced ones if fewer."""
    if count <= max_rows:
        return np.arange(count)
    return np.linspace(0, count - 1, max_rows).astype(np.int64)


def index_score_counts(index: BaseIndex, where: Where) -> list[int]:
    """Return the number of pairs in each bin, of the answers of an index that match a filter."""
    answers, rows = [], []
    for answer, row in index.iter_vectors(where.with_attempts()):
        answers.append(answer)
        rows.append(row)
    if not rows:
        return [0] * BINS
    return score_counts(np.stack(rows), [answer.author_key for answer in answers])


def all_score_counts(index: BaseIndex, progress: Progress) -> list[int]:
    """Return the same of all answers of an index, each compared within its question."""
    questions = [row["question"] or "" for row in index.by_question()]
    counts = np.zeros(BINS, np.int64)
    for done, question in enumerate(questions):
        progress(done, len(questions))
        counts += index_score_counts(index, Where(question))
    return [int(count) for count in counts]
