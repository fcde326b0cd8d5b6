"""What to mark next: `python benchmarks/bench_plan.py [marked] [promise] [ranges] [time]`.

`marked`: the share of the answers with a right mark after a part of them was marked by the plan,
and at random. `promise`: how often promises were made and broken. `ranges`: how many marks lie in
them. `time`: a plan for many answers.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np
from bench_grading import corpora, opened, table
from machine import heading

from searchkit.grading.learning.calibration import CalibratedGrader
from searchkit.grading.learning.corpus import Corpus, load_corpus
from searchkit.grading.marks import UNGRADED, check_tolerance, within_tolerance
from searchkit.grading.promise.plan import first_checks, make_pool, order_answers, plan_corpus
from searchkit.grading.promise.ranges import Ranges
from searchkit.grading.promise.records import Goal
from searchkit.grading.promise.risk import control_risk

PARTS = ("marked", "promise", "ranges", "time")
SHARES = (0.1, 0.2)
BATCH = 0.02  # of the answers are marked before the plan is made again
MARKED_DRAWS, PROMISE_DRAWS, RANGE_DRAWS = 20, 200, 20
LOOKS = (0.2, 0.3, 0.4)  # shares marked at which a promise is asked for
GOALS = (Goal(0.05), Goal(0.1), Goal(0.2))
DRAWN_ANSWERS = 300  # whole questions are drawn until there are so many, for each promise


def loaded(name: str) -> Corpus:
    """Give a corpus with all its marks."""
    with opened(name) as (index, column):
        return load_corpus(index, column)


def drawn(corpus: Corpus, seed: int) -> Corpus:
    """Give the corpus with other ids, and so with another random order."""
    return replace(corpus, answers=[replace(a, id=f"{seed} {a.id}") for a in corpus.answers])


def only(corpus: Corpus, marked: np.ndarray) -> Corpus:
    """Give the corpus with the marks of some rows."""
    codes = np.where(marked, corpus.marks.codes, UNGRADED)
    return replace(corpus, marks=replace(corpus.marks, codes=codes))


def planned(
    corpus: Corpus, selected: np.ndarray, shares: Sequence[float], batch: float
) -> Iterator[np.ndarray]:
    """Mark in the order of the plan, some at a time; give what is marked at each share."""
    rows = np.flatnonzero(selected)
    marked = np.zeros(len(selected), bool)
    for share in shares:
        while (missing := round(share * len(rows)) - int(marked.sum())) > 0:
            size = min(missing, max(1, round(batch * len(rows))))
            known = only(corpus, marked)
            pool = make_pool(known, rows, fitted(known) if marked.any() else None)
            checks = ~pool.marked & (pool.ranks < pool.sample + size)
            first = max(0, first_checks(len(rows), Goal()) - pool.sample)
            order = order_answers(known, rows, pool, checks, ~pool.marked & ~checks, first)
            marked[rows[order[:size]]] = True
        yield marked.copy()


def fitted(corpus: Corpus) -> CalibratedGrader:
    """Give a grader that has learned from the marks of a corpus."""
    return CalibratedGrader(corpus, corpus.marks, check_tolerance(corpus.marks, None))


def at_random(corpus: Corpus, selected: np.ndarray, share: float, seed: int) -> np.ndarray:
    """Give the same share of each question at random."""
    rng = np.random.default_rng(seed)
    marked = np.zeros(len(selected), bool)
    for question in np.unique(corpus.questions[selected]).tolist():
        rows = np.flatnonzero(selected & (corpus.questions == question))
        marked[rng.permutation(rows)[: round(share * len(rows))]] = True
    return marked


def right(corpus: Corpus, selected: np.ndarray, marked: np.ndarray) -> np.ndarray:
    """Give whether each row is marked, or has a right suggestion."""
    return judged(corpus, selected, marked, fitted(only(corpus, marked)))


def judged(
    corpus: Corpus, selected: np.ndarray, marked: np.ndarray, grader: CalibratedGrader
) -> np.ndarray:
    """Give whether each row is marked, or the grader's suggestion is right."""
    good = marked.copy()
    left = selected & ~marked
    for question in np.unique(corpus.questions[left]).tolist():
        if grader.grader.can_estimate(question):
            rows = np.flatnonzero(left & (corpus.questions == question))
            true = [corpus.marks.of(row) for row in rows.tolist()]
            suggested = grader.suggest(question, rows)[0]
            good[rows] = within_tolerance(true, suggested, grader.tolerance)
    return good


def interval(values: Sequence[float]) -> str:
    """Give a mean and its 95 % interval over draws."""
    half = 1.96 * np.std(values, ddof=1) / np.sqrt(len(values))
    return f"{np.mean(values):.3f} ± {half:.3f}"


def marked() -> None:
    """Print the share of right marks after 10 and 20 % by the plan, and at random."""
    table("corpus", "order", *(f"after {share:.0%}:" for share in SHARES))
    for name in corpora():
        whole = loaded(name)
        selected = whole.marks.graded
        draws = MARKED_DRAWS if len(selected) < 5000 else 3
        by_plan, by_chance = [], []
        for seed in range(draws):
            corpus = drawn(whole, seed)
            by_plan.append(
                [
                    float(right(corpus, selected, rows)[selected].mean())
                    for rows in planned(corpus, selected, SHARES, BATCH)
                ]
            )
            by_chance.append(
                [
                    float(
                        right(whole, selected, at_random(whole, selected, share, seed))[
                            selected
                        ].mean()
                    )
                    for share in SHARES
                ]
            )
        for order, values in (("the plan", by_plan), ("at random", by_chance)):
            cells = " | ".join(interval(column) for column in zip(*values, strict=True))
            print(f"| {name} | {order} | {cells} |", flush=True)


def promise() -> None:
    """Print how often promises are made, about how many answers, and how often they are broken."""
    table("corpus", "marked:", "off at most:", "made:", "about, of all:", "broken:",
          "first one broken:")  # fmt: skip
    for name in corpora():
        whole = loaded(name)
        outcomes: dict[tuple[float, float], list[tuple[bool, bool, float, bool]]] = {}
        for seed in range(PROMISE_DRAWS):
            corpus = some_questions(drawn(whole, seed), seed)
            selected = corpus.marks.graded
            first: dict[float, bool] = {}
            for share, rows in zip(
                LOOKS, planned(corpus, selected, LOOKS, max(LOOKS)), strict=True
            ):
                for goal, (size, broken) in promised(corpus, selected, rows).items():
                    if size:
                        first.setdefault(goal, broken)
                    outcomes.setdefault((share, goal), []).append(
                        (size > 0, broken, size / selected.sum(), first.get(goal, False))
                    )
        for (share, goal), values in outcomes.items():
            made, broken, size, early = np.array(values, float).T
            about = f"{size[made > 0].mean():.0%}" if made.any() else ""
            print(f"| {name} | {share:.0%} | {goal:.0%} | {made.mean():.0%} | {about} | "
                  f"{interval(broken)} | {interval(early)} |", flush=True)  # fmt: skip


def some_questions(corpus: Corpus, seed: int) -> Corpus:
    """Give the answers to some questions, drawn at random."""
    chosen: list[int] = []
    for question in np.random.default_rng(seed).permutation(len(corpus.names)).tolist():
        if corpus.marks.graded[np.isin(corpus.questions, chosen)].sum() < DRAWN_ANSWERS:
            chosen.append(question)
    rows = np.flatnonzero(np.isin(corpus.questions, chosen))
    return taken(corpus, rows)


def taken(corpus: Corpus, rows: np.ndarray) -> Corpus:
    """Give some rows of a corpus."""
    return replace(
        corpus,
        answers=[corpus.answers[row] for row in rows.tolist()],
        inputs=corpus.inputs.take(rows),
        questions=corpus.questions[rows],
        references=corpus.references[rows],
        marks=replace(corpus.marks, codes=corpus.marks.codes[rows]),
        earlier=corpus.earlier[rows],
    )


def promised(
    corpus: Corpus, selected: np.ndarray, marked: np.ndarray
) -> dict[float, tuple[int, bool]]:
    """Give for each goal how many answers are promised for, and whether too many are wrong."""
    known = only(corpus, marked)
    grader = fitted(known)
    rows = np.flatnonzero(selected)
    pool = make_pool(known, rows, grader)
    wrong = ~judged(corpus, selected, marked, grader)[rows]
    found = {}
    for goal in GOALS:
        level = control_risk(pool, goal.max_off, goal.alpha)
        rest = ~pool.marked & (pool.confidences >= (level.threshold if level else 2))
        is_broken = level is not None and int(wrong[rest].sum()) > level.max_wrong
        found[goal.max_off] = int(rest.sum()), is_broken
    return found


def ranges() -> None:
    """Print how many marks lie in the range of their suggestion, and how wide these are."""
    table("corpus", "marked:", "order", "marks in their range:", "mean width, or labels:")
    for name in corpora():
        whole = loaded(name)
        selected = whole.marks.graded
        draws = RANGE_DRAWS if len(selected) < 5000 else 3
        for share in SHARES:
            values = [
                in_range(whole, selected, at_random(whole, selected, share, seed))
                for seed in range(draws)
            ]
            covered, width = zip(*values, strict=True)
            print(f"| {name} | {share:.0%} | at random | {interval(covered)} | "
                  f"{np.mean(width):.2f} |", flush=True)  # fmt: skip
        for share, rows in zip(SHARES, planned(whole, selected, SHARES, 0.05), strict=True):
            covered, width = in_range(whole, selected, rows)
            print(f"| {name} | {share:.0%} | the plan | {covered:.3f} | {width:.2f} |", flush=True)


def in_range(corpus: Corpus, selected: np.ndarray, marked: np.ndarray) -> tuple[float, float]:
    """Give the share of marks in their range, and the mean width of the ranges."""
    grader = fitted(only(corpus, marked))
    learned = Ranges.fit(grader)
    inside, widths = [], []
    left = selected & ~marked
    for question in np.unique(corpus.questions[left]).tolist():
        if not grader.grader.can_estimate(question):
            continue
        rows = np.flatnonzero(left & (corpus.questions == question))
        suggested, confidences, estimates = grader.suggest(question, rows)
        spans = learned.of(suggested, confidences, estimates, grader.grid(question))
        for row, (low, high, labels) in zip(rows.tolist(), spans, strict=True):
            mark = corpus.marks.of(row)
            if labels is not None:
                inside.append(mark in labels)
                widths.append(float(len(labels)))
            elif low is not None and high is not None:
                inside.append(low - 1e-6 <= float(mark or 0) <= high + 1e-6)
                widths.append(high - low)
    return float(np.mean(inside)), float(np.mean(widths))


def timed() -> None:
    """Print how long a plan takes for one question of a number of answers, without loading them."""
    table("answers of one question:", "marked:", "seconds:")
    whole = loaded("SemEval-2013")
    for count in (300, 1_000, 5_000):
        rows = np.flatnonzero(whole.marks.graded)[:count]
        corpus = taken(replace(whole, questions=np.zeros_like(whole.questions)), rows)
        for share in (0.0, 0.2):
            marked = at_random(corpus, corpus.marks.graded, share, 0)
            started = time.perf_counter()
            plan_corpus(only(corpus, marked), np.ones(count, bool), None, Goal())
            print(f"| {count:,} | {share:.0%} | {time.perf_counter() - started:.2f} |", flush=True)


def main(parts: Sequence[str]) -> None:
    """Print the tables."""
    print(heading())
    runs: dict[str, Callable[[], None]] = dict(
        zip(PARTS, (marked, promise, ranges, timed), strict=True)
    )
    for part, run in runs.items():
        if part in parts:
            run()


if __name__ == "__main__":
    main(sys.argv[1:] or PARTS)
