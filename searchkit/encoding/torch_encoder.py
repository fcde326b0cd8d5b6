"""Embedding with torch: on an accelerator, and for models that cannot be compiled."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from searchkit.core.arrays import Float32, Int64, Intp
from searchkit.core.errors import IndexMismatch, ModelRefused
from searchkit.core.progress import Counter, Progress
from searchkit.encoding.encoder import Encoder, Notify
from searchkit.encoding.model_folder import ModelFolder, find_model
from searchkit.encoding.openvino_encoder import CompiledEncoder
from searchkit.text.preparation import prepare

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from searchkit.encoding.openvino_encoder import CompiledEncoder


class GpuEncoder(CompiledEncoder):
    """The same model on a GPU.

    There a text's vector may differ in its last digits with what it is embedded beside.
    """

    batch_tokens = 65_536

    def __init__(self, encoder: CompiledEncoder, model: Any) -> None:  # noqa: ANN401
        """Take a model for the CPU, and the same as a `SentenceTransformer` where it shall run."""
        super().__init__(encoder.recipe, encoder.tokenizer, None)
        self._model = model

    def _infer(self, batches: Iterator[tuple[Intp, list[Int64]]]) -> Iterator[tuple[Intp, Float32]]:
        """Run the batches, one ahead: the next is prepared while the GPU works on this one."""
        running: tuple[Intp, Any] | None = None
        for rows, tensors in batches:
            previous, running = running, (rows, self._start(tensors))
            if previous:
                yield previous[0], previous[1].float().cpu().numpy()
        if running:
            yield running[0], running[1].float().cpu().numpy()

    def _start(self, tensors: list[Int64]) -> Any:  # noqa: ANN401
        import torch

        with torch.inference_mode():
            features = {
                name: torch.from_numpy(tensor).to(self._model.device)
                for name, tensor in zip(self.recipe.inputs, tensors, strict=True)
            }
            return self._model({**features, "modality": "text"})["sentence_embedding"]


# Fewer texts than this are embedded before torch is imported and a GPU has woken up.
MIN_OFFLOAD_TEXTS = 2000
TORCH_BLOCK = 1024


class TorchEncoder:
    """An encoder that is sentence-transformers on torch."""

    def __init__(self, folder: ModelFolder, model: Any) -> None:  # noqa: ANN401
        from searchkit.encoding.compiling import document_prompt, max_tokens, text_window

        self.name = folder.name
        self.fingerprint = folder.fingerprint
        self.dimension = int(model.get_embedding_dimension())
        self.tokenizer = _free_tokenizer(model, folder.name)
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
        self,
        embed: Any,  # noqa: ANN401
        texts: Sequence[str],
        progress: Progress | None,
    ) -> Float32:

        from searchkit.core.arrays import unit_rows
        from searchkit.text.passages import well_formed

        vectors = np.empty((len(texts), self.dimension), np.float32)
        counter = Counter(progress, len(texts))
        order = sorted(range(len(texts)), key=lambda row: -len(texts[row]))
        for start in range(0, len(order), TORCH_BLOCK):
            rows = order[start : start + TORCH_BLOCK]
            block = prepare([well_formed(texts[row]) for row in rows], self._prepare)
            vectors[rows] = embed(block, show_progress_bar=False)
            counter.advance(len(rows))
        return unit_rows(vectors, texts)


class OffloadingEncoder:
    """An encoder that answers queries at once and embeds many texts on an accelerator.

    torch needs seconds to get going there, so that it is loaded with the first large batch.
    """

    def __init__(self, quick: Encoder, device: str, notify: Notify, name: str | None) -> None:
        self.name = quick.name
        self.fingerprint = quick.fingerprint
        self.dimension = quick.dimension
        self.window = quick.window
        self.tokenizer = quick.tokenizer
        self._quick = quick
        self._device = device
        self._notify = notify
        self._source = name
        self._bulk: Encoder | None = None

    def encode(self, texts: Sequence[str], progress: Progress | None = None) -> Float32:
        """Embed documents; see `Encoder.encode`."""
        if len(texts) >= MIN_OFFLOAD_TEXTS and self._bulk is None:
            self._bulk = self._load()
        return (self._bulk or self._quick).encode(texts, progress)

    def encode_queries(self, texts: Sequence[str]) -> Float32:
        """Embed queries; see `Encoder.encode_queries`."""
        return self._quick.encode_queries(texts)

    def _load(self) -> Encoder:
        import torch

        if self._device != "cpu" and not getattr(torch, self._device).is_available():
            self._notify(f"torch can't use {self._device} here; embedding on the CPU")
            return self._quick
        folder = find_model(self._source)
        if folder.fingerprint != self.fingerprint:
            raise model_mismatch(folder, self.fingerprint)
        bulk = load_gpu_encoder(self._quick, folder, self._device)
        if bulk is None:
            self._notify(
                f"{folder.name}: torch on {self._device} gives other vectors than the CPU; "
                "embedding on the CPU"
            )
        return bulk or self._quick


def load_gpu_encoder(quick: Encoder, folder: ModelFolder, device: str) -> Encoder | None:
    """Load a checked folder for an accelerator: in half precision, or in single if that is too far.

    Args:
        quick: The same model on the CPU.
        folder: What `find_model` returned.
        device: As torch names it.

    Returns:
        None if the vectors there are not those of the CPU.

    Raises:
        ModelRefused: sentence-transformers can't load it.
    """
    pass
    from searchkit.encoding.compiling import MIN_COSINE, PROBE_TEXTS, lowest_cosine
    from searchkit.encoding.openvino_encoder import CompiledEncoder

    wanted = quick.encode(PROBE_TEXTS)
    for half in (True, False):
        model = load_sentence_transformer(folder, device, half=half)
        encoder: Encoder = (
            GpuEncoder(quick, model)
            if isinstance(quick, CompiledEncoder)
            else TorchEncoder(folder, model)
        )
        if lowest_cosine(encoder.encode, wanted) >= 1 - 2 * (
            1 - MIN_COSINE
        ):  # both may be a little off
            return encoder
    return None


def load_torch(folder: ModelFolder, device: str = "cpu") -> TorchEncoder:
    """Load a checked folder with sentence-transformers.

    Args:
        folder: What `find_model` returned.
        device: As torch names it.

    Raises:
        ModelRefused: sentence-transformers can't load it.
    """
    return TorchEncoder(folder, load_sentence_transformer(folder, device))


def load_trainable(folder: ModelFolder, device: str) -> Any:  # noqa: ANN401
    """Load a checked folder as sentence-transformers has it, in single precision everywhere.

    Raises:
        ModelRefused: sentence-transformers can't load it.
    """
    return load_sentence_transformer(folder, device, half=False)


def load_sentence_transformer(folder: ModelFolder, device: str, *, half: bool = True) -> Any:  # noqa: ANN401
    """Load a checked folder with sentence-transformers, without remote code, for inference."""
    from searchkit.encoding.compiling import quiet

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
            # Whatever transformers stumbles over in a folder, the user can only mend the folder.
            reason = " ".join(str(error).split())[:200]
            raise ModelRefused(
                f"{folder.name}: sentence-transformers can't load it: {reason}"
            ) from error
    return model.eval()


def _free_tokenizer(model: Any, name: str) -> Tokenizer:  # noqa: ANN401
    from tokenizers import Tokenizer

    backend = getattr(model.tokenizer, "backend_tokenizer", None)
    if backend is None:
        raise ModelRefused(f"{name}: has no fast tokenizer; save it with tokenizer.json")
    tokenizer = Tokenizer.from_str(backend.to_str())
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def model_mismatch(folder: ModelFolder, wanted: str) -> IndexMismatch:
    """Return the error for a model whose fingerprint is not the one that an index was made with."""
    return IndexMismatch(
        f"the index was made with the model {wanted[:12]}…, but {folder.name} is "
        f"{folder.fingerprint[:12]}…; name the right one with --model, or make the index anew "
        f"with searchkit reindex --model {folder.name}"
    )
