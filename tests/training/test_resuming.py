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
from click.testing import CliRunner
from helpers.files import TESTS
from helpers.training import FAST, pairs

from searchkit.cli.app import main
from searchkit.core.errors import BadInput, IndexBusy, StorageFailed
from searchkit.encoding.models.folder import check_folder
from searchkit.output.evaluation import describe_training
from searchkit.training.records import TrainingResult
from searchkit.training.resuming import last_checkpoint, locked
from searchkit.training.train import train

pytestmark = pytest.mark.model
STEPS = [7, 14, 21, 28]  # of the checkpoints


class Interrupted(BaseException):
    """Stands in for a kill."""


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEARCHKIT_CACHE", str(tmp_path / "cache"))


@pytest.fixture(autouse=True, scope="module")
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
    interrupt_removal(monkeypatch, "checkpoint-28")  # after the training
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


@pytest.fixture(scope="module")
def unfinished(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Interrupt a training whose checkpoints are 7, which is the best, and 14.

    Returns:
        The working folder, and what the interruption says.
    """
    output = tmp_path_factory.mktemp("unfinished") / "new"

    def interrupt(step: int, _: int) -> None:
        if step == 20:
            raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        set_scores(patch, 0.9, 0.3, 0.2, 0.1)
        with pytest.raises(KeyboardInterrupt) as interruption:
            train(pairs(), output, model=str(tiny), settings=FAST, device="cpu", progress=interrupt)
    return output.with_name("new.training"), str(interruption.value)


@pytest.fixture
def work(unfinished: tuple[Path, str], tmp_path: Path) -> Path:
    """Copy the working folder of the interrupted training."""
    return Path(shutil.copytree(unfinished[0], tmp_path / "new.training"))


def truncate(file: Path) -> None:
    os.truncate(file, file.stat().st_size // 2)


def test_an_interruption_says_how_to_go_on(
    unfinished: tuple[Path, str], tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, message = unfinished
    assert message == f"the same command goes on from step 14, which is in {place}"

    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt(message)

    monkeypatch.setattr("searchkit.training.train.train", stop)
    file = tmp_path / "pairs.csv"
    file.write_text("sentence_0,sentence_1,label\na,b,1\n")
    result = CliRunner().invoke(main, ["train", str(file), "-o", str(tmp_path / "new")])
    assert (result.exit_code, result.stderr) == (130, f"searchkit: interrupted; {message}\n")


def test_a_damaged_checkpoint_is_left_for_an_earlier_one(
    work: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    truncate(work / "checkpoint-14" / "optimizer.pt")
    # The former model's place when this training was once interrupted at the very end.
    for place in (work / "replaced", work.with_name("new")):
        place.mkdir()
        (place / "README.md").touch()
    set_scores(monkeypatch, 0.9, 0.3, 0.2, 0.1)
    steps: list[int] = []
    resumed = train(
        pairs(), work.with_name("new"), model=str(tiny), settings=FAST, overwrite=True,
        device="cpu", progress=lambda step, _: steps.append(step),
    )  # fmt: skip
    assert "new.training: a checkpoint is damaged; the training goes on from step 7" in caplog.text
    assert steps[0] == 8 and resumed.best_step == 7
    assert [step for step, _ in resumed.scores] == STEPS
    assert check_folder(resumed.path)
    assert not work.exists()


@pytest.mark.parametrize(
    ("step", "name"),
    [(7, "model.safetensors"), (7, "modules.json"), (7, "whole"), (7, "trainer_state.json")],
)
def test_without_its_best_checkpoint_it_begins_again(
    work: Path, step: int, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    truncate(work / f"checkpoint-{step}" / name)
    assert last_checkpoint(work) is None
    assert "new.training: a checkpoint is damaged; the training begins again" in caplog.text
    assert not list(work.glob("checkpoint-*"))


def test_whole_checkpoints_are_kept_whatever_else_is_there(
    work: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (work / "checkpoint-x").mkdir()
    assert last_checkpoint(work) == work / "checkpoint-14"
    assert (work / "checkpoint-7" / "whole").exists() and not caplog.text


def test_a_damaged_note_lets_it_begin_again(
    work: Path, tiny: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (work / "training.json").write_bytes(b"")
    fresh = trained(work.with_name("new"), tiny)
    assert "training.json: is damaged; the training begins again" in caplog.text
    assert [step for step, _ in fresh.scores] == STEPS and not work.exists()


def test_a_second_training_is_refused_and_harms_nothing(work: Path, tiny: Path) -> None:
    with locked(work), pytest.raises(IndexBusy, match=r"new.training: being written by process"):
        trained(work.with_name("new"), tiny, overwrite=True)
    assert last_checkpoint(work) == work / "checkpoint-14"


def test_nothing_of_others_is_removed(tiny: Path, tmp_path: Path) -> None:
    (tmp_path / "new.training").mkdir()
    (tmp_path / "new.training" / "notes.txt").write_text("mine")
    with pytest.raises(BadInput, match=r"new.training: has notes.txt in it, which is of no trai"):
        trained(tmp_path / "new", tiny, overwrite=True)
    assert [path.name for path in (tmp_path / "new.training").iterdir()] == ["notes.txt"]


@pytest.mark.parametrize(
    ("output", "error", "message"),
    [
        (".", BadInput, r"isn't the name of a new folder; name one with `output`"),
        ("..", BadInput, r"isn't the name of a new folder; name one with `output`"),
        (
            "x" * 300,
            StorageFailed,
            r"x.training: can't be written \(File name too long\); make",
        ),
        ("file/new", StorageFailed, r"new.training: can't be written \(Not a dir.*`output`$"),
    ],
)
def test_an_output_that_cannot_be_is_named(
    output: str, error: type[Exception], message: str, tiny: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(error, match=message):
        trained(Path(output), tiny)
