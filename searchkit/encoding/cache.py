"""Compiled models in the user's cache folder, one folder per fingerprint.

    <cache>/<fingerprint>/
      manifest.json     the encoder's configuration, and the SHA-256 of every other file
      tokenizer.json
      model.xml, .bin   the network
      cpu.blob          the network laid out for the CPU that compiled it
      rates.json        how fast devices were, if there is an accelerator; see devices/rates.py

A folder is put in place by a rename, so it is always complete; a damaged one is compiled anew.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from searchkit.encoding.batch_encoder import EncoderConfig
from searchkit.encoding.encoder import is_fast
from searchkit.encoding.models.folder import sha256
from searchkit.encoding.openvino_encoder import CompiledEncoder, load_network
from searchkit.encoding.openvino_runtime import openvino, openvino_core

if TYPE_CHECKING:
    from openvino import Model
    from tokenizers import Tokenizer


FORMAT = 1
FAST_FORMAT = 2  # of the precision "fast"; in format 1 it can be one that gains nothing
FILES = ("tokenizer.json", "model.xml", "model.bin", "cpu.blob")
# Incomplete folders older than this belong to processes that were killed, and are removed.
STALE_SECONDS = 86_400


def cache_folder() -> Path:
    """Return the folder for compiled models: `SEARCHKIT_CACHE`, or the system's cache folder."""
    if chosen := os.environ.get("SEARCHKIT_CACHE"):
        return Path(chosen).expanduser()
    from platformdirs import user_cache_path

    return user_cache_path("searchkit", appauthor=False)


def open_cached(fingerprint: str, name: str | None = None) -> CompiledEncoder | None:
    """Load a compiled model.

    Args:
        fingerprint: The model's fingerprint.
        name: The encoder's name; None for the name under which the model was compiled.

    Returns:
        The encoder; None if the model isn't in the cache or its files are damaged.
    """
    folder = cache_folder() / fingerprint
    if not folder.is_dir():
        return None
    try:
        return _open(folder, fingerprint, name)
    except (OSError, ValueError, KeyError, TypeError, RuntimeError):
        # Whatever is wrong with a cached model, the remedy is to compile it anew.
        return None


def read_network(fingerprint: str) -> Model | None:
    """Return the OpenVINO network of a compiled model; None if it isn't in the cache."""
    path = cache_folder() / fingerprint / "model.xml"
    try:
        return openvino_core().read_model(path)
    except RuntimeError:
        return None


def save_cached(config: EncoderConfig, tokenizer: Tokenizer, network: Model) -> None:
    """Write a compiled model to the cache: completely, or not at all.

    Args:
        config: The encoder's configuration.
        tokenizer: The tokenizer, without truncation and padding.
        network: The OpenVINO network.

    Raises:
        OSError: If the folder can't be written, or the disk is full.
    """
    cache = cache_folder()
    cache.mkdir(parents=True, exist_ok=True)
    _remove_stale(cache)
    staging = cache / f".making-{uuid.uuid4().hex}"
    staging.mkdir()
    try:
        _write(staging, config, tokenizer, network)
        _publish(staging, cache / config.fingerprint)
    except RuntimeError as error:
        # This is how OpenVINO reports a full disk.
        raise OSError("is the disk full?") from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _open(folder: Path, fingerprint: str, name: str | None) -> CompiledEncoder:
    from tokenizers import Tokenizer

    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    settings, is_readable = manifest["recipe"], manifest["format"] == _format(fingerprint)
    if not is_readable or settings["fingerprint"] != fingerprint:
        raise ValueError
    config = EncoderConfig(**{**settings, "inputs": tuple(settings["inputs"])})
    with ThreadPoolExecutor(1) as pool:
        # model.bin has 99 % of the bytes: it is hashed while the other files are loaded.
        weights = pool.submit(sha256, folder / "model.bin")
        content = {file: (folder / file).read_bytes() for file in FILES if file != "model.bin"}
        for file, data in content.items():
            if hashlib.sha256(data).hexdigest() != manifest["files"][file]:
                raise ValueError
        tokenizer = Tokenizer.from_str(content["tokenizer.json"].decode())
        blob = content["cpu.blob"] if manifest["cpu"] == cpu_signature() else None
        network = load_network(folder / "model.xml", config.precision, blob)
        if weights.result() != manifest["files"]["model.bin"]:
            raise ValueError
    return CompiledEncoder(replace(config, name=name or config.name), tokenizer, network)


def _format(fingerprint: str) -> int:
    """Return the format in which a model is written and read."""
    return FAST_FORMAT if is_fast(fingerprint) else FORMAT


def _write(folder: Path, config: EncoderConfig, tokenizer: Tokenizer, network: Model) -> None:
    openvino().save_model(network, str(folder / "model.xml"), compress_to_fp16=False)
    compiled = load_network(folder / "model.xml", config.precision)
    (folder / "cpu.blob").write_bytes(compiled.export_model().getvalue())
    (folder / "tokenizer.json").write_text(tokenizer.to_str(), encoding="utf-8")
    hashes = {file: sha256(folder / file) for file in FILES}
    manifest = {
        "format": _format(config.fingerprint),
        "cpu": cpu_signature(),
        "files": hashes,
        "recipe": asdict(config),
    }
    text = json.dumps(manifest, indent=2, ensure_ascii=False)
    (folder / "manifest.json").write_text(text, encoding="utf-8")
    for file in (*FILES, "manifest.json"):
        _sync(folder / file)
    _sync(folder)


def _publish(staging: Path, folder: Path) -> None:
    """Move a complete folder to its place; a folder already there is damaged, or as good."""
    replaced = staging.with_name(f"{staging.name}-old")
    if folder.exists():
        with suppress(OSError):
            folder.rename(replaced)
    try:
        staging.rename(folder)
    except OSError:
        # Another process may have put an equally good folder there in the meantime.
        if not (folder / "manifest.json").exists():
            raise
    shutil.rmtree(replaced, ignore_errors=True)
    _sync(folder.parent)


def _remove_stale(cache: Path) -> None:
    for folder in cache.glob(".making-*"):
        with suppress(OSError):
            if time.time() - folder.stat().st_mtime > STALE_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)


def cpu_signature() -> str:
    """Return what blobs and speeds are valid for: this version of OpenVINO on this kind of CPU."""
    capabilities = ",".join(
        sorted(openvino_core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"))
    )
    device = openvino_core().get_property("CPU", "FULL_DEVICE_NAME")
    return f"{openvino().__version__} {device} {os.cpu_count()} {capabilities}"


def _sync(path: Path) -> None:
    """Flush a file or a folder to the disk; Windows can't flush folders."""
    if path.is_dir() and os.name == "nt":
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
