"""What an index returns and takes: counts of what was added, stored answers, decisions."""

from __future__ import annotations

from dataclasses import dataclass

from searchkit.core.arrays import Float32
from searchkit.core.records import Answer, Passage

# A decision as it is kept: number, left, right, decision, reason, time, SHA-256 of both texts
Decided = tuple[int, str, str, str, str, str, bytes | None, bytes | None]
# An answer, its passages, and their vectors as they are kept
Kept = tuple[Answer, list[Passage], Float32]


@dataclass(frozen=True, slots=True)
class Added:
    """What became of the answers of one `add`."""

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    passages: int = 0
    embedded: int = 0


@dataclass(frozen=True, slots=True)
class Passages:
    """Answers by what they were cut into, in order of their ids.

    Attributes:
        ids: `n` of them.
        questions: Of each.
        rows: Of each the rows of `vectors` that its passages have, in order; none if it is blank.
            Equal texts have the same row.
        vectors: `(v, d)` float32, unit rows.
    """

    ids: list[str]
    questions: list[str | None]
    rows: list[tuple[int, ...]]
    vectors: Float32
