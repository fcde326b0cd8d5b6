"""Sentence pairs from files: every row as it stands, every error with file and line."""

from __future__ import annotations

import gzip
import json
import math
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from searchkit.core.errors import BadInput
from searchkit.sources.labelled import SentencePair, read_pairs

HEAD = "sentence_0,sentence_1,label\n"


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_pairs_of_every_kind_of_file(tmp_path: Path) -> None:
    expected = [SentencePair("one", "two", 7.5, "q1"), SentencePair("NA", "001", 0.0, None)]
    rows = [
        {"sentence_0": "one", "sentence_1": "two", "label": 7.5, "question": "q1"},
        {"sentence_0": "NA", "sentence_1": "001", "label": 0, "question": None},
    ]
    text = "question,sentence_0,label,sentence_1\nq1,one,7.5,two\n,NA,0,001\n"
    files = [
        written(tmp_path / "a.csv", text),
        written(tmp_path / "a.tsv", text.replace(",", "\t")),
        written(tmp_path / "a.jsonl", "\n".join(map(json.dumps, rows))),
        tmp_path / "a.parquet",
        tmp_path / "a.csv.gz",
    ]
    pq.write_table(pa.Table.from_pylist(rows), files[3])
    files[4].write_bytes(gzip.compress(text.encode()))
    for file in files:
        assert read_pairs([file]) == expected, file
    assert read_pairs(files[:2]) == expected * 2


def test_names_in_any_case_other_columns_and_decimal_commas(tmp_path: Path) -> None:
    file = written(tmp_path / "a.csv", 'Label,note,Sentence 1,SENTENCE-0\n"2,5",x,b,a\n')
    assert read_pairs([file]) == [SentencePair("a", "b", 2.5)]


def test_any_range_is_taken_where_it_is_asked_for(tmp_path: Path) -> None:
    file = written(tmp_path / "a.csv", HEAD + "a,b,-3\na,c,100\n")
    assert [pair.label for pair in read_pairs([file], max_label=None)] == [-3, 100]
    file = written(tmp_path / "b.csv", HEAD + "a,b,0\na,c,4\n")
    assert [pair.label for pair in read_pairs([file], max_label=4)] == [0, 4]


def test_labels_out_of_something_are_shares_of_the_highest(tmp_path: Path) -> None:
    file = written(tmp_path / "a.csv", HEAD + "a,b,75 %\na,c,3/5\na,d,7.5\na,e,7/10\n")
    assert [pair.label for pair in read_pairs([file])] == [7.5, 6, 7.5, 7]
    assert [pair.label for pair in read_pairs([file], max_label=100)] == [75, 60, 7.5, 70]
    message = "a.csv:3: the label '3/5' and one above it are out of 5 and 100; write all"
    with pytest.raises(BadInput, match=message):
        read_pairs([file], max_label=None)
    file = written(tmp_path / "b.csv", HEAD + "a,b,75 %\na,c,5%\n")
    assert [pair.label for pair in read_pairs([file], max_label=None)] == [75, 5]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (HEAD + "a,b,1\na, ,2\n", "a.csv:3: sentence_1 is blank; leave out the row"),
        (HEAD + "a,b,1\n,b,2\n", "a.csv:3: sentence_0 is blank; leave out the row"),
        (HEAD + "a,b,high\n", "a.csv:2: the label 'high' is no number; write one from 0, .* 10$"),
        (HEAD + "a,b,nan\n", "a.csv:2: the label 'nan' is no number"),
        (HEAD + "a,b,inf\n", "a.csv:2: the label 'inf' is no number"),
        (HEAD + "a,b,1\na,b,\n", "a.csv:3: the label is blank; write a number, or leave out"),
        (HEAD + "a,b,-1\n", r"a.csv:2: the label -1 is not between 0 and 10 \(`max_label`\)"),
        (HEAD + "a,b,10.5\n", r"a.csv:2: the label 10.5 is not between 0 and 10 \(`max_label`"),
        ("sentence_0,label\na,1\n", "a.csv:2: no column 'sentence_1' with anything in it; there "
         "are: sentence_0, label; rename the one that is meant$"),
        ("text,sentence_1,label\na,b,1\n", "a.csv:2: no column 'sentence_0'; there are: .*; ren"),
        (HEAD + "a,b,120 %\n", r"a.csv:2: the label 120 % is not between 0 and 10 \(`max_label`"),
        (HEAD, "a.csv: no rows in it"),
        ("", "a.csv: .*empty"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(BadInput, match=message) as error:
        read_pairs([written(tmp_path / "a.csv", text)])
    assert "\n" not in str(error.value) and "columns.text" not in str(error.value)


def test_each_file_needs_the_columns(tmp_path: Path) -> None:
    good = written(tmp_path / "a.csv", HEAD + "a,b,1\n")
    bad = written(tmp_path / "b.csv", "sentence_0,sentence_1\na,b\n")
    with pytest.raises(BadInput, match=r"b\.csv:2: no column 'label'"):
        read_pairs([good, bad])
    with pytest.raises(BadInput, match="no such file"):
        read_pairs([tmp_path / "c.csv"])


@pytest.mark.parametrize("most", [0.0, -1.0, math.nan, math.inf])
def test_the_largest_label_is_a_number_above_0(tmp_path: Path, most: float) -> None:
    with pytest.raises(BadInput, match="`max_label` must be a number above 0"):
        read_pairs([written(tmp_path / "a.csv", HEAD + "a,b,1\n")], max_label=most)
