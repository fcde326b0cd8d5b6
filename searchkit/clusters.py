"""Clusters of an index: the few different answers that the many are."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from searchkit import clustering, maps
from searchkit.anyindex import EVERYTHING, AnyIndex
from searchkit.clustering import NOISE, Choice, Clustering
from searchkit.errors import BadInput
from searchkit.evidence import counted
from searchkit.keywords import keywords
from searchkit.pairs import check_threshold
from searchkit.runners import Runner
from searchkit.shards import map_array, read_array, write_array
from searchkit.types import Answer, By, Cluster, Member
from searchkit.where import Where
from searchkit.words import split_words

Method = Literal["communities", "k-means", "hdbscan"]
METHODS: tuple[Method, ...] = ("communities", "k-means", "hdbscan")
MIN_SIZE = 3  # of a cluster of hdbscan

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Clustered:
    """What `cluster` found.

    Attributes:
        clusters: By question; within it the largest first, then what is single or noise.
        choices: For each question, the threshold or number of clusters that was chosen from the
            data; empty if it was given.
        answers: How many answers are in the clusters.
        blank: How many are blank, and in none.
    """

    clusters: list[Cluster]
    choices: dict[str | None, Choice]
    answers: int
    blank: int


def cluster(
    index: AnyIndex,
    *,
    by: By | None = None,
    method: Method = "communities",
    threshold: float | None = None,
    k: int | None = None,
    min_size: int = MIN_SIZE,
    where: Where = EVERYTHING,
    seed: int = 0,
    runner: Runner | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Clustered:
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
    groups: dict[str | None, list[tuple[Answer, Floats]]] = defaultdict(list)
    for answer, row in index.whole(where):
        groups[answer.question].append((answer, row))
    by = by or ("question" if any(groups) else "all")
    if by == "all" and groups:
        groups = {None: [pair for pairs in groups.values() for pair in pairs]}
    found: list[Cluster] = []
    choices: dict[str | None, Choice] = {}
    ordered = sorted(groups, key=lambda question: (question is not None, question or ""))
    settings = _Settings(method, threshold, k, min_size, seed, "torch" in sys.modules)
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
    return Clustered(found, choices, count, blank)


def draw_map(
    index: AnyIndex, found: Clustered, path: Path, *, where: Where = EVERYTHING, seed: int = 0
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
    index: AnyIndex, found: Clustered, *, where: Where = EVERYTHING, seed: int = 0
) -> tuple[list[Answer], maps.Places, list[str]]:
    """Give the answers that are not blank, the place of each, and the name of its cluster.

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
    whole = list(index.whole(where))
    if not whole:
        raise BadInput("no answer to draw; nothing passes the filter")
    answers = [answer for answer, _ in whole]
    places = maps.place(np.stack([row for _, row in whole]), seed)
    return answers, places, [named.get(answer.id, "") for answer in answers]


def _check(method: Method, threshold: float | None, k: int | None, min_size: int) -> None:
    if method not in METHODS:
        raise BadInput(f"--method must be one of {', '.join(METHODS)}, not {method!r}")
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
    answers: Sequence[tuple[Answer, Floats]],
) -> tuple[Floats, NDArray[np.int64], NDArray[np.int64]]:
    """Give a row for each distinct vector, how many answers have it, and each answer's row."""
    numbers: dict[bytes, int] = {}
    row_of = np.array(
        [numbers.setdefault(vector.tobytes(), len(numbers)) for _, vector in answers], np.int64
    )
    _, first = np.unique(row_of, return_index=True)
    rows = np.stack([answers[n][1] for n in first])
    return rows, np.bincount(row_of), row_of


@dataclass(frozen=True, slots=True)
class _Settings:
    method: Method
    threshold: float | None
    k: int | None
    min_size: int
    seed: int
    torch: bool = False  # mining takes it where it is loaded, and it sums in another order


_Result = tuple[list[Answer], NDArray[np.int64], Clustering, Choice | None]


def _each(
    questions: Iterable[list[tuple[Answer, Floats]]], settings: _Settings, runner: Runner | None
) -> Iterator[_Result]:
    """Give for each question its answers, the row of each, and in what clusters the rows are."""
    waiting: deque[tuple[list[Answer], NDArray[np.int64]]] = deque()

    def distinct() -> Iterator[tuple[Floats, NDArray[np.int64]]]:
        for pairs in questions:
            rows, weights, row_of = _distinct(pairs)
            waiting.append(([answer for answer, _ in pairs], row_of))
            yield rows, weights

    results = (
        (_clustered(rows, weights, settings) for rows, weights in distinct())
        if runner is None
        else _far(distinct(), settings, runner)
    )
    for labels, choice in results:
        yield *waiting.popleft(), labels, choice


def _far(
    questions: Iterable[tuple[Floats, NDArray[np.int64]]], settings: _Settings, runner: Runner
) -> Iterator[tuple[Clustering, Choice | None]]:
    """Let workers group the rows; a question is written when one is free for it."""
    with tempfile.TemporaryDirectory(prefix="cluster-", dir=runner.folder) as folder:

        def tasks() -> Iterator[tuple[str, _Settings]]:
            for number, (rows, weights) in enumerate(questions):
                path = Path(folder) / f"{number}"
                path.mkdir()
                write_array(path / "rows.npy", rows)
                write_array(path / "weights.npy", weights)
                yield str(path), settings

        for number, choice in enumerate(runner.run(cluster_shard, tasks())):
            path = Path(folder) / f"{number}"
            found = [read_array(path / f"{name}.npy") for name in ("labels", "centres", "scores")]
            shutil.rmtree(path)
            yield Clustering(*found), choice


def cluster_shard(task: tuple[str, _Settings]) -> Choice | None:
    """Group the rows of one question; the task of a worker. Gives what it chose, if anything."""
    path, settings = Path(task[0]), task[1]
    if settings.torch:
        import torch  # noqa: F401
    rows, weights = map_array(path / "rows.npy"), read_array(path / "weights.npy")
    found, choice = _clustered(rows, weights, settings)
    for name in ("labels", "centres", "scores"):
        write_array(path / f"{name}.npy", getattr(found, name))
    return choice


def _clustered(
    rows: Floats, weights: NDArray[np.int64], settings: _Settings
) -> tuple[Clustering, Choice | None]:
    method, seed = settings.method, settings.seed
    choice = None
    if method == "communities":
        if settings.threshold is None:
            choice = clustering.choose_threshold(rows, weights=weights)
        value = choice.value if choice else settings.threshold
        return clustering.communities(rows, float(value or 0), weights=weights), choice
    if method == "k-means":
        if settings.k is None:
            choice = clustering.choose_k(rows, weights=weights, seed=seed)
        value = choice.value if choice else settings.k
        return clustering.k_means(rows, int(value or 1), weights=weights, seed=seed), choice
    return clustering.hdbscan(rows, settings.min_size, weights=weights), None


def _clusters(
    question: str | None, answers: Sequence[Answer], row_of: NDArray[np.int64], found: Clustering
) -> list[Cluster]:
    """Put the answers of a question together; what is single or noise comes last."""
    labels = found.labels[row_of]
    members: dict[int, list[int]] = defaultdict(list)
    for number, label in enumerate(labels.tolist()):
        members[label].append(number)

    def kind(label: int) -> str:
        return "noise" if label == NOISE else "cluster" if len(members[label]) > 1 else "single"

    order = sorted(members, key=lambda label: (("cluster", "single", "noise").index(kind(label)),
                                               label))  # fmt: skip
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
