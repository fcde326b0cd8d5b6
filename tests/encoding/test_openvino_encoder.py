"""The compiled encoder against torch, and against itself in other company."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from searchkit.core.arrays import unit_rows
from searchkit.core.errors import BadInput
from searchkit.encoding.batch_encoder import EncoderConfig
from searchkit.encoding.cache import read_network
from searchkit.encoding.loading import load_encoder
from searchkit.encoding.models.names import find_model
from searchkit.encoding.openvino_encoder import CompiledEncoder
from searchkit.encoding.openvino_runtime import openvino_core

TEXTS = [
    "yes",
    "",
    "The event loop runs callbacks when the stack is empty.",
    "it dont work",
    "Größe, naïve, 東京, 😀 and a lone \ud800",
    "UDP has a header of 8 bytes and no handshake. " * 60,
    "nul \x00 and bell \x07",
    *(f"Answer {n}: " + "streams hand on data " * n for n in range(1, 40)),
]


class FakeNetwork:
    """Gives each text the vector (number of its tokens, first token, 1); remembers the shapes."""

    def __init__(self, poison: int | None = None) -> None:
        self.poison = poison
        self.shapes: list[tuple[int, int]] = []

    def create_infer_request(self) -> FakeRequest:
        return FakeRequest(self)

    def get_property(self, name: str) -> int:
        assert name == "OPTIMAL_NUMBER_OF_INFER_REQUESTS"
        return 2


class FakeRequest:
    def __init__(self, network: FakeNetwork) -> None:
        self.network = network
        self.data = np.empty((0, 3))

    def start_async(self, tensors: list[Any]) -> None:
        ids, mask = tensors
        self.network.shapes.append(ids.shape)
        first = np.take_along_axis(ids, mask.argmax(axis=1)[:, None], axis=1)[:, 0]
        self.data = np.stack([mask.sum(axis=1), first, np.ones(len(ids))], axis=1).astype(float)
        if self.network.poison is not None:
            self.data[mask.sum(axis=1) == self.network.poison] = np.nan

    def wait(self) -> None:
        pass

    def get_output_tensor(self, index: int) -> FakeRequest:
        return self


def fake(network: FakeNetwork, **changes: Any) -> CompiledEncoder:
    vocabulary = {"[PAD]": 0, "[CLS]": 1, "[UNK]": 2, "query": 3, "passage": 4, "a": 5, "b": 6}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A [CLS]", special_tokens=[("[CLS]", 1)]
    )
    settings: dict[str, Any] = {
        "name": "fake",
        "fingerprint": "0",
        "dimension": 3,
        "window": 49,
        "max_tokens": 50,
        "inputs": ("input_ids", "attention_mask"),
        "pad_id": 0,
        "pad_left": False,
        "truncate_left": False,
        "query_prompt": "",
        "document_prompt": "",
    }
    return CompiledEncoder(EncoderConfig(**{**settings, **changes}), tokenizer, network)


def counts(vectors: np.ndarray[Any, Any]) -> list[int]:
    return [round(row[0] / row[2]) for row in vectors]


def test_order_batches_and_progress() -> None:
    network, done = FakeNetwork(), list[tuple[int, int]]()
    lengths = [*range(60), 3, 3, 3, 40]
    vectors = fake(network).encode(
        ["a " * length for length in lengths], lambda *now: done.append(now)
    )
    assert counts(vectors) == [min(length + 1, 50) for length in lengths]
    assert done[-1] == (len(lengths), len(lengths))
    assert [width for _, width in network.shapes] == sorted(
        {width for _, width in network.shapes}, reverse=True
    )
    assert {width for _, width in network.shapes} == {*range(1, 33), 40, 48, 50}
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-6)


def test_a_batch_holds_so_many_tokens() -> None:
    network = FakeNetwork()
    fake(network).encode(["a " * 39] * 1000)
    assert {rows * width for rows, width in network.shapes[:-1]} == {51 * 40}


def test_nothing_to_embed() -> None:
    vectors = fake(FakeNetwork()).encode([])
    assert vectors.shape == (0, 3)
    assert vectors.dtype == np.float32


def test_prompts_and_padding_side() -> None:
    encoder = fake(FakeNetwork(), query_prompt="query ", document_prompt="passage ")
    assert [round(row[1] / row[2]) for row in encoder.encode(["a", "b b b"])] == [4, 4]
    assert [round(row[1] / row[2]) for row in encoder.encode_queries(["a", "b b b"])] == [3, 3]
    left = fake(FakeNetwork(), pad_left=True).encode(["a " * 35, "b " * 34])
    assert counts(left) == [36, 35]
    assert [round(row[1] / row[2]) for row in left] == [5, 6]


def test_truncation_keeps_the_closing_token_and_the_right_end() -> None:
    texts = ["a " * 60 + "b"]
    assert round(fake(FakeNetwork()).encode(texts)[0, 1] * 1e6) > 0
    assert counts(fake(FakeNetwork()).encode(texts)) == [50]
    assert counts(fake(FakeNetwork(), truncate_left=True).encode(["b " * 60])) == [50]


def test_a_model_that_gives_nan_is_named_with_the_text() -> None:
    with pytest.raises(
        BadInput, match=r"^the model gave NaN or infinity for text 2 of 3 \('a b'\)"
    ):
        fake(FakeNetwork(poison=3)).encode(["a", "a b", "a b a"])
    with pytest.raises(BadInput, match=r"the model gave zeros for text 1 of 1 \('aaa.*…'\)"):
        unit_rows(np.zeros((1, 3), np.float32), ["a" * 100])


def test_an_interrupted_run_waits_for_the_network() -> None:
    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    encoder = fake(FakeNetwork())
    with pytest.raises(KeyboardInterrupt):
        encoder.encode(["a", "a a", "a a a"], stop)
    assert counts(encoder.encode(["a"])) == [2]


@pytest.fixture(scope="module")
def bundled() -> Iterator[CompiledEncoder]:
    encoder = load_encoder(device="cpu")
    assert isinstance(encoder, CompiledEncoder)
    yield encoder


@pytest.mark.model
def test_what_is_known_of_the_bundled_model(bundled: CompiledEncoder) -> None:
    assert bundled.name == "all-MiniLM-L6-v2"
    assert (bundled.dimension, bundled.window) == (384, 254)
    # Every index of the bundled model has it: it must never change.
    assert bundled.fingerprint == "8e7268f21021c82e334cca1851b5ea30f416588a1113722d74e4bcf172164b63"
    assert bundled.tokenizer.truncation is None
    assert bundled.tokenizer.padding is None
    assert bundled.encode([]).shape == (0, 384)


@pytest.mark.model
@pytest.mark.parametrize(
    "cores", [{"INFERENCE_NUM_THREADS": 1}, {"PERFORMANCE_HINT": "LATENCY"}], ids=str
)
def test_a_vector_does_not_depend_on_the_cores(
    bundled: CompiledEncoder, cores: dict[str, Any]
) -> None:
    network = read_network(bundled.fingerprint)
    assert network
    settings = {"INFERENCE_PRECISION_HINT": bundled.config.precision}
    settings["DYNAMIC_QUANTIZATION_GROUP_SIZE"] = "0"
    others = openvino_core().compile_model(network, "CPU", settings | cores)
    encoder = CompiledEncoder(bundled.config, bundled.tokenizer, others)
    np.testing.assert_array_equal(bundled.encode(TEXTS), encoder.encode(TEXTS))


@pytest.mark.model
def test_a_vector_does_not_depend_on_its_neighbours(bundled: CompiledEncoder) -> None:
    together = bundled.encode(TEXTS)
    alone = np.concatenate([bundled.encode([text]) for text in TEXTS])
    np.testing.assert_array_equal(together, alone)
    np.testing.assert_array_equal(bundled.encode(TEXTS[::-1])[::-1], together)
    np.testing.assert_array_equal(bundled.encode_queries(TEXTS), together)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, rtol=1e-6)


@pytest.mark.model
def test_equal_to_sentence_transformers(bundled: CompiledEncoder) -> None:
    from searchkit.encoding.torch_encoder import load_torch

    # Window and truncation too: one text is twice as long as the window.
    wanted = load_torch(find_model()).encode(TEXTS)
    assert float(np.sum(bundled.encode(TEXTS) * wanted, axis=1).min()) >= 0.9999
    assert bundled.window == load_torch(find_model()).window
