"""Uploads: what may be sent, what is shown of it, what becomes of it, and that nothing stays."""

from __future__ import annotations

import csv
import gzip
import io
import os
import sqlite3
import tempfile
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from helpers.serving import HOSTILE, client_of, until, writer
from openpyxl import Workbook
from starlette.testclient import TestClient

from searchkit import Index
from searchkit.core.identity import make_id
from searchkit.web.uploads.store import MAX_REJECTS, MAX_UPLOADS


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def client(folder: Path, temporary: Path) -> Iterator[TestClient]:
    with client_of(folder, max_upload_bytes=5_000_000) as client:
        yield client
    assert list(temporary.iterdir()) == []  # after every test, whatever happened in it


def put(client: TestClient, name: str, body: bytes | str) -> Any:
    content = body.encode() if isinstance(body, str) else body
    return client.put("/api/uploads", params={"name": name}, content=content)


def ingested(client: TestClient, name: str, body: bytes | str, **said: Any) -> Any:
    """Upload and ingest a file; return the result of the job."""
    key = put(client, name, body).json()["id"]
    begun = client.post(f"/api/uploads/{key}", json=said)
    assert begun.status_code == 202, begun.text
    return client.get(f"/api/uploads/{key}", params={"wait": 20})


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


ROWS = "id,text,question,author\nn1,A new answer,q1,dora\nn2,Another one,q2,emil\n"


def test_a_file_is_previewed_and_ingested(
    client: TestClient, folder: Path, temporary: Path
) -> None:
    seen = put(client, "answers.csv", ROWS).json()
    assert len(seen.pop("id")) > 20
    assert seen == {
        "name": "answers.csv", "bytes": len(ROWS), "problem": None,
        "columns": ["id", "text", "question", "author"],
        "roles": {"id": "id", "text": "text", "question": "question", "author": "author"},
        "layout": "answers: text; id: id; question: question; author: author",
        "answers": [
            {"id": "n1", "question": "q1", "author": "dora", "text": "A new answer"},
            {"id": "n2", "question": "q2", "author": "emil", "text": "Another one"},
        ],
    }  # fmt: skip
    (path,) = files(temporary)
    if os.name == "posix":
        assert not path.parent.stat().st_mode & 0o077
        assert not temporary.joinpath(path.relative_to(temporary).parts[0]).stat().st_mode & 0o077
    done = ingested(client, "answers.csv", ROWS).json()
    assert done.pop("seconds") >= 0
    assert done == {
        "read": 2, "added": 2, "updated": 0, "unchanged": 0, "skipped": 0, "passages": 2,
        "embedded": 2, "rejected": 0, "rejects": [], "attempts": 0, "kept_beside": 0,
        "marks_matched": 0, "marks_unmatched": 0, "texts_kept": 0, "removed": 0, "warnings": [],
        "blank": 0, "blank_rows": [], "questions": ["q1", "q2"],
        "summary": "2 rows read: 2 added",
    }  # fmt: skip
    assert files(temporary) == [path]  # the one that waits
    with Index.open(folder) as index:
        assert [(a.source, a.line) for a in index.get(["n1", "n2"])] == [
            ("answers.csv", 2),
            ("answers.csv", 3),
        ]
    hits = client.get("/api/search", params={"q": "a new answer", "n": 1}).json()["hits"]
    assert hits[0]["id"] == "n1"


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/a.csv", "a.csv"), ("/etc/a.csv", "a.csv"), ("C:\\Users\\me\\a.csv", "a.csv"),
        ("..\\a.csv", "a.csv"), ("  a b.csv ", "a b.csv"), ("Prüfung.CSV", "Prüfung.CSV"),
        ("a.tar.csv", "a.tar.csv"), ("<b onclick=x>.csv", "<b onclick=x>.csv"),
        ("%2e%2e%2fa.csv", "%2e%2e%2fa.csv"), ("-rf.csv", "-rf.csv"), ("a.csv.gz", "a.csv.gz"),
        ("x" * 190 + ".csv", "x" * 190 + ".csv"),
    ],
)  # fmt: skip
def test_a_name_is_kept_without_its_folders(
    name: str, kept: str, client: TestClient, temporary: Path
) -> None:
    body: bytes | str = gzip.compress(ROWS.encode()) if kept.endswith("gz") else ROWS
    seen = put(client, name, body).json()
    assert (seen["name"], seen["problem"], len(seen["answers"])) == (kept, None, 2)
    (path,) = files(temporary)
    assert path.name == kept


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("", "not a kind of file that is read"), ("..", "not a kind of file that is read"),
        ("/", "not a kind of file"), ("a", "not a kind of file"), ("a.csv/", "it is kept"),
        (".csv", "not a kind of file"), ("a.exe", "a.exe: not a kind of file that is read: .csv"),
        ("a.frob", "not a kind of file"), ("a.pkl", "not a kind of file"),
        ("a.csv.exe", "not a kind of file"), ("a.gz", "not a kind of file"),
        ("a\0.csv", "name can't be used; rename it"), ("a\n.csv", "name can't be used"),
        ("a\u202evsc.csv", "name can't be used"), ("a\u200b.csv", "name can't be used"),
        ("a\x1b[31m.csv", "name can't be used"), ("x" * 197 + ".csv", "name can't be used"),
        ("ü" * 99 + ".csv", "name can't be used"),
    ],
)  # fmt: skip
def test_an_invalid_name_is_refused(
    name: str, said: str, client: TestClient, temporary: Path
) -> None:
    answer = put(client, name, ROWS)
    if said == "it is kept":
        assert answer.json()["name"] == "a.csv"
        return
    assert answer.status_code == 400
    assert said in answer.json()["error"]
    assert files(temporary) == []


def test_empty_and_too_large_files_are_not_kept(client: TestClient, temporary: Path) -> None:
    assert put(client, "a.csv", "").json() == {"error": "a.csv: the file is empty"}

    def pieces() -> Iterator[bytes]:
        for _ in range(60):
            yield b"x" * 100_000

    answer = client.put("/api/uploads?name=a.csv", content=pieces())
    assert (answer.status_code, answer.json()) == (413, {"error": "more than 5,000,000 bytes"})
    assert files(temporary) == []


def workbook(**sheets: list[list[Any]]) -> bytes:
    book = Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def database(tmp_path: Path, *tables: str) -> bytes:
    path = tmp_path / "made.sqlite"
    with sqlite3.connect(path) as connection:
        for table in tables:
            connection.execute(f"CREATE TABLE {table} (id, text)")
            connection.execute(f"INSERT INTO {table} VALUES ('{table}-1', 'A text in {table}')")
    connection.close()
    return path.read_bytes()


def bomb() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("q1/a.txt", "w") as inner:
            for _ in range(70):
                inner.write(b"\0" * (1 << 20))
    return out.getvalue()


@pytest.mark.parametrize("name", ["a.csv.gz", "a.json.gz", "a.xlsx.gz"])
def test_a_gz_that_would_burst_is_refused(client: TestClient, name: str) -> None:
    upload = put(client, name, gzip.compress(b"," * (20 << 20)))
    message = f"{name}: unpacks to more than 100 times its size; unpack it first if you trust it"
    assert upload.json()["problem"] == message
    key = upload.json()["id"]
    started = client.post(f"/api/uploads/{key}", json={})
    assert started.status_code == 202
    assert message in client.get(f"/api/uploads/{key}", params={"wait": 20}).text


def test_a_file_without_answers_is_reported(client: TestClient) -> None:
    assert "no rows in it" in ingested(client, "a.csv", "id,text\n").text
    assert "no rows in it" in ingested(client, "a.json", "[]").text


def test_unreadable_files_are_reported_without_their_path(
    client: TestClient, temporary: Path, tmp_path: Path
) -> None:
    two = {"one": [["id", "text"], ["a", "b"]], "two": [["id", "text"], ["c", "d"]]}
    for name, body, said in [
        ("a.csv", b"id,text\n1,caf\x81\xfe\x90\n", "byte"),
        ("a.csv", "id,title\n1,x\n", "a.csv"),
        ("a.json", '{"a": ', "a.json"),
        ("a.jsonl", "[1, 2", "a.jsonl"),
        ("a.xlsx", b"PK but no workbook", "a.xlsx"),
        ("a.xls", b"\xd0\xcf\x11\xe0 old", "a.xls"),
        ("a.parquet", b"PAR1 nothing", "a.parquet"),
        ("a.db", b"SQLite format 3\0 nothing", "a.db"),
        ("a.zip", b"PK nothing", "a.zip: not a complete zip file"),
        ("a.zip", bomb(), "a.zip"),
        ("a.csv.gz", b"\x1f\x8b nothing", "a.csv.gz: "),
        ("b.xlsx", workbook(**two), "b.xlsx: several sheets; choose one with `sheet=NAME`"),
        ("b.db", database(tmp_path, "t1", "t2"), "b.db: choose a table with `table=NAME`; "),
    ]:
        answer = put(client, name, body)
        assert answer.status_code == 200, (name, answer.text)
        seen = answer.json()
        assert said in seen["problem"], name
        assert seen["answers"] == []
        assert str(temporary) not in answer.text
        done = client.post(f"/api/uploads/{seen['id']}", json={})
        assert done.status_code == 202
        done = client.get(f"/api/uploads/{seen['id']}?wait=20")
        assert (done.status_code, done.json()) == (400, {"error": seen["problem"]})
        assert str(temporary) not in done.text


def test_a_sheet_a_table_and_an_encoding_can_be_named(client: TestClient, tmp_path: Path) -> None:
    two = {"one": [["id", "text"], ["a", "b"]], "two": [["id", "text"], ["c", "d"]]}
    for name, body, said, found in [
        ("b.xlsx", workbook(**two), {"sheet": "two"}, "d"),
        ("b.db", database(tmp_path, "t1", "t2"), {"table": "t2"}, "A text in t2"),
        ("b.csv", "id,text\n1,café\n".encode("cp1252"), {"encoding": "cp1252"}, "café"),
    ]:
        key = put(client, name, body).json()["id"]
        seen = client.post(f"/api/uploads/{key}/look", json=said).json()
        assert (seen["problem"], seen["answers"][0]["text"]) == (None, found)
        for wrong in ("nothing", "zlib_codec", "\0", "../x"):
            answer = client.post(f"/api/uploads/{key}/look", json=dict.fromkeys(said, wrong))
            assert answer.status_code == 200
            assert f"no {next(iter(said))}" in answer.json()["problem"]
        client.post(f"/api/uploads/{key}", json=said)
        assert client.get(f"/api/uploads/{key}?wait=20").json()["added"] == 1


def test_what_the_columns_were_taken_for_is_told_and_a_wide_sheet_is_read(
    client: TestClient,
) -> None:
    rows = (
        "First name,Last name,What is a loop?,Why does it end?\n"
        "Ada,Moss,It runs the callbacks that wait,There is no work left for it\n"
        "Ben,Reed,A queue of functions to be called,Nobody calls it any more\n"
    )
    seen = put(client, "a.csv", rows).json()
    assert "where each of them is a question, say `wide=True`" in seen["problem"]
    seen = client.post(f"/api/uploads/{seen['id']}/look", json={"wide": True}).json()
    assert seen["layout"] == (
        "2 questions, answers: What is a loop?, Why does it end?; author: First name + Last name; "
        "other columns: First name, Last name"
    )
    assert [(a["author"], a["question"]) for a in seen["answers"]][:2] == [
        ("Ada Moss", "What is a loop?"),
        ("Ada Moss", "Why does it end?"),
    ]
    client.post(f"/api/uploads/{seen['id']}", json={"wide": True})
    assert client.get(f"/api/uploads/{seen['id']}?wait=20").json()["added"] == 4


def test_the_only_column_with_answers_is_named_and_nothing_is_said_of_wide_sheets(
    client: TestClient,
) -> None:
    rows = "Nr;What the pupil wrote;Pts.\n1;It runs the callbacks that wait for it;2\n"
    seen = put(client, "a.csv", rows).json()
    assert seen["problem"].endswith(
        "What the pupil wrote looks like answers: name it with `text=NAME`"
    )


def test_columns_can_be_chosen(client: TestClient, folder: Path) -> None:
    rows = "nr,response,remark,id\n1,The answer,A remark,x\n2,Another,,y\n"
    seen = put(client, "a.csv", rows).json()
    assert seen["roles"]["text"] == "response"
    said = {"text": "remark", "id": "nr"}
    seen = client.post(f"/api/uploads/{seen['id']}/look", json=said).json()
    assert (seen["roles"]["text"], seen["roles"]["id"]) == ("remark", "nr")
    assert [one["id"] for one in seen["answers"]] == ["1", "2"]
    wrong = client.post(f"/api/uploads/{seen['id']}/look", json={"text": "nothing"}).json()
    assert "nothing" in wrong["problem"]
    assert "nr, response, remark, id" in wrong["problem"]
    client.post(f"/api/uploads/{seen['id']}", json=said)
    assert client.get(f"/api/uploads/{seen['id']}?wait=20").json()["added"] == 2
    with Index.open(folder) as index:
        assert index.get(["1"])[0].text == "A remark"


def test_texts_in_a_zip_keep_their_names(client: TestClient, folder: Path, temporary: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("q1/dora.txt", "The first text")
        archive.writestr("../evil.txt", "Above")
        archive.writestr("q2/emil.txt", b"\0 binary \xff")
    done = ingested(client, "texts.zip", out.getvalue(), keep_going=True)
    assert str(temporary) not in done.text
    assert done.json()["added"] == 1
    with Index.open(folder) as index:
        assert index.get(["q1/dora"])[0].source == "texts.zip/q1/dora.txt"
    assert not (temporary.parent / "evil.txt").exists()


def test_made_ids_follow_from_the_texts(client: TestClient, folder: Path) -> None:
    assert ingested(client, "week 3.csv", "text\nOne\nTwo\n").json()["added"] == 2
    with Index.open(folder) as index:
        made = [answer.id for answer in index.answers() if answer.source == "week 3.csv"]
    assert made == [make_id(None, None, "One"), make_id(None, None, "Two")]


def test_bad_rows_stop_ingestion_or_are_listed(
    client: TestClient, folder: Path, temporary: Path
) -> None:
    rows = "id,text\nb1,Good\nb2,too,many,cells\nb1,Twice\na1,Taken\nb3,Good too\n"
    stopped = ingested(client, "a.csv", rows)
    assert stopped.status_code == 400
    assert stopped.json()["error"].startswith("a.csv:3: ")
    with Index.open(folder) as index:
        assert len(index) == 6
    done = ingested(client, "a.csv", rows, keep_going=True).json()
    assert (done["read"], done["added"], done["rejected"]) == (4, 2, 3)
    lines = {one["line"]: one["reason"] for one in done["rejects"]}
    assert sorted(lines) == [3, 4, 5]
    assert "stands already at a.csv:2" in lines[4]
    assert "is taken by another answer" in lines[5]
    many = "id,text\n" + "x,1,2\n" * (MAX_REJECTS + 50)
    done = ingested(client, "b.csv", many, keep_going=True).json()
    assert (done["rejected"], len(done["rejects"])) == (MAX_REJECTS + 50, MAX_REJECTS)


@pytest.mark.parametrize(
    ("policy", "text", "counts"),
    [("keep-first", "First", (1, 1)), ("keep-last", "Second", (1, 1))],
)
def test_duplicate_ids_are_handled_as_chosen(
    policy: str, text: str, counts: tuple[int, int], client: TestClient, folder: Path
) -> None:
    rows = "id,text\nd1,First\nd1,Second\n"
    refused = ingested(client, "a.csv", rows).json()["error"]
    assert refused.startswith("a.csv:3: id 'd1' stands already at a.csv:2")
    done = ingested(client, "a.csv", rows, on_duplicate=policy).json()
    assert (done["added"], done["skipped"]) == counts
    with Index.open(folder) as index:
        assert index.get(["d1"])[0].text == text
    assert put(client, "a.csv", rows).status_code == 200
    key = put(client, "a.csv", rows).json()["id"]
    assert client.post(f"/api/uploads/{key}", json={"on_duplicate": "x"}).status_code == 422


NAMED = "id,question,author,answer\n"


@pytest.mark.parametrize(
    ("header", "ours", "theirs"),
    [(NAMED, "1,q,dora,Ours\n", "1,q,emil,Theirs\n"), ("id,answer\n", "1,Ours\n", "1,Theirs\n")],
)
def test_two_uploads_of_one_name_replace_nobody(
    header: str, ours: str, theirs: str, client: TestClient, folder: Path
) -> None:
    assert ingested(client, "responses.csv", header + ours).json()["added"] == 1
    refused = ingested(client, "responses.csv", header + theirs)
    assert refused.status_code == 400
    assert "responses.csv:2: id '1' is taken by another answer" in refused.json()["error"]
    assert "`on_duplicate=keep-both`" in refused.json()["error"]
    both = ingested(client, "responses.csv", header + theirs, on_duplicate="keep-both").json()
    assert (both["added"], both["kept_beside"], len(both["warnings"])) == (1, 1, 1)
    assert ingested(client, "responses.csv", header + ours).json()["unchanged"] == 1
    with Index.open(folder) as index:
        assert [answer.text for answer in index.get(["1", "1#2"])] == ["Ours", "Theirs"]


def test_marks_alone_are_shown_and_taken_over(client: TestClient, folder: Path) -> None:
    marks = "id,remark\na1,well done\nx,nobody\n"
    seen = put(client, "marks.csv", marks).json()
    assert seen["problem"] is None
    assert seen["answers"][0] == {"id": "a1", "text": "", "remark": "well done"}
    assert "only columns of answers" in seen["layout"]
    done = ingested(client, "marks.csv", marks).json()
    assert (done["marks_matched"], done["marks_unmatched"], done["updated"]) == (1, 1, 1)
    assert done["warnings"] == [
        "1 row without a text not matched; the first is marks.csv:3: no answer 'x'"
    ]
    done = ingested(client, "marks.csv", marks, keep_going=True).json()
    assert done["rejects"] == [{"line": 3, "reason": "no answer 'x'"}]
    with Index.open(folder) as index:
        assert index.get(["a1"])[0].meta["remark"] == "well done"
    error = ingested(client, "marks.csv", "id,remark\nx,nobody\n").json()["error"]
    assert "marks.csv:2: no answer 'x'" in error


def test_an_empty_cell_empties_a_text_only_when_told_so(client: TestClient, folder: Path) -> None:
    ingested(client, "a.csv", NAMED + "1,q,dora,Ours\n")
    done = ingested(client, "a.csv", NAMED + "1,q,dora,\n").json()
    assert (done["texts_kept"], done["unchanged"]) == (1, 1)
    assert "`allow_empty` empties it" in done["warnings"][0]
    assert ingested(client, "a.csv", NAMED + "1,q,dora,\n", allow_empty=True).json()["updated"] == 1


def test_what_could_not_be_added_can_be_tried_again(
    client: TestClient, folder: Path, temporary: Path
) -> None:
    key = put(client, "a.csv", ROWS).json()["id"]
    with writer(folder):
        client.post(f"/api/uploads/{key}", json={})
        busy = client.get(f"/api/uploads/{key}?wait=20")
    assert busy.status_code == 503
    assert "being written by process" in busy.json()["error"]
    assert client.get("/api/status").json()["answers"] == 6
    assert client.post(f"/api/uploads/{key}", json={}).status_code == 202
    assert client.get(f"/api/uploads/{key}?wait=20").json()["added"] == 2
    assert files(temporary) == []


def test_a_refused_row_is_corrected_by_another_choice(client: TestClient) -> None:
    rows = "id,text,question,author\nn1,One answer,q1,dora\nn1,Another answer,q2,emil\n"
    key = put(client, "a.csv", rows).json()["id"]
    client.post(f"/api/uploads/{key}", json={})
    refused = client.get(f"/api/uploads/{key}?wait=20")
    assert refused.status_code == 400
    assert "`on_duplicate=keep-first`" in refused.json()["error"]
    client.post(f"/api/uploads/{key}", json={"on_duplicate": "keep-both"})
    assert client.get(f"/api/uploads/{key}?wait=20").json()["added"] == 2


def test_a_check_tells_what_adding_would_do(client: TestClient, temporary: Path) -> None:
    rows = (
        "id,text,question,author\nn1,A new answer,q1,dora\nn2,,q1,emil\nn1,Another one,q2,fred\n"
        "q1-0,Something else now,q1,s1\n"
    )
    key = put(client, "a.csv", rows).json()["id"]
    seen = client.post(f"/api/uploads/{key}/check?wait=20", json={}).json()
    assert (seen["read"], seen["blank"], seen["blank_rows"]) == (4, 1, ["line 3"])
    assert seen["questions"] == ["q1", "q2"]
    assert seen["rejected"] == 1
    assert seen["rejects"][0]["line"] == 4
    assert "n1" in seen["rejects"][0]["reason"]
    assert str(temporary) not in str(seen)
    assert client.get("/api/status").json()["answers"] == 6
    kept = client.post(
        f"/api/uploads/{key}/check?wait=20", json={"on_duplicate": "keep-both"}
    ).json()
    assert (kept["rejected"], kept["added"]) == (0, seen["added"] + 1)
    assert "read" in kept["summary"]
    assert files(temporary) != []  # it can still be added


def test_what_the_log_says_of_a_file_is_told_too(client: TestClient) -> None:
    average = ROWS + "n3,A third,q1,fred\n,,,Overall average\n"
    key = put(client, "quiz.csv", average).json()["id"]
    seen = client.post(f"/api/uploads/{key}/check?wait=20", json={}).json()
    (warning,) = seen["warnings"]
    assert warning == "quiz.csv: rows that are no person's, left out: line 5 ('Overall average')"
    assert seen["added"] == 3
    done = ingested(client, "again.csv", average).json()
    assert done["warnings"] == [warning.replace("quiz", "again")]


def test_a_check_of_a_file_that_is_not_read_tells_why(client: TestClient) -> None:
    key = put(client, "a.json", '{"a": ').json()["id"]
    seen = client.post(f"/api/uploads/{key}/check?wait=20", json={})
    assert seen.status_code == 400
    assert seen.json()["error"].startswith("a.json")


def test_a_file_is_ingested_only_once(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    leave = threading.Event()
    monkeypatch.setattr("searchkit.web.uploads.store.count_rows", lambda _: leave.wait(10))
    key = put(client, "a.csv", ROWS).json()["id"]
    waits = client.get(f"/api/uploads/{key}")
    assert (waits.status_code, waits.json()) == (400, {"error": "a.csv hasn't been confirmed yet"})
    assert client.post(f"/api/uploads/{key}", json={}).status_code == 202
    for path in (f"/api/uploads/{key}", f"/api/uploads/{key}/look"):
        again = client.post(path, json={})
        assert again.json() == {"error": "a.csv is on its way into the index already"}
    assert client.get(f"/api/uploads/{key}").status_code == 202
    leave.set()
    assert client.get(f"/api/uploads/{key}?wait=20").json()["added"] == 2
    assert client.get(f"/api/uploads/{key}").json()["added"] == 2  # whoever asks again


def test_progress_counts_rows(client: TestClient) -> None:
    key = put(client, "a.csv", ROWS).json()["id"]
    client.post(f"/api/uploads/{key}", json={})
    state = client.app_state.uploads.get(key)  # type: ignore[attr-defined]
    until(lambda: state.job.has_finished)
    assert (state.job.done, state.job.total) == (2, 2)


def test_other_files_cannot_be_read(client: TestClient) -> None:
    for key in ("nothing", "..", "%2e%2e", "a" * 500):
        for answer in (
            client.get(f"/api/uploads/{key}"), client.post(f"/api/uploads/{key}", json={}),
        ):  # fmt: skip
            assert answer.status_code in (404, 405)
            assert "Traceback" not in answer.text


def test_the_number_and_the_age_of_uploads_are_limited(client: TestClient, temporary: Path) -> None:
    keys = [put(client, f"{n}.csv", ROWS).json()["id"] for n in range(MAX_UPLOADS + 3)]
    assert len(files(temporary)) == MAX_UPLOADS
    gone = client.post(f"/api/uploads/{keys[2]}/look", json={})
    assert gone.status_code == 404
    assert gone.json() == {"error": "there is no such upload any more; send the file again"}
    assert client.post(f"/api/uploads/{keys[3]}/look", json={}).status_code == 200
    client.app.state.uploads.confirmation_timeout = -1.0
    assert client.post(f"/api/uploads/{keys[3]}/look", json={}).status_code == 404
    assert files(temporary) == []


def test_a_full_disk_is_reported(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    put(client, "first.csv", ROWS)
    monkeypatch.setattr(Path, "mkdir", full)
    answer = put(client, "a.csv", ROWS)
    assert answer.status_code == 507
    assert answer.json() == {"error": "a.csv: can't be kept (No space left on device)"}


def test_a_deleted_temporary_folder_is_recreated(client: TestClient, temporary: Path) -> None:
    import shutil

    first = put(client, "a.csv", ROWS).json()["id"]
    for path in temporary.iterdir():
        shutil.rmtree(path)
    look = client.post(f"/api/uploads/{first}/look", json={})
    assert look.json()["problem"] == "a.csv: no such file"
    assert put(client, "a.csv", ROWS).status_code == 200


def test_formulas_and_hostile_texts_stay_texts(client: TestClient, folder: Path) -> None:
    out = io.StringIO()
    csv.writer(out).writerows([["id", "text", "=HYPERLINK(1)"], [HOSTILE, HOSTILE, "=1+1"]])
    assert ingested(client, "a.csv", out.getvalue()).json()["added"] == 1
    page = client.get("/answer", params={"id": HOSTILE})
    assert page.status_code == 200
    assert "<script>alert" not in page.text
    with Index.open(folder) as index:
        assert index.get([HOSTILE])[0].meta == {"=HYPERLINK(1)": "=1+1"}
