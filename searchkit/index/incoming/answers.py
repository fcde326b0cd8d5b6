"""Rows with a text: which stored answer each is, which id the others get, and what is special."""

from __future__ import annotations

from collections.abc import Sequence

from searchkit.core.records import Answer, Slot
from searchkit.index.incoming.by_author import AuthorMatcher
from searchkit.index.incoming.by_id import IdMatcher
from searchkit.index.incoming.identity import Identity
from searchkit.index.incoming.ids import Lookup, ReadIds
from searchkit.index.incoming.namesakes import with_known_names
from searchkit.index.incoming.records import Ingested, OnDuplicate, OnReject, Remarks, Update


class AnswerMatcher:
    """Finds out for each row which stored answer it is, or which id it gets.

    Args:
        lookup: The index.
        identity: Tells which answers are the same.
        on_duplicate: What becomes of a row whose id another answer has.
        reject: Called with an answer that can't be used and why.
    """

    def __init__(
        self, lookup: Lookup, identity: Identity, on_duplicate: OnDuplicate, reject: OnReject
    ) -> None:
        self.ids = ReadIds(lookup)
        self._lookup = lookup
        self._by_id = IdMatcher(self.ids, lookup, identity, on_duplicate, reject)
        self._by_author = AuthorMatcher(self.ids, identity)

    def match(self, rows: Sequence[Answer], report: Ingested, remarks: Remarks) -> list[Update]:
        """Return what to write for a batch of rows, each id once."""
        made = [row for row in rows if row.has_made_id and row.author_key]
        made = with_known_names(made, self._lookup)
        given = [row for row in rows if not (row.has_made_id and row.author_key)]
        updates = self._by_id.match(given, report) if given else []
        slots = {row.slot for row in made}
        slots |= {u.new.slot for u in updates if u.old is None and None not in u.new.slot}
        stored = self._lookup.find_slots(slots) if slots else {}
        updates += self._by_author.match(made, stored)
        _count(updates, set(stored), report, remarks)
        return updates


def _count(
    updates: Sequence[Update], occupied: set[Slot], report: Ingested, remarks: Remarks
) -> None:
    """Count what is special about updates; `occupied` slots have answers already."""
    for update in updates:
        new, old = update.new, update.old
        if old:
            report.texts_kept += update.keeps_text
            remarks.replaced += update.is_other
            if not update.is_other:
                remarks.compare(old, new)
        elif new.slot in occupied and new.author_key and not new.is_reference:
            if new.question is not None:
                report.attempts += 1
            elif new.has_made_id:
                report.kept_beside += 1
                remarks.unnamed_questions += 1
        occupied.add(new.slot)
