"""The file beside a large FAISS file: what a search reads is checked, and nothing else is read."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from helpers.encoder import ToyEncoder
from helpers.threads import refuse_threads
from helpers.vectors import rounded, unit
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from searchkit import Answer, Index
from searchkit.index.upkeep.verify import verify
from searchkit.index.vectors import checkpoint, codes, codes_file, vector_index
from searchkit.index.vectors.codes_file import CodesFile, DamagedFile, write_codes
from searchkit.index.vectors.vector_index import VectorIndex

SHA = "00" * 32
FIXTURES = [HealthCheck.function_scoped_fixture]


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Codes of few vectors, in several shards."""
    monkeypatch.setattr(codes, "MIN_ROWS", 1)
    monkeypatch.setattr(checkpoint, "MIN_ROWS", 1)
    monkeypatch.setattr(codes_file, "SHARD_ROWS", 100)
    monkeypatch.setattr(codes, "FAR_SHARE", 10)


def write_both(folder: Path, rows: NDArray[np.float32]) -> tuple[Path, Path]:
    """Write a FAISS file and the codes beside it."""
    index = VectorIndex(rows.shape[1])
    index.add(np.arange(len(rows)), rows)
    index.save(folder / "v.faiss")
    with (folder / "v.faiss").open("rb") as file:
        mapped = VectorIndex.load(file)
        write_codes(folder / "v.codes", mapped.stored(), SHA, file)
    return folder / "v.faiss", folder / "v.codes"


@settings(max_examples=60, deadline=None, suppress_health_check=FIXTURES)
@given(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7), cut=st.booleans())
def test_a_damaged_file_of_codes_is_not_used(
    place: float, bit: int, cut: bool, tmp_path: Path
) -> None:
    rows = rounded(unit(150, 16))
    _, path = write_both(tmp_path, rows)
    sound = CodesFile.open(path, SHA, 150)
    assert sound is not None and sound.codes is not None
    data = bytearray(path.read_bytes())
    at = int(place * len(data))
    data[at] ^= 1 << bit
    path.write_bytes(data[:at] if cut else data)
    read = CodesFile.open(path, SHA, 150)
    if read is not None and read.codes is not None:  # a byte that nobody reads, such as a date
        stored = rows.astype(np.float16).view(np.uint8)
        arguments = stored.__getitem__, np.ones(150, bool), rows[0], 3
        wanted = sound.codes.candidates(*arguments)
        np.testing.assert_array_equal(read.codes.candidates(*arguments), wanted)


def test_codes_of_other_vectors_are_not_used(tmp_path: Path) -> None:
    faiss_file, path = write_both(tmp_path, rounded(unit(150, 16)))
    assert CodesFile.open(path, "11" * 32, 150) is None
    assert CodesFile.open(path, SHA, 149) is None
    assert CodesFile.open(tmp_path / "none.codes", SHA, 150) is None
    beside = CodesFile.open(path, SHA, 150)
    assert beside is not None
    (tmp_path / "other").mkdir()
    other, _ = write_both(tmp_path / "other", rounded(unit(150, 18)))
    with faiss_file.open("rb") as own, other.open("rb") as file:
        assert beside.attach(own) and not beside.attach(file)


@settings(max_examples=100, deadline=None, suppress_health_check=FIXTURES)
@given(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
@example(place=0.0, bit=0)
@example(place=0.9999, bit=7)
def test_a_flipped_bit_is_noticed_by_whatever_reads_it(
    place: float, bit: int, tmp_path: Path
) -> None:
    rows = rounded(unit(150, 16))
    faiss_file, path = write_both(tmp_path, rows)
    data = bytearray(faiss_file.read_bytes())
    at = int(place * len(data))
    data[at] ^= 1 << bit
    faiss_file.write_bytes(data)
    beside = CodesFile.open(path, SHA, 150)
    assert beside is not None
    row = (at - (len(data) - 8 * 151 - 32 * 150)) // 32
    with faiss_file.open("rb") as file:
        if not beside.attach(file):
            assert not 0 <= row < 150
            return
        index = VectorIndex.load(file, beside)
    assert 0 <= row < 150
    others = np.delete(np.arange(150), row)
    for other in others:
        np.testing.assert_array_equal(index.get(np.array([other])), rows[[other]])
    for read in (
        lambda: index.get(np.array([row])),
        lambda: index.get(np.arange(150)),
        lambda: list(index.scan()),
        lambda: index.stored(),
        lambda: index.range(rows[:1], 0.5),
        lambda: index.search(rows[[row]], 150),
        lambda: index.search(np.tile(rows[[row]], (40, 1)), 3),
    ):
        with pytest.raises(DamagedFile):
            read()


def test_a_search_reads_few_vectors_and_another_all_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = rounded(unit(3_000, 64, clusters=60))
    faiss_file, path = write_both(tmp_path, rows)
    monkeypatch.setattr(codes_file, "SHARD_ROWS", 100)
    read: list[int] = []
    plain_read, plain_check = CodesFile.read, CodesFile.check

    def reading(self: CodesFile, wanted: NDArray[np.intp], mapped: NDArray[np.uint8]) -> object:
        read.append(len(wanted))
        return plain_read(self, wanted, mapped)

    def checking(self: CodesFile, mapped: NDArray[np.uint8]) -> None:
        read.append(len(mapped))
        plain_check(self, mapped)

    monkeypatch.setattr(CodesFile, "read", reading)
    monkeypatch.setattr(CodesFile, "check", checking)
    beside = CodesFile.open(path, SHA, 3_000)
    with faiss_file.open("rb") as file:
        assert beside is not None and beside.attach(file)
        index = VectorIndex.load(file, beside)
    index.search(rows[:1], 3)
    index.get(np.array([5]))
    assert 0 < sum(read) < 1_000
    read.clear()
    monkeypatch.setattr(codes, "MAX_CANDIDATES", 150)
    index.search(rows[:30], 3)  # each has few candidates, and together they have more than that
    assert max(read) < 150 < sum(read)
    read.clear()
    index.range(rows[:1], 0.9)
    index.range(rows[:1], 0.9)
    index.search(rows[:1], 3)
    assert read == [3_000]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with Index.create(tmp_path / "i", ToyEncoder()) as index:
        index.add([Answer(f"a{n}", f"answer {n} about loops") for n in range(300)])
    return tmp_path / "i"


def hits(folder: Path) -> list:
    with Index.open(folder, encoder=ToyEncoder()) as index:
        return index.search(["answer 7 about loops"], 9)[0]


def opened(faiss_file: Path, path: Path, count: int) -> VectorIndex:
    """Map a FAISS file with what is beside it."""
    beside = CodesFile.open(path, SHA, count)
    with faiss_file.open("rb") as file:
        assert beside is not None and beside.attach(file)
        return VectorIndex.load(file, beside)


READS: list[Callable[[VectorIndex], object]] = [
    lambda index: index.get(np.array([7])),
    lambda index: index.get(np.arange(150)),
    lambda index: index.stored(),
]


@pytest.mark.skipif(not hasattr(os, "pread"), reason="Windows reads from the mapped file")
@pytest.mark.parametrize("read", READS)
def test_vectors_that_the_disk_does_not_give_are_damaged(
    read: Callable[[VectorIndex], object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    faiss_file, path = write_both(tmp_path, rounded(unit(150, 16)))
    index, cut = opened(faiss_file, path, 150), opened(faiss_file, path, 150)
    os.truncate(faiss_file, 100)  # no process may read a mapped page that is gone
    with pytest.raises(DamagedFile, match="not those that were written; run: searchkit rebuild"):
        read(cut)

    def fail(*_: object) -> bytes:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "pread", fail)
    with pytest.raises(DamagedFile, match=r"v\.faiss: its vectors can't be read \(Input/output"):
        read(index)


@pytest.mark.skipif(not hasattr(os, "pread"), reason="Windows reads from the mapped file")
def test_many_vectors_are_not_read_one_by_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = rounded(unit(1_000, 16))
    index = opened(*write_both(tmp_path, rows), 1_000)
    calls, pread = [], os.pread
    monkeypatch.setattr(os, "pread", lambda *place: calls.append(place) or pread(*place))
    monkeypatch.setattr(vector_index, "_BLOCK", 64)
    wanted = np.arange(999, 0, -3)
    np.testing.assert_array_equal(index.get(wanted), rows[wanted])
    assert len(calls) == 10  # a block of 100 each
    np.testing.assert_array_equal(index.get(wanted), rows[wanted])
    assert len(calls) == 10


@pytest.mark.parametrize("change", [Path.unlink, lambda path: path.with_name("new").replace(path)])
def test_codes_stay_those_of_the_file_that_was_opened(
    change: Callable[[Path], object], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    rows = rounded(unit(150, 16))
    _, path = write_both(tmp_path, rows)
    (tmp_path / "other").mkdir()
    _, other = write_both(tmp_path / "other", rounded(unit(150, 16, seed=5)))
    other.replace(path.with_name("new"))
    first, second = CodesFile.open(path, SHA, 150), CodesFile.open(path, SHA, 150)
    assert first is not None and first.codes is not None and second is not None
    change(path)
    assert second.codes is not None
    stored = rows.astype(np.float16).view(np.uint8)
    arguments = stored.__getitem__, np.ones(150, bool), rows[0], 3
    wanted, found = (file.codes.candidates(*arguments) for file in (first, second))
    np.testing.assert_array_equal(found, wanted)
    assert not caplog.text


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        OSError(errno.EMFILE, "Too many open files"),
    ],
)
def test_codes_that_cannot_be_read_now_are_not_called_damaged(
    error: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog
) -> None:
    _, path = write_both(tmp_path, rounded(unit(150, 16)))
    beside = CodesFile.open(path, SHA, 150)

    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(codes_file, "empty_fast_scan", fail)
    assert beside is not None and beside.codes is None
    assert "v.codes: can't be read now (" in caplog.text and "()" not in caplog.text
    assert "damaged" not in caplog.text and "rebuild" not in caplog.text


def test_codes_are_written_read_and_checked_where_no_thread_can_be_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    rows = rounded(unit(350, 16))
    refuse_threads(monkeypatch)
    faiss_file, path = write_both(tmp_path, rows)
    index = opened(faiss_file, path, 350)
    np.testing.assert_array_equal(index.stored(), rows.astype(np.float16).view(np.uint8))
    beside = CodesFile.open(path, SHA, 350)
    assert beside is not None and beside.codes is not None and len(beside.codes) == 350
    assert not caplog.text


def test_codes_are_made_where_they_are_missing(folder: Path, monkeypatch) -> None:
    assert (folder / "vectors-1.codes").exists()
    expected = hits(folder)
    (folder / "vectors-1.codes").unlink()
    assert hits(folder) == expected
    Index.open(folder, write=True, encoder=ToyEncoder()).close()
    assert (folder / "vectors-1.codes").exists()
    monkeypatch.setattr(codes, "MIN_ROWS", 10**6)
    assert hits(folder) == expected


def test_damaged_codes_change_no_hit_and_are_made_again(folder: Path, caplog) -> None:
    expected = hits(folder)
    path = folder / "vectors-1.codes"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    assert hits(folder) == expected
    assert "vectors-1.codes: damaged" in caplog.text
    assert "run: searchkit rebuild" in caplog.text
    with Index.open(folder, write=True, encoder=ToyEncoder()) as index:
        assert any("vectors-1.codes" in problem for problem in verify(index))
        index.rebuild()
        assert verify(index) == []
    assert not path.exists()
    caplog.clear()
    assert hits(folder) == expected
    assert not caplog.text


def test_codes_of_another_format_are_replaced(folder: Path, monkeypatch, caplog) -> None:
    expected = hits(folder)
    path = folder / "vectors-1.codes"
    with monkeypatch.context() as older:
        older.setattr(codes_file, "_FORMAT", 1)
        path.unlink()
        Index.open(folder, write=True, encoder=ToyEncoder()).close()
    before = path.read_bytes()
    with Index.open(folder, encoder=ToyEncoder()) as index:
        assert verify(index) == []
    assert hits(folder) == expected
    Index.open(folder, write=True, encoder=ToyEncoder()).close()
    assert path.read_bytes() != before
    with Index.open(folder) as index:
        assert index.checkpoints.load_vectors()._segments[0].codes is not None
    Index.open(folder, write=True, encoder=ToyEncoder()).close()
    assert not caplog.text


def test_a_full_disk_is_said_of_the_codes_only(folder: Path, monkeypatch, caplog) -> None:
    (folder / "vectors-1.codes").unlink()

    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(codes_file, "encode", fail)
    Index.open(folder, write=True, encoder=ToyEncoder()).close()
    assert "vectors-1.codes: can't be written (No space left on device)" in caplog.text
    assert ".faiss" not in caplog.text
    assert list(folder.glob("*.codes*")) == []


def test_codes_of_deleted_answers_are_erased(folder: Path) -> None:
    with Index.open(folder, write=True, encoder=ToyEncoder()) as index:
        index.remove(["a7"])
        assert not (folder / "vectors-1.codes").exists()
    assert [path.name for path in folder.glob("*.codes")] == ["vectors-2.codes"]
    assert "a7" not in {hit.answer.id for hit in hits(folder)}


@pytest.mark.parametrize("place", [0, 0.1, 0.3, 0.5, 0.7, 0.9, 0.999])
def test_hits_are_right_whatever_byte_of_the_faiss_file_is_damaged(
    folder: Path, place: float, caplog: pytest.LogCaptureFixture
) -> None:
    queries = [f"answer {n} about loops" for n in range(40)]
    with Index.open(folder, encoder=ToyEncoder()) as index:
        expected = [index.search(some, 9) for some in ([queries[7]], queries)]
        stored = [index.get_stored(f"a{n}").vectors.tobytes() for n in range(300)]
    path = folder / "vectors-1.faiss"
    data = bytearray(path.read_bytes())
    data[int(place * len(data))] ^= 1
    path.write_bytes(data)
    with Index.open(folder, encoder=ToyEncoder()) as index:
        assert [index.search(some, 9) for some in ([queries[7]], queries)] == expected
        assert [index.get_stored(f"a{n}").vectors.tobytes() for n in range(300)] == stored
    assert "vectors-1.faiss" in caplog.text
    assert caplog.text.count("run: searchkit rebuild") == 1
    with Index.open(folder, write=True, encoder=ToyEncoder()) as index:
        assert any("vectors-1.faiss" in problem for problem in verify(index))
        index.vectors.last_key()  # mapped, and not checked yet
        index.remove(["a299"])  # which writes all vectors anew
        assert [problem for problem in verify(index) if "set aside" not in problem] == []
        vectors = [index.get_stored(f"a{n}").vectors.tobytes() for n in range(299)]
    assert vectors == stored[:299]


@pytest.mark.skipif(not hasattr(os, "pread"), reason="Windows reads from the mapped file")
def test_hits_are_right_where_the_disk_cannot_be_read(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    expected = hits(folder)

    def fail(*_: object) -> bytes:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "pread", fail)
    assert hits(folder) == expected
    assert "vectors-1.faiss: its vectors can't be read (Input/output error)" in caplog.text


def test_opening_hashes_no_faiss_file_that_has_codes(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = hits(folder)
    monkeypatch.setattr(hashlib, "file_digest", lambda *_: pytest.fail("hashed"))
    assert hits(folder) == expected
    with Index.open(folder, encoder=ToyEncoder()) as index:
        index.prefetch()
        assert index.search(["answer 7 about loops"], 9)[0] == expected
