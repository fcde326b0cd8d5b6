"""Grading in SQLite: the settings of each question, and the history of what was changed."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from searchkit.index.records import ChangeState, GradingCell, GradingChange
from searchkit.index.storage.connection import SqliteDatabase

_COLUMNS = "n, question, changed_by, changed_at, what, old_settings, new_settings, reverts, state"


class GradingTable:
    """The tables `grading_settings`, `grading_changes` and `grading_cells`; none before format 5.

    Answers without a question have the empty name here.
    """

    def __init__(self, database: SqliteDatabase) -> None:
        self._database = database

    # -- reading ---------------------------------------------------------------------------------

    def settings(self) -> dict[str, str]:
        """Return the settings of each question that has some, as JSON."""
        if not self._exists():
            return {}
        rows = self._database.rows("SELECT question, settings FROM grading_settings ORDER BY 1")
        return dict(rows)

    def changes(self, question: str | None = None) -> list[GradingChange]:
        """Return the changes with their cells, oldest first.

        Args:
            question: The question; None for all.
        """
        of_question, values = ("", []) if question is None else (" WHERE question = ?", [question])
        return self._read(f"{of_question} ORDER BY n", values) if self._exists() else []

    def changed(self, ids: Sequence[str]) -> list[str]:
        """Return those of these ids whose answers a change has cells of, also an undone one."""
        if not self._exists():
            return []
        sql = (
            "SELECT id FROM answers WHERE id IN ({}) "
            "AND EXISTS (SELECT 1 FROM grading_cells WHERE answer = key)"
        )
        return [id_ for (id_,) in self._database.rows_in(sql, ids)]

    def undoable(self, question: str) -> GradingChange | None:
        """Return the change of a question that is undone next; None if there is none."""
        return self._next(question, "done", "DESC")

    def redoable(self, question: str) -> GradingChange | None:
        """Return the change of a question that is done again next; None if there is none."""
        return self._next(question, "undone", "ASC")

    def _next(self, question: str, state: ChangeState, order: str) -> GradingChange | None:
        if not self._exists():
            return None
        condition = f" WHERE question = ? AND state = ? AND reverts IS NULL ORDER BY n {order}"
        return next(iter(self._read(f"{condition} LIMIT 1", [question, state])), None)

    def _read(self, condition: str, values: Sequence[object]) -> list[GradingChange]:
        rows = self._database.rows(f"SELECT {_COLUMNS} FROM grading_changes{condition}", values)
        cells: dict[int, list[GradingCell]] = defaultdict(list)
        for number, *cell in self._database.rows_in(
            "SELECT c.change, a.id, c.name, c.old_value, c.new_value FROM grading_cells c "
            "JOIN answers a ON a.key = c.answer WHERE c.change IN ({}) ORDER BY 1, c.answer, 3",
            [row[0] for row in rows],
        ):
            cells[number].append(GradingCell(*cell))
        return [_change(row, cells[row[0]]) for row in rows]

    def _exists(self) -> bool:
        return self._database.pragma("user_version") > 4

    # -- writing ---------------------------------------------------------------------------------

    def add(self, change: GradingChange) -> GradingChange:
        """Add a change, and set the settings that it sets; return it with its number.

        A change that reverts another one turns that one's state; any other change drops those that
        are undone, which nobody can do again then.
        """
        with self._database.transaction():
            connection = self._database.connection
            if change.reverts is None:
                connection.execute(
                    "UPDATE grading_changes SET state = 'dropped' "
                    "WHERE question = ? AND state = 'undone'",
                    [change.question],
                )
            else:
                connection.execute(
                    "UPDATE grading_changes SET state = iif(state = 'done', 'undone', 'done') "
                    "WHERE n = ?",
                    [change.reverts],
                )
            if change.settings:
                self.put_settings(change.question, change.settings[1])
            return self.insert(change)

    def insert(self, change: GradingChange) -> GradingChange:
        """Add a change as it is, with a number of its own; part of a transaction."""
        connection = self._database.connection
        old, new = change.settings or (None, None)
        cursor = connection.execute(
            f"INSERT INTO grading_changes({_COLUMNS}) VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(change.question, change.by, change.at, change.what),
                *(old, new, change.reverts, change.state),
            ),
        )
        number = int(cursor.lastrowid or 0)
        connection.executemany(
            "INSERT INTO grading_cells(change, answer, name, old_value, new_value) "
            "SELECT ?, key, ?, ?, ? FROM answers WHERE id = ?",
            [(number, c.column, c.before, c.after, c.answer) for c in change.cells],
        )
        return replace(change, number=number)

    def copy(self, settings: Mapping[str, str], changes: Sequence[GradingChange]) -> None:
        """Take over settings and changes of another index, of questions without others here."""
        ours, theirs = _by_question(self.changes()), _by_question(changes)
        stored = self.settings()
        known = {
            question
            for question in ours.keys() | stored.keys()
            if not _is_part(ours[question], theirs[question])
            or (not ours[question] and stored[question] != settings.get(question))
        }
        with self._database.transaction():
            for question in (stored.keys() | settings.keys()) - known:
                if settings.get(question) != stored.get(question):
                    self.put_settings(question, settings.get(question))
            for question, new in theirs.items():
                if question not in known and _states(new) != _states(ours[question]):
                    self.delete_changes([change.number for change in ours[question]])
                    self._insert_all(new)

    def _insert_all(self, changes: Sequence[GradingChange]) -> None:
        """Add the changes of a question, with numbers of their own."""
        new_number: dict[int | None, int] = {}
        for change in changes:
            renumbered = replace(change, reverts=new_number.get(change.reverts))
            new_number[change.number] = self.insert(renumbered).number

    def put_settings(self, question: str, settings: str | None) -> None:
        """Replace the settings of a question, or delete them; part of a transaction."""
        connection = self._database.connection
        if settings is None:
            connection.execute("DELETE FROM grading_settings WHERE question = ?", [question])
        else:
            connection.execute(
                "INSERT INTO grading_settings(question, settings) VALUES (?, ?) "
                "ON CONFLICT(question) DO UPDATE SET settings = excluded.settings",
                [question, settings],
            )

    def forget(self, answers: Sequence[int]) -> None:
        """Delete what was changed in the answers with these keys; part of a transaction."""
        connection = self._database.connection
        keys = json.dumps(list(answers))
        of_answers = "answer IN (SELECT value FROM json_each(?))"
        rows = self._database.rows(
            f"SELECT DISTINCT change FROM grading_cells WHERE {of_answers}", [keys]
        )
        connection.execute(f"DELETE FROM grading_cells WHERE {of_answers}", [keys])
        self.delete_changes([number for (number,) in rows], only_empty=True)

    def delete_changes(self, numbers: Sequence[int], *, only_empty: bool = False) -> None:
        """Delete changes, and those that revert them; part of a transaction.

        Args:
            numbers: Their numbers.
            only_empty: Keep those that have cells or settings.
        """
        connection = self._database.connection
        if only_empty:
            empty = (
                "SELECT n FROM grading_changes c WHERE n IN ({}) AND old_settings IS NULL "
                "AND new_settings IS NULL "
                "AND NOT EXISTS (SELECT 1 FROM grading_cells WHERE change = c.n)"
            )
            numbers = [number for (number,) in self._database.rows_in(empty, list(numbers))]
        if not numbers:
            return
        chosen = json.dumps(list(numbers))
        among = "IN (SELECT value FROM json_each(:chosen))"
        of_changes = f"SELECT n FROM grading_changes WHERE n {among} OR reverts {among}"
        for sql in (
            f"DELETE FROM grading_cells WHERE change IN ({of_changes})",
            f"DELETE FROM grading_changes WHERE n {among} OR reverts {among}",
        ):
            connection.execute(sql, {"chosen": chosen})


def _by_question(changes: Sequence[GradingChange]) -> dict[str, list[GradingChange]]:
    found: dict[str, list[GradingChange]] = defaultdict(list)
    for change in changes:
        found[change.question].append(change)
    return found


def _is_part(changes: Sequence[GradingChange], others: Sequence[GradingChange]) -> bool:
    """Whether all changes are among others."""
    return {change.identity for change in changes} <= {change.identity for change in others}


def _states(changes: Sequence[GradingChange]) -> list[tuple[object, ...]]:
    return [(*change.identity, change.state, len(change.cells)) for change in changes]


def _change(row: Sequence[Any], cells: Sequence[GradingCell]) -> GradingChange:
    number, question, by, at, what, old, new, reverts, state = row
    settings = None if old is None and new is None else (old, new)
    return GradingChange(question, by, at, what, tuple(cells), settings, reverts, state, number)
