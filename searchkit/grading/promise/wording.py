"""The promise in words, for a teacher."""

from __future__ import annotations

from dataclasses import dataclass
from math import floor

from searchkit.grading.marks import MarkKind, mark_text
from searchkit.grading.promise.records import Goal, Promise

TOO_FEW = "Too few marks to promise anything yet"
MOST = 0.5  # a sample of this share of the answers is not worth drawing


@dataclass(frozen=True, slots=True)
class Wording:
    """How a promise reads.

    Attributes:
        goal: What is to be promised.
        kind: Whether marks are numbers or labels.
        tolerance: The difference up to which a suggested number counts as right.
        answers: How many answers there are.
        unmarked: How many of them are not marked.
        checks: How many of those that were drawn at random are marked.
        wrong: For how many of these the suggestion would have been wrong.
    """

    goal: Goal
    kind: MarkKind
    tolerance: float
    answers: int
    unmarked: int
    checks: int
    wrong: int

    def promise(self, rest: int) -> Promise:
        """Return a promise that holds for the suggestions for `rest` answers."""
        to_mark = self.unmarked - rest
        start = f"{_these(to_mark)}. Of" if to_mark else "Nothing more has to be marked: of"
        text = (
            f"{start} the other {rest:,} {self._few(rest)} will be {self._off()}. The chance that "
            f"this is wrong is at most {_per_cent(self.goal.alpha)}."
        )
        return Promise(True, to_mark, rest, self.max_wrong(rest), self.checks, self.checks, text)

    def forecast(self, rest: int, checks_needed: int) -> Promise:
        """Return what can probably be promised once all but `rest` answers are marked."""
        to_mark = self.unmarked - rest
        text = (
            f"{TOO_FEW}. {_these(to_mark)}; then it can probably be promised that of the other "
            f"{rest:,} {self._few(rest)} will be {self._off()}."
        )
        max_wrong = self.max_wrong(rest)
        return Promise(False, to_mark, rest, max_wrong, self.checks, checks_needed, text)

    def too_few(self, batch: int, checks_needed: int) -> Promise:
        """Return that nothing can be promised, nor can it be said when."""
        these = _these(min(batch, self.unmarked))
        if self.unmarked <= batch:
            text = f"Too few answers are left to promise anything about suggested marks. {these}."
        elif self.is_small(checks_needed):
            text = (
                f"Of {self.answers:,} answers most would have to be marked to promise that at most "
                f"{_per_cent(self.goal.max_off)} of the others are off: allow more, or plan for "
                f"several questions at once. {these} next."
            )
        elif self.checks < checks_needed:
            text = (
                f"{TOO_FEW}, or to say how many it takes. {these} next. It takes "
                f"{checks_needed:,} answers drawn at random, or more; of these {self.checks:,} "
                f"{'is' if self.checks == 1 else 'are'} marked."
            )
        else:
            are_few = self.wrong <= self.goal.max_off * self.checks
            start = TOO_FEW if are_few else "The suggestions are not good enough for a promise"
            text = (
                f"{start}: for {self.wrong:,} of the {self.checks:,} answers that were drawn at "
                f"random, they would have been {self._off()}. {these} next."
            )
        return Promise(False, None, None, None, self.checks, checks_needed, text)

    def is_small(self, checks_needed: int) -> bool:
        """Whether most answers would have to be drawn."""
        return checks_needed > MOST * self.answers

    def all_marked(self) -> Promise:
        """Return that there is nothing to promise."""
        text = f"All {self.answers:,} answers are marked." if self.answers else "Nothing to mark."
        return Promise(True, 0, 0, 0, self.checks, self.checks, text)

    def max_wrong(self, rest: int) -> int:
        """Return how many of the suggestions for `rest` answers may be wrong."""
        return floor(self.goal.max_off * rest + 1e-9)

    def _few(self, rest: int) -> str:
        most = self.max_wrong(rest)
        return f"at most {_per_cent(self.goal.max_off)} ({most:,})" if most else "none"

    def _off(self) -> str:
        if self.kind == "labels":
            return "wrong"
        return f"off by more than {mark_text(self.tolerance)}" if self.tolerance else "off"


def _these(count: int) -> str:
    return "Mark this one" if count == 1 else f"Mark these {count:,}"


def _per_cent(share: float) -> str:
    return f"{100 * share:.4g} %"
