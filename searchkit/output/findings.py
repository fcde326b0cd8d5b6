"""Findings for people and for programs: a table with evidence, two texts side by side, records."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, TextIO

from searchkit.core.wording import counted
from searchkit.index.records import Decision
from searchkit.output.console import one_line, open_console, plain_table, tidy, visible
from searchkit.plagiarism.records import NO_FINDING, Finding, Overlap, Ring

if TYPE_CHECKING:
    from searchkit.plagiarism.find import Comparison, PlagiarismResult


SHOWN = 50  # findings that a table shows
QUOTED = 220  # characters of the passage that a table quotes
LEAST = 1e-6  # a smaller `expected` is beyond what a fitted tail can say
COLUMNS = [
    "expected",
    "verdict",
    "question",
    "left",
    "left_author",
    "right",
    "right_author",
    "decision",
    "first",
    "score",
    "semantic",
    "verbatim",
    "reason",
    "remarks",
    "passages",
    "left_text",
    "right_text",
]
DECISION_COLUMNS = [name for name in Decision.__slots__ if not name.endswith("_sha")]


def decision_as_record(decision: Decision) -> dict[str, Any]:
    """Return a decision with all its fields."""
    return {name: getattr(decision, name) for name in DECISION_COLUMNS}


def print_decisions(decisions: Sequence[Decision], out: TextIO) -> None:
    """Print what was decided, a line a pair."""
    from rich.text import Text

    console = open_console(out)
    if not decisions:
        console.print("nothing has been decided yet; run: searchkit serve")
        return
    table = plain_table()
    for name in ("decision", "left", "right", "decided"):
        table.add_column(name)
    table.add_column("reason", overflow="fold", ratio=1)
    for one in decisions:
        decision = f"{one.decision}, stale" if one.is_stale else one.decision
        cells = (one.left, one.right, one.decided_at, one.reason)
        table.add_row(decision, *(Text(visible(cell)) for cell in cells))
    console.print(table)


def plagiarism_as_records(found: PlagiarismResult) -> Iterator[dict[str, Any]]:
    """Yield each finding, then each ring, which is known by its `authors`."""
    yield from found.iter_records()
    yield from found.rings.iter_records()


def plagiarism_as_rows(found: PlagiarismResult) -> Iterator[dict[str, Any]]:
    """Yield a row a finding, with both answers."""
    for finding in found.findings:
        left, right = found.texts[finding.left], found.texts[finding.right]
        yield {
            **finding.to_record(),
            "decision": found.decision(finding),
            "remarks": "; ".join(finding.remarks),
            "left_author": left.author,
            "right_author": right.author,
            "left_text": left.text,
            "right_text": right.text,
        }


def describe_compared_answers(found: PlagiarismResult) -> Iterator[str]:
    """Say what was looked at, and what wasn't."""
    groups = counted(found.questions, "question")
    yield f"{found.answers:,} answers compared in {groups}, {found.pairs:,} pairs"
    if found.short:
        yield (
            f"in no pair: {counted(found.short, 'answer')} with fewer than 10 words of its own, "
            f"too few to tell"
        )
    if found.pooled:
        yield (
            f"judged together: {counted(len(found.pooled), 'question')} with fewer than 20 such "
            f"answers; `expected` is a rough estimate there"
        )
    if found.by_passages:
        yield "so many answers are compared passage by passage, not sentence by sentence"


def expected_in_words(expected: float, pairs: int | None = None) -> str:
    """Say `expected` in words."""
    like_this = "questions like this" + (f", with {pairs:,} pairs each" if pairs else "")
    if expected >= 1:
        return f"By chance, {_count(expected)} pairs as much alike come up in such a question."
    if expected < LEAST:
        return f"By chance, not one such pair comes up in a million {like_this}."
    return f"By chance, one such pair comes up in {_count(1 / expected)} {like_this}."


def _count(number: float) -> str:
    return f"{float(f'{number:.2g}'):,.0f}" if number >= 10 else f"{number:.1f}".removesuffix(".0")


def format_expected(expected: float) -> str:
    """Return `expected` as a number."""
    if expected < LEAST:
        return f"< {LEAST:.0e}".replace("e-0", "e-")
    return _count(expected) if expected >= 1 else f"{expected:.2g}"


def print_plagiarism(found: PlagiarismResult, out: TextIO) -> None:
    """Print the findings with what they rest on, then the rings; `SHOWN` findings at most."""
    console = open_console(out)
    shown = [one for one in found.findings if found.decision(one) != "dismissed"]
    if not found.findings:
        console.print("no pair is more alike than chance explains")
        return
    if shown:
        console.print(_findings_table(shown[:SHOWN], found))
    if len(shown) > SHOWN:
        console.print(f"… and {len(shown) - SHOWN:,} more; --format csv has all")
    if dismissed := len(found.findings) - len(shown):
        console.print(f"not shown: {dismissed:,} that you dismissed; --format csv has them, too")
    if found.rings:
        console.print()
        console.print("Found together in several questions", style="bold")
        console.print(_rings_table(found.rings[:SHOWN]))
    console.print()
    console.print("Each is a reason to look, not a proof; read two with: searchkit compare ID ID")


def _findings_table(findings: Sequence[Finding], found: PlagiarismResult) -> Any:  # noqa: ANN401
    from rich.text import Text

    table = plain_table()
    table.add_column("#", justify="right", style="dim")
    table.add_column("expected", justify="right", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    table.add_column("answers", overflow="fold", max_width=26)
    table.add_column("evidence", overflow="fold", ratio=1)
    for number, finding in enumerate(findings, 1):
        sides = [visible(found.texts[name].label) for name in (finding.left, finding.right)]
        evidence = Text(visible(finding.reason))
        if quote := _quote(finding, found.texts[finding.left].text):
            evidence.append(f"\n“{quote}”", style="dim")
        for remark in finding.remarks:
            evidence.append(f"\n{visible(remark)}", style="italic")
        verdict = finding.verdict
        if found.decision(finding) == "confirmed":
            verdict += "\nconfirmed"
        table.add_row(
            str(number),
            format_expected(finding.expected),
            verdict,
            Text("\n".join(sides)),
            evidence,
        )
    return table


def _quote(finding: Finding, text: str) -> str:
    """Return the longest passage of the left answer, cut to what a cell holds."""
    if finding.verdict == "identical" or not finding.passages:
        return ""
    start, end = max((p.left for p in finding.passages), key=lambda span: span[1] - span[0])
    return one_line(text[start:end], QUOTED)


def _rings_table(rings: Sequence[Ring]) -> Any:  # noqa: ANN401
    from rich.text import Text

    table = plain_table()
    table.add_column("expected", justify="right", no_wrap=True)
    table.add_column("authors", overflow="fold", max_width=44)
    table.add_column("questions", overflow="fold", ratio=1)
    for ring in rings:
        names = (visible(", ".join(some)) for some in (ring.authors, ring.questions))
        table.add_row(format_expected(ring.expected), *(Text(line) for line in names))
    return table


def print_comparison(compared: Comparison, out: TextIO) -> None:
    """Print both texts side by side, what they share marked, and the numbers in words."""
    from rich.table import Table
    from rich.text import Text

    console = open_console(out)
    finding = compared.finding
    table = Table.grid(padding=(0, 3), expand=True)
    table.add_column(ratio=1, overflow="fold")
    table.add_column(ratio=1, overflow="fold")
    answers = compared.left, compared.right
    table.add_row(*(Text(visible(answer.label), style="bold") for answer in answers))
    table.add_row(*(Text(visible(answer.submitted_at or ""), style="dim") for answer in answers))
    table.add_row(
        _marked(compared.left.text, finding.passages, "left"),
        _marked(compared.right.text, finding.passages, "right"),
    )
    console.print(table)
    console.print()
    console.print(
        Text.assemble(
            ("[1 …]", VERBATIM),
            " the same words    ",
            ("{2 …}", REWORDED),
            " the same in other words",
        )
    )
    console.print()
    for line in _in_words(compared):
        console.print(Text(line))


VERBATIM, REWORDED = "bold yellow", "underline cyan"


def _marked(text: str, passages: Sequence[Overlap], side: str) -> Any:  # noqa: ANN401
    """Mark each passage with its number: [1 verbatim], {2 reworded}; legible without colour."""
    from rich.text import Text

    spans = [(*getattr(p, side), p.kind, n) for n, p in enumerate(passages, 1)]
    borders = sorted({0, len(text), *(at for start, end, *_ in spans for at in (start, end))})
    shown = Text()
    for at, after in zip(borders, [*borders[1:], len(text)], strict=True):
        for _, _, kind, _ in (span for span in spans if span[1] == at):
            shown.append("]" if kind == "verbatim" else "}", _style(kind))
        for _, _, kind, number in (span for span in spans if span[0] == at):
            shown.append(f"[{number} " if kind == "verbatim" else f"{{{number} ", _style(kind))
        kinds = {kind for start, end, kind, _ in spans if start <= at and after <= end}
        style = VERBATIM if "verbatim" in kinds else REWORDED if kinds else ""
        shown.append(tidy(text[at:after]), style)
    return shown


def _style(kind: str) -> str:
    return VERBATIM if kind == "verbatim" else REWORDED


def _in_words(compared: Comparison) -> Iterator[str]:
    finding = compared.finding
    if finding.verdict == NO_FINDING:
        yield f"No finding, since so much is no evidence here: {visible(finding.reason)}"
    else:
        yield f"{finding.verdict.capitalize()}: {visible(finding.reason)}"
    yield expected_in_words(finding.expected, compared.pairs)
    yield (
        f"Cosine of the whole answers {finding.score:.2f}, sentence by sentence "
        f"{finding.semantic:.2f}; high for any two good answers to one question."
    )
    if finding.first:
        yield visible(f"{finding.first} was handed in first; that does not say who copied.")
    for remark in finding.remarks:
        yield visible(f"Note: {remark}.")
    if compared.decision:
        because = f": {compared.decision.reason}" if compared.decision.reason else ""
        yield visible(f"You {compared.decision.decision} it{because}.")
