"""Grading: `python benchmarks/bench_grading.py [PART …]`.

`unseen`: suggested marks against the trivial baselines, on answers and on questions that were held
out. `few`: how many graded answers a question needs. `sure`: how often suggestions are right, and
how sure they are, where a few answers to one question are all that is graded. `ways`: what each
part of the method is worth. `audit`: marks changed at random, and those made inconsistent in the
demo corpus: how far up they are listed. `groups`: the centres of clusters graded, and what that
gives the rest. `cards`: the groups that the grading page makes, and how well marks stay together
in them.
"""

from __future__ import annotations

import csv
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from unittest.mock import patch

import numpy as np
from machine import DEMO, SHARED, heading, scratch

from searchkit import Index, audit_grades, evaluate_grades, propagate
from searchkit.clustering.clusters import cluster
from searchkit.core.metrics import rmse
from searchkit.demo.corpus import DEMO_PLANTED
from searchkit.grading import evaluate
from searchkit.grading.evaluate import MethodScore
from searchkit.grading.groups.differences import find_differences
from searchkit.grading.groups.tree import build_tree
from searchkit.grading.learning import grader, ridge, shared, stacking
from searchkit.grading.learning.calibration import CalibratedGrader
from searchkit.grading.learning.corpus import Corpus, load_corpus
from searchkit.grading.marks import UNGRADED, Marks, check_tolerance, within_tolerance
from searchkit.index.ingest import ingest
from searchkit.sources.reader import read_answers

CORPORA = {
    "SAF": (SHARED / "saf-train.csv", "score"),
    "SemEval-2013": (SHARED / "semeval2013-train.csv", "label"),
    "demo corpus": (DEMO, "score"),
}
PARTS = ("unseen", "few", "sure", "ways", "audit", "groups", "cards")
CHANGED = 0.05  # of the marks
FIGURES = ("Pearson:", "RMSE:", "QWK:", "right:", "accuracy:", "macro F1:")


@cache
def folder(name: str) -> Path:
    """Give an index of a corpus."""
    path = scratch() / "index"
    with Index.create(path) as index:
        ingest(index, read_answers([CORPORA[name][0]]))
    return path


@contextmanager
def opened(name: str) -> Iterator[tuple[Index, str]]:
    """Give an index and the column with the marks."""
    with Index.open(folder(name)) as index:
        yield index, CORPORA[name][1]


def corpora() -> list[str]:
    """Name the corpora that are here."""
    return [name for name, (path, _) in CORPORA.items() if path.exists()]


def table(*columns: str) -> None:
    """Begin a table; a colon behind a name puts its column right."""
    print("\n| " + " | ".join(name.rstrip(":") for name in columns) + " |")
    print("|" + "|".join("---:" if name.endswith(":") else "---" for name in columns) + "|")


def row(score: MethodScore) -> str:
    """Write the figures that there are."""
    names = (name.rstrip(":").replace(" ", "_").lower() for name in FIGURES)
    return " | ".join(f"{score.figures[n]:.3f}" if n in score.figures else "" for n in names)


def unseen() -> None:
    """Print suggested marks against the baselines."""
    table("corpus", "unseen", "answers:", "marks", *FIGURES, "seconds:")
    coverage = []
    for name in corpora():
        with opened(name) as (index, column):
            started = time.perf_counter()
            found = evaluate_grades(index, column)
            seconds = f"{time.perf_counter() - started:.1f}"
        for trial in found.cross_validations:
            for score in trial.scores:
                print(f"| {name} | {trial.unseen} | {trial.answers:,} | {score.name} | "
                      f"{row(score)} | {seconds} |", flush=True)  # fmt: skip
                seconds = ""
            cells = " | ".join(f"{row.answers:.0%}, {row.right:.0%}" for row in trial.coverage)
            coverage.append(
                f"| {name} | {trial.unseen} | {cells} | {trial.calibration_error:.3f} |"
            )
    table(
        "corpus",
        "unseen",
        *(f"{row.confidence:g}:" for row in found.cross_validations[0].coverage),
        "off:",
    )
    print("\n".join(coverage))


def judged(corpus: Corpus, some: Marks, held: np.ndarray) -> dict[str, float]:
    """Suggest the held-out marks from some; give the share right and the error of numbers."""
    tolerance = check_tolerance(corpus.marks, None)
    learned = CalibratedGrader(corpus, some, tolerance)
    given, suggested = [], []
    for question in np.unique(corpus.questions[held]).tolist():
        rows = np.flatnonzero(held & (corpus.questions == question))
        if learned.grader.can_estimate(question):
            given += [corpus.marks.of(n) for n in rows.tolist()]
            suggested += learned.suggest(question, rows)[0]
    figures = {"right": float(within_tolerance(given, suggested, tolerance).mean())}
    if corpus.marks.kind == "numbers":
        figures["RMSE"] = rmse(np.array(given, float), np.array(suggested, float))
    return figures


def few() -> None:
    """Print the quality by how many answers of each question are graded; the rest is held out."""
    sizes = (0, 3, 5, 10, 20, 40)
    table("corpus", "figure", *(f"{size}:" for size in sizes))
    for name in corpora():
        with opened(name) as (index, column):
            corpus = load_corpus(index, column)
        cells: dict[str, list[str]] = {}
        for size in sizes:
            figures: dict[str, list[float]] = {}
            for seed in range(3):
                rng = np.random.default_rng(seed)
                held = np.zeros(len(corpus.answers), bool)
                codes = corpus.marks.codes.copy()
                for question in range(len(corpus.names)):
                    rows = np.flatnonzero((corpus.questions == question) & corpus.marks.graded)
                    if not len(rows):
                        continue
                    # With none of its own, half of the questions are graded, and half are judged.
                    kept = len(rows) if size == 0 and question % 2 == seed % 2 else size
                    out = rng.permutation(rows)[kept:]
                    held[out], codes[out] = True, UNGRADED
                if not held.any():
                    continue
                for key, value in judged(corpus, replace(corpus.marks, codes=codes), held).items():
                    figures.setdefault(key, []).append(value)
            for key, values in figures.items():
                cells.setdefault(key, []).append(f"{np.mean(values):.3f}")
        for key, values in cells.items():
            print(
                f"| {name} | {key} | "
                + " | ".join(values)
                + " |" * (len(sizes) - len(values))
                + " |",
                flush=True,
            )


def sure() -> None:
    """Print confidence and share right where the only graded answers are a few to one question."""
    table("corpus", "marks:", "answers:", "confidence:", "right:",
          "of these with 0.8 or more:", "confidence:", "right:")  # fmt: skip
    for name in corpora():
        with opened(name) as (index, column):
            corpus = load_corpus(index, column)
        for size in (8, 12, 20, 40):
            confidences, right = outcomes(corpus, size)
            if len(right):
                high = confidences >= 0.8
                print(f"| {name} | {size} | {len(right):,} | {confidences.mean():.2f} | "
                      f"{right.mean():.2f} | {high.mean():.0%} | {confidences[high].mean():.2f} | "
                      f"{right[high].mean():.2f} |", flush=True)  # fmt: skip


def outcomes(corpus: Corpus, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Suggest for the rest of each question from some of its marks; give confidence and right."""
    rng, tolerance = np.random.default_rng(0), check_tolerance(corpus.marks, None)
    confidences, right = [np.empty(0)], [np.empty(0, bool)]
    for question in range(len(corpus.names)):
        one = alone(corpus, np.flatnonzero(corpus.questions == question))
        graded = np.flatnonzero(one.marks.graded)
        known = rng.permutation(graded)[:size]
        rest = np.setdiff1d(graded, known)
        codes = np.full(len(one.answers), UNGRADED)
        codes[known] = one.marks.codes[known]
        if len(rest) < 10 or len(np.unique(codes[known])) < 2:
            continue
        learned = CalibratedGrader(one, replace(one.marks, codes=codes), tolerance)
        suggested, confidence, _ = learned.suggest(0, rest)
        given = [one.marks.of(row) for row in rest.tolist()]
        confidences.append(confidence)
        right.append(within_tolerance(given, suggested, tolerance))
    return np.concatenate(confidences), np.concatenate(right)


def alone(corpus: Corpus, rows: np.ndarray) -> Corpus:
    """Give the answers to one question as a corpus."""
    return replace(
        corpus,
        answers=[corpus.answers[row] for row in rows.tolist()],
        inputs=corpus.inputs.take(rows),
        names=["one"],
        questions=np.zeros(len(rows), np.int64),
        references=corpus.references[rows],
        marks=replace(corpus.marks, codes=corpus.marks.codes[rows]),
        units=np.ones(1),
        earlier=corpus.earlier[rows],
    )


def ways() -> None:
    """Print the figures on unseen answers with one part of the method left out."""
    parts: dict[str, dict[str, object]] = {
        "as it is": {},
        "without words": {"SPACES": {"linear": ridge.VectorSpace}},
        "only the neighbours": {"SPACES": {}},
        "only the best method": {"STACK_STRENGTH": 1e15},
        "without what all questions teach": {"MIN_GRADED_QUESTIONS": 10**9},
    }
    table("corpus", "what", *FIGURES)
    for name in corpora():
        for label, changes in parts.items():
            with (
                opened(name) as (index, column),
                patch.dict(vars(grader), changes),
                patch.dict(vars(shared), changes),
                patch.dict(vars(stacking), changes),
                patch.dict(vars(evaluate), changes),
            ):
                (trial, *_) = evaluate_grades(index, column).cross_validations
            print(f"| {name} | {label} | {row(trial.scores[0])} |", flush=True)


def audit() -> None:
    """Print how far up changed marks are listed, against simpler orders."""
    table("corpus", "changed:", "order", "average precision:", "among the first:")
    for name in corpora():
        scores: dict[str, list[tuple[float, float]]] = {}
        for seed in range(3):
            with opened(name) as (index, column):
                corpus = load_corpus(index, column)
                changed, spoilt = disturbed(corpus, seed)
                with patch("searchkit.grading.audit.load_corpus", lambda *_, c=spoilt, **__: c):
                    found = audit_grades(index, column)
            for order, value in orders(spoilt, found.outliers).items():
                scores.setdefault(order, []).append(listed(value, changed))
        for order, values in scores.items():
            mean = np.mean(values, axis=0)
            print(f"| {name} | {len(changed):,} | {order} | {mean[0]:.3f} | {mean[1]:.2f} |")
    planted()


def disturbed(corpus: Corpus, seed: int) -> tuple[np.ndarray, Corpus]:
    """Give some rows another mark: a number at least a third of the range off, or another label."""
    rng = np.random.default_rng(seed)
    rows = np.flatnonzero(corpus.marks.graded)
    changed = np.sort(rng.choice(rows, int(CHANGED * len(rows)), replace=False))
    codes = corpus.marks.codes.copy()
    places = np.arange(len(corpus.marks.scale))
    numbers = np.array(corpus.marks.scale) if corpus.marks.kind == "numbers" else places * 1.0
    far = corpus.marks.range / 3 if corpus.marks.kind == "numbers" else 0.5
    for n in changed.tolist():
        codes[n] = rng.choice(places[np.abs(numbers - numbers[codes[n]]) >= far])
    return changed, replace(corpus, marks=replace(corpus.marks, codes=codes))


def orders(corpus: Corpus, outliers: Sequence) -> dict[str, np.ndarray]:
    """Give for each row how suspicious its mark is, in several ways."""
    place = {answer.id: n for n, answer in enumerate(corpus.answers)}
    ours = np.zeros(len(place))
    for one in outliers:
        ours[place[one.id]] = one.surprise
    usual, nearest = np.zeros(len(place)), np.zeros(len(place))
    targets = corpus.marks.targets()
    for question in np.unique(corpus.questions[corpus.marks.graded]).tolist():
        rows = np.flatnonzero(corpus.marks.graded & (corpus.questions == question))
        if len(rows) < 2:
            continue
        usual[rows] = np.abs(targets[rows] - targets[rows].mean(axis=0)).sum(axis=1)
        near, score = grader.nearest(
            corpus.vectors[rows], corpus.vectors[rows], 1, np.arange(len(rows))
        )
        apart = np.abs(targets[rows] - targets[rows[near[:, 0]]]).sum(axis=1)
        nearest[rows] = apart * np.maximum(score[:, 0], 0)
    return {
        "searchkit": ours,
        "unlike the nearest answer's, by likeness": nearest,
        "far from the question's mean": usual,
    }


def listed(order: np.ndarray, changed: np.ndarray) -> tuple[float, float]:
    """Give average precision, and recall among as many as were changed."""
    from sklearn.metrics import average_precision_score

    truth = np.isin(np.arange(len(order)), changed)
    best = np.argsort(-order, kind="stable")[: len(changed)]
    return float(average_precision_score(truth, order)), float(truth[best].mean())


def planted() -> None:
    """Print the places of the marks that were made inconsistent in the demo corpus."""
    with opened("demo corpus") as (index, column):
        found = audit_grades(index, column)
    pairs = [{one.left, one.right} for one in found.conflicts]
    marks = [one.id for one in found.outliers]
    table("planted", f"place of {len(pairs)} pairs:", f"place of {len(marks)} marks:")
    with DEMO_PLANTED.open(encoding="utf-8", newline="") as file:
        for one in csv.DictReader(file):
            if one["kind"] == "inconsistent-mark":
                both = {one["copy"], one["source"]}
                pair = pairs.index(both) + 1 if both in pairs else ""
                mark = min((marks.index(n) + 1 for n in both if n in marks), default="")
                print(f"| {one['copy']}, {one['source']}: {one['note']} | {pair} | {mark} |")


def groups() -> None:
    """Print what grading the centres of clusters gives the rest, against grading at random."""
    table("corpus", "centres graded:", "of all:", "others in their clusters:", "right:",
          "the same number at random, suggested for:", "right:")  # fmt: skip
    for name in corpora():
        with opened(name) as (index, column):
            corpus = load_corpus(index, column)
            place = {answer.id: n for n, answer in enumerate(corpus.answers)}
            centres = [
                c.center for c in cluster(index, by="question").clusters
                if c.kind == "cluster" and c.center and corpus.marks.graded[place[c.center]]
            ]  # fmt: skip
            propagations = propagate(index, column, dict.fromkeys(centres))
        given = sum(len(one.agreeing) + len(one.differing) for one in propagations)
        hits = sum(len(one.agreeing) for one in propagations) / given
        shares = []
        for seed in range(3):
            rng = np.random.default_rng(seed)
            keep = np.zeros(len(place), bool)
            for question in np.unique(corpus.questions).tolist():
                rows = np.flatnonzero((corpus.questions == question) & corpus.marks.graded)
                count = sum(corpus.questions[place[n]] == question for n in centres)
                keep[rng.permutation(rows)[:count]] = True
            codes = np.where(keep, corpus.marks.codes, UNGRADED)
            held = corpus.marks.graded & ~keep
            some = replace(corpus.marks, codes=codes)
            shares.append(judged(corpus, some, held)["right"])
        share = len(centres) / int(corpus.marks.graded.sum())
        print(f"| {name} | {len(centres):,} | {share:.0%} | {given:,} | {hits:.0%} | "
              f"{int(held.sum()):,} | {np.mean(shares):.0%} |", flush=True)  # fmt: skip


def cards() -> None:
    """Print how well marks stay together in the groups that are made for grading."""
    table("corpus", "marks known:", "questions:", "answers:", "one mark for all:", "cards:",
          "in groups:", "right:", "right in groups:", "groups:", "warned:", "seconds:")  # fmt: skip
    questions: list[tuple[str | None, Cut]] = []
    for name in corpora():
        with opened(name) as (index, column):
            corpus = load_corpus(index, column)
        for known in (0.0, 0.5):
            rng = np.random.default_rng(0)
            started = time.perf_counter()
            cuts = []
            for question in range(len(corpus.names)):
                rows = np.flatnonzero((corpus.questions == question) & corpus.marks.graded)
                if len(rows):
                    cuts.append(cut_for_grading(corpus, rows, rng.random(len(rows)) < known))
                    if name == "SAF":
                        questions.append((corpus.names[question], cuts[-1]))
            total = {
                key: sum(getattr(cut, key) for cut in cuts) for key in Cut.__dataclass_fields__
            }
            seconds = time.perf_counter() - started
            print(f"| {name} | {known:.0%} | {len(cuts)} | {total['answers']:,} | "
                  f"{total['one_mark'] / total['answers']:.1%} | "
                  f"{total['cards'] / total['answers']:.0%} | "
                  f"{total['grouped'] / total['answers']:.0%} | "
                  f"{total['right'] / total['answers']:.1%} | "
                  f"{1 - (total['answers'] - total['right']) / total['grouped']:.1%} | "
                  f"{total['groups']:,} | {total['warned']} | "
                  f"{seconds:.1f} |", flush=True)  # fmt: skip
    table("SAF, question", "answers:", "one mark for all:", "cards:", "right:",
          "cards, half known:", "right:")  # fmt: skip
    half = len(questions) // 2
    for (question, cut), (_, known_cut) in zip(questions[:half], questions[half:], strict=True):
        print(f"| {question} | {cut.answers} | {cut.one_mark / cut.answers:.0%} | {cut.cards} | "
              f"{cut.right / cut.answers:.0%} | {known_cut.cards} | "
              f"{known_cut.right / cut.answers:.0%} |")  # fmt: skip


@dataclass
class Cut:
    """What the default groups of a question are worth, in numbers of answers."""

    answers: int
    cards: int  # groups and single answers
    grouped: int  # in groups of two or more
    right: int  # whose group's median mark, or most frequent label, is theirs
    one_mark: int  # the same with all answers in one group
    groups: int
    warned: int  # groups with a difference to be shown


def cut_for_grading(corpus: Corpus, rows: np.ndarray, known: np.ndarray) -> Cut:
    """Group the answers to a question, some of whose marks are known."""
    texts = [corpus.answers[row].text for row in rows.tolist()]
    marks = [corpus.marks.of(row) for row in rows.tolist()]
    some = [mark if shown else None for mark, shown in zip(marks, known.tolist(), strict=True)]
    tree = build_tree(texts, corpus.vectors[rows], marks=some)
    labels = tree.cut(tree.default)
    groups = [np.flatnonzero(labels == label) for label in range(labels.max(initial=-1) + 1)]
    alone = int((labels < 0).sum())
    right = alone + sum(agreeing(corpus.marks, rows[group]) for group in groups)
    warned = sum(bool(find_differences([texts[n] for n in group])) for group in groups)
    return Cut(len(rows), len(groups) + alone, len(rows) - alone, right,
               agreeing(corpus.marks, rows), len(groups), warned)  # fmt: skip


def agreeing(marks: Marks, rows: np.ndarray) -> int:
    """Count the answers whose mark is the median, or the most frequent label, of all of them."""
    if marks.kind == "labels":
        return int(np.bincount(marks.codes[rows]).max())
    numbers = np.array(marks.scale, float)[marks.codes[rows]]
    return int((np.abs(numbers - np.median(numbers)) <= marks.range / 10 + 1e-9).sum())


def main(parts: Sequence[str]) -> None:
    """Print the tables."""
    print(heading())
    runs: dict[str, Callable[[], None]] = dict(
        zip(PARTS, (unseen, few, sure, ways, audit, groups, cards), strict=True)
    )
    for part, run in runs.items():
        if part in parts:
            run()


if __name__ == "__main__":
    main(sys.argv[1:] or PARTS)
