"""Which devices may be asked for, and what is said about one that isn't there."""

from __future__ import annotations

import sys

import pytest

from searchkit.core.errors import BadInput
from searchkit.encoding.devices import finding
from searchkit.encoding.devices.finding import check_device, guess_accelerator
from searchkit.encoding.loading import load_encoder
from searchkit.encoding.openvino_encoder import CompiledEncoder


def test_a_device_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finding, "has_accelerator", lambda _: False)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    for device in ("cuda", "mps"):
        with pytest.raises(
            BadInput, match=rf"^there is no {device} on this machine, says torch \S+; leave"
        ):
            check_device(device)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    with pytest.raises(BadInput, match=r"no cuda on this machine, CUDA_VISIBLE_DEVICES hides it; "):
        load_encoder(device="cuda")
    for device in ("auto", "cpu"):
        check_device(device)
    monkeypatch.setattr(finding, "has_accelerator", lambda _: True)
    check_device("mps")


def test_a_device_that_there_is_none_of() -> None:
    with pytest.raises(
        BadInput, match=r"^`device` must be one of auto, cpu, cuda, mps, not 'gpu'$"
    ):
        load_encoder(device="gpu")  # type: ignore[arg-type]


def test_the_guess_imports_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr("pathlib.Path.exists", lambda path: str(path) == "/dev/nvidia0")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert guess_accelerator() == "cuda"
    for hidden in ("", "-1"):
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", hidden)
        assert guess_accelerator() is None


@pytest.mark.model
def test_without_an_accelerator_nothing_is_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("searchkit.encoding.loading.guess_accelerator", lambda: None)
    messages = list[str]()
    assert type(load_encoder(notify=messages.append)) is CompiledEncoder
    assert messages == []
