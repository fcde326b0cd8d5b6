"""Mining equals brute force: all pairs, each once, whatever the sizes, groups and owners."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pytest
from helpers.vectors import as_dict, unit
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from searchkit.mining import exact, products, row_pairs
from searchkit.mining.exact import mine_blocks, mine_pairs
from searchkit.mining.row_pairs import PairSorter, RowPairs


def brute(
    vectors: NDArray[np.float32], threshold: float,
    groups: NDArray[np.int64] | None = None, owners: NDArray[np.int64] | None = None,
) -> dict[tuple[int, int], float]:  # fmt: skip
    scores = vectors.astype(np.float64) @ vectors.T.astype(np.float64)
    owned = np.arange(len(vectors)) if owners is None else owners
    best: dict[tuple[int, int], float] = {}
    for i in range(len(vectors)):
        for j in range(i + 1, len(vectors)):
            if owned[i] == owned[j] or (groups is not None and groups[i] != groups[j]):
                continue
            if scores[i, j] >= threshold - 5e-7:
                key = min(owned[i], owned[j]), max(owned[i], owned[j])
                best[key] = max(scores[i, j], best.get(key, -2.0))
    return best


def agree(pairs: RowPairs, wanted: dict[tuple[int, int], float]) -> None:
    found = as_dict(pairs)
    assert found.keys() == wanted.keys()
    assert all(abs(found[key] - wanted[key]) < 2e-6 for key in wanted)  # of sums of 384 floats
    order = [(-round(float(s), 6), i, j) for (i, j), s in found.items()]
    assert order == sorted(order)


@pytest.fixture(params=["single", "half", "eight-bit", "gpu"])
def precision(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Each precision of the fast products, whatever this machine would choose."""
    if request.param == "gpu":
        import torch

        if not torch.cuda.is_available():
            pytest.skip("needs a GPU")
    if request.param == "eight-bit" and not products.has_eight_bits():
        pytest.skip("needs a CPU with VNNI")
    precisions = {
        "single": None, "half": products.HALF, "eight-bit": exact.EIGHT_BIT, "gpu": exact.GPU,
    }  # fmt: skip
    monkeypatch.setattr(exact, "choose_precision", lambda *_: precisions[request.param])
    return str(request.param)


@pytest.mark.parametrize("threshold", [0.9, 0.5, 0.0, -1.0])
def test_equals_brute_force(precision: str, threshold: float) -> None:
    vectors = unit(300, clusters=20)
    before = vectors.copy()
    agree(mine_pairs(vectors, threshold, tile_rows=16), brute(vectors, threshold))
    assert np.array_equal(vectors, before)


def test_equals_brute_force_with_full_tiles(precision: str) -> None:
    vectors = unit(1500, clusters=40, seed=3)
    agree(mine_pairs(vectors, 0.85), brute(vectors, 0.85))


@settings(max_examples=60, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 4), min_size=1, max_size=30), seed=st.integers(0, 99),
    threshold=st.floats(-1, 1), questions=st.integers(1, 6), tile=st.integers(1, 9),
)  # fmt: skip
def test_groups_and_owners(
    sizes: list[int], seed: int, threshold: float, questions: int, tile: int
) -> None:
    owners = np.repeat(np.arange(len(sizes)), sizes)
    groups = (owners * questions) // len(sizes)
    vectors = unit(len(owners), d=4, seed=seed)
    wanted = brute(vectors, threshold, groups, owners)
    found = as_dict(mine_pairs(vectors, threshold, groups=groups, owners=owners, tile_rows=tile))
    near = {key for key, score in wanted.items() if abs(score - threshold) < 1.5e-6}
    assert found.keys() - near == wanted.keys() - near


def test_the_threshold_is_inclusive(precision: str) -> None:
    vectors = np.array([[1, 0], [0.6, 0.8], [0, 1]], np.float32)
    assert as_dict(mine_pairs(vectors, 0.6)).keys() == {(0, 1), (1, 2)}
    assert len(mine_pairs(vectors, 0.800001)) == 0
    assert len(mine_pairs(vectors, 0.8000001)) == 1  # the same to six places


def test_all_equal_one_and_none(precision: str) -> None:
    equal = np.tile(unit(1), (70, 1))
    assert len(mine_pairs(equal, 0.99)) == 70 * 69 // 2
    assert len(mine_pairs(unit(1), -1)) == len(mine_pairs(np.empty((0, 4), np.float32), 0)) == 0
    assert len(mine_pairs(unit(50), 1.5)) == 0
    assert len(mine_pairs(unit(50), -7)) == 50 * 49 // 2
    for tiny in (0.0, 1e-45, 1e-30, 1e-6):
        assert len(mine_pairs(np.full((50, 4), tiny, np.float32), 0)) == 50 * 49 // 2


def test_the_margin_holds_where_rounding_is_worst(precision: str) -> None:
    """Every coordinate lies half-way between two numbers, all errors in one direction."""
    row = np.full(384, 1 + (2.0**-11 if precision == "gpu" else 2.0**-8), np.float32)
    vectors = np.stack([row, row + np.float32(2.0**-12), row - np.float32(2.0**-12)]) / 20
    threshold = float((vectors.astype(np.float64) @ vectors.T).min()) - 1e-6
    assert len(mine_pairs(vectors.astype(np.float32), threshold)) == 3


def test_the_margin_holds_where_8_bits_round_worst(precision: str) -> None:
    """Every coordinate but the greatest lies half-way between two integers, and is rounded down."""
    vectors = np.full((600, 384), 12.5, np.float32)
    vectors[0, 0] = 127
    vectors /= 12.5 * 384**0.5
    wanted = brute(vectors, 1.0)
    assert len(wanted) == 600 * 599 // 2
    assert as_dict(mine_pairs(vectors, 1.0)).keys() == wanted.keys()


@pytest.mark.parametrize("mode", ["high", "medium"])
def test_what_a_program_told_torch_costs_no_precision(precision: str, mode: str) -> None:
    import torch

    vectors = unit(600, 384, clusters=6)
    usual = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision(mode)
    try:
        found = as_dict(mine_pairs(vectors, 0.5))
    finally:
        torch.set_float32_matmul_precision(usual)
    wanted = brute(vectors, 0.5)
    assert found.keys() == wanted.keys()
    assert max(abs(found[key] - wanted[key]) for key in wanted) < 5e-6


def test_a_gpu_is_used_where_it_pays_and_holds_the_vectors(monkeypatch) -> None:
    asked: list[int] = []
    monkeypatch.setattr(exact, "fast_precision_here", lambda: ("cpu", "bfloat16"))
    choose = partial(exact.choose_precision, torch_from=-1, gpu_from=1_000_000)
    few, many = exact.Tiling.of(10, None, None), exact.Tiling.of(1000, None, None)

    def holds(numbers: int) -> bool:
        asked.append(numbers)
        return numbers < 10_000

    assert choose(few, 8, holds) == ("cpu", "bfloat16") and not asked
    assert choose(many, 8, holds) == exact.GPU and asked == [8_000]
    assert choose(many, 16, holds) == ("cpu", "bfloat16")


def test_no_gpu_holds_more_than_it_has(monkeypatch) -> None:
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda: (10**10, 10**10))
    assert exact.gpu_holds(384 * 10**6) and not exact.gpu_holds(384 * 3 * 10**6)
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda: 2 * 10**9)
    assert exact.gpu_holds(384 * 3 * 10**6)  # what torch keeps is free for it
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda: 2 * 10**9)
    assert not exact.gpu_holds(384 * 3 * 10**6)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert not exact.gpu_holds(1)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"threshold": float("nan")}, "threshold is NaN"),
        ({"vectors": np.full((2, 2), np.nan)}, "NaN or infinity"),
        ({"vectors": np.ones(3)}, "shape"),
        ({"groups": np.array([0, 1, 0])}, "group must stand together"),
        ({"owners": np.array([0, 1, 0])}, "owner must stand together"),
    ],
)
def test_mistakes_are_told(change: dict[str, object], said: str) -> None:
    arguments = {"vectors": unit(3), "threshold": 0.5} | change
    with pytest.raises(ValueError, match=said):
        mine_pairs(**arguments)


def test_progress_counts_every_row() -> None:
    done: list[tuple[int, int]] = []
    list(mine_blocks(unit(1300), 0.9, progress=lambda *now: done.append(now)))
    assert done[-1] == (1300, 1300) and len(done) == 3


@pytest.mark.parametrize("run", [10, 100_000])
@pytest.mark.parametrize("most", [None, 0, 7, 5_000])
def test_the_sorter_gives_the_best_first(run: int, most: int | None, monkeypatch) -> None:
    monkeypatch.setattr(products, "CHUNK_PAIRS", 4)
    vectors = unit(90, d=3, clusters=9).round(1)
    sorter = PairSorter(most, run_pairs=run, merge_pairs=4)
    for block in mine_blocks(vectors, 0.5, tile_rows=8):
        sorter.add(block)
    wanted = mine_pairs(vectors, 0.5)
    assert sorter.total == len(wanted)
    found = row_pairs.concatenate_pairs(list(sorter.blocks()))
    for name in ("left", "right", "scores"):
        assert np.array_equal(getattr(found, name), getattr(wanted, name)[:most])


@pytest.mark.model
def test_equals_brute_force_on_real_answers(shared_data: Path, precision: str) -> None:
    import csv

    from searchkit.encoding.loading import load_encoder

    with (shared_data / "semeval2013-train.csv").open(encoding="utf-8") as file:
        texts = list(dict.fromkeys(row["answer"] for row in csv.DictReader(file)))[:1200]
    vectors = load_encoder().encode(texts).astype(np.float16).astype(np.float32)
    agree(mine_pairs(vectors, 0.8), brute(vectors, 0.8))
