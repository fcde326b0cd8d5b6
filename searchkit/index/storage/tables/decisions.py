"""The decisions of people about pairs of answers, in SQLite."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from typing import Any

from searchkit.index.records import Decision
from searchkit.index.storage.connection import SqliteDatabase

_COLUMNS = "n, left, right, decision, reason, decided_at, left_sha, right_sha"


class DecisionTable:
    """The table `decisions`, of which the last row of a pair counts; format 1 has none."""

    def __init__(self, database: SqliteDatabase) -> None:
        self._database = database

    def latest(self) -> list[Decision]:
        """Return the latest decision about each pair, in the order of their numbers."""
        if self._database.pragma("user_version") < 2:
            return []
        rows = self._database.rows(
            f"SELECT {_COLUMNS} FROM decisions WHERE n IN "
            "(SELECT max(n) FROM decisions GROUP BY left, right) ORDER BY n"
        )
        return [_decision(row) for row in rows]

    def add(self, decisions: Iterable[Decision]) -> list[Decision]:
        """Add decisions, in one transaction; return them with their numbers, which follow on."""
        with self._database.transaction():
            return [replace(decision, number=self._insert(decision)) for decision in decisions]

    def _insert(self, decision: Decision) -> int:
        cursor = self._database.connection.execute(
            f"INSERT INTO decisions({_COLUMNS}) VALUES (NULL, :left, :right, :decision, "
            ":reason, :decided_at, :left_sha, :right_sha)",
            asdict(decision),
        )
        return int(cursor.lastrowid or 0)

    def remove(self, first: int | None, last: int | None) -> list[Decision]:
        """Delete and return the decisions from one number to another, in one transaction."""
        with self._database.transaction():
            rows = self._database.rows(
                "DELETE FROM decisions WHERE n BETWEEN "
                "coalesce(:first, (SELECT max(n) FROM decisions)) AND "
                "coalesce(:last, :first, (SELECT max(n) FROM decisions)) "
                f"RETURNING {_COLUMNS}",
                {"first": first, "last": last},
            )
        return sorted((_decision(row) for row in rows), key=lambda decision: decision.number)

    def delete_of(self, answers: Sequence[int]) -> None:
        """Delete all decisions about the answers with these keys; part of a transaction."""
        ids = "SELECT id FROM answers WHERE key IN (SELECT value FROM json_each(:keys))"
        self._database.connection.execute(
            f"DELETE FROM decisions WHERE left IN ({ids}) OR right IN ({ids})",
            {"keys": json.dumps(list(answers))},
        )


def _decision(row: Sequence[Any]) -> Decision:
    number, left, right, decision, reason, decided_at, left_sha, right_sha = row
    return Decision(
        *(number, left, right, decision, reason, decided_at),
        left_sha=left_sha,
        right_sha=right_sha,
    )
