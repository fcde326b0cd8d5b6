"""Results: as JSON records, as a pandas table, and as HTML with escaped texts."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from searchkit.core.errors import MissingExtra
from searchkit.core.results import HTML_ROWS, Record, Results, Table, html_table


@dataclass(frozen=True, slots=True)
class Part(Record):
    span: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Row(Record):
    name: str
    score: float | None = None
    parts: tuple[Part, ...] = ()


ROWS = Results([Row("<b>", 0.123456789, (Part((1, 2)), Part((3, 4)))), Row("b")])


class Doubled(Table):
    """A table with its own records."""

    def iter_records(self) -> Iterator[dict[str, Any]]:
        return ({"name": row.name * 2} for row in ROWS)


def test_a_record_is_what_json_makes_of_it() -> None:
    records = ROWS.to_records()
    assert records[0] == {
        "name": "<b>",
        "score": 0.123456789,
        "parts": [{"span": [1, 2]}, {"span": [3, 4]}],
    }
    assert json.loads(json.dumps(records)) == records


def test_results_are_a_list_whose_slices_are_results() -> None:
    assert ROWS == [ROWS[0], ROWS[1]]
    assert ROWS[-1].name == "b"
    assert isinstance(ROWS[:1], Results) and ROWS[:1].to_records() == ROWS.to_records()[:1]
    assert Doubled().to_records() == [{"name": "<b><b>"}, {"name": "bb"}]


def test_a_frame_has_a_row_for_each_record() -> None:
    pytest.importorskip("pandas")
    frame = ROWS.to_frame()
    assert list(frame.columns) == ["name", "score", "parts"]
    assert frame["name"].tolist() == ["<b>", "b"]


def test_without_pandas_a_frame_is_refused(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingExtra, match="to_frame needs pandas; run: pip install pandas"):
        ROWS.to_frame()


def test_html_is_escaped_and_short() -> None:
    html = ROWS._repr_html_()
    assert "<th>name</th><th>score</th><th>parts</th>" in html
    assert "<td>&lt;b&gt;</td><td>0.1235</td><td>span 1, 2; span 3, 4</td>" in html
    assert "<td>b</td><td></td><td></td>" in html
    assert len(html_table([{"text": "x" * 10_000}])) < 400
    assert Results()._repr_html_() == "<p>no results</p>"


def test_html_shows_the_first_rows_and_every_column_of_them() -> None:
    rows = [{"n": n} for n in range(HTML_ROWS)]
    assert "to_frame" not in html_table(rows)
    html = html_table([*rows, {"n": 77, "later": 1}])
    assert f"first {HTML_ROWS} rows; to_frame() has all" in html
    assert "77" not in html and "later" not in html
    assert html_table([{"a": 1}, {"b": "<i>"}]).count("<td></td>") == 2
