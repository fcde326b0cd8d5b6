"""What pages show of groups of students, and of the pairs in them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from searchkit.core.identity import author_key
from searchkit.core.messages import counted
from searchkit.core.records import Answer
from searchkit.output.plagiarism.chance import chance_facts, odds, ring_expected_in_words
from searchkit.pages.groups.graph import (
    GraphView,
    graph_view,
    group_colour,
    network_layout,
)
from searchkit.pages.groups.matrix import MatrixView, Strength, matrix_view, strength_of
from searchkit.pages.groups.pairs import Meeting, StudentPair, ring_pairs, spellings
from searchkit.pages.pseudonyms import Pseudonyms
from searchkit.pages.segments import (
    Name,
    TextRun,
    answer_name,
    author_name,
    question_name,
    text_runs,
)
from searchkit.plagiarism.records import Finding, Ring

MIN_MATRIX = 3  # students of a group with a matrix; that of two has one cell
NO_QUESTION = "(no question)"


@dataclass(frozen=True, slots=True)
class MeetingView:
    """A finding of two students, as a link.

    Attributes:
        question: The question.
        left: The left answer.
        right: The right answer.
        anchor: The id of the finding's element in the page, if it is there.
        strength: How strong it is.
        facts: The strength in words, and the odds.
        has_source: Whether it is a finding of one of both with a third answer that they share.
    """

    question: Name
    left: Name
    right: Name
    anchor: str
    strength: Strength
    facts: str
    has_source: bool


@dataclass(frozen=True, slots=True)
class PairView:
    """Two students and their findings, the strongest first."""

    anchor: str
    one: Name
    other: Name
    group: int
    colour: int
    meetings: list[MeetingView]

    @property
    def strongest(self) -> MeetingView:
        """The strongest finding."""
        return self.meetings[0]


@dataclass(frozen=True, slots=True)
class GroupView:
    """A group of students.

    Attributes:
        number: Its number, the strongest group first.
        colour: The number of its colour.
        anchor: The id of its element.
        students: Their names.
        reason: A sentence on what they share.
        words: How many findings there are, and how many pairs there would be by chance.
        facts: The strength and the odds of its strongest pair.
        strength: The strength of its strongest pair.
        questions: The number of questions.
        findings: The number of its findings.
    """

    number: int
    colour: int
    anchor: str
    students: list[Name]
    reason: tuple[TextRun, ...]
    words: str
    facts: str
    strength: Strength
    questions: int
    findings: int


@dataclass(frozen=True, slots=True)
class GroupDetails:
    """A group with its graph, its matrix (None if it has two students), and its pairs."""

    group: GroupView
    graph: GraphView
    matrix: MatrixView | None
    pairs: list[PairView]


def group_numbers(rings: Iterable[Ring]) -> dict[str, int]:
    """Return the number of each student's group, by the student's key."""
    return {
        author_key(author) or "": number
        for number, ring in enumerate(rings, 1)
        for author in ring.authors
    }


def displayed_names(spelled: Mapping[str, str], names: Pseudonyms | None = None) -> dict[str, Name]:
    """Return the name of each student as it is displayed, by key."""
    return {key: author_name(name, names) for key, name in spelled.items()}


def group_view(ring: Ring, number: int, names: Pseudonyms | None = None) -> GroupView:
    """Return a group as lists show it."""
    return GroupView(
        number=number,
        colour=group_colour(number),
        anchor=f"group-{number}",
        students=[author_name(author, names) for author in ring.authors],
        reason=text_runs(ring.reason, names),
        words=(
            f"{counted(len(ring.findings), 'finding')} among {len(ring.authors):,} students"
            f"{_and_sources(ring)}, in {counted(len(ring.questions), 'question')}. "
            f"{ring_expected_in_words(ring.expected)}"
        ),
        facts=" · ".join(chance_facts(ring)),
        strength=strength_of(ring.expected),
        questions=len(ring.questions),
        findings=len(ring.findings),
    )


def group_details(
    ring: Ring,
    findings: Sequence[Finding],
    answers: Mapping[str, Answer],
    *,
    number: int = 1,
    anchors: Mapping[tuple[str, str], str] | None = None,
    names: Pseudonyms | None = None,
) -> GroupDetails:
    """Return a group with its graph, matrix and pairs.

    Args:
        ring: The group.
        findings: All findings.
        answers: The answers of the findings, by id.
        number: The number of the group.
        anchors: The id of each finding's element in the page, by its (left, right) ids.
        names: Pseudonyms, if names can be hidden.
    """
    pairs = ring_pairs(ring, findings, answers)
    spelled = spellings([ring], ())
    shown = displayed_names(spelled, names)
    numbers = dict.fromkeys(shown, number)
    views = pair_views(
        pairs, shown, numbers, prefix=f"group-{number}-", anchors=anchors, names=names
    )
    rows = {(p.one, p.other): view.anchor for p, view in zip(pairs, views, strict=True)}
    keys = [author_key(author) or "" for author in ring.authors]
    matrix = matrix_view(keys, pairs, shown, lambda q: _question(q, names), rows)
    return GroupDetails(
        group_view(ring, number, names),
        graph_view(pairs, network_layout(pairs, spelled, numbers), shown, numbers),
        matrix if len(keys) >= MIN_MATRIX else None,
        views,
    )


def pair_views(
    pairs: Sequence[StudentPair],
    students: Mapping[str, Name],
    groups: Mapping[str, int],
    *,
    prefix: str = "",
    anchors: Mapping[tuple[str, str], str] | None = None,
    names: Pseudonyms | None = None,
) -> list[PairView]:
    """Return pairs of students as lists show them.

    Args:
        pairs: The pairs.
        students: The name of each student as it is displayed, by key.
        groups: The number of each student's group, by key.
        prefix: Of the ids of their rows.
        anchors: The id of each finding's element in the page, by its (left, right) ids.
        names: Pseudonyms, if names can be hidden.
    """
    views = []
    for number, pair in enumerate(pairs, 1):
        group = groups.get(pair.one, 0)
        group = group if group == groups.get(pair.other, 0) else 0
        views.append(
            PairView(
                f"{prefix}pair-{number}",
                students[pair.one],
                students[pair.other],
                group,
                group_colour(group),
                [_meeting_view(meeting, anchors or {}, names) for meeting in pair.meetings],
            )
        )
    return views


def _meeting_view(
    meeting: Meeting, anchors: Mapping[tuple[str, str], str], names: Pseudonyms | None
) -> MeetingView:
    finding = meeting.finding
    strength = strength_of(finding.expected)
    facts = [strength.word] if finding.expected is None else [strength.word, odds(finding.expected)]
    return MeetingView(
        _question(finding.question, names),
        answer_name(finding.left, names),
        answer_name(finding.right, names),
        anchors.get((finding.left, finding.right), ""),
        strength,
        " · ".join(facts),
        meeting.has_source,
    )


def _question(question: str | None, names: Pseudonyms | None) -> Name:
    return question_name(question or NO_QUESTION, names)


def _and_sources(ring: Ring) -> str:
    return f" and with {counted(len(ring.sources), 'shared source')}" if ring.sources else ""
