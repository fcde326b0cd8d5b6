"""PrairieLearn: its rows and columns come back, with score_perc and feedback filled in."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from helpers.marks import Row, index_of, marked_index, rows_of, write_table

from searchkit.core.errors import BadInput
from searchkit.output.platforms.formats import marks_file
from searchkit.output.platforms.marks import MarkOptions

HEADER = ["uid", "uin", "qid", "old_score_perc", "old_feedback", "submission_id", "params",
          "true_answer", "submitted_answer", "score_perc", "feedback"]  # fmt: skip
GIVEN = [
    {"uid": "ada@x.org", "uin": "007", "qid": "loop", "old_score_perc": "0", "submission_id": "71"},
    {"uid": "bo@x.org", "uin": "0012", "qid": "loop", "old_score_perc": "50",
     "submission_id": "72", "feedback": "Seen"},
]  # fmt: skip


def read_as_prairielearn(rows: list[Row]) -> dict[str, tuple[float | None, str]]:
    """Return score and feedback by submission, by the rules of PrairieLearn's importer."""
    found = {}
    for row in rows:
        assert row["uid"]
        assert row["qid"]
        score = float(row["score_perc"]) if row["score_perc"] else None
        if score is not None or row["feedback"]:
            found[row["submission_id"]] = (score, row["feedback"])
    return found


def test_rows_and_columns_come_back_with_marks(tmp_path: Path) -> None:
    people = [(f"row {n}", f"s{n}", columns) for n, columns in enumerate(GIVEN)]
    with marked_index(tmp_path, people, "3") as index:
        index.update_columns({"row 0": {"comment": "Good"}, "row 1": {"mark": None}})
        file = marks_file(index, "prairielearn", MarkOptions(maximum=4))
        with pytest.raises(BadInput, match="PrairieLearn takes per cent; say what the marks are"):
            marks_file(index, "prairielearn")
    rows = rows_of(file)
    assert rows == [
        GIVEN[0] | {"score_perc": "75", "feedback": "Good"},
        GIVEN[1] | {"score_perc": "", "feedback": "Seen"},
    ]
    assert read_as_prairielearn(rows) == {"71": (75, "Good"), "72": (None, "Seen")}


def test_its_file_read_as_a_table_comes_back(tmp_path: Path) -> None:
    texts = [{"submitted_answer": json.dumps({"a": f"A text by {row['uid']}"})} for row in GIVEN]
    rows = [
        [(row | text).get(name, "") for name in HEADER]
        for row, text in zip(GIVEN, texts, strict=True)
    ]
    path = write_table(tmp_path / "submissions.csv", [HEADER, *rows])
    with index_of(path, folder=tmp_path / "i") as index:
        ids = [answer.id for answer in index.answers()]
        index.update_columns({ids[0]: {"mark": "50 %", "comment": "Half"}})
        file = marks_file(index, "prairielearn")
    ada, bo = rows_of(file)
    assert len(ids) == 2
    assert [(row["uid"], row["qid"], row["submission_id"]) for row in (ada, bo)] == [
        ("ada@x.org", "loop", "71"), ("bo@x.org", "loop", "72"),
    ]  # fmt: skip
    assert (ada["score_perc"], ada["feedback"], ada["uin"]) == ("50", "Half", "007")
    assert (bo["score_perc"], bo["feedback"]) == ("", "Seen")


@pytest.mark.parametrize(
    ("mark", "column", "score"),
    [("7/10", "mark", "70"), ("75 %", "mark", "75"), ("80", "score_perc", "80")],
)
def test_per_cent_follow_from_what_marks_are_out_of(
    tmp_path: Path, mark: str, column: str, score: str
) -> None:
    with marked_index(tmp_path, [("a", "Ada", GIVEN[0])]) as index:
        index.update_columns({"a": {"mark": None, column: mark}})
        file = marks_file(index, "prairielearn")
    assert rows_of(file)[0]["score_perc"] == score


def test_what_is_no_submission_of_prairielearn_is_listed(tmp_path: Path) -> None:
    with marked_index(tmp_path, [("a", "Ada", GIVEN[0]), ("12", "Bo", {})], "75%") as index:
        file = marks_file(index, "prairielearn")
    assert len(rows_of(file)) == 1
    assert file.notes[1:] == [
        "1 answer left out: no submission_id, and no uid with qid, is known: 12 · Bo"
    ]
