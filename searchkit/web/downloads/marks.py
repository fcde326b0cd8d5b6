"""Marks as a file for a platform, as `searchkit export --as` writes it."""

from __future__ import annotations

import json
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from searchkit.core.where import Attempts, Where
from searchkit.output.platforms.formats import MarksFormat, marks_file
from searchkit.output.platforms.marks import MarkOptions, Per
from searchkit.web.api import Author, Question, Sql
from searchkit.web.index_pool import pool_of
from searchkit.web.schemas.requests import PROBLEMS

NOTES = "searchkit-notes"  # the header with a JSON list of lines, in ASCII
MEDIA_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
_CONTENT = {
    kind.partition(";")[0]: {"schema": {"type": "string", "format": "binary"}}
    for kind in MEDIA_TYPES.values()
}

downloads = APIRouter(prefix="/api", responses=PROBLEMS)


class MarksQuery(BaseModel):
    """Which marks are asked for and how they are written, as the query of an address has it."""

    platform: MarksFormat = Field(alias="as", description="For which platform.")
    marks: str | None = Field(None, description="The column with the marks.")
    comments: str | None = Field(None, description="The column with the comments.")
    assignment: str | None = Field(None, description="As the platform names it.")
    maximum: float | None = Field(None, gt=0, le=1e9, description="Most points.")
    per: Per = "answer"
    attempts: Attempts | None = None
    question: Question = None
    author: Author = None
    where: Sql = None

    def options(self) -> MarkOptions:
        """Return what is written, and how."""
        return MarkOptions(self.marks, self.comments, self.assignment, self.maximum, self.per)

    def filters(self) -> Where:
        """Return which answers are meant."""
        return Where(self.question, self.author, self.where, self.attempts)


@downloads.get(
    "/marks",
    tags=["answers"],
    response_class=Response,
    responses={200: {"description": "The file.", "content": _CONTENT}},
)
def read_marks(request: Request, query: Annotated[MarksQuery, Query()]) -> Response:
    """Return marks and comments as a file that a platform takes back.

    The header `searchkit-notes` is a JSON list of lines on what was left out, and what to do.
    """
    with pool_of(request).reading() as index:
        file = marks_file(index, query.platform, query.options(), query.filters())
    stem = "marks" if query.platform == file.suffix else f"marks-{query.platform}"
    headers = {
        "content-disposition": f'attachment; filename="{stem}.{file.suffix}"',
        NOTES: json.dumps(file.notes),
    }
    return Response(file.content, media_type=MEDIA_TYPES[file.suffix], headers=headers)
