"""The background of a corpus, kept until answers change."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from io import BytesIO

import numpy as np

from searchkit.index.base import BaseIndex
from searchkit.plagiarism.kept.results import cache_key
from searchkit.plagiarism.likeness.measures import COUNTED_LENGTHS, Background
from searchkit.plagiarism.preparation import PreparedAnswer

MAX_SEQUENCES = 4_000_000  # of a background that is kept, 16 bytes each


def background_of(texts: Sequence[PreparedAnswer]) -> Background:
    """Return the background of answers; drafts aren't counted."""
    return Background.of([text.words for text in texts if not text.is_draft])


def cached_background(
    index: BaseIndex, against: BaseIndex | None, compute: Callable[[], Background]
) -> Background:
    """Return the background of all answers, computed only if it isn't kept.

    Args:
        index: Of the new answers.
        against: Of the earlier ones.
        compute: Reads all answers.
    """
    key = cache_key(index, against, "background")
    value = index.get_result(key) if key else None
    if value is not None:
        with np.load(BytesIO(value)) as arrays:
            kinds = {name: (arrays[name], arrays[f"{name} counts"]) for name in COUNTED_LENGTHS}
            return Background(int(arrays["answers"]), kinds)
    background = compute()
    if key and sum(len(known) for known, _ in background.frequencies.values()) < MAX_SEQUENCES:
        arrays = {"answers": np.array(background.answers)}
        for name, (known, counts) in background.frequencies.items():
            arrays |= {name: known, f"{name} counts": counts}
        file = BytesIO()
        np.savez(file, allow_pickle=False, **arrays)
        index.put_result(key, file.getvalue())
    return background
