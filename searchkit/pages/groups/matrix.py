"""The matrix of a group: for each two of its students in which questions, and how strong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from searchkit.core.messages import counted
from searchkit.output.plagiarism.chance import STRENGTHS, UNJUDGED, WEAK, odds, rank, strength
from searchkit.pages.groups.pairs import StudentPair
from searchkit.pages.segments import Name

MAX_STUDENTS = 30  # of a matrix; of a larger group those with the most findings
MAX_NAMED_STUDENTS = 8  # of a matrix whose cells name questions; in a larger one they count them
MAX_NAMES_LENGTH = 28  # characters of the questions that a cell names
LEVELS = len(STRENGTHS) + 1


@dataclass(frozen=True, slots=True)
class Strength:
    """How strong a finding is.

    Attributes:
        level: A number of dots out of `LEVELS`; 0 where chance can't be judged.
        word: The same as a word.
        rank: The length of a bar, which is finer: a step of `chance.rank`; None for no bar.
    """

    level: int
    word: str
    rank: int | None

    @property
    def dots(self) -> str:
        """Filled and empty dots; a question mark where chance can't be judged."""
        return "●" * self.level + "○" * (LEVELS - self.level) if self.level else "?"


@dataclass(frozen=True, slots=True)
class Cell:
    """What two students share.

    Attributes:
        strength: That of their strongest finding.
        questions: The names of the questions; none if there are too many to be named.
        summary: The number of questions.
        anchor: The id of the pair's row in the list of pairs.
    """

    strength: Strength
    questions: list[Name]
    summary: str
    anchor: str


@dataclass(frozen=True, slots=True)
class MatrixView:
    """The lower half of a matrix: the first row has one cell, that with the first column.

    Attributes:
        columns: The students of the columns: all but the last.
        rows: Each student but the first, with a cell for each one before; None where the two were
            not found together.
        left_out: The number of students that are left out.
    """

    columns: list[Name]
    rows: list[tuple[Name, list[Cell | None]]]
    left_out: int


def strength_of(expected: float | None) -> Strength:
    """Return how strong a finding is."""
    if expected is None:
        return Strength(0, UNJUDGED, None)
    level = 1 + sum(expected < bound for bound in STRENGTHS)
    return Strength(level, strength(expected), rank(expected))


def strength_legend() -> list[tuple[str, str, str]]:
    """Return the word, the dots and the odds of each strength, the weakest first."""
    weakest = max(STRENGTHS)
    steps = [(WEAK, strength_of(weakest), f"{odds(weakest)} or more often")]
    for bound, word in sorted(STRENGTHS.items(), reverse=True):
        steps.append((word, strength_of(bound / 2), f"rarer than {odds(bound)}"))
    return [(word, level.dots, chance) for word, level, chance in steps]


def matrix_view(
    keys: Sequence[str],
    pairs: Sequence[StudentPair],
    names: Mapping[str, Name],
    question_name: Callable[[str | None], Name],
    anchors: Mapping[tuple[str, str], str],
) -> MatrixView:
    """Return the matrix of a group.

    Args:
        keys: Its students, in order.
        pairs: Its pairs.
        names: The name of each student as it is displayed, by key.
        question_name: Returns a question's name as it is displayed.
        anchors: The id of each pair's row, by the keys of both.
    """
    by_keys = {(pair.one, pair.other): pair for pair in pairs}
    often = Counter(key for pair in pairs for key in (pair.one, pair.other) for _ in pair.meetings)
    chosen = set(sorted(keys, key=lambda key: (-often[key], key))[:MAX_STUDENTS])
    shown = [key for key in keys if key in chosen]
    are_named = len(shown) <= MAX_NAMED_STUDENTS

    def cell(one: str, other: str) -> Cell | None:
        both = min(one, other), max(one, other)
        pair = by_keys.get(both)
        if pair is None:
            return None
        questions = sorted({meeting.finding.question or "" for meeting in pair.meetings})
        named = [question_name(question or None) for question in questions]
        length = sum(max(len(name.text), len(name.alias)) + 2 for name in named)
        return Cell(
            strength_of(pair.expected),
            named if are_named and length <= MAX_NAMES_LENGTH else [],
            counted(len(questions), "question"),
            anchors.get(both, ""),
        )

    return MatrixView(
        [names[key] for key in shown[:-1]],
        [(names[row], [cell(row, column) for column in shown[:n]]) for n, row in enumerate(shown)][
            1:
        ],
        len(keys) - len(shown),
    )
