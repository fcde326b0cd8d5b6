"""The layout of a map: what says the same is side by side."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from helpers.vectors import blobs

from searchkit.clustering import layout
from searchkit.clustering.layout import place
from searchkit.core.errors import MissingExtra

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.mark.parametrize("tsne_min_answers", [36, 37])
def test_near_rows_are_near_and_the_same_again(
    tsne_min_answers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layout, "TSNE_MIN_ANSWERS", tsne_min_answers)
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
    assert places[:, 0].std() >= places[:, 1].std()


@pytest.mark.parametrize("count", [0, 1, 2, 7, 8, 9])
def test_a_few_rows_are_placed(count: int) -> None:
    places = place(blobs()[:count])
    assert places.shape == (count, 2)
    assert np.isfinite(places).all()


def test_equal_rows_are_placed() -> None:
    assert not place(np.repeat(blobs()[:1], 20, axis=0)).any()
    places = place(np.repeat(blobs()[::4], 5, axis=0))
    assert np.isfinite(places).all()


@pytest.mark.slow
def test_many_rows_are_placed_by_umap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "TSNE_MAX_ANSWERS", 35)
    test_near_rows_are_near_and_the_same_again(36, monkeypatch)
    monkeypatch.setitem(sys.modules, "umap", None)
    with pytest.raises(MissingExtra, match=r"a map needs umap.*pip install 'searchkit\[plot\]'"):
        place(blobs())
