"""The bodies that the REST interface accepts, and the answers that every endpoint may give."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, Field, model_validator

from searchkit.index.decisions import MAX_REASON_LENGTH
from searchkit.index.incoming.records import OnDuplicate
from searchkit.index.ingest import Choices
from searchkit.index.records import DecisionStatus
from searchkit.sources.columns import Columns
from searchkit.sources.files import FileOptions
from searchkit.sources.tables.quoting import Quoting

MAX_DECIDED_PAIRS = 10_000  # of one decision
FIELDS = ("id", "text", "question", "author", "submitted_at")

# -- bodies ----------------------------------------------------------------------------------------


class Body(BaseModel):
    """A body whose texts can all be stored as UTF-8."""

    @model_validator(mode="after")
    def _check_texts(self) -> Self:
        try:
            json.dumps(self.model_dump(), ensure_ascii=False).encode()
        except UnicodeEncodeError:
            raise ValueError("a lone surrogate can't be stored; replace it") from None
        return self


class NewDecision(Body):
    """A decision about two answers."""

    left: str
    right: str
    decision: DecisionStatus
    reason: Annotated[str, Field(max_length=MAX_REASON_LENGTH)] = ""


class NewDecisions(Body):
    """One decision about several pairs of answers."""

    pairs: Annotated[list[tuple[str, str]], Field(min_length=1, max_length=MAX_DECIDED_PAIRS)]
    decision: DecisionStatus
    reason: Annotated[str, Field(max_length=MAX_REASON_LENGTH)] = ""


class NewColumns(Body):
    """Values to write into columns of some answers; null empties a column."""

    ids: Annotated[list[str], Field(min_length=1)]
    columns: dict[str, str | None]


class UploadOptions(Body):
    """Which column of a file holds which field, and how it is read; null: find out from the file.

    `keep_going` leaves out rows that can't be used and lists them in the result.
    """

    id: str | None = None
    text: str | None = None
    question: str | None = None
    author: str | None = None
    submitted_at: str | None = None
    encoding: str | None = None
    sheet: str | None = None
    table: str | None = None
    quoting: Quoting | None = None
    skip_rows: Annotated[int | None, Field(ge=0)] = None
    records: str | None = None
    question_from: Literal["filename"] | None = None
    wide: bool = False
    """Whether a row is a person, and a column a question."""
    platform: str | None = None
    """The platform's export that the file is, or plain for none."""
    on_duplicate: OnDuplicate = "refuse"
    allow_empty: bool = False
    """Whether an empty cell empties a stored text or column."""
    keep_going: bool = False

    def choices(self) -> Choices:
        """Return how rows are treated."""
        return Choices(self.on_duplicate, allow_empty=self.allow_empty)

    def file_options(self) -> FileOptions:
        """Return the options for reading the file; an empty text counts as null."""
        columns = Columns(*(getattr(self, name) or None for name in FIELDS), wide=self.wide)
        return FileOptions(
            columns,
            self.encoding or None,
            self.sheet or None,
            self.table or None,
            quoting=self.quoting,
            skip_rows=self.skip_rows,
            records=self.records or None,
            question_from=self.question_from,
            platform=self.platform or None,
        )


# -- errors and progress ---------------------------------------------------------------------------


class Problem(BaseModel):
    """An error in one line."""

    error: str


class Computing(BaseModel):
    """The result is not there yet: how many steps are done, and of how many (0: unknown)."""

    done: int
    total: int


PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem, "description": description}
    for status, description in [
        (400, "A value can't be used."),
        (401, "The token is missing; it is needed on all machines but the server's own."),
        (403, "The request comes from a page of another server, or doesn't say from where."),
        (404, "There is nothing with that id."),
        (408, "The body took too long."),
        (413, "The body is too large."),
        (421, "The request is meant for another server."),
        (422, "A parameter is missing or has the wrong type."),
        (500, "Internal error; please report it."),
        (503, "Another process is writing, or the index can't be used at the moment."),
        (507, "The disk is full, or the folder can't be written."),
    ]
}
NOT_YET: dict[int | str, dict[str, Any]] = {
    202: {"model": Computing, "description": "Not finished yet; ask again."}
}
