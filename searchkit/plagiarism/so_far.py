"""What a search for plagiarism has found so far, for other threads that ask while it runs.

A question's findings don't depend on the other questions, unless it has few answers. So those of a
finished question are final. What is of all questions together comes with the whole result:
q-values, how many findings there would be by chance, rings, equal answers, known sources.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

from searchkit.core.progress import Progress
from searchkit.core.results import Results
from searchkit.plagiarism.preparation import QuestionAnswers
from searchkit.plagiarism.records import Finding, PlagiarismResult

# Seconds, until they are measured: for a sentence that is embedded, and for a question's pair.
SENTENCE_SECONDS, PAIR_SECONDS = 0.003, 0.0001
MIN_STEP_PAIRS = 50  # as which a question with fewer counts


class _Pace:
    """How much of one kind of work is left, and how long a unit of it takes."""

    def __init__(self, seconds: float) -> None:
        self.left = 0
        self._done, self._seconds = 0, 0.0
        self._usual = seconds

    def advance(self, units: int, seconds: float) -> None:
        """Record that so many units took so long."""
        self.left = max(0, self.left - units)
        self._done += units
        self._seconds += seconds

    def seconds_left(self) -> float:
        """Return how long the rest takes at the pace so far."""
        return self.left * (self._seconds / self._done if self._done else self._usual)


class FindingsSoFar:
    """The findings of finished questions, and how long the others may take.

    Attributes:
        findings: The number of findings so far.
        questions: The number of finished questions.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self.findings = 0
        self.questions = 0
        self._measured = 0
        self._progress: Progress | None = None
        self._now = now
        self._lock = threading.Lock()
        self._groups: list[QuestionAnswers] = []
        self._finished: list[tuple[QuestionAnswers, Sequence[Finding]]] = []
        self._embedding, self._judging = _Pace(SENTENCE_SECONDS), _Pace(PAIR_SECONDS)
        self._stepped_at = now()
        self._built: PlagiarismResult | None = None

    # -- for the thread that computes --------------------------------------------------------------

    def reporting_to(self, progress: Progress | None) -> FindingsSoFar:
        """Call `progress` with the number of questions done, and of all questions."""
        self._progress = progress
        return self

    def begin(self, groups: Sequence[QuestionAnswers], *, embeds: bool) -> None:
        """Learn which questions there are, and whether their sentences are embedded."""
        with self._lock:
            self._groups = list(groups)
            self._judging.left = sum(map(_weight, groups))
            self._embedding.left = sum(map(_count_sentences, groups)) if embeds else 0
            self._stepped_at = self._now()

    def embedded(self, sentences: int) -> None:
        """Record that so many more sentences are embedded."""
        with self._lock:
            self._embedding.advance(sentences, self._step())
        self._report()

    def measured(self, group: QuestionAnswers) -> None:
        """Record that a question is measured; one with few answers is judged later."""
        with self._lock:
            self._judging.advance(_weight(group), self._step())
            self._measured += 1
        self._report()

    def judged(self, groups: Iterable[QuestionAnswers], findings: Sequence[Finding]) -> None:
        """Record the findings of finished questions."""
        found: dict[str | None, list[Finding]] = defaultdict(list)
        for finding in findings:
            found[finding.question].append(finding)
        with self._lock:
            self._finished += ((group, found[group.question]) for group in groups)
            self.questions = len(self._finished)
            self.findings += len(findings)

    def _report(self) -> None:
        if self._progress:
            self._progress(self._measured, len(self._groups))
        with self._lock:
            self._stepped_at = self._now()  # a callback may wait

    def _step(self) -> float:
        """Return the seconds since the last step."""
        former, self._stepped_at = self._stepped_at, self._now()
        return self._stepped_at - former

    # -- for all others ----------------------------------------------------------------------------

    def seconds_left(self) -> float | None:
        """Return how long the rest may take; None until the questions are known."""
        with self._lock:
            if not self._groups:
                return None
            since = self._now() - self._stepped_at
            return max(0.0, self._embedding.seconds_left() + self._judging.seconds_left() - since)

    def result(self) -> PlagiarismResult | None:
        """Return the result of the finished questions, without decisions; None if there are none.

        Its `questions_left` is the number of the others, whose answers it doesn't count.
        """
        with self._lock:
            if not self._finished:
                return None
            if self._built is None or self._built.questions != self.questions:
                questions_left = len(self._groups) - self.questions
                self._built = _result_of(self._finished, questions_left)
            return self._built


def _result_of(
    finished: Sequence[tuple[QuestionAnswers, Sequence[Finding]]], questions_left: int
) -> PlagiarismResult:
    findings = sorted(
        (finding for _, found in finished for finding in found), key=Finding.listed_order
    )
    shown = {id_ for finding in findings for id_ in (finding.left, finding.right)}
    return PlagiarismResult(
        findings=Results(findings),
        rings=Results(),
        answers=sum(group.count_answers() for group, _ in finished),
        drafts=sum(text.is_draft for group, _ in finished for text in group.texts),
        short=sum(group.count_short() for group, _ in finished),
        pairs=sum(group.count_pairs() for group, _ in finished),
        questions=len(finished),
        pooled=[],
        by_passages=False,
        texts={
            text.answer.id: text.answer
            for group, _ in finished
            for text in group.texts
            if text.answer.id in shown
        },
        questions_left=questions_left,
    )


def _weight(group: QuestionAnswers) -> int:
    return MIN_STEP_PAIRS + group.count_pairs()


def _count_sentences(group: QuestionAnswers) -> int:
    return group.count_sentences() if group.count_pairs() else 0
