"""Maps: answers on a plane, those that say the same side by side, coloured by cluster.

The plane is UMAP's (McInnes, Healy and Melville, 2018), the picture DataMapPlot's, the page for a
browser Plotly's, which brings its own JavaScript: it opens offline. All come with searchkit[plot].
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from searchkit.errors import BadInput, MissingExtra

Floats = NDArray[np.float32]

NEIGHBOURS = 15  # of UMAP
TOO_FEW = 8  # answers that UMAP has nothing to say about: principal axes place them
NAMED = 30  # clusters that the picture names and colours; the others are grey
HOVER = 300  # characters of an answer that a page shows
SUFFIXES = (".png", ".svg", ".pdf", ".html")
OTHERS = "others"


@dataclass(frozen=True, slots=True)
class Point:
    """An answer as a map shows it.

    Attributes:
        name: Its id and author.
        text: What a page shows when one points at it.
        cluster: What its cluster is called; empty for what stands alone.
    """

    name: str
    text: str
    cluster: str


def check_suffix(path: Path) -> None:
    """Refuse a file whose kind can't be drawn, before anything is computed.

    Raises:
        BadInput: if it is none of `SUFFIXES`.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise BadInput(f"{path}: a map is drawn as {', '.join(SUFFIXES)}; name it so")


def place(vectors: Floats, seed: int = 0) -> NDArray[np.float64]:
    """Give each row `(n, d)` a place `(n, 2)` on the plane; near rows are near.

    Raises:
        MissingExtra: if UMAP isn't installed.
    """
    if len(vectors) < TOO_FEW:
        centred = vectors - vectors.mean(axis=0, keepdims=True) if len(vectors) else vectors
        axes = np.linalg.svd(centred, full_matrices=False)[2][:2]
        placed = np.zeros((len(vectors), 2))
        placed[:, : len(axes)] = centred @ axes.T
        return placed
    umap = _needed("umap")
    neighbours = min(NEIGHBOURS, len(vectors) - 1)
    reducer = umap.UMAP(
        n_neighbors=neighbours, metric="cosine", random_state=seed, n_jobs=1, init="pca",
        min_dist=0.05,
    )  # fmt: skip
    return np.asarray(reducer.fit_transform(vectors), np.float64)


def draw(path: Path, places: NDArray[np.float64], points: Sequence[Point], title: str) -> None:
    """Draw a map into a file, by its suffix.

    Args:
        path: Ends in one of `SUFFIXES`.
        places: `(n, 2)`.
        points: What is there, in the same order.
        title: Above the map.

    Raises:
        BadInput: if the file's kind is unknown, or it can't be written.
        MissingExtra: if what draws isn't installed.
    """
    check_suffix(path)
    try:
        if path.suffix.lower() == ".html":
            path.write_text(_page(places, points, title), "utf-8")
        else:
            _picture(path, places, points, title)
    except OSError as error:
        raise BadInput(f"{path}: can't be written ({error.strerror or error})") from None


def _names(points: Sequence[Point]) -> list[str]:
    """Give each point's cluster, if it is one of those that are named."""
    sizes: dict[str, int] = {}
    for point in points:
        if point.cluster:
            sizes[point.cluster] = sizes.get(point.cluster, 0) + 1
    largest = sorted(sizes, key=lambda name: (-sizes[name], name))[:NAMED]
    return [point.cluster if point.cluster in largest else OTHERS for point in points]


def _picture(path: Path, places: NDArray[np.float64], points: Sequence[Point], title: str) -> None:
    datamapplot = _needed("datamapplot")
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    size = {"point_size": 45} if len(points) < 500 else {}
    figure, _ = datamapplot.create_plot(
        places, np.array(_names(points), object), noise_label=OTHERS, title=title,
        sub_title=f"{len(points):,} answers", figsize=(12, 9), dpi=110, use_system_fonts=True,
        font_family="DejaVu Sans", label_wrap_width=18, dynamic_label_size=False,
        force_matplotlib=len(points) < 50_000, **size,
    )  # fmt: skip
    figure.savefig(path, bbox_inches="tight")
    plt.close(figure)


def _page(places: NDArray[np.float64], points: Sequence[Point], title: str) -> str:
    graph = _needed("plotly.graph_objects")
    names = _names(points)
    figure = graph.Figure()
    order = sorted(set(names), key=lambda name: (name == OTHERS, -names.count(name), name))
    for name in order:
        at = [n for n, own in enumerate(names) if own == name]
        figure.add_trace(graph.Scattergl(
            x=places[at, 0], y=places[at, 1], mode="markers", name=html.escape(name),
            text=[_hover(points[n]) for n in at], hoverinfo="text",
            marker={"size": 9 if len(points) < 2_000 else 4, "opacity": 0.8,
                    **({"color": "#b0b0b0"} if name == OTHERS else {})},
        ))  # fmt: skip
        if name != OTHERS:
            x, y = np.median(places[at], axis=0)
            figure.add_annotation(x=x, y=y, text=html.escape(name), showarrow=False,
                                  bgcolor="rgba(255,255,255,0.75)", font={"size": 12})  # fmt: skip
    figure.update_layout(
        title={"text": html.escape(title)}, template="plotly_white", dragmode="pan",
        xaxis={"visible": False}, yaxis={"visible": False, "scaleanchor": "x"},
        legend={"title": {"text": f"{len(points):,} answers"}},
    )  # fmt: skip
    page: str = figure.to_html(
        include_plotlyjs=True, full_html=True, config={"scrollZoom": True, "displaylogo": False}
    )
    return page


def _hover(point: Point) -> str:
    text = " ".join(point.text.split())
    shown = text if len(text) <= HOVER else text[: HOVER - 1] + "…"
    lines = [shown[n : n + 70] for n in range(0, len(shown), 70)]
    return "<br>".join([f"<b>{html.escape(point.name)}</b>", *map(html.escape, lines)])


def _needed(module: str) -> Any:  # noqa: ANN401
    from importlib import import_module

    try:
        return import_module(module)
    except ImportError as error:
        raise MissingExtra(
            f"a map needs {error.name or module}, which isn't installed: "
            f"pip install 'searchkit[plot]'"
        ) from None
