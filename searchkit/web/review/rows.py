"""The rows of the table of findings: what they show, which pass a filter, and in which order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from searchkit.core.identity import author_key
from searchkit.core.names import natural_order
from searchkit.core.records import Answer
from searchkit.index.records import DECISION_WORDS
from searchkit.output.plagiarism.chance import UNJUDGED, odds, rank, strength
from searchkit.pages.pseudonyms import Pseudonyms
from searchkit.pages.segments import answer_name, author_name, question_name
from searchkit.pages.views import TONES
from searchkit.plagiarism.records import VERDICTS, Finding, PlagiarismResult
from searchkit.text.times import read_times, time_in_words
from searchkit.web.review.filters import ReviewAddress

SORTED_VERDICTS, SORTED_DECISIONS = list(VERDICTS), list(DECISION_WORDS)
Counts = list[tuple[str, int]]


@dataclass(frozen=True, slots=True)
class FindingRow:
    """A finding as the table lists it; names are those that are displayed.

    Attributes:
        number: Its number among all findings, from 1, the strongest first.
        left: Its left answer.
        right: Its right answer.
        question: Its question; empty if there is none.
        verdict: Its verdict.
        tone: The colour of the verdict's badge.
        authors: The authors of both answers; the answer itself where its author is unknown.
        strength: How strong the evidence is, in words.
        odds: Its odds; empty if chance can't be judged.
        rank: The length of the bar beside them, a step of `chance.rank`; None for no bar.
        score: The similarity of the whole answers.
        handed_in: When the later of both answers was handed in; empty if that is unknown.
        time: The same as ISO 8601 in UTC.
        decision: What was decided about it.
    """

    number: int
    left: str
    right: str
    question: str
    verdict: str
    tone: str
    authors: tuple[str, str]
    strength: str
    odds: str
    rank: int | None
    score: float
    handed_in: str
    time: str
    decision: str

    @property
    def anchor(self) -> str:
        """The id of its row in the page."""
        return f"row-{self.number}"

    def passes(self, address: ReviewAddress, matching: Collection[int] | None) -> bool:
        """Whether the row is listed; `matching` has the numbers of those with the text."""
        return (
            address.question in (None, self.question)
            and (not address.author or address.author in self.authors)
            and (not address.verdicts or self.verdict in address.verdicts)
            and (not address.decisions or self.decision in address.decisions)
            and (matching is None or self.number in matching)
        )


@dataclass(frozen=True, slots=True)
class FindingsTable:
    """All findings as rows, and what they can be filtered by.

    Attributes:
        rows: All of them, in the order of the list.
        listed: The numbers of those that pass the filter.
        questions: The questions with findings in order, with their numbers of findings.
        authors: The authors with findings, likewise.
        author: The author whose findings are listed, as spelt in the rows; None for all.
        verdicts: Numbers of findings by verdict, among those that pass all other filters.
        decisions: Numbers of findings by decision, among all.
    """

    rows: list[FindingRow]
    listed: set[int]
    questions: Counts
    authors: Counts
    author: str | None
    verdicts: Counter[str]
    decisions: Counter[str]

    @property
    def has_times(self) -> bool:
        """Whether it is known of any finding when it was handed in."""
        return any(row.time for row in self.rows)

    @property
    def all_verdicts(self) -> set[str]:
        """The verdicts of all findings."""
        return {row.verdict for row in self.rows}

    @property
    def places(self) -> list[FindingRow]:
        """The rows that are listed, in order: the queue."""
        return [row for row in self.rows if row.number in self.listed]

    def find(self, left: str | None, right: str | None) -> FindingRow | None:
        """Return the row of a finding, whether or not it is listed; None if there is none."""
        return next((row for row in self.rows if (row.left, row.right) == (left, right)), None)

    def first_to_decide(self) -> FindingRow | None:
        """Return the first row of the list that is open, or else its first row."""
        rows = self.places
        return next((row for row in rows if row.decision == "open"), rows[0] if rows else None)


def findings_table(
    result: PlagiarismResult, address: ReviewAddress, names: Pseudonyms | None
) -> FindingsTable:
    """Return the table of all findings for an address, in which names are as displayed."""
    rows = finding_rows(result, names)
    questions = Counter(row.question for row in rows)
    authors = Counter(author for row in rows for author in set(row.authors))
    if address.author:  # as it is spelt here
        key = author_key(address.author)
        spelling = next((name for name in authors if author_key(name) == key), address.author)
        address = address.model_copy(update={"author": spelling})
    matching = matching_numbers(result, rows, address.text)
    any_verdict = address.model_copy(update={"verdict": ""})
    in_question_order = sorted(questions.items(), key=lambda pair: natural_order(pair[0]))
    in_author_order = sorted(authors.items(), key=lambda pair: natural_order(pair[0]))
    return FindingsTable(
        rows=sorted_rows(
            rows,
            address.sort,
            [name for name, _ in in_question_order],
            [name for name, _ in in_author_order],
        ),
        listed={row.number for row in rows if row.passes(address, matching)},
        questions=in_question_order,
        authors=in_author_order,
        author=address.author,
        verdicts=Counter(row.verdict for row in rows if row.passes(any_verdict, matching)),
        decisions=Counter(row.decision for row in rows),
    )


def finding_rows(result: PlagiarismResult, names: Pseudonyms | None) -> list[FindingRow]:
    """Return a row for each finding, in the order of the result."""
    spellings: dict[str, str] = {}  # of each author, the first: one person is written in two ways
    return [
        _row(number, finding, result, names, spellings)
        for number, finding in enumerate(result.findings, 1)
    ]


def _row(
    number: int,
    finding: Finding,
    result: PlagiarismResult,
    names: Pseudonyms | None,
    spellings: dict[str, str],
) -> FindingRow:
    left, right = result.texts[finding.left], result.texts[finding.right]
    one, other = (_person(answer, names, spellings) for answer in (left, right))
    handed_in, time = _later_time(left, right)
    return FindingRow(
        number=number,
        left=answer_name(finding.left, names).text,
        right=answer_name(finding.right, names).text,
        question=question_name(finding.question, names).text,
        verdict=finding.verdict,
        tone=TONES[finding.verdict],
        authors=(one, other),
        strength=UNJUDGED if finding.expected is None else strength(finding.expected),
        odds="" if finding.expected is None else odds(finding.expected),
        rank=rank(finding.expected),
        score=finding.score,
        handed_in=handed_in,
        time=time,
        decision=result.decision(finding),
    )


def _person(answer: Answer, names: Pseudonyms | None, spellings: dict[str, str]) -> str:
    if not answer.author:
        return answer_name(answer.id, names).text
    name = spellings.setdefault(author_key(answer.author) or answer.author, answer.author)
    return author_name(name, names).text


def _later_time(left: Answer, right: Answer) -> tuple[str, str]:
    """Return when the later one was handed in, in words, and as ISO 8601."""
    times = read_times((left.submitted_at, right.submitted_at))
    if times is None:
        return "", ""
    later = left if times[0] > times[1] else right
    time = _in_utc(max(times)).isoformat(timespec="minutes")
    return time_in_words(later.submitted_at or ""), time


def _in_utc(time: datetime) -> datetime:
    return time.astimezone(UTC).replace(tzinfo=None) if time.tzinfo else time


def matching_numbers(
    result: PlagiarismResult, rows: Sequence[FindingRow], text: str
) -> set[int] | None:
    """Return the numbers of the findings in which each word of a text occurs; None for no words.

    They are looked for in any case, as parts of words, in what the row shows, in both answers and
    in the note of the decision.
    """
    words = text.casefold().split()
    if not words:
        return None
    return {
        row.number
        for row, finding in zip(rows, result.findings, strict=True)
        if _has_words(words, _searched_texts(row, finding, result))
    }


def _searched_texts(row: FindingRow, finding: Finding, result: PlagiarismResult) -> list[str]:
    decision = result.decision_about(finding.left, finding.right)
    shown = (row.left, row.right, *row.authors, row.question, row.verdict)
    texts = (result.texts[finding.left].text, result.texts[finding.right].text)
    return [*shown, *texts, decision.reason if decision else ""]


def _has_words(words: Sequence[str], texts: Sequence[str]) -> bool:
    folded = "\n".join(texts).casefold()
    return all(word in folded for word in words)


def sorted_rows(
    rows: Sequence[FindingRow], sort: str, questions: Sequence[str], authors: Sequence[str]
) -> list[FindingRow]:
    """Return rows in the order of a column, with `-` before its name the last one first.

    Equal ones stay in their order, and those without a time come last.

    Args:
        rows: The rows, the strongest first.
        sort: The column, a `SortColumn`.
        questions: All questions, in order.
        authors: All authors, in order.
    """
    place = {name: n for n, name in enumerate(authors)}
    question_place = {name: n for n, name in enumerate(questions)}
    keys = {
        "strength": lambda row: row.number,
        "question": lambda row: question_place[row.question],
        "verdict": lambda row: SORTED_VERDICTS.index(row.verdict),
        "author": lambda row: sorted(place.get(name, len(place)) for name in row.authors),
        "time": lambda row: row.time,
        "decision": lambda row: SORTED_DECISIONS.index(row.decision),
    }
    column = sort.removeprefix("-")
    ordered = sorted(rows, key=keys[column], reverse=sort.startswith("-"))
    return ordered if column != "time" else sorted(ordered, key=lambda row: not row.time)
