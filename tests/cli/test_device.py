"""`--device` on the command line: what is passed on, and what is said of one that isn't there."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from helpers.encoder import ToyEncoder
from helpers.serving import toy_encoder

from searchkit import Answer, Index
from searchkit.cli.app import main

CSV = "id,question,author,answer\n1,q,ann,a stream hands on data\n2,q,bob,the loop runs\n"


@pytest.fixture
def devices(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The devices for which an encoder was loaded."""
    loaded: list[str] = []

    def load(*_: object, device: str = "auto", **__: object) -> ToyEncoder:
        loaded.append(device)
        return toy_encoder()

    for module in ("index.base", "index.folder", "encoding.loading"):
        monkeypatch.setattr(f"searchkit.{module}.load_encoder", load)
    monkeypatch.setattr("searchkit.encoding.devices.finding.has_accelerator", lambda _: True)
    return loaded


def run(*arguments: str | Path) -> str:
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.output
    return result.output


def test_the_device_reaches_the_encoder(tmp_path: Path, devices: list[str]) -> None:
    (tmp_path / "a.csv").write_text(CSV)
    index = ("--index", tmp_path / "i")
    run("ingest", tmp_path / "a.csv", *index, "--device", "cuda")
    assert devices[-1] == "cuda"
    run("ingest", tmp_path / "a.csv", *index, "--on-duplicate", "keep-last", "--device", "cpu")
    run("reindex", "--model", "toy", *index, "--device", "mps")
    assert devices[-1] == "mps"
    run("reindex", "--model", "toy", *index)
    assert devices[-1] == "auto"


def test_one_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("searchkit.encoding.devices.finding.has_accelerator", lambda _: False)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    (tmp_path / "a.csv").write_text(CSV)
    with Index.create(tmp_path / "i", ToyEncoder()) as index:
        index.add([Answer("1", "a stream")])
    for command in (
        ["ingest", tmp_path / "a.csv", "--index", tmp_path / "new"],
        ["reindex", "--damaged", "--index", tmp_path / "i"],
        ["reindex", "--model", "default", "--index", tmp_path / "i"],
        ["plagiarism", "--index", tmp_path / "i"],
        ["evaluate", "--corpus", tmp_path / "a.csv"],
    ):
        result = CliRunner().invoke(main, [*map(str, command), "--device", "cuda"])
        assert result.exit_code == 1, command
        (line,) = [line for line in result.output.splitlines() if "there is no cuda" in line]
        assert line.endswith("; leave --device out, or choose --device cpu")
    assert not (tmp_path / "new").exists()
