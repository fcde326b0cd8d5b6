"""`Posts.xml` of a StackExchange dump: a row a post, questions and their answers.

The rows have the attributes `Id`, `PostTypeId` (1 a question, 2 an answer), `ParentId` (an answer's
question), `AcceptedAnswerId`, `CreationDate`, `Score`, `Body` (HTML), `OwnerUserId`, `Title`,
`Tags`. A question stands before its answers, but not in every dump, and a dump can have many GB: so
the questions, and the answers that wait for theirs, are in a temporary file.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Collection, Iterator
from contextlib import closing

from searchkit.core.errors import StorageFailed, first_line
from searchkit.core.identity import question_name
from searchkit.sources.columns import Values
from searchkit.sources.layouts.layout import Layout
from searchkit.sources.platforms.nested.elements import Event, XmlFormat
from searchkit.sources.platforms.nested.rows import Row, nested_layout, with_id
from searchkit.text.html import html_to_text

_QUESTION, _ANSWER = "1", "2"  # of PostTypeId


class _Posts:
    """The questions so far, and the answers whose question has not come yet."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        database.executescript(
            """
            CREATE TABLE questions (
              id TEXT PRIMARY KEY, name TEXT UNIQUE, prompt TEXT, tags TEXT, accepted TEXT
            ) WITHOUT ROWID;
            CREATE TABLE waiting (line INTEGER, parent TEXT, row TEXT);
            """
        )

    def add_question(self, post: Event) -> None:
        """Remember a question; of several with the same title, later ones have their ids behind."""
        id_ = post.attribute("Id") or ""
        title, body = post.attribute("Title"), post.attribute("Body")
        texts = filter(None, (title, html_to_text(body) if body else None))
        prompt = "\n\n".join(dict.fromkeys(texts)) or None
        name = question_name(title) if title else id_
        values = (prompt, _tags(post.attribute("Tags")), post.attribute("AcceptedAnswerId"))
        insert = "INSERT OR IGNORE INTO questions VALUES (?, ?, ?, ?, ?)"
        if not self._database.execute(insert, (id_, name, *values)).rowcount:
            self._database.execute(insert, (id_, f"{name} ({id_})", *values))

    def keep(self, line: int, parent: str, values: Values) -> None:
        """Keep an answer whose question has not come yet."""
        row = (line, parent, json.dumps(values))
        self._database.execute("INSERT INTO waiting VALUES (?, ?, ?)", row)

    def waiting(self) -> Iterator[tuple[int, str, Values]]:
        """Yield the answers that were kept."""
        for line, parent, row in self._database.execute("SELECT * FROM waiting ORDER BY rowid"):
            yield line, parent, json.loads(row)

    def with_question(self, parent: str, values: Values) -> Values | None:
        """Return an answer's row with the columns of its question; None if it has not come yet."""
        select = "SELECT name, prompt, tags, accepted FROM questions WHERE id = ?"
        row = self._database.execute(select, (parent,)).fetchone()
        if row is None:
            return None
        name, prompt, tags, accepted = row
        is_accepted = str(accepted == values.get("id")).lower() if accepted else None
        own = {"question": name, "accepted": is_accepted, "prompt": prompt, "tags": tags}
        return values | own


def _tags(tags: str | None) -> str | None:
    """Return `java, loops` for `<java><loops>`, or `|java|loops|` in newer dumps."""
    return ", ".join(re.findall(r"[^<>|\s]+", tags)) if tags else None


def _read_rows(events: Iterator[Event]) -> Iterator[Row]:
    try:
        # Without a name it is a temporary file; the last row may be read in another thread.
        database = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        with closing(database):
            database.execute("PRAGMA journal_mode = OFF")
            yield from _answers(events, _Posts(database))
    except sqlite3.Error as error:
        reason = f"the questions can't be kept in a temporary file ({first_line(error)})"
        raise StorageFailed(f"{reason}; TMPDIR names a folder with more room") from None


def _answers(events: Iterator[Event], posts: _Posts) -> Iterator[Row]:
    for event in events:
        if event.kind == "start" or event.name != "row":
            continue
        kind = event.attribute("PostTypeId")
        if kind == _QUESTION:
            posts.add_question(event)
        elif kind == _ANSWER:
            parent, values = event.attribute("ParentId") or "", _answer(event)
            if row := posts.with_question(parent, values):
                yield event.line, row
            else:
                posts.keep(event.line, parent, values)
    for line, parent, values in posts.waiting():
        yield line, posts.with_question(parent, values) or {**values, "question": parent}


def _answer(post: Event) -> Values:
    values = {
        "text": post.attribute("Body") or "",
        "question": None,
        "author": post.attribute("OwnerUserId", "OwnerDisplayName"),
        "submitted_at": post.attribute("CreationDate"),
        "score": post.attribute("Score"),
        "accepted": None,
        "prompt": None,
        "tags": None,
    }
    return with_id(post.attribute("Id"), values)


def _find_layout(names: Collection[str]) -> Layout:
    return nested_layout("StackExchange posts", names, is_html=True)


STACKEXCHANGE = XmlFormat(roots=("posts",), held=(), read_rows=_read_rows, find_layout=_find_layout)
