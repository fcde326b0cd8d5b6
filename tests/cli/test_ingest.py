"""The command ingest: who updates whom, from which folder, and what is removed or only shown."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from helpers.cases import case
from helpers.files import TESTS
from helpers.serving import toy
from openpyxl import Workbook

from searchkit import Answer, Index
from searchkit.cli.app import main

__all__ = ["toy"]
pytestmark = pytest.mark.usefixtures("toy")


def run(*arguments: object, code: int = 0, stdin: str | None = None) -> Result:
    result = CliRunner().invoke(main, [str(a) for a in arguments], input=stdin)
    assert result.exit_code == code, (result.output, result.stderr, result.exception)
    assert "Traceback" not in result.output
    return result


def counts(*arguments: object, stdin: str | None = None) -> dict[str, Any]:
    return json.loads(run("ingest", *arguments, "-f", "json", stdin=stdin).stdout)


def refused(*arguments: object, stdin: str | None = None) -> str:
    return run("ingest", *arguments, code=1, stdin=stdin).stderr.splitlines()[-1]


def held(index: Path) -> dict[str, str]:
    with Index.open(index) as opened:
        return {answer.id: answer.text for answer in opened.answers()}


def answers(index: Path) -> list[Answer]:
    with Index.open(index) as opened:
        return list(opened.answers())


def table(path: Path, *rows: str) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(rows) + "\n", "utf-8")
    return path


DATA = TESTS / "data"
NAMED = "id,question,author,answer"
GROUP_A = ("1,q1,ann,The loop runs callbacks", "2,q1,bob,Timers fire later")
GROUP_B = ("1,q1,cat,Streams move chunks", "2,q1,dan,Promises hold values")
BARE = "id,answer"
BARE_A = ("1,The loop runs callbacks", "2,Timers fire later")
BARE_B = ("1,Streams move chunks", "2,Promises hold values")


# -- who updates whom ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "first", "second"), [(NAMED, GROUP_A, GROUP_B), (BARE, BARE_A, BARE_B)]
)
def test_the_same_command_in_another_folder_replaces_nobody(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    header: str,
    first: tuple[str, ...],
    second: tuple[str, ...],
) -> None:
    index = tmp_path / "i"
    monkeypatch.chdir(table(tmp_path / "a" / "responses.csv", header, *first).parent)
    assert counts("responses.csv", "-i", index)["added"] == 2
    assert counts("../a/responses.csv", "-i", index)["unchanged"] == 2
    table(tmp_path / "a" / "responses.csv", header, first[0] + " now", first[1])
    assert counts(tmp_path / "a" / "responses.csv", "-i", index)["updated"] == 1
    monkeypatch.chdir(table(tmp_path / "b" / "responses.csv", header, *second).parent)
    message = refused("responses.csv", "-i", index)
    assert message.startswith("searchkit: responses.csv:2: id '1' is taken by another answer")
    assert f"from {tmp_path}/a/responses.csv:2; give it its own id, or say --on-dup" in message
    assert list(held(index).values()) == ["The loop runs callbacks now", "Timers fire later"]
    both = counts("responses.csv", "-i", index, "--on-duplicate", "keep-both")
    assert (both["added"], both["kept_beside"]) == (2, 2)
    assert counts("responses.csv", "-i", index)["unchanged"] == 2
    assert len(held(index)) == 4


@pytest.mark.parametrize(
    ("header", "first", "second"), [(NAMED, GROUP_A, GROUP_B), (BARE, BARE_A, BARE_B)]
)
def test_standard_input_twice_replaces_nobody(
    tmp_path: Path, header: str, first: tuple[str, ...], second: tuple[str, ...]
) -> None:
    index, options = tmp_path / "i", ("--input-format", "csv")
    one, other = "\n".join([header, *first]), "\n".join([header, *second])
    assert counts("-", "-i", index, *options, stdin=one)["added"] == 2
    assert "-:2: id '1' is taken by another" in refused("-", "-i", index, *options, stdin=other)
    assert counts("-", "-i", index, *options, stdin=one)["unchanged"] == 2
    assert len(held(index)) == 2


def test_case_20_two_groups(tmp_path: Path) -> None:
    index = tmp_path / "i"
    for group in "AB":
        path = tmp_path / group / "responses.csv"
        path.parent.mkdir()
        path.write_bytes(case(f"20-group{group}.csv").read_bytes())
    run("ingest", tmp_path / "A" / "responses.csv", "-i", index)
    assert "id '1' is taken" in refused(tmp_path / "B" / "responses.csv", "-i", index)
    assert counts(tmp_path / "B" / "responses.csv", "-i", index, "--on-duplicate", "keep-both")
    assert sorted(answer.author or "" for answer in answers(index)) == ["ann", "bob", "cat", "dan"]


def test_case_21_marks_alone(tmp_path: Path) -> None:
    index = tmp_path / "i"
    run("ingest", case("20-groupA.csv"), "-i", index)
    before = held(index)
    done = counts(case("21-marks-only.csv"), "-i", index)
    assert (done["marks_matched"], done["marks_unmatched"], done["updated"]) == (2, 0, 2)
    assert [dict(answer.columns) for answer in answers(index)] == [{"score": "7"}, {"score": "5"}]
    assert held(index) == before
    assert counts(case("20-groupA.csv"), "-i", index)["unchanged"] == 2


def test_case_22_a_new_row_on_top(tmp_path: Path) -> None:
    index, path = tmp_path / "i", tmp_path / "form.csv"
    for day in ("monday", "tuesday"):
        path.write_bytes(case(f"22-form-{day}.csv").read_bytes())
        done = counts(path, "-i", index, "--author-column", "name")
    assert (done["added"], done["unchanged"], done["updated"]) == (1, 3, 0)
    assert {a.author for a in answers(index)} == {"Ada", "Ben", "Cleo", "Dan"}
    assert next(a.text for a in answers(index) if a.author == "Ada").startswith("Streams")


def test_case_19_a_second_attempt_is_kept(tmp_path: Path) -> None:
    index = tmp_path / "i"
    result = run("ingest", case("19-resubmit.csv"), "-i", index)
    assert "attempts" in result.stdout
    assert "1 further attempt by one author to one question; all are kept" in result.stdout
    assert len(held(index)) == 3
    assert counts(case("19-resubmit.csv"), "-i", index)["unchanged"] == 3


QUESTIONS = {
    "02-moodle-responses.csv": ["Response 1", "Response 2", "Response 3"],
    "04-google-forms.csv": ["What is the event loop", "Why can a Node.js", "What is CORS"],
    "05-ms-forms.xlsx": ["What is the event loop", "Why can a Node.js", "What is CORS"],
}


def test_case_27_what_was_written_stays(tmp_path: Path) -> None:
    index, path = tmp_path / "i", tmp_path / "quiz.csv"
    path.write_bytes(case("27-before.csv").read_bytes())
    run("ingest", path, "-i", index)
    with Index.open(index, write=True) as opened:
        opened.update_columns({"2": {"score": "5", "comment": "nearly"}, "3": {"score": "4"}})
    written = [{"score": "7"}, {"score": "5", "comment": "nearly"}, {"score": "4"}]
    assert counts(path, "-i", index)["unchanged"] == 3
    assert [dict(answer.columns) for answer in answers(index)] == written
    path.write_bytes(case("27-after.csv").read_bytes())
    done = counts(path, "-i", index)
    assert (done["updated"], done["unchanged"]) == (2, 1)
    assert [dict(answer.columns) for answer in answers(index)] == written
    assert done["warnings"] == [
        "column 'score': 2 answers with another value written here than in the file; the one "
        'written here counts ("file:score" is the other)'
    ]
    run("ingest", path, "-i", index, "--sync")
    assert [dict(answer.columns) for answer in answers(index)] == written


@pytest.mark.parametrize("keys", [(), ("--author-column", "Email")])
@pytest.mark.parametrize("name", QUESTIONS)
def test_cases_02_04_05_no_question_replaces_another(
    tmp_path: Path, name: str, keys: tuple[str, ...]
) -> None:
    """Each question's column by itself, as one would without knowing of wide tables."""
    if keys and name != "05-ms-forms.xlsx":
        keys = ("--author-column", "Email address" if name.startswith("02") else "Username")
    run("ingest", case(name), "-i", tmp_path / "all", "--wide")
    expected = set(held(tmp_path / "all").values())
    with Index.open(tmp_path / "all") as opened:
        columns = {answer.question: answer.columns["prompt"] for answer in opened.answers()}
    index = tmp_path / "i"
    for beginning in QUESTIONS[name]:
        column = next((p for p in columns.values() if p.startswith(beginning)), beginning)
        options = ("-i", index, "--text-column", column, *keys)
        run("ingest", case(name), *options, "--on-duplicate", "keep-both")
        count = len(held(index))
        assert counts(case(name), *options, "--on-duplicate", "keep-both")["added"] == 0
        assert len(held(index)) == count
    assert set(held(index).values()) >= expected
    if not name.startswith("02"):  # "Response 1" asks nothing
        assert {answer.question for answer in answers(index)} == columns.keys()


def test_marks_that_match_nothing_are_named(tmp_path: Path) -> None:
    index = tmp_path / "i"
    run("ingest", table(tmp_path / "a.csv", NAMED, *GROUP_A), "-i", index)
    marks = table(tmp_path / "marks.csv", "id,score", "1,7", "x,5")
    result = run("ingest", marks, "-i", index)
    assert f"1 row without a text not matched; the first is {marks}:3: no answer 'x'" in (
        result.stdout
    )
    rejects = tmp_path / "rejects.jsonl"
    run("ingest", marks, "-i", index, "--keep-going", "--rejects", rejects, code=1)
    (reject,) = map(json.loads, rejects.read_text("utf-8").splitlines())
    assert (reject["line"], reject["reason"]) == (3, "no answer 'x'")
    message = refused(table(tmp_path / "marks.csv", "id,score", "x,7"), "-i", index)
    assert "no row has a text, and none belongs to an answer of the index" in message
    assert "--text-column NAME" in message


def test_an_empty_cell_empties_a_text_only_when_told_so(tmp_path: Path) -> None:
    index, path = tmp_path / "i", tmp_path / "a.csv"
    run("ingest", table(path, NAMED + ",score", GROUP_A[0] + ",1", GROUP_A[1] + ",2"), "-i", index)
    table(path, NAMED + ",score", "1,q1,ann,,5", GROUP_A[1] + ",2")
    result = run("ingest", path, "-i", index)
    assert "texts kept" in result.stdout
    assert "1 answer empty in the file; the index keeps the text (--allow-empty empties it)" in (
        result.stdout
    )
    assert held(index)["1"] == "The loop runs callbacks"
    assert [answer.columns["score"] for answer in answers(index)] == ["5", "2"]
    run("ingest", path, "-i", index, "--allow-empty")
    assert held(index)["1"] == ""


def test_sheets_of_one_workbook_are_told_apart(tmp_path: Path) -> None:
    index, path, book = tmp_path / "i", tmp_path / "quiz.xlsx", Workbook()
    book.remove(book.active)
    for name, rows in {"loops": BARE_A, "streams": BARE_B}.items():
        sheet = book.create_sheet(name)
        for row in (BARE, *rows):
            sheet.append(row.split(","))
    book.save(path)
    run("ingest", path, "-i", index, "--sheet", "loops")
    assert f"is taken by another answer, from {path} (loops):2" in refused(
        path, "-i", index, "--sheet", "streams"
    )
    options = ("-i", index, "--sheet", "streams", "--on-duplicate", "keep-both", "--sync")
    done = counts(path, *options)
    assert (done["added"], done["removed"]) == (2, 0)
    assert counts(path, *options)["unchanged"] == 2
    book["streams"].delete_rows(3)
    book.save(path)
    assert counts(path, *options)["removed"] == 1
    assert set(held(index).values()) == {"The loop runs callbacks", "Timers fire later",
                                         "Streams move chunks"}  # fmt: skip


# -- sync and dry run ------------------------------------------------------------------------------


def test_sync_removes_what_the_file_no_longer_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index, path = tmp_path / "i", tmp_path / "a" / "responses.csv"
    run("ingest", table(path, NAMED, *GROUP_A), "-i", index)
    other = table(tmp_path / "b" / "responses.csv", NAMED, "7,q1,eve,Another file")
    run("ingest", other, "-i", index)
    table(path, NAMED, GROUP_A[0], "3,q1,fay,New")
    dry = run("ingest", path, "-i", index, "--sync", "--dry-run", "-f", "json")
    assert "would remove 1 answer that the files no longer have: 2" in dry.stderr
    assert {n: json.loads(dry.stdout)[n] for n in ("added", "unchanged", "removed")} == {
        "added": 1, "unchanged": 1, "removed": 1,
    }  # fmt: skip
    assert list(held(index)) == ["1", "2", "7"]
    monkeypatch.chdir(tmp_path / "b")
    done = run("ingest", "../a/./responses.csv", "-i", index, "--sync")
    assert "removing 1 answer that the files no longer have: 2" in done.stderr
    assert list(held(index)) == ["1", "7", "3"]
    assert all(b"Timers" not in file.read_bytes() for file in index.iterdir())
    assert counts(path, "-i", index, "--sync")["removed"] == 0


def test_sync_lists_the_first_ten(tmp_path: Path) -> None:
    index, path = tmp_path / "i", tmp_path / "a.csv"
    run("ingest", table(path, BARE, *(f"{n},text {n}" for n in range(13))), "-i", index)
    result = run("ingest", table(path, BARE, "0,text 0"), "-i", index, "--sync")
    assert "removing 12 answers that the files no longer have: 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 …" in (
        result.stderr
    )


def test_sync_removes_nothing_for_a_document_that_is_damaged_now(tmp_path: Path) -> None:
    folder, index = tmp_path / "essays", tmp_path / "index"
    folder.mkdir()
    (folder / "ann.html").write_text("<p>The first essay</p>")
    (folder / "bob.rtf").write_text(r"{\rtf1 The second essay}")
    assert counts(folder, "-i", index)["added"] == 2
    (folder / "bob.rtf").write_text("")
    assert "bob.rtf: no .rtf file by its beginning" in refused(folder, "-i", index, "--sync")
    assert set(held(index)) == {"ann", "bob"}


@pytest.mark.parametrize("kind", ["folder", "zip"])
def test_sync_of_a_folder_and_a_zip(tmp_path: Path, kind: str) -> None:
    index, path = tmp_path / "i", tmp_path / ("texts" if kind == "folder" else "texts.zip")

    def write(names: list[str]) -> None:
        if kind == "zip":
            with zipfile.ZipFile(path, "w") as archive:
                for name in names:
                    archive.writestr(name, f"A text in {name}")
            return
        for file in path.rglob("*.txt"):
            file.unlink()
        for name in names:
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            (path / name).write_text(f"A text in {name}", "utf-8")

    write(["q1/ann.txt", "q1/bob.txt", "q2/ann.txt"])
    run("ingest", path, "-i", index)
    write(["q1/ann.txt", "q2/ann.txt"])
    assert counts(path, "-i", index, "--sync")["removed"] == 1
    assert len(held(index)) == 2
    assert not any("bob" in text for text in held(index).values())


def test_sync_removes_nothing_after_a_bad_row(tmp_path: Path) -> None:
    index, path = tmp_path / "i", tmp_path / "a.csv"
    run("ingest", table(path, NAMED, *GROUP_A), "-i", index)
    table(path, NAMED, GROUP_A[0], "3,q1")
    run("ingest", path, "-i", index, "--sync", code=1)
    rejects = ("--rejects", tmp_path / "rejects.jsonl", "--keep-going")
    result = run("ingest", path, "-i", index, "--sync", *rejects, code=1)
    assert "nothing is removed, as some rows could not be used" in result.stdout
    table(path, NAMED, GROUP_A[0], "1,q1,zoe,Twice")
    run("ingest", path, "-i", index, "--sync", *rejects, code=1)
    table(path, NAMED)
    assert "no rows in it" in refused(path, "-i", index, "--sync")
    assert list(held(index)) == ["1", "2"]


def test_an_empty_file_beside_another_is_not_synced(tmp_path: Path) -> None:
    index, one = tmp_path / "i", table(tmp_path / "one.csv", NAMED, GROUP_A[0])
    two = table(tmp_path / "two.csv", NAMED, GROUP_A[1])
    run("ingest", one, two, "-i", index)
    table(two, NAMED)
    assert counts(one, two, "-i", index, "--sync")["removed"] == 0
    assert list(held(index)) == ["1", "2"]


def test_standard_input_cant_be_synced(tmp_path: Path) -> None:
    message = refused("-", "-i", tmp_path / "i", "--sync", stdin="id,text\n1,a\n")
    assert message == ("searchkit: standard input can't be synced; name files, or leave out --sync")


def test_a_dry_run_writes_nothing(tmp_path: Path) -> None:
    index, path = tmp_path / "i", table(tmp_path / "a.csv", NAMED, *GROUP_A)
    shown = counts(path, "-i", index, "--dry-run")
    assert (shown["added"], shown["embedded"]) == (2, 0)
    assert not index.exists()
    run("ingest", path, "-i", index)
    before = (index / "answers.db").read_bytes()
    marks = table(tmp_path / "marks.csv", "id,score", "1,7")
    shown = counts(path, marks, "-i", index, "--dry-run")
    assert (shown["unchanged"], shown["updated"], shown["marks_matched"]) == (2, 1, 1)
    table(path, NAMED, *GROUP_B, "3,q1,eve,New")
    rejects = tmp_path / "rejects.jsonl"
    result = run("ingest", path, "-i", index, "--dry-run", "--rejects", rejects, code=1)
    assert "2 rows could not be used; the first is" in result.stderr
    assert "a.csv:2: id '1' is taken by another answer" in result.stderr
    assert not rejects.exists()
    assert (index / "answers.db").read_bytes() == before


@pytest.mark.parametrize("version", [1, 2, 3, 4])
def test_a_dry_run_reads_indexes_of_earlier_formats(tmp_path: Path, version: int) -> None:
    index = shutil.copytree(DATA / f"format-{version}", tmp_path / "i")
    before = (index / "answers.db").read_bytes()
    path = table(tmp_path / "a.csv", "question,author,answer", "q1,zoe,Something new")
    assert counts(path, "-i", index, "--dry-run")["added"] == 1
    assert (index / "answers.db").read_bytes() == before


def test_a_dry_run_counts_as_the_ingest_does(tmp_path: Path) -> None:
    index, path = tmp_path / "i", tmp_path / "a.csv"
    header = "question,author,answer,score"
    run("ingest", table(path, header, "q1,ann,one,1", "q1,bob,two,2"), "-i", index)
    table(path, header, "q1,zoe,three,", "q1,Ann,one,3", "q1,bob,changed,2", "q1,zoe,four,")
    shown, done = counts(path, "-i", index, "--dry-run"), counts(path, "-i", index)
    for name in ("passages", "embedded", "seconds"):
        shown.pop(name), done.pop(name)
    assert shown == done
    assert (done["added"], done["updated"], done["attempts"]) == (2, 2, 1)
