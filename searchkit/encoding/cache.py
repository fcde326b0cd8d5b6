"""Compiled models in the user's cache folder, one folder for each fingerprint.

    <cache>/<fingerprint>/
      manifest.json     how texts become tensors, and the SHA-256 of every other file
      tokenizer.json
      model.xml, .bin   the network
      cpu.blob          the same, laid out for the CPU that compiled it

A folder appears by a rename, so it is whole; what is damaged later is made anew.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from searchkit.core.errors import first_line
from searchkit.encoding.openvino_encoder import CompiledEncoder, EncoderConfig, load_network
from searchkit.encoding.openvino_runtime import half_precisions, openvino, openvino_core

if TYPE_CHECKING:
    from tokenizers import Tokenizer


FORMAT = 1
FILES = ("tokenizer.json", "model.xml", "model.bin", "cpu.blob")
# Half-written folders of processes that were killed are cleared away after a day.
STALE_SECONDS = 86_400


def cache_folder() -> Path:
    """Return where compiled models are kept: `SEARCHKIT_CACHE`, or what the system provides."""
    if chosen := os.environ.get("SEARCHKIT_CACHE"):
        return Path(chosen).expanduser()
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "searchkit"


def open_cached(fingerprint: str, name: str | None = None) -> CompiledEncoder | None:
    """Load a compiled model; None if it isn't in the cache, or is damaged.

    Args:
        fingerprint: Of the model.
        name: What to call it now; by default what it was called when it was compiled.
    """
    folder = cache_folder() / fingerprint
    if not folder.is_dir():
        return None
    try:
        return _open(folder, fingerprint, name)
    except (OSError, ValueError, KeyError, TypeError, RuntimeError):
        # Whatever is wrong with a cache, the remedy is the same: make it anew.
        return None


def save_cached(recipe: EncoderConfig, tokenizer: Tokenizer, network: Any) -> None:  # noqa: ANN401
    """Put a compiled model into the cache: whole, or not at all.

    Args:
        recipe: Of the model.
        tokenizer: Without truncation and padding.
        network: The `openvino.Model`.

    Raises:
        OSError: The folder can't be written, or the disk is full.
    """
    cache = cache_folder()
    cache.mkdir(parents=True, exist_ok=True)
    _clear_stale(cache)
    making = cache / f".making-{uuid.uuid4().hex}"
    making.mkdir()
    try:
        _write(making, recipe, tokenizer, network)
        _publish(making, cache / recipe.fingerprint)
    except RuntimeError as error:
        # OpenVINO's own word for a full disk.
        raise OSError(first_line(error)) from None
    finally:
        shutil.rmtree(making, ignore_errors=True)


def _open(folder: Path, fingerprint: str, name: str | None) -> CompiledEncoder:
    from tokenizers import Tokenizer

    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    if manifest["format"] != FORMAT or manifest["recipe"]["fingerprint"] != fingerprint:
        raise ValueError
    recipe = EncoderConfig(**{**manifest["recipe"], "inputs": tuple(manifest["recipe"]["inputs"])})
    with ThreadPoolExecutor(1) as pool:
        # The weights are 99 % of the bytes; they are hashed while the rest is loaded.
        weights = pool.submit(_sha256, folder / "model.bin")
        content = {file: (folder / file).read_bytes() for file in FILES if file != "model.bin"}
        for file, data in content.items():
            if hashlib.sha256(data).hexdigest() != manifest["files"][file]:
                raise ValueError
        tokenizer = Tokenizer.from_str(content["tokenizer.json"].decode())
        blob = content["cpu.blob"] if manifest["cpu"] == _cpu() else None
        precision = recipe.precision if recipe.precision in half_precisions() else "f32"
        network = load_network(folder / "model.xml", precision, blob)
        if weights.result() != manifest["files"]["model.bin"]:
            raise ValueError
    return CompiledEncoder(replace(recipe, name=name or recipe.name), tokenizer, network)


def _write(folder: Path, recipe: EncoderConfig, tokenizer: Tokenizer, network: Any) -> None:  # noqa: ANN401
    openvino().save_model(network, str(folder / "model.xml"), compress_to_fp16=False)
    compiled = load_network(folder / "model.xml", recipe.precision)
    (folder / "cpu.blob").write_bytes(compiled.export_model().getvalue())
    (folder / "tokenizer.json").write_text(tokenizer.to_str(), encoding="utf-8")
    hashes = {file: _sha256(folder / file) for file in FILES}
    manifest = {"format": FORMAT, "cpu": _cpu(), "files": hashes, "recipe": asdict(recipe)}
    text = json.dumps(manifest, indent=2, ensure_ascii=False)
    (folder / "manifest.json").write_text(text, encoding="utf-8")
    for file in (*FILES, "manifest.json"):
        _sync(folder / file)
    _sync(folder)


def _publish(making: Path, folder: Path) -> None:
    """Move a finished folder into its place; one that stands there is damaged, or as good."""
    if folder.exists():
        with suppress(OSError):
            folder.rename(making.with_name(f"{making.name}-old"))
    try:
        making.rename(folder)
    except OSError:
        # Another process was faster: its folder is as good as ours.
        if not (folder / "manifest.json").exists():
            raise
    shutil.rmtree(making.with_name(f"{making.name}-old"), ignore_errors=True)
    _sync(folder.parent)


def _clear_stale(cache: Path) -> None:
    for folder in cache.glob(".making-*"):
        with suppress(OSError):
            if time.time() - folder.stat().st_mtime > STALE_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)


def _cpu() -> str:
    """Say for what a blob holds: this OpenVINO on this kind of CPU."""
    able = ",".join(sorted(openvino_core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")))
    device = openvino_core().get_property("CPU", "FULL_DEVICE_NAME")
    return f"{openvino().__version__} {device} {os.cpu_count()} {able}"


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _sync(path: Path) -> None:
    """Force a file or a folder to the disk; Windows can't do that with folders."""
    if path.is_dir() and os.name == "nt":
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
