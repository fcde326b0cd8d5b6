"""A collection that an older searchkit made is read and written as it was."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.encoder import ToyEncoder

from searchkit.core.records import Answer
from searchkit.core.where import Where
from searchkit.index.milvus import client, rows
from searchkit.index.milvus.index import MilvusIndex
from searchkit.index.upkeep.verify import verify

ANSWERS = [
    Answer("a", "one text", "q1", "Ann Lee", meta={"score": "3"}),
    Answer("b", "two texts", "q1", "ann lee"),
]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A collection of format 1, in which a name is another one in another spelling."""
    made = str(tmp_path / "old.db")
    with monkeypatch.context() as patch:
        patch.setattr(client, "FORMAT", "1")
        fields = ("id", "text", "question", "author", "submitted_at", "source", "line", "meta")
        patch.setattr(rows, "_KEPT", fields)
        with MilvusIndex.create(made, ToyEncoder()) as index:
            index.add(ANSWERS)
    return made


def test_an_old_collection_is_read_and_written(place: str) -> None:
    with MilvusIndex.open(place, write=True, encoder=ToyEncoder()) as index:
        assert list(index.answers()) == ANSWERS
        assert index.ids(Where(author="Ann Lee")) == ["a"]
        assert len(index.find_slots([("q1", "ann lee")])["q1", "ann lee"]) == 2
        index.update_columns({"a": {"score": "4"}})
        index.add([Answer("c", "three texts", "q1", "Ann Lee")])
        assert index.get(["a"])[0].columns == {"score": "4"}
        assert index.ids(Where(author="Ann Lee")) == ["a", "c"]
        assert index.ids(Where(attempts="latest")) == ["a", "b", "c"]  # they aren't numbered
        assert verify(index) == []
