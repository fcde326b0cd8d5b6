"""Nested groups of the answers to one question, from those that say the same to one topic.

Two answers are near where their vectors are, where they use the same words, and where they are
about as long and deny about as much; a claim that sets apart otherwise like answers keeps them
apart. The weights, and how coarse the groups for grading may be, were learned from the marks of two
published corpora (docs/figures/grading.md): answers in a group should deserve the same mark.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from searchkit.core.arrays import Float32, Float64, Int64, centred
from searchkit.grading.groups.claims import count_negations
from searchkit.grading.groups.differences import opposed_rows
from searchkit.grading.records import Mark
from searchkit.text.words import split_words

LEVELS = 20
MAX_TREE_ROWS = 5_000  # of more answers, the others join the most similar one of these
CARDS_SHARE = 0.44  # groups and single answers for grading, of few answers
FEW_ANSWERS = 90
LENGTH_WEIGHT, NEGATION_WEIGHT = 0.6, 0.2  # beside 1 for vectors, centred vectors and words
OPPOSED_DISTANCE = 1.0  # least distance of two answers that a claim sets apart; 1 is the mean
MAX_PARTS = 4_096  # parts of words, the most frequent ones
MIN_GRADED = 20  # known marks that tell how coarse the groups of a question may be
MIN_TOGETHER = 0.9  # share of answers whose group's mark is theirs, where known marks tell
TOLERANCE = 0.1  # share of the range of the marks within which two numbers are the same mark
ALONE = -1  # the group of an answer that stands alone
SAME_DISTANCE = 0.1  # within it, answers say nearly the same word for word


@dataclass(frozen=True, slots=True)
class AnswerTree:
    """Nested groups of the answers to one question, from the finest to the coarsest.

    Attributes:
        rows: The number of answers, `n`.
        merges: `(m, 2)` the nodes that are joined, most similar first, as in scipy's linkage: a
            node below `n` is a row, and node `n + i` the result of merge `i`.
        counts: `(levels,)` the number of merges that have been made at each level.
        default: The level for grading.
    """

    rows: int
    merges: Int64
    counts: Int64
    default: int

    @property
    def levels(self) -> int:
        """The number of levels, which are numbered from 0, the finest."""
        return len(self.counts)

    def cut(self, level: int) -> Int64:
        """Return `(n,)` the group of each answer at a level; -1 for an answer that stands alone.

        Groups are numbered from 0, the largest first; of equally large ones, that with the first
        answer. What is together at a level is together at every coarser one.
        """
        return _number(_join(self.rows, self.merges[: int(self.counts[level])]))


def build_tree(
    texts: Sequence[str], vectors: Float32, *, marks: Sequence[Mark | None] | None = None
) -> AnswerTree:
    """Group the answers to one question at every level; the same input gives the same groups.

    Args:
        texts: The answers, without references.
        vectors: `(n, d)` unit rows, one for each whole answer.
        marks: The marks that are known, numbers or labels, which tell how coarse groups may be;
            None for an answer without one. `MIN_GRADED` of them are needed.
    """
    if len(texts) < 2:
        return AnswerTree(len(texts), np.empty((0, 2), np.int64), np.zeros(LEVELS, np.int64), 0)
    merges, heights = _merge_many(texts, vectors)
    cards = _card_counts(heights, len(texts))
    default = int(np.argmin(np.abs(cards - choose_cards(len(texts)))))
    tree = AnswerTree(len(texts), merges, len(texts) - cards, default)
    if marks is None or sum(mark is not None for mark in marks) < MIN_GRADED:
        return tree
    return replace(tree, default=_level_of_marks(tree, marks))


def _merge_many(texts: Sequence[str], vectors: Float32) -> tuple[Int64, Float64]:
    """Return the merges of all answers, most similar first, and how unlike what they join is.

    Above `MAX_TREE_ROWS`, each answer of the others is joined with the most similar one of a sample
    before anything else.
    """
    count = len(texts)
    if count <= MAX_TREE_ROWS:
        return _merge(answer_distances(texts, vectors))
    sample = np.sort(np.random.default_rng(0).choice(count, MAX_TREE_ROWS, replace=False))
    merges, heights = _merge(answer_distances([texts[n] for n in sample], vectors[sample]))
    others = np.setdiff1d(np.arange(count), sample)
    nearest = np.concatenate(
        [
            (vectors[rows] @ vectors[sample].T).argmax(axis=1)
            for rows in np.array_split(others, -(-len(others) // 1000))
        ]
    )
    node = sample.copy()  # of each sampled row
    joins = np.empty((len(others), 2), np.int64)
    for number, (row, near) in enumerate(zip(others.tolist(), nearest.tolist(), strict=True)):
        joins[number] = node[near], row
        node[near] = count + number
    later = np.where(merges < len(sample), 0, merges - len(sample) + count + len(others))
    merges = np.where(merges < len(sample), node[np.minimum(merges, len(sample) - 1)], later)
    return np.concatenate([joins, merges]), np.concatenate([np.zeros(len(others)), heights])


def _merge(distances: Float32) -> tuple[Int64, Float64]:
    """Return the merges of average linkage, most similar first, and their heights."""
    from scipy.cluster.hierarchy import linkage
    from scipy.spatial.distance import squareform

    joined = linkage(squareform(distances, checks=False), "average")
    return joined[:, :2].astype(np.int64), joined[:, 2]


def _level_of_marks(tree: AnswerTree, marks: Sequence[Mark | None]) -> int:
    """Return the coarsest level, from the default one on, at which known marks stay together."""
    graded = np.array([row for row, mark in enumerate(marks) if mark is not None], np.int64)
    known = [mark for mark in marks if mark is not None]
    for level in range(tree.levels - 1, tree.default, -1):
        labels = tree.cut(level)
        alone = float((labels == ALONE).mean())
        agree = _agreement(labels[graded], known)
        if agree is not None and alone + (1 - alone) * agree >= MIN_TOGETHER:
            return level
    return tree.default


def _agreement(labels: Int64, marks: Sequence[Mark]) -> float | None:
    """Return the share of marks that the other marks of their groups say; None without such."""
    agreeing = []
    is_number = all(isinstance(mark, int | float) for mark in marks)
    numbers = np.array(marks, np.float64) if is_number else np.unique(marks, return_inverse=True)[1]
    tolerance = TOLERANCE * float(np.ptp(numbers)) + 1e-9 if is_number else 0
    for label in range(int(labels.max(initial=ALONE)) + 1):
        group = numbers[labels == label]
        for n in range(len(group) if len(group) > 1 else 0):
            others = np.delete(group, n)
            middle = np.median(others) if is_number else np.bincount(others).argmax()
            agreeing.append(abs(group[n] - middle) <= tolerance)
    return float(np.mean(agreeing)) if len(agreeing) >= MIN_GRADED // 2 else None


def choose_cards(count: int) -> int:
    """Return how many groups and single answers are good to grade, of a number of answers."""
    few = min(count, FEW_ANSWERS)
    return max(1, int(CARDS_SHARE * few * (max(count, 1) / max(few, 1)) ** 0.5))


def _card_counts(heights: Float64, count: int) -> Int64:
    """Return `(levels,)` the number of cards at each level, descending.

    The first level joins only what is nearly the same, the last all that is nearer than two answers
    usually are; one of those between them has the number of cards for grading.
    """
    most = count - int((heights <= SAME_DISTANCE).sum())
    fewest = min(most, count - int((heights < 1).sum()))
    cards = np.geomspace(most, max(1, fewest), LEVELS).round().astype(np.int64)
    wanted = min(max(choose_cards(count), int(cards[-1])), most)
    cards[np.argmin(np.abs(cards - wanted))] = wanted
    return cards


def answer_distances(texts: Sequence[str], vectors: Float32) -> Float32:
    """Return `(n, n)` how unlike each two answers are; 1 is the mean of all pairs.

    Args:
        texts: The answers.
        vectors: `(n, d)` unit rows.
    """
    words = [tuple(split_words(text).tokens) for text in texts]
    relative = centred(vectors, np.ones(len(texts)))
    lengths = np.log1p([len(answer) for answer in words])
    negations = np.minimum([count_negations(text) for text in texts], 3)
    total = np.zeros((len(texts), len(texts)), np.float32)
    total += _in_means(1 - vectors @ vectors.T)
    total += _in_means(1 - relative @ relative.T)
    total += _in_means(_spelling_distances(words))
    for weight, values in ((LENGTH_WEIGHT, lengths), (NEGATION_WEIGHT, negations)):
        column = np.asarray(values, np.float32)
        total += weight * _in_means(np.abs(column[:, None] - column[None]))
    total = _in_means(total)
    left, right = opposed_rows(texts)
    total[left, right] = np.maximum(total[left, right], OPPOSED_DISTANCE)
    total[right, left] = np.maximum(total[right, left], OPPOSED_DISTANCE)
    numbers: dict[tuple[str, ...], int] = {}
    equal = np.array([numbers.setdefault(answer, len(numbers)) for answer in words])
    total[equal[:, None] == equal[None]] = 0
    return total


def _in_means(distances: Float32) -> Float32:
    """Return distances as multiples of their mean over all pairs of different rows."""
    np.maximum(distances, 0, out=distances)
    np.fill_diagonal(distances, 0)
    mean = float(distances.sum(dtype=np.float64)) / (len(distances) * (len(distances) - 1))
    return distances / np.float32(mean) if mean > 1e-6 else np.zeros_like(distances)


def _spelling_distances(words: Sequence[Sequence[str]]) -> Float32:
    """Return `(n, n)` 1 minus the cosine of texts as weighted parts of words."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectorizer = TfidfVectorizer(
        analyzer="char_wb",
        ngram_range=(3, 5),
        lowercase=False,
        sublinear_tf=True,
        max_features=MAX_PARTS,
        dtype=np.float32,
    )
    try:
        parts = vectorizer.fit_transform([" ".join(answer) for answer in words]).toarray()
    except ValueError:  # no text has a word
        return np.zeros((len(words), len(words)), np.float32)
    distances: Float32 = 1 - parts @ parts.T
    return distances


def _join(rows: int, merges: Int64) -> Int64:
    """Return `(n,)` the component of each row after some merges."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    joins = rows + np.arange(len(merges))
    edges = (merges.ravel(), np.repeat(joins, 2))
    nodes = rows + len(merges)
    linked = coo_array((np.ones(2 * len(merges), bool), edges), (nodes, nodes))
    labels: Int64 = connected_components(linked, directed=False)[1][:rows].astype(np.int64)
    return labels


def _number(labels: Int64) -> Int64:
    """Return labels numbered from 0 by size, then by the first row; -1 for a single row."""
    _, first, inverse, sizes = np.unique(
        labels, return_index=True, return_inverse=True, return_counts=True
    )
    order = np.lexsort((first, -sizes))
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    return np.where(sizes[inverse] > 1, place[inverse], ALONE)
