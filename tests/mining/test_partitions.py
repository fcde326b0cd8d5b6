"""Partitioned mining loses what shares no cell, nothing else, and its recall is what it says."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from helpers.runners import PackingLoop
from helpers.vectors import as_dict, sorted_pairs, unit

from searchkit.cli.app import main
from searchkit.core.errors import BadInput
from searchkit.index.folder import Index
from searchkit.mining.exact import mine_pairs
from searchkit.mining.pairs import mine
from searchkit.mining.partitions import (
    NO_CELL,
    lowest_shared,
    measure_recall,
    mine_partitions,
    split,
)


def corpus() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    owners = np.repeat(np.arange(450), [1, 2, 3] * 150)
    return unit(len(owners), clusters=60, seed=5), owners // 150, owners  # vectors, groups, owners


@pytest.mark.parametrize("far", [False, True])
def test_exact_within_cells(tmp_path: Path, far: bool) -> None:
    vectors, groups, owners = corpus()
    # With one cell for each vector, some pairs are lost.
    cells = split(vectors, 12, owners, cells_per_vector=1)
    done: list[tuple[int, int]] = []
    runner = PackingLoop(tmp_path) if far else None
    found = as_dict(
        sorted_pairs(
            mine_partitions(
                vectors, 0.75, cells, groups=groups, owners=owners,
                runner=runner, progress=lambda *now: done.append(now),
            )
        )
    )  # fmt: skip
    wanted = as_dict(mine_pairs(vectors, 0.75, groups=groups, owners=owners))
    row = {int(owner): n for n, owner in enumerate(owners)}
    inside = {(a, b): set(cells.of[row[a]]) & set(cells.of[row[b]]) - {NO_CELL} for a, b in wanted}
    assert found.keys() == {pair for pair, shared in inside.items() if shared}
    assert all(abs(found[pair] - wanted[pair]) < 1e-6 for pair in found)
    assert 0 < len(found) < len(wanted) and done == [(n, 12) for n in range(1, 13)]
    assert not list(tmp_path.iterdir())
    recall = measure_recall(vectors, 0.75, cells, groups=groups, owners=owners)
    assert (recall.pairs, recall.found, recall.sampled) == (len(wanted), len(found), 450)
    assert f"recall {len(found) / len(wanted):.2%}: {len(found):,} of" in str(recall)
    some = measure_recall(vectors, 0.75, cells, groups=groups, owners=owners, sample=200)
    assert some.sampled == 200 and abs((some.share or 0) - (recall.share or 0)) < 0.1


def test_one_row_no_pair_and_more_cells_than_rows() -> None:
    vectors, owners = unit(3), np.arange(3)
    cells = split(vectors, 9, owners)
    assert cells.count == 3 and cells.of.tolist() == [[0, 1, 2]] * 3
    recall = measure_recall(vectors, 1.5, cells, groups=owners * 0, owners=owners)
    assert recall.share is None and "can't be told" in str(recall)
    assert split(unit(1), 2, np.zeros(1, np.int64)).count == 1


def test_the_lowest_shared_cell() -> None:
    left = np.array([[1, 4, 6], [0, NO_CELL, NO_CELL], [2, 3, NO_CELL]])
    right = np.array([[4, 6, 9], [1, NO_CELL, NO_CELL], [2, 3, 5]])
    assert lowest_shared(left, right).tolist() == [4, NO_CELL, 2]


def test_the_recall_stands_with_the_result(tmp_path: Path, encoder, answers) -> None:
    with Index.create(tmp_path / "i", encoder) as index:
        index.add(answers)
        with pytest.raises(BadInput, match="`partitions` must be 2 or more, not 1"):
            mine(index, partitions=1)
    asked = ["mine", "-t", "-1", "--by", "all", "-i", str(tmp_path / "i"), "-f", "json"]
    exact = json.loads(CliRunner().invoke(main, asked).stdout)
    result = CliRunner().invoke(main, [*asked, "--partitions", "3"])
    told = json.loads(result.stdout)
    assert told.pop("recall") == {
        "cells": 3, "sampled": 5, "pairs": 10, "found": 10, "recall": 1.0,
    }  # fmt: skip
    assert told == exact  # three cells for each, and there are three
    assert "not exact; recall 100.00%: 10 of 10 pairs that 5 sampled answers have" in result.stderr


def test_nothing_to_mine(tmp_path: Path, encoder) -> None:
    with Index.create(tmp_path / "i", encoder) as index:
        assert mine(index, partitions=4).total == 0
