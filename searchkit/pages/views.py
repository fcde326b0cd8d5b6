"""Views: findings and answers as the templates display them; pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from searchkit.core.messages import counted
from searchkit.core.records import Answer
from searchkit.index.records import Decision
from searchkit.output.plagiarism.chance import (
    chance_facts,
    exact_chance,
    expected_in_words,
    rank,
    split_remarks,
)
from searchkit.pages.known_names import holds_names
from searchkit.pages.pseudonyms import Pseudonyms
from searchkit.pages.segments import (
    Highlight,
    Name,
    Segment,
    TextRun,
    answer_name,
    author_name,
    overlap_highlights,
    question_name,
    segments,
    text_runs,
)
from searchkit.plagiarism.preparation import prompt_of
from searchkit.plagiarism.records import (
    VERDICTS,
    Finding,
    Overlap,
    PlagiarismResult,
)
from searchkit.text.languages.locales import Locale, identified_locale, locale_of
from searchkit.text.times import time_apart_in_words, time_in_words
from searchkit.text.words import shared_words, unit_of

LONG_PROMPT = 150  # characters from which on the text of a question is cut, and folded out
TONES = dict(zip(VERDICTS, ("bad", "bad", "warn", "info", "info", "", ""), strict=True))


# -- findings --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SideView:
    """An answer, or one of the two answers of a finding.

    Attributes:
        answer: Its id.
        author: Its author, if known.
        time: When it was handed in, in words; empty if unknown.
        segments: Its text.
        locale: How its text is read.
        apart: How much earlier or later than the other answer; empty if unknown.
    """

    answer: Name
    author: Name | None
    time: str
    segments: list[Segment]
    locale: Locale
    apart: str = ""

    @property
    def who(self) -> Name:
        """Its author, or else the answer, as it is named first."""
        return self.author or self.answer


@dataclass(frozen=True, slots=True)
class FindingView:
    """A finding as it is displayed.

    Attributes:
        number: Its number among all findings, from 1, the least expected first; 0 for a comparison.
        anchor: The id of its element in the page.
        question: The question of both answers; its text is empty if there is none.
        prompt: The text of the question; empty if no column has it.
        prompt_locale: How it is read.
        is_long: Whether the text of the question takes more than two lines or so.
        verdict: The verdict of the finding.
        tone: The colour of the verdict's badge: `bad`, `warn`, `info` or none.
        is_judged: Whether chance can be judged.
        facts: The strength and the odds, in a few words each.
        rank: The length of the bar beside them, a step of `chance.rank`; None for no bar.
        exact: `expected` and the q-value as numbers; empty if chance can't be judged.
        chance: `expected` as a sentence; empty if chance can't be judged.
        unjudged: Why chance can't be judged; empty if it can.
        expected: The number of such pairs expected by chance, if it can be judged.
        q_value: The share of findings by chance down to this one, if it is known.
        score: Cosine of the whole answers; of programs the share of what both have.
        semantic: Mean cosine of each sentence with the nearest one of the other answer; None for
            programs.
        verbatim: Share of the shorter answer's words that the other has in the same order.
        reason: The sentence that says what was found.
        remarks: Other remarks, each a sentence.
        first: Who handed in first; None if unknown, or if nothing is shared.
        left: The left answer.
        right: The right answer.
        decision: `open`, `confirmed`, `asked` or `dismissed`.
        decided: Whether it is not open; the rest is empty if not.
        decided_at: The time of the decision.
        decided_because: The reason of the decision.
        decided_number: The number of the decision, to take it back by; 0 if there is none.
    """

    number: int
    anchor: str
    question: Name
    prompt: tuple[TextRun, ...]
    prompt_locale: Locale
    is_long: bool
    verdict: str
    tone: str
    is_judged: bool
    facts: list[str]
    rank: int | None
    exact: str
    chance: str
    unjudged: tuple[TextRun, ...]
    expected: float | None
    q_value: float | None
    score: float
    semantic: float | None
    verbatim: float
    reason: tuple[TextRun, ...]
    remarks: list[tuple[TextRun, ...]]
    first: Name | None
    left: SideView
    right: SideView
    decision: str
    decided: bool
    decided_at: str
    decided_because: tuple[TextRun, ...]
    decided_number: int


def finding_view(
    finding: Finding,
    left: Answer,
    right: Answer,
    *,
    number: int = 1,
    pairs: int | None = None,
    decision: Decision | None = None,
    names: Pseudonyms | None = None,
) -> FindingView:
    """Return the view of a finding, or of a comparison of two answers.

    Args:
        finding: The finding.
        left: Its left answer.
        right: Its right answer.
        number: Its number in the page, from 1; 0 for a comparison, which has none.
        pairs: Number of pairs of the question, if the sentence about chance should name it.
        decision: The decision about it, if there is one that isn't stale.
        names: Pseudonyms, if names can be hidden.
    """
    anchor = f"finding-{number}"
    if decision is not None and decision.decision == "open":
        decision = None
    unjudged, remarks = split_remarks(finding)
    prompt = prompt_of(left) or prompt_of(right)
    sides = [
        side_view(answer, overlap_highlights(finding.passages, side, anchor), names, other)
        for answer, side, other in ((left, "left", None), (right, "right", left))
    ]
    first = sides[finding.first == right.id].who if finding.first else None
    return FindingView(
        number=number,
        anchor=anchor,
        question=question_name(finding.question, names),
        prompt=text_runs(prompt, names) if prompt else (),
        prompt_locale=identified_locale(prompt),
        is_long=len(prompt) > LONG_PROMPT or "\n" in prompt.strip(),
        verdict=finding.verdict,
        tone=TONES[finding.verdict],
        is_judged=finding.expected is not None,
        facts=chance_facts(finding),
        rank=rank(finding.expected),
        exact=exact_chance(finding),
        chance="" if finding.expected is None else expected_in_words(finding.expected, pairs),
        unjudged=text_runs(unjudged, names) if unjudged else (),
        expected=finding.expected,
        q_value=finding.q_value,
        score=finding.score,
        semantic=finding.semantic,
        verbatim=finding.verbatim,
        reason=text_runs(finding.reason, names),
        remarks=[text_runs(remark, names) for remark in remarks],
        first=first if finding.shares_something else None,
        left=sides[0],
        right=sides[1],
        decision=decision.decision if decision else "open",
        decided=decision is not None,
        decided_at=decision.decided_at if decision else "",
        decided_because=text_runs(decision.reason, names) if decision else (),
        decided_number=decision.number if decision else 0,
    )


def side_view(
    answer: Answer,
    highlights: Sequence[Highlight] = (),
    names: Pseudonyms | None = None,
    other: Answer | None = None,
) -> SideView:
    """Return the view of an answer, with its time relative to that of another one, if given."""
    time = answer.submitted_at or ""
    return SideView(
        answer=answer_name(answer.id, names),
        author=author_name(answer.author, names) if answer.author else None,
        time=time_in_words(time),
        segments=segments(answer.text, highlights, names),
        locale=locale_of(answer.text, answer.language),
        apart=time_apart_in_words(time, other.submitted_at or "") if other else "",
    )


def column_views(answer: Answer, names: Pseudonyms | None = None) -> list[tuple[str, str]]:
    """Return the columns of an answer; with names left out, without those of people."""
    if not names or not names.replace:
        return list(answer.columns.items())
    return [
        (names.replace_in_message(column), names.replace_in_text(value))
        for column, value in answer.columns.items()
        if not holds_names(column)
    ]


# -- equal answers ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class EqualView:
    """A group of equal answers as it is displayed.

    Attributes:
        anchor: The id of its element in the page.
        heading: The number of its words.
        question: Their question; its text is empty if there is none.
        reason: The sentence that describes them.
        remarks: Other remarks, each a sentence.
        is_common: Whether so many authors wrote the words that they are a common phrase.
        is_finding: Whether each of the answers is a finding with another of them.
        first: The first answer.
        members: All answers, each with its author, if known.
        findings: The left and right answer of each finding among them, and its anchor in the page.
    """

    anchor: str
    heading: str
    question: Name
    reason: tuple[TextRun, ...]
    remarks: list[tuple[TextRun, ...]]
    is_common: bool
    is_finding: bool
    first: SideView
    members: list[tuple[Name, Name | None]]
    findings: list[tuple[Name, Name, str]]


def equal_views(result: PlagiarismResult, names: Pseudonyms | None = None) -> list[EqualView]:
    """Return the views of the groups of equal answers that were not dismissed."""
    anchors = {(f.left, f.right): f"finding-{n}" for n, f in enumerate(result.findings, 1)}
    return [
        EqualView(
            anchor=f"equal-{number}",
            heading=counted(
                group.words, unit_of(shared_words(result.texts[group.answers[0]].text))
            ),
            question=question_name(group.question, names),
            reason=text_runs(group.reason, names),
            remarks=[text_runs(remark, names) for remark in group.remarks],
            is_common=group.is_common,
            is_finding=group.is_finding,
            first=side_view(result.texts[group.answers[0]], (), names),
            members=[
                (answer_name(id_, names), author_name(author, names) if author else None)
                for id_, author in zip(group.answers, group.authors, strict=True)
            ],
            findings=[
                (answer_name(left, names), answer_name(right, names), anchors[left, right])
                for left, right in group.findings
            ],
        )
        for number, group in enumerate(result.equal, 1)
        if not result.is_dismissed(group)
    ]


# -- known sources ---------------------------------------------------------------------------------

EXCERPT_AROUND = 300  # characters of a source that are shown on each side of what is shared


@dataclass(frozen=True, slots=True)
class SourceView:
    """An answer that is near to a known source, as it is displayed.

    Attributes:
        anchor: The id of its element in the page.
        source: The name of the source.
        question: The question; its text is empty if there is none.
        verdict: The verdict of the finding.
        tone: The colour of the verdict's badge.
        facts: The strength and the odds, in a few words each.
        rank: The length of the bar beside them, a step of `chance.rank`; None for no bar.
        exact: `expected` and the q-value as numbers; empty if chance can't be judged.
        unjudged: Why chance can't be judged; empty if it can.
        reason: The sentence that says what was found.
        remarks: Other remarks, each a sentence.
        left: The answer.
        excerpt: What the source says around the passages.
        locale: How that is read.
    """

    anchor: str
    source: str
    question: Name
    verdict: str
    tone: str
    facts: list[str]
    rank: int | None
    exact: str
    unjudged: tuple[TextRun, ...]
    reason: tuple[TextRun, ...]
    remarks: list[tuple[TextRun, ...]]
    left: SideView
    excerpt: list[Segment]
    locale: Locale


def source_views(result: PlagiarismResult, names: Pseudonyms | None = None) -> list[SourceView]:
    """Return the views of the answers that are near to a known source."""
    views = []
    for number, finding in enumerate(result.sources, 1):
        anchor = f"source-{number}"
        text, passages = _excerpt(result.known_sources[finding.source].text, finding.passages)
        highlights = overlap_highlights(passages, "left", anchor)
        unjudged, remarks = split_remarks(finding)
        view = SourceView(
            anchor=anchor,
            source=finding.source,
            question=question_name(finding.question, names),
            verdict=finding.verdict,
            tone=TONES[finding.verdict],
            facts=chance_facts(finding),
            rank=rank(finding.expected),
            exact=exact_chance(finding),
            unjudged=text_runs(unjudged, names) if unjudged else (),
            reason=text_runs(finding.reason, names),
            remarks=[text_runs(remark, names) for remark in remarks],
            left=side_view(result.texts[finding.answer], highlights, names),
            excerpt=segments(text, overlap_highlights(passages, "right", anchor), names),
            locale=locale_of(text, finding.language),
        )
        views.append(view)
    return views


def source_group_views(
    result: PlagiarismResult, names: Pseudonyms | None = None
) -> list[tuple[tuple[TextRun, ...], list[tuple[Name, str]]]]:
    """Return for each group its reason, and its answers with the anchors of their findings."""
    anchors = {(f.answer, f.source): f"source-{n}" for n, f in enumerate(result.sources, 1)}
    return [
        (
            text_runs(group.reason, names),
            [(answer_name(id_, names), anchors[id_, group.source]) for id_ in group.answers],
        )
        for group in result.source_groups
    ]


def _excerpt(text: str, passages: Sequence[Overlap]) -> tuple[str, list[Overlap]]:
    """Return the parts of a source around the passages, and these with their offsets in there."""
    windows: list[tuple[int, int]] = []
    for start, end in sorted(passage.right for passage in passages):
        first, last = max(0, start - EXCERPT_AROUND), min(len(text), end + EXCERPT_AROUND)
        if windows and first <= windows[-1][1]:
            first, last = windows[-1][0], max(last, windows.pop()[1])
        windows.append((first, last))
    excerpt, moved = "", {}
    for first, last in windows:
        excerpt += "… " if first else ""
        shift = len(excerpt) - first
        excerpt += text[first:last] + (" …\n" if last < len(text) else "")
        for n, passage in enumerate(passages):
            start, end = passage.right
            if first <= start and end <= last:
                moved[n] = replace(passage, right=(start + shift, end + shift))
    return excerpt, [moved[n] for n in sorted(moved)]
