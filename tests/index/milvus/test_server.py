"""Milvus: addresses, kills between any two writes, and a server that is killed in an ingest."""

from __future__ import annotations

import csv
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from helpers.encoder import ToyEncoder
from helpers.files import TESTS

from searchkit.core.errors import BadInput, IndexBusy, IndexNotFound, MissingExtra, StorageFailed
from searchkit.core.records import Answer, Passage
from searchkit.core.where import Where
from searchkit.index.ingest import ingest
from searchkit.index.locations import open_index, open_or_create, place_of
from searchkit.index.milvus.address import Address
from searchkit.index.milvus.client import Collection
from searchkit.index.milvus.index import MilvusIndex
from searchkit.index.milvus.rows import assemble_answers, make_rows
from searchkit.index.upkeep.verify import verify

OLD = [
    Answer("a", "first text"),
    Answer("b", "many words of an old text " * 20, "q1"),
    Answer("c", "", "q1"),
]
NEW = [
    Answer("a", "first text, changed"),
    Answer("b", "many words of a new and shorter text " * 9, "q2"),
    Answer("c", "no longer blank", "q1"),
    Answer("d", "a new one, and a long one " * 30, "q2", meta={"score": "5"}),
]


@pytest.fixture
def place(tmp_path: Path) -> str:
    return str(tmp_path / "corpus.db")


@pytest.mark.parametrize(
    ("written", "uri", "collection", "kind"),
    [
        ("milvus+http://host:19530/corpus", "http://host:19530", "corpus", "HNSW"),
        ("milvus+https://h/c_1?index=flat", "https://h", "c_1", "FLAT"),
        ("milvus+http://h:1/c?index=ivf_flat", "http://h:1", "c", "IVF_FLAT"),
        ("milvus+lite:/x/y.db", "/x/y.db", "corpus", "FLAT"),
        ("/x/y.db", "/x/y.db", "corpus", "FLAT"),
    ],
)
def test_an_address_is_read(written: str, uri: str, collection: str, kind: str) -> None:
    assert place_of(written) == written
    address = Address.read(written)
    assert (address.uri, address.collection, address.index_type) == (uri, collection, kind)
    assert Address.read(str(address)).uri == uri


@pytest.mark.parametrize(
    ("written", "match"),
    [
        ("milvus+http://host:19530", "write milvus"),
        ("milvus+http://host:19530/a-b", "write milvus"),
        ("milvus+ftp://host/a", "write milvus"),
        ("milvus+http://me:secret@host/a", "put the token into SEARCHKIT_MILVUS_TOKEN"),
        ("milvus+http://host/a?index=best", "index is one of flat, hnsw, ivf_flat, not BEST"),
        ("milvus+lite:file", r"ends in \.db"),
    ],
)
def test_an_invalid_address_is_refused(written: str, match: str) -> None:
    with pytest.raises(BadInput, match=match) as refused:
        Address.read(written)
    assert "secret" not in str(refused.value)


def test_a_folder_is_a_folder_whatever_it_is_called(tmp_path: Path) -> None:
    from searchkit import Index

    Index.create(tmp_path / "old.db", ToyEncoder()).close()
    assert place_of(str(tmp_path / "old.db")) == tmp_path / "old.db"
    assert place_of("index") == Path("index")
    for folder in (tmp_path / "old.db", str(tmp_path / "old.db")):
        assert isinstance(open_index(folder, encoder=ToyEncoder()), Index)
    assert isinstance(open_or_create(str(tmp_path / "new"), ToyEncoder()), Index)
    with pytest.raises(IndexNotFound, match="missing"):
        open_index(str(tmp_path / "missing"))


def test_whether_there_are_answers_is_told_without_reading_them(
    monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    with MilvusIndex.create(place, ToyEncoder()) as index:
        assert index.is_empty()
        index.add([Answer("a", "the loop", "q", "ann")])
        monkeypatch.setattr(MilvusIndex, "_scan", lambda *_: pytest.fail("all answers are read"))
        assert not index.is_empty()


def test_without_the_package_one_line_says_what_to_install(monkeypatch, place) -> None:
    monkeypatch.setitem(sys.modules, "pymilvus", None)
    with pytest.raises(MissingExtra, match=r"pip install 'searchkit\[milvus\]'"):
        MilvusIndex.create(place, ToyEncoder())


def test_a_server_that_does_not_answer_is_a_one_line_error() -> None:
    nowhere = Address.read("milvus+http://127.0.0.1:9/c")
    with pytest.raises(StorageFailed, match=r"milvus\+http://127.0.0.1:9/c: "):
        Collection.connect(nowhere, timeout=1.0)


def test_a_lite_file_that_another_process_has_open_is_busy(place) -> None:
    MilvusIndex.create(place, ToyEncoder()).close()
    code = f"""
from searchkit.index.milvus.index import MilvusIndex
index = MilvusIndex.open({place!r})
print("open", flush=True)
input()
"""
    other = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert other.stdout and other.stdout.readline() == "open\n"
    with pytest.raises(IndexBusy, match="another process has it open"):
        MilvusIndex.open(place)
    other.communicate("\n")
    MilvusIndex.open(place).close()


def test_rows_are_read_back_as_the_answer_that_they_are() -> None:
    answer = Answer("x", "é𝔘\0" * 40_000, "q", None, meta={"a": "b"})
    passages = [Passage(0, 3), Passage(3, 9)]
    vectors = np.eye(4, dtype=np.float32)[:2]
    rows = make_rows(answer, passages, [b"1" * 32, b"2" * 32], vectors, position=1, written=2)
    assert all(len(row["record"].encode()) < 65_536 for row in rows)
    (held,) = assemble_answers(reversed(rows)).values()
    assert (held.answer, held.passages) == (answer, passages)
    assert np.array_equal(held.vectors, vectors)
    assert assemble_answers(rows[1:]) == {}  # without its first row it is not there
    assert assemble_answers(rows[:-1]) == {}
    newer = make_rows(Answer("x", "new"), [], [], vectors[:0], position=1, written=3)
    (held,) = assemble_answers([*rows, *newer]).values()
    assert held.answer.text == "new"


@pytest.mark.model
def test_the_commands_work_on_a_file_of_lite_as_on_a_folder(
    tmp_path, place, monkeypatch, remembered: None
) -> None:
    from click.testing import CliRunner

    from searchkit.cli.app import main
    from searchkit.demo.corpus import DEMO_ANSWERS

    def run(*arguments: str, code: int = 0) -> str:
        result = CliRunner().invoke(main, [*arguments, "-q"])
        assert result.exit_code == code, (arguments, result.stderr)
        return result.stdout if code == 0 else result.stderr

    some = tmp_path / "some.csv"
    with DEMO_ANSWERS.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))[:60]
    with some.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    folder, copied = str(tmp_path / "index"), str(tmp_path / "copy.db")
    for where in (folder, place):
        assert '"added": 59' in run("ingest", str(some), "-i", where, "-f", "json")
        assert '"unchanged": 59' in run("ingest", str(some), "-i", where, "-f", "json")
    assert '"embedded": 0' in run("copy", folder, copied, "-f", "json")
    for command in (
        ["export"],
        ["query", "callbacks run later", "-f", "csv", "-n", "9"],
        ["query", "event loop", "--mode", "hybrid", "--where", "score < 5", "-f", "json"],
        ["mine", "-f", "csv"],
        ["plagiarism", "-f", "json", "--against", folder],
        ["plagiarism", "-f", "json"],
        ["compare", "q01-s01", "q01-s02", "-f", "json"],
        ["cluster", "-f", "json"],
        ["grade", "--column", "score", "-f", "json"],
        ["verify"],
        ["decisions", "-f", "json"],
    ):
        ours, theirs, its = (
            run(*command, "-i", where, code=1 if where in command else 0)
            for where in (place, folder, copied)
        )
        assert ours == its
        assert ours == theirs or folder in command
    assert "milvus_lite" in run("status", "-i", place)
    assert "rebuilt" in run("rebuild", "-i", place)
    assert run("delete", "--question", "q01", "-y", "-i", place).startswith("deleted ")
    assert "no answer 'q01-s01'" in run("delete", "q01-s01", "-y", "-i", place, code=1)
    refused = run("reindex", "--model", "x", "-i", place, code=1)
    assert f"reindex takes a folder; make one: searchkit copy {place} FOLDER" in refused
    monkeypatch.setenv("SEARCHKIT_INDEX", place)
    assert run("export").count("\n") < 59


class Killed(BaseException):
    """Raised in the place of a kill."""


@pytest.fixture
def kill_after(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Yield a list whose number is how many writes succeed before `Killed` is raised."""
    left = [10**9]
    call = Collection._call

    def counted(self, method, *arguments, **named):
        if method in ("upsert", "delete"):
            if not left[0]:
                raise Killed
            left[0] -= 1
        return call(self, method, *arguments, **named)

    monkeypatch.setattr(Collection, "_call", counted)
    monkeypatch.setattr("searchkit.index.milvus.client.WRITE_BATCH", 3)
    yield left


def state(index: MilvusIndex) -> dict[str, Answer]:
    held = {answer.id: answer for answer in index.answers()}
    (hits,) = index.search(["many words"], 99)
    assert {hit.answer.id for hit in hits} == {i for i, a in held.items() if a.text}
    assert all(hit.answer == held[hit.answer.id] for hit in hits)
    return held


@pytest.mark.crash
def test_killed_between_any_two_writes_each_answer_is_as_before_or_as_after(
    place, kill_after
) -> None:
    old, new = ({answer.id: answer for answer in some} for some in (OLD, NEW))
    with MilvusIndex.create(place, ToyEncoder()) as index:
        index.add(OLD)
    for writes in range(10**9):
        kill_after[0] = writes
        try:
            with MilvusIndex.open(place, write=True, encoder=ToyEncoder()) as index:
                ingest(index, NEW, on_duplicate="keep-last")
            finished = True
        except Killed:
            finished = False
        kill_after[0] = 10**9
        encoder = ToyEncoder()
        with MilvusIndex.open(place, write=True, encoder=encoder) as index:
            held = state(index)
            for name in new:
                assert held.get(name) in (old.get(name), new[name]), (writes, name)
            ingest(index, NEW, on_duplicate="keep-last")
            assert state(index) == new
            index.rebuild()
            assert verify(index) == []
            assert index._collection.count("part == 0") == len(new)
            index.remove(list(new))
            index.add(OLD)
            index.rebuild()
        if finished:
            break
    assert writes > 10  # places at which it was killed


@pytest.mark.crash
def test_an_ingest_into_lite_that_is_really_killed_goes_on(place) -> None:
    code = f"""
import sys
sys.path.insert(0, {str(TESTS)!r})
from helpers.encoder import ToyEncoder
from searchkit.index.ingest import ingest
from searchkit.index.milvus.index import MilvusIndex
from searchkit.core.records import Answer
with MilvusIndex.create({place!r}, ToyEncoder()) as index:
    def said(done, _):
        print(done, flush=True)
    ingest(index, (Answer(f"a{{n}}", f"answer number{{n}} " * 9) for n in range(400)), batch=20,
           progress=said)
"""
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    done = 0
    while done < 100:
        done = int(child.stdout.readline())
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()
    everything = [Answer(f"a{n}", f"answer number{n} " * 9) for n in range(400)]
    encoder = ToyEncoder()
    with MilvusIndex.open(place, write=True, encoder=encoder) as index:
        held = list(index.answers())
        assert done - 20 <= len(held) < 400
        assert held == everything[: len(held)]
        again = ingest(index, everything)
        assert (again.added, again.unchanged) == (400 - len(held), len(held))
        assert list(index.answers()) == everything
        index.rebuild()
        assert verify(index) == []


@pytest.mark.crash
def test_a_server_that_is_killed_in_an_ingest_loses_nothing_and_the_ingest_goes_on(
    server,
) -> None:
    place = f"milvus+{server.address}/killed"
    everything = [Answer(f"a{n}", f"answer number{n} " * 9, f"q{n % 3}") for n in range(2_000)]
    acknowledged = 0
    killer: list[threading.Thread] = []

    def kill_and_start() -> None:
        server.kill()
        time.sleep(3)
        server.start()

    def said(done: int, _: int) -> None:
        nonlocal acknowledged
        acknowledged = done
        if acknowledged >= 600 and not killer:
            killer.append(threading.Thread(target=kill_and_start))
            killer[0].start()

    with MilvusIndex.create(place, ToyEncoder()) as index:
        done = ingest(index, everything, batch=200, progress=said)
        killer[0].join()
        assert done.added == len(everything)
        assert list(index.answers()) == everything
        assert len(index) == index._collection.count("part == 0") == len(everything)
        assert verify(index) == []
        (hits,) = index.search(["answer number77"], 3, Where(question="q2"))
        assert hits[0].answer.id == "a77"
