"""SQL sees the columns in `meta` by their names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers.encoder import ToyEncoder

from searchkit import Answer, Index, Where
from searchkit.core.errors import BadInput


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
    assert index.get(["f"])[0].meta == {"score": "1", "score (2)": "2"}
    assert [a.id for a in index.answers(Where(sql='"score (2)" = 2'))] == ["f"]


def test_more_columns_than_sqlite_takes(index: Index, caplog: pytest.LogCaptureFixture) -> None:
    index.add([Answer("wide", "x", meta={f"c{n}": str(n) for n in range(2500)})])
    assert "`where` sees the first 900 columns only" in caplog.text
    assert len(index.get(["wide"])[0].meta) == 2500
    assert [a.id for a in index.answers(Where(sql="c7 = 7"))] == ["wide"]


NAMES = [
    'x"y',
    '"',
    '1. "a" [b]',
    'a"',
    '\\"',
    "a\\",
    "\\n",
    "a.b",
    "a[0]",
    "$",
    "é",
    "'q'",
    "a\nb",
    "*/",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_column_of_any_name_is_seen(index: Index, name: str) -> None:
    index.add([Answer("e", "epsilon", meta={name: "007", "note": 'a "b" \\"c" \\\\'})])
    quoted = '"' + name.replace('"', '""') + '"'
    for sql in (f"{quoted} = 7", f'{quoted} = 7 AND note = \'a "b" \\"c" \\\\\''):
        assert [a.id for a in index.answers(Where(sql=sql))] == ["e"]
    with pytest.raises(BadInput, match=r"^[^\n]*there are id[^\n]*note[^\n]*$"):
        index.ids(Where(sql="nope"))
    assert index.get(["e"])[0].meta == {name: "007", "note": 'a "b" \\"c" \\\\'}
