"""Plan the marking: which answers to mark next, and what holds for the suggestions for the rest."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from math import ceil

import numpy as np
from numpy.typing import NDArray

from searchkit.core.arrays import Int64
from searchkit.core.results import Results
from searchkit.core.where import EVERYTHING, Where
from searchkit.grading.learning.calibration import CalibratedGrader
from searchkit.grading.learning.corpus import Corpus, load_corpus, matching_rows
from searchkit.grading.marks import MarkKind, check_tolerance
from searchkit.grading.promise.coverage import likeness, order_by_gain
from searchkit.grading.promise.records import (
    CONFIDENCE,
    MAX_OFF,
    Goal,
    GradingPlan,
    PlannedAnswer,
    Promise,
)
from searchkit.grading.promise.risk import Pool, control_risk, forecast, smallest_sample
from searchkit.grading.promise.wording import Wording
from searchkit.index.base import BaseIndex

BATCH = 20  # answers that are listed where nothing can be forecast
MAX_FIRST_CHECKS = 0.5  # share of the answers that may be drawn before any is chosen
FEW_FIRST_CHECKS = 0.05  # the share if a promise takes more
CHOSEN_PER_CHECK = 3  # of the answers after these


def plan_grading(
    index: BaseIndex,
    column: str,
    *,
    kind: MarkKind | None = None,
    tolerance: float | None = None,
    max_off: float = MAX_OFF,
    confidence: float = CONFIDENCE,
    where: Where = EVERYTHING,
) -> GradingPlan:
    """Choose the answers to mark next, so that suggestions for the others can be relied on.

    The first of them, as many as a promise takes, and then one in four are drawn at random, and
    back the promise; from the others the most is learned: they are uncertain, and like many other
    uncertain ones. Nothing is written, and the random order stays the same, so that the plan can be
    made again after any number of marks.

    Args:
        index: Open for reading or writing.
        column: The column with the marks. It can have no mark, or not exist.
        kind: As for `grade`.
        tolerance: As for `grade`.
        max_off: The share of the other suggestions that may be off by more than the tolerance.
        confidence: The probability with which a promise holds.
        where: Which answers to plan for; all graded answers are learned from.

    Raises:
        BadInput: as for `grade`, but the marks can be missing or all be the same.
    """
    goal = Goal(max_off, confidence)
    corpus = load_corpus(index, column, kind, where, may_be_empty=True)
    selected = matching_rows(index, corpus, where) & ~corpus.references
    return plan_corpus(corpus, selected, tolerance, goal)


def plan_corpus(
    corpus: Corpus,
    selected: NDArray[np.bool_],
    tolerance: float | None,
    goal: Goal,
    unit: float = 1.0,
) -> GradingPlan:
    """Make the plan for some rows of a corpus, from the marks that it has; see `plan_grading`.

    Args:
        corpus: The answers and their marks.
        selected: `(n,)` whether the plan is about an answer.
        tolerance: As for `plan_grading`, on the scale of the corpus's marks.
        goal: What is to be promised.
        unit: What one of the corpus's marks is, in the points that are named.
    """
    marks = corpus.marks
    grader = None
    if len(np.unique(marks.codes[marks.graded])) > 1:
        tolerance = check_tolerance(marks, tolerance)
        grader = CalibratedGrader(corpus, marks, tolerance)
    unmarked = selected & ~marks.graded
    # A question that is finished says nothing of the others, and dilutes the sample.
    is_open = np.isin(corpus.questions, corpus.questions[unmarked])
    rows = np.flatnonzero(selected & is_open if unmarked.any() else selected)
    pool = make_pool(corpus, rows, grader)
    sampled = pool.ranks < pool.sample
    wording = Wording(
        goal,
        marks.kind,
        round((tolerance or 0.0) * unit, 6),
        answers=len(rows),
        unmarked=int(unmarked.sum()),
        checks=pool.sample,
        wrong=int((pool.wrong & sampled).sum()),
    )
    promise, checks, uncertain = _decide(pool, goal, wording)
    first = max(0, first_checks(len(rows), goal) - pool.sample)
    order = order_answers(corpus, rows, pool, checks, uncertain, first)
    limit = BATCH if promise.to_mark is None else promise.to_mark
    answers = [
        PlannedAnswer(
            corpus.answers[rows[n]].id,
            corpus.names[int(corpus.questions[rows[n]])],
            "check" if checks[n] else "learn",
            round(float(pool.confidences[n]), 4) if pool.confidences[n] > 0 else None,
        )
        for n in order[:limit].tolist()
    ]
    return GradingPlan(
        Results(answers),
        promise,
        marks,
        tolerance or 0.0,
        marked=int((selected & marks.graded).sum()),
        unmarked=int(unmarked.sum()),
    )


def make_pool(corpus: Corpus, rows: Int64, grader: CalibratedGrader | None) -> Pool:
    """Return what is known of the answers in some rows, with a grader if there is one."""
    count = len(corpus.answers)
    confidences, wrong = np.zeros(count), np.zeros(count, bool)
    if grader:
        for part, confidence in grader.cross_fit():
            confidences[part.rows], wrong[part.rows] = confidence, ~part.right
        unmarked = rows[~corpus.marks.graded[rows]]
        for question in np.unique(corpus.questions[unmarked]).tolist():
            if grader.grader.can_estimate(question):
                asked = unmarked[corpus.questions[unmarked] == question]
                confidences[asked] = grader.cross_confidence(question, asked)
    return Pool(
        confidences[rows],
        random_ranks([corpus.answers[row].id for row in rows.tolist()], corpus.questions[rows]),
        corpus.marks.graded[rows],
        wrong[rows],
    )


def _decide(
    pool: Pool, goal: Goal, wording: Wording
) -> tuple[Promise, NDArray[np.bool_], NDArray[np.bool_]]:
    """Return the promise, which answers to mark as checks, and which to learn from."""
    unmarked = ~pool.marked
    nothing = np.zeros(len(unmarked), bool)
    if not unmarked.any():
        return wording.all_marked(), nothing, nothing
    level = control_risk(pool, goal.max_off, goal.alpha)
    if level:
        below = unmarked & (pool.confidences < level.threshold)
        return wording.promise(level.rest), nothing, below
    expected = forecast(pool, goal.max_off, goal.alpha)
    if expected:
        checks = unmarked & (pool.ranks < expected.sample)
        below = unmarked & ~checks & (pool.confidences < expected.threshold)
        rest = int((unmarked & ~checks & ~below).sum())
        return wording.forecast(rest, expected.sample), checks, below
    needed = smallest_sample(len(unmarked), goal.max_off, goal.alpha)
    checks = unmarked & (pool.ranks < max(first_checks(len(unmarked), goal), pool.sample + BATCH))
    return wording.too_few(BATCH, needed), checks, unmarked & ~checks


def first_checks(answers: int, goal: Goal) -> int:
    """Return how many answers are drawn before any is chosen."""
    needed = smallest_sample(answers, goal.max_off, goal.alpha)
    return needed if needed <= MAX_FIRST_CHECKS * answers else ceil(FEW_FIRST_CHECKS * answers)


def order_answers(
    corpus: Corpus,
    rows: Int64,
    pool: Pool,
    checks: NDArray[np.bool_],
    uncertain: NDArray[np.bool_],
    first: int,
) -> Int64:
    """Return the places of the checks and of the others in the order in which to mark them.

    Args:
        corpus: The answers.
        rows: `(n,)` rows of the corpus that the plan is about.
        pool: What is known of these.
        checks: `(n,)` whether each is drawn, and not marked.
        uncertain: `(n,)` whether each may be chosen, and is neither drawn nor marked.
        first: How many checks come before the others.
    """
    if not (checks | uncertain).any():
        return np.empty(0, np.int64)
    drawn = np.flatnonzero(checks)
    drawn = drawn[np.argsort(pool.ranks[drawn])]
    similarity = likeness(corpus.vectors[rows], corpus.questions[rows])
    chosen = order_by_gain(similarity, 1 - pool.confidences, pool.marked | checks, uncertain)
    turns = np.concatenate(
        [np.arange(len(chosen)) // CHOSEN_PER_CHECK, np.maximum(np.arange(len(drawn)) - first, -1)]
    )
    return np.concatenate([chosen, drawn])[np.argsort(turns, kind="stable")]


def random_ranks(ids: Sequence[str], questions: Int64) -> Int64:
    """Return `(n,)` the place of each answer in a random order, in which questions take turns.

    An answer's place within its question depends on the ids alone, which nobody chooses with a view
    to it, so that the answers that were drawn are known without being stored. Any first part of
    the order has the same share of each question.
    """
    keys = [blake2b(name.encode(errors="surrogatepass")).digest() for name in ids]
    order = np.array(sorted(range(len(ids)), key=lambda row: keys[row]), np.int64)
    places = np.empty(len(ids))
    for question in np.unique(questions).tolist():
        asked = order[questions[order] == question]
        places[asked] = (np.arange(len(asked)) + 0.5) / len(asked)
    ranks = np.empty(len(ids), np.int64)
    ranks[order[np.argsort(places[order], kind="stable")]] = np.arange(len(ids))
    return ranks
