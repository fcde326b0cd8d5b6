"""The compiled encoder: a sentence-transformers model as one OpenVINO network for the CPU.

A process that embeds with it needs numpy, tokenizers and OpenVINO, and neither torch nor
transformers; `modelcache` keeps it between processes.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from searchkit.core.arrays import Float32, Int64, Intp, unit_rows
from searchkit.core.progress import Counter, Progress
from searchkit.encoding.openvino_runtime import openvino_core
from searchkit.text.passages import well_formed
from searchkit.text.preparation import prepare

if TYPE_CHECKING:
    from tokenizers import Encoding, Tokenizer


# The tensors that a text model may ask for.
INPUTS = ("input_ids", "attention_mask", "token_type_ids")
# Tokens in one inference: fewer leave the cores idle, more leave the cache (measured: benchmarks).
BATCH_TOKENS = 2048
# Texts tokenized at once: bounds the memory, and is long enough to fill batches of every width.
BLOCK_TEXTS = 8192
# A text is padded to a width that follows from its own length alone: so its vector doesn't depend
# on its neighbours, bit for bit, and the network sees few shapes.
EXACT_WIDTH, WIDTH_STEP = 32, 8


@dataclass(frozen=True, slots=True)
class EncoderConfig:
    """Everything but the network that turns a text into a vector."""

    name: str
    fingerprint: str
    dimension: int
    window: int
    max_tokens: int
    inputs: tuple[str, ...]
    pad_id: int
    pad_left: bool
    truncate_left: bool
    query_prompt: str
    document_prompt: str
    precision: str = "f32"
    prepare: str = ""


class CompiledEncoder:
    """An encoder on OpenVINO; equal texts get equal vectors, whatever they are embedded with."""

    batch_tokens = BATCH_TOKENS

    def __init__(self, recipe: EncoderConfig, tokenizer: Tokenizer, network: Any) -> None:  # noqa: ANN401
        self.recipe = recipe
        self.name = recipe.name
        self.fingerprint = recipe.fingerprint
        self.dimension = recipe.dimension
        self.window = recipe.window
        self.tokenizer = tokenizer
        self._network = network
        self._truncating: Tokenizer | None = None

    def prepared(self, how: str) -> CompiledEncoder:
        """Return the same for texts that are prepared before the model reads them."""
        return CompiledEncoder(replace(self.recipe, prepare=how), self.tokenizer, self._network)

    def encode(self, texts: Sequence[str], progress: Progress | None = None) -> Float32:
        """Embed documents.

        Args:
            texts: At most `window` tokens each; what is longer is truncated.
            progress: Called with how many texts are embedded, and of how many.

        Returns:
            `(n, d)` float32, unit rows, in the order of `texts`.

        Raises:
            BadInput: The model gave no usable vector for a text.
        """
        return self._embed(texts, self.recipe.document_prompt, progress)

    def encode_queries(self, texts: Sequence[str]) -> Float32:
        """Embed queries, with the model's query prompt if it has one; as `encode`."""
        return self._embed(texts, self.recipe.query_prompt, None)

    def _embed(self, texts: Sequence[str], prompt: str, progress: Progress | None) -> Float32:
        vectors = np.empty((len(texts), self.dimension), np.float32)
        counter = Counter(progress, len(texts))
        for start in range(0, len(texts), BLOCK_TEXTS):
            block = [well_formed(text) for text in texts[start : start + BLOCK_TEXTS]]
            block = [prompt + text for text in prepare(block, self.recipe.prepare)]
            for rows, found in self._infer(self._batches(self._tokenize(block))):
                vectors[start + rows] = found
                counter.advance(len(rows))
        return unit_rows(vectors, texts)

    def _tokenize(self, texts: list[str]) -> list[Encoding]:
        encodings: list[Encoding] = self.tokenizer.encode_batch_fast(texts)
        long = [row for row, got in enumerate(encodings) if len(got) > self.recipe.max_tokens]
        # Cutting the tokens here would lose the closing special token.
        for row, encoding in zip(long, self._truncated([texts[row] for row in long]), strict=True):
            encodings[row] = encoding
        return encodings

    def _truncated(self, texts: list[str]) -> list[Encoding]:
        if not texts:
            return []
        if self._truncating is None:
            from tokenizers import Tokenizer

            side = "left" if self.recipe.truncate_left else "right"
            self._truncating = Tokenizer.from_str(self.tokenizer.to_str())
            self._truncating.enable_truncation(self.recipe.max_tokens, direction=side)
        encodings: list[Encoding] = self._truncating.encode_batch_fast(texts)
        return encodings

    def _batches(self, encodings: list[Encoding]) -> Iterator[tuple[Intp, list[Int64]]]:
        """Yield (rows, input tensors) of equal width, the longest first."""
        widths = np.array([self._width(len(encoding)) for encoding in encodings], np.intp)
        order = np.argsort(-widths, kind="stable")
        start = 0
        while start < len(order):
            width = int(widths[order[start]])
            size = max(1, self.batch_tokens // max(1, width))
            same = int(np.count_nonzero(widths[order[start : start + size]] == width))
            rows = order[start : start + same]
            yield rows, self._tensors([encodings[row] for row in rows], width)
            start += same

    def _width(self, tokens: int) -> int:
        if tokens <= EXACT_WIDTH:
            return tokens
        return max(tokens, min(-(-tokens // WIDTH_STEP) * WIDTH_STEP, self.recipe.max_tokens))

    def _tensors(self, encodings: list[Encoding], width: int) -> list[Int64]:
        tensors = {name: np.zeros((len(encodings), width), np.int64) for name in INPUTS}
        tensors["input_ids"][:] = self.recipe.pad_id
        for row, encoding in enumerate(encodings):
            length = len(encoding)
            place = slice(width - length, width) if self.recipe.pad_left else slice(0, length)
            tensors["input_ids"][row, place] = encoding.ids
            tensors["attention_mask"][row, place] = 1
            tensors["token_type_ids"][row, place] = encoding.type_ids
        return [tensors[name] for name in self.recipe.inputs]

    def _infer(self, batches: Iterator[tuple[Intp, list[Int64]]]) -> Iterator[tuple[Intp, Float32]]:
        """Run the batches, one ahead: the next is prepared while the cores work on this one."""
        requests = [self._network.create_infer_request() for _ in range(2)]
        running: tuple[Intp, Any] | None = None
        try:
            for turn, (rows, tensors) in enumerate(batches):
                request = requests[turn % 2]
                request.start_async(tensors)
                previous, running = running, (rows, request)
                if previous:
                    yield previous[0], _result(previous[1])
            if running:
                yield running[0], _result(running[1])
                running = None
        finally:
            if running:
                running[1].wait()


def load_network(
    network: Any,  # noqa: ANN401
    precision: str,
    blob: bytes | None = None,
) -> Any:  # noqa: ANN401
    """Make a network ready to run on this CPU.

    Args:
        network: An `openvino.Model`, or the path of its .xml file with the .bin beside it.
        precision: One of `half_precisions()`, or "f32".
        blob: What `export_model` gave on this very CPU; saves half the time.
    """
    # Size: the blob leaves out the weights, which stay in the .bin file.
    settings = {"INFERENCE_PRECISION_HINT": precision, "CACHE_MODE": "OPTIMIZE_SIZE"}
    settings["PERFORMANCE_HINT"] = "LATENCY"
    if blob is None:
        return openvino_core().compile_model(network, "CPU", settings)
    settings["WEIGHTS_PATH"] = str(Path(network).with_suffix(".bin"))
    return openvino_core().import_model(io.BytesIO(blob), "CPU", settings)


def _result(request: Any) -> Float32:  # noqa: ANN401
    request.wait()
    vectors: Float32 = np.array(request.get_output_tensor(0).data, np.float32)
    return vectors
