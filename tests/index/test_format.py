"""An index of any earlier format opens, says the same, and goes on.

`data/format-1` was made by searchkit 0.1.0 with the toy encoder; `PYTHONPATH=tests python
tests/index/test_format.py` makes the one of the present format.
"""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from helpers.encoder import ToyEncoder
from helpers.files import DATA

from searchkit import Answer, Index, Where
from searchkit.index.records import GradingCell, GradingChange
from searchkit.index.storage.schema import FORMAT
from searchkit.index.upkeep.verify import verify

ANSWERS = [
    Answer("a", "The event loop runs callbacks", "q1", "ann", "2025-01-01", meta={"score": "7"}),
    Answer("b", "Streams read piece by piece " + "and so on " * 12, "q2", "bob"),
    Answer("c", "", "q2", "cy", meta={"score": "0"}),
]
LATER = Answer("d", "Added after the checkpoint", "q1", "eve")
SINCE_4 = [
    Answer(
        *("e", "One <b>", "q3", "Eve", "2025-01-02", None, None, {"score": "4,5", "note": "x"}),
        written={"score": "7/10"},
        original="<p>One &lt;b&gt;",
        attempt=2,
        attempts=2,
    ),
    Answer("f", "First", "q3", " eve", "2025-01-01", attempts=2),
]
LANGUAGE = "en"  # of the first answer, since format 6
SINCE_5 = GradingChange(
    *("q1", "A teacher", "2026-11-27T23:00:00+00:00", "mark 7.5 for 1 answer"),
    cells=(GradingCell("a", "mark", None, "7.5"),),
    settings=(None, '{"level":3}'),
    number=1,
)


def make(folder: Path) -> None:
    with Index.create(folder, ToyEncoder()) as index:
        index.add([replace(ANSWERS[0], language=LANGUAGE), *ANSWERS[1:]])
    with Index.open(folder, write=True, encoder=ToyEncoder()) as index:
        index.add([LATER])
        index.add([replace(SINCE_4[0], written={}), SINCE_4[1]])
        index.update_columns({SINCE_4[0].id: SINCE_4[0].written})
        index.add_grading_change(SINCE_5)
    (folder / "LOCK").unlink()


@pytest.mark.parametrize("number", range(1, FORMAT + 1))
def test_an_index_of_an_earlier_format_opens(number: int, tmp_path: Path) -> None:
    shutil.copytree(DATA / f"format-{number}", tmp_path / "index")
    with Index.open(tmp_path / "index", encoder=ToyEncoder()) as index:
        first, *others = ANSWERS
        first = replace(first, written={"mark": "7.5"} if number >= 5 else {})
        later = [LATER, *(SINCE_4 if number >= 4 else [])]
        assert list(index.answers()) == [first, *others, *later]
        assert index.languages() == ({LANGUAGE: 1} if number >= 6 else {})
        assert index.grading.changes() == ([SINCE_5] if number >= 5 else [])
        assert index.grading.settings() == ({"q1": '{"level":3}'} if number >= 5 else {})
        assert (index.grading.undoable("q1") is None) == (number < 5)
        assert [h.answer.id for h in index.search(["Streams read piece by piece"], 1)[0]] == ["b"]
        assert [h.answer.id for h in index.search_words(["callback"], 1)[0]] == ["a"]
        assert [a.id for a in index.answers(Where("q1", sql="score >= 5"))] == ["a"]
    with Index.open(tmp_path / "index", write=True, encoder=ToyEncoder()) as index:
        assert verify(index) == []
        index.add([Answer("g", "One more", "q1", "ANN", language="de")])
        assert index.ids(Where(sql="language = 'de'")) == ["g"]
        assert [a.attempt for a in index.find_slots([("q1", "ann")])["q1", "ann"]] == [1, 2]
        assert index.ids(Where(author=" Ann")) == ["a", "g"]
        assert index.store.format() == FORMAT
        change = index.add_grading_change(replace(SINCE_5, question="q2", settings=None))
        assert index.grading.changes("q2") == [change]
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
