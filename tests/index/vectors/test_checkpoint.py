"""A FAISS file is used only if it is exactly what was written; else the rows are read."""

from __future__ import annotations

import hashlib
import threading
from io import BufferedReader
from pathlib import Path

import pytest
from helpers.encoder import ToyEncoder

from searchkit import Answer, Index
from searchkit.index.query import query
from searchkit.index.storage.store import AnswerStore
from searchkit.index.upkeep.verify import verify
from searchkit.index.vectors.vector_index import VectorIndex


@pytest.fixture
def folder(tmp_path: Path, answers: list[Answer]) -> Path:
    with Index.create(tmp_path / "i", ToyEncoder()) as index:
        index.add(answers)
    return tmp_path / "i"


def hits(folder: Path) -> list:
    with Index.open(folder, encoder=ToyEncoder()) as index:
        return index.search(["event loop callbacks"], 9)[0]


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def zero_a_page(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[64:128] = bytes(64)
    path.write_bytes(data)


def foreign(path: Path) -> None:
    other = VectorIndex(32)
    path.unlink()
    other.save(path)


def missing(path: Path) -> None:
    path.unlink()


@pytest.mark.parametrize("damage", [flip, truncate, zero_a_page, foreign, missing])
def test_a_damaged_file_is_reported_ignored_and_rebuilt(folder, damage, caplog) -> None:
    expected = hits(folder)
    damage(folder / "vectors-1.faiss")
    assert hits(folder) == expected
    assert "vectors-1.faiss" in caplog.text
    assert "run: searchkit rebuild" in caplog.text
    with Index.open(folder, write=True, encoder=ToyEncoder()) as index:
        assert any("vectors-1.faiss" in problem for problem in verify(index))
        index.rebuild()
        problems = verify(index)
    set_aside = [path.name for path in folder.glob("*.damaged")]
    assert set_aside == ([] if damage is missing else ["vectors-1.faiss.damaged"])
    assert len(problems) == len(set_aside)  # it is told that the file may be deleted
    caplog.clear()
    assert hits(folder) == expected
    assert not caplog.text


def test_a_foreign_faiss_file_is_never_opened_nor_deleted(folder: Path) -> None:
    stranger = folder / "mine.faiss"
    stranger.write_bytes(b"not ours")
    with Index.open(folder, write=True, encoder=ToyEncoder()) as index:
        index.rebuild()
        index.remove(["a1"])
        assert verify(index) == []
    assert stranger.read_bytes() == b"not ours"


def test_a_checkpoint_is_written_when_the_old_one_is_outgrown(folder: Path, monkeypatch) -> None:
    with Index.open(folder, write=True, encoder=ToyEncoder()) as index:
        index.add([Answer("x", "one more answer")])
    assert [p.name for p in folder.glob("*.faiss")] == ["vectors-1.faiss"]
    with Index.open(folder, write=True, encoder=ToyEncoder()) as index:
        index.add([Answer(f"y{n}", f"text{n}") for n in range(10_001)])
    assert [p.name for p in folder.glob("*.faiss")] == ["vectors-2.faiss"]
    with Index.open(folder, encoder=ToyEncoder()) as index:
        assert index.checkpoints.table.current().count == 10_007


def test_rows_of_the_file_that_differ_from_the_table_are_counted(folder: Path) -> None:
    with Index.open(folder, write=True, encoder=ToyEncoder()) as index:
        (key, vector) = index.store.db.execute("SELECT key, vector FROM vectors").fetchone()
        turned = bytes(vector[2:]) + bytes(vector[:2])
        index.store.db.execute("UPDATE vectors SET vector = ? WHERE key = ?", [turned, key])
        assert any("1 vectors of the FAISS file are not the table's" in p for p in verify(index))


def test_a_reader_keeps_the_file_that_a_writer_replaces(folder: Path, caplog) -> None:
    with Index.open(folder, encoder=ToyEncoder()) as before:
        wanted = before.search(["anything"], 5)
    with Index.open(folder, encoder=ToyEncoder()) as reader:
        with Index.open(folder, write=True, encoder=ToyEncoder()) as writer:
            writer.add([Answer("new", "Added meanwhile")])
            writer.rebuild()
        assert reader.search(["anything"], 5) == wanted
    assert "read from the database" not in caplog.text


def test_a_file_that_is_replaced_while_a_reader_opens(folder: Path, monkeypatch, caplog) -> None:
    read, states = AnswerStore.read, []

    def read_and_be_overtaken(path: Path) -> AnswerStore:
        states.append(read(path))
        if len(states) <= 3:
            with Index.open(folder, write=True, encoder=ToyEncoder()) as writer:
                writer.add([Answer(f"new{len(states)}", "Added meanwhile")])
                writer.rebuild()
        return states[-1]

    monkeypatch.setattr(AnswerStore, "read", read_and_be_overtaken)
    with Index.open(folder, encoder=ToyEncoder()) as reader:
        assert "new3" in reader.ids()
        assert reader.search(["Added meanwhile"], 1)[0][0].score > 0.99
    assert "read from the database" not in caplog.text


def test_a_file_that_is_replaced_between_its_hash_and_its_mapping(
    folder: Path, monkeypatch
) -> None:
    load = VectorIndex.load

    def load_later(file: BufferedReader) -> VectorIndex:
        path = Path(file.name)
        path.replace(path.with_name("elsewhere"))
        path.write_bytes(b"another file of this name")
        return load(file)

    monkeypatch.setattr(VectorIndex, "load", load_later)
    with Index.open(folder, encoder=ToyEncoder()) as reader:
        assert reader.search(["anything"], 1)[0]


def test_a_file_is_hashed_beside_other_work(folder: Path, monkeypatch) -> None:
    threads = []
    digest = hashlib.file_digest

    def file_digest(file: BufferedReader, name: str) -> object:
        threads.append(threading.current_thread())
        return digest(file, name)

    expected = hits(folder)
    monkeypatch.setattr(hashlib, "file_digest", file_digest)
    with Index.open(folder, encoder=ToyEncoder()) as reader:
        assert query(reader, ["event loop callbacks"], 9)[0] == expected
        query(reader, ["again"])
    (thread,) = threads
    assert thread is not threading.main_thread()


@pytest.mark.parametrize("damage", [flip, zero_a_page])
def test_a_file_that_is_damaged_before_it_is_hashed_beside_other_work(
    folder: Path, damage, caplog
) -> None:
    expected = hits(folder)
    damage(folder / "vectors-1.faiss")
    with Index.open(folder, encoder=ToyEncoder()) as reader:
        assert query(reader, ["event loop callbacks"], 9)[0] == expected
        assert "its SHA-256 is not the recorded one" in caplog.text


def test_a_file_is_hashed_again_by_each_check(folder: Path) -> None:
    with Index.open(folder, encoder=ToyEncoder()) as reader:
        reader.prefetch()
        assert not reader.checkpoints.problem()
        flip(folder / "vectors-1.faiss")
        assert "SHA-256" in str(reader.checkpoints.problem())
        reader.prefetch()  # closing waits for it
