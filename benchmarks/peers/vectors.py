"""What one writes around an encoder: answers in SQLite, vectors in a file, each compared."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from job import Row, Search, run

Encode = Callable[[Sequence[str]], Any]  # texts to unit rows, float32
Load = Callable[[str], Encode]  # the model's folder


def run_with_faiss(load: Load) -> None:
    """Index and search with FAISS, exactly."""

    def index(rows: list[Row], model: str, store: str) -> None:
        import faiss

        vectors = load(model)([row["answer"] for row in rows])
        flat = faiss.IndexFlatIP(vectors.shape[1])
        flat.add(vectors)
        faiss.write_index(flat, store + ".faiss")
        write_rows(rows, store)

    def opened(model: str, store: str) -> Search:
        import faiss

        encode, flat, id_of = load(model), faiss.read_index(store + ".faiss"), ids(store)
        return lambda query, k: [id_of(key) for key in flat.search(encode([query]), k)[1][0]]

    run(index, opened)


def run_with_usearch(load: Load) -> None:
    """Index and search with usearch, exactly."""

    def index(rows: list[Row], model: str, store: str) -> None:
        np.save(store + ".npy", load(model)([row["answer"] for row in rows]))
        write_rows(rows, store)

    def opened(model: str, store: str) -> Search:
        from usearch.index import MetricKind, search

        encode, id_of = load(model), ids(store)
        vectors = np.load(store + ".npy", mmap_mode="r")

        def searched(query: str, k: int) -> list[str]:
            hits = search(vectors, encode([query])[0], k, MetricKind.IP, exact=True)
            return [id_of(key) for key in hits.keys]

        return searched

    run(index, opened)


def write_rows(rows: list[Row], store: str) -> None:
    """Write the answers to SQLite."""
    db = sqlite3.connect(store + ".db")
    db.execute("CREATE TABLE answers (key INTEGER PRIMARY KEY, id TEXT, question TEXT, text TEXT)")
    answers = ((n, row["id"], row["question"], row["answer"]) for n, row in enumerate(rows))
    db.executemany("INSERT INTO answers VALUES (?, ?, ?, ?)", answers)
    db.commit()


def ids(store: str) -> Callable[[int], str]:
    """Return what reads an answer from SQLite and returns its id."""
    db = sqlite3.connect(store + ".db")

    def id_of(key: int) -> str:
        id_, _ = db.execute("SELECT id, text FROM answers WHERE key = ?", [int(key)]).fetchone()
        return str(id_)

    return id_of
