"""Yardsticks: what models are measured by, as parts that `compare_models` puts together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from searchkit.clustering.methods import k_means
from searchkit.core.arrays import Float64, Int64
from searchkit.core.errors import BadInput
from searchkit.core.metrics import average_precision, pearson, roc_auc, spearman, v_measure
from searchkit.core.records import Answer
from searchkit.core.wording import counted
from searchkit.evaluation.bootstrap import (
    Measure,
    WeightedSeparation,
    ranks,
    weighted_pearson,
    weighted_v_measure,
)
from searchkit.evaluation.comparison import Array, Part, Units, question_codes
from searchkit.evaluation.sampling import Pairs, QuestionPairs, cosines
from searchkit.grading.marks import read_marks

Truths = NDArray[np.bool_]


def correlation(labels: Float64, units: Int64) -> Part:
    """Return Pearson and Spearman of `(n,)` labels that vary, for the scores of a model."""

    def of(scores: Array) -> tuple[list[float], Measure]:
        def measure(counts: Float64) -> Float64:
            drawn = counts[:, units]
            places = weighted_pearson(ranks(labels, drawn), ranks(scores, drawn), drawn)
            return np.column_stack([weighted_pearson(labels, scores, drawn), places])

        return [pearson(labels, scores), spearman(labels, scores)], measure

    return Part(("Pearson", "Spearman"), f"{len(labels):,} pairs", of)


def separation(
    names: tuple[str, str], on: str, truth: Truths, units: Int64, weights: Float64 | None = None
) -> Part:
    """Return ROC AUC and average precision for the scores of a model; see `WeightedSeparation`."""

    def of(scores: Array) -> tuple[list[float], Measure]:
        values = [figure(truth, scores, weights) for figure in (roc_auc, average_precision)]
        return values, WeightedSeparation(truth, scores, units, weights).figures

    return Part(names, on, of)


@dataclass(frozen=True, slots=True)
class Answers:
    """Answers that are not blank, and what can be measured on them; a model gives text vectors.

    Attributes:
        answers: All of them.
        texts: `(n,)` the row of each one's text among the vectors.
        questions: `(n,)` from 0; each answer without a question is on its own.
        asked: `(n,)` whether an answer has a question.
        units: What is drawn.
        most: Pairs that are looked at.
        seed: Of samples and k-means.
        missing: What can't be measured, and why.
        notes: What a reader should know.
    """

    answers: list[Answer]
    texts: Int64
    questions: Int64
    asked: Truths
    units: Units
    most: int
    seed: int
    missing: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, answers: list[Answer], texts: Int64, most: int, seed: int) -> Answers:
        """Find the questions."""
        names = [answer.question for answer in answers]
        asked = np.array([bool(name) for name in names])
        units = Units.of(names, "answer")
        corpus = cls(answers, texts, question_codes(names), asked, units, most, seed)
        if asked.any() and not asked.all():
            corpus.notes.append(f"{counted(int((~asked).sum()), 'answer')} without a question")
        return corpus

    def same_question(self) -> list[Part]:
        """Set the pairs of one question apart from those of two."""
        names = ("same question: AUC", "same question: average precision")
        rows = np.flatnonzero(self.asked)
        sizes = np.bincount(self.questions[rows], minlength=1)
        if not len(rows):
            return self._without(names, "no answer has a question")
        if sizes.max() == len(rows):
            return self._without(names, "all answers are to one question")
        if sizes.max() < 2:
            return self._without(names, "no question has two answers")
        contrast = QuestionPairs(self.questions[rows], self.seed)
        total = len(rows) * (len(rows) - 1) // 2
        most = self.most if total <= self.most else self.most // 2
        one, two = contrast.same_question(most), contrast.different_questions(most)
        on = f"{_many(one, 'of one question')}, {_many(two, 'of two')}"
        return [self._told_apart(names, on, rows, one, two)]

    def copied(self, copies: Sequence[tuple[str, str]], known: set[str]) -> list[Part]:
        """Set (copy, source) ids apart from the other pairs of their questions.

        Args:
            copies: Of answers that may be blank.
            known: The ids of all answers, blank ones as well.
        """
        names = ("copies: AUC", "copies: average precision")
        pairs = self._rows_of(copies, known)
        if not len(pairs):
            return self._without(names, "no two answers to one question are copies")
        rows = np.flatnonzero(np.isin(self.questions, self.questions[pairs[:, 0]]))
        others = QuestionPairs(self.questions[rows], self.seed).same_question(self.most)
        codes = (len(self.answers), 1)
        inside = np.column_stack([rows[others.left], rows[others.right]])
        rest = ~np.isin(inside @ codes, pairs @ codes)
        if not rest.any():
            return self._without(names, "their questions have no other pairs")
        at = np.searchsorted(rows, pairs)
        positive = Pairs(at[:, 0], at[:, 1], np.ones(len(at)), len(at))
        negative = Pairs(
            others.left[rest], others.right[rest], others.weights[rest], others.total - len(at)
        )
        on = f"{_many(positive, 'that are copies')}, {_many(negative, 'else of their questions')}"
        return [self._told_apart(names, on, rows, positive, negative)]

    def _rows_of(self, copies: Sequence[tuple[str, str]], known: set[str]) -> Int64:
        """Return `(p, 2)` rows of copies to one question, each pair once, the lower row first."""
        row = {answer.id: n for n, answer in enumerate(self.answers)}
        if len(row) < len(self.answers):
            raise BadInput("two answers have the same id, so that copies can't be told by it")
        for name in chain.from_iterable(copies):
            if name not in known:
                raise BadInput(f"no answer {name!r}, which is listed among the copies")
        pairs = sorted(
            {
                (min(row[a], row[b]), max(row[a], row[b]))
                for a, b in copies
                if a in row and b in row and self.questions[row[a]] == self.questions[row[b]]
            }
        )
        if len(pairs) < len(copies):
            left_out = len(copies) - len(pairs)
            self.notes.append(
                f"{left_out:,} of the copies left out: blank, of two questions or listed twice"
            )
        return np.array(pairs, np.int64).reshape(-1, 2)

    def _told_apart(
        self, names: tuple[str, str], on: str, rows: Int64, positive: Pairs, negative: Pairs
    ) -> Part:
        """Set some pairs of `rows` apart from others by their cosine."""
        left = rows[np.concatenate([positive.left, negative.left])]
        right = rows[np.concatenate([positive.right, negative.right])]
        truth = np.arange(len(left)) < len(positive.left)
        weights = np.concatenate([positive.weights, negative.weights])
        units = np.column_stack([self.units.codes[left], self.units.codes[right]])
        part = separation(names, on, truth, units, weights)

        def of(vectors: Array) -> tuple[list[float], Measure]:
            return part.of(cosines(vectors, self.texts[left], self.texts[right]))

        return Part(names, on, of)

    def grouped(self, column: str) -> list[Part]:
        """Compare clusters with labels, within each question, or over all where there is none."""
        marks = read_marks(self.answers, column, "labels")
        name = f"V-measure, {column}"
        within = self.questions if self.asked.any() else np.zeros_like(self.questions)
        groups = [np.flatnonzero(marks.graded & (within == group)) for group in np.unique(within)]
        groups = [rows for rows in groups if len(np.unique(marks.codes[rows])) > 1]
        if not groups:
            where = "to a question" if self.asked.any() else "that have one"
            return self._without([name], f"all answers {where} have the same label")
        labels = [np.unique(marks.codes[rows], return_inverse=True)[1] for rows in groups]
        sizes = [len(rows) for rows in groups]

        def of(vectors: Array) -> tuple[list[float], Measure]:
            found = [
                k_means(vectors[self.texts[rows]], int(some.max()) + 1, seed=self.seed).labels
                for rows, some in zip(groups, labels, strict=True)
            ]
            each = [v_measure(*both) for both in zip(labels, found, strict=True)]

            def measure(counts: Float64) -> Float64:
                drawn = [counts[:, self.units.codes[rows]] for rows in groups]
                figures = [
                    weighted_v_measure(*some) for some in zip(labels, found, drawn, strict=True)
                ]
                return _mean(figures, [some.sum(axis=1) for some in drawn])

            return [float(np.average(each, weights=sizes))], measure

        on = f"{sum(sizes):,} answers" + (f" in {len(sizes):,} questions" * bool(self.asked.any()))
        return [Part((name,), on, of)]

    def _without(self, names: Sequence[str], why: str) -> list[Part]:
        self.missing.update(dict.fromkeys(names, why))
        return []


def _mean(figures: Sequence[Float64], weights: Sequence[Float64]) -> Float64:
    """Return the weighted mean of groups in each resample: `(b, 1)`; NaN if all weigh 0."""
    each, sizes = np.stack(figures), np.stack(weights)  # (groups, b)
    total = sizes.sum(axis=0)
    mean: Float64 = np.nansum(each * sizes, axis=0) / np.where(total > 0, total, np.nan)
    return mean[:, None]


def _many(pairs: Pairs, which: str) -> str:
    what = f"{pairs.total:,} pairs {which}"
    return f"{what} (a sample of {len(pairs.left):,})" if pairs.is_sampled else what
