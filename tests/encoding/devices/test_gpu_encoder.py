"""The encoder that keeps a GPU busy, with a network on the CPU in place of the GPU."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from torch import Tensor

from searchkit.core.errors import BadInput
from searchkit.encoding.batch_encoder import EncoderConfig
from searchkit.encoding.devices import gpu_encoder
from searchkit.encoding.devices.gpu_encoder import DeviceFailed, GpuEncoder
from searchkit.encoding.openvino_encoder import CompiledEncoder
from searchkit.encoding.torch_encoder import without_cudnn_attention

INPUTS = ("input_ids", "attention_mask", "token_type_ids")


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    yield
    assert not [thread for thread in threading.enumerate() if thread.name == "run_ahead"]


class FakeModel:
    """Gives each text the vector (number of its tokens, sum of its tokens, 1)."""

    device = torch.device("cpu")

    def __init__(self, most_rows: int = 10**9, error: Exception | None = None) -> None:
        self.shapes: list[tuple[int, int]] = []
        self.most_rows = most_rows
        self.error = error

    def __call__(self, features: dict[str, Any]) -> dict[str, Tensor]:
        assert torch.is_inference_mode_enabled()
        assert not torch.backends.cuda.cudnn_sdp_enabled()
        ids, mask = features["input_ids"], features["attention_mask"]
        if len(ids) > self.most_rows:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20 GiB\nmore")
        if self.error:
            raise self.error
        self.shapes.append(tuple(ids.shape))
        rows = [mask.sum(1), (ids * mask).sum(1), torch.ones(len(ids))]
        return {"sentence_embedding": torch.stack(rows, 1).half()}


def gpu(model: FakeModel, **changes: Any) -> GpuEncoder:
    vocabulary = {"[PAD]": 0, "[CLS]": 1, "[UNK]": 2, "a": 3, "b": 4}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A [CLS]", special_tokens=[("[CLS]", 1)]
    )
    settings: dict[str, Any] = {
        "name": "fake",
        "fingerprint": "0",
        "dimension": 3,
        "window": 99,
        "max_tokens": 100,
        "inputs": INPUTS,
        "pad_id": 0,
        "pad_left": False,
        "truncate_left": False,
        "query_prompt": "",
        "document_prompt": "",
    }
    cpu_encoder = CompiledEncoder(EncoderConfig(**{**settings, **changes}), tokenizer, None)  # type: ignore[arg-type]
    return GpuEncoder(cpu_encoder, model)  # type: ignore[arg-type]


def token_counts(vectors: Any) -> list[int]:
    return [round(float(row[0] / row[2])) for row in vectors]


@pytest.mark.parametrize("pad_left", [False, True])
def test_order_and_widths_over_many_blocks(monkeypatch: pytest.MonkeyPatch, pad_left: bool) -> None:
    monkeypatch.setattr(GpuEncoder, "block_texts", 7)
    model, done = FakeModel(), list[tuple[int, int]]()
    lengths = [n * 37 % 120 for n in range(200)]
    encoder = gpu(model, pad_left=pad_left)
    vectors = encoder.encode(["a " * n for n in lengths], lambda *now: done.append(now))
    assert token_counts(vectors) == [min(n + 1, 100) for n in lengths]
    assert done[-1] == (200, 200)
    assert {width for _, width in model.shapes} <= {16, 32, 48, 64, 96, 100}
    np.testing.assert_array_equal(vectors, encoder.encode(["a " * n for n in lengths]))
    assert encoder.encode([]).shape == (0, 3)
    assert torch.backends.cuda.cudnn_sdp_enabled(), "others in this process may want it"


def test_long_windows_have_few_widths() -> None:
    encoder = gpu(FakeModel(), max_tokens=5000)
    widths = [encoder._padded_width(n) for n in (1, 16, 17, 512, 513, 1024, 1025, 4900, 5000)]
    assert widths == [16, 16, 32, 512, 1024, 1024, 1536, 5000, 5000]


def test_a_batch_too_large_for_the_memory_is_halved() -> None:
    model = FakeModel(most_rows=5)
    encoder = gpu(model)
    before = encoder.batch_tokens
    lengths = [n % 9 for n in range(300)]
    assert token_counts(encoder.encode(["b " * n for n in lengths])) == [n + 1 for n in lengths]
    assert {rows for rows, _ in model.shapes} <= {1, 2, 3, 4, 5}
    assert encoder.batch_tokens < before
    with pytest.raises(DeviceFailed, match=r"^CUDA out of memory\. Tried to allocate 20 GiB$"):
        gpu(FakeModel(most_rows=0)).encode(["a", "b"])


def test_an_error_of_the_device_in_either_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    error = RuntimeError("CUDA error: an illegal memory access\nCompile with …")
    with pytest.raises(DeviceFailed, match=r"^CUDA error: an illegal memory access$"):
        gpu(FakeModel(error=error)).encode(["a"] * 10_000)

    def no_copy(tensor: object) -> Tensor:
        raise error

    monkeypatch.setattr("torch.from_numpy", no_copy)
    with pytest.raises(DeviceFailed, match=r"^CUDA error: an illegal memory access$"):
        gpu(FakeModel()).encode(["a"] * 10_000)


def test_an_error_of_the_tokenizer(monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = gpu(FakeModel())
    monkeypatch.setattr(GpuEncoder, "block_texts", 10)
    tokenize, calls = encoder._tokenize, []

    def broken(texts: list[str]) -> object:
        calls.append(texts)
        if len(calls) == 3:
            raise TypeError("TextInputSequence must be str")
        return tokenize(texts)

    monkeypatch.setattr(encoder, "_tokenize", broken)
    with pytest.raises(TypeError, match=r"TextInputSequence must be str"):
        encoder.encode(["a"] * 100)
    assert token_counts(encoder.encode(["a"])) == [2], "and it can be used again"


def test_an_interrupt_leaves_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(GpuEncoder, "block_texts", 10)

    def interrupt(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        gpu(FakeModel()).encode(["a"] * 1000, interrupt)


def test_a_vector_that_is_not_a_number_is_named_with_its_text() -> None:
    class Poisoned(FakeModel):
        def __call__(self, features: dict[str, Any]) -> dict[str, Tensor]:
            found = super().__call__(features)["sentence_embedding"]
            return {"sentence_embedding": torch.where(found == 3, torch.nan, found)}

    with pytest.raises(BadInput, match=r"NaN or infinity for text 2 of 3 \('a b'\)"):
        gpu(Poisoned()).encode(["a", "a b", "b b b"])


def test_what_a_cuda_device_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pinned memory, copies that don't wait, and vectors that are awaited after their batch."""
    log = list[str]()

    class OnDevice:
        """A tensor that says it is on a GPU."""

        device = torch.device("cuda", 0)

        def __init__(self, tensor: Tensor) -> None:
            self.tensor = tensor

        def __len__(self) -> int:
            return len(self.tensor)

        def float(self) -> OnDevice:
            return OnDevice(self.tensor.float())

        def to(self, device: object, *, non_blocking: bool) -> Tensor:
            log.append(f"fetch to {device}, waiting: {not non_blocking}")
            return self.tensor

    class Recorded:
        def record(self) -> None:
            log.append("record")

        def synchronize(self) -> None:
            log.append("wait")

    class CudaModel(FakeModel):
        device = torch.device("cuda", 0)

        def __call__(self, features: dict[str, Any]) -> Any:
            return {
                "sentence_embedding": OnDevice(super().__call__(features)["sentence_embedding"])
            }

    def pinned(tensor: Tensor) -> Tensor:
        log.append("pin")
        return tensor

    def copied(tensor: Tensor, device: object, *, non_blocking: bool) -> Tensor:
        log.append(f"copy to {device}, waiting: {not non_blocking}")
        return tensor

    monkeypatch.setattr(Tensor, "pin_memory", pinned)
    monkeypatch.setattr(Tensor, "to", copied)
    monkeypatch.setattr("torch.cuda.Event", Recorded)
    monkeypatch.setattr(GpuEncoder, "block_texts", 1)
    assert token_counts(gpu(CudaModel()).encode(["a"] * 6)) == [2] * 6
    assert log.count("pin") == log.count("copy to cuda:0, waiting: False") == 18
    assert log.count("fetch to cpu, waiting: False") == log.count("record") == 6
    launches = [line for line in log if line in ("record", "wait")]
    assert launches == ["record"] * 3 + ["wait", "record"] * 3 + ["wait"] * 3
    assert gpu_encoder.LAUNCHED == 2


def test_cudnn_is_left_as_it_was() -> None:
    backend: Any = torch.backends.cuda
    for state in (True, False):
        backend.enable_cudnn_sdp(state)
        with pytest.raises(ZeroDivisionError), without_cudnn_attention():
            assert not backend.cudnn_sdp_enabled()
            1 / 0  # noqa: B018
        assert backend.cudnn_sdp_enabled() is state
    backend.enable_cudnn_sdp(True)
