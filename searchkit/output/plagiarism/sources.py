"""What was found with known sources, as a table and as rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from searchkit.output.console import one_line, plain_table, visible
from searchkit.output.plagiarism.chance import chance_facts
from searchkit.plagiarism.records import Overlap, PlagiarismResult, SourceFinding

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

MAX_FINDINGS = 50  # that a table shows
QUOTE_LENGTH = 220  # characters of a passage that a table quotes
HEADING = "Near to a known source"


def print_sources(result: PlagiarismResult, console: Console) -> None:
    """Print a table of the answers that are near to a source, and the students at one source."""
    console.print(HEADING, style="bold")
    console.print(_table(result.sources[:MAX_FINDINGS], result))
    if len(result.sources) > MAX_FINDINGS:
        console.print(f"… and {len(result.sources) - MAX_FINDINGS:,} more; --format csv has all")
    for group in result.source_groups:
        labels = ", ".join(result.texts[id_].label for id_ in group.answers)
        console.print(visible(f"{group.reason} {labels}"), markup=False, highlight=False)


def _table(findings: Sequence[SourceFinding], result: PlagiarismResult) -> Table:
    from rich.text import Text

    table = plain_table()
    table.add_column("strength", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    table.add_column("answer, source", overflow="fold", max_width=26)
    table.add_column("evidence", overflow="fold", ratio=1)
    for finding in findings:
        answer = result.texts[finding.answer]
        evidence = Text(visible(finding.reason))
        if finding.passages:
            start, end = max(finding.passages, key=_quoted_first).left
            evidence.append(f"\n“{one_line(answer.text[start:end], QUOTE_LENGTH)}”", style="dim")
        for remark in finding.remarks:
            evidence.append(f"\n{visible(remark)}", style="italic")
        pair = Text(f"{visible(answer.label)}\n{visible(finding.source)}")
        table.add_row("\n".join(chance_facts(finding)), finding.verdict, pair, evidence)
    return table


def _quoted_first(passage: Overlap) -> tuple[bool, int]:
    """Return what the passage to quote has most of: it is verbatim, and long."""
    return passage.kind == "verbatim", passage.left[1] - passage.left[0]


def sources_as_rows(result: PlagiarismResult) -> Iterator[dict[str, Any]]:
    """Yield a row, with the columns of a finding, for each answer and source: the right one."""
    for finding in result.sources:
        record = finding.to_record()
        answer, source = result.texts[finding.answer], result.known_sources[finding.source]
        yield {
            **{name: record[name] for name in record.keys() - {"answer", "source", "author"}},
            "kind": "known source",
            "left": finding.answer,
            "right": finding.source,
            "left_author": finding.author,
            "right_author": None,
            "remarks": "; ".join(finding.remarks),
            "left_text": answer.text,
            "right_text": source.text,
        }
