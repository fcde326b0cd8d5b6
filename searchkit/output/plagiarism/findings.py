"""Plagiarism findings and decisions as tables, records and rows; two answers side by side."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TextIO

from searchkit.core.messages import counted
from searchkit.index.records import DECISION_WORDS, Decision
from searchkit.output.console import one_line, open_console, plain_table, tidy, visible
from searchkit.output.plagiarism.chance import (
    UNJUDGED_HEADING,
    by_chance_in_words,
    chance_facts,
    expected_in_words,
    split_remarks,
)
from searchkit.output.plagiarism.columns import add_columns, finding_cells
from searchkit.output.plagiarism.equal import equal_as_rows, print_equal
from searchkit.output.plagiarism.quotations import (
    QUOTE_LENGTH,
    language_of,
    quote_passage,
    quote_translation,
)
from searchkit.output.plagiarism.sources import print_sources, sources_as_rows
from searchkit.plagiarism.preparation import prompt_of
from searchkit.plagiarism.records import NO_FINDING, Finding, Ring
from searchkit.text.languages.names import UNKNOWN
from searchkit.text.times import time_apart_in_words, time_in_words

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from searchkit.core.records import Answer
    from searchkit.plagiarism.records import Comparison, PlagiarismResult


MAX_FINDINGS = 50  # that a table shows; of rings likewise
VERBATIM_STYLE, REWORDED_STYLE = "bold yellow", "underline cyan"
COLUMNS = [
    "expected",
    "q_value",
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
    "kind",
]
DECISION_COLUMNS = [name for name in Decision.__slots__ if not name.endswith("_sha")]


def decision_as_record(decision: Decision) -> dict[str, Any]:
    """Return the fields of a decision; the hashes, by which changed texts are known, in hex."""
    hashes = {"left_sha": decision.left_sha, "right_sha": decision.right_sha}
    record = {name: getattr(decision, name) for name in DECISION_COLUMNS}
    return record | {name: h and h.hex() for name, h in hashes.items()}


def print_decisions(decisions: Sequence[Decision], out: TextIO) -> None:
    """Print a table with a row for each decision."""
    from rich.text import Text

    console = open_console(out)
    if not decisions:
        console.print("nothing has been decided yet; run: searchkit serve")
        return
    table = plain_table()
    for name in ("decision", "left", "right", "decided"):
        table.add_column(name)
    table.add_column("note", overflow="fold", ratio=1)
    for decision in decisions:
        status = DECISION_WORDS[decision.decision] + ", stale" * decision.is_stale
        cells = (decision.left, decision.right, time_in_words(decision.decided_at), decision.reason)
        table.add_row(status, *(Text(visible(cell)) for cell in cells))
    console.print(table)


def plagiarism_as_records(result: PlagiarismResult) -> Iterator[dict[str, Any]]:
    """Yield findings, rings, groups of equal answers, findings with sources, and their groups."""
    yield from result.iter_records()
    yield from result.rings.iter_records()
    yield from result.equal.iter_records()
    yield from result.sources.iter_records()
    yield from result.source_groups.iter_records()


def plagiarism_as_rows(result: PlagiarismResult) -> Iterator[dict[str, Any]]:
    """Yield a row for each finding, each pair of equal answers, and each answer near a source."""
    for finding in result.findings:
        left, right = result.texts[finding.left], result.texts[finding.right]
        yield {
            **finding.to_record(),
            "decision": result.decision(finding),
            "remarks": "; ".join(finding.remarks),
            "left_author": left.author,
            "right_author": right.author,
            "left_text": left.text,
            "right_text": right.text,
            "kind": "finding",
        }
    yield from equal_as_rows(result)
    yield from sources_as_rows(result)


def describe_compared_answers(result: PlagiarismResult) -> Iterator[str]:
    """Yield lines on how many answers were compared, how, and which were not."""
    questions = counted(result.questions, "question")
    yield f"{result.answers:,} answers compared in {questions}, {result.pairs:,} pairs"
    if result.known_sources:
        yield f"compared with {counted(len(result.known_sources), 'known source')}, too"
    if result.drafts:
        yield (
            f"{counted(result.drafts, 'other attempt')} of their authors compared with other "
            "authors' answers, too"
        )
    if result.short:
        own = "its own" if result.short == 1 else "their own"
        yield (
            f"in no pair: {counted(result.short, 'answer')} with fewer than 10 words of {own}, "
            f"too few to tell"
        )
    unjudged = result.unjudged_questions()
    if result.pooled and not {name or "" for name in unjudged} & set(result.pooled):
        yield (
            f"judged together: {counted(len(result.pooled), 'question')} with fewer than 20 such "
            f"answers; `expected` is a rough estimate there"
        )
    if unjudged:
        yield (
            f"chance can't be judged in {counted(len(unjudged), 'question')}: these pairs are "
            f"listed last, those who share most first"
        )
    if result.across:
        yield result.across
    if result.by_passages:
        yield "so many answers are compared passage by passage, not sentence by sentence"


def print_plagiarism(result: PlagiarismResult, out: TextIO) -> None:
    """Print tables of the findings that were not dismissed, the rings, and equal answers.

    Each shows at most `MAX_FINDINGS`.
    """
    console = open_console(out)
    findings = [finding for finding in result.findings if result.decision(finding) != "dismissed"]
    if not result.findings:
        console.print(result.explain_absence())
    if sentence := by_chance_in_words(result):
        console.print(sentence + "\n")
    judged = [finding for finding in findings if finding.expected is not None]
    _print_findings(judged, 1, result, console)
    if unjudged := findings[len(judged) :]:
        console.print(*([""] if judged else []), f"[bold]{UNJUDGED_HEADING}[/]", sep="\n")
        _print_findings(unjudged, len(judged) + 1, result, console)
    if num_dismissed := len(result.findings) - len(findings):
        console.print(
            f"not shown: {num_dismissed:,} that you dismissed; --format csv has them, too"
        )
    if result.rings:
        console.print()
        console.print("Groups of students, found together in several questions", style="bold")
        console.print(_rings_table(result.rings[:MAX_FINDINGS]))
    if result.equal:
        console.print()
        print_equal(result, console)
    if result.sources:
        console.print()
        print_sources(result, console)
    if not result.findings and not result.equal and not result.sources:
        return
    console.print()
    console.print("Each is a reason to look, not a proof; read two with: searchkit compare ID ID")


def _print_findings(
    findings: Sequence[Finding], first: int, result: PlagiarismResult, console: Console
) -> None:
    """Print a table of findings, numbered from `first` on, that are all judged or all are not."""
    if findings:
        console.print(_findings_table(findings[:MAX_FINDINGS], first, result, console))
    if len(findings) > MAX_FINDINGS:
        console.print(f"… and {len(findings) - MAX_FINDINGS:,} more; --format csv has all")


def _findings_table(
    findings: Sequence[Finding], first: int, result: PlagiarismResult, console: Console
) -> Table:
    is_judged = findings[0].expected is not None
    table = plain_table()
    table.add_column("#", justify="right", style="dim")
    add_columns(table, console, "answers", is_judged=is_judged)
    for number, finding in enumerate(findings, first):
        left, right = result.texts[finding.left], result.texts[finding.right]
        verdict = [finding.verdict]
        if (decision := result.decision(finding)) != "open":
            verdict.append(DECISION_WORDS[decision])
        facts = chance_facts(finding) if is_judged else []
        labels = [visible(answer.label) for answer in (left, right)]
        cells = finding_cells(console, facts, verdict, labels)
        table.add_row(str(number), *cells, _evidence(finding, left, right))
    return table


def _evidence(finding: Finding, left: Answer, right: Answer) -> Text:
    from rich.text import Text

    evidence = Text(visible(finding.reason))
    if quotation := _quote(finding, left, right):
        evidence.append(f"\n{quotation}", style="dim")
    for remark in finding.remarks:
        evidence.append(f"\n{visible(remark)}", style="italic")
    return evidence


def _quote(finding: Finding, left: Answer, right: Answer) -> str:
    """Return the longest passage in the left answer, or the longest sentences of a translation."""
    if finding.verdict == "identical" or not finding.passages:
        return ""
    if finding.verdict == "translated":
        return quote_translation(finding.passages, left, right)
    return quote_passage(max(finding.passages, key=lambda p: p.left[1] - p.left[0]), left)


def _rings_table(rings: Sequence[Ring]) -> Table:
    from rich.text import Text

    table = plain_table()
    table.add_column("strength", no_wrap=True)
    table.add_column("evidence", overflow="fold", ratio=1)
    for ring in rings:
        evidence = Text(visible(ring.reason))
        evidence.append("\n" + visible(", ".join(ring.questions)), style="dim")
        table.add_row("\n".join(chance_facts(ring)), evidence)
    return table


def print_comparison(comparison: Comparison, out: TextIO) -> None:
    """Print both texts side by side with their shared passages marked, then the evidence."""
    from rich.table import Table
    from rich.text import Text

    console = open_console(out)
    passages = comparison.finding.passages
    answers = comparison.left, comparison.right
    table = Table.grid(padding=(0, 3), expand=True)
    table.add_column(ratio=1, overflow="fold")
    table.add_column(ratio=1, overflow="fold")
    table.add_row(*(Text(visible(label), style="bold") for label in _labels(comparison)))
    table.add_row(*(Text(visible(time), style="dim") for time in _handed_in(*answers)))
    table.add_row(
        _mark_passages(comparison.left.text, [(p.left, p.kind) for p in passages]),
        _mark_passages(comparison.right.text, [(p.right, p.kind) for p in passages]),
    )
    for about in _question_lines(comparison):
        console.print(about)
    console.print()
    console.print(table)
    console.print()
    console.print(_legend(comparison))
    console.print()
    for line in _describe_comparison(comparison):
        console.print(Text(line), soft_wrap=not console.is_terminal)


def _labels(comparison: Comparison) -> list[str]:
    """Return what is above two answers; with their languages if these differ."""
    answers = comparison.left, comparison.right
    labels = [answer.label for answer in answers]
    if _are_in_two_languages(comparison):
        names = map(language_of, answers)
        return [f"{label} · {name}" for label, name in zip(labels, names, strict=True)]
    return labels


def _are_in_two_languages(comparison: Comparison) -> bool:
    """Whether the answers are known to be."""
    languages = {comparison.left.language, comparison.right.language}
    return len(languages) > 1 and not languages & {None, UNKNOWN}


def _legend(comparison: Comparison) -> Text:
    from rich.text import Text

    kinds = {passage.kind for passage in comparison.finding.passages}
    if _are_in_two_languages(comparison) and kinds == {"reworded"}:
        return Text.assemble(("{1 …}", REWORDED_STYLE), " the same in the other language")
    return Text.assemble(
        ("[1 …]", VERBATIM_STYLE),
        " the same words    ",
        ("{2 …}", REWORDED_STYLE),
        " the same in other words",
    )


def _question_lines(comparison: Comparison) -> Iterator[Text]:
    """Yield the name of the question and the beginning of its text, if they are known."""
    from rich.text import Text

    if comparison.finding.question:
        yield Text(visible(comparison.finding.question), style="bold")
    if prompt := prompt_of(comparison.left) or prompt_of(comparison.right):
        yield Text(one_line(prompt, QUOTE_LENGTH))


def _handed_in(left: Answer, right: Answer) -> tuple[str, str]:
    """Return when two answers were handed in, the second one also relative to the first."""
    one, other = left.submitted_at or "", right.submitted_at or ""
    apart = time_apart_in_words(other, one)
    return time_in_words(one), time_in_words(other) + (f" · {apart}" if apart else "")


def _mark_passages(text: str, passages: Sequence[tuple[tuple[int, int], str]]) -> Text:
    """Return text with its passages in numbered brackets and in a style of their own.

    `[1 …]` is verbatim and `{2 …}` reworded, so that they are legible without colour.

    Args:
        text: The text of an answer.
        passages: The start and end offsets in the text and the kind of passages 1, 2, and so on.
    """
    from rich.text import Text

    borders = sorted({0, len(text), *(offset for span, _ in passages for offset in span)})
    marked = Text()
    for start, end in zip(borders, [*borders[1:], len(text)], strict=True):
        for (_, last), kind in passages:
            if last == start:
                marked.append("]" if kind == "verbatim" else "}", _passage_style({kind}))
        for number, ((first, _), kind) in enumerate(passages, 1):
            if first == start:
                bracket = "[" if kind == "verbatim" else "{"
                marked.append(f"{bracket}{number} ", _passage_style({kind}))
        kinds = {kind for (first, last), kind in passages if first <= start and end <= last}
        marked.append(tidy(text[start:end]), _passage_style(kinds))
    return marked


def _passage_style(kinds: Collection[str]) -> str:
    """Return the style of text that is in passages of these kinds."""
    if not kinds:
        return ""
    return VERBATIM_STYLE if "verbatim" in kinds else REWORDED_STYLE


def _describe_comparison(comparison: Comparison) -> Iterator[str]:
    """Yield sentences on the evidence, what is expected by chance, and the decision, if any."""
    finding = comparison.finding
    unjudged, remarks = split_remarks(finding)
    if finding.verdict == NO_FINDING:
        yield f"No finding, since so much is no evidence here: {visible(finding.reason)}"
    else:
        yield f"{finding.verdict.capitalize()}: {visible(finding.reason)}"
    if finding.expected is None:
        yield visible(f"{unjudged[0].upper()}{unjudged[1:]}.")
    else:
        yield expected_in_words(finding.expected, comparison.pairs)
    if finding.semantic is not None:
        yield (
            f"Similarity of the whole answers {finding.score:.2f}, sentence by sentence "
            f"{finding.semantic:.2f}; high for any two good answers to one question."
        )
    if finding.first and finding.shares_something:
        yield visible(f"{finding.first} was handed in first; that does not say who copied.")
    for remark in remarks:
        yield visible(f"Note: {remark}.")
    if decision := comparison.decision:
        note = f": {decision.reason}" if decision.reason else ""
        verb = (
            "want to ask the student" if decision.decision == "asked" else f"{decision.decision} it"
        )
        yield visible(f"You {verb}{note}.")
