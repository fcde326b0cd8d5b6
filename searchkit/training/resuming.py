"""The folder of an unfinished training: whose it is, one training at a time, whole checkpoints."""

from __future__ import annotations

import errno
import json
import logging
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from searchkit.core.errors import BadInput, StorageFailed
from searchkit.core.messages import Message, path_text
from searchkit.encoding.models.folder import sha256
from searchkit.index.storage.lock import LOCK_FILE, WriterLock

log = logging.getLogger("searchkit")
# Says what an unfinished training is of; the first file to be written, and the first to be removed.
IDENTITY_FILE = "training.json"
# File that is written to a checkpoint after all others, with their SHA-256.
COMPLETE_FILE = "whole"
STATE_FILE = "trainer_state.json"  # of a checkpoint
FOLDERS = ("eval", "model", "replaced", "runs")  # that a training may leave, beside checkpoints
_IS_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
# safetensors and torch report failed writes by other exceptions, in these words.
_FAILED_WRITES = ("Os {", "I/O error", "PytorchStreamWriter", "file write failed")


def working_folder(output: Path) -> Path:
    """Return the folder beside the output in which a training works until it is complete.

    Raises:
        BadInput: If the output has no name.
    """
    if output.name in ("", ".."):
        raise BadInput(
            Message(
                "{output}: isn't the name of a new folder; name one with `output`", output=output
            )
        )
    return output.with_name(f"{output.name}.training")


def _check_ours(work: Path) -> None:
    """Refuse a folder that somebody made for something else."""
    if work.is_dir() and not (work / IDENTITY_FILE).exists():
        others = [path.name for path in work.iterdir() if not _is_ours(path.name)]
        if others:
            raise BadInput(
                Message(
                    "{work}: has {other} in it, which is of no training; move it away, or name "
                    "another folder with `output`",
                    work=path_text(work),
                    other=path_text(Path(min(others))),
                )
            )


def _is_ours(name: str) -> bool:
    files = (LOCK_FILE, IDENTITY_FILE, Path(IDENTITY_FILE).with_suffix(".new").name)
    return name in (*files, *FOLDERS) or name.startswith("checkpoint-")


@contextmanager
def locked(work: Path) -> Iterator[None]:
    """Make the working folder, and keep other trainings out of it; remove it if nothing is in it.

    Raises:
        BadInput: If it holds other things.
        IndexBusy: If another training works in it.
        OSError: If it can't be written.
    """
    _check_ours(work)
    work.mkdir(parents=True, exist_ok=True)
    (work / LOCK_FILE).touch()
    lock = WriterLock(work / LOCK_FILE)
    try:
        lock.acquire()
    except StorageFailed:
        log.warning("%s: can't be locked here; don't train twice at once in it", path_text(work))
    try:
        yield
    finally:
        lock.release()
        with suppress(OSError):
            if [path.name for path in work.iterdir()] == [LOCK_FILE]:
                (work / LOCK_FILE).unlink()
                work.rmdir()


def begin(work: Path, identity: dict[str, Any], *, overwrite: bool) -> None:
    """Keep what an interrupted training with equal identity left; remove that of another one.

    Raises:
        BadInput: If there are checkpoints of another training, and `overwrite` isn't set.
    """
    note = work / IDENTITY_FILE
    if note.exists():
        unfinished = _read_json(note)
        if unfinished == identity:
            return
        if unfinished is None:
            log.warning("%s: is damaged; the training begins again", path_text(note))
        elif not overwrite and last_step(work) is not None:
            raise BadInput(
                Message(
                    "{work}: an unfinished training with other pairs or settings; repeat its "
                    "command to go on, or say `overwrite=True`",
                    work=path_text(work),
                )
            )
    clear(work)
    written = note.with_suffix(".new")
    written.write_text(json.dumps(identity), "utf-8")
    written.replace(note)


def clear(work: Path) -> None:
    """Remove everything but the lock; first the note, so that a part of the rest isn't resumed."""
    (work / IDENTITY_FILE).unlink(missing_ok=True)
    for path in list(work.iterdir()):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path.name != LOCK_FILE:
            path.unlink()


def _read_json(file: Path) -> Any:  # noqa: ANN401
    """Return the content of a JSON file; None if it is damaged or missing."""
    try:
        return json.loads(file.read_text("utf-8"))
    except (OSError, ValueError):
        return None


# -- checkpoints -----------------------------------------------------------------------------------


def mark_complete(checkpoint: Path) -> None:
    """Write the hashes of a checkpoint's files, which say that it is complete."""
    files = sorted(path for path in checkpoint.rglob("*") if path.is_file())
    hashes = {path.relative_to(checkpoint).as_posix(): sha256(path) for path in files}
    (checkpoint / COMPLETE_FILE).write_text(json.dumps(hashes), "utf-8")


def remove_checkpoint(checkpoint: Path) -> None:
    """Remove a checkpoint; what an interruption leaves of it doesn't look complete."""
    (checkpoint / COMPLETE_FILE).unlink(missing_ok=True)
    shutil.rmtree(checkpoint, ignore_errors=True)


def last_step(work: Path) -> int | None:
    """Return the step of the last complete checkpoint, which may be damaged."""
    marked = [path for path in _checkpoints(work) if (path / COMPLETE_FILE).exists()]
    return max(map(_step, marked), default=None)


def last_checkpoint(work: Path) -> Path | None:
    """Return the last checkpoint to go on from, after removing all but it and its best one.

    A power failure may leave damaged files in a complete one: then it is an earlier one.
    """
    before = last_step(work)
    whole = {_step(path): path for path in _checkpoints(work) if _is_whole(path)}
    best = {step: _best_step(path) for step, path in whole.items()}
    last = max((step for step in whole if best[step] in (None, *whole)), default=None)
    kept = () if last is None else (last, best[last])
    for path in _checkpoints(work):
        if _step(path) not in kept:
            remove_checkpoint(path)
    if last != before:
        goes_on = "begins again" if last is None else f"goes on from step {last:,}"
        log.warning("%s: a checkpoint is damaged; the training %s", path_text(work), goes_on)
    return None if last is None else whole[last]


def _checkpoints(work: Path) -> list[Path]:
    return [path for path in work.glob("checkpoint-*") if path.name.rpartition("-")[2].isdecimal()]


def _step(checkpoint: Path) -> int:
    return int(checkpoint.name.rpartition("-")[2])


def _best_step(checkpoint: Path) -> int | None:
    """Return the step of the best checkpoint until then; None if nothing is held out."""
    step: int | None = _read_json(checkpoint / STATE_FILE).get("best_global_step")
    return step or None


def _is_whole(checkpoint: Path) -> bool:
    hashes = _read_json(checkpoint / COMPLETE_FILE)
    if not isinstance(hashes, dict) or STATE_FILE not in hashes:
        return False
    try:
        return all(sha256(checkpoint / name) == hash for name, hash in hashes.items())
    except OSError:
        return False


# -- what stops a training -------------------------------------------------------------------------


def interruption(work: Path) -> str:
    """Return what an interrupted training has kept, and how to go on."""
    step = last_step(work)
    if step is None:
        return "no checkpoint was complete yet; the same command begins again"
    return f"the same command goes on from step {step:,}, which is in {path_text(work)}"


def failed_write(error: Exception, work: Path) -> StorageFailed | None:
    """Return the error for a file that couldn't be written; None for an error of another kind."""
    is_full = any(phrase in str(error) for phrase in _FAILED_WRITES)
    reason = "is the disk full?"
    if isinstance(error, OSError) and error.errno is not None:
        is_full, reason = error.errno in _IS_FULL, error.strerror or str(error)
    elif not is_full:
        return None
    advice = (
        "make room and run the same command again: it goes on where it was"
        if is_full
        else "make that possible, or name another folder with `output`"
    )
    return StorageFailed(
        Message(f"{{work}}: can't be written ({{reason}}); {advice}", work=work, reason=reason)
    )
