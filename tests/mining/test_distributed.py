"""Mining over shards equals the plain loop, bit for bit, whatever the tiles and tasks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from helpers.vectors import sorted_pairs, unit

from searchkit.index.folder import Index
from searchkit.mining import distributed, exact
from searchkit.mining import products as products_module
from searchkit.mining.distributed import mine_shards
from searchkit.mining.exact import mine_blocks
from searchkit.mining.pairs import mine
from searchkit.runners.base import PlainLoop


@pytest.fixture(params=[None, ("cpu", "bfloat16")], ids=["single", "half"], autouse=True)
def precision(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exact, "half_precision_here", lambda: request.param)
    if request.param:
        import torch  # noqa: F401
    monkeypatch.setattr(exact, "TILE", 32)
    monkeypatch.setattr(products_module, "SPAN", 2)


@pytest.mark.parametrize("products", [1, 50_000, 1e12])
@pytest.mark.parametrize("threshold", [0.9, 0.0])
@pytest.mark.parametrize("owned", [False, True])
def test_is_the_plain_loop(
    tmp_path: Path, monkeypatch, products: float, threshold: float, owned: bool
) -> None:
    monkeypatch.setattr(distributed, "PRODUCTS", products)
    vectors = unit(700, clusters=20)
    owners = np.repeat(np.arange(350), 2) if owned else None
    groups = np.repeat(np.arange(7), 100) if owned else None
    done: list[tuple[int, int]] = []
    found = sorted_pairs(
        mine_shards(
            PlainLoop(tmp_path), vectors, threshold,
            groups=groups, owners=owners, progress=lambda *now: done.append(now),
        )
    )  # fmt: skip
    wanted = sorted_pairs(mine_blocks(vectors, threshold, groups=groups, owners=owners))
    assert len(wanted) > 50 and done[-1] == (700, 700)
    for name in ("left", "right", "scores"):
        assert getattr(found, name).tobytes() == getattr(wanted, name).tobytes()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("n", [0, 1, 2])
def test_few(tmp_path: Path, n: int) -> None:
    found = sorted_pairs(mine_shards(PlainLoop(tmp_path), unit(n), -1))
    assert len(found) == n * (n - 1) // 2


def test_mistakes_are_told(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="NaN"):
        list(mine_shards(PlainLoop(tmp_path), unit(3), float("nan")))


def test_an_index_is_mined_alike(tmp_path: Path, encoder, answers) -> None:
    with Index.create(tmp_path / "index", encoder) as index:
        index.add(answers)
        (tmp_path / "shards").mkdir()
        found = mine(index, -1, runner=PlainLoop(tmp_path / "shards"))
        wanted = mine(index, -1)
        assert list(found.pairs()) == list(wanted.pairs()) and wanted.total
        assert (found.equal, found.total) == (wanted.equal, wanted.total)


def test_on_a_gpu_only_if_all_workers_have_room(tmp_path: Path, monkeypatch) -> None:
    vectors, asked = unit(200, 16, clusters=10), []
    monkeypatch.setattr(exact, "GPU_LARGE", -1)
    monkeypatch.setattr(exact, "LARGE", -1)
    monkeypatch.setattr(distributed, "gpu_holds", lambda numbers: asked.append(numbers) or False)
    runner = PlainLoop(tmp_path)
    wanted = sorted_pairs(mine_shards(runner, vectors, 0.8))
    assert len(wanted) > 50 and not asked  # no worker has one
    runner.gpus = 2
    found = sorted_pairs(mine_shards(runner, vectors, 0.8))
    assert asked and set(asked) == {200 * 16}
    assert found.scores.tobytes() == wanted.scores.tobytes()
