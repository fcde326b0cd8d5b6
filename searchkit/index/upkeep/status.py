"""Status: what an index holds, in numbers."""

from __future__ import annotations

from typing import Any

from searchkit.index.base import BaseIndex
from searchkit.index.folder import Index
from searchkit.index.storage.successor import Successor


def status(index: BaseIndex) -> dict[str, Any]:
    """Return counts, model, questions, sizes in bytes, and how the vectors are kept.

    Returns:
        `{"index", "answers", "blank", "questions", "authors", "passages", "vectors", "columns",
        "model": {"name", "fingerprint", "dimension", "window"}, "by_question": [{"question",
        "answers", "authors"}], "files": {name: bytes}, "checkpoint": {"file", "vectors"} or None,
        "tail", "removed", "format", "unfinished": {"model", "answers"} or None}`: `tail` counts the
        vectors that came after the checkpoint, `removed` those that it still holds though they are
        gone; `unfinished` is a reindex, with the answers that it has embedded so far. An index
        that is no folder has what its `storage` says in the place of `files` and what follows.
    """
    model = index.model
    return {
        "index": index.place,
        **index.counts(),
        "columns": index.columns(),
        "model": {name: getattr(model, name) for name in model.__slots__},
        "by_question": index.by_question(),
        **(_folder(index) if isinstance(index, Index) else {"storage": index.storage()}),
    }


def _folder(index: Index) -> dict[str, Any]:
    store, checkpoint = index.store, index.store.checkpoint()
    successor = Successor(store)
    unfinished = successor.model()
    files = sorted(path for path in index.path.iterdir() if path.is_file())
    return {
        "files": {path.name: path.stat().st_size for path in files},
        "checkpoint": checkpoint and {"file": checkpoint.file, "vectors": checkpoint.count},
        "tail": store.tail_length(checkpoint.last_vector if checkpoint else 0),
        "removed": len(store.removals()),
        "format": store.format(),
        "unfinished": unfinished
        and {"model": unfinished.name, "answers": successor.counts()["answers"]},
    }
