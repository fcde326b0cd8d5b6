"""Every damage is found, and reported with what mends it."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.encoder import ToyEncoder

from searchkit import Answer, Index
from searchkit.index.upkeep.verify import verify


@pytest.fixture
def index(tmp_path: Path, answers: list[Answer]) -> Index:
    with Index.create(tmp_path / "i", ToyEncoder()) as made:
        made.add([*answers, Answer("long", " ".join(f"w{n}" for n in range(40)))])
        made.checkpoint()
        yield made


def test_a_sound_index_has_no_problems(index: Index) -> None:
    assert verify(index) == []


@pytest.mark.parametrize(
    ("sql", "problem"),
    [
        ("UPDATE answers SET text = 'Nodf' || substr(text, 5) WHERE id = 'a3'", "answer 'a3': its"),
        ("UPDATE passages SET end = end - 4 WHERE start = 0 AND answer = 7", "leave text out"),
        ("UPDATE passages SET end = 9999 WHERE answer = 1", "answer 'a1': its passages leave"),
        ("DELETE FROM passages WHERE answer = 1", "answer 'a1': its passages leave text out"),
        ("DELETE FROM passages WHERE answer = 1", "1 vectors belong to no answer"),
        ("DELETE FROM vectors WHERE key = 1", "points to nothing"),
        ("UPDATE vectors SET vector = zeroblob(64) WHERE key = 1", "vector 1: not of unit length"),
        ("INSERT INTO answers_fts(answers_fts) VALUES ('delete-all')", "the full text is not that"),
        ("INSERT INTO state VALUES ('forget')", "deleted data is not erased yet"),
    ],
)
def test_changed_rows_are_found(index: Index, sql: str, problem: str) -> None:
    index.store.db.execute("PRAGMA foreign_keys = OFF")
    index.store.db.execute(sql)
    found = verify(index)
    assert any(problem in line for line in found), found
    assert all(";" in line for line in found)


def test_a_changed_byte_in_a_text_is_found(index: Index) -> None:
    index.close()
    path = index.path / "answers.db"
    data = path.read_bytes()
    assert b"Node uses one thread" in data
    path.write_bytes(data.replace(b"Node uses one thread", b"Node uses two thread"))
    with Index.open(index.path, encoder=ToyEncoder()) as reader:
        assert any("'a3': its text is not what was embedded" in line for line in verify(reader))


def test_a_leftover_of_an_earlier_state_is_found(index: Index) -> None:
    (index.path / "vectors-77.faiss").write_bytes(b"x")
    assert any("vectors-77.faiss: left over" in line for line in verify(index))


def test_a_scrambled_page_is_found(index: Index) -> None:
    index.close()
    path = index.path / "answers.db"
    data = bytearray(path.read_bytes())
    data[4096 * 5 : 4096 * 5 + 100] = b"\xff" * 100
    path.write_bytes(data)
    with Index.open(index.path, encoder=ToyEncoder()) as reader:
        assert any("damaged (" in line for line in verify(reader))
