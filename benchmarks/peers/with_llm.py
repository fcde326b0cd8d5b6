"""Index and search with llm and its plug-in llm-sentence-transformers."""

import json
import os
from pathlib import Path
from typing import Any

from job import Row, Search, run


def index(rows: list[Row], model: str, store: str) -> None:
    """Write its collection; the model stands in a file, and as a folder's name keeps it offline."""
    user = Path(store)
    user.mkdir()
    named = [{"name": model, "trust_remote_code": False}]
    (user / "sentence-transformers.json").write_text(json.dumps(named))
    answers = collection(store, f"sentence-transformers/{model}")
    answers.embed_multi(((row["id"], row["answer"]) for row in rows), store=True)


def opened(model: str, store: str) -> Search:
    """Open it."""
    answers = collection(store)
    return lambda query, k: [hit.id for hit in answers.similar(query, number=k)]


def collection(store: str, model: str | None = None) -> Any:  # noqa: ANN401
    """Return llm's collection."""
    os.environ["LLM_USER_PATH"] = store
    import llm
    import sqlite_utils

    db = sqlite_utils.Database(Path(store) / "embeddings.db")
    return llm.Collection("answers", db, model_id=model)


run(index, opened)
