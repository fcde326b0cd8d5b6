"""Compiling a sentence-transformers model into one OpenVINO network.

All modules of the model are traced together, and the network is used only if its vectors agree with
torch's.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from searchkit.core.arrays import Float32, unit_rows
from searchkit.core.errors import BadInput, ModelRefused, first_line
from searchkit.encoding.batch_encoder import INPUTS, EncoderConfig
from searchkit.encoding.encoder import fast_fingerprint
from searchkit.encoding.models.folder import ModelFolder
from searchkit.encoding.openvino_encoder import INT8, CompiledEncoder, load_network
from searchkit.encoding.openvino_runtime import block_imports, half_precisions, openvino

if TYPE_CHECKING:
    from openvino import Model, Node
    from sentence_transformers import SentenceTransformer
    from tokenizers import Tokenizer
    from torch import Tensor


Encode = Callable[[Sequence[str]], Float32]
# Lowest cosine between a network's vectors and torch's in single precision at which it is used.
MIN_COSINE = 0.9999
# The same for the precision "fast", compared with the exact network.
MIN_FAST_COSINE = 0.99
# The half precision of a network that is compiled on a CPU without one, which computes it in f32;
# with the same cache, another CPU computes it in half precision.
MISSING_HALF = "bf16"
# Weights of a row that share a scale in a network with 8-bit weights (measured in
# docs/figures/ingest.md); rows of another multiple have one scale.
WEIGHT_GROUP = 64
# Token limit of models that have none of their own.
MAX_TOKENS = 8192
# Texts on which a network is compared with torch: from one word to more than a window.
PROBE_TEXTS = (
    "yes",
    "No submission.",
    "The bulb is in a closed path with the battery, so it lights up.",
    "Middleware is a function that gets the request, the response and next().",
    "it dont work becuase teh loop never ends",
    "const server = http.createServer((req, res) => { res.end('ok'); }); // port 3000",
    "Größe, naïve façade, 東京, привет, 😀",
    "The event loop takes a callback when the stack is empty. " * 4,
    "A stream hands on its data piece by piece; a buffer holds all of it at once. " * 12,
    "UDP has a header of 8 bytes and no handshake, TCP keeps order and sends again. " * 40,
)


class NotCompilable(Exception):
    """Why a model can only run on torch, or can't be computed with 8-bit integers."""


def compile_model(model: SentenceTransformer, folder: ModelFolder) -> tuple[CompiledEncoder, Model]:
    """Compile a loaded model and compare its vectors with torch's.

    Args:
        model: The model on the CPU, in single precision.
        folder: The folder that it was loaded from.

    Returns:
        The encoder, in the fastest precision that reaches `MIN_COSINE`, and its OpenVINO network.

    Raises:
        NotCompilable: If OpenVINO can't convert the model, or the vectors differ from torch's.
        ModelRefused: If the model returns NaN, infinity or zeros, or its prompt fills the window.
    """
    config, tokenizer = _read_config(model, folder.name, folder.fingerprint)
    expected = _torch_vectors(model, folder.name)
    network = _convert(model, config)
    encoder = fastest_encoder(config, tokenizer, network, expected)
    return encoder.with_preparation(folder.prepare), network


def fastest_encoder(
    config: EncoderConfig, tokenizer: Tokenizer, network: Model, expected: Float32
) -> CompiledEncoder:
    """Return the encoder of a network in the fastest precision that reaches `MIN_COSINE`.

    Args:
        config: The encoder's configuration; its precision is replaced.
        tokenizer: The tokenizer, without truncation and padding.
        network: The OpenVINO network.
        expected: The vectors of `PROBE_TEXTS` by the model's own code, as unit rows.

    Raises:
        NotCompilable: If no precision does.
    """
    cosine = 0.0
    for precision in (*half_precisions(), "f32"):
        config = replace(config, precision=precision)
        encoder = CompiledEncoder(config, tokenizer, load_network(network, precision))
        cosine = lowest_cosine(encoder.encode, expected)
        if cosine >= MIN_COSINE:
            return encoder
    raise NotCompilable(f"compiled, its vectors aren't its own (cosine {cosine:.4f})")


def compile_fast(exact: CompiledEncoder, network: Model) -> tuple[CompiledEncoder, Model]:
    """Return an encoder with the precision "fast", and its OpenVINO network.

    It computes with 8-bit integers, or in half precision if no layer can.

    Args:
        exact: The encoder of the same model with the precision "exact".
        network: Its network, which is changed.

    Raises:
        NotCompilable: If the vectors differ more than `MIN_FAST_COSINE` allows.
    """
    halves = half_precisions() or [MISSING_HALF]
    precision = INT8 if list(_dense_layers(network)) else halves[0]
    quantize_weights(network)
    fingerprint = fast_fingerprint(exact.fingerprint)
    config = replace(exact.config, fingerprint=fingerprint, precision=precision)
    encoder = CompiledEncoder(config, exact.tokenizer, load_network(network, precision))
    cosine = lowest_cosine(encoder.encode, exact.encode(PROBE_TEXTS))
    if cosine < MIN_FAST_COSINE:
        raise NotCompilable(f"in {precision} its vectors aren't its own (cosine {cosine:.4f})")
    return encoder, network


def check_speed(exact: CompiledEncoder, network: Model) -> None:
    """Check that the precision "fast" is faster than a model's exact vectors on this CPU.

    Args:
        exact: The encoder with the precision "exact".
        network: Its network.

    Raises:
        NotCompilable: If it isn't.
    """
    halves = half_precisions()
    if exact.config.precision in halves:
        raise NotCompilable(f"this CPU computes {exact.config.precision} as fast as 8-bit integers")
    if list(_dense_layers(network)):
        if not has_integer_products():
            raise NotCompilable("this CPU has no fast products of 8-bit integers (VNNI)")
    elif not halves:
        raise NotCompilable("its layers gain from half precision alone, which this CPU lacks")


def has_integer_products() -> bool:
    """Whether OpenVINO computes with 8-bit integers here, which it doesn't tell: a layer is tried.

    Where it doesn't, it restores the weights, and the activations aren't rounded.
    """
    opset: Any = openvino().opset13
    generator = np.random.default_rng(0)
    weights, rows = generator.normal(size=(2, WEIGHT_GROUP, WEIGHT_GROUP)).astype(np.float32)
    data = opset.parameter([-1, WEIGHT_GROUP], np.float32)
    layer = opset.matmul(data, _quantized(weights), False, True)
    network = openvino().Model([layer], [data])
    rounded, exact = (load_network(network, name)([rows])[0] for name in (INT8, "f32"))
    return not np.allclose(rounded, exact, atol=1e-3)


def quantize_weights(network: Model) -> None:
    """Replace the weights of a network's dense layers by 8-bit integers with scale and zero point.

    Each `WEIGHT_GROUP` weights of a row have their own; OpenVINO computes such a layer with 8-bit
    integers if it is told to quantize the activations, too.
    """
    for layer, weights in list(_dense_layers(network)):
        layer.input(1).replace_source_output(_quantized(weights).output(0))
    network.validate_nodes_and_infer_types()


def _dense_layers(network: Model) -> Iterator[tuple[Node, Float32]]:
    """Yield the layers whose weights, `(outputs, inputs)`, can be rounded to 8 bits."""
    for layer in network.get_ordered_ops():
        if layer.get_type_name() != "MatMul" or not layer.get_attributes()["transpose_b"]:
            continue
        constant: Any = layer.input_value(1).get_node()
        if constant.get_type_name() != "Constant" or constant.data.dtype != np.float32:
            continue
        if constant.data.ndim == 2:
            yield layer, constant.data


def _quantized(weights: Float32) -> Node:
    """Return a node whose value are the weights, `(outputs, inputs)`, rounded to 8 bits."""
    opset: Any = openvino().opset13
    outputs, inputs = weights.shape
    group = WEIGHT_GROUP if inputs % WEIGHT_GROUP == 0 else inputs
    grouped = weights.reshape(outputs, inputs // group, group)
    low = grouped.min(axis=2, keepdims=True).clip(max=0)
    high = grouped.max(axis=2, keepdims=True).clip(min=0)
    scale = np.where(high > low, (high - low) / 255, 1).astype(np.float32)
    zero = np.rint(-low / scale)
    integers = np.rint(grouped / scale + zero).clip(0, 255)
    centred = opset.subtract(
        opset.convert(opset.constant(integers.astype(np.uint8)), "f32"),
        opset.convert(opset.constant(zero.astype(np.uint8)), "f32"),
    )
    restored = opset.multiply(centred, opset.constant(scale))
    shape = opset.constant(np.array([outputs, inputs], np.int64))
    node: Node = opset.reshape(restored, shape, special_zero=False)
    return node


def _torch_vectors(model: SentenceTransformer, name: str) -> Float32:
    vectors = np.asarray(model.encode_document(list(PROBE_TEXTS)), np.float32)
    try:
        return unit_rows(vectors, PROBE_TEXTS)
    except BadInput as error:
        raise ModelRefused(f"{name}: is damaged: {error}") from None


def lowest_cosine(encode: Encode, expected: Float32) -> float:
    """Return the lowest cosine between the vectors of `PROBE_TEXTS` and those expected.

    Args:
        encode: Returns unit rows.
        expected: `(len(PROBE_TEXTS), d)` unit rows.
    """
    try:
        return float(np.sum(encode(PROBE_TEXTS) * expected, axis=1).min())
    except BadInput:
        # Some models overflow in half precision.
        return 0.0


def _read_config(
    model: SentenceTransformer, name: str, fingerprint: str
) -> tuple[EncoderConfig, Tokenizer]:
    """Ask sentence-transformers itself how it turns a text into tensors."""
    from tokenizers import Tokenizer

    if any(getattr(module, "include_prompt", True) is False for module in model):
        raise NotCompilable("its pooling leaves out the prompt")
    features = model.preprocess(["A text.", "Another one, and longer."])
    names = [key for key, value in features.items() if hasattr(value, "shape")]
    backend = getattr(model.tokenizer, "backend_tokenizer", None)
    if backend is None or not set(names) <= set(INPUTS) or "input_ids" not in names:
        raise NotCompilable(f"it takes {', '.join(names)}")
    tokenizer = Tokenizer.from_str(backend.to_str())
    tokenizer.no_truncation()
    tokenizer.no_padding()
    document = document_prompt(model)
    limit = max_tokens(model)
    config = EncoderConfig(
        name=name,
        fingerprint=fingerprint,
        dimension=embedding_dimension(model),
        window=text_window(name, tokenizer, limit, document),
        max_tokens=limit,
        inputs=tuple(names),
        pad_id=backend.padding["pad_id"],
        pad_left=backend.padding["direction"] == "left",
        truncate_left=(backend.truncation or {}).get("direction") == "left",
        query_prompt=query_prompt(model),
        document_prompt=document,
    )
    return config, tokenizer


def embedding_dimension(model: SentenceTransformer) -> int:
    """Return the number of components of the model's vectors."""
    dimension: Any = model.get_embedding_dimension()
    return int(dimension)


def max_tokens(model: SentenceTransformer) -> int:
    """Return the number of tokens, including special ones, at which the model truncates a text."""
    # Models without a limit report 10³⁰ or None.
    return min(model.max_seq_length or MAX_TOKENS, MAX_TOKENS)


def text_window(name: str, tokenizer: Tokenizer, limit: int, prompt: str) -> int:
    """Return how many of `limit` tokens are left for a text after prompt and special tokens.

    Raises:
        ModelRefused: If no token is left.
    """
    taken = len(tokenizer.encode(prompt)) if prompt else tokenizer.num_special_tokens_to_add(False)
    if taken >= limit:
        raise ModelRefused(
            f"{name}: its window of {limit} tokens is full before any text ({taken})"
        )
    return limit - taken


def query_prompt(model: SentenceTransformer) -> str:
    """Return the prefix that `encode_query` of sentence-transformers adds to a text."""
    return _first_prompt(model, "query", model.default_prompt_name)


def document_prompt(model: SentenceTransformer) -> str:
    """Return the prefix that `encode_document` of sentence-transformers adds to a text."""
    return _first_prompt(model, "document", "passage", "corpus", model.default_prompt_name)


def _first_prompt(model: SentenceTransformer, *names: str | None) -> str:
    prompts: Mapping[Any, str | None] = model.prompts
    return str(next((prompts[name] for name in names if name in prompts), None) or "")


def _convert(model: SentenceTransformer, config: EncoderConfig) -> Model:
    """Trace all modules of a model as one network: token ids in, vectors out."""
    import torch

    class SentenceEmbedding(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, *tensors: Tensor) -> Tensor:
            features: dict[str, Any] = dict(zip(config.inputs, tensors, strict=True))
            embedding: Tensor = self.model({**features, "modality": "text"})["sentence_embedding"]
            return embedding

    features = model.preprocess(["A text to trace with.", "Another."])
    example = tuple(features[name] for name in config.inputs)
    openvino()
    with block_imports("openvino_telemetry"), quiet():
        from openvino.tools.ovc import convert_model

        try:
            return convert_model(SentenceEmbedding().eval(), example_input=example)
        except Exception as error:
            # Each layer of OpenVINO raises exceptions of its own; all mean the same here.
            raise NotCompilable(first_line(error)[:80]) from None


@contextmanager
def quiet() -> Iterator[None]:
    """Silence warnings, log messages and progress bars of torch and transformers."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import transformers

        bars: Any = transformers.utils.logging
        had_bars, level = bars.is_progress_bar_enabled(), logging.root.manager.disable
        bars.disable_progress_bar()
        logging.disable(logging.WARNING)
        try:
            yield
        finally:
            logging.disable(level)
            if had_bars:
                bars.enable_progress_bar()
