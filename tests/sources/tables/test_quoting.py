"""Double quotes that enclose nothing: no row is swallowed, and what is chosen is said."""

from __future__ import annotations

import csv
import io
import logging
from pathlib import Path

import pytest
from helpers.source_files import read, rejected, write
from hypothesis import given, settings
from hypothesis import strategies as st

from searchkit.core.errors import BadInput

Rows = list[tuple[str, str, str]]
DELIMITERS = "\t;,|"
STRAY_QUOTES = {  # texts of four students, written without marks around cells
    "at beginnings": ['"The stronger one', "I do not know", 'The strip was 5"', "Repeat it"],
    "over three rows": ['"It held', "no idea", "because of the weight", 'it broke at 5"'],
    "in the middle": ['how much "vinegar was used', 'the "size"', "a 5'' pipe", "no"],
    "doubled": ['""You need the kind of container"" and more', "no", '"", he said', "yes"],
    "never closed": ["no", '"I would want to know', "the same plastic", "a lot"],
    "twice": ['"one', 'two"', '"three', 'four"'],
    "in one word": ['"word" and more', "no", "yes", 'more "word"'],
    "apostrophes": ["'It held", "'no idea'", "don't know", "it's '5"],
}


def unquoted(delimiter: str, answers: list[str], last: str = "") -> str:
    """Return a table with an id, a question and a mark, in which quotes are as they were typed."""
    header = ["id", "question", "score", "answer", *(["grader"] if last else [])]
    rows = [
        [str(n), f"q{n % 2}", str(n % 3), text, *([last] if last else [])]
        for n, text in enumerate(answers, 1)
    ]
    return "".join(delimiter.join(row) + "\n" for row in [header, *rows])


@pytest.mark.parametrize("delimiter", DELIMITERS)
@pytest.mark.parametrize("last", ["", "kim"])
@pytest.mark.parametrize("kind", STRAY_QUOTES)
def test_every_row_of_an_unquoted_file_is_read(
    tmp_path: Path, kind: str, last: str, delimiter: str
) -> None:
    answers = [text.replace(delimiter, " ") for text in STRAY_QUOTES[kind]]
    path = write(tmp_path / "a.csv", unquoted(delimiter, answers, last))
    assert [(a.id, a.text) for a in read(path)] == [
        (str(n), text) for n, text in enumerate(answers, 1)
    ]


def test_the_choice_is_said_with_both_counts(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = write(tmp_path / "a.tsv", unquoted("\t", STRAY_QUOTES["at beginnings"]))
    with caplog.at_level(logging.WARNING, "searchkit"):
        read(path)
    (message,) = caplog.messages
    assert message.startswith(f"{path}: double quotes are read as parts of the texts, which gives ")
    assert "gives 4 rows, and not as marks around cells, which gives 2; `quoting='stan" in message
    caplog.clear()
    assert len(read(path, quoting="standard")) == 2
    assert len(read(path, quoting="none")) == 4
    assert not caplog.messages


def test_where_neither_reading_is_clearly_right_the_user_chooses(tmp_path: Path) -> None:
    content = unquoted(",", ['"one', 'two"', "three"]) + '4,q1,2,"four, four"\n'
    path = write(tmp_path / "a.csv", content)
    with pytest.raises(
        BadInput,
        match=r"a.csv:2: one cell holds what look like rows, up to line 3;"
        r" with `quoting='none'`, .* \(4 rows\), with .*standard'` .* \(3\)$",
    ):
        read(path)  # fmt: skip
    assert [a.id for a in read(path, quoting="standard")] == ["1", "3", "4"]
    answers, bad = rejected(path, quoting="none")
    assert ([a.id for a in answers], [r.line for r in bad]) == (["1", "2", "3"], [5])
    assert bad[0].reason == "5 fields where the first line has 4; a text holds the delimiter"


def test_two_columns_of_words_are_doubted(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", 'name,answer\nBen,"I think\nCleo,no idea"\nDan,x\n')
    with pytest.raises(BadInput, match=r"a.csv:2: one cell holds what look like rows, up to lin"):
        read(path)


def test_a_row_swallowed_behind_the_beginning_is_an_error(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("searchkit.sources.tables.delimited.SAMPLE_LENGTH", 200)
    answers = [f"text {n}" for n in range(40)]
    answers[30:33] = ['"one', "two", 'three"']
    path = write(tmp_path / "a.csv", unquoted(",", answers))
    with pytest.raises(BadInput, match=r"a.csv:32: one cell holds what look .* line 34; choose `q"):
        read(path)
    answers, bad = rejected(path)
    assert (len(answers), [r.row.count("\n") for r in bad]) == (37, [2])
    assert len(read(path, quoting="none")) == 40
    assert len(read(path, quoting="standard")) == 38


def test_a_cell_cut_by_the_end_of_the_beginning_is_no_open_quote(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("searchkit.sources.tables.delimited.SAMPLE_LENGTH", 60)
    rows = [("1", "a, b\nlong\n" * 20, "x"), ("2", "c", "y")]
    assert read_back(rows, tmp_path, ",") == rows


def test_texts_with_lines_and_lists_stay_as_they_are(tmp_path: Path) -> None:
    rows = [
        ("1", "Dear all,\n\nyes, I agree,\nno", "q1"),
        ("2", "1, it is fast, and\n2, it is small, too\n3, so", "q1"),
        ("3", 'He said "no"\nand, well, left', "q2"),
        ("4", "a\tb\nc\td", "q2"),
    ]
    for delimiter in ",;\t":
        assert read_back(rows, tmp_path, delimiter) == rows


cells = st.text(st.sampled_from("ab1,;\t|\" \n'"), max_size=12)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.tuples(cells, cells), min_size=1, max_size=6),
    st.sampled_from(DELIMITERS),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
)
def test_what_csv_writes_is_read_back_or_doubted(tmp_path_factory, pairs, delimiter, style) -> None:
    """A line inside a cell may be just like a row; in all other cells nothing changes."""
    rows = [(str(n), *pair) for n, pair in enumerate(pairs)]
    folder = tmp_path_factory.mktemp("csv")
    assert read_back(rows, folder, delimiter, style, quoting="standard") == rows
    if not any(looks_like_rows(row, delimiter, style) for row in rows):
        assert read_back(rows, folder, delimiter, style) == rows


def looks_like_rows(row: tuple[str, str, str], delimiter: str, style: int) -> bool:
    lines = [line for line in written([row], delimiter, style).splitlines() if line.strip()]
    return len(lines) > 1 and all(line.count(delimiter) == len(row) - 1 for line in lines)


@settings(max_examples=200, deadline=None)
@given(st.text(st.sampled_from('ab1,;\t" \n'), max_size=200), st.sampled_from([".csv", ".tsv"]))
def test_any_text_is_read_or_ends_in_a_line(tmp_path_factory, content: str, suffix: str) -> None:
    path = write(tmp_path_factory.mktemp("csv") / f"a{suffix}", "id,answer\n" + content)
    try:
        read(path)
    except BadInput as error:
        assert str(path) in str(error)
        assert "\n" not in str(error)


def read_back(rows: Rows, folder: Path, delimiter: str, style: int = 0, **options: str) -> Rows:
    """Return the rows as they are read from a file that csv wrote."""
    content = written([("id", "text", "more"), *rows], delimiter, style)
    answers = read(write(folder / "a.csv", content), **options)
    return [(a.id, a.text, a.meta.get("more", "")) for a in answers]


def written(rows: Rows, delimiter: str, style: int) -> str:
    file = io.StringIO(newline="")
    csv.writer(file, delimiter=delimiter, quoting=style).writerows(rows)
    return file.getvalue()
