"""The measures of the questions with few answers, which are judged together.

To compare two answers to one of them, the pairs of all are needed. They are kept until answers
change.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from io import BytesIO

import numpy as np

from searchkit.core.arrays import Float64
from searchkit.index.base import BaseIndex
from searchkit.plagiarism.kept.results import cache_key
from searchkit.plagiarism.likeness.significance import MEASURES

MAX_PAIRS = 1_000_000  # whose measures are kept, 40 bytes each

PooledMeasures = dict[str, dict[str, Float64]]
"""For each question, the measures `(p,)` of its unrelated pairs, under the measure's name."""


def cached_pooled(
    index: BaseIndex,
    against: BaseIndex | None,
    options: tuple[object, ...],
    compute: Callable[[], PooledMeasures],
) -> PooledMeasures:
    """Return the measures of all questions with few answers, computed only if they aren't kept.

    Args:
        index: Of the new answers.
        against: Of the earlier ones.
        options: What else they depend on.
        compute: Reads and measures all of these questions.
    """
    key = cache_key(index, against, "pooled", *options)
    value = index.get_result(key) if key else None
    if value is not None:
        return _read(value)
    pooled = compute()
    if key and sum(len(measures[MEASURES[0]]) for measures in pooled.values()) <= MAX_PAIRS:
        index.put_result(key, _written(pooled))
    return pooled


def _read(value: bytes) -> PooledMeasures:
    with np.load(BytesIO(value)) as arrays:
        questions = json.loads(arrays["questions"].tobytes())
        borders = np.cumsum(arrays["pairs"])[:-1]
        parts = {name: np.split(arrays[name], borders) for name in MEASURES}
    return {
        question: {name: parts[name][n] for name in MEASURES}
        for n, question in enumerate(questions)
    }


def _written(pooled: PooledMeasures) -> bytes:
    names = json.dumps(list(pooled)).encode()
    arrays = {
        name: np.concatenate([np.empty(0), *(measures[name] for measures in pooled.values())])
        for name in MEASURES
    }
    pairs = np.array([len(measures[MEASURES[0]]) for measures in pooled.values()], np.int64)
    file = BytesIO()
    np.savez(
        file, allow_pickle=False, questions=np.frombuffer(names, np.uint8), pairs=pairs, **arrays
    )
    return file.getvalue()
