"""Mending the folder of an index: what can be made again from its sound rows."""

from __future__ import annotations

from searchkit.encoding.encoder import Encoder
from searchkit.index.embedding import embed, new_texts, split_answers
from searchkit.index.storage.store import AnswerStore
from searchkit.index.upkeep.damage import (
    damaged_answers,
    damaged_passages,
    damaged_vectors,
    repair,
)
from searchkit.index.vectors.checkpoint import Checkpoints


def rebuild_files(store: AnswerStore, checkpoints: Checkpoints) -> None:
    """Repair the rows that need no model, and make full text, pages and FAISS file again."""
    checkpoints.set_aside()
    repair(store)
    store.fulltext.rebuild()
    checkpoints.write(checkpoints.read_rows())
    checkpoints.erase_deleted()


def embed_damaged(store: AnswerStore, encoder: Encoder) -> int:
    """Embed again the answers with sound texts whose passages or vectors are damaged.

    Args:
        store: Open for writing.
        encoder: The index's model.

    Returns:
        The number of answers.
    """
    keys = list(damaged_passages(store, damaged_answers(store), damaged_vectors(store)))
    if not keys:
        return 0
    answers = store.get_keys(keys)
    split = split_answers(encoder, [answers[key] for key in keys])
    with store.transaction():
        store.delete_passages(keys)
        known = store.known({sha for answer in split for sha in answer.hashes})
        new = new_texts(split, known)
        store.put(split, [], list(new), embed(encoder, list(new.values())))
    return len(keys)
