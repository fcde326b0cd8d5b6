"""Loading an embedding model by its name, in the way that is fastest on this machine.

On a CPU that is the compiled model (`openvino_encoder.py`). Where there is an accelerator, torch
embeds there what is done sooner (`devices/`). A model that can't be compiled runs on torch only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from searchkit.core.errors import ModelRefused, check_choice
from searchkit.core.messages import Message
from searchkit.encoding.devices.finding import Device, check_device, guess_accelerator
from searchkit.encoding.encoder import (
    PRECISIONS,
    Encoder,
    Notify,
    Precision,
    fast_fingerprint,
    is_fast,
)
from searchkit.encoding.models.folder import ModelFolder
from searchkit.encoding.models.names import DEFAULT, MULTILINGUAL, find_model
from searchkit.runners.limits import check_address_space

if TYPE_CHECKING:
    from openvino import Model

    from searchkit.encoding.openvino_encoder import CompiledEncoder

# Address space that OpenVINO takes, measured with the default model, and for each core.
EMBEDDING_MEGABYTES = 1_500, 250
COMPILING_MEGABYTES = 3_500, 250  # with torch


def load_encoder(
    name: str | None = None,
    *,
    fingerprint: str | None = None,
    device: Device = "auto",
    precision: Precision = "exact",
    notify: Notify | None = None,
) -> Encoder:
    """Load an embedding model.

    Args:
        name: ``default`` or None for the model that comes with searchkit, ``multilingual`` for that
            of its extra, a folder, or ``owner/name`` on a hub; only the last may open a network
            connection.
        fingerprint: The fingerprint that the model must have, but for its precision: with
            `precision="fast"` and that of an exact model, the result has the one of its "fast"
            form. A model that was compiled before is then loaded from the cache without reading
            the folder `name`.
        device: Where documents are embedded: "cpu", "cuda" or "mps". "auto" takes the accelerator
            of this machine, if there is one, where it is done sooner, its start included. Queries
            are always embedded on the CPU.
        precision: "fast" computes with 8-bit integers on the CPU, or in half precision where only
            that makes a model faster, as "multilingual"; where neither does, and if the vectors
            differ too much, the model is "exact". With the `fingerprint` of a "fast" model it is
            that one.
        notify: Receives one-line messages about what takes long or doesn't work as it should, and
            which device "auto" chose and why.

    Raises:
        BadInput: If there is no such device or precision.
        SearchkitError: If the process may not use enough memory.
        ModelRefused: If there is no such model, or it is unsafe, incomplete or not supported.
        MissingExtra: If the multilingual model isn't installed.
        IndexMismatch: If the model of that name has another fingerprint.
    """
    notify = notify or _ignore
    check_device(device)
    check_choice("precision", precision, PRECISIONS)
    name = None if name == DEFAULT else name
    encoder = _load_on_cpu(name, fingerprint, notify)
    if precision == "fast":
        encoder = _try_fast(encoder, notify)
    return encoder if device == "cpu" else _with_accelerator(encoder, name, device, notify)


def load_fast_encoder(
    name: str | None, fingerprint: str | None, device: Device, notify: Notify
) -> Encoder:
    """Load an embedding model with the precision "fast"; see `load_encoder`, which also falls back.

    Raises:
        ModelRefused: If that isn't faster here, or too inexact.
    """
    from searchkit.encoding.compiling import NotCompilable

    check_device(device)
    name = None if name == DEFAULT else name
    encoder = _load_on_cpu(name, fingerprint, notify)
    try:
        encoder = _find_fast(encoder, notify)
    except NotCompilable as reason:
        raise ModelRefused(
            Message(
                "{name} can't be had with `precision='fast'` here: {reason}; nothing was changed",
                name=encoder.name,
                reason=str(reason),
            )
        ) from None
    return encoder if device == "cpu" else _with_accelerator(encoder, name, device, notify)


def _load_on_cpu(name: str | None, fingerprint: str | None, notify: Notify) -> Encoder:
    """Load a model, in the precision of the fingerprint that it must have."""
    check_address_space("embedding", *EMBEDDING_MEGABYTES)
    encoder: Encoder | None = _open_cached(fingerprint, name) if fingerprint else None
    if encoder is None:
        folder = find_model(name)
        if fingerprint not in (None, folder.fingerprint, fast_fingerprint(folder.fingerprint)):
            from searchkit.encoding.torch_encoder import model_mismatch

            raise model_mismatch(folder, str(fingerprint))
        encoder = _open_cached(folder.fingerprint, folder.name) or _compile(folder, notify)
        if fingerprint and is_fast(fingerprint):
            encoder = _require_fast(encoder, notify)
    return encoder


def _with_accelerator(
    encoder: Encoder, name: str | None, device: Device, notify: Notify
) -> Encoder:
    """Return an encoder that uses the accelerator beside the CPU, if there is one."""
    accelerator = guess_accelerator() if device == "auto" else device
    if accelerator is None or accelerator == "cpu":
        return encoder
    if encoder.name == MULTILINGUAL or is_fast(encoder.fingerprint):
        if device != "auto":
            grade = " with precision fast" if is_fast(encoder.fingerprint) else ""
            notify(f"{encoder.name}{grade} runs on the CPU only")
        return encoder
    from searchkit.encoding.cache import cache_folder, cpu_signature
    from searchkit.encoding.devices.offloading import Machine, OffloadingEncoder
    from searchkit.encoding.devices.rates import Rates
    from searchkit.encoding.openvino_runtime import thread_count

    cores = thread_count()
    rates = Rates(cache_folder() / encoder.fingerprint, f"{cpu_signature()}, {cores} threads")
    return OffloadingEncoder(
        encoder, accelerator, name, Machine(rates, cores), notify, is_forced=device != "auto"
    )


def _try_fast(exact: Encoder, notify: Notify) -> Encoder:
    """Return the model with the precision "fast"; `exact` if that isn't faster, or too inexact."""
    from searchkit.encoding.compiling import NotCompilable

    try:
        return _find_fast(exact, notify)
    except NotCompilable as reason:
        notify(f"embedding with {exact.name} exactly: {reason}")
        return exact


def _find_fast(encoder: Encoder, notify: Notify) -> Encoder:
    """Return the model with the precision "fast".

    Raises:
        NotCompilable: If that isn't faster, or too inexact.
    """
    from searchkit.encoding.compiling import check_speed

    if is_fast(encoder.fingerprint):
        return encoder
    check_speed(*_compiled(encoder))
    return _load_fast(encoder, notify)


def _require_fast(exact: Encoder, notify: Notify) -> Encoder:
    """Return the model with the precision "fast", which an index was made with."""
    from searchkit.encoding.compiling import NotCompilable

    try:
        return _load_fast(exact, notify)
    except NotCompilable as reason:
        raise ModelRefused(
            Message(
                "the index was made with `precision='fast'`, which can't be had here: {reason}; "
                "make it anew with searchkit reindex --model {name}",
                reason=str(reason),
                name=exact.name,
            )
        ) from None


def _load_fast(exact: Encoder, notify: Notify) -> CompiledEncoder:
    """Return the model with the precision "fast", from the cache if it is there."""
    from searchkit.encoding.compiling import compile_fast

    cached = _open_cached(fast_fingerprint(exact.fingerprint), exact.name)
    return cached or _keep(*compile_fast(*_compiled(exact)), notify)


def _compiled(exact: Encoder) -> tuple[CompiledEncoder, Model]:
    """Return an encoder with its network.

    Raises:
        NotCompilable: If it has none.
    """
    from searchkit.encoding.cache import cache_folder, read_network
    from searchkit.encoding.compiling import NotCompilable
    from searchkit.encoding.openvino_encoder import CompiledEncoder

    if not isinstance(exact, CompiledEncoder):
        raise NotCompilable("it can't be compiled")
    network = read_network(exact.fingerprint)
    if network is None:
        raise NotCompilable(f"{cache_folder()} can't be read; set SEARCHKIT_CACHE")
    return exact, network


def _open_cached(fingerprint: str, name: str | None) -> CompiledEncoder | None:
    from searchkit.encoding.cache import open_cached

    return open_cached(fingerprint, name)


def _compile(folder: ModelFolder, notify: Notify) -> Encoder:
    """Compile a model and write it to the cache; if it can't be compiled, run its own code."""
    notify(f"compiling {folder.name} for this CPU, once (some seconds)")
    compile_ = _compile_multilingual if folder.name == MULTILINGUAL else _compile_with_torch
    compiled = compile_(folder, notify)
    if not isinstance(compiled, tuple):
        return compiled
    return _keep(*compiled, notify)


def _keep(encoder: CompiledEncoder, network: Model, notify: Notify) -> CompiledEncoder:
    """Write a compiled model to the cache; return it as read from there, if it can be."""
    from searchkit.encoding.cache import cache_folder, save_cached

    try:
        save_cached(encoder.config, encoder.tokenizer, network)
        if cached := _open_cached(encoder.fingerprint, encoder.name):
            return cached
        failure = "read"
    except OSError as error:
        failure = f"written ({error.strerror or error})"
    notify(
        f"{cache_folder()} can't be {failure}, so that every start compiles anew; set "
        "SEARCHKIT_CACHE to a folder that can"
    )
    return encoder


def _compile_with_torch(
    folder: ModelFolder, notify: Notify
) -> Encoder | tuple[CompiledEncoder, Model]:
    from searchkit.encoding.compiling import NotCompilable, compile_model

    check_address_space("compiling a model", *COMPILING_MEGABYTES)
    from searchkit.encoding.torch_encoder import TorchEncoder, load_sentence_transformer

    model = load_sentence_transformer(folder, "cpu")
    try:
        return compile_model(model, folder)
    except NotCompilable as reason:
        notify(f"{folder.name} can't be compiled ({reason}); embedding with torch, which is slower")
        return TorchEncoder(folder, model)


def _compile_multilingual(
    folder: ModelFolder, notify: Notify
) -> Encoder | tuple[CompiledEncoder, Model]:
    from searchkit.encoding.compiling import NotCompilable
    from searchkit.encoding.multilingual.encoder import PackageEncoder, compile_package

    original = PackageEncoder(folder)
    try:
        return compile_package(original, folder)
    except NotCompilable as reason:
        notify(f"{folder.name} can't be compiled ({reason}); embedding with NumPy, which is slower")
        return original


def _ignore(message: str) -> None:
    """Do nothing with a message."""
