"""What a task's repository holds for everybody is no answer; what somebody wrote there is one."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.source_files import read, zipped

PEOPLE = ["hw1-ada-moss", "hw1-benreed", "hw1-cleo99", "hw1-dee"]
TASK = "# Homework 1\n\nWrite a function that counts words.\n"
BADGE = "[![Open](https://classroom.github.com/a.svg)](https://classroom.github.com/ide?id={})\n"


def archive(path: Path, files: dict[str, str]) -> Path:
    return zipped(path / "hw1.zip", {name: text.encode() for name, text in files.items()})


def repositories(people: list[str], readme: str = TASK, name: str = "README.md") -> dict[str, str]:
    files = {f"{who}/{name}": readme for who in people}
    return files | {f"{who}/count.py": f"def count(text): return {who!r}\n" for who in people}


def texts(path: Path, **options: object) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for answer in read(path, **options):
        found.setdefault(f"hw1-{answer.author}", set()).add(answer.text)
    return found


@pytest.mark.parametrize("name", ["README.md", "Readme.txt", "README", "LICENSE"])
def test_a_file_that_all_repositories_have_is_no_answer(tmp_path: Path, name: str) -> None:
    skipped: list[str] = []
    files = repositories(PEOPLE, name=name)
    found = texts(archive(tmp_path, files), on_skip=skipped.append)
    assert found == {who: {files[f"{who}/count.py"]} for who in PEOPLE}
    where = tmp_path / "hw1.zip"
    assert skipped == [
        f"{where}/{who}/{name}: handed out, as 4 people have it alike" for who in PEOPLE
    ]


def test_badges_and_ends_of_lines_make_no_difference(tmp_path: Path) -> None:
    files = repositories(PEOPLE)
    files |= {f"{who}/README.md": BADGE.format(n) + TASK for n, who in enumerate(PEOPLE)}
    files["hw1-dee/README.md"] = BADGE.format(9) + TASK.replace("\n", "\r\n")
    found = texts(archive(tmp_path, files))
    assert all(len(answers) == 1 for answers in found.values())


def test_what_somebody_wrote_in_it_stays(tmp_path: Path) -> None:
    own = TASK + "\nI split the text at its blanks.\n"
    found = texts(archive(tmp_path, repositories(PEOPLE) | {"hw1-dee/README.md": own}))
    assert [own in found[who] for who in PEOPLE] == [False, False, False, True]
    assert not any(TASK in answers for answers in found.values())


@pytest.mark.parametrize(
    "files",
    [
        repositories(PEOPLE[:2]),  # two may have copied
        repositories(PEOPLE, "def a(): pass\n", "words.py"),  # and so may all, a program
        {f"{who}/README.md": TASK for who in PEOPLE},  # nothing else was handed in
        repositories(PEOPLE) | {"hw1-dee/README.md": "mine", "hw1-eve/README.md": "my own"},
    ],
    ids=["two", "program", "alone", "mixed"],
)
def test_what_may_be_an_answer_stays(tmp_path: Path, files: dict[str, str]) -> None:
    found = [answer.text for answer in read(archive(tmp_path, files))]
    assert sorted(text.strip() for text in found) == sorted(t.strip() for t in files.values())
