"""Names of columns, which stand in as many rows as they need."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.encoder import ToyEncoder

from searchkit.core.errors import BadInput
from searchkit.core.records import Answer
from searchkit.index.milvus.index import MilvusIndex


@pytest.fixture
def place(tmp_path: Path) -> str:
    return str(tmp_path / "index.db")


def test_more_names_than_a_row_can_hold(place: str) -> None:
    """A form of 20,000 questions: 500 kB of names; a text of Milvus has 65,535 bytes at most."""
    meta = {f"question {n} 東京": "x" for n in range(20_000)}
    with MilvusIndex.create(place, ToyEncoder()) as index:
        index.add([Answer("a", "one text", meta=meta)])
        index.add([Answer("b", "two texts", meta={"late": "y"})])
    with MilvusIndex.open(place, encoder=ToyEncoder()) as index:
        assert index.columns() == [*meta, "late"]
        assert index.get(["a"])[0].meta == meta
        assert (len(index), index.counts()["answers"]) == (2, 2)
        assert list(index.problems()) == []


def test_a_name_that_no_row_can_hold(place: str) -> None:
    with MilvusIndex.create(place, ToyEncoder()) as index:
        message = "name of 70,000 characters, and Milvus keeps 14,996 at most; shorten it"
        with pytest.raises(BadInput, match=message):
            index.add([Answer("a", "one text", meta={"n" * 70_000: "x"})])
        assert (len(index), index.columns()) == (0, [])
        index.add([Answer("a", "one text", meta={"n" * 14_996: "x"})])
        assert len(index.columns()) == 1
