"""What every test shares: a toy encoder, a few answers, an index in a temporary folder."""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers.encoder import ToyEncoder
from helpers.files import SHARED, edit
from helpers.milvus_server import VARIABLE, Server
from helpers.remembering import MEMORY, Memory
from hypothesis import settings

from searchkit.core.records import Answer
from searchkit.encoding.batch_encoder import BatchEncoder
from searchkit.encoding.models.names import find_model

LONG = ("slow", "crash", "model")  # marks of tests, those that take longest first

# The same examples each time, so that a change fails for what it breaks; `make break` tries others.
settings.register_profile("same", derandomize=True)
settings.register_profile("others", print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))


@pytest.hookimpl(trylast=True)  # after the tests were shuffled
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take long, so that all processes end at about the same time."""
    ranks: dict[Path, int] = {}
    for item in items:
        rank = next((n for n, mark in enumerate(LONG) if item.get_closest_marker(mark)), len(LONG))
        ranks[item.path] = min(rank, ranks.get(item.path, rank))
    items.sort(key=lambda item: ranks[item.path])


@pytest.fixture(autouse=True)
def _as_a_library() -> Iterator[None]:
    """Give the package's messages back to the caller after a command took them for stderr."""
    yield
    log = logging.getLogger("searchkit")
    log.handlers[:], log.propagate = [], True
    log.setLevel(logging.NOTSET)


@pytest.fixture
def encoder() -> ToyEncoder:
    return ToyEncoder()


@pytest.fixture
def answers() -> list[Answer]:
    rows = [
        ("a1", "q1", "ann", "The event loop runs callbacks when the stack is empty"),
        ("a2", "q1", "bob", "Callbacks run from the event loop once the stack is empty"),
        ("a3", "q1", "cy", "Node uses one thread"),
        ("a4", "q2", "ann", "Middleware is a function with request response and next"),
        ("a5", "q2", "bob", "Streams read data piece by piece"),
        ("a6", "q2", "cy", ""),
    ]
    return [Answer(i, t, q, a, meta={"score": str(n)}) for n, (i, q, a, t) in enumerate(rows)]


@pytest.fixture(scope="session")
def shared_data() -> Path:
    if not SHARED.is_dir():
        pytest.skip("needs the real corpora in ../shared/data, which are not here")
    return SHARED


@pytest.fixture(scope="session", autouse=True)
def memory_file(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Name the file in which all processes of this run remember vectors, also to commands."""
    base = tmp_path_factory.getbasetemp()
    path = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "vectors.db"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(MEMORY, str(path))
        yield path


@pytest.fixture(scope="module")
def remembered(memory_file: Path) -> Iterator[None]:
    """Let a module's tests embed no text with a real model that another test of this run has."""
    memory = Memory(memory_file)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BatchEncoder, "_embed", lambda *arguments: memory.embed(*arguments))
        yield
    memory.close()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Start a Milvus server; its tests run in one process, since it has one port."""
    if VARIABLE not in os.environ:
        pytest.skip("no Milvus server here; make test-milvus starts one")
    started = Server(tmp_path_factory.mktemp("milvus"))
    yield started
    started.kill()


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a real BERT of two layers, 32 dimensions and random weights, with a real tokenizer."""
    from searchkit.encoding.compiling import quiet

    folder = tmp_path_factory.mktemp("tiny") / "model"
    bundled = find_model().path
    shutil.copytree(bundled, folder, ignore=shutil.ignore_patterns("*.safetensors"))
    with quiet():
        import torch
        from transformers import BertConfig, BertModel

        torch.manual_seed(0)
        config = BertConfig(
            hidden_size=32,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=64,
            max_position_embeddings=128,
            initializer_range=0.3,
        )
        BertModel(config).save_pretrained(folder)
    edit(folder / "1_Pooling" / "config.json", word_embedding_dimension=32)
    edit(folder / "sentence_bert_config.json", max_seq_length=64)
    return folder
