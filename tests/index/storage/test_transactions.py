"""A writer waits for others, and an index is whole from its first moment."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from threading import Timer

import pytest
from helpers.encoder import ToyEncoder

from searchkit import Answer, Index
from searchkit.core.errors import IndexNotFound
from searchkit.index.storage import database
from searchkit.index.storage.commits import CommitRecord
from searchkit.index.storage.store import AnswerStore


def test_a_transaction_that_begins_with_reading_waits_for_a_lock(tmp_path: Path) -> None:
    with Index.create(tmp_path / "i", ToyEncoder()) as index:
        other = sqlite3.connect(tmp_path / "i/answers.db", check_same_thread=False)
        other.execute("BEGIN IMMEDIATE")  # as a reader that recovers the log
        release = Timer(0.3, other.rollback)
        release.start()
        with index.store.transaction():
            index.store.counts()
            index.store.bump_revision()
        release.join()
        other.close()
        index.add([Answer("a", "text")])
        assert len(index) == 1


def test_a_failed_transaction_leaves_nothing(tmp_path: Path) -> None:
    with Index.create(tmp_path / "i", ToyEncoder()) as index:
        before = index.store.revision()
        with pytest.raises(ZeroDivisionError), index.store.transaction():
            index.store.bump_revision()
            raise ZeroDivisionError
        assert index.store.revision() == before
        assert not index.store.connection.in_transaction


def test_the_record_of_commits_is_there_before_the_database(tmp_path: Path, monkeypatch) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(database, "migrate", killed)
    with pytest.raises(KeyboardInterrupt):
        Index.create(tmp_path / "i", ToyEncoder())
    assert CommitRecord(tmp_path / "i").read() == 0


@pytest.mark.parametrize("opened", [AnswerStore.read, AnswerStore.write])
def test_an_empty_database_is_no_index(tmp_path: Path, opened) -> None:
    path = tmp_path / "answers.db"
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.close()
    assert path.stat().st_size
    with pytest.raises(IndexNotFound, match="no index here; make one with: searchkit ingest"):
        opened(path)
