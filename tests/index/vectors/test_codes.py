"""A first pass by codes changes no result of FAISS, to the last bit, ties and order too."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from helpers.threads import refuse_threads
from helpers.vectors import count_candidates, rounded, unit
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from searchkit.index.vectors import codes, codes_file, vector_index
from searchkit.index.vectors.codes import Codes
from searchkit.index.vectors.codes_file import CodesFile, write_codes
from searchkit.index.vectors.vector_index import VectorIndex

Rows = NDArray[np.float32]
SHA = "00" * 32
FIXTURES = [HealthCheck.function_scoped_fixture]


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Codes of few vectors, in several shards."""
    monkeypatch.setattr(codes, "MIN_ROWS", 1)
    monkeypatch.setattr(codes_file, "SHARD_ROWS", 100)
    monkeypatch.setattr(codes, "DEPTHS", (20, 40))
    monkeypatch.setattr(codes, "FAR_SHARE", 10)


@pytest.fixture
def narrowed(monkeypatch: pytest.MonkeyPatch) -> list[int | None]:
    """How many candidates each first pass left; None for too many."""
    return count_candidates(monkeypatch, Codes)


def with_codes(rows: Rows, tail: Rows, folder: Path) -> VectorIndex:
    """Return an index with rows mapped from a file that has codes, and others added later."""
    plain = VectorIndex(rows.shape[1])
    plain.add(np.arange(len(rows)) * 2 + 1, rows)
    plain.save(folder / "v.faiss")
    with (folder / "v.faiss").open("rb") as file:
        mapped = VectorIndex.load(file)
        write_codes(folder / "v.codes", mapped.stored(), SHA, file)
        beside = CodesFile.open(folder / "v.codes", SHA, len(rows))
        assert beside is not None and beside.attach(file)
        index = VectorIndex.load(file, beside)
    index.add((np.arange(len(tail)) + len(rows)) * 2 + 1, tail)
    return index


def agree(index: VectorIndex, queries: Rows, k: int, allowed: NDArray[np.int64] | None) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vector_index, "codes_pay", lambda *_, **__: False)
        patch.setattr(vector_index, "pays", lambda *_: False)
        expected = index.search(queries, k, allowed)
        patch.setattr(vector_index, "codes_pay", lambda *_, **__: True)
        found = index.search(queries, k, allowed)
    for one, other in zip(found, expected, strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("k", [1, 11, 500])
@pytest.mark.parametrize("dimension", [24, 25, 384])
def test_it_equals_faiss(k: int, dimension: int, tmp_path: Path) -> None:
    rows = rounded(unit(700, dimension, clusters=20))
    index = with_codes(rows[:450], rows[450:], tmp_path)
    agree(index, unit(3, dimension, clusters=20, seed=1), k, None)


def test_shards_are_scored_in_turn_where_no_thread_can_be_started(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stored = rounded(unit(400, 24, clusters=20)).astype(np.float16).view(np.uint8)
    shards = Codes([codes.encode(part) for part in np.array_split(stored, 4)])
    of_queries = stored.__getitem__, np.ones(400, bool), unit(1, 24, clusters=20, seed=1)[0], 5
    expected = shards.candidates(*of_queries)
    assert expected is not None
    refuse_threads(monkeypatch)
    np.testing.assert_array_equal(shards.candidates(*of_queries), expected)


@settings(max_examples=60, deadline=None, suppress_health_check=FIXTURES)
@given(data=st.data(), seed=st.integers(0, 999), n=st.integers(1, 400), k=st.integers(1, 60))
def test_it_equals_faiss_whatever_the_rows(
    data: st.DataObject, seed: int, n: int, k: int, tmp_path: Path
) -> None:
    rng = np.random.default_rng(seed)
    clusters = data.draw(st.sampled_from([0, 1, 5]))
    distinct = unit(data.draw(st.integers(1, n)), 8, seed=seed, clusters=clusters)
    distinct *= data.draw(st.sampled_from([1.0, 1e-3, 100.0]))
    rows = distinct[rng.integers(0, len(distinct), n)]  # with equal ones
    if data.draw(st.booleans()):
        rows[rng.random(n) < 0.1] = 0
    if data.draw(st.booleans()):
        rows[rng.random(n) < 0.1] *= 500
    tail = data.draw(st.integers(0, n - 1))
    index = with_codes(rounded(rows)[: n - tail], rounded(rows)[n - tail :], tmp_path)
    keys = np.arange(n) * 2 + 1
    index.remove(keys[rng.random(n) < data.draw(st.sampled_from([0, 0.01, 0.5, 1]))])
    allowed = data.draw(st.sampled_from([None, 0.02, 0.5, 0.99]))
    chosen = None if allowed is None else keys[rng.random(n) < allowed]
    queries = unit(data.draw(st.integers(1, 3)), 8, seed=data.draw(st.sampled_from([seed, 1])))
    agree(index, queries, k, chosen)


def test_few_vectors_are_scored_again(
    narrowed: list[int | None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(codes, "DEPTHS", (400,))
    monkeypatch.setattr(codes_file, "SHARD_ROWS", 2000)
    rows = rounded(unit(5000, 384, clusters=200))
    agree(with_codes(rows, rows[:0], tmp_path), rows[[4]], 5, None)
    assert narrowed[0] is not None and narrowed[0] < 500


def test_where_the_codes_cannot_tell_faiss_scans(
    narrowed: list[int | None], tmp_path: Path
) -> None:
    rows = rounded(unit(900, 384))
    agree(with_codes(rows, rows[:0], tmp_path), unit(2, 384, seed=1), 5, None)
    agree(with_codes(np.repeat(rows[:1], 300, axis=0), rows[:0], tmp_path), rows[:1], 5, None)
    assert narrowed == [None, None, None]  # each query alone


@pytest.mark.parametrize("scale", [1e-3, 1.0, 300.0])
@pytest.mark.parametrize("dimension", [3, 384, 1000])
def test_scores_keep_the_bound(dimension: int, scale: float) -> None:
    rng = np.random.default_rng(0)
    rows = rounded(unit(600, dimension, clusters=5) * scale)
    rows[3] *= 100
    rows[4] = 0
    shard = codes.encode(rows.astype(np.float16).view(np.uint8))
    levels = codes.levels_of(shard.index)
    decoded = shard.index.reconstruct_n(0, len(rows)).astype(np.float64)
    assert (np.linalg.norm(decoded - rows, axis=1) <= shard.distances).all()
    queries = [rows[7], unit(1, dimension, seed=1)[0], rng.permutation(np.eye(dimension))[0]]
    for query in np.asarray(queries, np.float32):
        (scores,), (found,) = shard.index.search(query[None], 599)
        found, scores = found[found >= 0], scores[found >= 0]
        error = codes._rounding_error(levels, query)
        assert error == np.inf or (np.abs(scores - decoded[found] @ query) <= error).all()


def test_a_sum_that_does_not_fit_is_noticed() -> None:
    """FAISS would begin again from 0."""
    levels = np.tile(np.linspace(-1, 1, 16, dtype=np.float32), (384, 1))
    assert codes._rounding_error(levels, np.full(384, 0.05, np.float32)) == np.inf
    assert codes._rounding_error(levels, np.zeros(384, np.float32)) == np.inf
