"""Answers as the rows of a Milvus collection, and back.

An answer is its passages' rows, at least one. Its columns and its text stand as JSON in `record`,
in as many rows as that takes: Milvus cuts no text off, but refuses one of more than 65,535 bytes.
A row's key holds a hash of what the answer is, so that writing it again changes nothing, and an
answer that is changed stands beside the old one until it is whole. It is there when its first row
is (`part` 0, which is written last and deleted first).
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from searchkit.core.arrays import Float32
from searchkit.core.records import Answer, Passage

PIECE = 15_000  # characters, at most 60,000 bytes
KEY, VERSION, PART = 32, 16, 8  # hexadecimal digits of each piece of a row's key
END = KEY + VERSION + PART
Row = dict[str, Any]
# What every row has but for its vector, as (name, bytes of a text, or 0 for a number)
FIELDS = (
    ("pk", END),
    ("key", KEY),  # of the answer's id
    ("version", VERSION),  # of all that it says
    ("part", 0),  # of this row among the answer's, from 0
    ("parts", 0),  # how many rows the answer has
    ("place", 0),  # orders the answers as they came
    ("written", 0),  # orders what was written of one answer
    ("question", KEY),  # key of it; "" for none
    ("author", KEY),
    ("start", 0),
    ("end", 0),  # of the passage; 0 where the row has none
    ("sha", 64),  # of the passage's text
    ("record", 65_535),
)


@dataclass(frozen=True, slots=True)
class Held:
    """An answer as its rows hold it.

    Attributes:
        answer: The answer.
        key: Of its id.
        version: Of all that it says.
        place: Orders the answers as they came.
        passages: In order; none if it is blank.
        shas: SHA-256 of each passage's text.
        vectors: `(p, d)`, if they were asked for.
    """

    answer: Answer
    key: str
    version: str
    place: int
    passages: list[Passage]
    shas: list[bytes]
    vectors: Float32


def key_of(value: str | None) -> str:
    """Return the key of an id, a question or an author; "" for none.

    A filter compares keys: no character of a name can be anything to Milvus but a name.
    """
    return hashlib.sha256(value.encode()).hexdigest()[:KEY] if value else ""


def rows_of(
    answer: Answer,
    passages: Sequence[Passage],
    shas: Sequence[bytes],
    vectors: Float32,
    *,
    place: int,
    written: int,
) -> list[Row]:
    """Return the rows of an answer, the first of them first.

    Args:
        answer: What to keep.
        passages: Of its text.
        shas: SHA-256 of each passage's text.
        vectors: `(p, d)` float32, of each passage.
        place: Orders the answers as they came.
        written: Orders what was written of one answer.
    """
    record = json.dumps(asdict(answer) | {"meta": dict(answer.meta)}, ensure_ascii=False)
    pieces = [record[n : n + PIECE] for n in range(0, len(record), PIECE)]
    said = json.dumps([record, [(p.start, p.end) for p in passages]])
    key, version = key_of(answer.id), hashlib.sha256(said.encode()).hexdigest()[:VERSION]
    parts = max(len(pieces), len(passages))
    same = {
        "key": key,
        "version": version,
        "parts": parts,
        "place": place,
        "written": written,
        "question": key_of(answer.question),
        "author": key_of(answer.author),
    }
    rows = []
    for n in range(parts):
        has = n < len(passages)
        rows.append(
            same
            | {
                "pk": f"{key}{version}{n:0{PART}x}",
                "part": n,
                "start": passages[n].start if has else 0,
                "end": passages[n].end if has else 0,
                "sha": shas[n].hex() if has else "",
                "record": pieces[n] if n < len(pieces) else "",
                "vector": vectors[n] if has else _no_vector(vectors.shape[1]),
            }
        )
    return rows


def answers_of(rows: Iterable[Row]) -> dict[str, Held]:
    """Put rows together to the answers that are whole, by key; of several versions the newest.

    Args:
        rows: All of the answers that they are of; without `vector` if that isn't needed.
    """
    versions: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in rows:
        versions[row["key"], row["version"]].append(row)
    newest: dict[str, list[Row]] = {}
    for (key, _), parts in versions.items():
        parts.sort(key=lambda row: int(row["part"]))
        if parts[0]["part"] == 0 and len(parts) == parts[0]["parts"]:
            before = newest.get(key)
            if before is None or before[0]["written"] < parts[0]["written"]:
                newest[key] = parts
    return {key: _held(parts) for key, parts in newest.items()}


def _held(parts: Sequence[Row]) -> Held:
    first = parts[0]
    inside = [row for row in parts if row["end"]]
    vectors = [row["vector"] for row in inside if "vector" in row]
    return Held(
        answer=answer_of("".join(row["record"] for row in parts)),
        key=first["key"],
        version=first["version"],
        place=first["place"],
        passages=[Passage(row["start"], row["end"]) for row in inside],
        shas=[bytes.fromhex(row["sha"]) for row in inside],
        vectors=np.array(vectors, np.float32).reshape(len(vectors), len(first.get("vector", ()))),
    )


def answer_of(record: str) -> Answer:
    """Read an answer back from its JSON."""
    values: Mapping[str, Any] = json.loads(record)
    return Answer(**values)


def _no_vector(dimension: int) -> Float32:
    """Return what stands where a row has no passage, since Milvus wants a vector in each."""
    row = np.zeros(dimension, np.float32)
    row[0] = 1
    return row
