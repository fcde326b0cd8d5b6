"""An author's answers to a question are numbered, whoever writes or deletes one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from helpers.encoder import ToyEncoder

from searchkit import Answer, Index, Where, cluster, mine
from searchkit.index.base import BaseIndex
from searchkit.index.locations import open_or_create
from searchkit.index.upkeep.copying import copy
from searchkit.index.upkeep.verify import verify

FIRST = Answer("1", "one text", "q1", "Ann Lee", "2025-08-01T10:00:00")
SECOND = Answer("2", "two texts", "q1", " ann  LEE", "2025-08-02T10:00:00")
OTHERS = [
    Answer("3", "another", "q1", "Bob", "2025-08-01"),
    Answer("4", "another question", "q2", "Ann Lee"),
    Answer("5", "nobody's", "q1", None),
    Answer("6", "nobody's either", "q1", None),
    Answer("7", "a model", "q1", "reference"),
    Answer("8", "a second model", "q1", "Reference"),
    Answer("9", "no question", None, "Ann Lee"),
    Answer("10", "no question either", None, "Ann Lee"),
]


@pytest.fixture(params=["folder", "lite"])
def index(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[BaseIndex]:
    place = tmp_path / "i" if request.param == "folder" else f"milvus+lite:{tmp_path / 'i.db'}"
    made = open_or_create(place, ToyEncoder())
    made.add([FIRST, *OTHERS])
    yield made
    made._release()


def numbers(index: BaseIndex) -> dict[str, tuple[int, int]]:
    """Return attempt and attempts of the answers that are one of several, or a second one."""
    rows = {a.id: (a.attempt, a.attempts) for a in index.answers()}
    return {id_: both for id_, both in rows.items() if both != (1, 1)}


def test_attempts_follow_every_write(index: BaseIndex) -> None:
    assert numbers(index) == {}
    index.add([SECOND])
    assert numbers(index) == {"1": (1, 2), "2": (2, 2)}
    assert index.counts()["earlier_attempts"] == 1
    index.add([replace(SECOND, submitted_at="2025-07-01")])  # it was the first, after all
    assert numbers(index) == {"2": (1, 2), "1": (2, 2)}
    index.add([replace(SECOND, id="11", submitted_at="on Monday")])  # no time: as they were added
    assert numbers(index) == {"1": (1, 3), "2": (2, 3), "11": (3, 3)}
    index.remove(["2"])
    assert numbers(index) == {"1": (1, 2), "11": (2, 2)}
    index.add([replace(SECOND, id="11", author="Bob")])  # another author now
    assert numbers(index) == {"3": (1, 2), "11": (2, 2)}
    index.remove(["3", "11"])
    assert numbers(index) == {}
    assert verify(index) == []


def test_filters_take_some_attempts(index: BaseIndex) -> None:
    index.add([SECOND])
    rest = {"3", "4", "5", "6", "7", "8", "9", "10"}
    assert set(index.ids()) == set(index.ids(Where(attempts="all"))) == rest | {"1", "2"}
    assert set(index.ids(Where(attempts="latest"))) == rest | {"2"}
    assert set(index.ids(Where(attempts="first"))) == rest | {"1"}
    assert index.ids(Where(sql="attempts > 1", attempts="latest")) == ["2"]
    assert index.ids(Where(author="ANN LEE", question="q1")) == ["1", "2"]
    latest = Where("q1", attempts="latest")
    assert {hit.answer.id for hit in index.search(["one text"], 9, latest)[0]} == rest & set(
        index.ids(Where("q1"))
    ) | {"2"}
    assert [hit.answer.id for hit in index.search_words(["text"], 9, latest)[0]] == ["2"]


def test_operations_take_the_latest_unless_told(index: BaseIndex) -> None:
    index.add([SECOND])
    for attempts, left_out in ((None, "1"), ("latest", "1"), ("first", "2"), ("all", "")):
        where = Where("q1", attempts=attempts)
        members = {m.id for c in cluster(index, where=where, k=1, method="k-means").clusters
                   for m in c.members}  # fmt: skip
        mined = {name for pair in mine(index, -1.0, where=where).pairs()
                 for name in (pair.left, pair.right)}  # fmt: skip
        assert members == mined == {"1", "2", "3", "5", "6", "7", "8"} - {left_out}


def test_a_copy_numbers_them_again(index: BaseIndex, tmp_path: Path) -> None:
    index.add([SECOND])
    index.update_columns({"2": {"mark": "7"}})
    with Index.create(tmp_path / "copy", ToyEncoder()) as target:
        target.add([replace(SECOND, id="0", submitted_at="2025-01-01")])
        target.update_columns({"0": {"mark": "1"}})
        copy(index, target)
        assert numbers(target) == {"0": (1, 3), "1": (2, 3), "2": (3, 3)}
        assert target.get(["2"])[0].written == {"mark": "7"}
        copied = copy(index, target)
        assert (copied.updated, copied.unchanged) == (0, 10)


def test_a_damaged_answer_keeps_its_wrong_checksum(tmp_path: Path) -> None:
    with Index.create(tmp_path / "i", ToyEncoder()) as index:
        index.add([FIRST])
        index.store.connection.execute("DROP TRIGGER temp.checksum_answers_UPDATE")
        index.store.connection.execute("UPDATE answers SET text = 'changed'")
    with Index.open(tmp_path / "i", write=True, encoder=ToyEncoder()) as index:
        index.add([SECOND])
        assert index.damaged_ids() == ["1"]
