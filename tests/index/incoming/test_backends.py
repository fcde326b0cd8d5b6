"""Every kind of index finds answers by id and by author in the same way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from helpers.encoder import ToyEncoder

from searchkit import Answer, Index
from searchkit.index.base import BaseIndex
from searchkit.index.incoming.targets import Rehearsal
from searchkit.index.ingest import Choices, Ingest, ingest
from searchkit.index.locations import open_or_create
from searchkit.sources.columns import AnswerColumns


@pytest.fixture(params=["folder", "lite"])
def index(
    request: pytest.FixtureRequest, tmp_path: Path, encoder: ToyEncoder
) -> Iterator[BaseIndex]:
    if request.param == "folder":
        with Index.create(tmp_path / "i", encoder) as made:
            yield made
        return
    pytest.importorskip("milvus_lite")
    made = open_or_create(f"milvus+lite:{tmp_path / 'index.db'}", encoder)
    yield made
    made._release()


def test_files_come_one_after_the_other(index: BaseIndex) -> None:
    form = [
        Answer(f"q/{name}", f"text of {name}", "q", name, has_made_id=True)
        for name in ("ann", "bob", "cy")
    ]
    ingest(index, form)
    index.update_columns({"q/bob": {"mark": "6"}})
    top = Answer("q/zoe", "on top", "q", "zoe", has_made_id=True)
    ann = replace(form[0], id="q/Ann ", author="Ann ", meta={"score": "3"})
    choices = Choices("keep-both")
    rows = [top, ann, *form[1:], Answer("q/cy", "taken", "q", "dan", source="b.csv")]
    shown = Ingest(Rehearsal(index), choices).read(rows)
    done = ingest(index, rows, on_duplicate="keep-both")
    names = ("read", "added", "updated", "unchanged", "kept_beside", "attempts")
    assert [getattr(done, name) for name in names] == [5, 2, 1, 2, 1, 0]
    assert [getattr(shown, name) for name in names] == [5, 2, 1, 2, 1, 0]
    marks = [
        AnswerColumns("q/bob", None, None, {"note": "good"}),
        AnswerColumns(None, None, " DAN", {"note": "late"}),
        AnswerColumns(None, None, "nobody", {"note": "?"}),
    ]
    done = ingest(index, marks)
    assert (done.marks_matched, done.marks_unmatched, done.updated) == (2, 1, 2)
    assert {a.id: (a.author, dict(a.columns)) for a in index.answers()} == {
        "q/ann": ("Ann ", {"score": "3"}),
        "q/bob": ("bob", {"mark": "6", "note": "good"}),
        "q/cy": ("cy", {}),
        "q/zoe": ("zoe", {}),
        "q/cy#2": ("dan", {"note": "late"}),
    }
    again = Answer("x", "a second one", "q", "bob", has_made_id=True)
    assert ingest(index, [form[1], again]).attempts == 1
    assert sorted(a.attempts for a in index.answers()) == [1, 1, 1, 1, 2, 2]
