"""Searches that must be deepened: answers of many passages, and ties."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.encoder import ToyEncoder

from searchkit import Answer, Index
from searchkit.index.vectors import search
from searchkit.index.vectors.vector_index import VectorIndex

QUERIES = [f"a{n} b{n} c{n} d{n}" for n in range(8)] + ["nothing of this", "b3"]


@pytest.fixture
def index(tmp_path: Path, encoder: ToyEncoder) -> Index:
    """Answers of 15 passages that are all about the same, and some equal ones."""
    texts = [
        " ".join(f"a{n} b{n} c{n} d{n} " * 2 + f"e{p} f{p} g{p} h{p}" for p in range(15))
        for n in range(8)
    ]
    with Index.create(tmp_path / "i", encoder) as index:
        index.add([Answer(f"a{n:02d}", text) for n, text in enumerate(texts + texts[:3])])
        yield index


@pytest.fixture
def searches(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The number of queries of each search of the vectors."""
    counts: list[int] = []
    plain = VectorIndex.search

    def counting(vectors: VectorIndex, queries, *rest):
        counts.append(len(queries))
        return plain(vectors, queries, *rest)

    monkeypatch.setattr(VectorIndex, "search", counting)
    return counts


@pytest.mark.parametrize("k", [1, 3, 10, 11, 99])
def test_queries_together_find_what_each_finds_alone(
    index: Index, searches: list[int], k: int
) -> None:
    alone = [index.search([text], k)[0] for text in QUERIES]
    longest = max(len(index.search([text], k)[0]) for text in QUERIES)
    assert longest == min(k, len(index))
    searches.clear()
    assert index.search(QUERIES, k) == alone
    assert searches[0] == len(QUERIES)
    assert searches == sorted(searches, reverse=True)  # only those that aren't finished, together


def test_a_deepened_search_is_one_for_all_queries(index: Index, searches: list[int]) -> None:
    index.search(QUERIES, 4)
    assert searches[0] == len(QUERIES)
    assert searches[1] >= 8
    assert len(searches) <= 4


def test_few_queries_are_searched_for_together_where_much_is_found(
    index: Index, searches: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = index.search(QUERIES, 4)
    searches.clear()
    monkeypatch.setattr(search, "MAX_FOUND", 10)
    assert index.search(QUERIES, 4) == expected
    assert searches[:5] == [2] * 5
    assert set(searches[5:]) == {1}


def test_every_passage_of_a_query_counts_as_one_more_to_be_found_for(
    index: Index, searches: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    long = [f"{query} " * 6 for query in QUERIES[:8]]  # of two passages each
    queries = [text for pair in zip(QUERIES, long, strict=False) for text in pair]
    expected = index.search(queries, 4)
    assert searches[0] == 24
    searches.clear()
    monkeypatch.setattr(search, "MAX_FOUND", 20)
    assert index.search(queries, 4) == expected
    assert searches[:5] == [4, 3, 3, 3, 3]
    assert max(searches) <= 4
