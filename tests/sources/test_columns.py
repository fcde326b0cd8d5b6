"""Columns are found by their usual names or as they are named; ids and values stay as they are."""

from __future__ import annotations

import json
import time
import tracemalloc
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pytest
from helpers.source_files import read, write
from helpers.work import count_calls
from hypothesis import given
from hypothesis import strategies as st

from searchkit.core.errors import BadInput
from searchkit.core.identity import make_id
from searchkit.core.records import Answer
from searchkit.sources.columns import Columns, distinct_names
from searchkit.sources.files import FileOptions
from searchkit.sources.reader import read_answers, read_rows


def test_columns_are_found_by_their_usual_names(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.csv", "Key,Prompt,Student-ID,Created at,Response,Mark\n1,q,s,t,x,5\n"
    )
    assert read(path) == [Answer("1", "x", "q", "s", "t", str(path), 2, {"Mark": "5"})]


def test_the_first_usual_name_wins_and_the_others_are_kept(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "id,user,author,text,prompt,question_id\n1,u,a,first,p,q\n")
    (answer,) = read(path)
    assert (answer.text, answer.question, answer.author) == ("first", "q", "a")
    assert answer.meta == {"user": "u", "prompt": "p"}


def test_of_two_columns_that_may_hold_the_answers_none_is_guessed(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "id,answer,text\n1,second,first\n")
    message = (
        r"which column holds the answers: text \('first'\) or answer \('second'\)\? name it with "
        "`columns.text=NAME`"
    )
    with pytest.raises(BadInput, match=message):
        read(path)
    empty = write(tmp_path / "b.csv", "id,answer,text\n1,second,\n")
    assert [a.text for a in read(empty)] == ["second"]


def test_twin_headers_are_numbered(tmp_path: Path) -> None:
    header, row = "id,answer,Points,Points (2),Points, Points ,answer", "1,x,2,3,4,5,y"
    (answer,) = read(write(tmp_path / "a.csv", f"{header}\n{row}\n"))
    assert answer.text == "x"
    assert answer.meta == {
        "Points": "2", "Points (2)": "3", "Points (3)": "4", "Points (4)": "5", "answer (2)": "y"
    }  # fmt: skip


def test_headers_that_differ_only_in_case_are_numbered_in_every_row(tmp_path: Path) -> None:
    content = "id,answer,Score,score,SCORE,score (2)\n1,x,1,2,3,4\n2,y,,5,,\n"
    rows = read(write(tmp_path / "a.csv", content))
    assert [row.meta for row in rows] == [
        {"Score": "1", "score (3)": "2", "SCORE (4)": "3", "score (2)": "4"},
        {"score (3)": "5"},
    ]


@given(st.lists(st.sampled_from(["a", "a (2)", "a (3)", "b", "a (2) (2)"])))
def test_distinct_names_keep_the_first_of_each(names: list[str]) -> None:
    distinct = distinct_names(names)
    assert len(set(distinct)) == len(names)
    for name in set(names):
        assert distinct[names.index(name)] == name


def test_named_columns(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "nr,essay,text,who\n1,real,other,me\n")
    (answer,) = read(path, columns=Columns(id="nr", text="Essay", author="who"))
    assert (answer.id, answer.text, answer.author, answer.meta) == ("1", "real", "me",
                                                                    {"text": "other"})  # fmt: skip


@pytest.mark.parametrize(
    ("content", "columns", "message"),
    [
        (
            "a,b\n1,2\n",
            Columns(),
            r"a.csv:2: no column with the answers; there are: a, b; .*`columns.text=NAME`",
        ),
        ("a,b\n1,2\n", Columns(text="c"), r"no column 'c' \(`columns.text`\); there are: a, b"),
        ("text,b\n1,2\n", Columns(submitted_at="c"), r"no column 'c' \(`columns.submitted_at`\)"),
        ("1,some answer\n2,other\n", Columns(), "there are: 1, some answer.*first line must hold"),
    ],
)
def test_a_missing_column_is_named_with_those_found(tmp_path, content, columns, message) -> None:
    with pytest.raises(BadInput, match=message):
        read(write(tmp_path / "a.csv", content), columns=columns)


def test_one_column_is_the_text(tmp_path: Path) -> None:
    assert [a.text for a in read(write(tmp_path / "a.csv", "words\nx\ny\n"))] == ["x", "y"]


def test_ids_that_are_made(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "question,author,text\nq,s,one\nq,s,two\nq,,three\n,,four\n")
    assert [a.id for a in read(path)] == [
        "q/s",
        "q/s#2",
        make_id("q", None, "three"),
        make_id(None, None, "four"),
    ]


@pytest.mark.parametrize("value", ["007", "NA", "null", "None", "1e5", "TRUE", "-0"])
def test_values_stay_the_text_that_they_are(tmp_path: Path, value: str) -> None:
    path = write(tmp_path / "a.csv", f"id,text,x\n{value},{value},{value}\n")
    (answer,) = read(path)
    assert (answer.id, answer.text, answer.meta["x"]) == (value, value, value)


WIDE = [f"column {number}" for number in range(60_000)]


@pytest.mark.parametrize("format", ["csv", "jsonl", "json"])
def test_wide_files_are_read_in_linear_time(tmp_path: Path, format: str) -> None:
    row = dict.fromkeys(WIDE, "x") | {"text": "y"}
    path = tmp_path / f"a.{format}"
    if format == "csv":
        write(path, ",".join(row) + "\n" + ",".join(row.values()) + "\n")
    else:
        write(path, json.dumps([row] if format == "json" else row))
    started = time.process_time()
    (answer,) = read(path)
    assert time.process_time() - started < 10  # 27 s where each is compared with each
    assert (answer.text, len(answer.meta)) == ("y", 60_000)


def _table(*rows: Sequence[str]) -> str:
    return "".join(",".join(row) + "\n" for row in rows)


def _many_names(shape: str, count: int) -> str:
    """Return a file with `count` names."""
    names = [f"n{number}" for number in range(count)]
    questions = [f"Question {number}" for number in range(count)]
    row = {"id": "1", "text": "some words"}
    match shape:
        case "columns.csv":
            return _table(["text", *names], ["some words"] * (count + 1))
        case "equal columns.csv":
            return _table(["text", *["x"] * count], ["some words"] * (count + 1))
        case "questions.csv":
            return _table(["name", *questions], ["some long words"] * (count + 1))
        case "no text.csv":
            return _table(names, ["1"] * count)
        case "object.json":
            return json.dumps([row | dict.fromkeys(names, "x")])
        case "lists in an object.json":
            return json.dumps({name: [row] for name in names})
        case "objects in an object.json":
            return json.dumps({name: row for name in names})
        case "objects in a row.json":
            return json.dumps([row | {name: {"a": "x"} for name in names}])
        case "lists in a row.jsonl":
            return json.dumps(row | {name: ["x"] for name in names})
    return "".join(json.dumps(row | {"id": name, name: "x"}) + "\n" for name in names)


@pytest.mark.parametrize(
    "shape",
    [
        "columns.csv",
        "equal columns.csv",
        "questions.csv",
        "no text.csv",
        "object.json",
        "lists in an object.json",
        "objects in an object.json",
        "objects in a row.json",
        "lists in a row.jsonl",
        "another name in each row.jsonl",
    ],
)
@pytest.mark.parametrize("wide", [False, True])
def test_twice_as_many_names_are_twice_the_work(tmp_path: Path, shape: str, wide: bool) -> None:
    def work(count: int) -> int:
        path = write(tmp_path / shape, _many_names(shape, count))

        def run() -> None:
            with suppress(BadInput):
                read(path, columns=Columns(wide=wide))

        run()  # what is computed once in a process
        return count_calls(run)

    assert work(1_000) < 2.5 * work(500)


def test_the_name_that_comes_twice_is_found_in_linear_time(tmp_path: Path) -> None:
    names = [*WIDE, WIDE[-1]]
    content = "{" + ",".join(f'"{name}": 1' for name in names) + "}"
    started = time.process_time()
    with pytest.raises(BadInput, match=r"'column 59999'"):
        read(write(tmp_path / "a.json", content))
    assert len(distinct_names([*names, *names, *["x"] * len(names)])) == 3 * len(names)
    assert time.process_time() - started < 10


def test_a_message_names_the_first_columns_only(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", ",".join(WIDE) + "\n" + "," * 59_999 + "x\n")
    with pytest.raises(BadInput, match=r"no column with the answers; .*column 19 … and 59,980 mo"):
        read(path)


def test_names_that_differ_in_every_row_are_not_all_remembered(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("searchkit.sources.rows.MAX_NAMES", 10_000)
    rows = ({f"{row} {n}": "x" for n in range(500)} | {"text": "y"} for row in range(300))
    path = write(tmp_path / "a.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    tracemalloc.start()
    assert sum(1 for _ in read_answers([path])) == 300
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10_000_000


def test_a_chosen_column_whose_header_asks_something_names_the_question(tmp_path: Path) -> None:
    """So that the next column of the same sheet, chosen in the same way, is another question."""
    path = write(tmp_path / "a.csv", "ID,Name,Why so?,What is it?,Remark\n1,Ann,one,two,three\n")
    for column, text in [("Why so?", "one"), ("What is it?", "two")]:
        (answer,) = read(path, columns=Columns(text=(column,)))
        assert (answer.id, answer.question, answer.text) == (f"{column}/1", column, text)
    (answer,) = read(path, columns=Columns(text=("Remark",)))
    assert (answer.id, answer.question, answer.text) == ("1", None, "three")


def test_points_and_comments_of_questions_that_stand_in_their_headers(tmp_path: Path) -> None:
    header = "Name,Question 1,Question 1 Score,Question 2,Question 2 - Comment,Total\n"
    path = write(tmp_path / "a.csv", f"{header}Ann,A stack,3,A queue,Good,7\n")
    first, second = read(path, columns=Columns(wide=True))
    assert (first.meta["points"], second.meta["comment"]) == ("3", "Good")


def test_people_and_marks_alone(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "E-Mail-Adresse;Punkte\na@x.org;7,5\n")
    (row,) = read_rows([path], FileOptions(), allow_marks=True)
    assert (row.author, row.question, row.meta) == ("a@x.org", None, {"Punkte": "7,5"})
    with pytest.raises(BadInput, match="no column with the answers"):
        read(path)


def test_who_filled_in_a_wide_table_with_numbered_answers(tmp_path: Path) -> None:
    rows = "10b;Eva M;Nothing;It is small and round\n10c;Tom K;Cells;It is in the middle\n"
    path = write(tmp_path / "a.csv", f"Group;Vor- und Nachname;Antwort 1;Respuesta 2\n{rows}")
    answers = read(path, columns=Columns(wide=True))
    assert [(a.question, a.author) for a in answers] == [
        ("Antwort 1", "Eva M"),
        ("Respuesta 2", "Eva M"),
        ("Antwort 1", "Tom K"),
        ("Respuesta 2", "Tom K"),
    ]


def test_a_particle_of_a_name_is_a_part_of_it(tmp_path: Path) -> None:
    rows = "Jan;de;Vries;V1;een\nJan;van;Vries;V1;twee\nEva;;Smit;V1;drie\n"
    path = write(tmp_path / "a.csv", f"Voornaam;Tussenvoegsel;Achternaam;Vraag;Antwoord\n{rows}")
    assert [answer.author for answer in read(path)] == ["Jan de Vries", "Jan van Vries", "Eva Smit"]
