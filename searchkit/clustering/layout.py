"""The layout of a map: a place on a plane for each answer, so that similar ones are near.

It is by t-SNE (van der Maaten and Hinton, 2008; van der Maaten, 2014), that of few answers by
multidimensional scaling (de Leeuw, 1977), which keeps distances, and that of many by UMAP (McInnes,
Healy and Melville, 2018), which comes with searchkit[plot]. docs/figures/clustering.md compares
them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from searchkit.core.arrays import Float32, Float64
from searchkit.core.errors import MissingExtra

MDS_MIN_ANSWERS = 8  # fewer different ones are placed by their principal components
MDS_STARTS, MDS_STEPS = 4, 100
TSNE_MIN_ANSWERS = 40  # fewer are placed by multidimensional scaling
TSNE_MAX_ANSWERS = 3_000  # more are placed by UMAP, whose first call compiles for 20 s
TSNE_PERPLEXITY = 10.0  # about the number of neighbours that an answer is kept near to
TSNE_PERPLEXITY_SHARE = 0.2  # of the answers, the most that it is
TSNE_STEPS = 500  # twice as many change the figures of `make bench-clustering` by 0.002
UMAP_NEIGHBOURS = 15
UMAP_MIN_DISTANCE = 0.5  # large enough that the points of near answers don't overlap


def place(vectors: Float32, seed: int = 0) -> Float64:
    """Lay out rows on a plane, so that similar rows are near to each other.

    Args:
        vectors: `(n, d)` unit rows.
        seed: Of the layout.

    Returns:
        `(n, 2)` the place of each row. The first axis is the one along which the places vary most,
        so that the map is wider than high.

    Raises:
        MissingExtra: if there are more than `TSNE_MAX_ANSWERS` rows, and UMAP isn't installed.
    """
    if len(np.unique(vectors, axis=0)) < MDS_MIN_ANSWERS:
        return _principal_components(vectors.astype(np.float64))
    if len(vectors) < TSNE_MIN_ANSWERS:
        layout = _by_mds
    else:
        layout = _by_tsne if len(vectors) <= TSNE_MAX_ANSWERS else _by_umap
    return _principal_components(layout(vectors, seed).astype(np.float64))


def _by_mds(vectors: Float32, seed: int) -> Float32:
    from sklearn.manifold import smacof
    from sklearn.metrics import pairwise_distances

    placed, _ = smacof(
        pairwise_distances(vectors.astype(np.float64)),
        n_init=MDS_STARTS,
        max_iter=MDS_STEPS,
        random_state=seed,
        normalized_stress="auto",
    )
    return np.asarray(placed, np.float32)


def _by_tsne(vectors: Float32, seed: int) -> Float32:
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    tsne = TSNE(
        perplexity=min(TSNE_PERPLEXITY, TSNE_PERPLEXITY_SHARE * len(vectors)),
        init="pca",
        max_iter=TSNE_STEPS,
        random_state=seed,
        n_jobs=1,
    )
    with threadpool_limits(1):  # with two threads that few points take longer
        placed: Float32 = tsne.fit_transform(vectors)
    return placed


def _by_umap(vectors: Float32, seed: int) -> Float32:
    umap = import_extra("umap")
    reducer = umap.UMAP(
        n_neighbors=UMAP_NEIGHBOURS,
        metric="cosine",
        random_state=seed,
        n_jobs=1,
        init="pca",
        min_dist=UMAP_MIN_DISTANCE,
    )
    placed: Float32 = reducer.fit_transform(vectors)
    return placed


def _principal_components(rows: Float64) -> Float64:
    """Return the first two principal components of rows `(n, d)`."""
    placed = np.zeros((len(rows), 2))
    if len(rows):
        centred = rows - rows.mean(axis=0)
        axes = np.linalg.svd(centred, full_matrices=False)[2][:2]
        placed[:, : len(axes)] = centred @ axes.T
    return placed


def import_extra(module: str) -> Any:  # noqa: ANN401
    """Import a library that comes with searchkit[plot]."""
    from importlib import import_module

    try:
        return import_module(module)
    except ImportError as error:
        raise MissingExtra(
            f"a map needs {error.name or module}, which isn't installed: "
            f"pip install 'searchkit[plot]'"
        ) from None
