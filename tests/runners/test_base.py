"""The plain loop, the files that tasks read, and which runners there are."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from searchkit.core.errors import BadInput, MissingExtra, StorageFailed
from searchkit.runners import files
from searchkit.runners.base import PlainLoop
from searchkit.runners.opening import open_runner
from searchkit.runners.packing import MIN_BYTES, pack


def test_the_plain_loop_gives_results_in_order(tmp_path: Path) -> None:
    assert list(PlainLoop(tmp_path).run(abs, [-3, 2, -1])) == [3, 2, 1]


def test_a_pool_makes_its_state_once_and_only_if_needed(tmp_path: Path) -> None:
    made = []

    def make() -> int:
        made.append(1)
        return 10

    pool = PlainLoop(tmp_path).pool(make)
    assert list(pool.run(pow, [])) == [] and not made
    assert list(pool.run(pow, [2, 3])) == list(pool.run(pow, [2, 3])) == [100, 1000]
    assert len(made) == 1


def test_no_runner_is_the_plain_loop() -> None:
    with open_runner(None) as runner:
        assert isinstance(runner, PlainLoop) and runner.is_local


@pytest.mark.parametrize(
    ("name", "shards", "said"),
    [
        ("spark", None, "must be ray or ray://HOST:PORT, not 'spark'"),
        ("ray://", None, "must be ray or ray://HOST:PORT"),
        ("ray://far:10001", None, "`runner='ray://far:10001'` needs `shards=DIR`"),
        (None, Path("some"), "`shards=some` goes with `runner`"),
    ],
)
def test_what_is_no_runner_is_told(name: str | None, shards: Path | None, said: str) -> None:
    with pytest.raises(BadInput, match=said), open_runner(name, shards):
        pass


def test_without_ray_one_line_says_what_to_install(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtra, match=r"searchkit\[ray\]"), open_runner("ray"):
        pass


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageFailed, match="can't be written"):
        with open_runner("ray", tmp_path / "file" / "shards"):
            pass


@pytest.mark.parametrize("n", [0, 1, 5_000])
def test_arrays_and_texts_come_back(tmp_path: Path, n: int) -> None:
    array = np.arange(n * 3, dtype=np.float32).reshape(n, 3)
    files.write_array(tmp_path / "a.npy", array)
    files.write_array(tmp_path / "a.npy", array)  # a task that is retried
    assert np.array_equal(files.read_array(tmp_path / "a.npy"), array)
    texts = ["", "é\n", "\x00"] * n
    files.write_texts(tmp_path / "t.parquet", texts)
    assert files.read_texts(tmp_path / "t.parquet") == texts
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.npy", "t.parquet"]


@dataclass(frozen=True)
class Task:
    rows: NDArray[np.float32]
    labels: list[NDArray[np.int64]]
    name: str


@pytest.mark.parametrize("n", [0, 1, 5_000])
@pytest.mark.parametrize("mapped", [False, True])
def test_objects_travel_with_their_arrays_in_a_file(tmp_path: Path, n: int, mapped: bool) -> None:
    whole = np.arange(n * 6, dtype=np.float32).reshape(n, 6)
    task = Task(whole[:, ::2], [np.arange(n), np.full(n, 7)], "é\n")
    packed = pack(task, tmp_path / "task")
    packed = pack(task, tmp_path / "task")  # a task that is retried
    assert len(packed.pickled) < 2 * MIN_BYTES
    assert [path.name for path in tmp_path.iterdir()] == ["task"] * (n > 1)
    received = packed.unpack(mapped=mapped)
    assert received.name == task.name and received.rows.dtype == np.float32
    for array, wanted in zip(
        [received.rows, *received.labels], [task.rows, *task.labels], strict=True
    ):
        assert np.array_equal(array, wanted) and array.shape == wanted.shape
        array += 1  # private
    assert np.array_equal(packed.unpack(mapped=mapped).rows, task.rows)
    packed.delete()
    packed.delete()
    assert not list(tmp_path.iterdir())


def test_an_iterator_arrives_as_a_list_and_objects_in_the_pickle(tmp_path: Path) -> None:
    packed = pack((np.full(1_000, n, object) for n in range(2)), tmp_path / "x")
    assert packed.path is None and not list(tmp_path.iterdir())
    received = packed.unpack(mapped=False)
    assert isinstance(received, list) and [a[0] for a in received] == [0, 1]


def test_objects_are_never_unpickled(tmp_path: Path) -> None:
    np.save(tmp_path / "bad.npy", np.array([{}], object), allow_pickle=True)
    with pytest.raises(ValueError, match="allow_pickle=False"):
        files.read_array(tmp_path / "bad.npy")
