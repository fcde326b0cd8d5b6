"""Maps: answers as points on a plane, coloured by cluster; points of similar answers are near.

The places come from `layout.py`. The picture is drawn by DataMapPlot, and the HTML page by Plotly,
whose JavaScript it contains, so that it opens offline. Both come with searchkit[plot].
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

from searchkit.clustering.layout import import_extra
from searchkit.core.arrays import Float64
from searchkit.core.errors import BadInput
from searchkit.core.messages import counted

log = logging.getLogger("searchkit")
MAX_NAMED = 30  # clusters that a map names and colours; the others are grey
MAX_VECTOR_POINTS = 5_000  # more points are drawn as pixels (in a picture) or by WebGL (in a page)
MAX_TEXT_LENGTH = 300  # characters of an answer that a page shows
MAX_PAGE_TEXT_LENGTH = 8_000_000  # characters of all answers together that a page holds
MAX_TITLE_LENGTH = 160  # characters of a title, or of an id
MAX_NAME_LENGTH = 60  # characters of a cluster's name
SUFFIXES = (".png", ".svg", ".pdf", ".html")
GREY = "#c2c2c2"
# The palette of Okabe and Ito (2008), which is safe for colour-blind readers, without black and
# yellow, and two dark colours more.
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
    """An answer on a map.

    Attributes:
        name: Its id and author.
        text: Its text, which a page shows under the pointer.
        cluster: The name of its cluster; empty for an answer in none.
    """

    name: str
    text: str
    cluster: str


def check_suffix(path: Path) -> None:
    """Check that a map can be drawn as this kind of file, before anything is computed.

    Raises:
        BadInput: if the suffix is none of `SUFFIXES`.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise BadInput(f"{path}: a map is drawn as {', '.join(SUFFIXES)}; name it so")


def draw(path: Path, places: Float64, points: Sequence[Point], title: str) -> None:
    """Draw a map into a file, as the kind that its suffix names.

    Args:
        path: Ends in one of `SUFFIXES`.
        places: `(n, 2)` from `place`.
        points: The answers, in the same order.
        title: The title above the map.

    Raises:
        BadInput: if the suffix is unknown, or the file can't be written.
        MissingExtra: if a library for drawing isn't installed.
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
class _NamedCluster:
    """A cluster that a map names.

    Attributes:
        label: Its name and size.
        colour: The colour of its points, as hexadecimal RGB.
        symbol: The symbol of its points in a page, which distinguishes clusters of one colour.
        members: The numbers of its points.
        spot: `(2,)` the place that its label points at.
    """

    label: str
    colour: str
    symbol: str
    members: list[int]
    spot: Float64


def _named_clusters(
    places: Float64, points: Sequence[Point]
) -> tuple[list[_NamedCluster], list[int], str]:
    """Return the named clusters, largest first, the numbers of the grey points, and a subtitle.

    A label points at the member nearest to the cluster's median: the mean may lie in another
    cluster.
    """
    clusters: dict[str, list[int]] = defaultdict(list)
    for number, point in enumerate(points):
        clusters[point.cluster].append(number)
    alone = clusters.pop("", [])
    ordered = sorted(clusters, key=lambda name: (-len(clusters[name]), name))
    spots = []
    for name in ordered[:MAX_NAMED]:
        own = places[clusters[name]]
        spots.append(own[np.linalg.norm(own - np.median(own, axis=0), axis=1).argmin()])
    groups = [
        _NamedCluster(
            f"{_one_line(name, MAX_NAME_LENGTH)} ({len(clusters[name]):,})",
            *look,
            clusters[name],
            spot,
        )
        for name, look, spot in zip(ordered, _looks(spots), spots, strict=False)
    ]
    smaller = [number for name in ordered[MAX_NAMED:] for number in clusters[name]]
    counts = [counted(len(points), "answer"), counted(len(ordered), "cluster")]
    if smaller:
        counts[1] += f", of which the {MAX_NAMED} largest are named"
        counts.append(f"in grey {len(smaller):,} in smaller clusters and {len(alone):,} alone")
    elif alone:
        counts.append(f"in grey {len(alone):,} alone")
    return groups, alone + smaller, "; ".join(counts)


def _looks(spots: Sequence[Float64]) -> list[tuple[str, str]]:
    """Return a colour and a symbol for each spot.

    When all colours are used, the one whose spots are farthest away is used again, with another
    symbol.
    """
    used: list[str] = []
    looks = []
    for spot in spots:
        distance = dict.fromkeys(COLOURS, math.inf)
        for other, colour in zip(spots, used, strict=False):
            distance[colour] = min(distance[colour], float(np.linalg.norm(spot - other)))
        colour = max(distance, key=distance.__getitem__)
        looks.append((colour, SYMBOLS[used.count(colour) % len(SYMBOLS)]))
        used.append(colour)
    return looks


PICTURE_STYLE: dict[str, Any] = {
    "figsize": (12, 9),
    "dpi": 150,
    "add_glow": False,
    "force_matplotlib": True,
    "use_system_fonts": True,
    "font_family": "DejaVu Sans",
    "min_font_size": 7,
    "max_font_size": 11,
    "label_linespacing": 1.15,
    "arrowprops": {"linewidth": 0.8},
    "title_keywords": {"fontsize": 18, "fontweight": "bold"},
    "sub_title_keywords": {"fontsize": 12, "color": "#444444"},
}


def _picture(path: Path, places: Float64, points: Sequence[Point], title: str) -> None:
    datamapplot = import_extra("datamapplot")
    import matplotlib as mpl

    if "matplotlib.pyplot" not in sys.modules:
        mpl.use("Agg")
    from matplotlib import pyplot as plt

    places = _square(places)
    groups, grey, subtitle = _named_clusters(places, points)
    spots = np.array([group.spot for group in groups]).reshape(-1, 2)
    ring = np.linalg.norm(places - spots.mean(axis=0), axis=1).max() + 0.15 if groups else 1
    order = grey + [number for group in groups for number in group.members]
    colours = [GREY] * len(grey) + [group.colour for group in groups for _ in group.members]
    settings: dict[Any, Any] = {"text.parse_math": False, "svg.hashsalt": "searchkit"}
    with mpl.rc_context(settings), redirect_stdout(StringIO()):  # DataMapPlot prints
        figure, axes = datamapplot.render_plot(
            places[order],
            colours,
            [fill(group.label, 18) for group in groups],
            spots,
            np.array([len(group.members) for group in groups]),
            title=fill(_one_line(title, MAX_TITLE_LENGTH), 80),
            sub_title=subtitle,
            point_size=min(50.0, 6_000 / max(1, len(points)) ** 0.8),
            alpha=0.85 if len(points) < 10 * MAX_VECTOR_POINTS else 0.4,
            label_over_points=len(groups) == 1,  # a single label has no direction to move to
            label_base_radius=ring,
            label_arrow_colors=[group.colour for group in groups],
            **PICTURE_STYLE,
        )
        axes.collections[0].set_rasterized(len(points) > MAX_VECTOR_POINTS)
        figure.savefig(path, bbox_inches="tight")
    plt.close(figure)


# Listed here, since Plotly's default has a button that uploads the answers to its maker's cloud.
BUTTONS = ("pan2d", "zoom2d", "zoomIn2d", "zoomOut2d", "resetScale2d", "toImage")
PAGE_LAYOUT: dict[str, Any] = {
    "template": "plotly_white",
    "dragmode": "pan",
    "hovermode": "closest",
    "margin": {"l": 16, "r": 16, "t": 40, "b": 16},
    "xaxis": {"visible": False},
    "yaxis": {"visible": False},
    "legend": {"itemsizing": "constant", "font": {"size": 13}},
    "hoverlabel": {"bgcolor": "white", "align": "left", "font": {"size": 13, "color": "#222"}},
}
PAGE_CONFIG: dict[str, Any] = {
    "scrollZoom": True,
    "displaylogo": False,
    "responsive": True,
    "displayModeBar": True,
    "modeBarButtons": [list(BUTTONS)],
    "typesetMath": False,
}
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
<header><h1>{title}</h1><p>{subtitle}</p></header>
<main>{map}</main>
</body>
</html>
"""
# Hides a label that overlaps that of a larger cluster or whose cluster is hidden, and the legend on
# narrow screens.
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
    """Scale both axes to -1 to 1, so that the ring of labels is as wide and as high as the map."""
    low, high = places.min(axis=0), places.max(axis=0)
    scaled: Float64 = 2 * (places - low) / np.maximum(high - low, 1e-9) - 1
    return scaled


def _page(path: Path, places: Float64, points: Sequence[Point], title: str) -> str:
    graph = import_extra("plotly.graph_objects")
    groups, grey, subtitle = _named_clusters(places, points)
    length = min(MAX_TEXT_LENGTH, MAX_PAGE_TEXT_LENGTH // max(1, len(points)))
    if length < MAX_TEXT_LENGTH:
        log.info("%s shows the first %d characters of an answer, as there are many", path, length)
    scatter = graph.Scattergl if len(points) > MAX_VECTOR_POINTS else graph.Scatter
    style = {
        "size": min(10.0, max(3.0, 40 / max(1, len(points)) ** 0.25)),
        "line": {"width": 0.5 if len(points) < MAX_VECTOR_POINTS else 0, "color": "white"},
    }
    figure = graph.Figure()
    others = _NamedCluster(f"others ({len(grey):,})", GREY, SYMBOLS[0], grey, np.zeros(2))
    for group in [others] * bool(grey) + groups:
        x, y = places[group.members].astype(np.float32).T
        figure.add_trace(
            scatter(
                x=x,
                y=y,
                mode="markers",
                name=_escaped(group.label),
                hovertemplate="%{text}<br><i>%{fullData.name}</i><extra></extra>",
                text=[_hover_text(points[number], length) for number in group.members],
                legendrank=2_000 if group is others else 1_000,
                marker={**style, "color": group.colour, "symbol": group.symbol, "opacity": 0.85},
            )
        )
    _add_labels(figure, groups)
    figure.update_layout(**PAGE_LAYOUT)
    drawn = figure.to_html(
        full_html=False,
        include_plotlyjs=True,
        div_id="map",
        post_script=SCRIPT,
        config=PAGE_CONFIG,
    )
    return PAGE.format(
        title=_escaped(_one_line(title, MAX_TITLE_LENGTH)), subtitle=subtitle, map=drawn
    )


def _add_labels(figure: Any, groups: Sequence[_NamedCluster]) -> None:  # noqa: ANN401
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


def _hover_text(point: Point, max_length: int) -> str:
    names = wrap(_one_line(point.name, MAX_TITLE_LENGTH), 42)
    lines = wrap(_one_line(point.text, max_length), 46, break_on_hyphens=False)
    return "<br>".join([f"<b>{_escaped(line)}</b>" for line in names] + [*map(_escaped, lines)])


def _one_line(text: str, max_length: int) -> str:
    """Return a text as one line of at most so many characters; control characters are escaped."""
    line = " ".join(text.split())
    line = line if len(line) <= max_length else line[: max_length - 1] + "…"
    if line.isprintable():
        return line
    return "".join(f"<U+{ord(c):04X}>" if _is_control(c) else c for c in line)


def _is_control(character: str) -> bool:
    """Return whether it is a control character, or a format character with a direction."""
    category = unicodedata.category(character)
    return category == "Cc" or (category == "Cf" and unicodedata.bidirectional(character) != "BN")


def _escaped(text: str) -> str:
    return html.escape(text, quote=False)  # Plotly shows &quot; unchanged
