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
from searchkit.encoding.model_folder import ModelFolder
from searchkit.encoding.openvino_encoder import CompiledEncoder, load_network
from searchkit.encoding.openvino_runtime import block_imports, half_precisions, openvino

if TYPE_CHECKING:
    from openvino import Model
    from sentence_transformers import SentenceTransformer
    from tokenizers import Tokenizer
    from torch import Tensor


Encode = Callable[[Sequence[str]], Float32]
# Lowest cosine between a network's vectors and torch's in single precision at which it is used.
MIN_COSINE = 0.9999
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
    """Why a model can only run on torch."""


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
