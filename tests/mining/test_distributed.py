"""Mining on a runner equals the plain loop, bit for bit, whatever the tiles and tasks."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pytest
from helpers.runners import PackingLoop
from helpers.vectors import as_dict, sorted_pairs, unit

from searchkit.index.folder import Index
from searchkit.mining import exact
from searchkit.mining.exact import choose_precision, mine_blocks, mine_pairs
from searchkit.mining.pairs import mine
from searchkit.mining.products import EIGHT_BIT, HALF, has_eight_bits, products_of


@pytest.fixture(params=[None, HALF, EIGHT_BIT], ids=["single", "half", "eight-bit"], autouse=True)
def precision(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == EIGHT_BIT and not has_eight_bits():
        pytest.skip("needs a CPU with VNNI")
    monkeypatch.setattr(exact, "fast_precision_here", lambda: request.param)
    monkeypatch.setattr(exact, "choose_precision", lambda *_: request.param)


@pytest.mark.parametrize("products", [1, 50_000, 1e12])
@pytest.mark.parametrize("threshold", [0.9, 0.0])
@pytest.mark.parametrize("owned", [False, True])
def test_is_the_plain_loop(
    tmp_path: Path, monkeypatch, products: float, threshold: float, owned: bool
) -> None:
    monkeypatch.setattr(exact, "TASK_MULTIPLICATIONS", products)
    vectors = unit(700, clusters=20)
    owners = np.repeat(np.arange(350), 2) if owned else None
    groups = np.repeat(np.arange(7), 100) if owned else None
    done: list[tuple[int, int]] = []
    found = sorted_pairs(
        mine_blocks(
            vectors, threshold, groups=groups, owners=owners,
            runner=PackingLoop(tmp_path), progress=lambda *now: done.append(now), tile_rows=32,
        )
    )  # fmt: skip
    wanted = sorted_pairs(
        mine_blocks(vectors, threshold, groups=groups, owners=owners, tile_rows=32)
    )
    assert len(wanted) > 50 and done[-1] == (700, 700)
    for name in ("left", "right", "scores"):
        assert getattr(found, name).tobytes() == getattr(wanted, name).tobytes()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("n", [0, 1, 2])
def test_few(tmp_path: Path, n: int) -> None:
    found = sorted_pairs(mine_blocks(unit(n), -1, runner=PackingLoop(tmp_path)))
    assert len(found) == n * (n - 1) // 2


def test_an_index_is_mined_alike(tmp_path: Path, encoder, answers) -> None:
    with Index.create(tmp_path / "index", encoder) as index:
        index.add(answers)
        (tmp_path / "shards").mkdir()
        found = mine(index, -1, runner=PackingLoop(tmp_path / "shards"))
        wanted = mine(index, -1)
        assert list(found.pairs()) == list(wanted.pairs()) and wanted.total
        assert (found.equal, found.total) == (wanted.equal, wanted.total)


asked: list[int] = []


def refuse(numbers: int) -> bool:
    asked.append(numbers)
    return False


def test_on_a_gpu_only_if_all_workers_have_room(tmp_path: Path, monkeypatch) -> None:
    vectors = unit(200, 16, clusters=10)
    asked.clear()
    always_fast = partial(choose_precision, torch_from=-1, gpu_from=-1)
    monkeypatch.setattr(exact, "choose_precision", always_fast)
    monkeypatch.setattr(exact, "gpu_holds", refuse)
    runner = PackingLoop(tmp_path)
    wanted = sorted_pairs(mine_blocks(vectors, 0.8, runner=runner))
    assert len(wanted) > 50 and not asked  # no worker has one
    runner.gpus = 2
    found = sorted_pairs(mine_blocks(vectors, 0.8, runner=runner))
    assert asked and set(asked) == {200 * 16}
    assert found.scores.tobytes() == wanted.scores.tobytes()


def test_a_worker_without_integers_of_8_bits_uses_others(monkeypatch) -> None:
    monkeypatch.setattr(exact, "choose_precision", lambda *_: EIGHT_BIT)
    monkeypatch.setattr(exact, "has_eight_bits", lambda: False)
    made = []
    monkeypatch.setattr(
        exact, "products_of", lambda *given, **_: made.append(given[1]) or products_of(*given)
    )
    monkeypatch.setattr(exact, "precision_without_integers", lambda: HALF)
    vectors = unit(200, clusters=20)
    found = as_dict(mine_pairs(vectors, 0.5))
    assert made == [HALF]
    monkeypatch.setattr(exact, "choose_precision", lambda *_: None)
    assert found.keys() == as_dict(mine_pairs(vectors, 0.5)).keys() and len(found) > 100
