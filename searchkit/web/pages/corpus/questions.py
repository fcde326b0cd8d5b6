"""The list of questions: their texts, how far they are graded, their findings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse
from pydantic import BaseModel

from searchkit.core.names import natural_order
from searchkit.grading.marking.progress import Progress
from searchkit.pages.pseudonyms import Pseudonyms
from searchkit.pages.segments import Name, question_name
from searchkit.plagiarism.records import PlagiarismResult
from searchkit.text.languages.locales import Locale, identified_locale
from searchkit.web.index_pool import pool_of
from searchkit.web.pages.corpus.overview import (
    grading_progress,
    hidden_text,
    read_overview,
)
from searchkit.web.pages.views import current_findings
from searchkit.web.rendering import link, pseudonyms, render_page

MAX_PROMPT_LENGTH = 240  # characters of a question's text that the list shows
Direction = Literal["up", "down"]
question_list = APIRouter()


@dataclass(frozen=True, slots=True)
class QuestionRow:
    """A question in the list; None for what is still being computed.

    Attributes:
        name: Its name as it is displayed; empty for the answers without a question.
        prompt: Its text, or the beginning of it; empty if there is none.
        locale: How that is read.
        answers: Number of answers.
        authors: Number of authors.
        progress: How far it is graded.
        findings: Number of findings by their decision.
        are_all: Whether all questions were compared; if not, these are the findings so far.
    """

    name: Name
    prompt: str
    locale: Locale
    answers: int
    authors: int
    progress: Progress | None
    findings: Counter[str]
    are_all: bool

    @property
    def graded(self) -> float:
        """The share of the answers that have a mark."""
        return self.progress.graded / (self.progress.answers or 1) if self.progress else 0.0

    @property
    def left(self) -> int:
        """The number of findings that aren't decided."""
        return self.findings["open"] + self.findings["asked"]


SORT_KEYS: dict[str, Callable[[QuestionRow], object]] = {
    "name": lambda row: natural_order(row.name.text),
    "answers": lambda row: row.answers,
    "authors": lambda row: row.authors,
    "graded": lambda row: row.graded,
    "findings": lambda row: (row.left, row.findings.total()),
}
SORT_LABELS = {
    "name": "question",
    "answers": "answers",
    "authors": "authors",
    "graded": "graded",
    "findings": "open findings",
}


class QuestionOrder(BaseModel):
    """The order of the questions, as the query of an address has it.

    Attributes:
        sort: What they are sorted by.
        order: Whether the smallest comes first (`up`); names go up by default, numbers down.
    """

    sort: Literal["name", "answers", "authors", "graded", "findings"] = "name"
    order: Direction | None = None

    @property
    def direction(self) -> Direction:
        """Which comes first."""
        return self.order or ("up" if self.sort == "name" else "down")

    def apply(self, rows: Sequence[QuestionRow]) -> list[QuestionRow]:
        """Return the rows in this order, and those that are equal by name."""
        by_name = sorted(rows, key=SORT_KEYS["name"])  # type: ignore[arg-type]
        is_down = self.direction == "down"
        return sorted(by_name, key=SORT_KEYS[self.sort], reverse=is_down)  # type: ignore[arg-type]

    def heads(self) -> list[dict[str, str]]:
        """Return the heads of the table: label, address that sorts by it, `aria-sort`."""
        other: Direction = "up" if self.direction == "down" else "down"
        return [
            {
                "key": key,
                "label": label,
                "address": link("/questions", sort=key, order=other if key == self.sort else None),
                "sorted": {"up": "ascending", "down": "descending"}[self.direction]
                if key == self.sort
                else "",
            }
            for key, label in SORT_LABELS.items()
        ]


@question_list.get("/questions")
def questions_page(request: Request, order: Annotated[QuestionOrder, Query()]) -> HTMLResponse:
    """List the questions, with how far they are graded and their findings."""
    with pool_of(request).reading() as index:
        known = index.by_question()
    questions = [row["question"] or "" for row in known]
    overview, (result, search) = read_overview(request), current_findings(request)
    progress, names = grading_progress(request, questions), pseudonyms(request)
    prompts = overview.prompts if overview else {}
    findings = _by_question(result)
    rows = [
        QuestionRow(
            question_name(question, names),
            _shortened(prompts.get(question, ""), names),
            identified_locale(prompts.get(question, "")),
            row["answers"],
            row["authors"],
            progress.get(question, Progress(0, 0, 0)) if progress else None,
            findings.get(question, Counter()),
            are_all=not result.questions_left,
        )
        for question, row in zip(questions, known, strict=True)
    ]
    return render_page(
        request,
        "questions.html",
        rows=order.apply(rows),
        heads=order.heads(),
        search=search,
        is_pending=search.state == "running" or None in (overview, progress),
    )


def _by_question(result: PlagiarismResult) -> dict[str, Counter[str]]:
    counts: dict[str, Counter[str]] = {}
    for finding in result.findings:
        counts.setdefault(finding.question or "", Counter())[result.decision(finding)] += 1
    return counts


def _shortened(prompt: str, names: Pseudonyms | None) -> str:
    text = " ".join(hidden_text(prompt, names).split())
    if len(text) <= MAX_PROMPT_LENGTH:
        return text
    return text[:MAX_PROMPT_LENGTH].rsplit(" ", 1)[0] + " …"
