"""Rows that an id identifies: an update of the answer with that id, a duplicate, or new."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from searchkit.core.identity import make_id
from searchkit.core.messages import Message
from searchkit.core.records import Answer
from searchkit.index.incoming.identity import Identity, is_blank, is_same_text
from searchkit.index.incoming.ids import Lookup, ReadIds, place_of
from searchkit.index.incoming.records import Ingested, OnDuplicate, OnReject, Update


@dataclass(slots=True)
class _Batch:
    """Rows that are matched together.

    Attributes:
        stored: The stored answers with the rows' ids.
        updates: What to write, by id.
        beside: The rows that get an id of their own.
    """

    stored: Mapping[str, Answer]
    updates: dict[str, Update] = field(default_factory=dict)
    beside: list[Answer] = field(default_factory=list)


class IdMatcher:
    """Finds the answers with the ids of rows, and decides about duplicates.

    Ids that were made of the text, as there is no author, are matched here as well. An answer with
    such an id is only the same one if it has the same text, and others are kept beside it.

    Args:
        ids: The ids of all rows so far.
        lookup: The index.
        identity: Tells which answers are the same.
        on_duplicate: What becomes of a row whose id another answer has.
        reject: Called with an answer that can't be used and why.
    """

    def __init__(
        self,
        ids: ReadIds,
        lookup: Lookup,
        identity: Identity,
        on_duplicate: OnDuplicate,
        reject: OnReject,
    ) -> None:
        self._ids = ids
        self._lookup = lookup
        self._identity = identity
        self._on_duplicate = on_duplicate
        self._reject = reject

    def match(self, rows: Sequence[Answer], report: Ingested) -> list[Update]:
        """Return what to write for a batch of rows, each id once."""
        batch = _Batch(self._lookup.get_replaceable([row.id for row in rows]))
        conflicts = self._conflicts(rows, batch)
        if conflicts:
            families = self._ids.family({_base(row) for row in conflicts})
            for row in conflicts:
                if not self._is_resolved(row, families[_base(row)], batch):
                    report.skipped += 1
            ids = self._ids.claim(batch.beside, [_base(row) for row in batch.beside])
            for id_, row in zip(ids, batch.beside, strict=True):
                batch.updates[id_] = Update(replace(row, id=id_), None)
            report.kept_beside += len(ids)
        return list(batch.updates.values())

    def _conflicts(self, rows: Sequence[Answer], batch: _Batch) -> list[Answer]:
        """Match rows, and return those about which is to be decided, in order.

        Where one row of an id is to be kept, it is the first or the last of all that follow.
        """
        conflicts, ids = [], set[str]()
        for row in rows:
            follows = row.id in ids and self._policy(row) != "keep-both"
            if follows or not self._is_matched(row, batch):
                conflicts.append(row)
                ids.add(row.id)
        return conflicts

    def _policy(self, row: Answer) -> OnDuplicate:
        return "keep-both" if row.has_made_id else self._on_duplicate

    def _is_matched(self, row: Answer, batch: _Batch) -> bool:
        """Whether the row's id is free, or that of the same answer; if so, take it."""
        old = batch.stored.get(row.id)
        if row.id in self._ids or (old and not self._is_same(old, row)):
            return False
        if old and not is_blank(row) and not is_same_text(old, row):
            return False  # one that was kept beside it may have this text
        self._take(row, old, batch)
        return True

    def _is_resolved(self, row: Answer, family: Sequence[Answer], batch: _Batch) -> bool:
        """Decide about a row whose id is taken; False if a row is skipped."""
        policy = self._policy(row)
        is_second = row.id in self._ids
        is_given = not row.has_made_id
        if policy == "keep-both" and is_second and is_given and self._ids.is_repeated(row):
            return False
        if policy == "keep-both" or not is_second:
            same = [old for old in family if old.id not in self._ids and self._is_same(old, row)]
            if same:
                self._take(row, min(same, key=lambda old: _distance(old, row)), batch)
                return True
        if policy == "keep-both":
            batch.beside.append(row)
            return True
        if policy == "keep-last":
            self._take(row, batch.stored.get(row.id), batch)
            return not is_second  # of both rows one is skipped
        if policy == "refuse":
            self._reject(row, self._reason(row, is_second, batch))
        return False

    def _take(self, row: Answer, old: Answer | None, batch: _Batch) -> None:
        """Write a row under the id of the stored answer, or else under its own.

        It may be an update of a row before it.
        """
        earlier = batch.updates.get(old.id if old else row.id)
        if earlier and self._is_same(earlier.new, row):
            merged = self._identity.update(earlier.new, row)
            keeps_text = earlier.keeps_text and merged.keeps_text
            update = replace(earlier, new=merged.new, keeps_text=keeps_text)
        elif old is None:
            update = Update(row, None)
        elif self._is_same(old, row):
            update = self._identity.update(old, row)
        else:
            update = Update(row, old, is_other=True)
        batch.updates[update.new.id] = update
        self._ids.take(row, update.new.id)

    def _is_same(self, old: Answer, row: Answer) -> bool:
        return is_same_text(old, row) if row.has_made_id else self._identity.is_same(old, row)

    def _reason(self, row: Answer, is_second: bool, batch: _Batch) -> str:
        """Return why a row is refused, with both places."""
        if is_second:
            return Message(
                "id {id!r} stands already at {first}; give each answer its own id, or say "
                "`on_duplicate='keep-first'`, keep-last or keep-both",
                id=row.id,
                first=self._ids.place(row.id),
            )
        old = batch.stored[row.id]
        return Message(
            "id {id!r} is taken by another answer{whose}, from {first}; give it its own id, or "
            "say `on_duplicate='keep-both'` to keep it beside, or keep-last to replace the other",
            id=row.id,
            whose=_whose(old),
            first=place_of(old.source, old.line),
        )


def _base(row: Answer) -> str:
    """Return the id that a row shares with others, without a number."""
    return make_id(row.question, row.author, row.text) if row.has_made_id else row.id


def _distance(old: Answer, row: Answer) -> tuple[bool, bool]:
    """Return what is least for the answer that a row is, among those that it may be.

    What the same row became before has its text, author and question. Otherwise its text tells.
    """
    has_text = is_same_text(old, row)
    return not (has_text and old.slot == row.slot), not (has_text or is_blank(row))


def _whose(answer: Answer) -> str:
    """Return question and author of an answer, as far as they are known, for a message."""
    names = [name for name in (answer.question, answer.author) if name]
    return f" ({', '.join(map(repr, names))})" if names else ""
