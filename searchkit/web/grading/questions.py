"""A question for the requests that grade it: its name, and what is computed of its texts."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Request

from searchkit.core.errors import IndexBusy, NotFound
from searchkit.core.where import Where
from searchkit.grading.advice import Advice
from searchkit.grading.groups.tree import build_tree
from searchkit.grading.marking.cards import GroupedTexts
from searchkit.grading.marking.changes import count_marks, group_texts, read_sheet
from searchkit.grading.marking.records import Sheet
from searchkit.grading.marking.settings import UsedMarks
from searchkit.index.folder import Index
from searchkit.web.index_pool import IndexPool, pool_of
from searchkit.web.jobs import Job
from searchkit.web.rendering import original

QuestionName = Annotated[
    str, Query(alias="question", description="The question; empty: the answers without one.")
]
Grouped = tuple[GroupedTexts, UsedMarks]


def read_question_name(request: Request, name: str) -> str:
    """Return a question's name as the index writes it; empty for answers without one.

    Raises:
        NotFound: if there is no such question.
    """
    real = original(request, "question", name) if name else ""
    with pool_of(request).reading() as index:
        where = index.resolve(Where(real))
        if not real and not any(row["question"] in (None, "") for row in index.by_question()):
            raise NotFound("each answer has a question; name one")
    return where.question or ""


def grouped_job(pool: IndexPool, question: str) -> Job[Grouped]:
    """Return the job that groups the answers to a question by their texts."""

    def compute(index: Index, _: object) -> Grouped:
        return group_texts(index, question, build_tree), count_marks(index)

    return pool.job(("grading", question), compute)


def prepare_grouping(pool: IndexPool) -> Job[Grouped] | None:
    """Return the job that groups the answers to the first question; None if there is none.

    For the others it saves the loading of what groups answers, which takes longer than grouping.
    """
    with pool.reading() as index:
        questions = [row["question"] or "" for row in index.by_question()]
    return grouped_job(pool, min(questions)) if questions else None


def sheet_of(index: Index, question: str, grouped: Grouped) -> Sheet:
    """Return a question as it is in an index.

    Raises:
        IndexBusy: if answers have changed since they were grouped.
    """
    texts, used = grouped
    sheet = read_sheet(index, question, texts, used)
    grouped_answers = zip(texts.ids, texts.texts, strict=True)
    if [(answer.id, answer.text) for answer in sheet.answers] != list(grouped_answers):
        raise IndexBusy("answers have come in meanwhile; try again in a moment")
    return sheet


def suggestions_key(question: str) -> tuple[str, str]:
    """Return the key of the job that suggests marks for a question."""
    return ("grading suggestions", question)


def last_suggested(pool: IndexPool, question: str) -> list[str]:
    """Return the answers that a mark was last suggested for."""
    found = pool.last_result(suggestions_key(question))
    return list(found.suggestions) if isinstance(found, Advice) else []
