"""What was found with known sources, as a table and as rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from searchkit.output.console import plain_table, visible
from searchkit.output.plagiarism.chance import chance_facts
from searchkit.output.plagiarism.columns import add_columns, finding_cells
from searchkit.output.plagiarism.quotations import quote_passage, quote_translation
from searchkit.plagiarism.records import Overlap, PlagiarismResult, SourceFinding

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from searchkit.core.records import Answer

MAX_FINDINGS = 50  # that a table shows
HEADING = "Near to a known source"


def print_sources(result: PlagiarismResult, console: Console) -> None:
    """Print a table of the answers that are near to a source, and the students at one source."""
    console.print(HEADING, style="bold")
    console.print(_table(result.sources[:MAX_FINDINGS], result, console))
    if len(result.sources) > MAX_FINDINGS:
        console.print(f"… and {len(result.sources) - MAX_FINDINGS:,} more; --format csv has all")
    for group in result.source_groups:
        labels = ", ".join(result.texts[id_].label for id_ in group.answers)
        console.print(visible(f"{group.reason} {labels}"), markup=False, highlight=False)


def _table(findings: Sequence[SourceFinding], result: PlagiarismResult, console: Console) -> Table:
    from rich.text import Text

    table = plain_table()
    add_columns(table, console, "answer, source")
    for finding in findings:
        answer = result.texts[finding.answer]
        evidence = Text(visible(finding.reason))
        if finding.passages:
            quotation = _quote(finding, answer, result.known_sources[finding.source])
            evidence.append(f"\n{quotation}", style="dim")
        for remark in finding.remarks:
            evidence.append(f"\n{visible(remark)}", style="italic")
        labels = [visible(answer.label), visible(finding.source)]
        cells = finding_cells(console, chance_facts(finding), [finding.verdict], labels)
        table.add_row(*cells, evidence)
    return table


def _quote(finding: SourceFinding, answer: Answer, source: Answer) -> str:
    if finding.verdict == "translated":
        return quote_translation(finding.passages, answer, source)
    return quote_passage(max(finding.passages, key=_quoted_first), answer)


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
