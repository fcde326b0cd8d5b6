"""Model folders: checking them before they are used, and their fingerprints.

A folder that passes the checks is complete, loads its weights from safetensors, and runs no Python
of its own.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from searchkit.core.errors import ModelRefused
from searchkit.text.preparation import PREPARATIONS

# searchkit's own settings of a model; most folders have none.
SETTINGS_FILE = "searchkit.json"
# The modules of sentence-transformers that embed single texts and load only safetensors and JSON.
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
# Names of the same file in releases of sentence-transformers; the first that exists is read.
TRANSFORMER_CONFIGS = tuple(
    f"sentence_{name}_config.json"
    for name in ("bert", "roberta", "distilbert", "camembert", "albert", "xlm-roberta", "xlnet")
)
# Keys of JSON files that have no effect on vectors, and so none on the fingerprint.
IGNORED_KEYS = frozenset({"_name_or_path", "name_or_path", "transformers_version", "__version__"})


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """A model folder that has passed the checks.

    Attributes:
        name: The name that the user gave.
        path: The folder.
        fingerprint: Hex SHA-256 over weights, tokenizer, architecture, pooling, prompts and window.
        prepare: How texts are prepared for the model: one of `PREPARATIONS`, or "".
    """

    name: str
    path: Path
    fingerprint: str
    prepare: str = ""


@dataclass(frozen=True, slots=True)
class _Module:
    """One entry of modules.json.

    Attributes:
        type: Name of the class in sentence-transformers; one of `MODULE_TYPES`.
        path: The folder with the module's files.
    """

    type: str
    path: Path


def check_folder(path: Path, name: str | None = None) -> ModelFolder:
    """Check a model folder before it is used, and compute its fingerprint.

    Args:
        path: The folder.
        name: The model's name, also in messages; by default the path.

    Raises:
        ModelRefused: If the folder has only pickled weights or code of its own, names a module that
            isn't one of `MODULE_TYPES`, contradicts itself, or is incomplete.
    """
    name = name or str(path)
    try:
        modules = _read_modules(path)
        _check_complete(path)
        _check_model_type(path)
        for module in modules:
            _check_module(module)
        _check_dimensions(modules)
        return ModelFolder(name, path, _fingerprint(path, modules), _read_preparation(path))
    except _Refusal as error:
        raise ModelRefused(f"{name}: {error}") from None
    except OSError as error:
        raise ModelRefused(f"{name}: can't be read: {error.strerror or error}") from None


class _Refusal(Exception):
    """Why a folder is refused; `check_folder` puts its name in front."""


def _read_modules(path: Path) -> list[_Module]:
    """Read modules.json; without it, sentence-transformers uses a transformer and mean pooling."""
    if not path.is_dir():
        raise _Refusal("isn't a folder")
    if not (path / "modules.json").exists():
        if not (path / "config.json").exists():
            raise _Refusal("isn't a model folder: it has neither modules.json nor config.json")
        return [_Module("Transformer", path)]
    modules = _read_json(path / "modules.json")
    if not isinstance(modules, list) or not modules:
        raise _Refusal("modules.json names no modules")
    return [_read_module(path, module) for module in modules]


def _read_module(root: Path, module: object) -> _Module:
    if not isinstance(module, dict):
        raise _Refusal("modules.json is damaged")
    name, folder = str(module.get("type")), PurePosixPath(str(module.get("path", "")))
    package, _, class_name = name.rpartition(".")
    if not f"{package}.".startswith("sentence_transformers.") or class_name not in MODULE_TYPES:
        raise _Refusal(
            f"modules.json names {name}, which isn't one of {', '.join(sorted(MODULE_TYPES))}"
        )
    if folder.is_absolute() or ".." in folder.parts or "\\" in str(folder):
        raise _Refusal(f"modules.json points outside the folder: {folder}")
    return _Module(class_name, root / folder)


def _check_complete(root: Path) -> None:
    """Refuse a folder from an interrupted download, or from a clone without git-lfs."""
    for file in root.rglob("*"):
        if file.suffix == ".incomplete":
            raise _Refusal(f"{file.name} is only half downloaded; download the model again")
        if file.suffix in (".safetensors", ".json", ".txt", ".model") and file.is_file():
            with file.open("rb") as stream:
                if stream.read(len(LFS_POINTER)) == LFS_POINTER:
                    raise _Refusal(f"{file.name} is a git-lfs pointer; run git lfs pull there")


def _check_model_type(root: Path) -> None:
    """Refuse cross-encoders and sparse encoders, which sentence-transformers would convert."""
    settings = root / "config_sentence_transformers.json"
    model_type = _read_object(settings).get("model_type") if settings.exists() else None
    if model_type not in (None, "SentenceTransformer"):
        raise _Refusal(f"is a {model_type}, not a SentenceTransformer")


def _read_preparation(root: Path) -> str:
    settings = root / SETTINGS_FILE
    preparation = _read_object(settings).get("prepare", "") if settings.exists() else ""
    if preparation not in ("", *PREPARATIONS):
        raise _Refusal(
            f"{SETTINGS_FILE} wants texts prepared by {preparation!r}; upgrade searchkit"
        )
    return str(preparation)


def _check_module(module: _Module) -> None:
    if module.type in TYPES_WITH_WEIGHTS:
        _tensor_shapes(module)
    if module.type != "Transformer":
        return
    config = _read_object(module.path / "config.json")
    for file in ("config.json", "tokenizer_config.json"):
        if (module.path / file).exists() and _read_object(module.path / file).get("auto_map"):
            raise _Refusal(f"{file} asks to run the model's own Python (auto_map)")
    if (module.path / "adapter_config.json").exists():
        raise _Refusal("is an adapter without its base model; merge the two first")
    if "model_type" not in config:
        raise _Refusal("config.json has no model_type")
    if not any((module.path / file).exists() for file in VOCABULARIES):
        raise _Refusal("has no tokenizer (tokenizer.json is missing)")
    if _transformer_settings(module).get("tokenizer_name_or_path"):
        raise _Refusal("takes its tokenizer from another model; save both in one folder")
    _tensor_shapes(module)


def _check_dimensions(modules: list[_Module]) -> None:
    """Check that each module takes vectors of the dimension that the module before it returns."""
    dimension: int | None = None
    for module in modules:
        has_config = module.type in {*TYPES_WITH_WEIGHTS, "Pooling"}
        config = _read_object(module.path / "config.json") if has_config else {}
        folder = module.path.name
        if module.type == "Transformer":
            dimension = _transformer_dimension(module)
        elif module.type == "Pooling":
            inputs = config.get("embedding_dimension", config.get("word_embedding_dimension"))
            _check_dimension(f"{folder}/config.json", dimension, inputs)
            dimension = inputs * len(_pooling_modes(config)) if isinstance(inputs, int) else None
        elif module.type == "Dense":
            inputs = config["in_features"]
            _check_dimension(f"{folder}/config.json in_features", dimension, inputs)
            dimension = config["out_features"]
            shape = _tensor_shapes(module).get("linear.weight")
            _check_dimension(f"{folder}: linear.weight", [dimension, inputs], shape)
        elif module.type == "LayerNorm":
            shape = _tensor_shapes(module)["norm.weight"]
            _check_dimension(f"{folder}: norm.weight", [dimension], shape)
        elif module.type in ("CNN", "LSTM"):
            dimension = None


def _transformer_dimension(module: _Module) -> int | None:
    config = _read_object(module.path / "config.json")
    keys = ("hidden_size", "d_model", "dim", "n_embd")
    hidden = next((config[key] for key in keys if isinstance(config.get(key), int)), None)
    shapes = _tensor_shapes(module)
    name = next((name for name in shapes if name.endswith("word_embeddings.weight")), None)
    # Architectures with an embedding_size embed words in fewer dimensions and project them later.
    if name is not None and hidden is not None and "embedding_size" not in config:
        _check_dimension("the word embeddings of model.safetensors", hidden, shapes[name][-1])
    return hidden


def _pooling_modes(config: dict[str, Any]) -> list[str]:
    modes = config.get("pooling_mode")
    if modes is None:
        modes = [k for k, on in config.items() if k.startswith("pooling_mode_") and on is True]
    return [modes] if isinstance(modes, str) else list(modes) or ["mean"]


def _check_dimension(place: str, expected: object, dimension: object) -> None:
    if expected is not None and dimension != expected:
        raise _Refusal(f"{place} says dimension {dimension}, where {expected} is needed")


def _tensor_shapes(module: _Module) -> dict[str, list[int]]:
    """Return the shape of every tensor of a module, after checking its weight files."""
    shapes: dict[str, list[int]] = {}
    for file in _weight_files(module):
        shapes.update(_file_shapes(file))
    return shapes


def _weight_files(module: _Module) -> list[Path]:
    single, index = module.path / "model.safetensors", module.path / "model.safetensors.index.json"
    if single.exists():
        return [single]
    if index.exists() and module.type == "Transformer":
        names = sorted({str(name) for name in _read_object(index).get("weight_map", {}).values()})
        if any(PurePosixPath(name).name != name for name in names):
            raise _Refusal(f"{index.name} points outside the folder")
        return [module.path / name for name in names]
    pickled = module.path.is_dir() and next(
        (file.name for file in sorted(module.path.iterdir()) if file.suffix in PICKLED_SUFFIXES),
        None,
    )
    if pickled:
        raise _Refusal(
            f"has pickled weights ({pickled}), which can run code; convert them to safetensors"
        )
    raise _Refusal(f"has no weights: {single.name} is missing; download the model again")


def _file_shapes(file: Path) -> dict[str, list[int]]:
    """Return the shape of every tensor in a file, which safetensors checks against its length."""
    from safetensors import SafetensorError, safe_open

    if not file.is_file():
        raise _Refusal(f"{file.name} is missing; download the model again")
    try:
        with safe_open(file, framework="np") as tensors:
            return {name: tensors.get_slice(name).get_shape() for name in tensors.keys()}
    except SafetensorError:
        raise _Refusal(f"{file.name} is cut off or damaged; download the model again") from None


def _transformer_settings(module: _Module) -> dict[str, Any]:
    files = (module.path / name for name in TRANSFORMER_CONFIGS)
    return next((_read_object(file) for file in files if file.exists()), {})


def _read_object(file: Path) -> dict[str, Any]:
    value = _read_json(file)
    if not isinstance(value, dict):
        raise _Refusal(f"{file.name} is damaged: not a JSON object")
    return value


def _read_json(file: Path) -> Any:  # noqa: ANN401
    if not file.is_file():
        raise _Refusal(f"{file.name} is missing; download the model again")
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, RecursionError):
        raise _Refusal(f"{file.name} isn't JSON; download the model again") from None


def _fingerprint(root: Path, modules: list[_Module]) -> str:
    digest = hashlib.sha256(b"searchkit model 1\n")
    for label, content in _ingredients(root, modules):
        digest.update(f"{label} {content}\n".encode())
    return digest.hexdigest()


def _ingredients(root: Path, modules: list[_Module]) -> Iterator[tuple[str, str]]:
    """Yield everything that a vector depends on: a label, and a content or its hash."""
    settings = root / "config_sentence_transformers.json"
    if settings.exists():
        config = _read_object(settings)
        keys = ("prompts", "default_prompt_name", "truncate_dim")
        yield "prompts", _canonical({key: config[key] for key in keys if config.get(key)})
    if preparation := _read_preparation(root):
        yield "prepare", preparation
    for number, module in enumerate(modules):
        yield f"{number} kind", module.type
        if module.type == "Transformer":
            yield f"{number} text", _canonical(_transformer_settings(module))
            for name in TOKENIZER_FILES:
                if (module.path / name).exists():
                    yield f"{number} {name}", _file_content(module.path / name)
        if (module.path / "config.json").exists():
            yield f"{number} config", _file_content(module.path / "config.json")
        if module.type in TYPES_WITH_WEIGHTS or module.type == "Transformer":
            for file in _weight_files(module):
                yield f"{number} weights", sha256(file)


def _file_content(file: Path) -> str:
    """Return what the fingerprint depends on in a file: JSON without `IGNORED_KEYS`, or a hash."""
    if file.suffix != ".json" or file.name == "tokenizer.json":
        return sha256(file)
    config = _read_json(file)
    if isinstance(config, dict):
        config = {key: value for key, value in config.items() if key not in IGNORED_KEYS}
    return _canonical(config)


def _canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def sha256(file: Path) -> str:
    """Return the hex SHA-256 of a file's bytes."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
