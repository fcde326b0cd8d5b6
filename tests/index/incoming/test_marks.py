"""Rows without a text: whose columns they are, and that no text is touched."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from helpers.encoder import ToyEncoder

from searchkit import Answer, Index
from searchkit.core.errors import BadInput
from searchkit.index.ingest import ingest
from searchkit.index.upkeep.verify import verify
from searchkit.sources.columns import AnswerColumns
from searchkit.sources.files import FileOptions
from searchkit.sources.reader import read_rows


@pytest.fixture
def index(tmp_path: Path, encoder: ToyEncoder) -> Index:
    with Index.create(tmp_path / "i", encoder) as made:
        ingest(made, ANSWERS)
        yield made


ANSWERS = [
    Answer("1", "The loop runs callbacks", "q1", "Ann", source="a.csv", line=2),
    Answer("2", "Timers fire later", "q1", "bob", source="a.csv", line=3),
    Answer("3", "Streams move chunks", "q2", "Ann", source="a.csv", line=4),
]


def row(id_: str | None = None, question: str | None = None, author: str | None = None,
        line: int = 2, **columns: str) -> AnswerColumns:  # fmt: skip
    return AnswerColumns(id_, question, author, columns, "marks.csv", line)


def scores(index: Index) -> dict[str, str | None]:
    return {answer.id: answer.columns.get("score") for answer in index.answers()}


@pytest.mark.parametrize("batch", [1, 100])
def test_by_id(index: Index, encoder: ToyEncoder, batch: int) -> None:
    texts = len(encoder.texts)
    done = ingest(index, [row("1", score="7"), row("2", score="5")], batch=batch)
    assert (done.marks_matched, done.marks_unmatched, done.updated) == (2, 0, 2)
    assert scores(index) == {"1": "7", "2": "5", "3": None}
    one, _, three = index.get(["1", "2", "3"])
    assert one == replace(ANSWERS[0], meta={"score": "7"})  # text and place are as they were
    assert three == ANSWERS[2]
    assert len(encoder.texts) == texts
    done = ingest(index, [row("1", score="7"), row("2", score="5")], batch=batch)
    assert (done.marks_matched, done.updated, done.unchanged) == (2, 0, 2)
    assert ingest(index, ANSWERS).unchanged == 3  # the file without marks takes none away
    assert scores(index) == {"1": "7", "2": "5", "3": None}
    assert verify(index) == []


def test_by_author_and_question(index: Index) -> None:
    rows = [row(None, "q1", " ANN", score="7"), row(None, "q2", "ann", score="5")]
    assert ingest(index, rows).marks_matched == 2
    assert scores(index) == {"1": "7", "2": None, "3": "5"}


def test_the_only_question_needs_no_name(index: Index) -> None:
    with pytest.raises(BadInput, match=r"marks.csv:2: no answer by 'bob' without a question"):
        ingest(index, [row(None, None, "bob", score="5")])
    index.remove(["3"])
    assert ingest(index, [row(None, None, "bob", score="5")]).marks_matched == 1
    assert scores(index) == {"1": None, "2": "5"}


def test_the_latest_attempt_is_marked(index: Index) -> None:
    later = replace(ANSWERS[0], id="9", text="The loop runs callbacks in turn")
    ingest(index, [later])
    assert ingest(index, [row(None, "q1", "ann", score="7")]).marks_matched == 1
    assert scores(index) == {"1": None, "2": None, "3": None, "9": "7"}


def test_what_belongs_to_no_answer_is_named(index: Index) -> None:
    rows = [row("1", score="7"), row("x", score="1", line=3), row(None, "q1", "zoe", 4, score="2")]
    done = ingest(index, rows)
    assert (done.marks_matched, done.marks_unmatched, done.skipped) == (1, 2, 0)
    assert done.warnings == [
        "2 rows without a text not matched; the first is marks.csv:3: no answer 'x'"
    ]
    rejected = []
    ingest(index, rows, on_reject=lambda answer, why: rejected.append((answer.line, why)))
    assert rejected == [(3, "no answer 'x'"), (4, "no answer by 'zoe' to 'q1'")]


def test_a_file_that_fits_nothing_is_an_error(index: Index) -> None:
    said = r"none belongs to an answer of the index; marks.csv:2: no answer 'x'; ingest the answers"
    with pytest.raises(BadInput, match=said):
        ingest(index, [row("x", score="1"), row("y", score="1")])
    rejected = []
    ingest(index, [row("x", score="1")], on_reject=lambda *reject: rejected.append(reject))
    assert len(rejected) == 1


def test_an_id_of_another_answer_is_not_taken(index: Index) -> None:
    done = ingest(index, [row("1", "q1", "bob", score="7"), row("2", "q1", "bob", score="5")])
    assert (done.marks_matched, done.marks_unmatched) == (1, 1)
    assert "marks.csv:2: answer '1' is another one (q1 and Ann)" in done.warnings[0]
    assert scores(index) == {"1": None, "2": "5", "3": None}


def test_an_id_that_two_groups_have_needs_the_author(index: Index) -> None:
    others = [Answer("1", "Promises hold values", "q1", "cat", source="b.csv", line=2)]
    ingest(index, others, on_duplicate="keep-both")
    done = ingest(index, [row("1", score="7"), row("2", score="5")])
    assert (done.marks_matched, done.marks_unmatched) == (1, 1)
    assert "'1' is the id of several answers (1, 1#2 …); name the authors" in done.warnings[0]
    assert ingest(index, [row("1", None, "Cat", score="4")]).marks_matched == 1
    assert scores(index) == {"1": None, "2": "5", "3": None, "1#2": "4"}


@pytest.mark.parametrize("batch", [1, 100])
@pytest.mark.parametrize(
    ("choice", "kept"), [("refuse", "7"), ("keep-first", "7"), ("keep-last", "5")]
)
def test_a_second_mark_for_one_answer(index: Index, choice: str, kept: str, batch: int) -> None:
    rows = [row("1", score="7"), row("1", comment="well done"), row("1", line=4, score="5")]
    if choice == "refuse":
        named = r"marks.csv:4: answer '1' has another 'score' already at marks.csv:2; give"
        with pytest.raises(BadInput, match=named):
            ingest(index, rows, batch=batch)
    done = ingest(index, rows, on_duplicate=choice, on_reject=lambda *_: None, batch=batch)
    assert done.skipped == (choice != "keep-last")
    assert scores(index)["1"] == kept
    assert index.get(["1"])[0].meta["comment"] == "well done"


def test_what_was_written_here_counts_and_is_said(index: Index) -> None:
    index.update_columns({"1": {"score": "6"}})
    done = ingest(index, [row("1", score="7")])
    assert done.warnings == [
        "column 'score': 1 answer with another value written here than in the file; the one "
        'written here counts ("file:score" is the other)'
    ]
    assert scores(index)["1"] == "6"


def test_answers_and_their_marks_in_one_go(tmp_path: Path, encoder: ToyEncoder) -> None:
    with Index.create(tmp_path / "new", encoder) as index:
        done = ingest(index, [*ANSWERS, row("1", score="7")])
        assert (done.added, done.marks_matched) == (3, 1)
        assert scores(index)["1"] == "7"


def test_by_a_column_of_the_answers(index: Index) -> None:
    ingest(
        index, [row("1", mail="Ann@x.org", nr="7"), row("2", mail="bob@x.org"), row("3", nr="7")]
    )
    marks = [
        row(question="q1", author="ann@x.org ", score="1"),
        row(question="q1", author="BOB@x.org", score="2"),
        row(question="q1", author="nobody@x.org", score="3"),
    ]
    done = ingest(index, marks, on_reject=lambda *_: None)
    assert (done.marks_matched, done.marks_unmatched) == (2, 1)
    assert scores(index) == {"1": "1", "2": "2", "3": None}


def test_a_column_that_two_authors_share_is_no_name(index: Index) -> None:
    ingest(index, [row("1", mail="same@x.org"), row("2", mail="same@x.org")])
    with pytest.raises(BadInput, match=r"no answer by 'same@x.org' to 'q1'"):
        ingest(index, [row(question="q1", author="same@x.org", score="1")])


def test_marks_with_a_column_a_question_replace_no_texts(index: Index, tmp_path: Path) -> None:
    path = tmp_path / "marks.csv"
    path.write_text("Name,q2,q1\nbob,,5\nANN,3.5,7\n", encoding="utf-8")
    done = ingest(index, read_rows([path], FileOptions(), allow_marks=True))
    assert (done.marks_matched, done.marks_unmatched, done.added) == (3, 0, 0)
    assert {a.id: a.columns["points"] for a in index.answers()} == {"1": "7", "2": "5", "3": "3.5"}
    assert [a.text for a in index.answers()] == [a.text for a in ANSWERS]
