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
from pathlib import Path
from typing import TYPE_CHECKING

from searchkit.encoding.encoder import Encoder, Notify
from searchkit.encoding.model_folder import ModelFolder, find_model

if TYPE_CHECKING:
    from searchkit.encoding.openvino_encoder import CompiledEncoder


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
            from searchkit.encoding.torch_encoder import model_mismatch

            raise model_mismatch(folder, str(fingerprint))
        encoder = _cached(folder.fingerprint, folder.name) or _compile(folder, notify)
    if device != "cpu":
        from searchkit.encoding.torch_encoder import OffloadingEncoder

        return OffloadingEncoder(encoder, device, notify, name)
    return encoder


def _cached(fingerprint: str, name: str | None) -> CompiledEncoder | None:
    from searchkit.encoding.cache import open_cached

    return open_cached(fingerprint, name)


def _compile(folder: ModelFolder, notify: Notify) -> Encoder:
    """Compile a model and keep it; what can't be compiled stays with torch."""
    from searchkit.encoding.cache import cache_folder, save_cached
    from searchkit.encoding.compiling import NotCompilable, compile_model

    notify(f"compiling {folder.name} for this CPU, once (some seconds)")
    from searchkit.encoding.torch_encoder import TorchEncoder, load_sentence_transformer

    model = load_sentence_transformer(folder, "cpu")
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


def _ignore(message: str) -> None:
    """Take a message that nobody wants to hear."""
