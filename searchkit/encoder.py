"""What turns texts into vectors: the `Encoder` protocol and how one is loaded.

On a CPU that is the compiled model (see `compiled`), which torch relieves of many texts where there
is an accelerator (see `accelerated`); sentence-transformers stands behind it for what can't be
compiled.
"""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from searchkit.errors import IndexMismatch, ModelRefused
from searchkit.modelfolder import ModelFolder
from searchkit.models import find_model
from searchkit.preparation import prepare

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from tokenizers import Tokenizer

    from searchkit.compiled import CompiledEncoder

# Fewer texts than this are embedded before torch is imported and a GPU has woken up.
BULK_TEXTS = 2000
TORCH_BLOCK = 1024

Notify = Callable[[str], None]


class Encoder(Protocol):
    """A model that embeds texts.

    Attributes:
        name: As the user named it; of a folder its absolute path.
        fingerprint: Hex SHA-256 over weights, tokenizer, architecture, pooling, prompts and
            window; equal for equal models, whatever they are called.
        dimension: Of the vectors.
        window: Tokens of text that a passage may hold; special tokens and the model's prompt for
            documents are already taken off.
        tokenizer: The model's, without truncation and padding: for cutting passages.
    """

    name: str
    fingerprint: str
    dimension: int
    window: int
    tokenizer: Tokenizer

    def encode(
        self, texts: Sequence[str], progress: Callable[[int], None] | None = None
    ) -> NDArray[np.float32]:
        """Embed documents.

        Args:
            texts: At most `window` tokens each; what is longer is truncated.
            progress: Called with the number of texts that were done since the last call.

        Returns:
            `(n, d)` float32, unit rows, in the order of `texts`.

        Raises:
            BadInput: The model gave no usable vector for a text.
        """
        ...

    def encode_queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed queries, with the model's query prompt if it has one; as `encode`."""
        ...


def load_encoder(
    name: str | None = None,
    *,
    fingerprint: str | None = None,
    device: str | None = None,
    notify: Notify | None = None,
) -> Encoder:
    """Load a model for embedding.

    Args:
        name: None for the model that comes with searchkit, a folder, or ``owner/name`` on a hub;
            only the last may open a network connection.
        fingerprint: The model that is wanted, as an index knows it. If it was compiled before,
            it is loaded from the cache without a look at `name`.
        device: "cpu", or where torch embeds in bulk: "cuda", "mps". None takes what is there.
        notify: Gets one-line messages about what takes long or isn't as it should be.

    Raises:
        ModelRefused: No such model, or one that is unsafe, incomplete or not supported.
        IndexMismatch: The model of that name has another fingerprint.
    """
    notify = notify or _ignore
    device = device or _accelerator()
    encoder: Encoder | None = _cached(fingerprint, name) if fingerprint else None
    if encoder is None:
        folder = find_model(name)
        if fingerprint not in (None, folder.fingerprint):
            raise _mismatch(folder, str(fingerprint))
        encoder = _cached(folder.fingerprint, folder.name) or _compile(folder, notify)
    if device != "cpu":
        return BulkEncoder(encoder, device, notify, name)
    return encoder


class TorchEncoder:
    """An encoder that is sentence-transformers on torch."""

    def __init__(self, folder: ModelFolder, model: Any) -> None:  # noqa: ANN401
        from searchkit.compiling import document_prompt, max_tokens, text_window

        self.name = folder.name
        self.fingerprint = folder.fingerprint
        self.dimension = int(model.get_embedding_dimension())
        self.tokenizer = _free_tokenizer(model, folder.name)
        self.window = text_window(
            self.name, self.tokenizer, max_tokens(model), document_prompt(model)
        )
        self._model = model
        self._prepare = folder.prepare

    def encode(
        self, texts: Sequence[str], progress: Callable[[int], None] | None = None
    ) -> NDArray[np.float32]:
        """Embed documents; see `Encoder.encode`."""
        return self._embed(self._model.encode_document, texts, progress)

    def encode_queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed queries; see `Encoder.encode_queries`."""
        return self._embed(self._model.encode_query, texts, None)

    def _embed(
        self,
        embed: Any,  # noqa: ANN401
        texts: Sequence[str],
        progress: Callable[[int], None] | None,
    ) -> NDArray[np.float32]:
        import numpy as np

        from searchkit.passages import well_formed
        from searchkit.vectors import unit_rows

        vectors = np.empty((len(texts), self.dimension), np.float32)
        order = sorted(range(len(texts)), key=lambda row: -len(texts[row]))
        for start in range(0, len(order), TORCH_BLOCK):
            rows = order[start : start + TORCH_BLOCK]
            block = prepare([well_formed(texts[row]) for row in rows], self._prepare)
            vectors[rows] = embed(block, show_progress_bar=False)
            if progress:
                progress(len(rows))
        return unit_rows(vectors, texts)


class BulkEncoder:
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

    def encode(
        self, texts: Sequence[str], progress: Callable[[int], None] | None = None
    ) -> NDArray[np.float32]:
        """Embed documents; see `Encoder.encode`."""
        if len(texts) >= BULK_TEXTS and self._bulk is None:
            self._bulk = self._load()
        return (self._bulk or self._quick).encode(texts, progress)

    def encode_queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed queries; see `Encoder.encode_queries`."""
        return self._quick.encode_queries(texts)

    def _load(self) -> Encoder:
        import torch

        if self._device != "cpu" and not getattr(torch, self._device).is_available():
            self._notify(f"torch can't use {self._device} here; embedding on the CPU")
            return self._quick
        folder = find_model(self._source)
        if folder.fingerprint != self.fingerprint:
            raise _mismatch(folder, self.fingerprint)
        bulk = load_accelerated(self._quick, folder, self._device)
        if bulk is None:
            self._notify(
                f"{folder.name}: torch on {self._device} gives other vectors than the CPU; "
                "embedding on the CPU"
            )
        return bulk or self._quick


def load_accelerated(quick: Encoder, folder: ModelFolder, device: str) -> Encoder | None:
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
    from searchkit.accelerated import AcceleratedEncoder
    from searchkit.compiled import CompiledEncoder
    from searchkit.compiling import FIDELITY, PROBES, likeness

    wanted = quick.encode(PROBES)
    for half in (True, False):
        model = _sentence_transformer(folder, device, half=half)
        encoder: Encoder = (
            AcceleratedEncoder(quick, model)
            if isinstance(quick, CompiledEncoder)
            else TorchEncoder(folder, model)
        )
        if likeness(encoder.encode, wanted) >= 1 - 2 * (1 - FIDELITY):  # both may be a little off
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
    return TorchEncoder(folder, _sentence_transformer(folder, device))


def load_trainable(folder: ModelFolder, device: str) -> Any:  # noqa: ANN401
    """Load a checked folder as sentence-transformers has it, in single precision everywhere.

    Raises:
        ModelRefused: sentence-transformers can't load it.
    """
    return _sentence_transformer(folder, device, half=False)


def _sentence_transformer(folder: ModelFolder, device: str, *, half: bool = True) -> Any:  # noqa: ANN401
    from searchkit.compiling import quiet

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


def _cached(fingerprint: str, name: str | None) -> CompiledEncoder | None:
    from searchkit.modelcache import open_cached

    return open_cached(fingerprint, name)


def _compile(folder: ModelFolder, notify: Notify) -> Encoder:
    """Compile a model and keep it; what can't be compiled stays with torch."""
    from searchkit.compiling import NotCompilable, compile_model
    from searchkit.modelcache import cache_folder, save_cached

    notify(f"compiling {folder.name} for this CPU, once (some seconds)")
    model = _sentence_transformer(folder, "cpu")
    try:
        encoder, network = compile_model(model, folder)
    except NotCompilable as reason:
        notify(f"{folder.name} can't be compiled ({reason}); embedding with torch, which is slower")
        return TorchEncoder(folder, model)
    try:
        save_cached(encoder.recipe, encoder.tokenizer, network)
    except OSError as error:
        notify(
            f"{cache_folder()} can't be written ({error.strerror or error}), so that every start "
            "compiles anew; set SEARCHKIT_CACHE to a folder that can"
        )
        return encoder
    return _cached(folder.fingerprint, folder.name) or encoder


def _free_tokenizer(model: Any, name: str) -> Tokenizer:  # noqa: ANN401
    from tokenizers import Tokenizer

    backend = getattr(model.tokenizer, "backend_tokenizer", None)
    if backend is None:
        raise ModelRefused(f"{name}: has no fast tokenizer; save it with tokenizer.json")
    tokenizer = Tokenizer.from_str(backend.to_str())
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def _accelerator() -> str:
    """Guess without importing torch, which takes seconds, whether it would find an accelerator."""
    if sys.platform == "darwin" and platform.machine() == "arm64":
        return "mps"
    if os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1"):  # hidden by the user, or by Ray
        return "cpu"
    nvidia = Path("/dev/nvidia0").exists() or (
        sys.platform == "win32" and shutil.which("nvidia-smi")
    )
    return "cuda" if nvidia else "cpu"


def _mismatch(folder: ModelFolder, wanted: str) -> IndexMismatch:
    return IndexMismatch(
        f"the index was made with the model {wanted[:12]}…, but {folder.name} is "
        f"{folder.fingerprint[:12]}…; name the right one with --model, or make the index anew "
        f"with searchkit reindex --model {folder.name}"
    )


def _ignore(message: str) -> None:
    """Take a message that nobody wants to hear."""
