"""What marks are learned from: `python benchmarks/bench_learning.py [many] [cohorts]`.

`many`: whether words beside the vectors pay where a question has 300 marks. `cohorts`: what the
marks of an earlier year add to few marks of this year.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from unittest.mock import patch

import numpy as np
from bench_grading import corpora, judged, opened, table
from machine import heading, scratch

from searchkit import Index
from searchkit.grading.learning import grader, ridge
from searchkit.grading.learning.calibration import CalibratedGrader
from searchkit.grading.learning.corpus import Corpus, load_corpus
from searchkit.grading.learning.features import relative_features
from searchkit.grading.marks import UNGRADED, Marks

PARTS = ("many", "cohorts")
MARKS = 300  # of a question, in `many`


def many() -> None:
    """Print whether words pay with 300 marks a question, for SemEval's largest questions pooled."""
    with opened("SemEval-2013") as (index, column):
        corpus = pooled(load_corpus(index, column))
    kept_rows = np.zeros(len(corpus.answers), bool)
    rng = np.random.default_rng(0)
    for question in np.unique(corpus.questions[corpus.questions >= 0]).tolist():
        rows = np.flatnonzero((corpus.questions == question) & corpus.marks.graded)
        kept_rows[rng.permutation(rows)[:MARKS]] = True
    held = np.flatnonzero(corpus.marks.graded & (corpus.questions >= 0) & ~kept_rows)
    some = replace(corpus.marks, codes=np.where(kept_rows, corpus.marks.codes, UNGRADED))
    right = {}
    spaces: dict[str, dict[str, type]] = {
        "words beside the vectors": grader.SPACES,
        "vectors alone": {"linear": ridge.VectorSpace},
    }
    for label, change in spaces.items():
        with patch.object(grader, "SPACES", change):
            learned = CalibratedGrader(corpus, some, 0.0)
        suggested = {}
        for question in np.unique(corpus.questions[held]).tolist():
            rows = held[corpus.questions[held] == question]
            suggested |= dict(zip(rows.tolist(), learned.suggest(question, rows)[0], strict=True))
        right[label] = np.array([corpus.marks.of(row) == suggested[row] for row in held.tolist()])
    difference = right["words beside the vectors"] * 1.0 - right["vectors alone"]
    draws = rng.choice(difference, (2000, len(difference))).mean(axis=1)
    low, high = np.quantile(draws, [0.025, 0.975])
    table("marks a question:", "held out:", *(f"{label}:" for label in right), "better by:")
    cells = " | ".join(f"{hits.mean():.3f}" for hits in right.values())
    print(
        f"| {MARKS} | {len(held):,} | {cells} | {difference.mean():.3f} ({low:.3f} to {high:.3f}) |"
    )


def pooled(corpus: Corpus) -> Corpus:
    """Put the largest questions together until there are 400 marks; leave out the smallest."""
    sizes = np.bincount(corpus.questions[corpus.marks.graded], minlength=len(corpus.names))
    questions = np.full(len(corpus.answers), -1)
    pool, count = 0, 0
    for question in np.argsort(-sizes, kind="stable")[:100].tolist():
        questions[corpus.questions == question] = pool
        count += int(sizes[question])
        if count >= MARKS + 100:
            pool, count = pool + 1, 0
    questions[questions == pool] = -1  # too few
    relative = relative_features(corpus.inputs.features, questions, corpus.references)
    return replace(corpus, questions=questions, inputs=replace(corpus.inputs, relative=relative))


def cohorts() -> None:
    """Print what last year's marks add, for half of the answers that are said to be last year's."""
    sizes = (0, 3, 10, 40)
    table("corpus", "learned from", "figure", *(f"{size}:" for size in sizes))
    for name in corpora():
        cells: dict[tuple[str, str], dict[int, list[float]]] = {}
        for seed in range(3):
            for label, corpus in halves(name, seed).items():
                for size in sizes:
                    held, some = kept(corpus, size, seed)
                    if held.sum() < 50 or not some.graded.any():
                        continue
                    for key, value in judged(corpus, some, held).items():
                        cells.setdefault((label, key), {}).setdefault(size, []).append(value)
        for (label, key), values in cells.items():
            figures = [f"{np.mean(values[size]):.3f}" if size in values else "" for size in sizes]
            print(f"| {name} | {label} | {key} | " + " | ".join(figures) + " |", flush=True)


def halves(name: str, seed: int) -> dict[str, Corpus]:
    """Give this year's answers alone, with last year's, and with those by a severer grader."""
    rng = np.random.default_rng(seed)
    with opened(name) as (index, column):
        stored = list(index.iter_stored())
        places = scratch() / "this", scratch() / "last"
        is_last = rng.permutation(len(stored)) % 2 == 1
        for place, chosen in zip(places, (~is_last, is_last), strict=True):
            answers = [
                one for one, own in zip(stored, chosen, strict=True)
                if own or one.answer.is_reference
            ]  # fmt: skip
            with Index.create(place) as part:
                part.add_with_vectors(answers)
    with Index.open(places[0]) as this, Index.open(places[1], write=True) as last:
        loaded = {
            "this year's marks": load_corpus(this, column),
            "and last year's": load_corpus(this, column, earlier=[last]),
        }
        if loaded["this year's marks"].marks.kind == "numbers":
            low, high = (loaded["this year's marks"].marks.scale[n] for n in (0, -1))
            severe = {
                a.id: {column: f"{max(low, float(a.value(column)) - (high - low) / 5):g}"}
                for a in last.answers() if a.value(column) and not a.is_reference
            }  # fmt: skip
            last.update_columns(severe)
            loaded["and last year's, a fifth of the range lower"] = load_corpus(
                this, column, earlier=[last]
            )
    return loaded


def kept(corpus: Corpus, size: int, seed: int) -> tuple[np.ndarray, Marks]:
    """Keep some marks of this year for each question, and all of the earlier ones."""
    rng = np.random.default_rng(seed)
    held = np.zeros(len(corpus.answers), bool)
    for question in range(len(corpus.names)):
        rows = np.flatnonzero(
            (corpus.questions == question) & corpus.marks.graded & ~corpus.earlier
        )
        held[rng.permutation(rows)[size:]] = True
    return held, replace(corpus.marks, codes=np.where(held, UNGRADED, corpus.marks.codes))


def main(parts: Sequence[str]) -> None:
    """Print the tables."""
    print(heading())
    runs: dict[str, Callable[[], None]] = dict(zip(PARTS, (many, cohorts), strict=True))
    for part, run in runs.items():
        if part in parts:
            run()


if __name__ == "__main__":
    main(sys.argv[1:] or PARTS)
