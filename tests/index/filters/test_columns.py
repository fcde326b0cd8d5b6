"""SQL sees the columns in `meta` by their names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers.encoder import ToyEncoder

from searchkit import Answer, Index, Where


@pytest.fixture
def index(tmp_path: Path, encoder: ToyEncoder) -> Iterator[Index]:
    with Index.create(tmp_path / "i", encoder) as made:
        made.add([Answer("a", "alpha", meta={"score": "5", "label": "right"})])
        yield made


def test_names_that_differ_by_case_are_one_column(index: Index) -> None:
    index.add([Answer("e", "epsilon", meta={"Score": "3", "LABEL": "odd"})])
    index.add([Answer("f", "zeta", meta={"Score": "1", "score": "2"})])  # both: neither is lost
    assert index.get(["e"])[0].meta == {"score": "3", "label": "odd"}
    assert [a.id for a in index.answers(Where(sql="score = 3"))] == ["e"]
    assert index.get(["f"])[0].meta == {"Score": "1", "score": "2"}


def test_more_columns_than_sqlite_takes(index: Index, caplog: pytest.LogCaptureFixture) -> None:
    index.add([Answer("wide", "x", meta={f"c{n}": str(n) for n in range(2500)})])
    assert "`where` sees the first 900 columns only" in caplog.text
    assert len(index.get(["wide"])[0].meta) == 2500
    assert [a.id for a in index.answers(Where(sql="c7 = 7"))] == ["wide"]
