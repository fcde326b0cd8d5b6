"""Another person's answer under the id gets nothing of what was written or decided there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from helpers.encoder import ToyEncoder

from searchkit import Answer, Index, ingest
from searchkit.index.base import BaseIndex
from searchkit.index.decisions import decide, decisions
from searchkit.index.locations import open_or_create
from searchkit.index.records import GradingCell, GradingChange
from searchkit.index.upkeep.verify import verify

ANN = Answer("1", "the loop runs callbacks", "q1", "Ann")
BOB = Answer("2", "timers fire later", "q1", "Bob")
CLEO = replace(ANN, author="Cleo")


@pytest.fixture(params=["folder", "lite"])
def index(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[BaseIndex]:
    place = tmp_path / "i" if request.param == "folder" else f"milvus+lite:{tmp_path / 'i.db'}"
    with open_or_create(place, ToyEncoder()) as made:
        made.add([ANN, BOB])
        made.update_columns({"1": {"mark": "7"}, "2": {"mark": "3"}})
        yield made


@pytest.mark.parametrize(
    ("new", "mark"),
    [
        (CLEO, ""),
        (replace(CLEO, text="another text"), ""),
        (replace(CLEO, written={"mark": "1"}), "1"),
        (replace(ANN, question="q2", text="another text"), ""),
        (replace(ANN, question="Question 1"), "7"),  # another name of it
        (replace(ANN, author=" ann", text="another text"), "7"),
        (replace(ANN, author=None, question=None, text="another text"), "7"),
    ],
)
def test_a_mark_stays_with_its_author(index: BaseIndex, new: Answer, mark: str) -> None:
    done = index.add([new, replace(BOB, text="timers fire late")])
    assert (done.added, done.updated, len(index)) == (0, 2, 2)
    stored, bob = index.get(["1", "2"])
    assert (stored.text, stored.author, stored.value("mark")) == (new.text, new.author, mark)
    assert bob.value("mark") == "3"
    assert verify(index) == []


def test_a_mark_isnt_copied_over_to_another_author(index: BaseIndex) -> None:
    both = [replace(index.get_stored(new.id), answer=new) for new in (CLEO, BOB)]
    assert index.add_with_vectors(both).updated == 1
    cleo, bob = index.get(["1", "2"])
    assert (cleo.author, cleo.value("mark"), bob.value("mark")) == ("Cleo", "", "3")


@pytest.mark.parametrize("way", ["add", "keep-last"])
def test_decisions_and_history_go_with_the_answer(tmp_path: Path, way: str) -> None:
    dan = Answer("3", "streams move chunks", "q1", "Dan")
    cells = tuple(GradingCell(id_, "mark", None, "6") for id_ in ("1", "2"))
    with Index.create(tmp_path / "i", ToyEncoder()) as made:
        made.add([ANN, BOB, dan])
        made.add_grading_change(GradingChange("q1", "Eve", "now", "mark 6", cells))
        decide(made, "1", "2", "confirmed", "secret note")
        decide(made, "2", "3", "confirmed")
        if way == "add":
            made.add([CLEO])
        else:
            ingest(made, [CLEO], on_duplicate="keep-last")
        assert list(decisions(made)) == [("2", "3")]
        (change,) = made.grading.changes()
        assert [cell.answer for cell in change.cells] == ["2"]
        assert [a.value("mark") for a in made.answers()] == ["", "6", ""]
        assert verify(made) == []
    files = [path.read_bytes() for path in (tmp_path / "i").iterdir()]
    assert not any(b"secret note" in content for content in files)


def test_all_or_none_also_where_an_answer_gives_way(tmp_path: Path) -> None:
    class Broken(ToyEncoder):
        def encode(self, texts, progress=None):
            return super().encode(texts, progress) * (0 if "broken" in texts else 1)

    with Index.create(tmp_path / "i", Broken()) as made:
        made.add([ANN, BOB])
        made.update_columns({"1": {"mark": "7"}})
        before = list(made.answers())
        with pytest.raises(Exception, match="broken"):
            ingest(made, [replace(CLEO, text="broken")], on_duplicate="keep-last")
        assert list(made.answers()) == before
