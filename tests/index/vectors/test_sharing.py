"""Readers of one state load its vectors once, and replace damaged ones once."""

from __future__ import annotations

import json
import threading
import zipfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
from helpers.encoder import ToyEncoder

from searchkit import Answer, Index
from searchkit.index.vectors import checkpoint, codes
from searchkit.index.vectors.checkpoint import Checkpoints
from searchkit.index.vectors.sharing import SharedVectors
from searchkit.index.vectors.vector_index import VectorIndex

READERS = 4


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An index whose FAISS file has codes."""
    monkeypatch.setattr(codes, "MIN_ROWS", 1)
    monkeypatch.setattr(checkpoint, "MIN_ROWS", 1)
    with Index.create(tmp_path / "i", ToyEncoder()) as index:
        index.add([Answer(f"a{n}", f"answer {n} about loops") for n in range(300)])
    return tmp_path / "i"


def test_readers_replace_damaged_vectors_once(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    query = [*ToyEncoder().encode_queries(["answer 7 about loops"])]
    with Index.open(folder, encoder=ToyEncoder()) as index:
        expected = index.search_vectors(query, 300)
    path = folder / "vectors-1.faiss"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    read, read_rows = [], Checkpoints.read_rows

    def counted(self: Checkpoints) -> VectorIndex:
        read.append(self)
        return read_rows(self)

    monkeypatch.setattr(Checkpoints, "read_rows", counted)
    barrier = threading.Barrier(READERS)
    with ExitStack() as stack:
        first = stack.enter_context(Index.open(folder, encoder=ToyEncoder()))
        readers = [first, *(stack.enter_context(first.reopened()) for _ in range(READERS - 1))]

        def search(number: int) -> object:
            with readers[number].reopened() as reader:  # SQLite's connections are of one thread
                mapped = reader.vectors
                barrier.wait()
                hits = reader.search_vectors(query, 300)
                assert reader.vectors is not mapped
                return hits

        with ThreadPoolExecutor(READERS) as pool:
            assert list(pool.map(search, range(READERS))) == [expected] * READERS
        assert all(reader.vectors is first.vectors for reader in readers)
    assert len(read) == 1
    assert caplog.text.count("run: searchkit rebuild") == 1


@pytest.mark.parametrize("is_old", [False, True])
def test_codes_that_are_made_later_are_used_by_the_next_state(folder: Path, is_old: bool) -> None:
    path = folder / "vectors-1.codes"
    if is_old:
        with zipfile.ZipFile(path) as file:
            about = json.loads(file.read("about.json"))
        with zipfile.ZipFile(path, "w") as file:
            file.writestr("about.json", json.dumps(about | {"format": 1}))
    else:
        path.unlink()
    with Index.open(folder, encoder=ToyEncoder()) as reader:
        assert not has_codes(reader)
        Index.open(folder, write=True, encoder=ToyEncoder()).close()
        with reader.reopened() as second, reader.reopened() as third:  # one state loads once
            assert reader.vectors is second.vectors is third.vectors
        with reader.reopened(with_new_files=True) as successor:
            assert has_codes(successor)


def has_codes(index: Index) -> bool:
    """Whether a search for one query begins with codes."""
    return any(segment.use_codes(1, 300) for segment in index.vectors._segments)


def test_vectors_are_loaded_once_also_if_there_are_none() -> None:
    shared, loaded = SharedVectors(), []

    def load() -> VectorIndex:
        loaded.append(VectorIndex(16))
        return loaded[-1]

    assert shared.load(load) is shared.load(load) is loaded[0]
    assert shared.replace(VectorIndex(16), load) is loaded[0]  # another has replaced them
    assert shared.replace(loaded[0], load) is loaded[1]
    assert len(loaded) == 2


def test_vectors_that_cannot_be_loaded_can_be_later() -> None:
    shared = SharedVectors()
    with pytest.raises(ZeroDivisionError):
        shared.load(lambda: VectorIndex(1 // 0))
    vectors = VectorIndex(16)
    vectors.add(np.array([1]), np.eye(1, 16))
    assert shared.load(lambda: vectors) is vectors
