"""Groups of equal answers as a table and as rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from searchkit.core.messages import counted
from searchkit.output.console import one_line, plain_table, visible
from searchkit.plagiarism.records import EqualGroup

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from searchkit.plagiarism.records import PlagiarismResult

MAX_GROUPS = 50  # that a table shows
MAX_ANSWERS = 5  # of a group, that a table names
QUOTE_LENGTH = 160  # characters of a group's text that a table quotes
HEADING = "Word for word the same"
CAUTION = "Shown whatever chance explains, to be looked at; short answers are the same easily"


def print_equal(result: PlagiarismResult, console: Console) -> None:
    """Print a table of the groups of equal answers that are no findings; count the others.

    Groups that were dismissed are left out.
    """
    groups = [group for group in result.equal if not result.is_dismissed(group)]
    unseen = [group for group in groups if not group.is_finding]
    if unseen:
        console.print(HEADING, style="bold")
        console.print(CAUTION, style="dim")
        console.print(_groups_table(unseen[:MAX_GROUPS], result))
    if len(unseen) > MAX_GROUPS:
        console.print(f"… and {len(unseen) - MAX_GROUPS:,} more; --format csv has all")
    if known := len(groups) - len(unseen):
        verb = "is" if known == 1 else "are"
        console.print(f"{counted(known, 'group')} of equal answers {verb} among the findings")


def _groups_table(groups: Sequence[EqualGroup], result: PlagiarismResult) -> Table:
    from rich.text import Text

    table = plain_table()
    table.add_column("words", justify="right", no_wrap=True)
    table.add_column("answers", overflow="fold", max_width=26)
    table.add_column("text", overflow="fold", ratio=1)
    for group in groups:
        labels = [visible(result.texts[id_].label) for id_ in group.answers[:MAX_ANSWERS]]
        if (more := len(group.answers) - MAX_ANSWERS) > 0:
            labels.append(f"and {more:,} more")
        cells = (Text("\n".join(labels)), _evidence(group, result))
        table.add_row(f"{group.words:,}", *cells)
    return table


def _evidence(group: EqualGroup, result: PlagiarismResult) -> Text:
    from rich.text import Text

    evidence = Text(visible(describe_equal(group)))
    text = one_line(result.texts[group.answers[0]].text, QUOTE_LENGTH)
    evidence.append(f"\n“{text}”", style="dim")
    if group.findings:
        evidence.append(
            f"\n{counted(len(group.findings), 'pair')} of them also above, as a finding"
        )
    for remark in group.remarks:
        evidence.append(f"\n{visible(remark)}", style="italic")
    return evidence


def describe_equal(group: EqualGroup) -> str:
    """Return the reason of a group, and whether its words are common."""
    common = " Common: a tenth of the authors or more wrote it." if group.is_common else ""
    return group.reason + common


def equal_as_rows(result: PlagiarismResult) -> Iterator[dict[str, Any]]:
    """Yield a row, with the columns of a finding, for each pair that is none.

    The pairs are those of the first answer of each group with the others.
    """
    for group in result.equal:
        first, *others = group.answers
        left = result.texts[first]
        for other in others:
            if {(first, other), (other, first)} & set(group.findings):
                continue
            right = result.texts[other]
            decision = result.decision_about(first, other)
            yield {
                "kind": "equal answers",
                "verdict": "identical",
                "question": group.question,
                "left": first,
                "right": other,
                "decision": decision.decision if decision else "open",
                "verbatim": 1.0,
                "reason": describe_equal(group),
                "remarks": "; ".join(group.remarks),
                "left_author": left.author,
                "right_author": right.author,
                "left_text": left.text,
                "right_text": right.text,
            }
