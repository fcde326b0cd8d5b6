"""What differs where there is a GPU; on other machines all of this is skipped, and says so.

Mining on a GPU is also in `test_exact`, as one precision of the fast products.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from helpers.training import FAST, pairs
from helpers.vectors import as_dict, sorted_pairs, unit

from searchkit.encoding.devices.gpu_encoder import GpuEncoder
from searchkit.encoding.devices.offloading import OffloadingEncoder
from searchkit.encoding.distributed import DistributedEncoder
from searchkit.encoding.loading import load_encoder
from searchkit.mining import exact, products
from searchkit.mining.exact import mine_blocks, mine_pairs
from searchkit.runners.base import Runner
from searchkit.runners.opening import open_runner
from searchkit.training.train import train

pytestmark = pytest.mark.model

TEXTS = [f"{'a word and ' * (n % 40)} number {n}" for n in range(300)]
MANY_TEXTS = TEXTS * 7  # enough to wake the GPU
ON_GPU = partial(exact.choose_precision, torch_from=-1, gpu_from=-1)  # if it has room


@pytest.fixture(autouse=True)
def _needs_a_gpu() -> None:
    import torch

    if not torch.cuda.is_available():
        pytest.skip("needs a GPU")


@pytest.fixture
def runner(tmp_path: Path) -> Iterator[Runner]:
    pytest.importorskip("ray", reason="needs searchkit[ray]")
    with open_runner("ray", tmp_path) as opened:
        assert opened is not None
        yield opened


def test_many_texts_are_embedded_on_it(tiny: Path) -> None:
    encoder = load_encoder(str(tiny))
    assert isinstance(encoder, OffloadingEncoder)
    wanted = load_encoder(str(tiny), device="cpu").encode(MANY_TEXTS)
    vectors = encoder.encode(MANY_TEXTS)
    assert isinstance(encoder._device_encoder, GpuEncoder)
    assert encoder._device_encoder._model.device.type == "cuda"
    assert float((vectors * wanted).sum(1).min()) > 0.9995


def test_what_does_not_fit_is_mined_on_the_cpu(monkeypatch) -> None:
    vectors = unit(400, 32, clusters=20)
    monkeypatch.setattr(exact, "choose_precision", ON_GPU)
    monkeypatch.setattr(products, "GPU_RESERVED_BYTES", 10**15)
    tiling = exact.Tiling.of(400, None, None)
    assert exact.choose_precision(tiling, 32, products.gpu_holds) != exact.GPU
    assert len(mine_pairs(vectors, 0.8)) > 100


def test_workers_mine_on_it(runner: Runner, monkeypatch) -> None:
    assert runner.gpus >= 1
    vectors = unit(6_000, 64, clusters=300)
    wanted = as_dict(mine_pairs(vectors, 0.8))
    monkeypatch.setattr(exact, "choose_precision", ON_GPU)
    found = as_dict(sorted_pairs(mine_blocks(vectors, 0.8, runner=runner)))
    assert len(wanted) > 1_000 and found.keys() == wanted.keys()
    assert max(abs(found[pair] - wanted[pair]) for pair in wanted) < 1e-6


def test_workers_embed_on_it(runner: Runner, tiny: Path, caplog) -> None:
    encoder = load_encoder(str(tiny), device="cpu")
    with caplog.at_level(logging.WARNING, "searchkit"):
        vectors = DistributedEncoder(encoder, runner).encode(MANY_TEXTS)
    assert float((vectors * encoder.encode(MANY_TEXTS)).sum(1).min()) > 0.9995
    assert not caplog.messages


def test_only_who_asks_for_it_sees_it(runner: Runner) -> None:
    name = "CUDA_VISIBLE_DEVICES"
    assert list(runner.run(os.getenv, [name])) == [""]
    assert list(runner.run(os.getenv, [name], gpu=True)) == ["0"]


def test_a_model_is_trained_on_it_and_used_without(tiny: Path, tmp_path: Path) -> None:
    found = pairs(each=24)
    settings = replace(FAST, epochs=8, learning_rate=3e-3)
    trained = train(found, tmp_path / "out", model=str(tiny), settings=settings)
    assert trained.score_before is not None
    assert max(score for _, score in trained.scores) > trained.score_before + 0.1
    one, other = (load_encoder(str(trained.path), device=d) for d in ("cpu", "cuda"))
    texts = [pair.sentence_0 for pair in found]
    assert np.allclose((one.encode(texts) * other.encode(texts)).sum(1), 1, atol=5e-4)
