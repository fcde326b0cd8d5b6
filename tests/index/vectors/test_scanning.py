"""How many cores scan the rows, and what happens where there are none for it."""

from __future__ import annotations

import faiss
import numpy as np
import pytest
from helpers.threads import refuse_threads
from helpers.vectors import rounded, unit

from searchkit.index.vectors import scanning
from searchkit.index.vectors.scanning import MAX_PARTS, Selection, scan

ROWS = rounded(unit(400, 8))


class CountingIndex:
    """FAISS's index of `ROWS`, which counts its searches."""

    def __init__(self) -> None:
        self.ntotal = len(ROWS)
        self.searches = 0
        self.threads: list[int] = []  # that each search may start
        self._index = faiss.IndexFlatIP(ROWS.shape[1])
        self._index.add(ROWS)

    def search(self, *arguments, **options):
        self.searches += 1
        self.threads.append(faiss.omp_get_max_threads())
        return self._index.search(*arguments, **options)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scanning, "MIN_PART_ROWS", 10)


def scanned(index: CountingIndex) -> list[int]:
    _, rows = scan(index, ROWS[:1], 5, Selection(np.arange(len(ROWS)) % 3 == 0))
    return rows[0].tolist()


@pytest.mark.parametrize(("cores", "parts"), [(1, 1), (3, 3), (64, MAX_PARTS)])
def test_a_part_for_each_core_but_not_too_many(
    cores: int, parts: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scanning, "usable_cores", lambda: cores)
    index = CountingIndex()
    assert scanned(index)[0] == 0
    assert index.searches == parts


def test_rows_are_scanned_where_no_thread_can_be_started(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """FAISS's library ends a process in which it can't start its own."""
    monkeypatch.setattr(scanning, "usable_cores", lambda: 4)
    expected = scanned(CountingIndex())
    refuse_threads(monkeypatch)
    index, before = CountingIndex(), faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(7)
    try:
        assert scanned(index) == expected
        assert index.threads == [1] * 4
        assert faiss.omp_get_max_threads() == 7
    finally:
        faiss.omp_set_num_threads(before)
