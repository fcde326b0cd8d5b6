"""Whatever names, marks and comments are: a table that can be read back, or one line."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from searchkit import Answer
from searchkit.core.errors import BadInput
from searchkit.output.platforms.formats import PLATFORMS
from searchkit.output.platforms.marks import MarkOptions, read_marked
from searchkit.output.platforms.plain import student_table
from searchkit.output.platforms.tables import Table, csv_bytes, xlsx_bytes

TEXTS = st.text(st.sampled_from("aé=+-@'\",;\n\r\t\0\x1b7 ()|"), max_size=8)
COLUMNS = st.sampled_from(
    ["id", "participant", "uid", "qid", "E-Mail", "notebook", "assignment", "section", "Points"]
)
ANSWERS = st.builds(
    Answer,
    st.integers(0, 9).map(str),
    TEXTS,
    st.none() | TEXTS,
    st.none() | TEXTS,
    meta=st.dictionaries(COLUMNS, TEXTS | st.just("7")),
    written=st.fixed_dictionaries(
        {}, optional={"mark": st.sampled_from(["7", "7/10", "75 %", "-", "good"]), "note": TEXTS}
    ),
)
FORMATS = {**PLATFORMS, "per student": lambda marked, _: student_table(marked)}


@pytest.mark.parametrize("platform", FORMATS)
@settings(max_examples=60, deadline=None)
@given(answers=st.lists(ANSWERS, min_size=1, max_size=4), name=st.none() | TEXTS)
def test_a_table_or_one_line(platform: str, answers: list[Answer], name: str | None) -> None:
    options = MarkOptions(marks="mark", assignment=name)
    try:
        marked = read_marked(answers, options, need_marks=True)
        table = FORMATS[platform](marked, options)
    except BadInput as error:
        assert str(error).isprintable()
        return
    assert_readable(table)
    assert all(note.strip() for note in table.notes)


def assert_readable(table: Table) -> None:
    rows = list(csv.reader(io.StringIO(csv_bytes(table).decode(), newline=""), strict=True))
    assert [len(row) for row in rows] == [len(table.columns)] * (1 + len(table.rows))
    formulas = [cell for row in rows for cell in row if cell.startswith(("=", "\t", "\r"))]
    assert formulas == []
    assert xlsx_bytes(table).startswith(b"PK")
