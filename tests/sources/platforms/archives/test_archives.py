"""Zips and folders as platforms make them: whose each file is, when and for which question."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.source_files import read, rejected, write, zipped

from searchkit.core.errors import BadInput
from searchkit.core.records import Answer
from searchkit.sources.files import FileOptions
from searchkit.sources.platforms.archives.archives import ARCHIVES
from searchkit.sources.reader import read_rows


def zip_of(path: Path, files: dict[str, str]) -> Path:
    return zipped(path, {name: text.encode() for name, text in files.items()})


def table(answers: list[Answer]) -> list[tuple[str | None, str | None, str]]:
    return [(answer.question, answer.author, answer.text) for answer in answers]


def test_moodle_folders(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "WEB1-Essay on CORS-4711.zip", {
        "Ada Moss_51001_assignsubmission_onlinetext/onlinetext.html": "<p>one &amp; two</p>",
        "Ben Reed_51002_assignsubmission_file/my essay.txt": "three",
        "Cat Lee_51003_assignsubmission_file_/essay.md": "four",
        "Ben Reed_51002_assignfeedback_file/marked.txt": "well done",
    })  # fmt: skip
    skipped: list[str] = []
    assert table(read(path, on_skip=skipped.append)) == [
        ("Essay on CORS", "Ada Moss", "one & two"),
        ("Essay on CORS", "Ben Reed", "three"),
        ("Essay on CORS", "Cat Lee", "four"),
    ]
    assert [line.split(": ")[1] for line in skipped] == ["a teacher's feedback"]


def test_moodle_without_folders_and_blind(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "WEB1-Essay-4711 (1).zip", {
        "Ada Moss_51001_assignsubmission_file_essay_v2.txt": "one",
        "Participant_51002_assignsubmission_onlinetext_onlinetext.html": "<p>two</p>",
        "Participant_51003_assignsubmission_onlinetext_onlinetext.html": "<p>three</p>",
    })  # fmt: skip
    assert table(read(path)) == [
        ("Essay", "Ada Moss", "one"),
        ("Essay", "Participant 51002", "two"),
        ("Essay", "Participant 51003", "three"),
    ]


def test_two_people_of_one_name_are_told_apart(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "hw.zip", {
        "Ada Moss_1_assignsubmission_file/a.txt": "one",
        "Ada Moss_2_assignsubmission_file/a.txt": "two",
    })  # fmt: skip
    assert {answer.author for answer in read(path)} == {"Ada Moss (1)", "Ada Moss (2)"}


def test_text_and_file_of_one_student_are_one_answer(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "WEB1-HW-1.zip", {
        "Ada Moss_1_assignsubmission_onlinetext/onlinetext.html": "<p>typed</p>",
        "Ada Moss_1_assignsubmission_file/moss.txt": "attached",
        "Ben Reed_2_assignsubmission_file/reed.txt": "other",
        "Ben Reed_2_assignsubmission_file/reed.py": "print(1)",
    })  # fmt: skip
    assert table(read(path)) == [
        ("HW/text", "Ada Moss", "attached\n\ntyped"),
        ("HW/code", "Ben Reed", "print(1)"),
        ("HW/text", "Ben Reed", "other"),
    ]


def test_canvas(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "submissions.zip", {
        "mossada_1001_7001_essay.txt": "one",
        "reedben_LATE_1002_7002_essay-1.txt": "two",
        "leecat_1003_text.html": "<p>three</p>",
        "finnfay_1004_link.html": "<a href='x'>x</a>",
        "anon_k3x9a_7005_essay.txt": "four",
        "anon_LATE_m4y8b_7006_essay.txt": "five",
    })  # fmt: skip
    skipped: list[str] = []
    answers = {answer.author: answer for answer in read(path, on_skip=skipped.append)}
    assert {author: answer.text for author, answer in answers.items()} == {
        "mossada": "one", "reedben": "two", "leecat": "three", "anon k3x9a": "four",
        "anon m4y8b": "five",
    }  # fmt: skip
    assert answers["reedben"].meta == {"user": "1002", "late": "yes"}
    assert [line.split(": ")[1] for line in skipped] == ["a link to a page, no answer"]


BLACKBOARD = """Name: {name} ({user})
Assignment: Essay 1
Date Submitted: Saturday, January 31, 2026 10:00:00 AM CET
Current Mark: Needs Marking

Submission Field:
{text}

Comments:
There are no student comments for this assignment.

Files:
\tOriginal filename: essay.txt
"""
NOTHING = "There is no student submission text data for this assignment."


def test_blackboard(tmp_path: Path) -> None:
    start = "Essay 1_am123_attempt_2026-01-31-10-00-00"
    again = "Essay 1_am123_attempt_2026-02-01-09-30-00"
    other = "Essay 1_br456_attempt_2026-01-30-08-00-00"
    path = zip_of(tmp_path / "gradebook.zip", {
        f"{start}.txt": BLACKBOARD.format(name="Ada Moss", user="am123", text=NOTHING),
        f"{start}_essay.txt": "first",
        f"{again}.txt": BLACKBOARD.format(name="Ada Moss", user="am123", text=NOTHING),
        f"{again}_essay.txt": "second",
        f"{other}.txt": BLACKBOARD.format(
            name="Ben Reed", user="br456", text="<p>typed &amp; sent</p>"
        ),
    })  # fmt: skip
    assert [(a.question, a.author, a.submitted_at, a.text) for a in read(path)] == [
        ("Essay 1", "Ada Moss", "2026-01-31 10:00:00", "first"),
        ("Essay 1", "Ada Moss", "2026-02-01 09:30:00", "second"),
        ("Essay 1", "Ben Reed", "2026-01-30 08:00:00", "typed & sent"),
    ]


def test_brightspace(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "Essay 1.zip", {
        "index.html": "<html>the list</html>",
        "120-4711 - Ada Moss - May 3, 2026 1000 AM/essay.txt": "one",
        "120-4711 - Ada Moss - May 4, 2026 216 PM/essay.txt": "two",
        "121-4712 - Jean-Luc Reed- 3 May, 2026 1000/essay.txt": "three",
        "122-4713 - Ada Moss - May 3, 2026 1000 AM/essay.txt": "four",
    })  # fmt: skip
    skipped: list[str] = []
    answers = read(path, on_skip=skipped.append)
    assert [(a.author, a.submitted_at, a.text) for a in answers] == [
        ("Ada Moss (4711)", "May 3, 2026 1000 AM", "one"),
        ("Ada Moss (4711)", "May 4, 2026 216 PM", "two"),
        ("Jean-Luc Reed", "3 May, 2026 1000", "three"),
        ("Ada Moss (4713)", "May 3, 2026 1000 AM", "four"),
    ]
    assert {answer.question for answer in answers} == {"Essay 1"}
    assert [line.split(": ")[1] for line in skipped] == [
        "not named as Brightspace names submissions"
    ]


GRADESCOPE = """
submission_123:
  :submitters:
  - :name: Ada Moss
    :sid: '51001'
    :email: ada@example.org
  :created_at: 2026-01-31 10:00:00.123456000 Z
  :score: 4.0
submission_124:
  :submitters:
  - :name: Ben Reed
  - :name: Cat Lee
"""


@pytest.mark.parametrize("top", ["", "assignment_9_export/"])
def test_gradescope(tmp_path: Path, top: str) -> None:
    files = {
        "submission_metadata.yml": GRADESCOPE,
        "submission_123/a.py": "one",
        "submission_124/b.py": "two",
        "submission_125/c.py": "three",
    }
    path = zip_of(tmp_path / "hw1.zip", {top + name: text for name, text in files.items()})
    skipped: list[str] = []
    answers = read(path, on_skip=skipped.append)
    assert table(answers) == [("hw1", "Ada Moss", "one"), ("hw1", "Ben Reed & Cat Lee", "two")]
    assert answers[0].meta == {"sid": "51001", "email": "ada@example.org"}
    assert (answers[0].submitted_at or "").startswith("2026-01-31 10:00:00")
    assert [line.split(": ")[1] for line in skipped] == [
        "not among the submissions of submission_metadata.yml", "the list of submissions",
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["[1", "- 1", "a: 1", "a: &x [*x]", "!!x y"])
def test_a_damaged_list_of_gradescope(tmp_path: Path, text: str) -> None:
    path = zip_of(tmp_path / "hw1.zip", {"submission_metadata.yml": text, "a/b.py": "x"})
    with pytest.raises(BadInput, match=r"hw1.zip/submission_metadata.yml: can't be read"):
        read(path)


def test_dolos(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "loops.zip", {
        "info.csv": "filename,full_name,label,created_at\na.js,Ada Moss,group 1,2026-01-31 10:00\n"
        "sub/b.js,Ben Reed,group 2,\n",
        "a.js": "one",
        "sub/b.js": "two",
        "c.js": "three",
    })  # fmt: skip
    skipped: list[str] = []
    answers = read(path, on_skip=skipped.append)
    assert [(a.author, a.submitted_at, a.text, a.meta["label"]) for a in answers] == [
        ("Ada Moss", "2026-01-31 10:00", "one", "group 1"),
        ("Ben Reed", None, "two", "group 2"),
    ]
    assert [line.split(": ")[1] for line in skipped] == ["not in info.csv", "the list of files"]


def test_a_platform_can_be_said(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "a.zip", {"Ada Moss_1_assignsubmission_file/a.txt": "x"})
    plain = list(read_rows([path], FileOptions(platform="plain")))
    assert [answer.author for answer in plain] == ["Ada Moss_1_assignsubmission_file"]
    author = list(read_rows([path], FileOptions(folder_is="author")))
    assert [answer.author for answer in author] == ["Ada Moss"]
    with pytest.raises(BadInput, match=r"not named as in a canvas-submissions export; its names"):
        read(path, platform="canvas-submissions")
    assert [a.author for a in read(path, platform="moodle-assignment")] == ["Ada Moss"]


def test_an_ordinary_folder_is_no_platforms(tmp_path: Path) -> None:
    for name in ("a_b.txt", "lab_1_2_final.txt", "lab_1_3_final.txt", "report_2026.md"):
        write(tmp_path / name, "x")
    lines: list[str] = []
    on_layout = lambda file, layout, names: lines.append(layout.describe(names))  # noqa: E731
    list(read_rows([tmp_path], FileOptions(), on_layout=on_layout))
    assert not any(
        line.startswith(archive.title) for line in lines for archive in ARCHIVES.values()
    )


def test_a_damaged_file_of_a_platform_is_rejected_by_its_name(tmp_path: Path) -> None:
    path = zipped(tmp_path / "WEB1-HW-1.zip", {
        "Ada Moss_1_assignsubmission_file/a.pdf": b"%PDF-1.4",
        "Ben Reed_2_assignsubmission_file/b.txt": b"fine",
    })  # fmt: skip
    answers, bad = rejected(path)
    assert [answer.author for answer in answers] == ["Ben Reed"]
    assert bad[0].source == f"{path}/Ada Moss_1_assignsubmission_file/a.pdf"
