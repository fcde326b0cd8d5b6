"""The distributed encoder gives an index the same vectors as a local one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from searchkit.core.errors import IndexMismatch
from searchkit.core.records import Answer
from searchkit.encoding import distributed
from searchkit.encoding.distributed import DistributedEncoder
from searchkit.index.folder import Index
from searchkit.index.ingest import ingest
from searchkit.runners.base import PlainLoop


@pytest.fixture
def distributed_encoder(tmp_path: Path, encoder, monkeypatch) -> DistributedEncoder:
    """A distributed toy encoder whose workers have a toy encoder of their own."""
    monkeypatch.setattr(
        distributed, "load_worker_encoder", lambda name, fingerprint, device: type(encoder)()
    )
    (tmp_path / "shards").mkdir()
    return DistributedEncoder(encoder, PlainLoop(tmp_path / "shards"), task_texts=7)


def test_an_index_is_the_same(
    tmp_path: Path, distributed_encoder: DistributedEncoder, encoder
) -> None:
    answers = [Answer(f"a{n}", f"number {n} " * (1 + n % 7), "q") for n in range(100)]
    done: list[tuple[int, int]] = []
    with Index.create(tmp_path / "far", encoder) as index:
        index.use_encoder(distributed_encoder)
        result = ingest(index, answers, progress=lambda *now: done.append(now))
        assert done[-1] == (100, 0) and not encoder.texts
        with Index.create(tmp_path / "plain", encoder) as plain:
            expected = ingest(plain, answers)
            assert (result.added, result.embedded) == (expected.added, expected.embedded)
            assert np.array_equal(index.passage_vectors().vectors, plain.passage_vectors().vectors)
    assert not list((tmp_path / "shards").iterdir())


def test_few_texts_and_queries_are_embedded_locally(
    distributed_encoder: DistributedEncoder, encoder
) -> None:
    assert (
        len(distributed_encoder.encode(["one", "two"]))
        == len(distributed_encoder.encode_queries(["one", "two"]))
        == 2
    )
    assert encoder.texts == ["one", "two"]


def test_another_model_is_refused(tmp_path: Path, encoder) -> None:
    with Index.create(tmp_path / "index", encoder) as index:
        with pytest.raises(IndexMismatch, match="not with toy"):
            index.use_encoder(type(encoder)(fingerprint="another"))
        assert index.encoder is encoder


def test_tasks_for_gpus_are_larger(tmp_path: Path, encoder) -> None:
    runner = PlainLoop(tmp_path)
    assert DistributedEncoder(encoder, runner)._task_texts == distributed.TASK_TEXTS
    runner.gpus = 1
    assert DistributedEncoder(encoder, runner)._task_texts == distributed.GPU_TASK_TEXTS
