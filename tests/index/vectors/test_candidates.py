"""A search in parts, with a first pass or of copied rows is that of FAISS, to the last bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from helpers.vectors import count_candidates, rounded, unit
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from searchkit.encoding.openvino_runtime import half_precisions
from searchkit.index.vectors import candidates, scanning, vector_index
from searchkit.index.vectors.vector_index import VectorIndex

Rows = NDArray[np.float32]
pytestmark = pytest.mark.usefixtures("precision")


@pytest.fixture(params=["bf16", "f32"])
def precision(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Each precision of the first pass, in small blocks."""
    if request.param == "bf16" and "bf16" not in half_precisions():
        pytest.skip("needs a CPU with bfloat16")
    monkeypatch.setattr(candidates, "_precision", lambda: request.param)
    monkeypatch.setattr(candidates, "BLOCK_ROWS", 128)
    return str(request.param)


@pytest.fixture
def narrowed(monkeypatch: pytest.MonkeyPatch) -> list[int | None]:
    """How many candidates each first pass left; None for too many."""
    return count_candidates(monkeypatch, vector_index)


def built(rows: Rows, pieces: int = 1) -> VectorIndex:
    index = VectorIndex(rows.shape[1])
    for part in np.array_split(np.arange(len(rows)), pieces):
        index.add(part * 2 + 1, rows[part])
    return index


def with_tail(rows: Rows, tail: Rows, folder: Path) -> VectorIndex:
    """Return an index with rows mapped from a file, and others that were added later."""
    built(rows).save(folder / "v.faiss")
    with (folder / "v.faiss").open("rb") as file:
        index = VectorIndex.load(file)
    index.add((np.arange(len(tail)) + len(rows)) * 2 + 1, tail)
    return index


def agree(index: VectorIndex, queries: Rows, k: int, allowed: NDArray[np.int64] | None) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vector_index, "pays", lambda *_: False)
        patch.setattr(vector_index, "MAX_COPIED", -1)
        expected = index.search(queries, k, allowed)
        patch.setattr(scanning, "usable_cores", lambda: 3)
        patch.setattr(scanning, "MIN_PART_ROWS", 1)
        patch.setattr(scanning, "MAX_QUERIES", len(queries))
        in_parts = index.search(queries, k, allowed)
        patch.undo()
        patch.setattr(vector_index, "MAX_COPIED", -1)
        patch.setattr(vector_index, "pays", lambda *_: True)
        with_pass = index.search(queries, k, allowed)
        patch.setattr(vector_index, "COPIED_SHARE", 1)
        patch.setattr(vector_index, "MAX_COPIED", len(index))
        with_copy = index.search(queries, k, allowed)
    for found in (in_parts, with_pass, with_copy):
        for one, other in zip(found, expected, strict=True):
            assert one.dtype == other.dtype
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("queries", [1, 2, 8, 9, 32, 33, 70])
@pytest.mark.parametrize("k", [1, 11, 500])
def test_it_equals_faiss(queries: int, k: int, tmp_path: Path) -> None:
    rows = rounded(unit(700, 24, clusters=20))
    index = with_tail(rows[:450], rows[450:], tmp_path)
    agree(index, unit(queries, 24, clusters=20, seed=1), k, None)


@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data(), seed=st.integers(0, 999), n=st.integers(1, 400), k=st.integers(1, 60))
def test_it_equals_faiss_whatever_the_rows(
    data: st.DataObject, seed: int, n: int, k: int, tmp_path: Path
) -> None:
    rng = np.random.default_rng(seed)
    distinct = unit(data.draw(st.integers(1, n)), 8, seed=seed)
    distinct *= data.draw(st.sampled_from([1.0, 1e-3, 100.0]))
    rows = rounded(distinct[rng.integers(0, len(distinct), n)])  # with equal ones
    if data.draw(st.booleans()):
        rows[rng.random(n) < 0.1] = 0
    tail = data.draw(st.integers(0, n))
    index = with_tail(rows[: n - tail], rows[n - tail :], tmp_path)
    keys = np.arange(n) * 2 + 1
    index.remove(keys[rng.random(n) < data.draw(st.sampled_from([0, 0.01, 0.5, 1]))])
    allowed = data.draw(st.sampled_from([None, 0.02, 0.5, 0.99]))
    chosen = None if allowed is None else keys[rng.random(n) < allowed]
    queries = unit(data.draw(st.integers(1, 40)), 8, seed=data.draw(st.sampled_from([seed, 1])))
    agree(index, queries, k, chosen)


def worst() -> tuple[Rows, Rows]:
    """Rows whose coordinates all lie half-way between two numbers of bfloat16.

    Some are rounded up and others down, by which their order turns round.
    """
    down, up = 1 + 2.0**-8, 1 + 3 * 2.0**-8
    rows = np.full((600, 384), down, np.float32)
    rows[::2, :190] = up
    rows[::2, 190:] = 1 - 2.0**-9 - 2.0**-10
    rows[7] += np.float32(2.0**-9)
    queries = np.stack([np.full(384, down), np.full(384, up), rows[1], rows[2]])
    return rounded(rows / 16), queries.astype(np.float32) / 16


@pytest.mark.parametrize("k", [1, 3])
def test_the_margin_holds_where_rounding_is_worst(k: int) -> None:
    rows, queries = worst()
    agree(built(rows), queries, k, None)


def test_near_ties_are_kept_apart(narrowed: list[int | None]) -> None:
    """Scores that bfloat16 can't tell from each other."""
    rng = np.random.default_rng(0)
    rows = unit(5000, 384, seed=3)
    near = rows[0] + rng.standard_normal((300, 384)).astype(np.float32) * 1e-4
    rows[rng.permutation(5000)[:300]] = near
    agree(built(rounded(rows)), np.repeat(rows[:1], 5, axis=0), 20, None)
    assert narrowed[0] is not None and narrowed[0] < 400


def test_few_rows_are_scored_again(narrowed: list[int | None]) -> None:
    agree(built(rounded(unit(9000, 384))), unit(4, 384, seed=1), 5, None)
    assert narrowed[0] is not None and narrowed[0] < 200


def test_where_all_are_equal_faiss_scans(
    narrowed: list[int | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(candidates, "MAX_CANDIDATES", 1000)
    agree(built(np.repeat(rounded(unit(1, 16)), 3000, axis=0)), unit(5, 16), 4, None)
    assert narrowed == [None]


def test_candidates_that_are_none_any_more_make_room(
    narrowed: list[int | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows come nearer and nearer, so that each block begins with candidates."""
    monkeypatch.setattr(candidates, "MAX_CANDIDATES", 400)
    towards, aside = np.eye(16, dtype=np.float32)[:2]
    shares = np.linspace(0, 1, 3000, dtype=np.float32)[:, None]
    rows = towards * shares + aside * np.sqrt(1 - shares**2)
    agree(built(rounded(rows)), np.repeat(towards[None], 4, axis=0), 3, None)
    assert narrowed[0] is not None


def test_a_row_of_great_norm_makes_the_first_pass_useless_and_not_wrong() -> None:
    rows = unit(600, 16)
    rows[5] *= 60_000
    agree(built(rounded(rows)), unit(4, 16, seed=2), 3, None)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_rows_that_are_no_numbers_are_left_to_faiss(value: float) -> None:
    """A damaged file may hold them."""
    codes = np.full((200, 16), value, np.float16).view(np.uint8)
    norm = candidates.max_norm(codes)
    assert candidates.candidates(codes, np.arange(200), unit(4), 3, norm) is None


def test_few_rows_that_are_allowed_are_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    copied: list[int] = []
    plain = vector_index._Segment.copy_of

    def counting(segment: vector_index._Segment, rows: NDArray[np.intp]) -> vector_index._Segment:
        copied.append(len(rows))
        return plain(segment, rows)

    monkeypatch.setattr(vector_index._Segment, "copy_of", counting)
    index, keys = built(rounded(unit(800, 16))), np.arange(800) * 2 + 1
    index.search(unit(2, 16), 3, keys[::8])
    index.search(unit(2, 16), 3, keys[:101])  # more than one row in eight
    index.search(unit(2, 16), 3, keys[:0])
    assert copied == [100]


def test_norms_are_bounded() -> None:
    rows = rounded(unit(300, 16) * 7)
    codes = rows.astype(np.float16).view(np.uint8)
    greatest = np.linalg.norm(rows, axis=1).max()
    assert greatest <= candidates.max_norm(codes) <= greatest * 1.01
    assert candidates.max_norm(codes[:0]) == 0


@pytest.mark.parametrize(
    ("queries", "rows", "k", "pays"),
    [
        (1, 10**6, 10, False),
        (32, 10**6, 10, True),
        (32, 10**6, 10**5, False),
        (32, 1000, 10, False),
    ],
)
def test_it_is_made_where_it_pays(queries: int, rows: int, k: int, pays: bool) -> None:
    assert candidates.pays(queries, rows, k) is pays


def test_products_keep_the_bound() -> None:
    rows, queries = worst()
    codes = rows.astype(np.float16).view(np.uint8)
    norm = candidates.max_norm(codes)
    bound = candidates._error(queries, norm)
    exact = queries.astype(np.float64) @ rows.T
    for block, products, maxima in candidates._multiply(codes, np.arange(len(rows)), queries):
        wanted = exact[:, block].T
        assert (np.abs(products - wanted) <= bound).all()
        parts = np.split(wanted, range(64, len(block), 64))
        assert (np.abs(maxima - [part.max(axis=0) for part in parts]) <= bound).all()
