"""The measurements on labelled pairs and on a corpus, for `compare_models`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain

import numpy as np

from searchkit.clustering.methods import k_means
from searchkit.core.arrays import Bool, Float64, Int64
from searchkit.core.errors import BadInput
from searchkit.core.messages import counted
from searchkit.core.metrics import average_precision, pearson, roc_auc, spearman, v_measure
from searchkit.core.records import Answer
from searchkit.evaluation.bootstrap import (
    ResampleMetrics,
    WeightedSeparation,
    weighted_pearson,
    weighted_ranks,
    weighted_v_measure,
)
from searchkit.evaluation.comparison import AnyArray, Measurement, Units, question_codes
from searchkit.evaluation.sampling import Pairs, QuestionPairs, cosines
from searchkit.grading.marks import read_marks


def correlation(labels: Float64, units: Int64) -> Measurement:
    """Return the correlations, Pearson's and Spearman's, of labels with a model's scores.

    Args:
        labels: `(n,)` labels that aren't all equal.
        units: `(n,)` the unit of each row.
    """

    def measure(scores: AnyArray) -> tuple[list[float], ResampleMetrics]:
        def on_resamples(counts: Float64) -> Float64:
            drawn = counts[:, units]
            spearmans = weighted_pearson(
                weighted_ranks(labels, drawn), weighted_ranks(scores, drawn), drawn
            )
            return np.column_stack([weighted_pearson(labels, scores, drawn), spearmans])

        return [pearson(labels, scores), spearman(labels, scores)], on_resamples

    return Measurement(("Pearson", "Spearman"), f"{len(labels):,} pairs", measure)


def separation(
    names: tuple[str, str], on: str, truth: Bool, units: Int64, weights: Float64 | None = None
) -> Measurement:
    """Return ROC AUC and average precision of a model's scores; see `WeightedSeparation`."""

    def measure(scores: AnyArray) -> tuple[list[float], ResampleMetrics]:
        values = [metric(truth, scores, weights) for metric in (roc_auc, average_precision)]
        return values, WeightedSeparation(truth, scores, units, weights).measure

    return Measurement(names, on, measure)


@dataclass(frozen=True, slots=True)
class AnswerCorpus:
    """Answers, and the measurements on them; the measurements take the vectors of texts.

    Attributes:
        answers: Answers that aren't blank.
        texts: `(n,)` the row of each answer's text among the vectors.
        questions: `(n,)` the question of each answer, from 0; one without a question has its own.
        has_question: `(n,)` whether an answer has a question.
        units: What is drawn in a resample.
        max_pairs: Of more pairs, a sample of this size is used.
        seed: Seed of samples and k-means.
        missing: Names of metrics that can't be measured, with the reason.
        notes: Notes for a reader.
    """

    answers: list[Answer]
    texts: Int64
    questions: Int64
    has_question: Bool
    units: Units
    max_pairs: int
    seed: int
    missing: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @classmethod
    def from_answers(
        cls, answers: list[Answer], texts: Int64, max_pairs: int, seed: int
    ) -> AnswerCorpus:
        """Group the answers by question."""
        names = [answer.question for answer in answers]
        has_question = np.array([bool(name) for name in names])
        units = Units.from_questions(names, "answer")
        corpus = cls(answers, texts, question_codes(names), has_question, units, max_pairs, seed)
        if has_question.any() and not has_question.all():
            corpus.notes.append(
                f"{counted(int((~has_question).sum()), 'answer')} without a question"
            )
        return corpus

    def same_question(self) -> list[Measurement]:
        """Return how well pairs of answers to the same question are told from other pairs."""
        names = ("same question: AUC", "same question: average precision")
        rows = np.flatnonzero(self.has_question)
        sizes = np.bincount(self.questions[rows], minlength=1)
        if not len(rows):
            return self._without(names, "no answer has a question")
        if sizes.max() == len(rows):
            return self._without(names, "all answers are to one question")
        if sizes.max() < 2:
            return self._without(names, "no question has two answers")
        pairs = QuestionPairs(self.questions[rows], self.seed)
        total = len(rows) * (len(rows) - 1) // 2
        max_pairs = self.max_pairs if total <= self.max_pairs else self.max_pairs // 2
        same, different = pairs.same_question(max_pairs), pairs.different_questions(max_pairs)
        on = f"{_describe(same, 'of one question')}, {_describe(different, 'of two')}"
        return [self._separation_of_pairs(names, on, rows, same, different)]

    def copies_apart(self, copies: Sequence[tuple[str, str]], known: set[str]) -> list[Measurement]:
        """Return how well copies are told from the other pairs of their questions.

        Args:
            copies: Ids of copy and source, also of blank answers.
            known: Ids of all answers, including blank ones.
        """
        names = ("copies: AUC", "copies: average precision")
        pairs = self._rows_of(copies, known)
        if not len(pairs):
            return self._without(names, "no two answers to one question are copies")
        rows = np.flatnonzero(np.isin(self.questions, self.questions[pairs[:, 0]]))
        others = QuestionPairs(self.questions[rows], self.seed).same_question(self.max_pairs)
        codes = (len(self.answers), 1)
        inside = np.column_stack([rows[others.left], rows[others.right]])
        is_other = ~np.isin(inside @ codes, pairs @ codes)
        if not is_other.any():
            return self._without(names, "their questions have no other pairs")
        at = np.searchsorted(rows, pairs)
        positive = Pairs(at[:, 0], at[:, 1], np.ones(len(at)), len(at))
        negative = Pairs(
            others.left[is_other],
            others.right[is_other],
            others.weights[is_other],
            others.total - len(at),
        )
        negatives = _describe(negative, "else of their questions")
        on = f"{_describe(positive, 'that are copies')}, {negatives}"
        return [self._separation_of_pairs(names, on, rows, positive, negative)]

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

    def _separation_of_pairs(
        self, names: tuple[str, str], on: str, rows: Int64, positive: Pairs, negative: Pairs
    ) -> Measurement:
        """Return how well the cosine tells some pairs of `rows` from others."""
        left = rows[np.concatenate([positive.left, negative.left])]
        right = rows[np.concatenate([positive.right, negative.right])]
        truth = np.arange(len(left)) < len(positive.left)
        weights = np.concatenate([positive.weights, negative.weights])
        units = np.column_stack([self.units.codes[left], self.units.codes[right]])
        cosine_separation = separation(names, on, truth, units, weights)

        def measure(vectors: AnyArray) -> tuple[list[float], ResampleMetrics]:
            return cosine_separation.measure(cosines(vectors, self.texts[left], self.texts[right]))

        return Measurement(names, on, measure)

    def clusters_and_labels(self, column: str) -> list[Measurement]:
        """Return the V-measure of clusters and labels within questions, or over all answers."""
        marks = read_marks(self.answers, column, "labels")
        name = f"V-measure, {column}"
        within = self.questions if self.has_question.any() else np.zeros_like(self.questions)
        groups = [np.flatnonzero(marks.graded & (within == group)) for group in np.unique(within)]
        groups = [rows for rows in groups if len(np.unique(marks.codes[rows])) > 1]
        if not groups:
            where = "to a question" if self.has_question.any() else "that have one"
            return self._without([name], f"all answers {where} have the same label")
        labels = [np.unique(marks.codes[rows], return_inverse=True)[1] for rows in groups]
        sizes = [len(rows) for rows in groups]

        def measure(vectors: AnyArray) -> tuple[list[float], ResampleMetrics]:
            clusters = [
                k_means(vectors[self.texts[rows]], int(codes.max()) + 1, seed=self.seed).labels
                for rows, codes in zip(groups, labels, strict=True)
            ]
            values = [v_measure(*both) for both in zip(labels, clusters, strict=True)]

            def on_resamples(counts: Float64) -> Float64:
                drawn = [counts[:, self.units.codes[rows]] for rows in groups]
                resampled = [
                    weighted_v_measure(*group)
                    for group in zip(labels, clusters, drawn, strict=True)
                ]
                return _weighted_mean(resampled, [counts.sum(axis=1) for counts in drawn])

            return [float(np.average(values, weights=sizes))], on_resamples

        on = f"{sum(sizes):,} answers" + (
            f" in {len(sizes):,} questions" * bool(self.has_question.any())
        )
        return [Measurement((name,), on, measure)]

    def _without(self, names: Sequence[str], why: str) -> list[Measurement]:
        self.missing.update(dict.fromkeys(names, why))
        return []


def _weighted_mean(values: Sequence[Float64], weights: Sequence[Float64]) -> Float64:
    """Return `(b, 1)` the weighted mean over groups in each resample; NaN if all weights are 0."""
    each, sizes = np.stack(values), np.stack(weights)  # (groups, b)
    total = sizes.sum(axis=0)
    mean: Float64 = np.nansum(each * sizes, axis=0) / np.where(total > 0, total, np.nan)
    return mean[:, None]


def _describe(pairs: Pairs, which: str) -> str:
    what = f"{pairs.total:,} pairs {which}"
    return f"{what} (a sample of {len(pairs.left):,})" if pairs.is_sampled else what
