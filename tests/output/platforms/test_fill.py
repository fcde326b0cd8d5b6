"""A platform's own file is filled in: marks and comments differ, and nothing else."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from helpers.marks import marked_index, write_table
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from searchkit.core.errors import BadInput
from searchkit.output.platforms.fill import read_sheet
from searchkit.output.platforms.formats import MarksFile, marks_file
from searchkit.output.platforms.marks import MarkOptions

GERMAN = [
    ["ID", "Vollständiger Name", "E-Mail-Adresse", "Status", "Bewertung", "Bestwertung",
     "Bewertung kann geändert werden", "Zuletzt geändert (Abgabe)", "Zuletzt geändert (Bewertung)",
     "Feedback als Kommentar"],
    ["Teilnehmer/in51001", "Ada Möß", "ada@x.org", "Abgegeben", "", "10,00", "Ja", "-", "-", ""],
    ["Teilnehmer/in51002", "Bo Lind", "bo@x.org", "Keine Abgabe", "3,00", "10,00", "Ja", "-", "-",
     "Alt"],
]  # fmt: skip
GRADEBOOK = [
    ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "Essay (4711)", "Quiz (12)",
     "Current Score"],
    ["    Points Possible", "", "", "", "", "10.00", "5.00", "(read only)"],
    ["Moss, Ada", "1001", "007", "ada", "A", "", "4.00", "80.00"],
    ["Lind, Bo", "1002", "0012", "bo", "A", "6.00", "", "60.00"],
    ["Student, Test", "1003", "", "", "A", "", "", ""],
]  # fmt: skip
SUBMISSIONS = [
    ["uid", "uin", "qid", "old_score_perc", "old_feedback", "submission_id", "params",
     "submitted_answer", "score_perc", "feedback"],
    ["ada@x.org", "007", "loop", "0", "", "71", "{}", '{"a": "Text"}', "", ""],
    ["bo@x.org", "0012", "loop", "0", "", "72", "{}", '{"a": "More"}', "", "Seen"],
]  # fmt: skip


def cells(file: MarksFile) -> list[list[str]]:
    return list(csv.reader(io.StringIO(file.content.decode(), newline="")))


def changed(given: list[list[str]], file: MarksFile) -> dict[tuple[int, str], str]:
    """Return the cells that differ, by row and column."""
    rows = cells(file)
    assert rows[0] == given[0]
    assert len(rows) == len(given)
    return {
        (n, given[0][column]): cell
        for n, (old, new) in enumerate(zip(given, rows, strict=True))
        for column, cell in enumerate(new)
        if cell != old[column]
    }


def test_a_worksheet_in_another_language_is_filled_in(tmp_path: Path) -> None:
    path = write_table(tmp_path / "Bewertungen.csv", GERMAN)
    people = [("a", "Ada Möß", {"participant": "51001"}), ("c", "Cy Ray", {"participant": "9"})]
    with marked_index(tmp_path, people, "75 %") as index:
        index.update_columns({"a": {"comment": "Gut"}})
        file = marks_file(index, "moodle-worksheet", fill_in=path)  # 75 % of the 10,00 in it
    assert changed(GERMAN, file) == {
        (1, "Bewertung"): "7,5", (1, "Feedback als Kommentar"): "Gut",
    }  # fmt: skip
    assert file.notes[1:] == ["1 answer left out: not in Bewertungen.csv: c · Cy Ray"]


def test_an_assignment_of_the_gradebook_is_filled_in(tmp_path: Path) -> None:
    path = write_table(tmp_path / "gradebook.csv", GRADEBOOK)
    people = [("a", "ada  MOSS", {}), ("b", "Bo Lind", {"id": "1002"}), ("t", "Test", {"id": "9"})]
    with marked_index(tmp_path, people) as index:
        for name in ("Essay", "Essay (4711)"):
            options = MarkOptions(assignment=name)
            file = marks_file(index, "canvas", options, fill_in=path)
            assert changed(GRADEBOOK, file) == {(2, "Essay (4711)"): "7", (3, "Essay (4711)"): "7"}
        with pytest.raises(BadInput, match=r"of: Essay \(4711\), Quiz \(12\)"):
            marks_file(index, "canvas", fill_in=path)


@pytest.mark.parametrize(
    ("encoding", "delimiter", "line_end", "point"),
    [("utf-8-sig", ";", "\r\n", ","), ("utf-16", "\t", "\n", "."), ("cp1252", ",", "\n", ".")],
)
def test_a_file_keeps_its_encoding_delimiters_and_all_other_cells(
    tmp_path: Path, encoding: str, delimiter: str, line_end: str, point: str
) -> None:
    def written(mark: str) -> bytes:
        rows = [
            ["Student", "ID", "Notes", "Essay (4711)", "Quiz (12)"],
            ["Möß", "1001", "=1+1", mark, f"4{point}0"],
            ["Lind", "1002", "- late; +49 171 5", f"3{point}5", ""],
        ]
        out = io.StringIO()
        csv.writer(out, delimiter=delimiter, lineterminator=line_end).writerows(rows)
        return out.getvalue().encode(encoding)

    path = tmp_path / "gradebook.csv"
    path.write_bytes(written(""))
    people = [("a", "Möß", {"id": "1001"}), ("b", "Lind", {"id": "1002"})]
    with marked_index(tmp_path, people, "7.5") as index:
        index.update_columns({"b": {"mark": None}})
        file = marks_file(index, "canvas", MarkOptions(assignment="Essay"), fill_in=path)
    assert file.content == written(f"7{point}5")
    kept = "1 person keeps the mark in gradebook.csv, as none is known here: b · Lind"
    assert file.notes[1:] == [kept]


def test_a_comment_that_an_old_encoding_lacks_is_not_lost(tmp_path: Path) -> None:
    path = tmp_path / "worksheet.csv"
    path.write_bytes(
        "Identifier,Full name,Grade,Feedback comments\nParticipant 1,Möß,,\n".encode("cp1252")
    )
    with marked_index(tmp_path, [("a", "Möß", {"participant": "1"})], "7") as index:
        index.update_columns({"a": {"comment": "- see x → y"}})
        file = marks_file(index, "moodle-worksheet", fill_in=path)
    assert cells(file)[1] == ["Participant 1", "Möß", "7", "- see x → y"]
    assert file.notes[-1] == "written in UTF-8, as cp1252 has no '→'"


def test_people_of_one_name_get_their_own_marks_or_none(tmp_path: Path) -> None:
    twins = [*GRADEBOOK, ["Moss, Ada", "1004", "", "", "A", "", "", ""]]
    path = write_table(tmp_path / "gradebook.csv", twins)
    essay = MarkOptions(assignment="Essay")
    with marked_index(tmp_path, [("a", "Ada Moss", {}), ("b", "Bo Lind", {"id": "77"})]) as index:
        file = marks_file(index, "canvas", essay, fill_in=path)
    assert changed(twins, file) == {}
    assert file.notes[1:] == ["2 answers left out: not in gradebook.csv: a · Ada Moss, b · Bo Lind"]


def test_submissions_are_filled_in_with_all_their_columns(tmp_path: Path) -> None:
    path = write_table(tmp_path / "submissions.csv", SUBMISSIONS)
    people = [("71", "ada@x.org", {"old_score_perc": "0"}), ("b", "bo@x.org", {"qid": "loop"})]
    with marked_index(tmp_path, people, "3") as index:
        index.update_columns({"b": {"mark": None, "comment": "Late"}})
        file = marks_file(index, "prairielearn", MarkOptions(maximum=4), fill_in=str(path))
    assert changed(SUBMISSIONS, file) == {(1, "score_perc"): "75", (2, "feedback"): "Late"}


def test_only_files_of_platforms_are_filled_in(tmp_path: Path) -> None:
    path = write_table(tmp_path / "gradebook.csv", GRADEBOOK)
    with marked_index(tmp_path, [("a", "Ada", {})]) as index:
        with pytest.raises(BadInput, match="`fill_in` is for moodle-worksheet, canvas, prairie"):
            marks_file(index, "xlsx", fill_in=path)
        path.write_text("a,b\n1,2\n")
        with pytest.raises(BadInput, match=r"gradebook.csv:1: no column Grade; there are: a, b"):
            marks_file(index, "moodle-worksheet", fill_in=path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty; download the file again"), (b"\n\n", "empty"),
        (b"a,b\n1,2,3\n", ":2: 3 cells, and 2 columns; download the file again"),
        (b'a,b\n"1,2\n', ":2: not CSV"), (b"PK\x03\x04\x00\xff", "grades.csv"),
    ],
)  # fmt: skip
def test_what_is_no_table_is_one_line(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "grades.csv"
    path.write_bytes(content)
    with marked_index(tmp_path, [("a", "Ada", {})]) as index, pytest.raises(BadInput, match=said):
        marks_file(index, "moodle-worksheet", fill_in=path)
    with pytest.raises(BadInput, match="can't be read"):
        read_sheet(tmp_path / "absent.csv")


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.binary(max_size=80) | st.text("a1,\"';\n\r=\0", max_size=40).map(str.encode))
def test_no_bytes_crash_it(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.mktemp("fuzz") / "grades.csv"
    path.write_bytes(content)
    try:
        sheet = read_sheet(path)
    except BadInput as error:
        assert str(path) in str(error)
    else:
        assert {len(row) for row in sheet.rows} <= {len(sheet.header)}
