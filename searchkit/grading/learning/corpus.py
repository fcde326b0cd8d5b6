"""The answers of an index, as arrays that a grader learns from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from searchkit.core.arrays import Float32, Float64, Int64
from searchkit.core.errors import BadInput
from searchkit.core.records import Answer
from searchkit.core.where import EVERYTHING, Where
from searchkit.grading.kinds import other_kind, question_units
from searchkit.grading.learning.earlier import Pair, read_earlier
from searchkit.grading.learning.features import compute_features, relative_features
from searchkit.grading.learning.inputs import Examples, Inputs
from searchkit.grading.learning.words import character_ngrams
from searchkit.grading.marks import MarkKind, Marks, check_learnable, read_marks
from searchkit.grading.records import Mark
from searchkit.index.base import BaseIndex
from searchkit.plagiarism.preparation import prompt_of
from searchkit.text.words import split_words


@dataclass(frozen=True, slots=True)
class Corpus:
    """The answers that are not blank, in order of their ids.

    Attributes:
        answers: The answers; `n` below is their number.
        inputs: The answers as arrays.
        names: The names of the questions; None for the answers without one.
        questions: `(n,)` position of each answer's question in `names`.
        references: `(n,)` whether the answer is a reference answer.
        marks: The marks of all answers. Numbers of questions that give fewer points than others
            are on the scale of these; see `points`.
        units: `(q,)` how many points of a question are one of these marks.
        earlier: `(n,)` whether the answer is from an earlier index.
        weights: See `Examples`; None without earlier indexes.
    """

    answers: list[Answer]
    inputs: Inputs
    names: list[str | None]
    questions: Int64
    references: NDArray[np.bool_]
    marks: Marks
    units: Float64
    earlier: NDArray[np.bool_]
    weights: Float64 | None = None

    @property
    def vectors(self) -> Float32:
        """`(n, d)` unit rows, one for each whole answer."""
        return self.inputs.vectors

    def points(self, question: int, mark: Mark) -> Mark:
        """Return a mark as the question's graders write it."""
        unit = float(self.units[question])
        return round(mark * unit, 6) if isinstance(mark, float) and unit != 1 else mark

    def mark(self, row: int) -> Mark | None:
        """Return the mark of the answer in a row as its graders wrote it."""
        mark = self.marks.of(row)
        return None if mark is None else self.points(int(self.questions[row]), mark)

    def examples(self, rows: Int64, marks: Marks | None = None) -> Examples:
        """Return the answers in some rows as examples to learn from.

        Args:
            rows: The rows.
            marks: Marks of all answers to use instead of the corpus's own.
        """
        targets = (marks or self.marks).targets()
        return Examples(self.inputs.take(rows), self.questions[rows], targets[rows], self.weights)


def load_corpus(
    index: BaseIndex,
    column: str,
    kind: MarkKind | None = None,
    where: Where = EVERYTHING,
    *,
    earlier: Sequence[BaseIndex] = (),
    may_be_empty: bool = False,
) -> Corpus:
    """Read an index for grading.

    Args:
        index: Open for reading or writing.
        column: The column with the marks.
        kind: What marks are; None: numbers if all can be read as numbers.
        where: Which of an author's attempts at a question to read, the latest if it doesn't say,
            and which question is asked about: those with marks of another kind are left out.
        earlier: Indexes of earlier answers to learn from; see `read_earlier`.
        may_be_empty: Whether the column can have no mark, or no two that differ.

    Raises:
        BadInput: if the column can't be used; see `read_marks` and `check_learnable`.
        IndexMismatch: if an earlier index was made with another model.
    """
    asked, where = index.resolve(where).question, Where(attempts=where.attempts).with_attempts()
    own = sorted(index.iter_vectors(where), key=lambda pair: pair[0].id)
    if not own and may_be_empty:
        raise BadInput("there is no answer to mark; ingest some first")
    cohorts = read_earlier(index, earlier, own, column, where)
    parts = _of_one_kind([own, *(cohort.pairs for cohort in cohorts)], column, kind, asked)
    answers = [answer for part in parts for answer, _ in part]
    marks = read_marks(answers, column, kind, may_be_empty=may_be_empty)
    vectors = np.stack([vector for part in parts for _, vector in part])
    names = sorted({a.question for a in answers}, key=lambda name: (name is not None, name or ""))
    position = {name: n for n, name in enumerate(names)}
    questions = np.array([position[answer.question] for answer in answers], np.int64)
    units_of = question_units(index, answers, marks)
    units = np.array([units_of.get(name, 1.0) for name in names])
    marks = marks.over(units[questions])
    if len(marks.scale) > 1 or not may_be_empty:
        check_learnable(marks)
    references = np.array([answer.is_reference for answer in answers], bool)
    inputs = _inputs(answers, vectors, questions, references)
    origin = np.repeat(np.arange(-1, len(cohorts)), list(map(len, parts)))
    weights = None
    if earlier:
        in_cohort = origin[:, None] == np.arange(len(cohorts))
        inputs, weights = replace(inputs, cohorts=in_cohort.astype(float)), np.eye(len(names))
    for cohort in cohorts:
        for (question, other), weight in cohort.weights.items():
            if weights is not None and question in position and other in position:
                weights[position[question], position[other]] = weight
    return Corpus(answers, inputs, names, questions, references, marks, units, origin >= 0, weights)


def _of_one_kind(
    parts: Sequence[Sequence[Pair]], column: str, kind: MarkKind | None, asked: str | None
) -> list[list[Pair]]:
    """Return the answers to questions whose marks are of the kind that is asked for."""
    others = other_kind((answer for part in parts for answer, _ in part), column, kind, asked)
    return [[pair for pair in part if pair[0].question not in others] for part in parts]


def matching_rows(index: BaseIndex, corpus: Corpus, where: Where) -> NDArray[np.bool_]:
    """Return `(n,)` whether each answer of the corpus passes the filter."""
    ids = set(index.ids(where.with_attempts()))
    matching = np.array([answer.id in ids for answer in corpus.answers], bool)
    return matching & ~corpus.earlier


def _inputs(
    answers: list[Answer], vectors: Float32, questions: Int64, references: NDArray[np.bool_]
) -> Inputs:
    words = [split_words(answer.text) for answer in answers]
    ngrams = character_ngrams([answer.text for answer in answers])
    prompts = [prompt_of(answer) for answer in answers]
    features = compute_features(words, vectors, ngrams, questions, references, prompts)
    relative = relative_features(features, questions, references)
    return Inputs(vectors, features, relative, ngrams, np.empty((len(answers), 0)))
