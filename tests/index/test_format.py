"""An index of any earlier format opens, says the same, and goes on.

`data/format-1` was made by searchkit 0.1.0 with the toy encoder (`python tests/test_format.py`).
"""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from helpers.encoder import ToyEncoder
from helpers.files import DATA

from searchkit import Answer, Index, Where
from searchkit.index.storage.schema import FORMAT
from searchkit.index.upkeep.verify import verify

ANSWERS = [
    Answer("a", "The event loop runs callbacks", "q1", "ann", "2025-01-01", meta={"score": "7"}),
    Answer("b", "Streams read piece by piece " + "and so on " * 12, "q2", "bob"),
    Answer("c", "", "q2", "cy", meta={"score": "0"}),
]
LATER = Answer("d", "Added after the checkpoint", "q1", "eve")


def make(folder: Path) -> None:
    with Index.create(folder, ToyEncoder()) as index:
        index.add(ANSWERS)
    with Index.open(folder, write=True, encoder=ToyEncoder()) as index:
        index.add([LATER])
    (folder / "LOCK").unlink()


@pytest.mark.parametrize("number", range(1, FORMAT + 1))
def test_an_index_of_an_earlier_format_opens(number: int, tmp_path: Path) -> None:
    shutil.copytree(DATA / f"format-{number}", tmp_path / "index")
    with Index.open(tmp_path / "index", encoder=ToyEncoder()) as index:
        assert list(index.answers()) == [*ANSWERS, LATER]
        assert [h.answer.id for h in index.search(["Streams read piece by piece"], 1)[0]] == ["b"]
        assert [h.answer.id for h in index.search_words(["callback"], 1)[0]] == ["a"]
        assert [a.id for a in index.answers(Where(sql="score >= 5"))] == ["a"]
    with Index.open(tmp_path / "index", write=True, encoder=ToyEncoder()) as index:
        assert verify(index) == []
        index.add([Answer("e", "One more")])
        assert index.store.format() == FORMAT
        assert verify(index) == []


def test_columns_with_quotes_in_their_names_are_seen_by_filters(tmp_path: Path) -> None:
    shutil.copytree(DATA / "format-2", tmp_path / "index")
    with closing(sqlite3.connect(tmp_path / "index" / "answers.db")) as connection, connection:
        connection.execute(
            """ALTER TABLE answers ADD COLUMN "meta:the ""mark""\" NUMERIC GENERATED ALWAYS AS """
            """(json_extract(meta, '$."the \\"mark\\""')) VIRTUAL"""
        )
        connection.execute("UPDATE answers SET meta = ? WHERE id = 'b'", ['{"the \\"mark\\"":"8"}'])
    with Index.open(tmp_path / "index", write=True, encoder=ToyEncoder()) as index:
        assert [a.id for a in index.answers(Where(sql='"the ""mark""" > 7'))] == ["b"]
        assert index.get_existing(["b"])["b"].meta == {'the "mark"': "8"}
        assert verify(index) == []


if __name__ == "__main__":
    make(DATA / f"format-{FORMAT}")
