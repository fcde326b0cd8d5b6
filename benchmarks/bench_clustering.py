"""Clustering: `python benchmarks/bench_clustering.py [quality] [speed] [growth] [maps]`.

`quality`: BANKING77 (10,003 questions of customers in 77 classes), every method on the same
vectors, against scikit-learn's KMeans and sentence-transformers' `community_detection`. `speed`:
communities of 50,000 sentences of alpaca-answers against `community_detection`. `growth`: cost from
10,000 on. `maps`: how well the places of a map show which answers are near.
"""

from __future__ import annotations

import csv
import sys
import time
from collections.abc import Callable, Sequence

import numpy as np
from bench_mining import vectors as alpaca
from machine import SHARED, heading
from numpy.typing import NDArray

from searchkit.clustering import layout
from searchkit.clustering.features import cluster_features
from searchkit.clustering.methods import choose_k, choose_threshold, communities, hdbscan, k_means
from searchkit.core.arrays import unit_rows
from searchkit.encoding.loading import load_encoder

Floats = NDArray[np.float32]
Labels = NDArray[np.int64]
PARTS = ("quality", "speed", "growth", "maps")


def banking() -> tuple[Floats, list[str], Labels]:
    """Give the vectors, the texts and the classes of BANKING77's training questions."""
    with (SHARED / "banking77-train.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    names = sorted({row["label"] for row in rows})
    texts = [row["text"] for row in rows]
    classes = np.array([names.index(row["label"]) for row in rows])
    return unit_rows(load_encoder().encode(texts), texts), texts, classes


def timed(run: Callable[[], Labels]) -> tuple[float, Labels]:
    """Give seconds and labels."""
    started = time.perf_counter()
    labels = run()
    return time.perf_counter() - started, labels


def detected(rows: Floats, threshold: float) -> Labels:
    """Give the labels of `community_detection`; what is in none is alone."""
    import torch
    from sentence_transformers.util import community_detection

    labels = np.full(len(rows), -1, np.int64)
    found = community_detection(torch.from_numpy(rows), threshold=threshold, min_community_size=1)
    for number, members in enumerate(found):
        labels[members] = number
    labels[labels < 0] = np.arange((labels < 0).sum()) + len(found)
    return labels


def quality() -> None:
    """Print accuracy, NMI and ARI by method, then of k-means on samples of the classes."""
    from sklearn.cluster import KMeans

    rows, texts, classes = banking()
    threshold = choose_threshold(rows).value
    seconds, features = timed(lambda: cluster_features(rows, texts))
    k_seconds, chosen = timed(lambda: np.array([choose_k(features).value]))
    k = int(chosen[0])
    print(f"\nfeatures of k-means in {seconds:.1f} s, k chosen in {k_seconds:.1f} s\n")
    print("| method | seconds | clusters | accuracy | NMI | ARI |\n|---|---:|---:|---:|---:|---:|")
    methods: dict[str, Callable[[], Labels]] = {
        f"communities, threshold {threshold:g} (auto)": lambda: communities(rows, threshold).labels,
        "communities, threshold 0.7": lambda: communities(rows, 0.7).labels,
        "`community_detection`, 0.7": lambda: detected(rows, 0.7),
        f"k-means, k {k} (auto)": lambda: k_means(rows, k, features=features).labels,
        "k-means, k 77": lambda: k_means(rows, 77, features=features).labels,
        "k-means, k 77, vectors alone": lambda: k_means(rows, 77).labels,
        "scikit-learn KMeans, k 77, 3 starts": lambda: KMeans(
            77, n_init=3, random_state=0
        ).fit_predict(rows),
        "hdbscan, 5 or more": lambda: hdbscan(rows, 5).labels,
    }
    for name, run in methods.items():
        seconds, labels = timed(run)
        labels = labels - labels.min()  # noise is a cluster of its own
        print(f"| {name} | {seconds:.2f} | {labels.max() + 1:,} | {cells(classes, labels)} |",
              flush=True)  # fmt: skip
    samples(rows, texts, classes)


def samples(rows: Floats, texts: list[str], classes: Labels) -> None:
    """Print the quality of k-means on some of the classes, k given and chosen."""
    print("\n| classes | texts | accuracy | NMI | ARI | k chosen | accuracy | NMI | ARI |")
    print("|" + "---:|" * 9)
    for count in (5, 10, 20, 40):
        kept = np.random.default_rng(count).choice(classes.max() + 1, count, replace=False)
        chosen = np.flatnonzero(np.isin(classes, kept))
        features = cluster_features(rows[chosen], [texts[n] for n in chosen])
        k = int(choose_k(features).value)
        figures = [
            cells(classes[chosen], k_means(rows[chosen], n, features=features).labels)
            for n in (count, k)
        ]
        print(f"| {count} | {len(chosen):,} | {figures[0]} | {k} | {figures[1]} |", flush=True)


def agreement(classes: Labels, labels: Labels) -> tuple[float, float, float]:
    """Return accuracy with the best assignment of clusters to classes, NMI and ARI."""
    from scipy.optimize import linear_sum_assignment
    from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

    table = np.zeros((labels.max() + 1, classes.max() + 1))
    np.add.at(table, (labels, classes), 1)
    accuracy = table[linear_sum_assignment(-table)].sum() / len(labels)
    measures = normalized_mutual_info_score(classes, labels), adjusted_rand_score(classes, labels)
    return float(accuracy), *map(float, measures)


def cells(classes: Labels, labels: Labels) -> str:
    """Return the same as cells of a table."""
    return " | ".join(f"{value:.3f}" for value in agreement(classes, labels))


def speed() -> None:
    """Print seconds of communities of 50,000 against `community_detection`."""
    rows = np.ascontiguousarray(alpaca(50_000)[:50_000])
    import torch  # both sides use it; importing it is not what is measured  # noqa: F401

    communities(rows[:2000], 0.75)
    print("\n| 50,000 \u00d7 384, threshold | `community_detection` | communities | gain |")
    print("|---:|---:|---:|---:|")
    for threshold in (0.75, 0.85):
        ours, _ = timed(lambda: communities(rows, threshold).labels)  # noqa: B023
        theirs, _ = timed(lambda: detected(rows, threshold))  # noqa: B023
        print(
            f"| {threshold} | {theirs:.1f} s | {ours:.1f} s | {theirs / ours:.0f} \u00d7 |",
            flush=True,
        )


def growth() -> None:
    """Print seconds by number of rows; those above 160,000 are made up: centres and noise."""
    real = alpaca(160_000)
    print("\n| rows | communities, 0.8 | k-means, k 100 |\n|---:|---:|---:|")
    for count in (10_000, 100_000, 160_000, 1_000_000):
        rows = real[:count] if count <= len(real) else made_up(count)
        seconds = [""] if count > len(real) else [
            f"{timed(lambda: communities(rows, 0.8).labels)[0]:.1f} s"  # noqa: B023
        ]  # fmt: skip
        seconds.append(f"{timed(lambda: k_means(rows, 100).labels)[0]:.1f} s")  # noqa: B023
        print(f"| {count:,} | " + " | ".join(seconds) + " |", flush=True)


def layouts() -> None:
    """Compare layouts of questions of SAF, and of all its answers."""
    from sklearn.manifold import trustworthiness

    with (SHARED / "saf-train.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    every = unit_rows(load_encoder().encode([row["answer"] for row in rows]))
    question = np.array([row["question"] for row in rows])
    large, middle = every[question == "2.1"], every[question == "10.1"]
    methods: dict[str, Callable[[Floats], NDArray[np.float64]]] = {
        "principal components": lambda rows: layout._principal_components(rows.astype(np.float64)),
        "MDS": lambda rows: layout._by_mds(rows, 0),
        "t-SNE": lambda rows: layout._by_tsne(rows, 0),
        "UMAP": lambda rows: layout._by_umap(rows, 0),
    }
    layout._by_umap(middle, 0)  # compiles
    print("\n| answers | layout | trustworthiness of 5, of 13 | stress | CPU seconds |")
    print("|---:|---|---|---:|---:|")
    for vectors in (middle[:28], middle, large, every):
        for name, run in methods.items():
            if name == "MDS" and len(vectors) > 300:
                continue
            started = time.process_time()
            placed = run(vectors)
            seconds = time.process_time() - started
            trust = [trustworthiness(vectors, placed, n_neighbors=n) for n in (5, 13)]
            print(
                f"| {len(vectors):,} | {name} | {trust[0]:.3f}, {trust[1]:.3f} | "
                f"{stress(vectors, placed):.3f} | {seconds:.2f} |",
                flush=True,
            )


def stress(rows: Floats, placed: NDArray[np.float64]) -> float:
    """Give Kruskal's stress of 4,000 pairs, with the best scale of the places."""
    left, right = np.random.default_rng(0).integers(0, len(rows), (2, 4_000))
    wanted = np.linalg.norm(rows[left] - rows[right], axis=1)
    distance = np.linalg.norm(placed[left] - placed[right], axis=1)
    error = distance * (wanted @ distance / (distance @ distance)) - wanted
    return float(np.sqrt(error @ error / (wanted @ wanted)))


def made_up(count: int) -> Floats:
    """Give unit rows around a thousand centres."""
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((1000, 384)).astype(np.float32)
    rows = centres[rng.integers(0, 1000, count)]
    rows += rng.standard_normal(rows.shape, dtype=np.float32)
    return unit_rows(rows)


def main(parts: Sequence[str]) -> None:
    """Print the tables."""
    print(heading())
    for part, run in {
        "quality": quality,
        "speed": speed,
        "growth": growth,
        "maps": layouts,
    }.items():
        if part in parts:
            run()


if __name__ == "__main__":
    main(sys.argv[1:] or PARTS)
