"""What is nearest to the same queries: as a search says, and looked for in new vectors only."""

from __future__ import annotations

from pathlib import Path
from random import Random

import numpy as np
import pytest
from helpers.encoder import ToyEncoder

from searchkit import Answer, Index
from searchkit.core.arrays import Float32
from searchkit.index.backend import IndexBackend
from searchkit.index.cache import nearest
from searchkit.index.upkeep.verify import verify

QUERIES = ["the second loop waits", "callbacks of a queue", "the thread runs a task"]
WORDS = "the a loop queue task runs waits callbacks second thread of and".split()


@pytest.fixture(autouse=True)
def looked_through(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """Keep the nearest of small files, too; give how many vectors and queries were compared."""
    compared: list[tuple[int, int]] = []
    compare = nearest.nearest_scores

    def counting(vectors, queries: Float32):
        compared.append((len(vectors), len(queries)))
        return compare(vectors, queries)

    monkeypatch.setattr(nearest, "MIN_KEPT", 1)
    monkeypatch.setattr(nearest, "nearest_scores", counting)
    return compared


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An index of 40 answers whose vectors are in its file."""
    with Index.create(tmp_path / "i", ToyEncoder()) as index:
        index.add([Answer(f"a{n}", text(n)) for n in range(40)])
        index.checkpoint()
    return tmp_path / "i"


def text(seed: int) -> str:
    return " ".join(Random(seed).choices(WORDS, k=9)) + f" {seed}"


def scores(index: Index) -> list[float]:
    """Return the score of what is nearest to each query; a search must say the same."""
    queries = index.query_vectors(QUERIES)
    found = index.nearest_scores(queries)
    assert np.array_equal(found, IndexBackend.nearest_scores(index, queries))
    return found.tolist()


def test_after_a_change_only_new_vectors_are_looked_through(
    folder: Path, looked_through: list[tuple[int, int]]
) -> None:
    with Index.open(folder, write=True, encoder=ToyEncoder()) as index:
        before = scores(index)
        index.add([Answer("new", QUERIES[0]), Answer("another", text(99))])
        after = scores(index)
        assert after[0] > before[0]
        assert verify(index) == []
    with Index.open(folder, encoder=ToyEncoder()) as reader:
        assert scores(reader) == after
    assert looked_through == [(40, 3), (2, 3), (2, 3)]


def test_another_file_is_looked_through(
    folder: Path, looked_through: list[tuple[int, int]]
) -> None:
    with Index.open(folder, write=True, encoder=ToyEncoder()) as index:
        scores(index)
        index.add([Answer("new", QUERIES[0])])
        index.checkpoint()
        scores(index)
        index.remove(["new"])  # which leaves no byte of it in any file
        scores(index)
        assert looked_through == [(40, 3), (41, 3)]  # the last file is the first one again
        index.remove(index.ids())
        assert scores(index) == []


def test_a_vector_that_is_removed_from_a_file_is_not_counted(
    folder: Path, looked_through: list[tuple[int, int]]
) -> None:
    with Index.open(folder, encoder=ToyEncoder()) as index:
        before = scores(index)
        key = int(index.vectors.search(index.query_vectors(QUERIES)[0], 1)[1][0, 0])
        index.vectors.remove(np.array([key]))
        assert index.nearest_scores(index.query_vectors(QUERIES))[0] < before[0]
