"""The table of sentences' vectors, by the hash of the sentence; no text is in it.

A row's number is the first eight bytes of the sentence's hash, and its checksum has all of it: a
damaged row, or that of another sentence, counts as none.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from sqlite3 import Connection

import numpy as np

from searchkit.core.arrays import Float16
from searchkit.index.embedding import passage_hash
from searchkit.text.words import sentence_spans

CREATE = """CREATE TABLE sentences (
    key INTEGER PRIMARY KEY,
    vector BLOB NOT NULL,
    checksum BLOB NOT NULL
)"""
_CHECKSUM_BYTES = 8
_MAX_PARAMETERS = 30_000  # of one statement; SQLite takes 32,766


def sentence_hashes(texts: Iterable[str]) -> set[bytes]:
    """Return the SHA-256 of every sentence of some answers' texts."""
    return {passage_hash(text[start:end]) for text in texts for start, end in sentence_spans(text)}


def read_vectors(
    connection: Connection, hashes: Iterable[bytes], dimension: int
) -> dict[bytes, Float16]:
    """Return the sound vectors of sentences by SHA-256, `(dimension,)` each."""
    sha_of = {_key(sha): sha for sha in hashes}
    keys, vectors = list(sha_of), {}
    for at in range(0, len(keys), _MAX_PARAMETERS):
        block = keys[at : at + _MAX_PARAMETERS]
        marks = ",".join("?" * len(block))
        sql = f"SELECT key, vector, checksum FROM sentences WHERE key IN ({marks})"
        for key, vector, checksum in connection.execute(sql, block):
            if _is_sound(sha_of[key], vector, checksum) and len(vector) == 2 * dimension:
                vectors[sha_of[key]] = np.frombuffer(vector, np.float16)
    return vectors


def write_vectors(connection: Connection, vectors: Mapping[bytes, Float16]) -> None:
    """Add or replace vectors; part of a transaction."""
    rows = ((sha, row.tobytes()) for sha, row in vectors.items())
    connection.executemany(
        "INSERT OR REPLACE INTO sentences VALUES (?, ?, ?)",
        ((_key(sha), vector, _checksum(sha, vector)) for sha, vector in rows),
    )


def delete_vectors(connection: Connection, hashes: Iterable[bytes]) -> None:
    """Delete the vectors of sentences; part of a transaction."""
    delete_rows(connection, map(_key, hashes))


def delete_rows(connection: Connection, keys: Iterable[int]) -> None:
    """Delete rows by their numbers; part of a transaction."""
    connection.executemany("DELETE FROM sentences WHERE key = ?", ((key,) for key in keys))


def bad_rows(connection: Connection, texts: Iterable[str]) -> tuple[list[int], list[int]]:
    """Return the numbers of the rows that are damaged, and of those of no text.

    Args:
        connection: To the cache.
        texts: Of all answers.
    """
    kept = {key for (key,) in connection.execute("SELECT key FROM sentences")}
    if not kept:
        return [], []
    sha_of = dict(_keys_among(kept, texts))
    rows = connection.execute("SELECT key, vector, checksum FROM sentences")
    damaged = [key for key, *row in rows if key in sha_of and not _is_sound(sha_of[key], *row)]
    return damaged, sorted(kept - sha_of.keys())


def _keys_among(kept: set[int], texts: Iterable[str]) -> Iterator[tuple[int, bytes]]:
    for text in texts:
        for sha in sentence_hashes([text]):
            if (key := _key(sha)) in kept:
                yield key, sha


def _key(sha: bytes) -> int:
    return int.from_bytes(sha[:8], "big", signed=True)


def _checksum(sha: bytes, vector: bytes) -> bytes:
    return hashlib.blake2b(sha + vector, digest_size=_CHECKSUM_BYTES).digest()


def _is_sound(sha: bytes, vector: object, checksum: object) -> bool:
    """Whether a row is what was written for a sentence."""
    return isinstance(vector, bytes) and checksum == _checksum(sha, vector)
