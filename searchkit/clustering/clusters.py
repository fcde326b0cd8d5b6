"""Clusters of an index: the few different answers among the many."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, get_args

import numpy as np

from searchkit.clustering import maps
from searchkit.clustering.keywords import KeywordText, cluster_keywords
from searchkit.clustering.layout import place
from searchkit.clustering.methods import (
    CLUSTER_METHODS,
    NOISE,
    Choice,
    Clustering,
    ClusterMethod,
    ClusterSettings,
    cluster_rows,
)
from searchkit.clustering.records import Cluster, Member
from searchkit.core.arrays import Float32, Float64, Int64
from searchkit.core.errors import BadInput, check_choice, check_seed
from searchkit.core.messages import Message, counted
from searchkit.core.progress import Progress
from searchkit.core.records import Answer, By
from searchkit.core.results import Results, Table
from searchkit.core.where import EVERYTHING, Where
from searchkit.index.base import BaseIndex
from searchkit.mining.pairs import check_threshold
from searchkit.runners.base import PlainLoop, Runner
from searchkit.text.words import split_words

MIN_SIZE = 3  # answers of a cluster of hdbscan

Embedded = list[tuple[Answer, Float32]]  # answers with their unit vectors


@dataclass(frozen=True, slots=True)
class ClusterResult(Table):
    """The clusters that `cluster` found.

    Attributes:
        clusters: By question; within it the largest first, then single answers and noise.
        choices: For each question the threshold or number of clusters that was chosen from the
            data; empty if it was given.
        answers: The number of answers in the clusters.
        blank: The number of blank answers, which are in none.
    """

    clusters: Results[Cluster]
    choices: dict[str | None, Choice]
    answers: int
    blank: int

    def iter_records(self) -> Iterator[dict[str, Any]]:
        """Yield each cluster with its members."""
        return self.clusters.iter_records()


def cluster(
    index: BaseIndex,
    *,
    by: By | None = None,
    method: ClusterMethod = "communities",
    threshold: float | None = None,
    k: int | None = None,
    min_size: int = MIN_SIZE,
    where: Where = EVERYTHING,
    seed: int = 0,
    runner: Runner | None = None,
    progress: Progress | None = None,
) -> ClusterResult:
    """Group the answers that say the same; each is in one cluster.

    Args:
        index: Open for reading or writing.
        by: `question`: within each question; `all`: over all answers. None: within questions if
            there are any.
        method: `communities`: every member scores at least the threshold with its centre;
            `k-means`: k clusters; `hdbscan`: dense regions, and noise between them.
        threshold: Of communities, from -1 to 1, inclusive; None: chosen from the data, for each
            question.
        k: The number of clusters of k-means; None: chosen from the data, for each question.
        min_size: The least number of answers in a cluster of hdbscan.
        where: Which answers to group; of an author's attempts at a question, the latest.
        seed: Of the initial means of k-means.
        runner: Where questions are clustered, with the same result; None for this process.
        progress: Called with the number of questions done, and of all questions.

    Raises:
        BadInput: if there is no such `by` or method, a number is out of range, or the filter can't
            be read.
    """
    check_choice("by", by, (None, *get_args(By)))
    check_seed(seed)
    _check(method, threshold, k, min_size)
    where = where.with_attempts()
    questions: dict[str | None, Embedded] = defaultdict(list)
    for answer, vector in index.iter_vectors(where):
        questions[answer.question].append((answer, vector))
    by = by or ("question" if any(questions) else "all")
    if by == "all" and questions:
        questions = {None: [pair for pairs in questions.values() for pair in pairs]}
    ordered = sorted(questions, key=lambda question: (question is not None, question or ""))
    prepared = (sorted(questions[question], key=lambda pair: pair[0].id) for question in ordered)
    settings = ClusterSettings(method, threshold, k, min_size, seed)
    clusters: list[Cluster] = []
    choices: dict[str | None, Choice] = {}
    for done, (question, (answers, row_of, clustering, choice)) in enumerate(
        zip(ordered, _cluster_each(prepared, settings, runner or PlainLoop()), strict=True), 1
    ):
        if choice:
            choices[question] = choice
        clusters += _describe(question, answers, row_of, clustering)
        if progress:
            progress(done, len(ordered))
    count = sum(len(pairs) for pairs in questions.values())
    return ClusterResult(Results(clusters), choices, count, len(index.ids(where)) - count)


def draw_map(
    index: BaseIndex,
    result: ClusterResult,
    path: str | Path,
    *,
    where: Where = EVERYTHING,
    seed: int = 0,
) -> None:
    """Draw the answers to one question, or all answers, on a plane.

    Args:
        index: Open for reading or writing.
        result: From `cluster`, with the same filter.
        path: The file to write: `.png`, `.svg`, `.pdf` or `.html`.
        where: Which answers to draw.
        seed: Of the layout.

    Raises:
        BadInput: if there are several questions or no answers, or the file can't be written.
        MissingExtra: if a library for drawing isn't installed.
    """
    path = Path(path)
    maps.check_suffix(path)
    questions = {c.question for c in result.clusters}
    if len(questions) > 1:
        raise BadInput(
            Message(
                "`plot` shows one question, and here are {count:,}; say `question`, or `by='all'`",
                count=len(questions),
            )
        )
    answers, places, names = map_points(index, result, where=where, seed=seed)
    points = [
        maps.Point(answer.label, answer.text, name)
        for answer, name in zip(answers, names, strict=True)
    ]
    answered = {answer.question for answer in answers} - {None}
    title = f"Answers to {counted(len(answered), 'question')}" if answered else "Answers"
    maps.draw(path, places, points, questions.pop() or title)


def map_points(
    index: BaseIndex, result: ClusterResult, *, where: Where = EVERYTHING, seed: int = 0
) -> tuple[list[Answer], Float64, list[str]]:
    """Lay out the answers that are not blank on a plane.

    Args:
        index: Open for reading or writing.
        result: From `cluster`, with the same filter.
        where: Which answers to lay out.
        seed: Of the layout.

    Returns:
        The answers; `(n, 2)` the place of each; the name of each one's cluster, empty for single
        answers and noise.

    Raises:
        BadInput: if there are no answers.
        MissingExtra: if there are more than 3,000 answers, and UMAP isn't installed.
    """
    check_seed(seed)
    name_of: dict[str, str] = {}
    names: set[str] = set()
    for c in result.clusters:
        if c.kind == "cluster":
            name = ", ".join(c.keywords[:3]) or f"cluster {c.cluster}"
            name += f", cluster {c.cluster}" if name in names else ""
            names.add(name)
            name_of.update((member.id, name) for member in c.members)
    embedded = list(index.iter_vectors(where.with_attempts()))
    if not embedded:
        raise BadInput("no answer to draw; nothing passes the filter")
    answers = [answer for answer, _ in embedded]
    places = place(np.stack([vector for _, vector in embedded]), seed)
    return answers, places, [name_of.get(answer.id, "") for answer in answers]


def _check(method: ClusterMethod, threshold: float | None, k: int | None, min_size: int) -> None:
    check_choice("method", method, CLUSTER_METHODS)
    if threshold is not None:
        check_threshold(threshold)
    if k is not None and k < 1:
        raise BadInput(Message("`k` must be 1 or more, not {k}", k=k))
    if min_size < 2:
        raise BadInput(Message("`min_size` must be 2 or more, not {size}", size=min_size))
    for name, value, needed in (("threshold", threshold, "communities"), ("k", k, "k-means")):
        if value is not None and method != needed:
            raise BadInput(f"{name} {value} goes with the method {needed}, not with {method}")


def _cluster_each(
    questions: Iterable[Embedded], settings: ClusterSettings, runner: Runner
) -> Iterator[tuple[list[Answer], Int64, Clustering, Choice | None]]:
    """Cluster each question.

    Yields:
        The answers; `(a,)` the row of each answer's vector among the distinct vectors; the clusters
        of these rows; and the threshold or k that was chosen, if one was.
    """
    started: deque[tuple[list[Answer], Int64]] = deque()

    def distinct() -> Iterator[tuple[Float32, Int64, list[str]]]:
        for embedded in questions:
            first, weights, row_of = _distinct(embedded)
            started.append(([answer for answer, _ in embedded], row_of))
            rows = np.stack([embedded[n][1] for n in first])
            yield rows, weights, [embedded[n][0].text for n in first]

    for clustering, choice in runner.run(partial(cluster_rows, settings), distinct()):
        yield *started.popleft(), clustering, choice


def _distinct(embedded: Embedded) -> tuple[list[int], Int64, Int64]:
    """Return the distinct vectors.

    Returns:
        The first answer with each, how many answers have it, and each answer's row among them.
    """
    numbers: dict[bytes, int] = {}
    row_of = np.array(
        [numbers.setdefault(vector.tobytes(), len(numbers)) for _, vector in embedded], np.int64
    )
    _, first = np.unique(row_of, return_index=True)
    return first.tolist(), np.bincount(row_of), row_of


def _describe(
    question: str | None, answers: Sequence[Answer], row_of: Int64, clustering: Clustering
) -> list[Cluster]:
    """Return the clusters of a question; single answers and noise come last."""
    members: dict[int, list[int]] = defaultdict(list)
    for number, label in enumerate(clustering.labels[row_of].tolist()):
        members[label].append(number)

    def kind(label: int) -> str:
        return "noise" if label == NOISE else "cluster" if len(members[label]) > 1 else "single"

    order = sorted(
        members, key=lambda label: (("cluster", "single", "noise").index(kind(label)), label)
    )
    words = cluster_keywords([[_text(answers[n]) for n in members[label]] for label in order])
    clusters = []
    for number, (label, distinctive) in enumerate(zip(order, words, strict=True), 1):
        scored = [
            Member(answers[n].id, round(min(1.0, float(clustering.scores[row_of[n]])), 6))
            for n in members[label]
        ]
        scored.sort(key=lambda member: (-member.score, member.id))
        center = None
        if label != NOISE:
            row = int(clustering.centres[label])
            center = next(answers[n].id for n in members[label] if row_of[n] == row)
        spread = 1 - sum(member.score for member in scored) / len(scored)
        clusters.append(
            Cluster(
                number, question, kind(label), center, distinctive, round(spread, 6), tuple(scored)
            )
        )
    return clusters


def _text(answer: Answer) -> KeywordText:
    return KeywordText(answer.text, split_words(answer.text), answer.language)
