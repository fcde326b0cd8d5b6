"""Maps: what says the same is side by side; a page opens offline and runs nothing of the corpus."""

from __future__ import annotations

import json
import logging
import re
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from helpers.encoder import ToyEncoder
from helpers.vectors import blobs

from searchkit import Answer, Index, Where
from searchkit.clustering import maps
from searchkit.clustering.clusters import cluster, draw_map
from searchkit.clustering.layout import place
from searchkit.clustering.maps import (
    COLOURS,
    GREY,
    MAX_NAMED,
    MAX_PAGE_TEXT_LENGTH,
    SYMBOLS,
    Point,
    check_suffix,
    draw,
)
from searchkit.core.errors import BadInput, MissingExtra

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


POINTS = [
    Point(f"a{n} · s{n}", f"text <script>alert({n})</script>", "loop, stack") for n in range(20)
]
POINTS += [Point(f"a{n} · <b>", "other", "stream" if n < 30 else "") for n in range(20, 36)]


def traces(page: str) -> list[dict[str, Any]]:
    """Return the traces of a page as Plotly gets them."""
    start = page.index("[", page.index('"map",', page.rindex("Plotly.newPlot(")))
    found: list[dict[str, Any]] = json.JSONDecoder().raw_decode(page[start:])[0]
    return found


HOSTILE = "<b>$x_{$</b> {title} %{x} \u202e\x07" + "long " * 90  # "$…$" is TeX to matplotlib


@pytest.mark.parametrize("clusters", [0, 1, 2, 12])
@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
def test_a_picture_is_drawn(
    suffix: str, clusters: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / f"map{suffix}"
    names = [f"{n}{HOSTILE}" for n in range(clusters)] or [""]
    points = [Point(HOSTILE, HOSTILE, names[n % len(names)]) for n in range(36)]
    draw(path, place(blobs()), points, HOSTILE)
    assert not capsys.readouterr().out
    assert path.stat().st_size > 5_000
    if suffix == ".svg":
        ElementTree.fromstring(path.read_text("utf-8"))


def test_the_same_map_is_the_same_file(tmp_path: Path) -> None:
    for suffix in (".png", ".html"):
        for name in "ab":
            draw(tmp_path / f"{name}{suffix}", place(blobs()), POINTS, "q1")
        assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()


def test_a_page_opens_offline_and_runs_nothing_of_the_corpus(tmp_path: Path) -> None:
    path = tmp_path / "map.html"
    draw(path, place(blobs()), [*POINTS[:-1], Point(HOSTILE, HOSTILE, HOSTILE)], "<i>q1</i>")
    page = path.read_text("utf-8")
    assert "alert(3)" in page and "<script>alert" not in page and "<i>q1" not in page
    assert not re.findall(r'<(?:script|link|img)[^>]+(?:src|href)="?http', page)
    assert "\u202e" not in page[page.index("<main>") :] and "\x07" not in page


def test_a_page_offers_no_upload(tmp_path: Path) -> None:
    """Plotly's usual buttons have one that sends the answers to its maker's cloud."""
    path = tmp_path / "map.html"
    draw(path, place(blobs()), POINTS, "q1")
    config = re.search(r'\{[^{}]*"modeBarButtons"[^{}]*\}', path.read_text("utf-8"))
    assert config
    assert json.loads(config[0])["modeBarButtons"] == [list(maps.BUTTONS)]


def test_a_page_says_what_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "map.html"
    draw(path, place(blobs()), POINTS, "q1")
    assert "<h1>q1</h1><p>36 answers; 2 clusters; in grey 6 alone</p>" in path.read_text("utf-8")
    others, *named = traces(path.read_text("utf-8"))  # what is drawn first is behind
    assert (others["name"], others["marker"]["color"]) == ("others (6)", GREY)
    assert [trace["name"] for trace in named] == ["loop, stack (20)", "stream (10)"]
    assert len({trace["marker"]["color"] for trace in named} - {GREY}) == 2


def test_the_largest_clusters_are_named_and_each_looks_different(tmp_path: Path) -> None:
    sizes = [n // 3 + 2 for n in range(MAX_NAMED + 5)]
    points = [Point("a", "b", f"c{n}") for n, size in enumerate(sizes) for _ in range(size)]
    path = tmp_path / "map.html"
    draw(path, np.random.default_rng(0).random((len(points), 2)), points, "q1")
    others, *named = traces(path.read_text("utf-8"))
    assert len(others["text"]) == sum(sizes[:5]) and len(named) == MAX_NAMED
    looks = [(trace["marker"]["color"], trace["marker"]["symbol"]) for trace in named]
    assert len(set(looks)) > MAX_NAMED * 0.9
    assert [colour for colour, _ in looks[: len(COLOURS)]] == list(COLOURS)
    told = f"{MAX_NAMED + 5} clusters, of which the {MAX_NAMED} largest are named"
    assert told in path.read_text("utf-8")


def test_a_colour_comes_back_as_far_away_as_possible() -> None:
    spots = [np.array([float(n), 0.0]) for n in range(len(COLOURS))]
    *_, (colour, symbol) = maps._looks([*spots, np.array([-1.0, 0.0])])
    assert (colour, symbol) == (COLOURS[-1], SYMBOLS[1])


def test_many_answers_are_shortened_and_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(logging.getLogger("searchkit"), "propagate", True)
    count = MAX_PAGE_TEXT_LENGTH // 250
    places = np.random.default_rng(0).normal(size=(count, 2))
    with caplog.at_level(logging.INFO, "searchkit"):
        draw(tmp_path / "map.html", places, [Point("a", "text " * 90, "")] * count, "q1")
    assert "map.html shows the first 250 characters of an answer" in caplog.text
    (trace,) = traces((tmp_path / "map.html").read_text("utf-8"))
    assert trace["type"] == "scattergl" and len(trace["text"]) == count
    assert len(trace["text"][0].replace("<br>", " ").removeprefix("<b>a</b> ")) == 250


def test_a_map_of_an_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two clusters of one name stay two; the title says whose answers are seen."""
    with Index.create(tmp_path / "i", ToyEncoder()) as index:
        rows = [(f"{q}{n}", f"{q} says {word}", q) for q in "ab" for n, word in enumerate("xxyyz")]
        index.add([Answer(i, text, question) for i, text, question in rows])
    told = []
    monkeypatch.setattr(maps, "draw", lambda *said: told.append(said[2:]))
    with Index.open(tmp_path / "i", encoder=ToyEncoder()) as index:
        one = Where("a")
        found = cluster(index, threshold=0.99, where=one)
        for c in found.clusters:
            object.__setattr__(c, "keywords", ("same",))
        draw_map(index, found, tmp_path / "m.png", where=one)
        draw_map(index, cluster(index, by="all"), str(tmp_path / "m.png"))
        with pytest.raises(BadInput, match="`plot` shows one question, and here are 2"):
            draw_map(index, cluster(index), tmp_path / "m.png")
    (points, title), (_, all_of_them) = told
    assert (title, all_of_them) == ("a", "Answers to 2 questions")
    assert sorted(point.cluster for point in points) == [
        "",
        *["same"] * 2,
        *["same, cluster 2"] * 2,
    ]


def test_what_cannot_be_drawn_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadInput, match=r"map.gif: a map is drawn as .png, .svg, .pdf, .html"):
        check_suffix(Path("map.gif"))
    with pytest.raises(BadInput, match="can't be written"):
        draw(tmp_path / "no" / "map.html", place(blobs()), POINTS, "q1")
    monkeypatch.setitem(sys.modules, "plotly.graph_objects", None)
    with pytest.raises(MissingExtra, match=r"a map needs plotly.*pip install 'searchkit\[plot\]'"):
        draw(tmp_path / "map.html", place(blobs()), POINTS, "q1")
