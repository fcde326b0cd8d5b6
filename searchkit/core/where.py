"""A filter over answers: by question, by author, and by any SQL expression."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal, get_args

from searchkit.core.errors import BadInput, check_choice
from searchkit.core.messages import Message

Attempts = Literal["latest", "first", "all"]
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Where:
    """A filter over answers; a condition that is None allows all.

    Attributes:
        question: Only answers to this question.
        author: Only answers by this author, however case and white space are written.
        sql: Only answers for which this SQL expression is true. It can use `id`, `text`,
            `question`, `author`, `submitted_at`, `line`, `attempt`, `attempts`, `language`, and all
            columns by their names (also as `"meta:name"`, for a name that is taken). Values that
            look like numbers are compared as numbers, also 4,5 and 7/10 (which is 7) and 75 %.
            Where a column was written here, that value counts; `"file:name"` is that of the file,
            and `"here:name"` the one that was written, both as they are spelt.
        attempts: Where an author has several answers to a question, only the `latest` or the
            `first` of them; None leaves it to the operation.

    Raises:
        BadInput: if a text has half a surrogate pair, which no file and no database can hold, or
            there are no such attempts.
    """

    question: str | None = None
    author: str | None = None
    sql: str | None = None
    attempts: Attempts | None = None

    def __post_init__(self) -> None:
        check_choice("attempts", self.attempts, (None, *get_args(Attempts)))
        for name, text in (
            ("question", self.question),
            ("author", self.author),
            ("where", self.sql),
        ):
            if text and _SURROGATE.search(text):
                template = f"`{name}`: {{text!r}} is not UTF-8; write it in UTF-8"
                raise BadInput(Message(template, text=text))

    def is_empty(self) -> bool:
        """Return whether the filter allows all answers."""
        return self == Where(attempts=self.attempts) and self.attempts in (None, "all")

    def with_attempts(self) -> Where:
        """Return the filter for the latest attempts only, unless it says for which."""
        return self if self.attempts else replace(self, attempts="latest")

    def describe(self) -> str:
        """Return the conditions in words, for a message."""
        given = {"question": self.question, "author": self.author, "where": self.sql}
        return ", ".join(f"{name} {text!r}" for name, text in given.items() if text is not None)


EVERYTHING = Where()
