"""What plagiarism finding takes and returns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, get_args

from searchkit.core.errors import BadInput, check_choice
from searchkit.core.messages import Message, counted
from searchkit.core.records import Answer, By
from searchkit.core.results import Record, Results, Table, html_table
from searchkit.core.where import EVERYTHING, Where
from searchkit.sources.known import check_known_sources

if TYPE_CHECKING:
    from searchkit.index.base import BaseIndex
    from searchkit.index.records import Decision, DecisionStatus


@dataclass(frozen=True, slots=True)
class Overlap(Record):
    """A passage of one answer and the passage of another that says the same.

    Attributes:
        left: The start and end offsets in the left answer's text.
        right: The start and end offsets in the right answer's text.
        kind: `verbatim`: the same words; `reworded`: the same meaning.
        score: The cosine of both for `reworded`; 1 for `verbatim`.
    """

    left: tuple[int, int]
    right: tuple[int, int]
    kind: str
    score: float


MAX_EXPECTED = 0.05  # the default upper bound of `expected` for a pair to be reported
MAX_SENTENCES = 250_000  # that are embedded; with more, passages are compared in their place
NO_FINDING = "no finding"  # the verdict on two answers that are no more alike than others
VERDICTS = {
    "identical": "the same words, but for case, punctuation and hidden characters",
    "near copy": "most of the shorter answer's words, in long stretches that are the same",
    "light revision": "half of the words or more are kept, in short stretches or among others",
    "heavy revision": "fewer words are kept, but what is said is the same",
    "translated": "in another language, what is said is the same",
    "shared source": "a third answer, or a known source, explains what the two share",
    NO_FINDING: "no more than what others share, or nothing to read",
}
"""What each verdict means, the most serious one first: the order of ranks, colours and legends."""


CHANCE_UNKNOWN = "chance can't be judged here"


def chance_unknown(why: str) -> str:
    """Return the remark on a finding of which chance can't be judged."""
    return f"{CHANCE_UNKNOWN}: {why}"


@dataclass(frozen=True, slots=True)
class Finding(Record):
    """Two answers that are more alike than chance explains, with the evidence.

    Attributes:
        left: The id of the first of both answers, in order.
        right: The id of the other answer.
        question: The question that both answer; None if all answers were compared.
        verdict: `identical`, `near copy`, `light revision`, `heavy revision`, `translated` or
            `shared source`; from `compare` also `NO_FINDING`.
        score: The cosine of the two whole answers. Of programs the mean share of literals, and of
            short sequences of tokens, that is the same.
        semantic: The mean cosine of each sentence with the nearest one of the other answer; None
            for programs, of which no sentence vectors are compared.
        verbatim: The share of the shorter answer's words that the other has in the same order.
        expected: The number of pairs at least as much alike that are expected in this question by
            chance; None where chance can't be judged, which a remark gives the reason of.
        passages: What both share, in the order of the left answer.
        reason: One sentence that describes the evidence.
        remarks: What else a reader should know: hidden characters, a pooled or rough estimate.
        first: The id of the answer that was handed in first, if both times are known.
        q_value: The share of findings by chance that is to be expected among this one and those
            listed before it; None where chance can't be judged, or from `compare`.
    """

    left: str
    right: str
    question: str | None
    verdict: str
    score: float
    semantic: float | None
    verbatim: float
    expected: float | None
    passages: tuple[Overlap, ...]
    reason: str
    remarks: tuple[str, ...] = ()
    first: str | None = None
    q_value: float | None = None

    @property
    def shares_something(self) -> bool:
        """Whether both answers share anything that says who may have seen the other's."""
        return self.verdict != NO_FINDING or bool(self.passages)

    def rank(self) -> tuple[float, ...]:
        """Return what findings are sorted by: the least expected first, then the unjudged ones.

        Where chance can't be judged, the most serious verdict comes first, and then those who share
        the most words.
        """
        verdict = list(VERDICTS).index(self.verdict)
        if self.expected is None:
            return True, verdict, -self.verbatim, -self.score
        return False, self.expected, verdict, -self.score

    def listed_order(self) -> tuple[object, ...]:
        """Return what a list of findings is sorted by: their rank; equal ones by the ids."""
        return *self.rank(), self.left, self.right


@dataclass(frozen=True, slots=True)
class Ring(Record):
    """Authors whose answers are findings together, or with one source, in several questions.

    Attributes:
        authors: Their names, in order.
        questions: The questions of the findings, in order.
        findings: The (left, right) ids of the findings among these authors, and with the sources.
        expected: The number of pairs of authors with findings in so many questions that are
            expected by chance, for the most significant pair of the ring; None where chance can't
            be judged in any of the questions.
        reason: One sentence on what they share.
        sources: The ids of answers by others with which several of them are findings, where they
            are none with each other.
    """

    authors: tuple[str, ...]
    questions: tuple[str, ...]
    findings: tuple[tuple[str, str], ...]
    expected: float | None
    reason: str = ""
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EqualGroup(Record):
    """Answers by different authors to one question with the same words, something to look at.

    They are shown whether or not chance explains them, and whether or not they are findings.

    Attributes:
        question: The question; None if all answers were compared.
        answers: The ids, one for each author: the answer that counts, or else another attempt;
            earlier answers last.
        authors: The author of each of these answers; None where it is unknown.
        words: The number of words that are no boilerplate.
        nats: The information of the words: minus the log-probability that somebody who answers
            this question writes just them; None if it is unknown.
        share: The share of the question's authors who wrote these words, 0 to 1.
        is_common: Whether so many authors wrote them that they are a common phrase: at least a
            tenth of the question's authors, and three.
        findings: The (left, right) ids of the pairs among them that are findings, too.
        reason: One sentence that describes them.
        remarks: What else a reader should know: hidden characters, other attempts, earlier answers.
    """

    question: str | None
    answers: tuple[str, ...]
    authors: tuple[str | None, ...]
    words: int
    nats: float | None
    share: float
    is_common: bool
    findings: tuple[tuple[str, str], ...]
    reason: str
    remarks: tuple[str, ...] = ()

    @property
    def is_finding(self) -> bool:
        """Whether each of the answers is a finding with another of them."""
        return {id_ for pair in self.findings for id_ in pair} == set(self.answers)


@dataclass(frozen=True, slots=True)
class SourceFinding(Record):
    """An answer that is nearer to a known source than chance explains, with the evidence.

    Attributes:
        answer: The id of the answer.
        source: The name of the source: that of its file, or the id of its row.
        author: Who wrote the answer, if known.
        question: The question that is answered; None if all answers were compared.
        verdict: As of two answers.
        verbatim: The share of the shorter text's words that the other has in the same order.
        expected: The number of pairs of an answer to this question and a source, at least as near,
            that are expected by chance; None where chance can't be judged.
        passages: What both share; on the left that of the answer, on the right that of the source.
        reason: One sentence that describes the evidence.
        remarks: What else a reader should know.
        q_value: The share of findings by chance that is to be expected among this one and those
            listed before it, of those with a source; None where chance can't be judged.
        language: The code of the language of the source; `und` if it can't be told.
    """

    answer: str
    source: str
    author: str | None
    question: str | None
    verdict: str
    verbatim: float
    expected: float | None
    passages: tuple[Overlap, ...]
    reason: str
    remarks: tuple[str, ...] = ()
    q_value: float | None = None
    language: str | None = None

    def rank(self) -> tuple[Any, ...]:
        """Return what they are sorted by: the least expected first, then the unjudged ones."""
        verdict = list(VERDICTS).index(self.verdict)
        is_unjudged = self.expected is None
        return is_unjudged, self.expected or 0, verdict, -self.verbatim, self.answer, self.source


@dataclass(frozen=True, slots=True)
class SourceGroup(Record):
    """Several students whose answers are findings with one known source.

    Attributes:
        source: The name of the source.
        answers: The ids of their answers, the strongest finding first.
        authors: The author of each of these answers; None where it is unknown.
        questions: The questions of the answers, in order.
        expected: That of the strongest finding; None where chance can't be judged in any.
        reason: One sentence that describes them.
    """

    source: str
    answers: tuple[str, ...]
    authors: tuple[str | None, ...]
    questions: tuple[str, ...]
    expected: float | None
    reason: str


@dataclass(frozen=True, slots=True)
class PlagiarismResult(Table):
    """The findings of `find_plagiarism`.

    Attributes:
        findings: Most significant first; then those of which chance can't be judged, the ones who
            share most first; equal ones by the ids.
        rings: Authors with findings in several questions, in the same order.
        answers: The number of answers that were compared.
        short: The number of answers that were too short to be compared.
        pairs: The number of pairs of answers by different authors.
        questions: The number of questions, each of which was compared within itself.
        pooled: The questions with few answers, which were judged together.
        by_passages: Whether passages were compared in place of sentences, of which there were too
            many.
        texts: The answers of the findings and of `equal`, by id.
        decisions: The decisions of people about pairs that still apply, by the pair's ids.
        drafts: The number of answers that were compared though another attempt of their author
            counts; they are not in `answers` and `pairs`.
        by_chance: The number of findings, where chance can be judged, that are to be expected if
            nobody copied; with `fdr` the highest number of those in this list.
        equal: Answers with the same words, which are no findings by that alone.
        sources: Answers that are nearer to a known source than chance explains, as `findings` are
            ordered.
        source_groups: Several students at one source.
        known_sources: The known sources, by name.
        across: One line on the pairs of answers in two languages; empty if there are none.
        questions_left: The number of questions that aren't compared yet: then all else is about
            the others, and there are no q-values, rings, equal answers and `by_chance`.
    """

    findings: Results[Finding]
    rings: Results[Ring]
    answers: int
    short: int
    pairs: int
    questions: int
    pooled: list[str]
    by_passages: bool
    texts: dict[str, Answer]
    decisions: dict[tuple[str, str], Decision] = field(default_factory=dict)
    drafts: int = 0
    by_chance: float = 0.0
    equal: Results[EqualGroup] = field(default_factory=Results)
    sources: Results[SourceFinding] = field(default_factory=Results)
    source_groups: Results[SourceGroup] = field(default_factory=Results)
    known_sources: dict[str, Answer] = field(default_factory=dict)
    questions_left: int = 0
    across: str = ""

    def decision_about(self, one: str, other: str) -> Decision | None:
        """Return a person's decision about two answers, in any order; None if none applies."""
        return self.decisions.get((min(one, other), max(one, other)))

    def decision(self, finding: Finding) -> DecisionStatus:
        """Return a person's decision about a finding; `open` if none still applies."""
        decision = self.decision_about(finding.left, finding.right)
        return decision.decision if decision else "open"

    def unjudged_questions(self) -> list[str | None]:
        """Return the questions with findings of which chance can't be judged, in order."""
        questions = {f.question for f in self.findings if f.expected is None}
        return sorted(questions, key=lambda question: question or "")

    def is_dismissed(self, group: EqualGroup) -> bool:
        """Return whether a person dismissed each of these answers, as a pair with another.

        A pair among them that was confirmed, or of which the student is to be asked, keeps them.
        """
        made = {
            pair: decision.decision
            for pair, decision in self.decisions.items()
            if set(pair) <= set(group.answers)
        }
        decided = {id_ for pair in made for id_ in pair}
        return set(made.values()) == {"dismissed"} and decided == set(group.answers)

    def explain_absence(self) -> str:
        """Return why there are no findings; for a result that has none."""
        if self.pairs:
            return "no pair is more alike than chance explains"
        if self.questions > 1:
            why = f"each of the {self.questions:,} questions has only one author"
            if self.short:
                why = (
                    f"{counted(self.short, 'answer')} too short to tell, and no question has two "
                    "longer ones by different authors"
                )
            return (
                f"nothing was compared: {why}; if people were taken for questions, ingest the "
                "files again with --folder-is author or --author-column"
            )
        return "no pair of answers was compared"

    def iter_records(self) -> Iterator[dict[str, Any]]:
        """Yield the fields of each finding, and its decision."""
        for finding in self.findings:
            yield finding.to_record() | {"decision": self.decision(finding)}

    def to_record(self) -> dict[str, Any]:
        """Return findings, rings, their number by chance and equal answers as one JSON object."""
        return {
            "findings": self.to_records(),
            "rings": self.rings.to_records(),
            "by_chance": self.by_chance,
            "equal": self.equal.to_records(),
            "sources": self.sources.to_records(),
            "source_groups": self.source_groups.to_records(),
            "across": self.across,
        }


@dataclass(frozen=True, slots=True)
class Comparison(Record):
    """Two answers that `compare` compared.

    Attributes:
        finding: The evidence; not significant where `expected` is high.
        left: The finding's left answer.
        right: The finding's right answer.
        pairs: The number of pairs of answers that `expected` refers to.
        decision: A person's decision about the two, if it still applies.
    """

    finding: Finding
    left: Answer
    right: Answer
    pairs: int
    decision: Decision | None = None

    def to_record(self) -> dict[str, Any]:
        """Return the fields of the finding, and its decision."""
        decision = self.decision.decision if self.decision else "open"
        return self.finding.to_record() | {"decision": decision}

    def _repr_html_(self) -> str:
        """Return the shared passages of both answers beside each other, as an HTML table."""
        finding = self.finding
        return html_table(
            {
                "kind": passage.kind,
                f"{finding.left} (left)": self.left.text[slice(*passage.left)],
                f"{finding.right} (right)": self.right.text[slice(*passage.right)],
                "score": passage.score,
            }
            for passage in finding.passages
        )


@dataclass(frozen=True, slots=True)
class PlagiarismOptions:
    """What is compared, and what counts as a finding.

    Attributes:
        by: `question`: within each question; `all`: over all answers. None: within questions if
            there are any.
        where: A finding has at least one answer that passes this filter; it is judged against all
            answers to its question.
        template: Text that was handed out, and may be in every answer.
        against: An index of earlier answers, made with the same model. They are compared with the
            new ones, but not with each other.
        max_expected: Upper bound of `expected` for a pair to be reported.
        max_common: The number of answers to a question above which a sequence of words that they
            share is no evidence; None: half of the answers, at least 5.
        max_sentences: The number of sentences above which passages are compared in their place.
        reference_was_given: Whether the answers of an author `reference` were handed out, too, so
            that sharing them is no evidence.
        fdr: Upper bound of a finding's q-value, in place of `max_expected`; None for that bound.
        sources: Known sources, from `read_known_sources`: texts that students may have taken from.
            One whose question is asked here is compared with the answers to that one only.

    Raises:
        BadInput: if a number is out of range, or a source has no text or no id of its own.
    """

    by: By | None = None
    where: Where = EVERYTHING
    template: str = ""
    against: BaseIndex | None = None
    max_expected: float = MAX_EXPECTED
    max_common: int | None = None
    max_sentences: int = MAX_SENTENCES
    reference_was_given: bool = False
    fdr: float | None = None
    sources: tuple[Answer, ...] = ()

    def __post_init__(self) -> None:
        check_choice("by", self.by, (None, *get_args(By)))
        check_known_sources(self.sources)
        if not self.max_expected >= 0:
            raise BadInput(
                Message("`max_expected` must be 0 or more, not {number}", number=self.max_expected)
            )
        if self.fdr is not None and not 0 < self.fdr <= 1:
            raise BadInput(
                Message("`fdr` must be more than 0 and at most 1, not {number}", number=self.fdr)
            )
        if self.max_common is not None and self.max_common < 2:
            raise BadInput(
                Message("`max_common` must be 2 or more, not {number}", number=self.max_common)
            )
