"""The plain loop, the files that tasks read, and which runners there are."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from searchkit.core.errors import BadInput, MissingExtra, StorageFailed
from searchkit.runners import files
from searchkit.runners.base import PlainLoop
from searchkit.runners.opening import open_runner


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


def test_no_runner_is_none() -> None:
    with open_runner(None) as runner:
        assert runner is None


@pytest.mark.parametrize(
    ("name", "shards", "said"),
    [
        ("spark", None, "must be ray or ray://HOST:PORT, not 'spark'"),
        ("ray://", None, "must be ray or ray://HOST:PORT"),
        ("ray://far:10001", None, "ray://far:10001 needs --shards DIR"),
        (None, Path("some"), "--shards some goes with --runner"),
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
    mapped = files.map_array(tmp_path / "a.npy")
    assert np.array_equal(mapped, array) and mapped.dtype == np.float32
    assert np.array_equal(files.read_array(tmp_path / "a.npy"), array)
    texts = ["", "é\n", "\x00"] * n
    files.write_texts(tmp_path / "t.parquet", texts)
    assert files.read_texts(tmp_path / "t.parquet") == texts
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.npy", "t.parquet"]


def test_objects_are_never_unpickled(tmp_path: Path) -> None:
    np.save(tmp_path / "bad.npy", np.array([{}], object), allow_pickle=True)
    with pytest.raises(ValueError, match="allow_pickle=False"):
        files.read_array(tmp_path / "bad.npy")
