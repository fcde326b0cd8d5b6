"""Which answers a command looks at: a question, an author, and any SQL expression."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Where:
    """A filter over answers; what is None allows all.

    Attributes:
        question: Only answers to this question.
        author: Only answers by this author.
        sql: One SQL expression over `id`, `text`, `question`, `author`, `submitted_at`, `line`
            and every column in `meta` by its own name (as `"meta:name"` always); a value that
            reads as a number compares as one.
    """

    question: str | None = None
    author: str | None = None
    sql: str | None = None

    def is_empty(self) -> bool:
        """Return whether everything is allowed."""
        return self.question is None and self.author is None and self.sql is None


EVERYTHING = Where()  # allows all answers
