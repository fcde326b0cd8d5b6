"""Decisions about findings: made, withdrawn and read.

A decision names both answers by id, so that a later run, an ingest or another model finds it again.
Every decision is kept; the latest one about a pair counts.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from operator import attrgetter
from pathlib import Path
from typing import Any, cast, get_args

from searchkit.core.errors import BadInput
from searchkit.core.messages import counted, listed
from searchkit.core.names import not_found
from searchkit.index.base import BaseIndex
from searchkit.index.records import Decision, DecisionStatus

log = logging.getLogger("searchkit")
MAX_REASON_LENGTH = 2_000  # characters
Pair = tuple[str, str]


def decide(index: BaseIndex, left: str, right: str, decision: str, reason: str = "") -> Decision:
    """Store a decision about two answers; it is on the disk when this returns.

    Args:
        index: Open for writing.
        left: The id of one answer.
        right: The id of the other answer; NAME:ID if it is in another index.
        decision: `confirmed`, `asked`, `dismissed` or `open`.
        reason: A note, free text.

    Raises:
        BadInput: if there is no such decision, both ids are the same, or the note is too long.
        NotFound: if one of them isn't in the index, and is no NAME:ID; or if neither is.
    """
    return decide_all(index, [(left, right)], decision, reason)[0]


def decide_all(
    index: BaseIndex, pairs: Iterable[Pair], decision: str, reason: str = ""
) -> list[Decision]:
    """Store one decision about several pairs, such as those of a ring; see `decide`.

    Nothing is stored if one of the pairs is refused.
    """
    ordered, hashes = _check(index, pairs, decision, reason)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return index.add_decisions(_new(pair, decision, reason, now, hashes) for pair in ordered)


def import_decisions(index: BaseIndex, path: Path) -> int:
    """Store decisions from a JSON file, as `decisions` exports them and a report saves them.

    Those that are stale, and those that count already, are left out, and, with a warning, those
    about a pair of which the index has a decision that was made later. Nothing is stored if one of
    them is refused.

    Args:
        index: Open for writing.
        path: A list of objects with `left`, `right`, `decision`, and if they have them `reason`,
            `decided_at`, `is_stale`, and `left_sha` and `right_sha`: SHA-256 of the texts in hex.

    Returns:
        The number of decisions that were stored.

    Raises:
        BadInput: if the file has no decisions, or a text has changed since one was made.
        NotFound: if an answer isn't in the index.
    """
    new = []
    for n, record in enumerate(_read_records(path), 1):
        try:
            pair = (min(record["left"], record["right"]), max(record["left"], record["right"]))
            if record.get("is_stale"):
                continue
            decision, reason = record["decision"], record.get("reason") or ""
            _, hashes = _check(index, [pair], decision, reason)
            decided_at = _time(record.get("decided_at"))
            changed = [
                record[side]
                for side in ("left", "right")
                if record[side] in hashes
                and record.get(f"{side}_sha") not in (None, hashes[record[side]].hex())
            ]
        except (LookupError, TypeError, AttributeError, ValueError) as error:
            raise BadInput(f"{path}: number {n} is no decision; {_EXPECTED}") from error
        if changed:
            raise BadInput(
                f"{path}: number {n}: the text of {changed[0]!r} has changed since; decide again"
            )
        new.append(_new(pair, decision, reason, decided_at, hashes))
    return len(index.add_decisions(_newer(new, decisions(index))))


def _newer(imported: Iterable[Decision], stored: Mapping[Pair, Decision]) -> list[Decision]:
    """Return the imported decisions that change what counts, oldest first; log what doesn't."""
    latest = {pair: one for pair, one in stored.items() if not one.is_stale}
    newer, overtaken = [], []
    for one in sorted(imported, key=attrgetter("decided_at")):
        pair = one.left, one.right
        known = latest.get(pair)
        if known and (known.decision, known.reason) == (one.decision, one.reason):
            continue
        if known and known.number and known.decided_at >= one.decided_at:
            overtaken.append(" and ".join(pair))
        else:
            newer.append(one)
            latest[pair] = one
    if overtaken:
        log.warning(
            "%s left out, as the index has a later one about the pair: %s",
            counted(len(overtaken), "decision"),
            listed(overtaken),
        )
    return newer


_EXPECTED = "name a file that searchkit decisions --format json or a report wrote"


def _read_records(path: Path) -> list[dict[str, Any]]:
    try:
        records = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise BadInput(f"{path}: can't be read ({error.strerror})") from error
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{path}: is no list of decisions; {_EXPECTED}") from error
    if not isinstance(records, list):
        raise BadInput(f"{path}: is no list of decisions; {_EXPECTED}")
    return records


def _time(text: str | None) -> str:
    """Return a time as it is stored; the present one for None."""
    moment = datetime.fromisoformat(text).astimezone(UTC) if text else datetime.now(UTC)
    return moment.isoformat(timespec="seconds")


def _check(
    index: BaseIndex, pairs: Iterable[Pair], decision: str, reason: str
) -> tuple[list[Pair], dict[str, bytes]]:
    """Return the pairs in order, and the hashes of the texts; raise as `decide` does."""
    if decision not in get_args(DecisionStatus):
        allowed = ", ".join(get_args(DecisionStatus))
        raise BadInput(f"a decision is one of {allowed}, not {decision!r}")
    if len(reason) > MAX_REASON_LENGTH:
        raise BadInput(f"a note has {MAX_REASON_LENGTH:,} characters at most, not {len(reason):,}")
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
    return ordered, hashes


def _new(
    pair: Pair,
    decision: str,
    reason: str,
    decided_at: str,
    hashes: Mapping[str, bytes],
) -> Decision:
    left, right = pair
    return Decision(
        number=0,
        left=left,
        right=right,
        decision=cast(DecisionStatus, decision),
        reason=reason.strip(),
        decided_at=decided_at,
        left_sha=hashes.get(left),
        right_sha=hashes.get(right),
    )


def take_back(
    index: BaseIndex, number: int | None = None, through: int | None = None
) -> Pair | None:
    """Delete a decision, or those of a group; the pair's previous decision counts again.

    Args:
        index: Open for writing.
        number: The decision's number; None for the latest of all.
        through: The number of the last decision of a group that `number` is the first of: all from
            the one to the other are deleted.

    Returns:
        The pair that the first one was about; None if nothing has been decided.

    Raises:
        BadInput: if `through` is less than `number`, or there is no `number`.
        NotFound: if there is no decision with this number, or of these.
    """
    if through is not None and (number is None or through < number):
        raise BadInput(f"`through`: {through} isn't after `number`; name the first and the last")
    removed = index.remove_decisions(number, through)
    if not removed and number is not None:
        numbers = [str(decision.number) for decision in index.decisions()]
        raise not_found("decision", [str(number)], index.place, numbers)
    return (removed[0].left, removed[0].right) if removed else None


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
    """Return the decisions that count: neither withdrawn nor about texts that have changed.

    With those of pairs of which the student is to be asked, which are still to be settled.
    """
    return {
        pair: decision
        for pair, decision in decisions.items()
        if decision.decision != "open" and not decision.is_stale
    }


def _text_hashes(index: BaseIndex, ids: list[str]) -> dict[str, bytes]:
    """Return the SHA-256 of the text of each of these answers that is in the index, by id."""
    answers = index.get_existing(ids)
    return {id_: hashlib.sha256(a.text.encode()).digest() for id_, a in answers.items()}
