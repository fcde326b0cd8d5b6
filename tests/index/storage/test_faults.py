"""A full disk and a folder that can't be written are reported, and nothing is lost."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from helpers.encoder import ToyEncoder
from helpers.files import TESTS

from searchkit import Answer, Index
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
os.setgid(65534); os.setuid(65534)
with Index.open(sys.argv[1], encoder=ToyEncoder()) as index:
    by_words = index.search_words(["thread"])
    print(index.search(["one thread"], 1)[0][0].answer.id, by_words[0][0].rank)
try:
    Index.open(sys.argv[1], write=True)
except SearchkitError as error:
    print(error)
"""


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can become nobody"
)
def test_a_read_only_folder_can_be_queried(answers) -> None:
    outside = Path(tempfile.mkdtemp(dir="/tmp"))  # pytest's folders let nobody pass
    try:
        with Index.create(outside / "i", ToyEncoder()) as index:
            index.add(answers)
        for path in (*(outside / "i").iterdir(), outside / "i", outside):
            path.chmod(0o555 if path.is_dir() else 0o444)
        done = run(READ_ONLY, str(outside / "i"))
        assert done.returncode == 0, done.stderr
        found, refused = done.stdout.splitlines()
        assert found == "a3 1"
        assert "can't write here (Permission denied); queries still work" in refused
    finally:
        shutil.rmtree(outside)


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    from searchkit.core.errors import StorageFailed

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
