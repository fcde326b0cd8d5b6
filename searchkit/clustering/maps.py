"""Maps: answers on a plane, those that say the same side by side, coloured by cluster.

The plane is UMAP's (McInnes, Healy and Melville, 2018), the picture DataMapPlot's, the page for a
browser Plotly's, which brings its own JavaScript: it opens offline. All come with searchkit[plot].
"""

from __future__ import annotations

import html
import logging
import math
import sys
import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from textwrap import fill, wrap
from typing import Any

import numpy as np

from searchkit.core.arrays import Float32, Float64
from searchkit.core.errors import BadInput, MissingExtra

log = logging.getLogger("searchkit")
NEIGHBOURS = 15  # of UMAP
APART = 0.5  # of UMAP: near answers lie so far from each other that each can be seen
TOO_FEW = 8  # answers that UMAP has nothing to say about: principal axes place them
NAMED = 30  # clusters that a map names and colours; the others are grey
MANY = 5_000  # answers above which points are pixels (of a picture) or WebGL's (of a page)
HOVER = 300  # characters of an answer that a page shows
ALL_HOVER = 8_000_000  # characters of all answers together that a page holds
TITLE = 160  # characters of a title, or of an id, that are shown
NAME = 60  # characters of a cluster's name that are shown
SUFFIXES = (".png", ".svg", ".pdf", ".html")
GREY = "#c2c2c2"
# Okabe and Ito's (2008), which the colour-blind tell apart, without black and yellow; and two dark.
COLOURS = (
    "#0072b2",
    "#d55e00",
    "#009e73",
    "#cc79a7",
    "#e69f00",
    "#56b4e9",
    "#332288",
    "#882255",
)
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross")


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


def place(vectors: Float32, seed: int = 0) -> Float64:
    """Return each row `(n, d)` a place `(n, 2)` on the plane; near rows are near.

    The map is as wide as it can be: its first axis is the one along which the places vary most.

    Raises:
        MissingExtra: if UMAP isn't installed.
    """
    if len(vectors) < TOO_FEW:
        return _turned(vectors.astype(np.float64))
    umap = _needed("umap")
    reducer = umap.UMAP(
        n_neighbors=min(NEIGHBOURS, len(vectors) - 1),
        metric="cosine",
        random_state=seed,
        n_jobs=1,
        init="pca",
        min_dist=APART,
    )
    return _turned(np.asarray(reducer.fit_transform(vectors), np.float64))


def _turned(rows: Float64) -> Float64:
    """Return the first two principal coordinates of rows `(n, d)`."""
    placed = np.zeros((len(rows), 2))
    if len(rows):
        centred = rows - rows.mean(axis=0)
        axes = np.linalg.svd(centred, full_matrices=False)[2][:2]
        placed[:, : len(axes)] = centred @ axes.T
    return placed


def draw(path: Path, places: Float64, points: Sequence[Point], title: str) -> None:
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
            path.write_text(_page(path, places, points, title), "utf-8")
        else:
            _picture(path, places, points, title)
    except OSError as error:
        raise BadInput(f"{path}: can't be written ({error.strerror or error})") from None


@dataclass(frozen=True, slots=True)
class _Group:
    """A cluster that is named: its label, its colour, which points are its own, and its middle.

    The symbol tells apart those that have the same colour.
    """

    label: str
    colour: str
    symbol: str
    members: list[int]
    spot: Float64


def _groups(places: Float64, points: Sequence[Point]) -> tuple[list[_Group], list[int], str]:
    """Return the named clusters, the largest first; the grey points; what is seen, in words.

    A cluster is pointed at by its member nearest to its median: a mean can lie among strangers.
    """
    clusters: dict[str, list[int]] = defaultdict(list)
    for number, point in enumerate(points):
        clusters[point.cluster].append(number)
    alone = clusters.pop("", [])
    ordered = sorted(clusters, key=lambda name: (-len(clusters[name]), name))
    spots = []
    for name in ordered[:NAMED]:
        own = places[clusters[name]]
        spots.append(own[np.linalg.norm(own - np.median(own, axis=0), axis=1).argmin()])
    groups = [
        _Group(f"{_shown(name, NAME)} ({len(clusters[name]):,})", *look, clusters[name], spot)
        for name, look, spot in zip(ordered, _looks(spots), spots, strict=False)
    ]
    smaller = [number for name in ordered[NAMED:] for number in clusters[name]]
    told = [_counted(len(points), "answer"), _counted(len(ordered), "cluster")]
    if smaller:
        told[1] += f", of which the {NAMED} largest are named"
        told.append(f"in grey {len(smaller):,} in smaller clusters and {len(alone):,} alone")
    elif alone:
        told.append(f"in grey {len(alone):,} alone")
    return groups, alone + smaller, "; ".join(told)


def _looks(spots: Sequence[Float64]) -> list[tuple[str, str]]:
    """Return each spot a colour and a symbol.

    Where colours run out, one comes back as far away as possible, and with another symbol.
    """
    given: list[str] = []
    looks = []
    for spot in spots:
        away = dict.fromkeys(COLOURS, math.inf)
        for other, colour in zip(spots, given, strict=False):
            away[colour] = min(away[colour], float(np.linalg.norm(spot - other)))
        colour = max(away, key=away.__getitem__)
        looks.append((colour, SYMBOLS[given.count(colour) % len(SYMBOLS)]))
        given.append(colour)
    return looks


def _picture(path: Path, places: Float64, points: Sequence[Point], title: str) -> None:
    datamapplot = _needed("datamapplot")
    import matplotlib as mpl

    if "matplotlib.pyplot" not in sys.modules:
        mpl.use("Agg")
    from matplotlib import pyplot as plt

    places = _square(places)
    groups, grey, told = _groups(places, points)
    spots = np.array([group.spot for group in groups]).reshape(-1, 2)
    ring = np.linalg.norm(places - spots.mean(axis=0), axis=1).max() + 0.15 if groups else 1
    order = grey + [number for group in groups for number in group.members]
    colours = [GREY] * len(grey) + [group.colour for group in groups for _ in group.members]
    size = min(50.0, 6_000 / max(1, len(points)) ** 0.8)
    settings: dict[Any, Any] = {"text.parse_math": False, "svg.hashsalt": "searchkit"}
    with mpl.rc_context(settings), redirect_stdout(StringIO()):  # what places labels prints, too
        figure, axes = datamapplot.render_plot(
            places[order],
            colours,
            [fill(group.label, 18) for group in groups],
            spots,
            np.array([len(group.members) for group in groups]),
            title=fill(_shown(title, TITLE), 80),
            sub_title=told,
            figsize=(12, 9),
            dpi=150,
            point_size=size,
            alpha=0.85 if len(points) < 10 * MANY else 0.4,
            add_glow=False,
            force_matplotlib=True,
            use_system_fonts=True,
            font_family="DejaVu Sans",
            label_over_points=len(groups) == 1,  # one label has no direction to be put in
            label_base_radius=ring,
            min_font_size=7,
            max_font_size=11,
            label_linespacing=1.15,
            arrowprops={"linewidth": 0.8},
            label_arrow_colors=[group.colour for group in groups],
            title_keywords={"fontsize": 18, "fontweight": "bold"},
            sub_title_keywords={"fontsize": 12, "color": "#444444"},
        )
        axes.collections[0].set_rasterized(len(points) > MANY)
        figure.savefig(path, bbox_inches="tight")
    plt.close(figure)


# Named, as Plotly's own choice has one that sends the answers to its maker's cloud.
BUTTONS = ("pan2d", "zoom2d", "zoomIn2d", "zoomOut2d", "resetScale2d", "toImage")
PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
body {{ margin: 0; height: 100dvh; display: flex; flex-direction: column;
        font-family: "Open Sans", Verdana, Arial, sans-serif; color: #222 }}
header {{ padding: 12px 16px 0 }}
h1 {{ font-size: 20px; margin: 0 0 4px; overflow-wrap: anywhere }}
p {{ font-size: 14px; margin: 0; color: #444 }}
main {{ flex: 1; min-height: 0 }}
.annotation-text {{ paint-order: stroke; stroke: white; stroke-width: 4px; stroke-linejoin: round }}
</style>
</head>
<body>
<header><h1>{title}</h1><p>{told}</p></header>
<main>{map}</main>
</body>
</html>
"""
# A label is hidden where that of a larger cluster is, or with its cluster; a phone has no legend.
SCRIPT = """
const map = document.getElementById("{plot_id}");
function label() {
  const labels = [...map.querySelectorAll(".annotation")];
  const own = map.data.slice(-labels.length), shown = [];
  labels.forEach((label, n) => {
    const box = label.getBoundingClientRect();
    const free = own[n].visible !== "legendonly" && shown.every(other =>
      box.right < other.left || box.left > other.right ||
      box.bottom < other.top || box.top > other.bottom);
    label.style.visibility = free ? "visible" : "hidden";
    if (free) shown.push(box);
  });
}
map.on("plotly_afterplot", label);
map.on("plotly_relayouting", label);
const narrow = window.matchMedia("(max-width: 700px)");
const legend = () => Plotly.relayout(map, {showlegend: !narrow.matches});
narrow.addEventListener("change", legend);
legend();
"""


def _square(places: Float64) -> Float64:
    """Scale both axes to -1 to 1: the ring of labels is then as wide and as high as the map."""
    low, high = places.min(axis=0), places.max(axis=0)
    scaled: Float64 = 2 * (places - low) / np.maximum(high - low, 1e-9) - 1
    return scaled


def _page(path: Path, places: Float64, points: Sequence[Point], title: str) -> str:
    graph = _needed("plotly.graph_objects")
    groups, grey, told = _groups(places, points)
    most = min(HOVER, ALL_HOVER // max(1, len(points)))
    if most < HOVER:
        log.info("%s shows the first %d characters of an answer, as there are many", path, most)
    scatter = graph.Scattergl if len(points) > MANY else graph.Scatter
    size = min(10.0, max(3.0, 40 / max(1, len(points)) ** 0.25))
    figure = graph.Figure()
    others = _Group(f"others ({len(grey):,})", GREY, SYMBOLS[0], grey, np.zeros(2))
    for group in [others] * bool(grey) + groups:
        x, y = places[group.members].astype(np.float32).T
        figure.add_trace(
            scatter(
                x=x,
                y=y,
                mode="markers",
                name=_escaped(group.label),
                hovertemplate="%{text}<br><i>%{fullData.name}</i><extra></extra>",
                text=[_hover(points[number], most) for number in group.members],
                legendrank=2_000 if group is others else 1_000,
                marker={
                    "size": size,
                    "color": group.colour,
                    "symbol": group.symbol,
                    "opacity": 0.85,
                    "line": {"width": 0.5 if len(points) < MANY else 0, "color": "white"},
                },
            )
        )
    for group in groups:
        text = "<br>".join(map(_escaped, wrap(group.label, 18)))
        figure.add_annotation(
            x=group.spot[0],
            y=group.spot[1],
            text=text,
            showarrow=False,
            yanchor="bottom",
            yshift=6,
            font={"size": 13, "color": "#222"},
        )
    figure.update_layout(
        template="plotly_white",
        dragmode="pan",
        hovermode="closest",
        margin={"l": 16, "r": 16, "t": 40, "b": 16},
        xaxis={"visible": False},
        yaxis={"visible": False},
        legend={"itemsizing": "constant", "font": {"size": 13}},
        hoverlabel={"bgcolor": "white", "align": "left", "font": {"size": 13, "color": "#222"}},
    )
    drawn = figure.to_html(
        full_html=False,
        include_plotlyjs=True,
        div_id="map",
        post_script=SCRIPT,
        config={
            "scrollZoom": True,
            "displaylogo": False,
            "responsive": True,
            "displayModeBar": True,
            "modeBarButtons": [list(BUTTONS)],
            "typesetMath": False,
        },
    )
    return PAGE.format(title=_escaped(_shown(title, TITLE)), told=told, map=drawn)


def _hover(point: Point, most: int) -> str:
    named = wrap(_shown(point.name, TITLE), 42)
    lines = wrap(_shown(point.text, most), 46, break_on_hyphens=False)
    return "<br>".join([f"<b>{_escaped(line)}</b>" for line in named] + [*map(_escaped, lines)])


def _shown(text: str, most: int) -> str:
    """Return text as one line, cut to so many characters; what would turn a line is spelled out."""
    line = " ".join(text.split())
    line = line if len(line) <= most else line[: most - 1] + "…"
    if line.isprintable():
        return line
    return "".join(f"<U+{ord(c):04X}>" if _acts(c) else c for c in line)


def _acts(character: str) -> bool:
    """Whether it is a control, or a format character that has a direction."""
    kind = unicodedata.category(character)
    return kind == "Cc" or (kind == "Cf" and unicodedata.bidirectional(character) != "BN")


def _escaped(text: str) -> str:
    return html.escape(text, quote=False)  # Plotly shows &quot; as it stands


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def _needed(module: str) -> Any:  # noqa: ANN401
    from importlib import import_module

    try:
        return import_module(module)
    except ImportError as error:
        raise MissingExtra(
            f"a map needs {error.name or module}, which isn't installed: "
            f"pip install 'searchkit[plot]'"
        ) from None
