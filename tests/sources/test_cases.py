"""The files of `../shared/cases`, by their numbers: each is read as a teacher expects."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from helpers.cases import case

from searchkit.core.errors import BadInput
from searchkit.core.identity import question_name
from searchkit.core.records import Answer
from searchkit.grading.marks import read_marks
from searchkit.sources.columns import Columns
from searchkit.sources.reader import read_answers

LOOP = "What is the event loop of Node.js, and what does it do? Explain in your own words."


def by_question(path: Path) -> Counter[str | None]:
    return Counter(answer.question for answer in read_answers([path]))


def find(path: Path, author: str) -> list[Answer]:
    return [answer for answer in read_answers([path]) if answer.author == author]


def test_case_01_a_canvas_student_analysis() -> None:
    answers = list(read_answers([case("01-canvas.csv")]))
    assert sorted(by_question(case("01-canvas.csv")).values()) == [27, 27, 29]
    first = next(a for a in answers if a.author == "Ada Moss")
    assert (first.meta["prompt"], first.meta["points"], first.meta["points possible"]) == (
        LOOP,
        "7",
        "10.0",
    )
    assert first.submitted_at == "2025-08-07 17:53:20 UTC"


def test_case_02_moodle_responses() -> None:
    path = case("02-moodle-responses.csv")
    counts = by_question(path)
    assert len(counts) == 3
    assert all(25 <= count <= 30 for count in counts.values())
    loop, *_ = find(path, "Eve Wren")
    assert (loop.text, loop.meta["prompt"]) == ("its async", LOOP)
    assert loop.question == question_name(LOOP)
    assert loop.submitted_at == "7 August 2025  5:53 PM"
    assert not [a for a in read_answers([path]) if a.text == "-" or "average" in str(a.author)]


def test_case_06_german_excel(caplog: pytest.LogCaptureFixture) -> None:
    answers = list(read_answers([case("06-excel-de.csv")]))
    assert "read as cp1252" in caplog.text
    assert (answers[0].author, answers[0].question) == ("0001", "q02")
    assert answers[0].text.endswith("– grüße")
    assert (answers[0].submitted_at, answers[0].meta) == ("07.08.2025 17:53", {"Punkte": "7,5"})
    assert read_marks(answers, "Punkte").kind == "numbers"


def test_case_09_quotes_in_the_texts_swallow_no_row() -> None:
    answers = list(read_answers([case("09-sas.tsv")]))
    assert [(a.id, a.question, a.author) for a in answers][3:] == [
        ("4", "1", None),
        ("5", "2", None),
    ]
    assert [answer.meta["Score1"] for answer in answers] == ["1", "2", "3", "0", "2"]
    assert answers[1].text.startswith('"I would want to know')
    assert answers[2].text == '""You need the kind of container"" and the amount.'


def test_case_15_no_answer_is_inside_another() -> None:
    answers = list(read_answers([case("15-tsv-merge.tsv")]))
    assert [answer.text for answer in answers] == [
        '"The stronger one held longer',
        "I do not know",
        'The strip was 5"',
        "Repeat it three times",
    ]


@pytest.mark.parametrize(
    ("name", "questions"),
    [("04-google-forms.csv", 3), ("04b-google-forms-one.csv", 1), ("05-ms-forms.xlsx", 3)],
)
def test_case_04_and_05_forms(name: str, questions: int) -> None:
    counts = by_question(case(name))
    assert len(counts) == questions
    assert all(25 <= count <= 30 for count in counts.values())
    answers = find(case(name), "Eve Wren")
    assert answers[0].text in ("its async", "its a red error")
    assert answers[0].submitted_at
    assert all(answer.meta["prompt"].endswith((".", "?")) for answer in answers)


def test_case_11_stackexchange_posts() -> None:
    (answer,) = read_answers([case("11-posts.xml")])
    assert (answer.id, answer.author, answer.text) == ("2", "8", "When the condition is false.")
    assert (answer.question, answer.meta["score"]) == ("How do loops end?", "3")


def test_case_11b_semeval() -> None:
    reference, answer = read_answers([case("11b-semeval.xml")])
    assert (reference.is_reference, reference.text) == (True, "When its condition is false.")
    assert (answer.id, answer.question, answer.text) == ("L1.1", "L1", "If the condition fails.")
    assert (answer.meta["prompt"], answer.meta["accuracy"]) == ("When does a loop end?", "correct")


def test_case_17_the_key_is_not_taken_for_the_answer() -> None:
    path = case("17-answer-key.csv")
    with pytest.raises(BadInput, match=r"which column holds the answers: Answer .* or Response"):
        list(read_answers([path]))
    answers = list(read_answers([path], columns=Columns(text="Response")))
    assert [(a.author, a.text) for a in answers][1] == ("bob", "No idea")


def test_case_22_made_ids_follow_from_the_author() -> None:
    monday, tuesday = (
        {a.author: a.id for a in read_answers([case(f"22-form-{day}.csv")])}
        for day in ("monday", "tuesday")
    )
    assert monday.keys() < tuesday.keys()
    assert all(tuesday[author] == id_ for author, id_ in monday.items())


def test_case_24_titles_above_the_columns_names_are_left_out() -> None:
    (answer,) = read_answers([case("24-title-rows.csv")])
    assert (answer.id, answer.question, answer.author) == ("1", "q1", "ann")
    assert (answer.text, answer.line) == ("The loop runs", 5)


def test_case_38_marks_in_many_spellings_are_numbers() -> None:
    answers = list(read_answers([case("38-marks.csv")]))
    with pytest.raises(BadInput, match=r"8 marks are numbers, and 3 are not: 'A-', 'absent', '<5'"):
        read_marks(answers, "mark")
    odd = ("A-", "absent", "<5")
    marks = read_marks([a for a in answers if a.columns.get("mark") not in odd], "mark")
    assert (marks.kind, marks.out_of) == ("numbers", 10)
    assert marks.scale == (0, 5.5, 6, 7, 7.5, 8.5, 9, 10)


def test_case_38b_marks_of_ten_are_numbers() -> None:
    marks = read_marks(list(read_answers([case("38b-marks-of-ten.csv")])), "mark")
    assert (marks.kind, marks.out_of, marks.scale[0], marks.scale[-1]) == ("numbers", 10, 1, 10)


def test_case_39_first_and_last_name_make_the_author() -> None:
    authors = {answer.author for answer in read_answers([case("39-same-last-name.csv")])}
    assert "Fs18 Ls18" in authors
    assert len(authors) == len(list(read_answers([case("39-same-last-name.csv")])))


def test_case_46_decimal_commas_are_numbers() -> None:
    answers = list(read_answers([case("46-decimal-comma.csv")]))
    assert read_marks(answers, "Punkte").scale == (4, 4.5, 9.5)


def test_case_41_numbers_are_read_as_the_workbook_shows_them() -> None:
    answers = list(read_answers([case("41-number-formats.xlsx")]))
    assert [(a.author, a.meta["mark"]) for a in answers] == [("000007", "75%"), ("000042", "50%")]


def test_case_43_html_has_the_words_of_the_same_answers_in_plain_text() -> None:
    html = {answer.id: answer for answer in read_answers([case("43-half-html.csv")])}
    plain = {answer.id: answer for answer in read_answers([case("43-none-html.csv")])}
    assert {id: answer.text.split() for id, answer in html.items()} == {
        id: answer.text.split() for id, answer in plain.items()
    }
    assert sum(answer.original is not None for answer in html.values()) == 14
    assert not any(answer.original for answer in plain.values())


def test_case_03_a_moodle_zip_has_29_authors_of_one_question() -> None:
    answers = list(read_answers([case("03-moodle-assign.zip")]))
    assert len({answer.author for answer in answers}) == 29
    assert {answer.question for answer in answers} == {"03-moodle-assign"}
    assert not any("<" in answer.text for answer in answers)
    assert all(answer.original for answer in answers)


def test_case_13_a_folder_a_student(tmp_path: Path) -> None:
    for name in ("Ada Moss", "Ben Reed", "Cleo Pike"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "essay.txt").write_text("An essay.")
    answers = list(read_answers([tmp_path]))
    assert {answer.author for answer in answers} == {"Ada Moss", "Ben Reed", "Cleo Pike"}
    assert {answer.question for answer in answers} == {None}


def test_case_23_documents_and_source_files() -> None:
    skipped: list[str] = []
    answers = list(read_answers([case("23-docs")], on_skip=skipped.append))
    assert {answer.author: answer.text.strip() for answer in answers} == {
        "ann": "The loop runs callbacks",
        "cat": "The loop runs callbacks one at a time\n\nprint(1)",
        "dan": 'print("hi")',
        "eve": "The loop & callbacks",
        "fay": "The loop",
        "gus": "no ending at all",
        "hal": "upper case ending",
        "jo": "int main(){}",
        "kim": "x=1;",
        "lou": "main = print 1",
        "max": "mov ax,1",
    }
    assert {answer.question for answer in answers} == {"task1"}
    why = {line.split(": ")[0].rpartition("/")[2]: line.split(": ")[1] for line in skipped}
    assert why["bob.pdf"].startswith("not a complete PDF")
    assert why["ivy.odt"].startswith("not a complete .odt file")
    assert why["ned.csv"] == "a table, not a text; name it by its own path"


def test_case_47_two_identical_essays_in_a_moodle_zip() -> None:
    answers = list(read_answers([case("47-moodle-two-identical.zip")]))
    assert len({answer.author for answer in answers}) == 6
    assert len({answer.question for answer in answers}) == 1
    assert len({answer.text for answer in answers}) == 5
