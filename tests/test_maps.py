"""Maps: what says the same is side by side; a page opens offline and runs nothing of the corpus."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from searchkit.errors import BadInput, MissingExtra
from searchkit.maps import Point, check_suffix, draw, place

pytestmark = [pytest.mark.filterwarnings("ignore")]  # of UMAP's and DataMapPlot's libraries


def blobs() -> np.ndarray:
    rng = np.random.default_rng(0)
    rows = np.repeat(np.eye(3, 16), 12, axis=0) + rng.standard_normal((36, 16)) * 0.05
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


POINTS = [
    Point(f"a{n} · s{n}", f"text <script>alert({n})</script>", "loop, stack") for n in range(20)
]
POINTS += [Point(f"a{n} · <b>", "other", "stream" if n < 30 else "") for n in range(20, 36)]


def test_near_rows_are_near_and_the_same_again() -> None:
    places = place(blobs())
    assert places.shape == (36, 2)
    for first in (0, 12, 24):
        own = places[first : first + 12]
        far = np.delete(places, np.s_[first : first + 12], axis=0)
        centre = own.mean(axis=0)
        assert (
            np.linalg.norm(own - centre, axis=1).max() < np.linalg.norm(far - centre, axis=1).min()
        )
    assert np.array_equal(places, place(blobs()))


@pytest.mark.parametrize("count", [0, 1, 2, 7])
def test_a_few_rows_are_placed_without_umap(count: int) -> None:
    places = place(blobs()[:count])
    assert places.shape == (count, 2)
    assert np.isfinite(places).all()


@pytest.mark.parametrize("suffix", [".png", ".svg"])
def test_a_picture_is_drawn(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"map{suffix}"
    draw(path, place(blobs()), POINTS, "q1")
    assert path.stat().st_size > 5_000


def test_a_page_opens_offline_and_runs_nothing_of_the_corpus(tmp_path: Path) -> None:
    path = tmp_path / "map.html"
    draw(path, place(blobs()), POINTS, "<i>q1</i>")
    page = path.read_text("utf-8")
    assert "alert(3)" in page and "<script>alert" not in page and "<i>q1" not in page
    assert not re.findall(r'<(?:script|link|img)[^>]+(?:src|href)="?http', page)


def test_what_cannot_be_drawn_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadInput, match=r"map.gif: a map is drawn as .png, .svg, .pdf, .html"):
        check_suffix(Path("map.gif"))
    with pytest.raises(BadInput, match="can't be written"):
        draw(tmp_path / "no" / "map.html", place(blobs()), POINTS, "q1")
    monkeypatch.setitem(__import__("sys").modules, "umap", None)
    with pytest.raises(MissingExtra, match=r"a map needs umap.*pip install 'searchkit\[plot\]'"):
        place(blobs())
