"""Decisions: what people made of the findings, kept in the index with the answers.

They stand by the ids of both answers, so that a later run, an ingest or another model finds them
again. Each one is kept, and the last about a pair is the one that counts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, cast, get_args

from searchkit.core.errors import BadInput, NoSuchThing
from searchkit.index.base import BaseIndex

LONGEST = 2_000  # characters of a reason
Pair = tuple[str, str]


def decide(index: BaseIndex, left: str, right: str, decision: str, reason: str = "") -> Decision:
    """Keep what was decided about two answers; when this returns, it is on the disk.

    Args:
        index: Open for writing.
        left: The id of one answer.
        right: The id of the other; NAME:ID if it is one of another index.
        decision: `confirmed`, `dismissed` or `open`.
        reason: In one's own words.

    Raises:
        BadInput: if there is no such decision, both ids are one, none of them is in the index, or
            the reason is too long.
    """
    if decision not in get_args(Verdict):
        named = ", ".join(get_args(Verdict))
        raise BadInput(f"a decision is one of {named}, not {decision!r}")
    if len(reason) > LONGEST:
        raise BadInput(f"a reason has {LONGEST:,} characters at most, not {len(reason):,}")
    if left == right:
        raise BadInput(f"{left!r} is one answer; a decision is about two")
    left, right = sorted((left, right))
    texts = _texts(index, [left, right])
    if not texts:
        raise NoSuchThing(
            f"{index.place}: no answer {left!r}, and none {right!r}; nothing was changed"
        )
    now = datetime.now(UTC).isoformat(timespec="seconds")
    number = index.add_decision(
        left, right, decision, reason.strip(), now, texts.get(left), texts.get(right)
    )
    return next(one for one in decisions(index).values() if one.number == number)


def take_back(index: BaseIndex, number: int | None = None) -> Pair | None:
    """Take a decision back, as if it had never been made; what the pair had before counts again.

    Args:
        index: Open for writing.
        number: Which one; None for the last of all.

    Returns:
        The pair that it was about; None if there is none.
    """
    return index.take_back_decision(number)


def decisions(index: BaseIndex) -> dict[Pair, Decision]:
    """Return what was decided last about each pair, by (left, right), in the order of deciding."""
    rows = index.decisions()
    now = _texts(index, sorted({name for row in rows for name in row[1:3]}))
    found = {}
    for number, left, right, decision, reason, decided_at, *hashes in rows:
        known = zip((left, right), hashes, strict=True)
        stale = any(sha != now.get(name) for name, sha in known)
        verdict = cast(Verdict, decision)
        found[left, right] = Decision(number, left, right, verdict, reason, decided_at, stale)
    return found


def counting(found: Mapping[Pair, Decision]) -> dict[Pair, Decision]:
    """Return those that still count: neither taken back nor about texts that have changed."""
    return {pair: one for pair, one in found.items() if one.decision != "open" and not one.is_stale}


def _texts(index: BaseIndex, ids: list[str]) -> dict[str, bytes]:
    """Return the SHA-256 of the texts of those answers that are in this index."""
    found = index.get_existing(ids)
    return {name: hashlib.sha256(one.text.encode()).digest() for name, one in found.items()}


Verdict = Literal["confirmed", "dismissed", "open"]  # what a person decided about a finding


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person decided about two answers.

    Attributes:
        number: Counts all decisions of the index; higher is later.
        left: The id of one answer; the first of both in order.
        right: The id of the other.
        decision: `confirmed`, `dismissed`, or `open`: it was taken back.
        reason: In the person's own words; may be empty.
        decided_at: When, in UTC, as ISO 8601.
        is_stale: Whether one of the texts has changed since, so that it has to be decided anew.
    """

    number: int
    left: str
    right: str
    decision: Verdict
    reason: str
    decided_at: str
    is_stale: bool
