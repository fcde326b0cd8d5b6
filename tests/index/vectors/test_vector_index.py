"""Every search equals a NumPy brute force, scores included."""

from __future__ import annotations

from pathlib import Path

import faiss
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from searchkit.core.arrays import unit_rows
from searchkit.index.vectors.vector_index import NO_KEY, VectorIndex


def unit(n: int, d: int = 16, seed: int = 0) -> np.ndarray:
    rows = np.random.default_rng(seed).standard_normal((n, d)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows.astype(np.float16).astype(np.float32)


def build(vectors: np.ndarray, pieces: int = 3, first: int = 10) -> tuple[VectorIndex, np.ndarray]:
    index = VectorIndex(vectors.shape[1])
    keys = np.arange(len(vectors)) * 2 + first
    for part in np.array_split(np.arange(len(vectors)), pieces):
        index.add(keys[part], vectors[part])
    return index, keys


def brute(queries, vectors, keys, k):
    scores = queries @ vectors.T
    order = np.lexsort((np.broadcast_to(keys, scores.shape), -scores))[:, :k]
    return np.take_along_axis(scores, order, 1), keys[order]


@pytest.mark.parametrize("k", [1, 5, 64, 200, 10**9])
def test_search_equals_brute_force(k: int) -> None:
    vectors, queries = unit(64), unit(7, seed=1)
    index, keys = build(vectors)
    scores, found = index.search(queries, k)
    expected_scores, expected = brute(queries, vectors, keys, k)
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_allclose(scores, expected_scores, atol=1e-6)


def loaded(path: Path) -> VectorIndex:
    with path.open("rb") as file:
        return VectorIndex.load(file)


def test_one_query_equals_the_same_query_in_a_batch() -> None:
    vectors, queries = unit(500), unit(20, seed=1)
    index, _ = build(vectors)
    together = index.search(queries, 5)
    for i in range(20):
        alone = index.search(queries[i : i + 1], 5)
        np.testing.assert_array_equal(alone[0][0], together[0][i])
        np.testing.assert_array_equal(alone[1][0], together[1][i])


def test_ties_are_cut_by_key_also_at_k() -> None:
    vectors = np.repeat(unit(1), 40, axis=0)
    index, keys = build(vectors)
    assert index.search(unit(1), 7)[1].tolist() == [keys[:7].tolist()]


def test_allowed_is_applied_before_the_search() -> None:
    vectors, queries = unit(300), unit(4, seed=2)
    index, keys = build(vectors)
    allowed = keys[5:300:50]
    scores, found = index.search(queries, 3, allowed)
    _, expected = brute(queries, vectors[5:300:50], allowed, 3)
    np.testing.assert_array_equal(found, expected)
    assert np.isfinite(scores).all()


def test_allowed_keys_that_are_not_there_match_nothing() -> None:
    index, _ = build(unit(30))
    scores, found = index.search(unit(1), 2, np.array([1, 3, 10**9]))
    assert (found == NO_KEY).all()
    assert np.isneginf(scores).all()


def test_removed_rows_are_left_out_everywhere(tmp_path: Path) -> None:
    vectors = unit(90)
    index, keys = build(vectors)
    index.remove(keys[::3])
    index.remove(np.array([-5, 999]))
    left = np.setdiff1d(np.arange(90), np.arange(0, 90, 3))
    assert len(index) == 60
    np.testing.assert_array_equal(
        index.search(unit(3, seed=4), 60)[1],
        brute(unit(3, seed=4), vectors[left], keys[left], 60)[1],
    )
    index.save(tmp_path / "v.faiss")
    again = loaded(tmp_path / "v.faiss")
    scanned = list(again.scan(block=7))
    np.testing.assert_array_equal(np.concatenate([k for k, _ in scanned]), keys[left])
    np.testing.assert_array_equal(np.concatenate([v for _, v in scanned]), vectors[left])


def test_range_is_inclusive_at_the_threshold() -> None:
    vectors = unit(200)
    index, keys = build(vectors)
    query = vectors[:1]
    ranked = index.search(query, 200)[0][0]
    for threshold in (ranked[0], ranked[10], ranked[199], -1.0):
        ((scores, found),) = index.range(query, float(threshold))
        expected = brute(query, vectors, keys, int((ranked >= threshold).sum()))[1][0]
        np.testing.assert_array_equal(found, expected)
        assert (scores >= threshold).all()


def test_range_with_removed_and_allowed_rows() -> None:
    vectors = unit(50)
    index, keys = build(vectors)
    index.remove(keys[:10])
    ((_, found),) = index.range(vectors[:1], -1.0, keys[5:20])
    assert sorted(found) == keys[10:20].tolist()


def test_an_empty_index_finds_nothing() -> None:
    index = VectorIndex(16)
    assert index.search(unit(2), 3)[1].shape == (2, 0)
    assert [len(k) for _, k in index.range(unit(2), 0.0)] == [0, 0]
    assert list(index.scan()) == []


def test_an_empty_index_can_be_saved(tmp_path: Path) -> None:
    VectorIndex(16).save(tmp_path / "v.faiss")
    assert len(loaded(tmp_path / "v.faiss")) == 0


@pytest.mark.parametrize("n", [0, 1, 300])
def test_a_file_is_what_faiss_writes(n: int, tmp_path: Path) -> None:
    rows, keys = unit(n, 17), np.arange(n) * 2 + 1
    index = VectorIndex(17)
    index.add(keys, rows)
    index.save(tmp_path / "ours.faiss")
    float16 = faiss.ScalarQuantizer.QT_fp16
    plain = faiss.IndexScalarQuantizer(17, float16, faiss.METRIC_INNER_PRODUCT)
    wrapped = faiss.IndexIDMap(plain)
    if n:
        wrapped.add_with_ids(rows, keys)
    faiss.write_index(wrapped, str(tmp_path / "its.faiss"))
    assert (tmp_path / "ours.faiss").read_bytes() == (tmp_path / "its.faiss").read_bytes()


def test_inputs_stay_unchanged() -> None:
    vectors, queries = unit(20), unit(3, seed=5)
    before = vectors.copy(), queries.copy()
    index, keys = build(vectors)
    index.search(queries, 3, keys[:5])
    np.testing.assert_array_equal(vectors, before[0])
    np.testing.assert_array_equal(queries, before[1])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda i: i.search(unit(1), 0), "k must be at least 1, not 0"),
        (lambda i: i.search(unit(1), -3), "k must be at least 1, not -3"),
        (lambda i: i.search(unit(1, d=8), 1), r"shape \(1, 8\) where \(n, 16\) is needed"),
        (lambda i: i.search(unit(1)[0], 1), "shape"),
        (lambda i: i.search(np.full((1, 16), np.nan, np.float32), 1), "NaN or infinity"),
        (lambda i: i.add(np.array([1]), unit(1)), "keys must ascend"),
        (lambda i: i.add(np.array([900, 900]), unit(2)), "keys must ascend"),
        (lambda i: i.add(np.array([900]), unit(2)), "1 keys for 2 vectors"),
        (lambda i: i.add(np.array([900]), np.full((1, 16), np.inf)), "NaN or infinity"),
        (lambda i: i.range(unit(1), float("nan")), "threshold is NaN"),
    ],
)
def test_wrong_calls_are_named(call, message: str) -> None:
    index, _ = build(unit(20))
    with pytest.raises(ValueError, match=message):
        call(index)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_any_history_equals_brute_force(data: st.DataObject) -> None:
    rows = np.zeros((0, 16), np.float32)
    index, keys, gone = VectorIndex(16), np.zeros(0, np.int64), set()
    for step in range(data.draw(st.integers(1, 4))):
        n = data.draw(st.integers(0, 20))
        new = np.arange(n) + len(keys)
        index.add(new, unit(n, seed=step) if n else np.zeros((0, 16), np.float32))
        rows, keys = np.vstack([rows, unit(n, seed=step)]), np.concatenate([keys, new])
        if len(keys):
            removed = data.draw(st.lists(st.sampled_from(keys.tolist()), max_size=5))
            index.remove(np.array(removed, np.int64))
            gone |= set(removed)
    left = np.array([k for k in keys if k not in gone], np.int64)
    k = data.draw(st.integers(1, 30))
    found = index.search(unit(2, seed=77), k)[1]
    np.testing.assert_array_equal(found, brute(unit(2, seed=77), rows[left], left, k)[1])


def test_get_gives_rows_in_the_order_asked(tmp_path: Path) -> None:
    vectors = unit_rows(np.random.default_rng(0).standard_normal((9, 4)).astype(np.float16))
    rows = vectors.astype(np.float16).astype(np.float32)
    index = VectorIndex(4)
    index.add(np.arange(5), rows[:5])
    index.save(tmp_path / "v.faiss")
    index = loaded(tmp_path / "v.faiss")
    index.add(np.arange(10, 14), rows[5:])
    found = index.get(np.array([13, 0, 0, 4]))
    assert np.array_equal(found, rows[[8, 0, 0, 4]])
    assert index.get(np.empty(0, np.int64)).shape == (0, 4)
    index.remove(np.array([4]))
    with pytest.raises(ValueError, match="no vector with key 4"):
        index.get(np.array([0, 4]))
