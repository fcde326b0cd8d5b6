"""What is remembered about the speed of devices, and what is not believed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from searchkit.encoding.devices.rates import FILE, Rates, Speed


def test_what_was_measured_is_known_to_the_next_process(tmp_path: Path) -> None:
    rates = Rates(tmp_path, "here")
    assert rates.get("cpu") is None
    rates.record("cpu", 1000.0)
    rates.record("cuda", 50_000.0, 8.0)
    again = Rates(tmp_path, "here")
    assert again.get("cpu") == Speed(1000.0)
    assert again.get("cuda") == Speed(50_000.0, 8.0)
    assert Rates(tmp_path, "another machine").get("cpu") is None
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


def test_machines_that_share_a_cache_keep_their_own(tmp_path: Path) -> None:
    one, other = Rates(tmp_path, "one"), Rates(tmp_path, "other")
    one.record("cpu", 1.0)
    other.record("cpu", 2.0)
    one.record("cpu", 9.0)
    assert Rates(tmp_path, "other").get("cpu") == Speed(2.0)


def test_a_new_measurement_has_half_the_weight(tmp_path: Path) -> None:
    rates = Rates(tmp_path, "here")
    rates.record("cuda", 100.0, 4.0)
    rates.record("cuda", 300.0, 8.0)
    assert rates.get("cuda") == Speed(150.0, 6.0)  # the mean of the seconds a token takes
    rates.record("cuda", 150.0)
    assert rates.get("cuda") == Speed(150.0, 6.0)


def test_a_small_change_is_not_written(tmp_path: Path) -> None:
    rates = Rates(tmp_path, "here")
    rates.record("cpu", 100.0)
    (tmp_path / FILE).unlink()
    rates.record("cpu", 101.0)
    assert not (tmp_path / FILE).exists()
    rates.record("cpu", 900.0)
    assert (tmp_path / FILE).exists()


def test_where_nothing_can_be_written_nothing_is_kept(tmp_path: Path) -> None:
    rates = Rates(tmp_path / "missing", "here")
    rates.record("cpu", 5.0)
    assert rates.get("cpu") == Speed(5.0)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff",
        b"[",
        b"[1]",
        b"[" * 100_000,
        b'{"here": 3}',
        b'{"here": {"cpu": 3}}',
        b'{"here": {"cpu": {}}}',
        b'{"here": {"cpu": {"tokens_per_second": "fast"}}}',
        b'{"here": {"cpu": {"tokens_per_second": null}}}',
        b'{"here": {"cpu": {"tokens_per_second": [1]}}}',
        b'{"here": {"cpu": {"tokens_per_second": 0}}}',
        b'{"here": {"cpu": {"tokens_per_second": -1}}}',
        b'{"here": {"cpu": {"tokens_per_second": 1e999}}}',
        b'{"here": {"cpu": {"tokens_per_second": NaN}}}',
        b'{"here": {"cpu": {"tokens_per_second": 1, "start_seconds": -1}}}',
        b'{"here": {"cpu": {"tokens_per_second": 1, "more": 1}}}',
    ],
)
def test_what_can_t_be_true_is_not_believed(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    rates = Rates(tmp_path, "here")
    assert rates.get("cpu") is None
    rates.record("cpu", 7.0)
    assert json.loads((tmp_path / FILE).read_text())["here"]["cpu"]["tokens_per_second"] == 7.0
