"""A full disk and a folder that can't be written are reported, and nothing is lost."""

from __future__ import annotations

import errno
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import Mock

import pytest
from helpers.encoder import ToyEncoder
from helpers.files import TESTS

from searchkit import Answer, Index, Where
from searchkit.core.errors import IndexBusy, StorageFailed
from searchkit.index.storage.connection import translated_error
from searchkit.index.upkeep.verify import verify


def run(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, cwd=TESTS
    )


FULL = """
import resource, signal, sys
from helpers.encoder import ToyEncoder
from searchkit import Answer, Index
from searchkit.core.errors import StorageFailed
index = Index.open(sys.argv[1], write=True, encoder=ToyEncoder())
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
try:
    if sys.argv[3] == "add":
        index.add([Answer(f"n{n}", f"words {n} " * 40) for n in range(3000)])
    else:
        index.checkpoint()
except StorageFailed as error:
    print(error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs setrlimit")
@pytest.mark.parametrize(
    ("act", "limit", "message"),
    [("add", 300_000, "disk"), ("checkpoint", 5_000, "is the disk full|File too large")],
)
def test_a_full_disk_keeps_what_was_committed(tmp_path, answers, act, limit, message) -> None:
    folder = tmp_path / "i"
    with Index.create(folder, ToyEncoder()) as index:
        index.add(answers)
        index.add([Answer(f"m{n}", f"more {n}") for n in range(300)])
    done = run(FULL, str(folder), str(limit), act)
    assert done.returncode == 0, done.stderr
    assert any(word in done.stdout for word in message.split("|")), done.stdout
    assert done.stdout.count("\n") == 1
    with Index.open(folder, write=True, encoder=ToyEncoder()) as index:
        assert len(index) == 306
        assert verify(index) == []


READ_ONLY = """
import os, sys
from helpers.encoder import ToyEncoder
from searchkit import Answer, Index
from searchkit.core.errors import SearchkitError
import faiss, numpy.random, searchkit.index  # nobody may not be able to read these
if os.geteuid() == 0:  # for whom nothing is read-only
    os.setgid(65534); os.setuid(65534)
with Index.open(sys.argv[1], encoder=ToyEncoder()) as index:
    by_words = index.search_words(["thread"])
    print(index.search(["one thread"], 1)[0][0].answer.id, by_words[0][0].rank, len(index))
try:
    Index.open(sys.argv[1], write=True)
except SearchkitError as error:
    print(error)
"""
KILLED_WRITER = """
import os, sys
from helpers.encoder import ToyEncoder
from searchkit import Answer, Index
index = Index.open(sys.argv[1], write=True, encoder=ToyEncoder())
index.add([Answer("late", "one thread")])
os._exit(0)
"""


@pytest.fixture
def read_only(answers: list[Answer]) -> Iterator[Path]:
    """Yield an index whose folder `close` makes read-only, also for root's test as nobody."""
    outside = Path(tempfile.mkdtemp(dir="/tmp"))  # pytest's folders let nobody pass
    with Index.create(outside / "i", ToyEncoder()) as index:
        index.add(answers)
    yield outside / "i"
    for path in (outside, outside / "i"):
        path.chmod(0o755)
    shutil.rmtree(outside)


def close(folder: Path) -> None:
    for path in (*folder.iterdir(), folder, folder.parent):
        path.chmod(0o555 if path.is_dir() else 0o444)


@pytest.mark.skipif(sys.platform == "win32", reason="needs permissions")
def test_a_read_only_folder_can_be_queried(read_only: Path) -> None:
    close(read_only)
    done = run(READ_ONLY, str(read_only))
    assert done.returncode == 0, done.stderr
    found, refused = done.stdout.splitlines()
    assert found == "a3 1 6"
    assert "can't write here (Permission denied); queries still work" in refused


@pytest.mark.skipif(sys.platform == "win32", reason="needs permissions")
@pytest.mark.parametrize("has_shared_memory", [True, False])
def test_what_is_in_the_log_of_a_read_only_folder_is_found(
    read_only: Path, has_shared_memory: bool
) -> None:
    assert run(KILLED_WRITER, str(read_only)).returncode == 0
    assert (read_only / "answers.db-wal").stat().st_size
    if not has_shared_memory:  # as in a copy of the folder
        (read_only / "answers.db-shm").unlink()
    close(read_only)
    before = {path.name: path.read_bytes() for path in read_only.iterdir()}
    done = run(READ_ONLY, str(read_only))
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0] == "late 1 7"
    assert {path.name: path.read_bytes() for path in read_only.iterdir()} == before


@pytest.mark.skipif(sys.platform == "win32", reason="needs another way to open files there")
def test_a_filter_finds_what_is_in_the_log_of_a_read_only_folder(tmp_path, answers) -> None:
    with Index.create(tmp_path / "i", ToyEncoder()) as index:
        index.add(answers)
    assert run(KILLED_WRITER, str(tmp_path / "i")).returncode == 0
    shared_memory = tmp_path / "i" / "answers.db-shm"
    shared_memory.unlink()
    shared_memory.mkdir()  # nobody can open it, not even root
    with Index.open(tmp_path / "i", encoder=ToyEncoder()) as index:
        assert index.ids(Where(sql="text LIKE '%thread%'")) == ["a3", "late"]
        assert [hit.answer.id for hit in index.search(["one thread"], 1)[0]] == ["late"]


@pytest.mark.skipif(sys.platform == "win32", reason="needs fcntl")
@pytest.mark.parametrize("code", [errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS])
def test_a_file_system_without_locks_is_named(tmp_path, answers, monkeypatch, code) -> None:
    with Index.create(tmp_path / "i", ToyEncoder()) as index:
        index.add(answers)
    failed = OSError(code, os.strerror(code))
    message = rf"i: this file system can't lock files \({os.strerror(code)}\).*to a local disk"
    monkeypatch.setattr("fcntl.flock", Mock(side_effect=failed))
    with pytest.raises(StorageFailed, match=message):
        Index.open(tmp_path / "i", write=True)
    monkeypatch.setattr("fcntl.lockf", Mock(side_effect=failed))
    locked = sqlite3.OperationalError("database is locked")
    locked.sqlite_errorcode = sqlite3.SQLITE_BUSY
    translated = translated_error(locked, tmp_path / "i" / "answers.db")
    assert isinstance(translated, StorageFailed)
    assert re.search(message, str(translated))


@pytest.mark.skipif(sys.platform == "win32", reason="needs fcntl")
def test_a_locked_database_is_in_use(tmp_path) -> None:
    Index.create(tmp_path / "i", ToyEncoder()).close()
    other = sqlite3.connect(tmp_path / "i" / "answers.db", isolation_level=None)
    other.execute("PRAGMA locking_mode = EXCLUSIVE")
    other.execute("BEGIN EXCLUSIVE")
    other.execute("DELETE FROM answers")
    with pytest.raises(IndexBusy, match=r"in use \(database is locked\); try again in a moment"):
        Index.open(tmp_path / "i")
    other.close()


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StorageFailed, match="can't make this folder"):
        Index.create(tmp_path / "file" / "index", ToyEncoder())


def test_a_clock_that_runs_backwards_changes_nothing(tmp_path, answers, monkeypatch) -> None:
    import time

    with Index.create(tmp_path / "i", ToyEncoder()) as index:
        index.add(answers[:3])
        monkeypatch.setattr(time, "time", lambda: 0.0)
        index.add(answers)
        assert len(index) == 6
    for path in (tmp_path / "i").iterdir():
        os.utime(path, (0, 0))
    with Index.open(tmp_path / "i", write=True, encoder=ToyEncoder()) as index:
        assert verify(index) == []
