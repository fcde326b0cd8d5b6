"""How far questions are graded, and what was written about their answers so far."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from searchkit.core.records import Answer
from searchkit.core.results import Record
from searchkit.core.where import Where
from searchkit.grading.marking.settings import ChosenSettings, Settings, usual_settings
from searchkit.index.base import BaseIndex

MAX_COMMENTS = 100  # in the bank of earlier comments


@dataclass(frozen=True, slots=True)
class Progress(Record):
    """How far a question is graded, in numbers of answers; references don't count.

    Attributes:
        answers: All answers; of an author's attempts, the latest.
        graded: Those with a mark.
        suggested: Those without a mark that one is suggested for.
        unread: The others.
    """

    answers: int
    graded: int
    suggested: int

    @property
    def unread(self) -> int:
        """The number of answers without a mark that none is suggested for."""
        return self.answers - self.graded - self.suggested

    @property
    def finished(self) -> bool:
        """Whether all answers have a mark."""
        return 0 < self.answers == self.graded

    def to_record(self) -> dict[str, int | bool]:
        """Return all numbers by name, and whether the question is finished."""
        return {
            "answers": self.answers,
            "graded": self.graded,
            "suggested": self.suggested,
            "unread": self.unread,
            "finished": self.finished,
        }


def count_progress(
    answers: Iterable[Answer], settings: ChosenSettings, suggested: Collection[str] = ()
) -> Progress:
    """Return how far a question is graded.

    Args:
        answers: Its answers, without references.
        settings: Its settings.
        suggested: The ids of answers that a mark is suggested for.
    """
    has_mark = {answer.id: bool(settings.mark_of(answer)) for answer in answers}
    graded = sum(has_mark.values())
    left = sum(id_ in has_mark and not has_mark[id_] for id_ in suggested)
    return Progress(len(has_mark), graded, left)


def progress_by_question(
    index: BaseIndex, suggested: Mapping[str, Collection[str]] | None = None
) -> dict[str, Progress]:
    """Return how far each question is graded; answers without a question have the empty name.

    Args:
        index: Open for reading or writing.
        suggested: The ids of answers that a mark is suggested for, by question.
    """
    by_question: defaultdict[str, list[Answer]] = defaultdict(list)
    for answer in index.answers(Where(attempts="latest")):
        if not answer.is_reference:
            by_question[answer.question or ""].append(answer)
    stored = index.grading.settings() if index.grading else {}
    usual = usual_settings(stored)
    return {
        question: count_progress(
            answers,
            Settings.from_json(stored.get(question), question).resolve(answers, usual=usual),
            (suggested or {}).get(question, ()),
        )
        for question, answers in by_question.items()
    }


def comment_bank(answers: Iterable[Answer], settings: ChosenSettings) -> list[str]:
    """Return the comments on a question's answers, most used first."""
    comments = Counter(comment for a in answers if (comment := settings.comment_of(a).strip()))
    return [comment for comment, _ in comments.most_common(MAX_COMMENTS)]
