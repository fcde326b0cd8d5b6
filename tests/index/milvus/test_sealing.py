"""A writer of many rows lets Milvus index them; the search depth is chosen by measurement."""

from __future__ import annotations

import time
import uuid
from types import SimpleNamespace
from typing import Any

import pytest
from helpers.encoder import ToyEncoder
from pymilvus.exceptions import MilvusException

from searchkit.core.records import Answer
from searchkit.index.milvus import client
from searchkit.index.milvus.address import Address
from searchkit.index.milvus.client import MIN_EF, SEAL_ROWS, Collection
from searchkit.index.milvus.index import MilvusIndex
from searchkit.index.upkeep.status import status

ROW = {"vector": [1.0], "record": ""}


class FakeServer:
    """A server with sealed rows and others; keeps the methods that are called."""

    def __init__(self, *, sealed: int = 0, unsealed: int = 0) -> None:
        self.sealed = sealed
        self.unsealed = unsealed
        self.calls: list[str] = []

    def list_loaded_segments(self, _: str, timeout: float) -> list[SimpleNamespace]:
        return [SimpleNamespace(num_rows=self.sealed)]

    def describe_index(self, *_: str, timeout: float) -> dict[str, Any]:
        return {"index_type": "HNSW", "pending_index_rows": 0}

    def query(self, *_: str, **named: object) -> list[dict[str, int]]:
        return [{"count(*)": self.sealed + self.unsealed}]

    def upsert(self, _: str, rows: list[Any], timeout: float) -> None:
        self.unsealed += len(rows)

    def flush(self, _: str, timeout: float) -> None:
        self.calls.append("flush")
        self.sealed, self.unsealed = self.sealed + self.unsealed, 0


def opened(server: FakeServer, place: str = "milvus+http://h:1/c") -> Collection:
    made = Collection(Address.read(place), server, 1.0)
    made.version = "2"  # without timestamps
    return made


def test_many_rows_are_sealed_when_their_writer_closes(caplog) -> None:
    caplog.set_level("INFO")
    server = FakeServer()
    writer = opened(server)
    writer.upsert([ROW] * SEAL_ROWS)
    assert writer.count_unindexed() == SEAL_ROWS
    writer.seal()
    writer.seal()
    assert server.calls == ["flush"]
    assert caplog.text.count("Milvus indexes the new rows in the background") == 1
    assert writer.count_unindexed() == 0


def test_few_rows_are_sealed_with_those_of_earlier_writers() -> None:
    server = FakeServer(sealed=50_000)
    for number in range(5):
        writer = opened(server)
        writer.upsert([ROW] * (SEAL_ROWS // 5))
        assert not server.calls, number
        writer.seal()
    assert server.calls == ["flush"]


@pytest.mark.parametrize("place", ["corpus.db", "milvus+http://h:1/c?index=flat"])
def test_what_is_exact_needs_no_sealing(place: str) -> None:
    server = FakeServer()
    writer = opened(server, place)
    writer.upsert([ROW] * SEAL_ROWS)
    writer.seal()
    assert not server.calls


def test_a_reader_seals_nothing() -> None:
    server = FakeServer(unsealed=2 * SEAL_ROWS)
    opened(server).seal()
    assert not server.calls


def test_a_server_that_can_t_seal_now_is_no_failure(caplog, monkeypatch) -> None:
    def refuse(*_: object, timeout: float) -> None:
        raise MilvusException(message="quota exceeded")

    server = FakeServer()
    writer = opened(server)
    writer.upsert([ROW] * SEAL_ROWS)
    monkeypatch.setattr(server, "flush", refuse)
    writer.seal()
    assert "quota exceeded" in caplog.text
    assert "the rows are written, and Milvus indexes them later" in caplog.text


@pytest.mark.parametrize(
    ("unsealed", "found", "depth"),
    [
        (0, [0.995], MIN_EF),
        (0, [0.9, 0.95, 0.99], 4 * MIN_EF),
        (0, [0.9] * 9, client.MAX_EF),
        (10, [0.9], MIN_EF),
    ],
)
def test_the_search_is_deepened_until_the_recall_is_as_wanted(unsealed, found, depth) -> None:
    collection = opened(FakeServer(unsealed=unsealed))
    depths = []

    def measure() -> float:
        depths.append(collection._params(10)["params"]["ef"])
        return found[len(depths) - 1]

    recall = collection.choose_depth(measure, 0.99)
    assert depths[-1] == depth
    assert recall == found[len(depths) - 1]
    assert depths == [MIN_EF * 2**n for n in range(len(depths))]


def test_a_server_indexes_what_was_written(server) -> None:
    place = f"milvus+{server.address}/c{uuid.uuid4().hex}"
    with MilvusIndex.create(place, ToyEncoder()) as writer:
        writer.add([Answer(str(n), f"text number{n}", f"q{n % 9}") for n in range(SEAL_ROWS)])
        assert f"{SEAL_ROWS:,} rows are not in it yet" in str(status(writer))
    with MilvusIndex.open(place, encoder=ToyEncoder()) as reader:
        deadline = time.monotonic() + 120
        while "rows are not in it yet" in str(status(reader)):
            assert time.monotonic() < deadline
            time.sleep(1)
        assert len(reader) == SEAL_ROWS
        (hits,) = reader.search(["text number77"], 3)
        assert hits[0].answer.id == "77"
