"""Written results can be read back, and no text controls a terminal or a spreadsheet."""

from __future__ import annotations

import csv
import io
import json
from unittest.mock import Mock

import pytest

from searchkit import Answer, Hit, Pair, Passage
from searchkit.output import files, search


def hit(text: str, start: int = 0, end: int | None = None, **fields: object) -> Hit:
    answer = Answer("id1", text, "q1", "s1", "2025-01-01", meta={"score": "-5", "note": "=1+1"})
    return Hit(1, 0.123456, answer, Passage(start, len(text) if end is None else end))


def written(write, *arguments: object) -> str:
    out = io.StringIO()
    write(*arguments, out)
    return out.getvalue()


def test_json_has_the_documented_fields() -> None:
    (record,) = search.hits_as_records(["a query"], [[hit("some text", 5, 9)]])
    assert json.loads(written(files.write_json, [record])) == [record]
    assert record == {
        "query": "a query",
        "hits": [
            {
                "rank": 1, "score": 0.123456, "id": "id1", "question": "q1", "author": "s1",
                "submitted_at": "2025-01-01", "text": "some text",
                "passage": {"start": 5, "end": 9}, "meta": {"score": "-5", "note": "=1+1"},
            }
        ],
    }  # fmt: skip


def test_jsonl_is_one_object_a_line() -> None:
    lines = written(files.write_jsonl, [{"a": "x\ny"}, {"a": "\u2028"}]).split("\n")
    assert [json.loads(line) for line in lines[:2]] == [{"a": "x\ny"}, {"a": "\u2028"}]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_of_a_csv_is_a_formula(start: str) -> None:
    out = written(files.write_csv, [{"a": f"{start}cmd|' /C calc'!A0"}], ["a"])
    assert list(csv.reader(io.StringIO(out)))[1][0].startswith("'")


@pytest.mark.parametrize("number", ["-5", "+3.25", "-1e5", "-.5", "+12%", "-1,5"])
def test_numbers_stay_numbers(number: str) -> None:
    out = written(files.write_csv, [{"a": number, "b": -0.5}], ["a", "b"])
    assert list(csv.reader(io.StringIO(out)))[1] == [number, "-0.5"]


def test_each_hit_is_a_row_of_csv_with_meta_as_columns() -> None:
    records = search.hits_as_records(["q", "none"], [[hit("some text"), hit("more")], []])
    columns, rows = search.hits_as_rows(records)
    table = list(csv.DictReader(io.StringIO(written(files.write_csv, rows, columns))))
    assert [row["text"] for row in table] == ["some text", "more"]
    assert table[0]["meta:score"] == "-5"
    assert table[0]["meta:note"] == "'=1+1"
    assert table[0]["passage_end"] == "9"


CONTROLS = [chr(n) for n in [*range(9), *range(11, 32), *range(0x7F, 0xA0)]]
CONTROLS += list("\u061c\u200e\u200f\u202a\u202e\u2066\u2069\u2028\u2029")


@pytest.mark.parametrize("text", ["\x1b[31mred", "a\x07b", "\u202eevil", "x\x9b31m", "\u2066i"])
def test_no_text_controls_the_terminal(text: str) -> None:
    shown = search.visible(text)
    assert "<U+" in shown
    assert not set(CONTROLS) & set(shown)
    table = written(search.print_hits, [text], [[hit(text)]])
    assert not set(CONTROLS) & set(table)


@pytest.mark.parametrize("write", [files.write_json, files.write_jsonl])
def test_json_controls_no_terminal_and_reads_back_to_the_same(write) -> None:
    record = {"".join(CONTROLS): ["".join(CONTROLS), {"é": "é\t\n👩\u200d👧 \ud800"}]}
    shown = written(write, [record])
    assert not set(CONTROLS) & set(shown)
    assert "\\u009b" in shown
    assert "é" in shown
    assert json.loads(shown) in (record, [record])


def test_mined_pairs_as_json_control_no_terminal() -> None:
    mined = Mock(recall=None, equal=[["\x9b", "\u202e"]], pairs=lambda: [Pair("\x9b", "é", 1.0)])
    shown = written(search.write_mining_json, mined)
    assert not set(CONTROLS) & set(shown)
    assert json.loads(shown)["pairs"][0]["left"] == "\x9b"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_csv_is_made_visible_on_a_terminal_only() -> None:
    rows = [{"a": "".join(CONTROLS), "b": {"x": "\x9b"}}]
    out = Terminal()
    files.write_csv(rows, ["a", "b", "\x9b"], out)
    assert not set(CONTROLS) & set(out.getvalue())
    assert "<U+009B>" in out.getvalue()
    table = list(csv.DictReader(io.StringIO(written(files.write_csv, rows, ["a"]), newline="")))
    assert table[0]["a"] == rows[0]["a"]


def test_a_table_shows_the_passage_with_its_context() -> None:
    text = "before " * 60 + "the very passage" + " after" * 60
    start = text.index("the very")
    table = written(search.print_hits, ["q"], [[hit(text, start, start + 16)]])
    assert "the very passage" in " ".join(table.split())
    assert table.count("before") < 40
    assert "…" in table
    assert "[bold]" not in written(search.print_hits, ["[bold]x"], [[]]).replace("[bold]x", "")


def test_a_table_shows_the_beginning_of_an_endless_word() -> None:
    table = written(search.print_hits, ["q"], [[hit("x" * 1_000_000)]])
    assert len(table) < 5_000
    assert "and 998,500 characters more" in " ".join(table.split())


def test_markup_in_a_text_is_text() -> None:
    assert "[red]x[/red]" in written(search.print_hits, ["q"], [[hit("[red]x[/red]")]])


def test_a_query_without_hits_has_a_note() -> None:
    assert "no answer matches" in written(search.print_hits, ["q"], [[]])


def test_an_answer_as_a_row_keeps_columns_named_like_fields() -> None:
    row = search.answer_as_record(Answer("i", "t", meta={"text": "other", "source": "s", "x": "1"}))
    assert row == {"id": "i", "text": "t", "meta:text": "other", "meta:source": "s", "x": "1"}
    assert search.export_columns(["text", "x"])[-2:] == ["meta:text", "x"]
