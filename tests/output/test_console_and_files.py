"""Written results can be read back, and no text controls a terminal or a spreadsheet."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import asdict, replace
from unittest.mock import Mock

import pytest

from searchkit import Answer, Hit, Pair, Passage
from searchkit.index.incoming.records import Ingested
from searchkit.output import console, files, search
from searchkit.output.status import print_ingested


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
                "passage": {"start": 5, "end": 9}, "best": [], "words": [], "close": True,
                "meta": {"score": "-5", "note": "=1+1"},
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
    text = "before " * 200 + "the very passage" + " after" * 200
    start = text.index("the very")
    table = written(search.print_hits, ["q"], [[hit(text, start, start + 16)]])
    assert "the very passage" in " ".join(table.split())
    assert table.count("before") < 40
    assert "…" in table
    assert "[bold]" not in written(search.print_hits, ["[bold]x"], [[]]).replace("[bold]x", "")


def test_a_table_shows_the_beginning_of_an_endless_word() -> None:
    table = written(search.print_hits, ["q"], [[hit("x" * 1_000_000)]])
    assert len(table) < 5_000
    assert "and 999,300 characters more" in " ".join(table.split())


LONG = " ".join(f"word{n}" for n in range(400)) + "."


def found(text: str, best: str, **fields: object) -> Hit:
    start = text.index(best)
    return replace(hit(text), best=((start, start + len(best)),), **fields)


def test_a_long_answer_is_cut_around_its_best_sentence_but_not_with_whole() -> None:
    text = f"{LONG} The needle itself. {LONG}"
    table = written(search.print_hits, ["q"], [[found(text, "The needle itself.")]])
    shown = " ".join(table.split())
    assert "The needle itself." in shown
    assert "word0 " not in shown[: shown.index("needle")]
    assert len(shown) < 1_200
    out = io.StringIO()
    search.print_hits(["q"], [[found(text, "The needle itself.")]], out, whole=True)
    assert out.getvalue().count("word0") == out.getvalue().count("word399") == 2


def test_a_best_sentence_is_bold_and_the_rest_is_not_dim() -> None:
    out = Terminal()
    search.print_hits(["q"], [[found("First one. Second one.", "Second one.")]], out)
    assert "\x1b[1mSecond one." in out.getvalue()
    (row,) = [line for line in out.getvalue().splitlines() if "First one" in line]
    assert "\x1b[2mFirst" not in row


def test_in_a_narrow_window_hits_stand_one_below_the_other(monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    out = Terminal()
    search.print_hits(["q"], [[found(LONG[:100], "word3 word4")]], out)
    assert "─" not in out.getvalue()
    assert all(len(line) < 60 for line in out.getvalue().splitlines())
    assert "similarity 0.123" in out.getvalue()


def test_hits_that_are_not_close_stand_below_a_line_that_says_so() -> None:
    near, far = hit("near"), replace(hit("far"), is_close=False)
    table = written(search.print_hits, ["q"], [[near, far]])
    assert table.index("near") < table.index("Less close: a search for") < table.index("far")
    assert "Nothing close" not in table
    assert "Nothing close" in written(search.print_hits, ["q"], [[far]])
    assert "nearer" not in written(search.print_hits, ["q"], [[near]])


@pytest.mark.parametrize(
    ("mode", "name"), [("semantic", "similarity"), ("lexical", "BM25"), ("hybrid", "fused")]
)
def test_no_column_for_people_calls_likeness_a_score(mode: str, name: str) -> None:
    out = io.StringIO()
    search.print_hits(["q"], [[hit("text")]], out, mode)
    assert name in out.getvalue()
    assert "score" not in out.getvalue()


@pytest.mark.parametrize("length", [1, 30, 200])
@pytest.mark.parametrize("at", [0, 50, 900, 1_990])
def test_an_excerpt_holds_its_span_and_is_no_longer_than_asked(at: int, length: int) -> None:
    text = ("abcdefg hi " * 200)[:2_000]
    span = (at, min(at + length, 2_000))
    start, end = console.excerpt_bounds(text, [span], 300)
    assert start <= span[0] < span[1] <= end
    assert end - start <= 300
    assert start == 0 or text[start - 1] == " "


def test_markup_in_a_text_is_text() -> None:
    assert "[red]x[/red]" in written(search.print_hits, ["q"], [[hit("[red]x[/red]")]])


def test_a_query_without_hits_has_a_note() -> None:
    assert "no answer matches" in written(search.print_hits, ["q"], [[]])


def test_an_answer_as_a_row_keeps_columns_named_like_fields() -> None:
    row = search.answer_as_record(Answer("i", "t", meta={"text": "other", "source": "s", "x": "1"}))
    assert row == {"id": "i", "text": "t", "meta:text": "other", "meta:source": "s", "x": "1"}
    assert search.export_columns(["text", "x"])[-2:] == ["meta:text", "x"]


@pytest.mark.parametrize(
    ("counts", "sentence"),
    [
        (Ingested(read=2_000, added=1_990, skipped=10, embedded=1, passages=3, seconds=2.04),
         "2,000 rows read: 1,990 added, 10 skipped; 1 text embedded; 2.0 s"),
        (Ingested(read=1, unchanged=1, seconds=0.3), "1 row read: 1 unchanged; 0.3 s"),
        (Ingested(read=3, marks_matched=3, removed=2),
         "3 rows read: 3 marks matched, 2 removed; 0.0 s"),
        (Ingested(), "0 rows read; 0.0 s"),
    ],
)  # fmt: skip
def test_an_ingest_is_told_in_a_sentence(counts: Ingested, sentence: str) -> None:
    assert written(print_ingested, asdict(counts)) == sentence + "\n"
    warned = written(print_ingested, asdict(replace(counts, warnings=["look here \x1b"])))
    assert warned == f"{sentence}\nlook here <U+001B>\n"


def test_code_in_an_answer_keeps_its_lines_and_has_a_colour() -> None:
    out = Terminal()
    search.print_hits(["q"], [[hit("See:\n```\na = 1\n  b = 2\n```\nand so on")]], out)
    assert "\x1b[36ma = 1" in out.getvalue()
    assert re.search(r"\x1b\[36m  b = 2", out.getvalue())
    (prose,) = [line for line in out.getvalue().splitlines() if "and so on" in line]
    assert "[36m" not in prose


def test_empty_lines_stay_in_code_and_go_in_prose() -> None:
    text = "One.\n\n\nTwo:\n```\na = 1\n\nb = 2\n```\nThree."
    shown = console.styled(text, (0, len(text))).plain
    assert shown == "One.\nTwo:\n```\na = 1\n\nb = 2\n```\nThree."
