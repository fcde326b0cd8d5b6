"""Decisions about findings: made, withdrawn and read.

A decision names both answers by id, so that a later run, an ingest or another model finds it again.
Every decision is kept; the latest one about a pair counts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import cast, get_args

from searchkit.core.errors import BadInput
from searchkit.core.names import not_found
from searchkit.index.base import BaseIndex
from searchkit.index.records import Decision, DecisionStatus

MAX_REASON_LENGTH = 2_000  # characters
Pair = tuple[str, str]


def decide(index: BaseIndex, left: str, right: str, decision: str, reason: str = "") -> Decision:
    """Store a decision about two answers; it is on the disk when this returns.

    Args:
        index: Open for writing.
        left: The id of one answer.
        right: The id of the other answer; NAME:ID if it is in another index.
        decision: `confirmed`, `dismissed` or `open`.
        reason: Free text.

    Raises:
        BadInput: if there is no such decision, both ids are the same, or the reason is too long.
        NotFound: if one of them isn't in the index, and is no NAME:ID; or if neither is.
    """
    return decide_all(index, [(left, right)], decision, reason)[0]


def decide_all(
    index: BaseIndex, pairs: Iterable[Pair], decision: str, reason: str = ""
) -> list[Decision]:
    """Store one decision about several pairs, such as those of a ring; see `decide`.

    Nothing is stored if one of the pairs is refused.
    """
    if decision not in get_args(DecisionStatus):
        allowed = ", ".join(get_args(DecisionStatus))
        raise BadInput(f"a decision is one of {allowed}, not {decision!r}")
    if len(reason) > MAX_REASON_LENGTH:
        raise BadInput(
            f"a reason has {MAX_REASON_LENGTH:,} characters at most, not {len(reason):,}"
        )
    ordered = list(dict.fromkeys((min(pair), max(pair)) for pair in pairs))
    hashes = _text_hashes(index, sorted({id_ for pair in ordered for id_ in pair}))
    for left, right in ordered:
        if left == right:
            raise BadInput(f"{left!r} is one answer; a decision is about two")
        known = [id_ for id_ in (left, right) if id_ in hashes]
        # NAME:ID is in another index, which can't be looked up here.
        missing = {id_ for id_ in (left, right) if ":" not in id_ or not known} - set(known)
        if missing:
            raise not_found("answer", sorted(missing), index.place, index.ids())
    now = datetime.now(UTC).isoformat(timespec="seconds")
    status = cast(DecisionStatus, decision)
    return [
        index.add_decision(
            Decision(
                number=0,
                left=left,
                right=right,
                decision=status,
                reason=reason.strip(),
                decided_at=now,
                left_sha=hashes.get(left),
                right_sha=hashes.get(right),
            )
        )
        for left, right in ordered
    ]


def take_back(index: BaseIndex, number: int | None = None) -> Pair | None:
    """Delete a decision; the pair's previous decision counts again.

    Args:
        index: Open for writing.
        number: The decision's number; None for the latest of all.

    Returns:
        The pair that it was about; None if nothing has been decided.

    Raises:
        NotFound: if there is no decision with this number.
    """
    decision = index.remove_decision(number)
    if decision is None and number is not None:
        numbers = [str(decision.number) for decision in index.decisions()]
        raise not_found("decision", [str(number)], index.place, numbers)
    return (decision.left, decision.right) if decision else None


def decisions(index: BaseIndex) -> dict[Pair, Decision]:
    """Return the latest decision about each pair, by (left, right), in the order of deciding."""
    stored = index.decisions()
    hashes = _text_hashes(index, sorted({id_ for d in stored for id_ in (d.left, d.right)}))
    return {
        (d.left, d.right): replace(
            d,
            is_stale=d.left_sha != hashes.get(d.left) or d.right_sha != hashes.get(d.right),
        )
        for d in stored
    }


def counting(decisions: Mapping[Pair, Decision]) -> dict[Pair, Decision]:
    """Return the decisions that count: neither withdrawn nor about texts that have changed."""
    return {
        pair: decision
        for pair, decision in decisions.items()
        if decision.decision != "open" and not decision.is_stale
    }


def _text_hashes(index: BaseIndex, ids: list[str]) -> dict[str, bytes]:
    """Return the SHA-256 of the text of each of these answers that is in the index, by id."""
    answers = index.get_existing(ids)
    return {id_: hashlib.sha256(a.text.encode()).digest() for id_, a in answers.items()}
