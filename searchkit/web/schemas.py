"""What the REST interface takes and answers."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, Field, model_validator

from searchkit.index.decisions import LONGEST
from searchkit.sources.columns import Columns
from searchkit.web.uploads import Reading

FIELDS = ("id", "text", "question", "author", "submitted_at")


class Problem(BaseModel):
    """What is wrong, in one line."""

    error: str


class Computing(BaseModel):
    """Not yet: how much is done, of how much; ask again."""

    done: int
    total: int


class Sent(BaseModel):
    """What a page sends: texts that can be stored."""

    @model_validator(mode="after")
    def _is_text(self) -> Self:
        try:
            json.dumps(self.model_dump(), ensure_ascii=False).encode()
        except UnicodeEncodeError:
            raise ValueError("a lone surrogate can't be stored; replace it") from None
        return self


class NewDecision(Sent):
    """What is decided about two answers."""

    left: str
    right: str
    decision: Literal["confirmed", "dismissed", "open"]
    reason: Annotated[str, Field(max_length=LONGEST)] = ""


class Notes(Sent):
    """What is written into columns of some answers; null empties a column."""

    ids: Annotated[list[str], Field(min_length=1)]
    columns: dict[str, str | None]


class FileColumns(Sent):
    """Which column of a file holds which field, and how it is read; null finds it by itself."""

    id: str | None = None
    text: str | None = None
    question: str | None = None
    author: str | None = None
    submitted_at: str | None = None
    encoding: str | None = None
    sheet: str | None = None
    table: str | None = None
    on_duplicate: Literal["refuse", "keep-first", "keep-last"] = "refuse"
    keep_going: bool = False

    def reading(self) -> Reading:
        """Return them as files are read."""
        columns = Columns(*(getattr(self, name) or None for name in FIELDS))
        return Reading(columns, self.encoding or None, self.sheet or None, self.table or None)


PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem, "description": what}
    for status, what in [
        (400, "Something that was given can't be used."),
        (401, "Beyond this machine: the token is missing."),
        (403, "The request comes from a page of another server, or doesn't say from where."),
        (404, "There is nothing with that id."),
        (408, "The body took too long."),
        (413, "The body is too large."),
        (421, "The request is meant for another server."),
        (422, "A parameter is missing, or isn't of its kind."),
        (500, "A mistake of ours."),
        (503, "Another process is writing, or the index can't be used just now."),
        (507, "The disk is full, or the folder can't be written."),
    ]
}
NOT_YET: dict[int | str, dict[str, Any]] = {
    202: {"model": Computing, "description": "Not yet; ask again."}
}
