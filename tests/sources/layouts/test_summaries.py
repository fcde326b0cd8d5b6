"""Rows of averages, totals and titles of groups are no people, and no row with a text is lost."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.source_files import read, workbook, write
from hypothesis import given
from hypothesis import strategies as st

from searchkit.sources.columns import Columns
from searchkit.sources.files import FileOptions
from searchkit.sources.layouts.layout import Layout, Question
from searchkit.sources.layouts.summaries import is_summary, summary_label
from searchkit.sources.reader import read_rows

ADA, BEN = "The loop takes callbacks in turn", "Timers fire after the other phases"
HEAD = ["Name", "Answer", "Points"]


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [text for r in caplog.records if "left out" in (text := r.getMessage())]


@pytest.mark.parametrize("name", ["a.csv", "a.xlsx"])
def test_averages_totals_and_titles_are_no_students(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    rows = [
        *(HEAD, ["Group A", "", ""], ["Ada", ADA, "4"], ["Group B", "", ""], ["Ben", BEN, "3"]),
        *(["Overall average (2)", "", "3.5"], ["  Total:", "2", "7"], ["Cleo", "", "0"]),
    ]
    path = tmp_path / name
    if name == "a.csv":
        write(path, "".join(",".join(row) + "\n" for row in rows))
    else:
        workbook(path, [[cell or None for cell in row] for row in rows])
    assert [(a.author, a.text) for a in read(path)] == [("Ada", ADA), ("Ben", BEN), ("Cleo", "")]
    assert said(caplog) == [
        f"{path}: rows that are no person's, left out: line 2 ('Group A'); line 4 ('Group B'); "
        "line 6 ('Overall average (2)'); line 7 ('Total:')"
    ]


def test_an_average_below_a_quiz(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = write(
        tmp_path / "quiz.csv",
        "Last name,First name,Email address,State,Completed,Grade/10.00,Response 1,Response 2\n"
        f"Moss,Ada,a@x,Finished,1 May 2026 10:20 AM,8.00,{ADA},{BEN}\n"
        f"Reed,Ben,b@x,Finished,1 May 2026 10:21 AM,6.00,{BEN},{ADA}\n"
        "Overall average,,,,-,7.00,4.00,3.50 (2)\n",
    )
    assert {answer.author for answer in read(path)} == {"Ada Moss", "Ben Reed"}
    assert said(caplog) == [
        f"{path}: rows that are no person's, left out: line 4 ('Overall average')"
    ]


def test_many_are_counted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    rows = "".join(f"Ada {n},{ADA},1\nAverage,,1\n" for n in range(7))
    path = write(tmp_path / "a.csv", f"Name,Answer,Points\n{rows}")
    assert len(read(path)) == 7
    assert said(caplog)[0].endswith("line 11 ('Average') … and 2 more")
    read(write(tmp_path / "b.csv", f"Name,Answer,Points\nAda,{ADA},1\n"))
    assert len(said(caplog)) == 1


def test_averages_of_questions_in_a_wide_table_and_of_marks_alone(tmp_path: Path) -> None:
    wide = f"Name,Why does it run?,Points,When?,Points\nAda,{ADA},1,{BEN},2\nMean,3,1,2,2\n"
    answers = read(write(tmp_path / "a.csv", wide), columns=Columns(wide=True))
    assert {answer.author for answer in answers} == {"Ada"}
    path = write(tmp_path / "marks.csv", "Name,Task 1,Task 2\nAda,1,2\nDurchschnitt,1,2\n")
    rows = read_rows([path], FileOptions(), allow_marks=True)
    assert [row.author for row in rows] == ["Ada", "Ada"]


@pytest.mark.parametrize(
    "row",
    [
        "Average,x@y,,",  # an address
        "Average,,It is the mean of all,",  # a text
        "Total,,7 of them,",
        "Average,,#loop,",
        "Max,,,0",  # a name
        "Group A,,,3",  # a mark, and so no title
        "Group A,,no,",
        "Anna Average,,,1",
        "Soma,,12,1",
    ],
)
def test_who_may_be_somebody_stays(tmp_path: Path, row: str) -> None:
    path = write(tmp_path / "a.csv", f"Name,Email,Answer,Points\nAda,a@x,{ADA},4\n{row}\n")
    assert [answer.author for answer in read(path)] == ["Ada", row.split(",")[0]]


def test_a_team_without_an_answer_stays_where_teams_answer(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", f"Author,Answer,Points\nGroup 1,{ADA},4\nGroup 2,,\n")
    assert [answer.author for answer in read(path)] == ["Group 1", "Group 2"]


def test_without_authors_a_topic_is_no_label(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", f"topic,answer\nmedian,{ADA}\nmean,\naverage,12\n")
    assert [answer.text for answer in read(path)] == [ADA, "", "12"]


@pytest.mark.parametrize(
    "label",
    [
        *("Points Possible", "    Points Possible", "Out of", "Average", "Class average:", "Total"),
        *("Durchschnitt", "Mittelwert", "Mögliche Punkte", "Höchstpunktzahl", "Gesamtdurchschnitt"),
        *("Moyenne générale", "Écart-type", "Promedio general", "Media complessiva", "Média geral"),
        *("Algemeen gemiddelde", "Standard deviation", "Average score", "Overall average (25)"),
    ],
)
def test_labels_in_several_languages(label: str) -> None:
    assert is_summary(label)


@pytest.mark.parametrize(
    "name", ["Max", "Mark", "Soma", "Sum", "Media", "Note", "25", "", "S. Total-Reed"]
)
def test_names_are_no_labels(name: str) -> None:
    assert not is_summary(name)


WORDS = st.sampled_from(["Average", "Total", "Group A", "Mean", "Points Possible", "Ada", "", "7"])


@given(author=WORDS, text=st.text(max_size=12), points=WORDS, email=WORDS)
def test_no_text_with_a_letter_is_lost(author: str, text: str, points: str, email: str) -> None:
    layout = Layout((Question("Answer"),), author=("Name",), identity=("Email",))
    row: dict[str, str | None] = {"Name": author, "Email": email, "Answer": text, "Points": points}
    if summary_label(row, layout) is not None:
        is_error = text.strip().startswith("#")  # of a formula
        assert not any(map(str.isalpha, text)) or is_error or text.strip().lower() in ("na", "n/a")
        assert not (author and email)  # one of them is the label, and nobody has both


@pytest.mark.parametrize(
    ("footer", "is_left_out"),
    [
        ("Exported on 3 May 2026,,,", True),
        ("Exported: today,,,", True),
        ("This is the whole list,,,", True),
        ("Ada Maria Moss,,,", False),
        ("s1234567,,,", False),
        ("Exported on 3 May 2026,q2,,", False),
        ("Exported on 3 May 2026,,,4", False),
    ],
)
def test_a_remark_below_the_table_is_no_person(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, footer: str, is_left_out: bool
) -> None:
    path = write(tmp_path / "a.csv", f"Name,Question,Answer,Points\nBen,q1,{BEN},4\n{footer}\n")
    assert [a.author for a in read(path)] == ["Ben"] + [footer.split(",")[0]] * (not is_left_out)
    assert len(said(caplog)) == is_left_out
