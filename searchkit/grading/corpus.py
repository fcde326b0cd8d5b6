"""What the graded answers of an index teach: marks for others, and how sure they are."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from searchkit.core.arrays import Float32, Float64, Int64
from searchkit.core.errors import BadInput
from searchkit.core.records import Answer
from searchkit.core.where import Where
from searchkit.grading.calibration import Calibrator, Usual
from searchkit.grading.grader import Estimates, Examples, Grader
from searchkit.grading.marks import Grid, Kind, Marks, check_learnable, read_marks
from searchkit.grading.records import Mark
from searchkit.index.base import BaseIndex
from searchkit.text.words import Words, split_words

SLACK = 1e-6  # suggested numbers are rounded to six places


@dataclass(frozen=True, slots=True)
class Corpus:
    """The answers that are not blank, in order of their ids, with all that grading looks at.

    Attributes:
        answers: All of them.
        vectors: `(n, d)` unit rows, of the whole answers.
        names: Of the questions.
        questions: `(n,)` place of each answer's question in `names`.
        references: `(n,)` whether it is a reference answer.
        traits: `(n, t)`; see `traits`.
        marks: Of all.
    """

    answers: list[Answer]
    vectors: Float32
    names: list[str | None]
    questions: Int64
    references: NDArray[np.bool_]
    traits: Float64
    marks: Marks

    def examples(self, rows: Int64, marks: Marks | None = None) -> Examples:
        """Return some answers as examples to learn from, with other marks if need be."""
        targets = (marks or self.marks).targets()
        return Examples(self.vectors[rows], self.traits[rows], self.questions[rows], targets[rows])


def load(index: BaseIndex, column: str, kind: Kind | None = None) -> Corpus:
    """Read an index for grading.

    Raises:
        BadInput: if the column can't be used; see `read_marks` and `check_learnable`.
    """
    pairs = sorted(index.iter_vectors(), key=lambda pair: pair[0].id)
    answers = [answer for answer, _ in pairs]
    marks = read_marks(answers, column, kind)
    check_learnable(marks)
    vectors = np.stack([vector for _, vector in pairs])
    names = sorted({a.question for a in answers}, key=lambda name: (name is not None, name or ""))
    place = {name: n for n, name in enumerate(names)}
    questions = np.array([place[answer.question] for answer in answers], np.int64)
    references = np.array([answer.is_reference for answer in answers], bool)
    words = [split_words(answer.text) for answer in answers]
    measured = traits(words, vectors, questions, references)
    return Corpus(answers, vectors, names, questions, references, measured, marks)


def chosen(index: BaseIndex, corpus: Corpus, where: Where) -> NDArray[np.bool_]:
    """Say of each answer whether the filter allows it."""
    ids = set(index.ids(where))
    return np.array([answer.id in ids for answer in corpus.answers], bool)


class Learned:
    """A grader with what its estimates stand for, and what its confidence means."""

    def __init__(self, corpus: Corpus, marks: Marks, tolerance: float) -> None:
        self.corpus, self.marks, self.tolerance = corpus, marks, tolerance
        self.rows = np.flatnonzero(marks.graded)
        self.grader = Grader.fit(corpus.examples(self.rows, marks))
        self._grids: dict[int, Grid] = {}
        self._usual: dict[bool, Usual] = {}
        self._calibrators: dict[bool, Calibrator] = {}
        known = [(self.rows[rows], found) for rows, found in self.grader.left_out()]
        for own in (True, False):
            some = [(rows, found) for rows, found in known if found.own == own]
            if some:
                self._calibrate(some, own=own)

    def _calibrate(self, known: list[tuple[Int64, Estimates]], *, own: bool) -> None:
        rows = np.concatenate([rows for rows, _ in known])
        codes, questions = self.marks.codes[rows], self.corpus.questions[rows]
        if self.marks.kind == "numbers":
            scale = np.array(self.marks.scale, np.float64)
            values = np.concatenate([found.values[:, 0] for _, found in known])
            self._usual[own] = Usual.fit(values, codes, questions, scale, own=own)
        signals, outcomes = [], []
        for some, found in known:
            question = int(self.corpus.questions[some[0]])
            marks, sure = self._read(question, found, self.marks.codes[some])
            signals.append(sure)
            given = [self.marks.of(row) for row in some.tolist()]
            outcomes.append(right(given, marks, self.tolerance))
        self._calibrators[own] = Calibrator.fit(np.vstack(signals), np.concatenate(outcomes))

    def _read(
        self, question: int, found: Estimates, besides: Int64 | None = None
    ) -> tuple[list[Mark], Float64]:
        """Return the marks that estimates stand for, and all that tells how sure they are."""
        grid = self.grid(question)
        if self.marks.kind == "labels":
            return grid.nearest(found.values), found.signals
        usual = self._usual[found.own]
        marks, near = usual.marks(found.values[:, 0], question, self.tolerance, besides)
        marks = np.where(found.equal, found.values[:, 0], marks)
        return grid.nearest(marks[:, None]), np.column_stack([found.signals, near])

    def left_out(self) -> Iterator[tuple[Int64, list[Mark], Estimates]]:
        """Judge the graded answers by the others to the same question.

        Yields:
            For each question rows of the corpus, marks and what is behind them.
        """
        for rows, found in self.grader.left_out():
            if found.own:
                true = self.rows[rows]
                question = int(self.corpus.questions[true[0]])
                marks, _ = self._read(question, found, self.marks.codes[true])
                yield true, marks, found

    def grid(self, question: int) -> Grid:
        """Return the marks that may be suggested for a question."""
        if question not in self._grids:
            rows = self.rows[self.corpus.questions[self.rows] == question]
            self._grids[question] = self.marks.within(rows)
        return self._grids[question]

    def suggest(self, question: int, rows: Int64) -> tuple[list[Mark], Float64, Estimates]:
        """Return marks, confidences and what is behind them for answers to a question."""
        found = self.grader.estimate(question, self.corpus.vectors[rows], self.corpus.traits[rows])
        marks, signals = self._read(question, found)
        return marks, self._calibrators[found.own].probability(signals), found


def check_tolerance(marks: Marks, tolerance: float | None) -> float:
    """Return how far from the grader's mark a number still counts as right; 0 for labels.

    Args:
        marks: Of the column.
        tolerance: As asked for; None: a tenth of the range of the marks.

    Raises:
        BadInput: if it is negative or not finite, or the marks are labels.
    """
    if tolerance is not None and not 0 <= tolerance < np.inf:
        raise BadInput(f"--tolerance must be 0 or more, not {tolerance}")
    if marks.kind == "labels":
        if tolerance is not None:
            raise BadInput(f"--tolerance is for numbers; the marks in {marks.column} are labels")
        return 0.0
    return round(marks.range / 10, 6) if tolerance is None else tolerance


def right(
    given: Sequence[Mark | None], suggested: Sequence[Mark], tolerance: float
) -> NDArray[np.bool_]:
    """Say of each suggestion whether it is the grader's mark, or a number within the tolerance."""
    return np.array(
        [
            abs(g - s) <= tolerance + SLACK
            if isinstance(g, float) and isinstance(s, float)
            else g == s
            for g, s in zip(given, suggested, strict=True)
        ],
        bool,
    )


NAMES = (
    "cosine with the nearest reference",
    "share of a reference's words that it has",
    "share of its words that a reference has",
    "length",
    "length against the references'",
)


def traits(
    words: Sequence[Words],
    vectors: Float32,
    questions: Int64,
    references: NDArray[np.bool_],
) -> Float64:
    """Measure each answer against the reference answers to its question.

    Where a question has none, the typical answer stands for one: the mean of all, and the words
    that most of them have. Words weigh by how few answers of the corpus have them.

    Args:
        words: Of each answer.
        vectors: `(n, d)` unit rows, of the whole answers.
        questions: `(n,)` number of the question of each.
        references: `(n,)` whether it is a reference answer.

    Returns:
        `(n, 5)`, in the order of `NAMES`; lengths as logarithms of words.
    """
    said = [frozenset(one.hashes.tolist()) for one in words]
    lengths = np.log1p([len(one) for one in words])
    having = Counter(word for one in said for word in one)
    weight = {word: float(np.log1p(len(said) / count)) for word, count in having.items()}
    members: dict[int, list[int]] = defaultdict(list)
    for row, question in enumerate(questions.tolist()):
        members[question].append(row)
    found = np.zeros((len(said), len(NAMES)))
    for some in members.values():
        rows = np.array(some)
        models = rows[references[rows]]
        if len(models):
            meanings, texts = vectors[models], [said[row] for row in models]
            length = float(lengths[models].mean())
        else:
            meanings = vectors[rows].mean(axis=0, keepdims=True)
            meanings /= max(float(np.linalg.norm(meanings)), 1e-9)
            texts = [_usual([said[row] for row in some])]
            length = float(np.median(lengths[rows]))
        found[rows, 0] = (vectors[rows] @ meanings.T).max(axis=1)
        for row in some:
            found[row, 1] = max(_share(text, said[row], weight) for text in texts)
            found[row, 2] = max(_share(said[row], text, weight) for text in texts)
        found[rows, 3] = lengths[rows]
        found[rows, 4] = lengths[rows] - length
    return found


def _usual(texts: Sequence[Set[int]]) -> frozenset[int]:
    """Return the words of a text as long as most are, made of what is in most."""
    having = Counter(word for text in texts for word in text)
    size = int(np.median([len(text) for text in texts]))
    order = sorted(having, key=lambda word: (-having[word], word))
    return frozenset(order[:size])


def _share(wanted: Set[int], there: Set[int], weight: Mapping[int, float]) -> float:
    total = sum(weight[word] for word in wanted)
    return sum(weight[word] for word in wanted & there) / total if total else 0.0
