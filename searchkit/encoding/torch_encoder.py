"""Embedding with torch: what accelerators need, and models that can't be compiled."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from searchkit.core.arrays import Float32, unit_rows
from searchkit.core.errors import IndexMismatch, ModelRefused
from searchkit.core.messages import Message
from searchkit.core.progress import Counter, Progress
from searchkit.encoding.compiling import (
    document_prompt,
    embedding_dimension,
    max_tokens,
    quiet,
    text_window,
)
from searchkit.encoding.models.folder import ModelFolder
from searchkit.text.passages import well_formed
from searchkit.text.preparation import prepare

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer
    from tokenizers import Tokenizer


# Texts that sentence-transformers embeds in one call.
TORCH_BLOCK_TEXTS = 1024


class TorchEncoder:
    """An encoder that runs sentence-transformers on torch."""

    def __init__(self, folder: ModelFolder, model: SentenceTransformer) -> None:
        self.name = folder.name
        self.fingerprint = folder.fingerprint
        self.dimension = embedding_dimension(model)
        self.tokenizer = _unlimited_tokenizer(model, folder.name)
        self.window = text_window(
            self.name, self.tokenizer, max_tokens(model), document_prompt(model)
        )
        self._model = model
        self._prepare = folder.prepare

    def encode(self, texts: Sequence[str], progress: Progress | None = None) -> Float32:
        """Embed documents; see `Encoder.encode`."""
        return self._embed(self._model.encode_document, texts, progress)

    def encode_queries(self, texts: Sequence[str]) -> Float32:
        """Embed queries; see `Encoder.encode_queries`."""
        return self._embed(self._model.encode_query, texts, None)

    def _embed(
        self, embed: Callable[..., Any], texts: Sequence[str], progress: Progress | None
    ) -> Float32:
        vectors = np.empty((len(texts), self.dimension), np.float32)
        counter = Counter(progress, len(texts))
        order = sorted(range(len(texts)), key=lambda row: -len(texts[row]))
        for start in range(0, len(order), TORCH_BLOCK_TEXTS):
            rows = order[start : start + TORCH_BLOCK_TEXTS]
            block = prepare([well_formed(texts[row]) for row in rows], self._prepare)
            with without_cudnn_attention():
                vectors[rows] = embed(block, show_progress_bar=False)
            counter.advance(len(rows))
        return unit_rows(vectors, texts)


def load_torch(folder: ModelFolder, device: str = "cpu") -> TorchEncoder:
    """Load a model that runs on torch only.

    Args:
        folder: The model's folder.
        device: The device, as torch names it.

    Raises:
        ModelRefused: If sentence-transformers can't load the model.
    """
    return TorchEncoder(folder, load_sentence_transformer(folder, device))


def load_sentence_transformer(
    folder: ModelFolder, device: str, *, half: bool = True
) -> SentenceTransformer:
    """Load a model with sentence-transformers for inference, without running code of its folder.

    Args:
        folder: The model's folder.
        device: The device, as torch names it.
        half: Whether to use half precision; on the CPU it is always single.

    Raises:
        ModelRefused: If sentence-transformers can't load the model.
    """
    with quiet():
        import torch
        from sentence_transformers import SentenceTransformer

        precision = torch.float16 if half and device != "cpu" else torch.float32
        try:
            model = SentenceTransformer(
                str(folder.path),
                device=device,
                local_files_only=True,
                trust_remote_code=False,
                model_kwargs={"use_safetensors": True, "dtype": precision},
            )
        except Exception as error:
            # Whatever in the folder makes transformers fail, users can only repair the folder.
            reason = " ".join(str(error).split())[:200]
            raise ModelRefused(
                f"{folder.name}: sentence-transformers can't load it: {reason}"
            ) from error
    return model.eval()


@contextmanager
def without_cudnn_attention() -> Iterator[None]:
    """Leave out cuDNN's attention, which plans anew for every shape of a batch, for seconds."""
    import torch

    backend: Any = torch.backends.cuda
    was_enabled = backend.cudnn_sdp_enabled()
    backend.enable_cudnn_sdp(False)
    try:
        yield
    finally:
        backend.enable_cudnn_sdp(was_enabled)


def _unlimited_tokenizer(model: SentenceTransformer, name: str) -> Tokenizer:
    """Return a copy of the model's tokenizer without truncation and padding."""
    from tokenizers import Tokenizer

    backend = getattr(model.tokenizer, "backend_tokenizer", None)
    if backend is None:
        raise ModelRefused(f"{name}: has no fast tokenizer; save it with tokenizer.json")
    tokenizer = Tokenizer.from_str(backend.to_str())
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def model_mismatch(folder: ModelFolder, expected: str) -> IndexMismatch:
    """Return the error for a model whose fingerprint isn't the one that an index expects."""
    return IndexMismatch(
        Message(
            "the index was made with the model {expected}…, but {name} is {fingerprint}…; name the "
            "right one with `model`, or make the index anew with searchkit reindex --model {name}",
            expected=expected[:12],
            name=folder.name,
            fingerprint=folder.fingerprint[:12],
        )
    )
