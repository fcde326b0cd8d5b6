"""Batches of tokens: what every encoder with a network of its own does around the network."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from searchkit.core.arrays import Float32, Int64, Intp, unit_rows
from searchkit.core.progress import Counter, Progress
from searchkit.text.passages import well_formed
from searchkit.text.preparation import prepare

if TYPE_CHECKING:
    from tokenizers import Encoding, Tokenizer


# Tensors that a text model may take.
INPUTS = ("input_ids", "attention_mask", "token_type_ids")
# Tokens in one inference: fewer leave the cores idle, more don't fit the CPU's cache (measured in
# benchmarks/bench_encoder.py).
BATCH_TOKENS = 2048
# Texts tokenized at once: bounds the memory, but is enough to fill batches of every width.
BLOCK_TEXTS = 8192
# A text is padded to a width that depends on its own length only, so that its vector doesn't depend
# on its neighbours, bit for bit, and the network sees few shapes: widths up to EXACT_WIDTH are left
# as they are, longer ones rounded up to a multiple of WIDTH_STEP.
EXACT_WIDTH, WIDTH_STEP = 32, 8
# Rows of the texts in a batch, and the input tensors, `(rows, width)` each.
Batch = tuple[Intp, list[Int64]]
# Number of texts before a block, and the tokens of each of its texts.
Block = tuple[int, "list[Encoding]"]


@dataclass(frozen=True, slots=True)
class EncoderConfig:
    """Everything but tokenizer and network that decides how a text becomes a vector.

    Attributes:
        name: The model's name; see `Encoder`.
        fingerprint: The model's fingerprint; see `Encoder`.
        dimension: Number of components of a vector.
        window: Maximum number of tokens in a passage; see `Encoder`.
        max_tokens: Number of tokens, including special ones and prompt, at which texts are
            truncated.
        inputs: Names of the tensors that the network takes, in its order.
        pad_id: Token id that fills up shorter texts.
        pad_left: Whether padding comes before the text.
        truncate_left: Whether truncation removes the beginning of a text.
        query_prompt: Prefix of queries.
        document_prompt: Prefix of documents.
        precision: Precision of the computation, in OpenVINO's names: "f32", "bf16" or "f16"; or
            "int8" for a network with 8-bit weights.
        prepare: How texts are prepared: one of `PREPARATIONS`, or "".
    """

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


class BatchEncoder(ABC):
    """Tokenizes texts and sorts them into batches of equal width; a subclass runs the network."""

    batch_tokens = BATCH_TOKENS
    block_texts = BLOCK_TEXTS

    def __init__(self, config: EncoderConfig, tokenizer: Tokenizer) -> None:
        self.config = config
        self.name = config.name
        self.fingerprint = config.fingerprint
        self.dimension = config.dimension
        self.window = config.window
        self.tokenizer = tokenizer
        self._truncating_tokenizer: Tokenizer | None = None

    @abstractmethod
    def _infer(self, batches: Generator[Batch]) -> Generator[tuple[Intp, Float32]]:
        """Yield the rows of each batch and their vectors, `(rows, d)`, of any length."""

    def _ahead(self, blocks: Generator[Block]) -> Generator[Block]:
        """Return the blocks; a subclass may tokenize some of them in advance."""
        return blocks

    def encode(self, texts: Sequence[str], progress: Progress | None = None) -> Float32:
        """Embed documents; see `Encoder.encode`."""
        return self._embed(texts, self.config.document_prompt, progress)

    def encode_queries(self, texts: Sequence[str]) -> Float32:
        """Embed queries; see `Encoder.encode_queries`."""
        return self._embed(texts, self.config.query_prompt, None)

    def _embed(self, texts: Sequence[str], prompt: str, progress: Progress | None) -> Float32:
        vectors = np.empty((len(texts), self.dimension), np.float32)
        counter = Counter(progress, len(texts))
        with closing(self._infer(self._batches(self._ahead(self._blocks(texts, prompt))))) as done:
            for rows, batch_vectors in done:
                vectors[rows] = batch_vectors
                counter.advance(len(rows))
        return unit_rows(vectors, texts)

    def _blocks(self, texts: Sequence[str], prompt: str) -> Generator[Block]:
        """Yield the tokens of all texts, some at a time."""
        for start in range(0, len(texts), self.block_texts):
            block = [well_formed(text) for text in texts[start : start + self.block_texts]]
            block = [prompt + text for text in prepare(block, self.config.prepare)]
            yield start, self._tokenize(block)

    def _tokenize(self, texts: list[str]) -> list[Encoding]:
        encodings: list[Encoding] = self.tokenizer.encode_batch_fast(texts)
        limit = self.config.max_tokens
        too_long = [row for row, encoding in enumerate(encodings) if len(encoding) > limit]
        # These are tokenized again: cutting off tokens here would lose the closing special token.
        truncated = self._tokenize_truncated([texts[row] for row in too_long])
        for row, encoding in zip(too_long, truncated, strict=True):
            encodings[row] = encoding
        return encodings

    def _tokenize_truncated(self, texts: list[str]) -> list[Encoding]:
        if not texts:
            return []
        if self._truncating_tokenizer is None:
            from tokenizers import Tokenizer

            side = "left" if self.config.truncate_left else "right"
            self._truncating_tokenizer = Tokenizer.from_str(self.tokenizer.to_str())
            self._truncating_tokenizer.enable_truncation(self.config.max_tokens, direction=side)
        encodings: list[Encoding] = self._truncating_tokenizer.encode_batch_fast(texts)
        return encodings

    def _batches(self, blocks: Generator[Block]) -> Generator[Batch]:
        """Yield batches of equal width, the widest of each block first."""
        with closing(blocks):
            for start, encodings in blocks:
                for rows, width in self._sorted_rows(encodings):
                    yield start + rows, self._tensors([encodings[row] for row in rows], width)

    def _sorted_rows(self, encodings: list[Encoding]) -> Iterator[tuple[Intp, int]]:
        """Yield the rows and the width of each batch of a block."""
        widths = np.array([self._padded_width(len(encoding)) for encoding in encodings], np.intp)
        order = np.argsort(-widths, kind="stable")
        start = 0
        while start < len(order):
            width = int(widths[order[start]])
            size = max(1, self.batch_tokens // max(1, width))
            count = int(np.count_nonzero(widths[order[start : start + size]] == width))
            yield order[start : start + count], width
            start += count

    def _padded_width(self, tokens: int) -> int:
        if tokens <= EXACT_WIDTH:
            return tokens
        return max(tokens, min(-(-tokens // WIDTH_STEP) * WIDTH_STEP, self.config.max_tokens))

    def _tensors(self, encodings: list[Encoding], width: int) -> list[Int64]:
        """Return the network's inputs, `(len(encodings), width)` each."""
        lengths = np.array([len(encoding) for encoding in encodings], np.intp)
        columns = np.arange(width)
        is_token = (  # (texts, width)
            columns >= width - lengths[:, None]
            if self.config.pad_left
            else columns < lengths[:, None]
        )
        tokens = int(lengths.sum())
        tensors = {"attention_mask": is_token.astype(np.int64)}
        for name in {*self.config.inputs} - {"attention_mask"}:
            tensor = np.zeros(is_token.shape, np.int64)
            if name == "input_ids":
                tensor[:] = self.config.pad_id
                ids = chain.from_iterable(encoding.ids for encoding in encodings)
                tensor[is_token] = np.fromiter(ids, np.int64, tokens)
            elif self._has_type_ids:
                ids = chain.from_iterable(encoding.type_ids for encoding in encodings)
                tensor[is_token] = np.fromiter(ids, np.int64, tokens)
            tensors[name] = tensor
        return [tensors[name] for name in self.config.inputs]

    @cached_property
    def _has_type_ids(self) -> bool:
        """Whether a single text has another type than 0; each piece of a template has one."""
        return any(self.tokenizer.encode("a").type_ids)
