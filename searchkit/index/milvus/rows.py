"""Answers as the rows of a Milvus collection, and back.

An answer has one row for each of its passages, and at least one. Its columns and text are JSON in
`record`, cut into pieces for as many rows as that takes: Milvus refuses a text of more than 65,535
bytes. A row's key holds a hash of all that the answer says, so that writing the same answer again
changes nothing, and a changed answer is stored beside the old one until it is complete. An answer
exists while its first row does (`part` 0), which is written last and deleted first.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from searchkit.core.arrays import Float32
from searchkit.core.errors import BadInput
from searchkit.core.identity import author_key
from searchkit.core.messages import listed
from searchkit.core.records import Answer, Passage
from searchkit.core.where import Attempts
from searchkit.index.records import StoredAnswer

FORMAT = "2"  # of a new collection
PIECE_LENGTH = 15_000  # characters of a record, at most 60,000 bytes
KEY_DIGITS, VERSION_DIGITS, PART_DIGITS = 32, 16, 8  # hexadecimal, of the parts of a row's `pk`
PK_DIGITS = KEY_DIGITS + VERSION_DIGITS + PART_DIGITS
STATE_PK = "state"  # `pk` of the first row that is about the collection
STATE_PART = -1  # `part` of these rows
Row = dict[str, Any]
# The fields of an answer that rows keep; the others are of the file
_KEPT = [f.name for f in fields(Answer) if f.name not in ("has_made_id", "identity")]
# The fields of each row but its vector, as (name, bytes of a text, or 0 for a number)
FIELDS = (
    ("pk", PK_DIGITS),
    ("key", KEY_DIGITS),  # hash of the answer's id
    ("version", VERSION_DIGITS),  # hash of all that the answer says
    ("part", 0),  # number of this row among the answer's, from 0
    ("parts", 0),  # number of rows that the answer has
    ("place", 0),  # orders the answers as they were added
    ("written", 0),  # orders the versions of one answer
    ("question", KEY_DIGITS),  # hash of the question; "" for none
    ("author", KEY_DIGITS),
    ("start", 0),
    ("end", 0),  # of the passage; 0 where the row has none
    ("sha", 64),  # SHA-256 of the passage's text
    ("record", 65_535),
)
FIELD_NAMES = [name for name, _ in FIELDS]
FIELDS_AND_VECTOR = [*FIELD_NAMES, "vector"]


@dataclass(frozen=True, slots=True)
class MilvusAnswer:
    """An answer put together from its rows.

    Attributes:
        answer: The answer.
        key: Hash of its id.
        version: Hash of all that it says.
        position: Orders the answers as they were added; the rows' `place`.
        passages: Its passages, in order; empty if it is blank.
        hashes: SHA-256 of each passage's text.
        vectors: `(p, d)` float32; `(0, 0)` if they were not fetched.
    """

    answer: Answer
    key: str
    version: str
    position: int
    passages: list[Passage]
    hashes: list[bytes]
    vectors: Float32

    def to_stored(self) -> StoredAnswer:
        """Return the record that every index gives out."""
        return StoredAnswer(self.answer, self.passages, self.vectors)

    def is_wanted(self, attempts: Attempts | None) -> bool:
        """Whether a filter for attempts allows it."""
        last = self.answer.attempts
        number = {"first": 1, "latest": last}.get(attempts or "all", self.answer.attempt)
        return number == self.answer.attempt

    def has_row(self, row: Row) -> bool:
        """Whether a row of an answer with this key belongs to this version of it."""
        return bool(row["version"] == self.version)


def hash_key(value: str | None) -> str:
    """Return the hash of an id, a question or an author; "" for none.

    Filters compare hashes, so that no character of a name has a meaning to Milvus.
    """
    return hashlib.sha256(value.encode()).hexdigest()[:KEY_DIGITS] if value else ""


def author_hash(name: str | None, version: str) -> str:
    """Return the hash by which an author's answers are found in a collection of a format.

    In format 1 a name is another one in another spelling.
    """
    return hash_key(name if version == "1" else author_key(name))


def make_rows(
    answer: Answer,
    passages: Sequence[Passage],
    hashes: Sequence[bytes],
    vectors: Float32,
    *,
    position: int,
    written: int,
    version: str = FORMAT,
) -> list[Row]:
    """Return the rows of an answer, in order of `part`.

    Args:
        answer: The answer.
        passages: Its passages.
        hashes: SHA-256 of each passage's text.
        vectors: `(p, d)` float32, one row a passage.
        position: Orders the answers as they were added.
        written: Orders the versions of one answer.
        version: The format of the collection.
    """
    kept = {name: getattr(answer, name) for name in _KEPT}
    if answer.language is None:
        kept.pop("language", None)  # so that rows which were written without are the same
    record = json.dumps(kept, ensure_ascii=False)
    pieces = [record[n : n + PIECE_LENGTH] for n in range(0, len(record), PIECE_LENGTH)]
    content = json.dumps([record, [(p.start, p.end) for p in passages]])
    key = hash_key(answer.id)
    content_hash = hashlib.sha256(content.encode()).hexdigest()[:VERSION_DIGITS]
    shared = {
        "key": key,
        "version": content_hash,
        "parts": max(len(pieces), len(passages)),
        "place": position,
        "written": written,
        "question": hash_key(answer.question),
        "author": author_hash(answer.author, version),
    }
    rows = []
    for part in range(max(len(pieces), len(passages))):
        has_passage = part < len(passages)
        rows.append(
            shared
            | {
                "pk": f"{key}{content_hash}{part:0{PART_DIGITS}x}",
                "part": part,
                "start": passages[part].start if has_passage else 0,
                "end": passages[part].end if has_passage else 0,
                "sha": hashes[part].hex() if has_passage else "",
                "record": pieces[part] if part < len(pieces) else "",
                "vector": vectors[part] if has_passage else _placeholder(vectors.shape[1]),
            }
        )
    return rows


def make_state_rows(columns: Sequence[str], dimension: int) -> list[Row]:
    """Return the rows that keep the names of the columns in `meta`; they belong to no answer.

    Each has a JSON list of as many names as fit, in order of `place`.

    Raises:
        BadInput: If a name alone is too long for a row.
    """
    vectors = np.zeros((0, dimension), np.float32)
    (row,) = make_rows(Answer(STATE_PK, ""), [], [], vectors, position=0, written=0)
    row |= {"key": "", "version": "", "part": STATE_PART}
    return [
        row | {"pk": f"{STATE_PK}{n or ''}", "place": n, "record": record}
        for n, record in enumerate(_name_lists(columns))
    ]


def read_columns(rows: Iterable[Row]) -> list[str]:
    """Return the names of the columns that the state rows keep, from their `place`, `record`."""
    ordered = sorted(rows, key=lambda row: int(row["place"]))
    return [name for row in ordered for name in json.loads(row["record"])]


def _name_lists(names: Sequence[str]) -> Iterator[str]:
    """Yield the names as JSON lists of `PIECE_LENGTH` characters at most."""
    names_json: list[str] = []
    length = 0
    for name in names:
        name_json = json.dumps(name, ensure_ascii=False)
        if len(name_json) + 2 > PIECE_LENGTH:
            raise BadInput(
                f"the column {listed([name])} has a name of {len(name):,} characters, and Milvus "
                f"keeps {PIECE_LENGTH - 4:,} at most; shorten it"
            )
        if length + len(name_json) + 2 > PIECE_LENGTH:
            yield f"[{', '.join(names_json)}]"
            names_json, length = [], 0
        names_json.append(name_json)
        length += len(name_json) + 2  # brackets, or a comma and a space
    yield f"[{', '.join(names_json)}]"


def assemble_answers(rows: Iterable[Row]) -> dict[str, MilvusAnswer]:
    """Return the newest complete version of each answer, by the answer's key.

    Args:
        rows: All rows of the answers; without `vector` if that isn't needed.
    """
    versions: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in rows:
        versions[row["key"], row["version"]].append(row)
    newest: dict[str, list[Row]] = {}
    for (key, _), parts in versions.items():
        parts.sort(key=lambda row: int(row["part"]))
        if parts[0]["part"] == 0 and len(parts) == parts[0]["parts"]:
            other = newest.get(key)
            if other is None or other[0]["written"] < parts[0]["written"]:
                newest[key] = parts
    return {key: _assemble(parts) for key, parts in newest.items()}


def _assemble(parts: Sequence[Row]) -> MilvusAnswer:
    first = parts[0]
    with_passage = [row for row in parts if row["end"]]
    vectors = [row["vector"] for row in with_passage if "vector" in row]
    kept: Mapping[str, Any] = json.loads("".join(row["record"] for row in parts))
    return MilvusAnswer(
        answer=Answer(**kept),
        key=first["key"],
        version=first["version"],
        position=first["place"],
        passages=[Passage(row["start"], row["end"]) for row in with_passage],
        hashes=[bytes.fromhex(row["sha"]) for row in with_passage],
        vectors=np.array(vectors, np.float32).reshape(len(vectors), len(first.get("vector", ()))),
    )


def _placeholder(dimension: int) -> Float32:
    """Return a unit vector for a row without a passage, since Milvus wants a vector in each row."""
    row = np.zeros(dimension, np.float32)
    row[0] = 1
    return row
