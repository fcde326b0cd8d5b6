"""Embedding with torch: on an accelerator, and for models that can't be compiled."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from searchkit.core.arrays import Float32, Int64, Intp, unit_rows
from searchkit.core.errors import IndexMismatch, ModelRefused
from searchkit.core.messages import Message
from searchkit.core.progress import Counter, Progress
from searchkit.encoding.batch_encoder import Batch, BatchEncoder
from searchkit.encoding.compiling import (
    MIN_COSINE,
    PROBE_TEXTS,
    document_prompt,
    embedding_dimension,
    lowest_cosine,
    max_tokens,
    quiet,
    text_window,
)
from searchkit.encoding.encoder import Encoder, Notify
from searchkit.encoding.model_folder import ModelFolder, find_model
from searchkit.encoding.openvino_encoder import CompiledEncoder
from searchkit.text.passages import well_formed
from searchkit.text.preparation import prepare

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer
    from tokenizers import Tokenizer
    from torch import Tensor


# Smaller batches are done on the CPU before torch is imported and a GPU initialized.
MIN_OFFLOAD_TEXTS = 2000
# Texts that sentence-transformers embeds in one call.
TORCH_BLOCK_TEXTS = 1024


class GpuEncoder(BatchEncoder):
    """A compiled model's counterpart on a GPU, run by torch.

    There the last digits of a text's vector may depend on the texts that it is embedded with.
    """

    batch_tokens = 65_536

    def __init__(self, encoder: CompiledEncoder, model: SentenceTransformer) -> None:
        """Initialize the encoder.

        Args:
            encoder: The model on the CPU.
            model: The same model on the GPU.
        """
        super().__init__(encoder.config, encoder.tokenizer)
        self._model = model

    def _infer(self, batches: Iterator[Batch]) -> Iterator[tuple[Intp, Float32]]:
        """Yield the vectors of each batch; the next batch is prepared while one is computed."""
        running: tuple[Intp, Tensor] | None = None
        for rows, tensors in batches:
            previous, running = running, (rows, self._start(tensors))
            if previous:
                yield previous[0], previous[1].float().cpu().numpy()
        if running:
            yield running[0], running[1].float().cpu().numpy()

    def _start(self, tensors: list[Int64]) -> Tensor:
        import torch

        with torch.inference_mode():
            features: dict[str, Any] = {
                name: torch.from_numpy(tensor).to(self._model.device)
                for name, tensor in zip(self.config.inputs, tensors, strict=True)
            }
            embedding: Tensor = self._model({**features, "modality": "text"})["sentence_embedding"]
            return embedding


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
            vectors[rows] = embed(block, show_progress_bar=False)
            counter.advance(len(rows))
        return unit_rows(vectors, texts)


class OffloadingEncoder:
    """An encoder that embeds large batches on an accelerator, and everything else on the CPU.

    torch takes seconds to start there, so it is loaded with the first large batch.
    """

    def __init__(
        self,
        cpu_encoder: Encoder,
        device: str,
        notify: Notify,
        model_name: str | None,
        *,
        min_texts: int = MIN_OFFLOAD_TEXTS,
    ) -> None:
        """Initialize the encoder.

        Args:
            cpu_encoder: The model on the CPU.
            device: The accelerator, as torch names it.
            notify: Receives a message if the accelerator can't be used.
            model_name: The model's name, as `find_model` takes it.
            min_texts: Size of the smallest batch for which the accelerator is initialized.
        """
        self.name = cpu_encoder.name
        self.fingerprint = cpu_encoder.fingerprint
        self.dimension = cpu_encoder.dimension
        self.window = cpu_encoder.window
        self.tokenizer = cpu_encoder.tokenizer
        self._cpu_encoder = cpu_encoder
        self._device = device
        self._notify = notify
        self._model_name = model_name
        self._min_texts = min_texts
        self._bulk_encoder: Encoder | None = None

    def encode(self, texts: Sequence[str], progress: Progress | None = None) -> Float32:
        """Embed documents; see `Encoder.encode`."""
        if len(texts) >= self._min_texts and self._bulk_encoder is None:
            self._bulk_encoder = self._load_bulk_encoder()
        return (self._bulk_encoder or self._cpu_encoder).encode(texts, progress)

    def encode_queries(self, texts: Sequence[str]) -> Float32:
        """Embed queries; see `Encoder.encode_queries`."""
        return self._cpu_encoder.encode_queries(texts)

    def _load_bulk_encoder(self) -> Encoder:
        import torch

        if self._device != "cpu" and not getattr(torch, self._device).is_available():
            self._notify(f"torch can't use {self._device} here; embedding on the CPU")
            return self._cpu_encoder
        folder = find_model(self._model_name)
        if folder.fingerprint != self.fingerprint:
            raise model_mismatch(folder, self.fingerprint)
        encoder = load_gpu_encoder(self._cpu_encoder, folder, self._device)
        if encoder is None:
            self._notify(
                f"{folder.name}: torch on {self._device} gives other vectors than the CPU; "
                "embedding on the CPU"
            )
        return encoder or self._cpu_encoder


def load_gpu_encoder(cpu_encoder: Encoder, folder: ModelFolder, device: str) -> Encoder | None:
    """Load a model on an accelerator, in half precision or, if its error is too large, in single.

    Args:
        cpu_encoder: The model on the CPU.
        folder: The model's folder.
        device: The accelerator, as torch names it.

    Returns:
        The encoder; None if its vectors differ from those of the CPU.

    Raises:
        ModelRefused: If sentence-transformers can't load the model.
    """
    expected = cpu_encoder.encode(PROBE_TEXTS)
    min_cosine = 1 - 2 * (1 - MIN_COSINE)  # twice the error of one: the CPU's may be as large
    for half in (True, False):
        model = load_sentence_transformer(folder, device, half=half)
        encoder: Encoder = (
            GpuEncoder(cpu_encoder, model)
            if isinstance(cpu_encoder, CompiledEncoder)
            else TorchEncoder(folder, model)
        )
        if lowest_cosine(encoder.encode, expected) >= min_cosine:
            return encoder
    return None


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
