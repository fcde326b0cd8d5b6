"""Uploads: files that a page sends, looked at before they go into the index.

Each lies in a folder of its own that nobody else can read, and is deleted when it has been read.
"""

from __future__ import annotations

import secrets
import shutil
import tempfile
from collections.abc import AsyncIterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from searchkit.columns import Columns, Reject
from searchkit.errors import BadInput, StorageFailed
from searchkit.ingest import OnDuplicate, ingest
from searchkit.served import Job, Progress, Served
from searchkit.sources import ENDINGS, Preview, count_rows, preview, read_answers
from searchkit.types import Answer

MOST_UPLOADS = 20  # that lie here at the same time; the oldest goes
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
    """

    id: str
    name: str
    path: Path
    size: int
    job: Job[dict[str, Any]] | None = None


@dataclass(slots=True)
class Uploads:
    """The files that were sent to a server."""

    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="searchkit-")))
    files: dict[str, Upload] = field(default_factory=dict)

    def close(self) -> None:
        """Delete all of them."""
        shutil.rmtree(self.folder, ignore_errors=True)

    async def receive(self, name: str, pieces: AsyncIterable[bytes]) -> Upload:
        """Write a file as it comes.

        Raises:
            BadInput: if it has no name that says what kind of file it is, or it is empty.
            StorageFailed: if the disk is full.
        """
        name = _bare(name)
        key = secrets.token_urlsafe(16)
        path = self.folder / key / name
        size = 0
        try:
            path.parent.mkdir(mode=0o700)
            with path.open("wb") as file:
                async for piece in pieces:
                    file.write(piece)
                    size += len(piece)
            if not size:
                raise BadInput(f"{name}: the file is empty")
        except OSError as error:
            shutil.rmtree(path.parent, ignore_errors=True)
            raise StorageFailed(f"{name}: can't be kept ({error.strerror})") from error
        except BaseException:
            shutil.rmtree(path.parent, ignore_errors=True)
            raise
        for old in list(self.files.values())[: len(self.files) + 1 - MOST_UPLOADS]:
            if old.job is None or old.job.finished.is_set():
                self._forget(old)
        self.files[key] = Upload(key, name, path, size)
        return self.files[key]

    def get(self, key: str) -> Upload:
        """Give a file.

        Raises:
            BadInput: if it isn't here, or not any more.
        """
        if key not in self.files:
            raise BadInput("there is no such upload any more; send the file again")
        return self.files[key]

    def look(self, upload: Upload, columns: Columns) -> Preview:
        """Read the beginning of a file."""
        self._check_waiting(upload)
        seen = preview(upload.path, columns)
        problem = seen.problem and _without_folder(seen.problem, upload)
        return replace(seen, problem=problem)

    def ingest(
        self, upload: Upload, served: Served, columns: Columns, on_duplicate: OnDuplicate,
        *, keep_going: bool,
    ) -> Job[dict[str, Any]]:  # fmt: skip
        """Begin to put a file into the index."""
        self._check_waiting(upload)
        rejects: list[Reject] = []
        count = 0

        def reject(one: Reject) -> None:
            nonlocal count
            count += 1
            if len(rejects) < MOST_REJECTS:
                rejects.append(one)

        def run(progress: Progress) -> dict[str, Any]:
            total, done = count_rows(upload.path) or 0, 0

            def advance(more: int) -> None:
                nonlocal done
                done += more
                progress(done, total)

            try:
                answers = read_answers(
                    [upload.path], columns=columns, on_reject=reject if keep_going else None
                )
                with served.writing() as index:
                    found = ingest(
                        index, _renamed(answers, upload.name), on_duplicate=on_duplicate,
                        on_reject=(lambda answer, why: reject(_rejected(answer, why)))
                        if keep_going else None, progress=advance,
                    )  # fmt: skip
            except BadInput as error:
                raise BadInput(_without_folder(str(error), upload)) from error
            finally:
                shutil.rmtree(upload.path.parent, ignore_errors=True)
            return asdict(found) | {
                "rejected": count,
                "rejects": [{"line": one.line, "reason": one.reason} for one in rejects],
            }

        upload.job = Job[dict[str, Any]]().start(run)
        return upload.job

    def _check_waiting(self, upload: Upload) -> None:
        if upload.job is not None:
            raise BadInput(f"{upload.name} is on its way into the index already")

    def _forget(self, upload: Upload) -> None:
        del self.files[upload.id]
        shutil.rmtree(upload.path.parent, ignore_errors=True)


def _bare(name: str) -> str:
    """Give a file's name without folders, if it is one of a kind that can be read."""
    bare = PureWindowsPath(PurePosixPath(name).name).name.strip()
    ending = PurePosixPath(bare.lower().removesuffix(".gz")).suffix
    if "\0" in bare or not bare.isprintable() or len(bare.encode()) > 200:
        raise BadInput("the file's name can't be used; rename it")
    if ending not in ENDINGS:
        raise BadInput(f"{bare or 'this'}: not a kind of file that is read: {', '.join(ENDINGS)}")
    return bare


def _renamed(answers: Iterator[Answer], name: str) -> Iterator[Answer]:
    """Say of each answer the name of the file, not where it lay here."""
    return (replace(answer, source=name) for answer in answers)


def _rejected(answer: Answer, why: str) -> Reject:
    return Reject(answer.source or "", answer.line, why, answer.id)


def _without_folder(said: str, upload: Upload) -> str:
    return said.replace(f"{upload.path.parent}/", "")
