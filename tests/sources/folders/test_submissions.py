"""Folders and zips become answers: whose each file is, and for which question."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.source_files import read, write, zipped

from searchkit.core.errors import BadInput
from searchkit.core.records import Answer
from searchkit.sources.files import FileOptions
from searchkit.sources.folders import members
from searchkit.sources.reader import read_rows


def people(answers: list[Answer]) -> set[tuple[str | None, str | None]]:
    return {(answer.question, answer.author) for answer in answers}


def folder(path: Path, names: str) -> Path:
    for name in names.split():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        write(path / name, f"text of {name}")
    return path


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ("task1/ann.txt task1/bob.txt", {("task1", "ann"), ("task1", "bob")}),
        ("q1/ann.txt q2/ann.txt", {("q1", "ann"), ("q2", "ann")}),
        ("loops/ann.txt loops/bob.txt sets/ann.txt",
         {("loops", "ann"), ("loops", "bob"), ("sets", "ann")}),
        ("ada.moss/x.txt ben.reed/y.txt", {(None, "ada.moss"), (None, "ben.reed")}),
        ("ann/x.txt bob/y.txt cat/z.txt", {(None, "ann"), (None, "bob"), (None, "cat")}),
        ("s1234567/a.py s1234568/b.py", {(None, "s1234567"), (None, "s1234568")}),
        ("ann/q1.txt ann/q2.txt bob/q1.txt bob/q2.txt",
         {("q1", "ann"), ("q2", "ann"), ("q1", "bob"), ("q2", "bob")}),
        ("ann/essay.txt bob/essay.txt", {(None, "ann"), (None, "bob")}),
        ("hw/q1/ann.txt hw/q2/bob.txt", {("hw/q1", "ann"), ("hw/q2", "bob")}),
        ("hw1/q1/ann/x.py hw1/q1/bob/y.py", {("hw1/q1", "ann"), ("hw1/q1", "bob")}),
        ("course/q1/ann.txt course/q2/bob.txt", {("q1", "ann"), ("q2", "bob")}),
        ("q1/ann/main.py q1/bob/main.py q2/ann/main.py",
         {("q1", "ann"), ("q1", "bob"), ("q2", "ann")}),
        ("ada_moss/q1/a.txt ben_reed/q2/b.txt", {("q1", "ada_moss"), ("q2", "ben_reed")}),
        ("all/ada_moss/a.txt all/ben_reed/b.txt", {(None, "ada_moss"), (None, "ben_reed")}),
        ("ann.txt bob.md", {(None, "ann"), (None, "bob")}),
        ("answer.txt", {(None, None)}),
        ("ada_essay.txt ben_essay.md cat_essay.txt", {(None, "ada"), (None, "ben"), (None, "cat")}),
        ("hw1-ada.txt hw1-ben.md hw1-cat.txt", {("hw1", "ada"), ("hw1", "ben"), ("hw1", "cat")}),
        ("hw1-ada/a.py hw1-ben-x/src/b.py hw1-cat/c.py",
         {("hw1", "ada"), ("hw1", "ben-x"), ("hw1", "cat")}),
        ("all/group-a/x.py all/group-b/x.py all/group-c/y.py",
         {(None, "group-a"), (None, "group-b"), (None, "group-c")}),
        ("ada/parser.py ada/lexer.py ben/parser.py ben/scan.py cat/p.py cat/tree.py",
         {(None, "ada"), (None, "ben"), (None, "cat")}),
        ("loops/ann.py loops/bob.py loops/cat.py sets/ann.py sets/bob.py",
         {("loops", "ann"), ("loops", "bob"), ("loops", "cat"), ("sets", "ann"), ("sets", "bob")}),
        ("task1/uploads/ada_moss_4711/a.txt task1/uploads/ben_4712/b.txt task1/uploads/x_y_475/c.md",  # noqa: E501
         {("task1", "ada_moss_4711"), ("task1", "ben_4712"), ("task1", "x_y_475")}),
        ("q1/ann/src/main.py q1/ann/test/test.py q1/ann/doc/x.md",
         {("q1/code", "ann"), ("q1/text", "ann")}),
        ("s_1.txt s_2.txt s_3.txt", {(None, "s_1"), (None, "s_2"), (None, "s_3")}),
        ("q1.txt q2.txt", {("q1", None), ("q2", None)}),
    ],
)  # fmt: skip
def test_names_say_who_and_what(tmp_path: Path, names: str, expected: set) -> None:
    assert people(read(folder(tmp_path, names))) == expected
    path = zipped(tmp_path / "a.zip", {name: b"x" for name in names.split()})
    assert people(read(path)) == expected


def test_a_folder_around_people_is_none_of_them_and_versions_are_attempts(tmp_path: Path) -> None:
    """Teams puts all of a class into one folder; they were one answer of one author."""
    files = {
        f"Submitted files/{person}/Essay 1/Version {version}/essay.txt": f"{person} {version}"
        for person, version in [("Ada Moss", 1), ("Ben Reed", 1), ("Ben Reed", 2), ("Cat Lee", 1)]
    }
    path = zipped(tmp_path / "a.zip", {name: text.encode() for name, text in files.items()})
    answers = read(path)
    assert [(a.id, a.text, a.meta) for a in answers] == [
        ("Essay 1/Ada Moss", "Ada Moss 1", {"version": "Version 1"}),
        ("Essay 1/Ben Reed", "Ben Reed 1", {"version": "Version 1"}),
        ("Essay 1/Ben Reed#2", "Ben Reed 2", {"version": "Version 2"}),
        ("Essay 1/Cat Lee", "Cat Lee 1", {"version": "Version 1"}),
    ]


def test_what_names_end_with_leaves_no_space_behind(tmp_path: Path) -> None:
    names = [f"{person} - Essay 2.txt" for person in ("Ada Moss", "Ben Reed", "Cat Lee")]
    answers = read(zipped(tmp_path / "a.zip", {name: b"x" for name in names}))
    assert people(answers) == {("Essay 2", p) for p in ("Ada Moss", "Ben Reed", "Cat Lee")}


@pytest.mark.parametrize(
    ("role", "expected"),
    [
        ("author", {(None, "loops"), (None, "sets")}),
        ("question", {("loops", "ann"), ("sets", "bob")}),
        ("none", {(None, "ann"), (None, "bob")}),
    ],
)
def test_what_folders_are_can_be_said(tmp_path: Path, role: str, expected: set) -> None:
    path = folder(tmp_path, "loops/ann.txt sets/bob.txt")
    assert people(list(read_rows([path], FileOptions(folder_is=role)))) == expected


def test_what_folders_were_taken_for_is_said(tmp_path: Path) -> None:
    lines = []
    path = folder(tmp_path / "course", "q1/ann.txt q2/ann.txt")
    on_layout = lambda file, layout, names: lines.append(f"{file}: {layout.describe(names)}")  # noqa: E731
    list(read_rows([path], FileOptions(), on_layout=on_layout))
    said = "folders: question; author: the file's name; questions: q1, q2; authors: ann; 2 files"
    assert lines == [f"{path}: {said}"]


def test_files_that_all_call_the_same_are_questions(tmp_path: Path) -> None:
    names = [f"{who}/{file}" for who in ("ada.moss", "ben.reed", "cat.lee")
             for file in ("report.md", "program.py")]  # fmt: skip
    answers = read(folder(tmp_path, " ".join(names)))
    assert len(answers) == 6
    assert {answer.question for answer in answers} == {"report", "program"}


def test_a_program_in_several_files_is_one_answer_beside_the_report(tmp_path: Path) -> None:
    names = "ada.moss/a.py ada.moss/b.py ada.moss/moss.md ben.reed/x.py ben.reed/reed.md"
    answers = {(a.author, a.question): a for a in read(folder(tmp_path, names))}
    assert set(answers) == {(who, what) for who in ("ada.moss", "ben.reed")
                            for what in ("code", "text")}  # fmt: skip
    whole = answers["ada.moss", "code"]
    assert whole.text == "text of ada.moss/a.py\n\ntext of ada.moss/b.py"
    assert whole.meta["files"] == "a.py, b.py"


def test_a_made_id_follows_from_question_and_author(tmp_path: Path) -> None:
    (answer,) = read(folder(tmp_path, "q1/ann.txt"))
    assert (answer.id, answer.has_made_id) == ("q1/ann", True)


def test_other_files_are_named(tmp_path: Path) -> None:
    folder(tmp_path, "q1/ann.txt q1/marks.csv q1/photo.jpg q1/dan.doc q1/ben.frob q1/cat")
    write(tmp_path / "q1" / "core", b"\x00\x01")
    skipped: list[str] = []
    answers = read(tmp_path, on_skip=skipped.append)
    assert {answer.author for answer in answers} == {"ann", "cat"}
    assert sorted(line.split(": ", 1)[1] for line in skipped) == [
        "a document that can't be read; save it as .docx or .pdf",
        "a table, not a text; name it by its own path",
        "not a text file",
        "not a text file by its name",
        "not a text file by its name",
    ]
    more = list(read_rows([tmp_path], FileOptions(suffixes=(".frob",))))
    assert "ben" in {answer.author for answer in more}


def test_a_damaged_document_is_left_out_and_named(tmp_path: Path) -> None:
    write(tmp_path / "ann.txt", "x")
    path = write(tmp_path / "bob.docx", b"PK\x03\x04")
    skipped: list[str] = []
    assert [a.author for a in read(tmp_path, on_skip=skipped.append)] == ["ann"]
    assert skipped[0].startswith(f"{path}: not a complete .docx file")
    bad: list = []
    assert [a.author for a in read(tmp_path, on_reject=bad.append)] == ["ann"]
    assert bad[0].source == str(path)
    with pytest.raises(BadInput, match=r"not a complete \.docx file"):
        read(path)


def test_a_single_document_is_an_answer(tmp_path: Path) -> None:
    (answer,) = read(write(tmp_path / "Ada Moss.md", "# Essay\n"))
    assert (answer.text, answer.author, answer.question) == ("# Essay\n", "Ada Moss", None)


def test_names_with_backslashes_of_windows(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", {"q1\\ann.txt": b"x", "q1\\bob.txt": b"y"})
    assert people(read(path)) == {("q1", "ann"), ("q1", "bob")}


def test_zips_that_students_hand_in_are_looked_into(tmp_path: Path) -> None:
    for name in ("ann", "bob"):
        files = {"src/a.py": name.encode(), f"src/{name}.py": b"x", "c.png": b""}
        zipped(tmp_path / f"{name}.zip", files)
    zipped(tmp_path / "cat.zip", {"deep.zip": (tmp_path / "ann.zip").read_bytes(), "a.py": b"z"})
    write(tmp_path / "broken.zip", b"PK")
    skipped: list[str] = []
    for path in (tmp_path, zip_all(tmp_path)):
        answers = read(path, on_skip=skipped.append)
        assert {a.author: a.text for a in answers} == {
            "ann": "ann\n\nx",
            "bob": "bob\n\nx",
            "cat": "z",
        }
        assert sum("a zip in a zip in another" in line for line in skipped) == 1
        assert sum("not a complete zip file" in line for line in skipped) == 1
        skipped.clear()


def zip_all(folder: Path) -> Path:
    target = folder.parent / "all.zip"
    return zipped(target, {path.name: path.read_bytes() for path in folder.iterdir()})


def test_zips_in_a_zip_have_one_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in "abcdef":
        zipped(tmp_path / f"{name}.zip", {"a.txt": b"word " * 100})
    path = zip_all(tmp_path)
    monkeypatch.setattr(members, "MAX_DOCUMENT_BYTES", 2_600)
    with pytest.raises(BadInput, match="unpacks to more than 2,600 bytes; unpack the zips in it"):
        read(path)


def test_a_table_with_tabs_is_no_document(tmp_path: Path) -> None:
    path = write(tmp_path / "export.txt", "id\ttext\n1\tone\n")
    with pytest.raises(BadInput, match=r"export.txt: a table with tabs\? say which: `format=tsv`"):
        read(path)
    assert [answer.id for answer in read(path, format="tsv")] == ["1"]
    assert [answer.author for answer in read(path, format="document")] == ["export"]
