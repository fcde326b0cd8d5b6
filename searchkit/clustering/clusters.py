"""Clusters of an index: the few different answers that the many are."""

from __future__ import annotations

import sys
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from searchkit.clustering import maps
from searchkit.clustering.distributed import cluster_on_runner
from searchkit.clustering.methods import (
    CLUSTER_METHODS,
    NOISE,
    Choice,
    Clustering,
    ClusterMethod,
    ClusterSettings,
    cluster_vectors,
)
from searchkit.clustering.records import Cluster, Member
from searchkit.core.arrays import Float32, Float64, Int64
from searchkit.core.errors import BadInput
from searchkit.core.progress import Progress
from searchkit.core.records import Answer, By
from searchkit.core.results import Results, Table
from searchkit.core.where import EVERYTHING, Where
from searchkit.core.wording import counted
from searchkit.index.base import BaseIndex
from searchkit.mining.pairs import check_threshold
from searchkit.runners.base import Runner
from searchkit.text.keywords import keywords
from searchkit.text.words import split_words

MIN_SIZE = 3  # of a cluster of hdbscan


@dataclass(frozen=True, slots=True)
class ClusterResult(Table):
    """What `cluster` found.

    Attributes:
        clusters: By question; within it the largest first, then what is single or noise.
        choices: For each question, the threshold or number of clusters that was chosen from the
            data; empty if it was given.
        answers: How many answers are in the clusters.
        blank: How many are blank, and in none.
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
        by: `question`: within each question; `all`: over all. None: within questions if there are
            any.
        method: `communities`: every member scores at least the threshold with its centre;
            `k-means`: k clusters; `hdbscan`: dense regions, the others are noise.
        threshold: Of communities, -1 to 1, inclusive; None: chosen from the data, by question.
        k: Of k-means; None: chosen from the data, by question.
        min_size: Answers of a cluster of hdbscan, at least.
        where: Which answers to look at.
        seed: Of k-means.
        runner: Where to group the answers of each question; the same comes out. None: here.
        progress: Called with how many questions are done, and of how many.

    Raises:
        BadInput: if a number is out of range, or the filter can't be read.
    """
    _check(method, threshold, k, min_size)
    groups: dict[str | None, list[tuple[Answer, Float32]]] = defaultdict(list)
    for answer, row in index.iter_vectors(where):
        groups[answer.question].append((answer, row))
    by = by or ("question" if any(groups) else "all")
    if by == "all" and groups:
        groups = {None: [pair for pairs in groups.values() for pair in pairs]}
    found: list[Cluster] = []
    choices: dict[str | None, Choice] = {}
    ordered = sorted(groups, key=lambda question: (question is not None, question or ""))
    settings = ClusterSettings(method, threshold, k, min_size, seed, "torch" in sys.modules)
    prepared = (sorted(groups[question], key=lambda pair: pair[0].id) for question in ordered)
    results = _each(prepared, settings, runner)
    for done, (question, (answers, row_of, labels, choice)) in enumerate(
        zip(ordered, results, strict=True), 1
    ):
        if choice:
            choices[question] = choice
        found += _clusters(question, answers, row_of, labels)
        if progress:
            progress(done, len(ordered))
    count = sum(len(group) for group in groups.values())
    blank = len(index.ids(where)) - count
    return ClusterResult(Results(found), choices, count, blank)


def draw_map(
    index: BaseIndex, found: ClusterResult, path: Path, *, where: Where = EVERYTHING, seed: int = 0
) -> None:
    """Draw the answers of one question, or of all, on a plane: `.png`, `.svg`, `.pdf` or `.html`.

    Args:
        index: Open for reading or writing.
        found: From `cluster`, with the same filter.
        path: Where to.
        where: Which answers.
        seed: Of the placing.

    Raises:
        BadInput: if there are several questions or no answers, or the file can't be written.
        MissingExtra: if what draws isn't installed.
    """
    maps.check_suffix(path)
    questions = {c.question for c in found.clusters}
    if len(questions) > 1:
        raise BadInput(
            f"--plot shows one question, and here are {len(questions):,}; "
            f"say --question, or --by all"
        )
    answers, places, names = map_points(index, found, where=where, seed=seed)
    points = [
        maps.Point(answer.label, answer.text, name)
        for answer, name in zip(answers, names, strict=True)
    ]
    asked = {answer.question for answer in answers} - {None}
    everything = f"Answers to {counted(len(asked), 'question')}" if asked else "Answers"
    maps.draw(path, places, points, questions.pop() or everything)


def map_points(
    index: BaseIndex, found: ClusterResult, *, where: Where = EVERYTHING, seed: int = 0
) -> tuple[list[Answer], Float64, list[str]]:
    """Return the answers that are not blank, the place of each, and the name of its cluster.

    Args:
        index: Open for reading or writing.
        found: From `cluster`, with the same filter.
        where: Which answers.
        seed: Of the placing.

    Raises:
        BadInput: if there are no answers.
        MissingExtra: if what places them isn't installed.
    """
    named: dict[str, str] = {}
    names: set[str] = set()
    for c in found.clusters:
        if c.kind == "cluster":
            name = ", ".join(c.keywords[:3]) or f"cluster {c.cluster}"
            name += f", cluster {c.cluster}" if name in names else ""
            names.add(name)
            named.update((member.id, name) for member in c.members)
    whole = list(index.iter_vectors(where))
    if not whole:
        raise BadInput("no answer to draw; nothing passes the filter")
    answers = [answer for answer, _ in whole]
    places = maps.place(np.stack([row for _, row in whole]), seed)
    return answers, places, [named.get(answer.id, "") for answer in answers]


def _check(method: ClusterMethod, threshold: float | None, k: int | None, min_size: int) -> None:
    if method not in CLUSTER_METHODS:
        raise BadInput(f"--method must be one of {', '.join(CLUSTER_METHODS)}, not {method!r}")
    if threshold is not None:
        check_threshold(threshold)
    if k is not None and k < 1:
        raise BadInput(f"-k must be 1 or more, not {k}")
    if min_size < 2:
        raise BadInput(f"--min-size must be 2 or more, not {min_size}")
    for name, value, needed in (("threshold", threshold, "communities"), ("k", k, "k-means")):
        if value is not None and method != needed:
            raise BadInput(f"{name} {value} goes with the method {needed}, not with {method}")


def _distinct(
    answers: Sequence[tuple[Answer, Float32]],
) -> tuple[Float32, Int64, Int64]:
    """Return a row for each distinct vector, how many answers have it, and each answer's row."""
    numbers: dict[bytes, int] = {}
    row_of = np.array(
        [numbers.setdefault(vector.tobytes(), len(numbers)) for _, vector in answers], np.int64
    )
    _, first = np.unique(row_of, return_index=True)
    rows = np.stack([answers[n][1] for n in first])
    return rows, np.bincount(row_of), row_of


_Result = tuple[list[Answer], Int64, Clustering, Choice | None]


def _each(
    questions: Iterable[list[tuple[Answer, Float32]]],
    settings: ClusterSettings,
    runner: Runner | None,
) -> Iterator[_Result]:
    """Yield for each question its answers, the row of each, and in what clusters the rows are."""
    waiting: deque[tuple[list[Answer], Int64]] = deque()

    def distinct() -> Iterator[tuple[Float32, Int64]]:
        for pairs in questions:
            rows, weights, row_of = _distinct(pairs)
            waiting.append(([answer for answer, _ in pairs], row_of))
            yield rows, weights

    results = (
        (cluster_vectors(rows, weights, settings) for rows, weights in distinct())
        if runner is None
        else cluster_on_runner(distinct(), settings, runner)
    )
    for labels, choice in results:
        yield *waiting.popleft(), labels, choice


def _clusters(
    question: str | None, answers: Sequence[Answer], row_of: Int64, found: Clustering
) -> list[Cluster]:
    """Put the answers of a question together; what is single or noise comes last."""
    labels = found.labels[row_of]
    members: dict[int, list[int]] = defaultdict(list)
    for number, label in enumerate(labels.tolist()):
        members[label].append(number)

    def kind(label: int) -> str:
        return "noise" if label == NOISE else "cluster" if len(members[label]) > 1 else "single"

    order = sorted(
        members, key=lambda label: (("cluster", "single", "noise").index(kind(label)), label)
    )
    words = keywords([[split_words(answers[n].text) for n in members[label]] for label in order])
    clusters = []
    for number, (label, said) in enumerate(zip(order, words, strict=True), 1):
        scored = [
            Member(answers[n].id, round(min(1.0, float(found.scores[row_of[n]])), 6))
            for n in members[label]
        ]
        scored.sort(key=lambda member: (-member.score, member.id))
        center = None
        if label != NOISE:
            row = int(found.centres[label])
            center = next(answers[n].id for n in members[label] if row_of[n] == row)
        spread = 1 - sum(member.score for member in scored) / len(scored)
        clusters.append(
            Cluster(number, question, kind(label), center, said, round(spread, 6), tuple(scored))
        )
    return clusters
