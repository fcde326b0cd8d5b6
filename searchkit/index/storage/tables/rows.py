"""The rows of the table `answers`, and the answers that they hold."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from searchkit.core.errors import IndexDamaged
from searchkit.core.records import Answer
from searchkit.index.filters.columns import columns_json, filter_json
from searchkit.index.storage.connection import SqliteDatabase

WRITTEN_COLUMNS = (
    *("id", "text", "question", "author", "submitted_at", "source", "line", "meta"),
    *("written", "original", "author_key", "filter_values", "language"),
)
UPSERT = (
    f"INSERT INTO answers({', '.join(WRITTEN_COLUMNS)}) "
    f"VALUES ({', '.join('?' * len(WRITTEN_COLUMNS))}) ON CONFLICT(id) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in WRITTEN_COLUMNS[1:])
)
_OLD = "a.key, a.id, a.text, a.question, a.author, a.submitted_at, s.path, a.line, a.meta"
_NEW = "a.written, a.original, a.attempt, a.attempts"
_NONE = "json_object(), NULL, 1, 1"  # the same in formats 1 to 3
_LANGUAGE, _NO_LANGUAGE = "a.language", "NULL"  # since format 6, and before


def select_answers(version: int) -> str:
    """Return the statement that reads answers from a database of a format."""
    language = _LANGUAGE if version > 5 else _NO_LANGUAGE
    columns = f"{_OLD}, {_NEW if version > 3 else _NONE}, {language}"
    return f"SELECT {columns} FROM answers a LEFT JOIN sources s ON s.key = a.source"


def row_of(answer: Answer, source: int | None) -> tuple[object, ...]:
    """Return the values of `WRITTEN_COLUMNS`; `source` is the key of the answer's file."""
    return (
        *(answer.id, answer.text, answer.question, answer.author, answer.submitted_at),
        *(source, answer.line, columns_json(answer.meta), columns_json(answer.written)),
        *(answer.original, answer.author_key, filter_json(answer), answer.language),
    )


def answer_of(row: Sequence[Any]) -> Answer:
    """Return the answer of a row of `select_answers`.

    Raises:
        IndexDamaged: if a value has another type than the one that was written.
    """
    _, id_, text, question, author, submitted_at, source, line, *jsons, original = row[:11]
    attempt, attempts, language = row[11:]
    texts = (question, author, submitted_at, source, original, language)
    try:
        columns = [{} if value == "{}" else json.loads(value) for value in jsons]
    except (TypeError, ValueError):
        columns = [None]
    if not (
        (isinstance(id_, str) and isinstance(text, str))
        and all(value is None or isinstance(value, str) for value in texts)
        and (line is None or isinstance(line, int))
        and (isinstance(attempt, int) and isinstance(attempts, int))
        and all(map(_is_text_by_name, columns))
    ):
        raise IndexDamaged(f"answer {id_!r}: damaged; run: searchkit verify")
    meta, written = columns
    return Answer(
        *(id_, text, question, author, submitted_at, source, line, meta),
        *(written, original, attempt, attempts, language),
    )


def _is_text_by_name(columns: object) -> bool:
    return isinstance(columns, dict) and all(isinstance(v, str) for v in columns.values())


def source_keys(database: SqliteDatabase, paths: set[str]) -> dict[str, int]:
    """Return the keys of these files, and add those that are new; part of a transaction."""
    database.connection.executemany(
        "INSERT INTO sources(path) VALUES (?) ON CONFLICT DO NOTHING", [(p,) for p in paths]
    )
    sql = "SELECT path, key FROM sources WHERE path IN ({})"
    return dict(database.rows_in(sql, list(paths)))


def count_languages(database: SqliteDatabase) -> dict[str, int]:
    """Return the number of answers in each language, the most first; none before format 6."""
    if database.pragma("user_version") < 6:
        return {}
    return dict(
        database.rows(
            "SELECT language, count(*) FROM answers WHERE language IS NOT NULL "
            "GROUP BY 1 ORDER BY 2 DESC, 1"
        )
    )


def lone_questions(database: SqliteDatabase) -> int:
    """Return the number of questions if each has a name and one author, and 0 if not.

    It ends at the first question that has not, and reads few of a question's rows; since format 4.
    """
    if database.rows("SELECT 1 FROM answers WHERE question IS NULL OR question = '' LIMIT 1"):
        return 0
    sql = (
        "WITH RECURSIVE questions(name) AS (SELECT min(question) FROM answers UNION ALL "
        "SELECT (SELECT min(question) FROM answers WHERE question > name) FROM questions "
        "WHERE name IS NOT NULL) "
        "SELECT (SELECT min(author_key) FROM answers WHERE question = name) IS NOT "
        "(SELECT max(author_key) FROM answers WHERE question = name) "
        "FROM questions WHERE name IS NOT NULL"
    )
    count = 0
    with database.translated():
        for (has_several,) in database.connection.execute(sql):
            if has_several:
                return 0
            count += 1
    return count
