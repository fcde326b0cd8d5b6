"""The plan of what to mark next, as a table and as rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, TextIO

from searchkit.output.console import open_console, plain_table, quote_answer, visible
from searchkit.output.search import GetAnswers

if TYPE_CHECKING:
    from searchkit.grading.promise.records import GradingPlan

EXCERPT_LENGTH = 200  # characters of an answer that a table shows
MAX_ROWS = 30
COLUMNS = ["rank", "question", "id", "author", "reason", "confidence", "text"]
REASONS = {"check": "drawn at random", "learn": "teaches most"}


def plan_as_rows(plan: GradingPlan, get: GetAnswers) -> Iterator[dict[str, Any]]:
    """Yield a row for each answer to mark, in order."""
    answers = get([planned.id for planned in plan.answers])
    for rank, (planned, answer) in enumerate(zip(plan.answers, answers, strict=True), 1):
        yield {
            "rank": rank,
            **planned.to_record(),
            "author": answer.author,
            "text": answer.text,
        }


def print_plan(plan: GradingPlan, get: GetAnswers, out: TextIO) -> None:
    """Print the promise, and the first answers to mark."""
    from rich.text import Text

    console = open_console(out)
    console.print(Text(plan.promise.text, style="bold"))
    shown = plan.answers[:MAX_ROWS]
    if not shown:
        return
    table = plain_table()
    table.add_column("question")
    table.add_column("why")
    table.add_column("sure", justify="right")
    table.add_column("answer", overflow="fold", ratio=1)
    answers = get([planned.id for planned in shown])
    for planned, answer in zip(shown, answers, strict=True):
        sure = "" if planned.confidence is None else f"{planned.confidence:.2f}"
        question = Text(visible(planned.question or ""))
        quotation = quote_answer(answer, EXCERPT_LENGTH)
        table.add_row(question, REASONS[planned.reason], sure, quotation)
    console.print()
    console.print(table)
    if len(plan.answers) > MAX_ROWS:
        console.print(f"… and {len(plan.answers) - MAX_ROWS:,} more; --format csv has all")


def describe_marks(plan: GradingPlan) -> str:
    """Return a line on how many answers are marked."""
    return f"{plan.marks.column}: {plan.marked:,} of {plan.marked + plan.unmarked:,} answers marked"
