"""What readers and writers do with a damaged index: one line that names what mends it."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.damage import change, page_of
from helpers.encoder import ToyEncoder

from searchkit import Answer, Index
from searchkit.core.errors import IndexDamaged
from searchkit.index.upkeep.verify import verify


@pytest.fixture
def index(tmp_path: Path, answers: list[Answer]) -> Index:
    with Index.create(tmp_path / "i", ToyEncoder()) as made:
        made.add(answers)
        made.checkpoint()
        yield made


def test_a_damaged_vector_is_named_when_it_is_needed(index: Index) -> None:
    index.add([Answer("tail", "not in the checkpoint")])
    change(index, "UPDATE vectors SET vector = x'00' WHERE key = (SELECT max(key) FROM vectors)")
    index.close()
    with (
        Index.open(index.path, encoder=ToyEncoder()) as reader,
        pytest.raises(IndexDamaged, match="run: searchkit reindex --damaged"),
    ):
        reader.search(["anything"], 1)


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("UPDATE passages SET vector = 99 WHERE answer = 1", "run: searchkit reindex --damaged"),
        ("UPDATE passages SET vector = 'x' WHERE answer = 1", "run: searchkit reindex --damaged"),
        ("UPDATE answers SET line = 'x' WHERE id = 'a1'", "'a1': damaged; run: searchkit verify"),
        ("UPDATE answers SET text = x'00' WHERE id = 'a1'", "'a1': damaged; run: searchkit verify"),
        ("DELETE FROM model", "0 models where 1 is needed; restore a copy"),
    ],
)
def test_a_reader_names_a_damaged_row(index: Index, sql: str, message: str) -> None:
    index.close()
    change(index, sql)
    with (
        pytest.raises(IndexDamaged, match=message),
        Index.open(index.path, encoder=ToyEncoder()) as reader,
    ):
        list(reader.iter_stored())


def test_a_reader_does_without_a_faiss_file_whose_record_is_damaged(index: Index, caplog) -> None:
    index.close()
    for sql in (
        "INSERT INTO removals VALUES (1, x'00')",  # a vector that is there
        "UPDATE checkpoints SET last_vector = last_vector - 1",
    ):
        change(index, sql)
        with Index.open(index.path, encoder=ToyEncoder()) as reader:
            assert len(reader.vectors) == reader.counts()["vectors"]
    assert "the record of removed vectors is damaged" in caplog.text


def test_sqlites_findings_are_a_line_each(index: Index) -> None:
    index.close()
    path = index.path / "answers.db"
    data = bytearray(path.read_bytes())
    data[page_of(path, "answers") + 3] ^= 1  # the number of its rows
    path.write_bytes(data)
    with Index.open(index.path, encoder=ToyEncoder()) as reader:
        lines = verify(reader)
    assert lines
    assert all("\n" not in line and "***" not in line for line in lines)


def test_a_damaged_index_of_the_database_is_mended_before_answers(index: Index) -> None:
    """With a damaged index answers can't be found by their ids, and so not be ingested again."""
    change(index, "UPDATE answers SET author = 'eve' WHERE id = 'a2'")
    index.close()
    path = index.path / "answers.db"
    start = page_of(path, "answers_slot")
    data = path.read_bytes()
    page = data[start : start + 4096]
    assert b"q1" in page
    path.write_bytes(data[:start] + page.replace(b"q1", b"q0", 1) + data[start + 4096 :])
    with Index.open(index.path, write=True, encoder=ToyEncoder()) as opened:
        lines = verify(opened)
        assert lines
        assert all(
            "index answers_slot" in line and "run: searchkit rebuild" in line for line in lines
        )
        opened.rebuild()
        assert [line for line in verify(opened) if "answer 'a2': damaged" in line]


def test_an_index_that_cannot_be_opened_is_released(index: Index) -> None:
    with index.store.transaction():
        index.store.require_erasure()
    index.store.close()  # as if killed
    index._release()
    path = index.path / "answers.db"
    data, start = bytearray(path.read_bytes()), page_of(path, "answers_slot")
    data[start : start + 4096] = bytes(4096)
    path.write_bytes(data)
    for _ in range(2):
        with pytest.raises(IndexDamaged):  # and not IndexBusy at the second time
            Index.open(index.path, write=True)


def test_a_damaged_statement_of_the_schema_is_damage(index: Index) -> None:
    """SQLite quotes the statement in its message, which then is no UTF-8."""
    index.close()
    path = index.path / "answers.db"
    data = path.read_bytes()
    assert b"CREATE TABLE sources" in data
    path.write_bytes(data.replace(b"CREATE TABLE sources", b'CREATE TABLE \xf0\x20 "\xeb'))
    for write in (False, True):
        with (
            pytest.raises(IndexDamaged, match=r"damaged .*restore a copy"),
            Index.open(index.path, write=write) as opened,
        ):
            raise IndexDamaged(verify(opened)[0])
