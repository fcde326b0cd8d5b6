"""Which tables are exports of platforms, and which are not; broken ones end in one line."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.cases import case
from helpers.files import ROOT
from helpers.platform_tables import LOOP, csv_file, read_table
from hypothesis import given, settings
from hypothesis import strategies as st

from searchkit.core.errors import BadInput
from searchkit.sources.columns import BadRow
from searchkit.sources.files import FileOptions
from searchkit.sources.platforms.formats import NAMES, TABLES, find_platform
from searchkit.sources.reader import read_rows

NUM_COLUMNS = 20_000  # in quadratic time, these would take many minutes
TITLES = {
    "01-canvas.csv": "Canvas student analysis",
    "02-moodle-responses.csv": "Moodle quiz responses",
    "04-google-forms.csv": "Google form",
    "04b-google-forms-one.csv": "Google form",
    "05-ms-forms.xlsx": "Microsoft form",
    "06-excel-de.csv": "",
    "09-sas.tsv": "ASAP answers",
    "15-tsv-merge.tsv": "ASAP answers",
    "18-author-spelling.csv": "",
    "19-resubmit.csv": "",
    "20-groupA.csv": "",
    "22-form-monday.csv": "",
    "24-title-rows.csv": "",
    "27-after.csv": "",
    "34-bibliography.csv": "",
    "38-marks.csv": "",
    "38b-marks-of-ten.csv": "",
    "39-same-last-name.csv": "",
    "41-number-formats.xlsx": "",
    "43-half-html.csv": "",
    "46-decimal-comma.csv": "",
}
PLAIN = [
    "id,question,author,answer,score",
    "student,question,answer,points,feedback",
    "Matrikelnummer;Aufgabe;Antwort;Punkte",
    "timestamp,author,question,response,score",
    "id,author,q1,q2,q3",
    "name,Grade/10,Week 1,Week 2",
    "name,id,1: Why?,2: How?,score",
    "id,start time,completion time,student,text",
    "first name,last name,email,answer 1,answer 2",
    "first name,last name,essay,grade",
    "Submission ID,Student,Response",
    "qid,uid,answer",
    "id,score,comments",
    "Id,PostTypeId,ParentId,Score,Body",
]


@pytest.mark.parametrize("name", TITLES)
def test_the_cases(name: str) -> None:
    assert read_table(case(name))[0] == TITLES[name]


@pytest.mark.parametrize("header", PLAIN)
@pytest.mark.parametrize("values", [[], ["1"], [LOOP], ["2025-08-07 17:53:20"], ["", "1"]])
def test_plain_tables_stay_plain(header: str, values: list[str]) -> None:
    names = header.replace(";", ",").split(",")
    sample = [dict.fromkeys(names, value) for value in values]
    assert find_platform(names, sample) is None


@pytest.mark.parametrize("platform", TABLES)
def test_a_format_that_is_asked_for_says_what_it_needs(platform: str) -> None:
    with pytest.raises(BadRow) as error:
        find_platform(["id", "answer"], [], platform)
    needs = TABLES[platform].needs
    assert error.value.reason.startswith(f"{platform} needs the columns {needs}; there are: id")


def test_the_page_of_platforms_has_all_formats() -> None:
    page = (ROOT / "docs" / "files.md").read_text("utf-8")
    assert [name for name in NAMES if f"`{name}`" not in page and f"--as {name}`" not in page] == []


def test_a_format_of_zips_is_no_table() -> None:
    with pytest.raises(BadRow, match="no moodle-assignment file; leave out `platform`"):
        find_platform(["id", "answer"], [], "moodle-assignment")


def many(kind: str) -> tuple[list[str], list[str]]:
    """Return a header and a row of a kind with a great number of columns."""
    half = range(NUM_COLUMNS // 2)
    time = "2025/08/07 5:11:03 PM GMT+2"
    return {
        "plain": (["id", "answer", *(f"c{n}" for n in half)], ["1", LOOP] + ["x"] * len(half)),
        "canvas": (
            ["name", *(name for n in half for name in (f"{n}: Why?", "1.0"))],
            ["Ada"] + [LOOP, "3"] * len(half),
        ),
        "google": (
            ["Timestamp", "Name", *(name for _ in half for name in ("Why?", "Why? [Score]"))],
            [time, "Ada"] + [LOOP, "3"] * len(half),
        ),
        "microsoft": (
            ["ID", "Start time", "Completion time", "Email", "Name"]
            + [name for _ in half for name in ("Why?", "Points - Why?")],
            ["1", time, time, "a@example.org", "Ada"] + [LOOP, "3"] * len(half),
        ),
    }[kind]


@pytest.mark.parametrize(
    ("kind", "num_answers"),
    [("plain", 1), ("canvas", 10_000), ("google", 10_000), ("microsoft", 10_000)],
)
def test_tables_of_very_many_columns(tmp_path: Path, kind: str, num_answers: int) -> None:
    _, answers = read_table(csv_file(tmp_path / "a.csv", *many(kind)))
    assert len(answers) == len({answer.id for answer in answers}) == num_answers


def test_many_questions_beside_many_other_columns(tmp_path: Path) -> None:
    header = ["Last name", "First name", "Grade/10.00"]
    header += [f"Response {n}" for n in range(2_000)] + [f"c{n}" for n in range(2_000)]
    path = csv_file(tmp_path / "a.csv", header, [LOOP] * len(header))
    with pytest.raises(BadInput, match=r"2,000 questions and 2,003 other columns, all of which"):
        read_table(path)


HEADERS = [
    *("Timestamp", "ID", "Start time", "Completion time", "Name", "First name", "Last name"),
    *("Grade/10.00", "Question 1", "Response 1", "Right answer 1", "Response 2", "Identifier"),
    *("Last modified (submission)", "Last modified (grade)", "Grade", "88: Why?", "10.0", "Why?"),
    *(
        "Why? [Score]",
        "Points - Why?",
        "Total Score",
        "Max Points",
        "1: Loop (2 pts)",
        "uid",
        "qid",
    ),
    *("submitted_answer", "submission_id", "Submission ID", "Anonymized Student ID", "Response"),
    *("Username", "Question ID", "Question", "Answer", "Possible Points", "Auto Score", "Score"),
    *(
        "Question Submission ID",
        "Id",
        "EssaySet",
        "EssayText",
        "((",
        "a (b",
        " - ",
        ": ",
        "[]",
        "-",
    ),
]
CELLS = ["", "-", "1", LOOP, "{", '{"a": 1}', "[{", "<p>", "a@b", "2025/08/07 5:11:03 PM GMT+2"]


@settings(deadline=None)
@given(data=st.data())
def test_broken_tables_end_in_one_line(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    header = data.draw(st.lists(st.sampled_from(HEADERS) | st.text(max_size=9), min_size=1))
    cells = st.sampled_from(CELLS) | st.text(max_size=9)
    rows = data.draw(st.lists(st.lists(cells, min_size=len(header), max_size=len(header))))
    path = csv_file(tmp_path_factory.mktemp("t") / "a.csv", header, *rows)
    platform = data.draw(st.none() | st.sampled_from(sorted(TABLES)))
    try:
        list(read_rows([path], FileOptions(platform=platform), allow_marks=True))
    except BadInput as error:
        assert "\n" not in error.message
        assert "a.csv" in error.message
