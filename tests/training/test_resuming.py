"""Trainings that were interrupted: by a kill, a full disk, or an error at the worst moment."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from helpers.files import TESTS
from helpers.training import FAST, pairs

from searchkit.core.errors import BadInput
from searchkit.encoding.models.folder import check_folder
from searchkit.output.evaluation import describe_training
from searchkit.training.records import TrainingResult
from searchkit.training.train import train

pytestmark = pytest.mark.model
STEPS = [7, 14, 21, 28]  # of the checkpoints


class Interrupted(BaseException):
    """Stands in for a kill."""


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEARCHKIT_CACHE", str(tmp_path / "cache"))


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Let torch compute with one thread, as others sum in another order.

    Numba, once it has started its own threads, changes their number for torch, too.
    """
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def trained(output: Path, tiny: Path, *, overwrite: bool = False) -> TrainingResult:
    return train(pairs(), output, model=str(tiny), settings=FAST, overwrite=overwrite, device="cpu")


def interrupt_removal(monkeypatch: pytest.MonkeyPatch, name: str, nth: int = 1) -> None:
    """Interrupt the nth removal of a folder of this name, when some of its files are gone."""
    whole, removals = shutil.rmtree, []

    def rmtree(folder: str | Path, *arguments: object, **more: object) -> None:
        if Path(folder).name == name:
            removals.append(folder)
        if Path(folder).name == name and len(removals) == nth:
            for file in [*Path(folder).rglob("optimizer.pt"), *Path(folder).rglob("rng_state.pth")]:
                file.unlink()
            raise Interrupted
        whole(folder, *arguments, **more)

    monkeypatch.setattr(shutil, "rmtree", rmtree)


def test_killed_it_goes_on_and_comes_to_the_same_model(tiny: Path, tmp_path: Path) -> None:
    whole = train(pairs(), tmp_path / "whole", model=str(tiny), settings=FAST, device="cpu")
    code = f"""
import sys; sys.path.insert(0, {str(TESTS)!r})
from helpers.training import FAST, pairs
from searchkit.training.train import train
train(pairs(), {str(tmp_path / "cut")!r}, model={str(tiny)!r}, settings=FAST, device="cpu",
      progress=lambda *at: print(*at, flush=True))
"""
    reached = f"{whole.steps * 3 // 4} {whole.steps}\n"
    with subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        text=True,
        env=dict(os.environ, OMP_NUM_THREADS="1"),
    ) as process:
        assert process.stdout
        for line in process.stdout:
            if line == reached:
                process.kill()
    assert not (tmp_path / "cut").exists() and (tmp_path / "cut.training").exists()
    other = replace(FAST, learning_rate=1e-3)
    with pytest.raises(BadInput, match=r"cut.training: an unfinished training with other pairs"):
        train(pairs(), tmp_path / "cut", model=str(tiny), settings=other, device="cpu")
    steps: list[int] = []
    resumed = train(
        pairs(), tmp_path / "cut", model=str(tiny), settings=FAST, device="cpu",
        progress=lambda step, _: steps.append(step),
    )  # fmt: skip
    assert steps[0] > 1 and steps[-1] == whole.steps
    assert check_folder(resumed.path).fingerprint == check_folder(whole.path).fingerprint


def set_scores(monkeypatch: pytest.MonkeyPatch, *scores: float) -> None:
    """Set the score of each checkpoint."""
    from searchkit.training.trainer import METRIC, Scorer

    score_at = dict(zip(STEPS, scores, strict=True))
    monkeypatch.setattr(Scorer, "__call__", lambda *_, steps, **__: {METRIC: score_at[steps]})


def test_a_checkpoint_that_is_removed_in_part_is_not_resumed_from(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_scores(monkeypatch, 0.5, 0.3, 0.2, 0.9)
    whole = trained(tmp_path / "whole", tiny)
    interrupt_removal(monkeypatch, "checkpoint-14")  # which is neither the best nor the newest
    with pytest.raises(Interrupted):
        trained(tmp_path / "cut", tiny)
    resumed = trained(tmp_path / "cut", tiny)
    assert resumed.scores == whole.scores == [(7, 0.5), (14, 0.3), (21, 0.2), (28, 0.9)]
    assert check_folder(resumed.path).fingerprint == check_folder(whole.path).fingerprint


def test_the_best_checkpoint_is_found_from_another_working_directory(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_scores(monkeypatch, 0.9, 0.3, 0.2, 0.1)
    whole = trained(tmp_path / "whole", tiny)
    interrupt_removal(monkeypatch, "model")  # after the last step
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Interrupted):
        trained(Path("cut"), tiny)
    monkeypatch.chdir("/")
    resumed = trained(tmp_path / "cut", tiny)
    assert resumed.best_step == whole.best_step == 7
    assert check_folder(resumed.path).fingerprint == check_folder(whole.path).fingerprint


def test_interrupted_after_the_last_step_it_knows_all_scores(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupt_removal(monkeypatch, "model")  # before the model is saved
    with pytest.raises(Interrupted):
        trained(tmp_path / "cut", tiny)
    resumed = trained(tmp_path / "cut", tiny)
    assert [step for step, _ in resumed.scores] == STEPS
    best = f"{dict(resumed.scores)[resumed.best_step]:.3f} at step {resumed.best_step}, which is"
    assert any(best in line for line in describe_training(resumed))
    card = (resumed.path / "README.md").read_text("utf-8")
    assert all(f"| {step}" in card for step in STEPS)


def test_interrupted_while_its_checkpoints_are_removed_it_can_be_trained_again(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupt_removal(monkeypatch, "new.training", nth=2)  # after the training
    with pytest.raises(Interrupted):
        trained(tmp_path / "new", tiny)
    fingerprint = check_folder(tmp_path / "new").fingerprint
    with pytest.raises(BadInput, match="new: is there already"):
        trained(tmp_path / "new", tiny)
    again = trained(tmp_path / "new", tiny, overwrite=True)  # from the start
    assert [step for step, _ in again.scores] == STEPS
    assert check_folder(again.path).fingerprint == fingerprint
    assert not list(tmp_path.glob("*.training"))


def test_a_full_disk_is_named_and_room_lets_it_go_on(tiny: Path, tmp_path: Path) -> None:
    code = f"""
import resource, signal, sys; sys.path.insert(0, {str(TESTS)!r})
from helpers.training import FAST, pairs
from searchkit.training.train import train
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
train(pairs(), {str(tmp_path / "new")!r}, model={str(tiny)!r}, settings=FAST, device="cpu")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    (line,) = [one for one in done.stderr.splitlines() if "StorageFailed: " in one]
    assert "new.training: can't be written (" in line and "it goes on where it was" in line
    assert not (tmp_path / "new").exists()
    trained = train(pairs(), tmp_path / "new", model=str(tiny), settings=FAST, device="cpu")
    assert check_folder(trained.path)
