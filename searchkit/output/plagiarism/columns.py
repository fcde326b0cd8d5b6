"""The columns of a table of findings; on a narrow console the first ones stand in one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

MIN_WIDE = 100  # columns of a console, below which the evidence would have too few
NARROW_WIDTH = 14  # columns: as many as "heavy revision" has
ANSWERS_WIDTH = 26


def add_columns(table: Table, console: Console, answers: str, *, is_judged: bool = True) -> None:
    """Add the columns of findings to a table.

    Args:
        table: The table.
        console: The console that it is for.
        answers: The heading of the column with the two answers.
        is_judged: Whether the findings have a strength.
    """
    if console.width < MIN_WIDE:
        table.add_column("verdict", max_width=NARROW_WIDTH)
    else:
        if is_judged:
            table.add_column("strength", no_wrap=True)
        table.add_column("verdict", no_wrap=True)
    table.add_column(answers, overflow="fold", max_width=ANSWERS_WIDTH)
    table.add_column("evidence", overflow="fold", ratio=1)


def finding_cells(
    console: Console, facts: Sequence[str], verdict: Sequence[str], answers: Sequence[str]
) -> list[Text]:
    """Return the cells of a finding before that of its evidence.

    Args:
        console: The console that the table is for.
        facts: How strong the finding is, a line each; empty if that isn't judged.
        verdict: The verdict, and what was decided.
        answers: The labels of both answers.
    """
    from rich.text import Text

    if console.width < MIN_WIDE:
        lines = [[*verdict, *facts], answers]
    else:
        lines = [*([facts] if facts else []), verdict, answers]
    return [Text("\n".join(cell)) for cell in lines]
