"""Compiling: a loaded sentence-transformers model becomes one OpenVINO network.

All its modules are traced as one, and the result is compared with torch before it is used.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from searchkit.core.arrays import Float32, unit_rows
from searchkit.core.errors import BadInput, ModelRefused, first_line
from searchkit.encoding.model_folder import ModelFolder
from searchkit.encoding.openvino_encoder import INPUTS, CompiledEncoder, EncoderConfig, load_network
from searchkit.encoding.openvino_runtime import block_imports, half_precisions, openvino

if TYPE_CHECKING:
    from tokenizers import Tokenizer


Encode = Callable[[Sequence[str]], Float32]
# Half precision is used only where it stays this near to torch in single precision (cosine).
MIN_COSINE = 0.9999
# What a model without a limit is given.
MAX_TOKENS = 8192
# Read when a model is compiled, to compare with torch: from one word to more than a window.
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
    """Why a model has to stay with torch."""


def compile_model(model: Any, folder: ModelFolder) -> tuple[CompiledEncoder, Any]:  # noqa: ANN401
    """Compile a loaded model and compare it with torch.

    Args:
        model: A `SentenceTransformer` on the CPU, in single precision.
        folder: That it was loaded from.

    Returns:
        The encoder, in the fastest precision that is faithful, and its `openvino.Model`.

    Raises:
        NotCompilable: OpenVINO can't convert it, or the result isn't the same.
        ModelRefused: Its vectors aren't finite, or its prompt fills the window.
    """
    recipe, tokenizer = _recipe(model, folder.name, folder.fingerprint)
    wanted = _torch_vectors(model, folder.name)
    network = _convert(model, recipe)
    found = 0.0
    for precision in (*half_precisions(), "f32"):
        recipe = replace(recipe, precision=precision)
        encoder = CompiledEncoder(recipe, tokenizer, load_network(network, precision))
        found = lowest_cosine(encoder.encode, wanted)
        if found >= MIN_COSINE:
            return encoder.prepared(folder.prepare), network
    raise NotCompilable(f"compiled, its vectors aren't torch's (cosine {found:.4f})")


def _torch_vectors(model: Any, name: str) -> Float32:  # noqa: ANN401
    try:
        return unit_rows(
            np.asarray(model.encode_document(list(PROBE_TEXTS)), np.float32), PROBE_TEXTS
        )
    except BadInput as error:
        raise ModelRefused(f"{name}: is damaged: {error}") from None


def lowest_cosine(encode: Encode, wanted: Float32) -> float:
    """Return the lowest cosine between what `encode` gives for the probes and what is wanted."""
    try:
        return float(np.sum(encode(PROBE_TEXTS) * wanted, axis=1).min())
    except BadInput:
        # Some models overflow in half precision.
        return 0.0


def _recipe(model: Any, name: str, fingerprint: str) -> tuple[EncoderConfig, Tokenizer]:  # noqa: ANN401
    """Read from sentence-transformers itself how it turns a text into tensors."""
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
    recipe = EncoderConfig(
        name=name,
        fingerprint=fingerprint,
        dimension=model.get_embedding_dimension(),
        window=text_window(name, tokenizer, limit, document),
        max_tokens=limit,
        inputs=tuple(names),
        pad_id=backend.padding["pad_id"],
        pad_left=backend.padding["direction"] == "left",
        truncate_left=(backend.truncation or {}).get("direction") == "left",
        query_prompt=query_prompt(model),
        document_prompt=document,
    )
    return recipe, tokenizer


def max_tokens(model: Any) -> int:  # noqa: ANN401
    """Return after how many tokens, special ones included, the model truncates."""
    # Models without a limit of their own say 10³⁰ or None.
    return min(model.max_seq_length or MAX_TOKENS, MAX_TOKENS)


def text_window(name: str, tokenizer: Tokenizer, limit: int, prompt: str) -> int:
    """Return how many tokens of `limit` are left to a text: without prompt and special tokens.

    Raises:
        ModelRefused: No token is left.
    """
    taken = len(tokenizer.encode(prompt)) if prompt else tokenizer.num_special_tokens_to_add(False)
    if taken >= limit:
        raise ModelRefused(
            f"{name}: its window of {limit} tokens is full before any text ({taken})"
        )
    return limit - taken


def query_prompt(model: Any) -> str:  # noqa: ANN401
    """Return what `encode_query` of sentence-transformers puts before a text."""
    return str(model.prompts.get("query", model.prompts.get(model.default_prompt_name)) or "")


def document_prompt(model: Any) -> str:  # noqa: ANN401
    """Return what `encode_document` of sentence-transformers puts before a text."""
    names = ("document", "passage", "corpus", model.default_prompt_name)
    return str(next((model.prompts[name] for name in names if name in model.prompts), None) or "")


def _convert(model: Any, recipe: EncoderConfig) -> Any:  # noqa: ANN401
    """Trace all modules as one network: token ids in, vectors out."""
    import torch

    class Whole(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, *tensors: Any) -> Any:  # noqa: ANN401
            features = dict(zip(recipe.inputs, tensors, strict=True))
            return self.model({**features, "modality": "text"})["sentence_embedding"]

    features = model.preprocess(["A text to trace with.", "Another."])
    example = tuple(features[name] for name in recipe.inputs)
    openvino()
    with block_imports("openvino_telemetry"), quiet():
        from openvino.tools.ovc import convert_model

        try:
            return convert_model(Whole().eval(), example_input=example)
        except Exception as error:
            # OpenVINO raises whatever its many layers raise; all mean the same here.
            raise NotCompilable(first_line(error)[:80]) from None


@contextmanager
def quiet() -> Iterator[None]:
    """Keep torch and transformers from talking while they are imported, load and trace."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import transformers

        bars: Any = transformers.utils.logging
        talks, level = bars.is_progress_bar_enabled(), logging.root.manager.disable
        bars.disable_progress_bar()
        logging.disable(logging.WARNING)
        try:
            yield
        finally:
            logging.disable(level)
            if talks:
                bars.enable_progress_bar()
