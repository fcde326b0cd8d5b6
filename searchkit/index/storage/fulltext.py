"""The full-text index of the answers: SQLite's FTS5, searched by BM25."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Collection, Iterator, Sequence
from functools import cached_property
from typing import Any

from searchkit.core.arrays import Int64
from searchkit.core.records import Passage, Span
from searchkit.index.storage.connection import SqliteDatabase
from searchkit.text.languages.stems import ALGORITHMS, indexed_stems, query_stems, stem_spans
from searchkit.text.unspaced import cut_unspaced, search_terms, without_boundaries

WORDS = "answers_words"  # the view that the full text indexes since format 4
_MATCH_START, _MATCH_END = "\x02", "\x03"
_MARKERS = re.compile(f"[{_MATCH_START}{_MATCH_END}]")
_TAG = "\ue000"  # with the code of a language: the word that its answers have beside their stems
_NOT_STORED = re.compile(f"[\0\ud800-\udfff{_TAG}]")  # characters of a query that find nothing
_FULL_TEXT = (
    "DROP TABLE IF EXISTS answers_fts",
    f"DROP VIEW IF EXISTS {WORDS}",
    # As a blob: a damaged text would be an error where the function takes its arguments.
    f"""CREATE VIEW {WORDS} AS SELECT key, cut_unspaced(CAST(text AS BLOB)) AS text,
        stems(CAST(text AS BLOB), CAST(language AS BLOB)) AS stems FROM answers""",
    # M*: vowel signs are parts of words, as in Hindi and Thai.
    f"""CREATE VIRTUAL TABLE answers_fts USING fts5(
        text, stems, content='{WORDS}', content_rowid='key',
        tokenize="porter unicode61 remove_diacritics 2 categories 'L* N* Co M*'"
    )""",
    "INSERT INTO answers_fts(answers_fts) VALUES ('rebuild')",
)


def make_full_text(connection: sqlite3.Connection) -> None:
    """Make the full text from all texts, in the place of an older one; the end of `format_7`.

    `porter unicode61` takes a run of letters for a word, so scripts without spaces are cut before,
    in a view. SQLite's `trigram` finds no word of one or two characters, and knows no stems.
    `porter` knows those of English; the view has those of other languages in a column of their own.
    """
    _add_functions(connection)
    for statement in _FULL_TEXT:
        connection.execute(statement)


def _add_functions(connection: sqlite3.Connection) -> None:
    """Let SQL cut scripts and stem words; the view needs it where the full text reads texts."""
    connection.create_function("cut_unspaced", 1, _cut, deterministic=True)
    connection.create_function("stems", 2, _stems, deterministic=True)


def _cut(text: bytes | None) -> str | None:
    return None if text is None else cut_unspaced(text.decode("utf-8", "replace"))


def _stems(text: bytes | None, language: bytes | None) -> str:
    if text is None or language is None:
        return ""
    code = language.decode("utf-8", "replace")
    stems = indexed_stems(text.decode("utf-8", "replace"), code)
    return f"{_TAG}{code} {stems}" if code in ALGORITHMS else stems


class FullText:
    """The table `answers_fts`, which indexes the columns of the view `answers_words`.

    In a reader of an older format the view has no stems, or it is the table `answers`, and no
    script is cut. There are no triggers: the store adds and removes answers in batches, ten times
    as fast.
    """

    def __init__(self, database: SqliteDatabase) -> None:
        self._database = database
        _add_functions(database.connection)

    @cached_property
    def _source(self) -> str:
        """The view or table whose texts are indexed."""
        rows = self._database.rows("SELECT 1 FROM sqlite_master WHERE name = ?", [WORDS])
        return WORDS if rows else "answers"

    @cached_property
    def _has_stems(self) -> bool:
        sql = "SELECT 1 FROM pragma_table_info('answers_fts') WHERE name = 'stems'"
        return bool(self._database.rows(sql))

    def search(
        self, query: str, k: int, allowed: Int64 | None
    ) -> list[tuple[int, float, list[Span]]]:
        """Find the answers that match any word of a query.

        Args:
            query: Words; none of them has a special meaning.
            k: Number of answers, at most.
            allowed: Keys of the answers to search among; None for all.

        Returns:
            (answer key, BM25 with higher better, the offsets of each match in the text), best
            first, scores that are equal to six places by id.
        """
        languages = self._languages()
        match = quoted_words(query, languages, cut=self._source == WORDS)
        if not match:
            return []
        if not languages:  # as before there were stems
            match = f"{{text}} : ({match})"
        # "+": by itself SQLite would run the full-text search once for every allowed row
        among = "" if allowed is None else "AND +f.rowid IN (SELECT value FROM json_each(:among)) "
        sql = (
            "SELECT f.rowid, -bm25(answers_fts) FROM answers_fts f "
            "JOIN answers a ON a.key = f.rowid "
            f"WHERE answers_fts MATCH :match {among}"
            "ORDER BY round(bm25(answers_fts), 6), a.id LIMIT :k"
        )
        parameters: dict[str, Any] = {"match": match, "k": min(k, 2**62)}
        if allowed is not None:
            parameters["among"] = json.dumps(allowed.tolist())
        hits = self._database.rows(sql, parameters)
        matches = self._matches(match, [key for key, _ in hits])
        for key, spans in self._stem_matches(query, languages, list(matches)):
            matches[key] = sorted({*matches[key], *spans})
        return [(key, score, matches[key]) for key, score in hits]

    def _matches(self, match: str, keys: Sequence[int]) -> dict[int, list[Span]]:
        """Return the offsets of all matches in some answers, by key; for hits only, as it is slow.

        In a text with the control characters that mark matches there are none.
        """
        rows = self._database.rows(
            "SELECT rowid, highlight(answers_fts, 0, char(2), char(3)), text FROM answers_fts "
            "WHERE answers_fts MATCH ? AND +rowid IN (SELECT value FROM json_each(?))",
            [match, json.dumps(list(keys))],
        )
        return {
            key: [] if _MARKERS.search(text) else _marked_spans(without_boundaries(highlighted))
            for key, highlighted, text in rows
        }

    def _languages(self) -> list[str]:
        """Return the languages of answers whose stems are indexed."""
        if not self._has_stems:
            return []
        sql = "SELECT 1 FROM answers_fts WHERE answers_fts MATCH ? LIMIT 1"
        tags = {code: f'{{stems}} : "{_TAG}{code}"' for code in ALGORITHMS}
        return [code for code, tag in tags.items() if self._database.rows(sql, [tag])]

    def _stem_matches(
        self, query: str, languages: Sequence[str], keys: Sequence[int]
    ) -> Iterator[tuple[int, list[Span]]]:
        """Yield the offsets of the words in some answers that were found by their stems."""
        stems = {stem for word in _words(query) for stem in query_stems(word, languages)}
        if stems:
            sql = "SELECT key, text, CAST(language AS TEXT) FROM answers WHERE key IN ({})"
            for key, text, language in self._database.rows_in(sql, keys):
                yield key, stem_spans(text, language, stems)

    def add(self, keys: Sequence[int]) -> None:
        """Index the texts of these answers; part of a transaction."""
        self._database.connection.execute(
            f"INSERT INTO answers_fts(rowid, text, stems) SELECT key, text, stems FROM {WORDS} "
            "WHERE key IN (SELECT value FROM json_each(?))",
            [json.dumps(list(keys))],
        )

    def remove(self, keys: Sequence[int]) -> None:
        """Remove answers; part of a transaction, before their texts change: FTS5 reads them."""
        self._database.connection.execute(
            "INSERT INTO answers_fts(answers_fts, rowid, text, stems) "
            f"SELECT 'delete', key, text, stems FROM {WORDS} "
            "WHERE key IN (SELECT value FROM json_each(?))",
            [json.dumps(list(keys))],
        )

    def rebuild(self) -> None:
        """Build the index again from the texts."""
        with self._database.translated():
            self._database.connection.execute(
                "INSERT INTO answers_fts(answers_fts) VALUES ('rebuild')"
            )

    def merge(self) -> None:
        """Merge all segments into one, which leaves out what was removed."""
        with self._database.translated():
            self._database.connection.execute(
                "INSERT INTO answers_fts(answers_fts) VALUES ('optimize')"
            )

    def is_sound(self) -> bool:
        """Whether the index agrees with the texts; needs a connection that may write."""
        try:
            self._database.connection.execute(
                "INSERT INTO answers_fts(answers_fts, rank) VALUES ('integrity-check', 1)"
            )
        except sqlite3.DatabaseError:
            return False
        return True


def quoted_words(query: str, languages: Collection[str] = (), *, cut: bool = True) -> str:
    """Return an FTS5 expression that matches any word of a query, each one taken literally.

    Args:
        query: Words.
        languages: Those in which their stems are looked for, too.
        cut: Whether scripts without spaces are cut in the full text.
    """
    words = _words(query)
    stems = [stem for word in words for stem in query_stems(word, languages)]
    if cut:
        pieces = (piece for word in words for piece in search_terms(word) if piece)
        words = [cut_unspaced(piece) for piece in pieces]
    terms = dict.fromkeys([*words, *stems])
    return " OR ".join('"' + term.replace('"', '""') + '"' for term in terms)


def _words(query: str) -> list[str]:
    return _NOT_STORED.sub(" ", query).split()


def _marked_spans(text: str) -> list[Span]:
    """Return the offsets of what stands between the markers, in the text without them."""
    spans, at = [], 0
    for piece in _MARKERS.split(text):
        spans.append((at, at + len(piece)))
        at += len(piece)
    return spans[1::2]


def best_passage(matches: Sequence[Span], passages: Sequence[Passage]) -> Passage:
    """Return the passage with most matches, the first of equals."""
    counts = [sum(p.start <= start < p.end for start, _ in matches) for p in passages]
    return passages[counts.index(max(counts))] if passages else Passage(0, 0)
