"""Uploads: files that a page sends, looked at before they go into the index.

Each lies in a folder of its own that nobody else can read, and is deleted when it has been read.
"""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
import threading
import time
from collections.abc import AsyncIterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from starlette.requests import ClientDisconnect

from searchkit.core.errors import BadInput, NoSuchThing, StorageFailed
from searchkit.core.progress import Progress
from searchkit.core.records import Answer
from searchkit.index.ingest import OnDuplicate, ingest
from searchkit.sources.columns import Columns, Reject
from searchkit.sources.reader import ENDINGS, Preview, count_rows, preview, read_answers
from searchkit.web.jobs import Job
from searchkit.web.served import Served

MOST_UPLOADS = 20  # that lie here at the same time; the oldest goes
LONGEST = 3600.0  # seconds that a file waits to be confirmed
MOST_REJECTS = 200  # bad rows that are told


@dataclass(slots=True)
class Upload:
    """A file that was sent.

    Attributes:
        id: Nobody can guess it.
        name: As it was called where it came from.
        path: Where it lies; named as there, as ids may be made of the name.
        size: In bytes.
        job: Its way into the index, once that has begun.
        came: When, in seconds.
    """

    id: str
    name: str
    path: Path
    size: int
    job: Job[dict[str, Any]] | None = None
    came: float = field(default_factory=time.monotonic)


@dataclass(frozen=True, slots=True)
class Reading:
    """How a file is read, as `read_answers` takes it."""

    columns: Columns = field(default_factory=Columns)
    encoding: str | None = None
    sheet: str | None = None
    table: str | None = None


class Uploads:
    """The files that were sent to a server. Close it."""

    def __init__(self) -> None:
        self._files: dict[str, Upload] = {}
        self._folder: Path | None = None
        self._lock = threading.Lock()

    def close(self) -> None:
        """Delete all of them."""
        with self._lock:
            folder, self._folder = self._folder, None
            self._files.clear()
        if folder:
            shutil.rmtree(folder, ignore_errors=True)

    async def receive(self, name: str, pieces: AsyncIterable[bytes]) -> Upload:
        """Write a file as it comes.

        Raises:
            BadInput: if it has no name that says what kind of file it is, or it is empty.
            StorageFailed: if the disk is full.
        """
        name = _bare(name)
        key = secrets.token_urlsafe(16)
        folder = self._made() / key
        try:
            size = await _write(folder, name, pieces)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        upload = Upload(key, name, folder / name, size)
        with self._lock:
            self._make_room()
            self._files[key] = upload
        return upload

    def _made(self) -> Path:
        """Return the folder of all, which is made when it is first needed."""
        with self._lock:
            if self._folder is None or not self._folder.exists():
                try:
                    self._folder = Path(tempfile.mkdtemp(prefix="searchkit-"))
                except OSError as error:
                    raise StorageFailed(f"no file can be kept ({error.strerror})") from error
            return self._folder

    def get(self, key: str) -> Upload:
        """Return a file.

        Raises:
            NoSuchThing: if it isn't here, or not any more.
        """
        with self._lock:
            self._make_room(0)
            if key not in self._files:
                raise NoSuchThing("there is no such upload any more; send the file again")
            return self._files[key]

    def look(self, upload: Upload, reading: Reading) -> Preview:
        """Read the beginning of a file."""
        _check_waiting(upload)
        seen = preview(
            upload.path,
            reading.columns,
            encoding=reading.encoding,
            sheet=reading.sheet,
            table=reading.table,
        )
        problem = seen.problem and _without_folder(seen.problem, upload)
        return replace(seen, problem=problem)

    def ingest(
        self,
        upload: Upload,
        served: Served,
        reading: Reading,
        on_duplicate: OnDuplicate,
        *,
        keep_going: bool,
    ) -> Job[dict[str, Any]]:
        """Begin to put a file into the index."""
        rejects: list[Reject] = []
        count = 0

        def reject(one: Reject) -> None:
            nonlocal count
            count += 1
            if len(rejects) < MOST_REJECTS:
                rejects.append(one)

        def run(progress: Progress) -> dict[str, Any]:
            total = count_rows(upload.path) or 0

            try:
                answers = read_answers(
                    [upload.path],
                    columns=reading.columns,
                    encoding=reading.encoding,
                    sheet=reading.sheet,
                    table=reading.table,
                    on_reject=reject if keep_going else None,
                )
                with served.writing(patience=-1) as index:
                    found = ingest(
                        index,
                        _renamed(answers, upload),
                        on_duplicate=on_duplicate,
                        on_reject=(lambda answer, why: reject(_rejected(answer, why)))
                        if keep_going
                        else None,
                        progress=lambda done, _: progress(done, total),
                    )
            except BadInput as error:
                raise BadInput(_without_folder(str(error), upload)) from error
            finally:
                shutil.rmtree(upload.path.parent, ignore_errors=True)
            return asdict(found) | {
                "rejected": count,
                "rejects": [
                    {"line": one.line, "reason": _without_folder(one.reason, upload)}
                    for one in rejects
                ],
            }

        with self._lock:
            _check_waiting(upload)
            upload.job = Job[dict[str, Any]]().start(run)
            return upload.job

    def _make_room(self, more: int = 1) -> None:
        """Forget files that have waited for too long, and the oldest where there are too many."""
        too_many = len(self._files) + more - MOST_UPLOADS
        for old in list(self._files.values()):
            is_done = old.job is not None and old.job.finished.is_set()
            is_late = old.job is None and time.monotonic() - old.came > LONGEST
            if is_late or (too_many > 0 and (old.job is None or is_done)):
                del self._files[old.id]
                shutil.rmtree(old.path.parent, ignore_errors=True)
                too_many -= 1


async def _write(folder: Path, name: str, pieces: AsyncIterable[bytes]) -> int:
    """Write a file as it comes; return its size."""
    size = 0
    try:
        folder.mkdir(mode=0o700)
        with (folder / name).open("wb") as file:
            async for piece in pieces:
                file.write(piece)
                size += len(piece)
    except OSError as error:
        raise StorageFailed(f"{name}: can't be kept ({error.strerror})") from error
    except ClientDisconnect:
        raise BadInput(f"{name}: broke off after {size:,} bytes; send it again") from None
    if not size:
        raise BadInput(f"{name}: the file is empty")
    return size


def _check_waiting(upload: Upload) -> None:
    if upload.job is not None:
        raise BadInput(f"{upload.name} is on its way into the index already")


def _bare(name: str) -> str:
    """Return a file's name without folders, if it is one of a kind that can be read."""
    bare = PureWindowsPath(PurePosixPath(name).name).name.strip()
    ending = PurePosixPath(bare.lower().removesuffix(".gz")).suffix
    if "\0" in bare or not bare.isprintable() or len(bare.encode()) > 200:
        raise BadInput("the file's name can't be used; rename it")
    if ending not in ENDINGS:
        raise BadInput(f"{bare or 'this'}: not a kind of file that is read: {', '.join(ENDINGS)}")
    return bare


def _renamed(answers: Iterator[Answer], upload: Upload) -> Iterator[Answer]:
    """Say of each answer the file as it was called there, not where it lay here."""
    for answer in answers:
        yield replace(answer, source=_without_folder(answer.source or upload.name, upload))


def _rejected(answer: Answer, why: str) -> Reject:
    return Reject(answer.source or "", answer.line, why, answer.id)


def _without_folder(said: str, upload: Upload) -> str:
    return said.replace(f"{upload.path.parent}{os.sep}", "")
