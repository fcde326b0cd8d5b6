"""Status: what an index holds, in numbers."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from searchkit.index.base import BaseIndex


def status(index: BaseIndex) -> dict[str, Any]:
    """Return counts, columns, model, questions, and how the index is stored.

    Returns:
        `{"index", "answers", "blank", "questions", "authors", "passages", "vectors",
        "earlier_attempts", "languages": {code: answers}, "columns",
        "model": {"name", "fingerprint", "dimension", "window"},
        "by_question": [{"question", "answers", "authors"}], …}` and what the index's `storage`
        returns. For a folder that is `{"files": {name: bytes}, "checkpoint": {"file", "vectors"} or
        None, "tail", "removed", "format", "unfinished": {"model", "answers"} or None}`: `tail`
        counts the vectors that were added after the checkpoint, `removed` those that it holds
        though they were deleted, and `unfinished` is a reindex with the number of answers that it
        has embedded so far. For Milvus it is `{"storage": {…}}`.
    """
    return {
        "index": index.place,
        **index.counts(),
        "languages": index.languages(),
        "columns": index.columns(),
        "model": asdict(index.model),
        "by_question": index.by_question(),
        **index.storage(),
    }
