"""Reads see what was acknowledged: the timestamps in the properties, and a writer beside."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from helpers.encoder import ToyEncoder

from searchkit.core.errors import StorageFailed
from searchkit.core.records import Answer
from searchkit.core.where import Where
from searchkit.index.milvus.acknowledged import PREFIX, SLOTS, choose_slot, latest, slot_value
from searchkit.index.milvus.address import Address
from searchkit.index.milvus.client import RECORDED_FORMAT, Collection
from searchkit.index.milvus.index import MilvusIndex
from searchkit.index.upkeep.status import status
from searchkit.index.upkeep.verify import verify

MINUTE = 60_000 << 18  # in a timestamp
NOW = 100 * MINUTE


def test_the_latest_timestamp_of_all_writers_counts() -> None:
    assert latest({}) == latest({"searchkit.model": "x", PREFIX + "0": "nonsense"}) == 0
    slots = {PREFIX + "0": slot_value(7, "a"), PREFIX + "9": slot_value(12, "b"), "other": "99 c"}
    assert latest(slots) == 12


def test_a_writer_keeps_its_property_and_takes_none_that_is_in_use() -> None:
    slots = {f"{PREFIX}{number}": slot_value(NOW - MINUTE, f"w{number}") for number in range(SLOTS)}
    assert choose_slot(slots, "w5", NOW) == PREFIX + "5"
    assert choose_slot(slots, "new", NOW) == PREFIX + "new", "more writers than places"
    slots[PREFIX + "3"] = slot_value(NOW - 11 * MINUTE, "w3")
    assert choose_slot(slots, "new", NOW) == PREFIX + "3"
    del slots[PREFIX + "8"]
    assert {choose_slot(slots, "new", NOW) for _ in range(100)} == {PREFIX + "3", PREFIX + "8"}
    assert choose_slot(slots, "w3", NOW) == PREFIX + "3"


class FakeClient:
    """A server with a clock; keeps the calls."""

    def __init__(self, clock: int = NOW) -> None:
        self.clock = clock
        self.properties: dict[str, str] = {}
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def _get_connection(self) -> FakeClient:
        return self

    def alloc_timestamp(self, timeout: float) -> int:
        self.clock += bool(self.clock)
        return self.clock

    def describe_collection(self, _: str, timeout: float) -> dict[str, Any]:
        return {"properties": dict(self.properties)}

    def alter_collection_properties(
        self, _: str, properties: dict[str, str], timeout: float
    ) -> None:
        self.calls.append(("alter", dict(properties)))
        self.properties |= properties

    def __getattr__(self, method: str) -> Any:
        def call(*_: object, **named: Any) -> list[Any]:
            self.calls.append((method, named))
            return [{"count(*)": 0}] if method == "query" else []

        return call


def collection(client: FakeClient, version: str = RECORDED_FORMAT) -> Collection:
    made = Collection(Address.read("milvus+http://h:1/c"), client, 1.0)
    made.version = version
    return made


def test_a_write_is_acknowledged_after_it_and_readers_ask_for_that() -> None:
    client = FakeClient()
    writer, reader = collection(client), collection(client)
    writer.upsert([{"vector": [1.0], "record": ""}])
    assert [method for method, _ in client.calls] == ["upsert", "alter"]
    written = latest(client.properties)
    assert written == client.clock
    reader.count()
    assert client.calls[-1][1]["consistency_level"] == "Customized"
    assert client.calls[-1][1]["guarantee_timestamp"] == written
    writer.delete(["pk"])
    assert latest(client.properties) > written
    reader.count()
    assert client.calls[-1][1]["guarantee_timestamp"] == latest(client.properties)
    calls = len(client.calls)
    writer.upsert([])
    writer.delete([])
    assert len(client.calls) == calls


def test_two_writers_don_t_overwrite_each_other() -> None:
    client = FakeClient()
    for writer in [collection(client), collection(client)] * 3:
        writer.delete(["pk"])
        assert latest(client.properties) == client.clock
    assert len(client.properties) == 2


def test_without_timestamps_reads_are_strongly_consistent() -> None:
    client = FakeClient(clock=0)
    old = collection(client, "2")
    old.delete(["pk"])
    old.count()
    assert [method for method, _ in client.calls] == ["delete", "query"]
    assert client.calls[-1][1]["consistency_level"] == "Strong"
    with pytest.raises(StorageFailed, match="the server gives no timestamps; update Milvus"):
        collection(client).delete(["pk"])


def test_a_reader_misses_nothing_that_a_writer_beside_it_has_acknowledged(server) -> None:
    place = f"milvus+{server.address}/c{uuid.uuid4().hex}"
    with (
        MilvusIndex.create(place, ToyEncoder()) as writer,
        MilvusIndex.open(place, encoder=ToyEncoder()) as reader,
        MilvusIndex.open(place, write=True, encoder=ToyEncoder()) as other,
    ):
        for number in range(8):
            for name, index in (("a", writer), ("b", other)):
                id_ = f"{name}{number}"
                index.add([Answer(id_, f"text number{number} by {name}", "q", name)])
                assert reader.get([id_])[0].id == id_
                (hits,) = reader.search([f"number{number}"], 20, Where(author=name))
                assert id_ in {hit.answer.id for hit in hits}
                with MilvusIndex.open(place, encoder=ToyEncoder()) as fresh:
                    assert fresh.get_existing([id_]).keys() == {id_}
            writer.remove([f"a{number}"])
            assert reader.get_existing([f"a{number}"]) == {}
        assert len(reader) == 8
        assert verify(writer) == []
        assert "recall@8 of the search, over 8 vectors among 8: 1.000" in str(status(reader))
