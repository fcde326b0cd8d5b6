"""What people leave at an answer beside its columns: decisions, and the history of its marks."""

from __future__ import annotations

from collections.abc import Sequence

from searchkit.index.storage.connection import SqliteDatabase
from searchkit.index.storage.tables.decisions import DecisionTable
from searchkit.index.storage.tables.grading import GradingTable


def delete_traces(database: SqliteDatabase, answers: Sequence[int]) -> bool:
    """Delete what was decided about answers and the history of their marks; part of a transaction.

    Args:
        database: A writer's.
        answers: Their keys.

    Returns:
        Whether there was any, or something is written in their columns.
    """
    if not answers:
        return False
    sql = "SELECT 1 FROM answers WHERE written != '{{}}' AND key IN ({}) LIMIT 1"
    before, is_written = database.connection.total_changes, database.rows_in(sql, answers)
    DecisionTable(database).delete_of(answers)
    GradingTable(database).forget(answers)
    return bool(is_written) or database.connection.total_changes > before
