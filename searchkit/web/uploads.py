"""Uploads: files that a page sends, previewed before they are added to the index.

Each file lies in its own folder that no other user can read, and is deleted once it has been read.
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

from searchkit.core.errors import BadInput, NotFound, StorageFailed
from searchkit.core.progress import Progress
from searchkit.core.records import Answer
from searchkit.index.incoming.targets import Rehearsal, Writer
from searchkit.index.ingest import Choices, Ingest, Row
from searchkit.sources.columns import Reject
from searchkit.sources.documents.formats import is_text
from searchkit.sources.files import ENDINGS, FileOptions
from searchkit.sources.preview import Preview, count_rows, preview
from searchkit.sources.reader import read_rows
from searchkit.web.index_pool import IndexPool
from searchkit.web.jobs import Job
from searchkit.web.messages import with_fields

MAX_UPLOADS = 20  # kept at the same time; a new one then replaces the oldest
CONFIRMATION_TIMEOUT = 3600.0  # seconds
MAX_REJECTS = 200  # rejected rows that are listed with their reasons
MAX_NAME_BYTES = 200


@dataclass(slots=True)
class Upload:
    """A file that was sent.

    Attributes:
        id: A random key that nobody can guess.
        name: The file's name on the sender's machine, without folders.
        path: Where the file lies. Its name is kept, as ids of answers may be made from it.
        size: Its size in bytes.
        job: The job that adds its answers to the index; None until the upload is confirmed.
        received_at: When it was received, in seconds of `time.monotonic`.
    """

    id: str
    name: str
    path: Path
    size: int
    job: Job[dict[str, Any]] | None = None
    received_at: float = field(default_factory=time.monotonic)


class _Rejects:
    """Counts rejected rows and keeps the first `MAX_REJECTS` of them."""

    def __init__(self) -> None:
        self.count = 0
        self.first: list[Reject] = []

    def add(self, reject: Reject) -> None:
        self.count += 1
        if len(self.first) < MAX_REJECTS:
            self.first.append(reject)

    def add_answer(self, answer: Answer, reason: str) -> None:
        self.add(Reject(answer.source or "", answer.line, reason, answer.id))


class Uploads:
    """The files that were sent to a server. Close it to delete them.

    Attributes:
        confirmation_timeout: Seconds after which an unconfirmed upload is deleted.
    """

    def __init__(self, confirmation_timeout: float = CONFIRMATION_TIMEOUT) -> None:
        self.confirmation_timeout = confirmation_timeout
        self._uploads: dict[str, Upload] = {}
        self._folder: Path | None = None
        self._lock = threading.Lock()

    def close(self) -> None:
        """Delete all files."""
        with self._lock:
            folder, self._folder = self._folder, None
            self._uploads.clear()
        if folder:
            shutil.rmtree(folder, ignore_errors=True)

    async def receive(self, name: str, chunks: AsyncIterable[bytes]) -> Upload:
        """Write a file while it arrives.

        Raises:
            BadInput: if the name doesn't end as a file that can be read, or the file is empty.
            StorageFailed: if the disk is full.
        """
        name = _safe_name(name)
        key = secrets.token_urlsafe(16)
        folder = self._make_folder() / key
        try:
            size = await _write(folder, name, chunks)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        upload = Upload(key, name, folder / name, size)
        with self._lock:
            self._discard_old(new=1)
            self._uploads[key] = upload
        return upload

    def _make_folder(self) -> Path:
        """Return the folder of all uploads, made when it is first needed."""
        with self._lock:
            if self._folder is None or not self._folder.exists():
                try:
                    self._folder = Path(tempfile.mkdtemp(prefix="searchkit-"))
                except OSError as error:
                    raise StorageFailed(f"no file can be kept ({error.strerror})") from error
            return self._folder

    def get(self, key: str) -> Upload:
        """Return an upload by its id.

        Raises:
            NotFound: if there is none, or it has been deleted.
        """
        with self._lock:
            self._discard_old()
            if key not in self._uploads:
                raise NotFound("there is no such upload any more; send the file again")
            return self._uploads[key]

    def preview(self, upload: Upload, pool: IndexPool, options: FileOptions) -> Preview:
        """Return the columns and the first answers of a file.

        Where it has marks alone, some of them must belong to answers of the index.

        Raises:
            BadInput: if the upload has been confirmed already.
        """
        _check_unconfirmed(upload)
        result = preview(upload.path, options)
        if not result.has_texts and (problem := _find_unmatched(upload, pool, options)):
            result = replace(result, answers=[], problem=problem)
        return replace(result, problem=result.problem and _without_folder(result.problem, upload))

    def ingest(
        self,
        upload: Upload,
        pool: IndexPool,
        options: FileOptions,
        choices: Choices,
        *,
        keep_going: bool,
    ) -> Job[dict[str, Any]]:
        """Start adding a file's answers to the index.

        Args:
            upload: The file.
            pool: The index.
            options: How the file is read.
            choices: How its rows are treated.
            keep_going: Whether rows that can't be used are left out and listed; otherwise the first
                of them ends the job with an error.

        Returns:
            The job, whose result is a record as in `schemas.corpus.IngestReport`.

        Raises:
            BadInput: if the upload has been confirmed already.
        """

        def run(progress: Progress) -> dict[str, Any]:
            try:
                return _ingest(upload, pool, options, choices, keep_going, progress)
            except BadInput as error:
                raise BadInput(_without_folder(error.message, upload)) from error
            finally:
                shutil.rmtree(upload.path.parent, ignore_errors=True)

        with self._lock:
            _check_unconfirmed(upload)
            upload.job = Job[dict[str, Any]]().start(run)
            return upload.job

    def _discard_old(self, new: int = 0) -> None:
        """Delete uploads that waited for too long, and the oldest to make room for `new` ones."""
        excess = len(self._uploads) + new - MAX_UPLOADS
        for upload in list(self._uploads.values()):
            is_done = upload.job is not None and upload.job.has_finished
            age = time.monotonic() - upload.received_at
            is_late = upload.job is None and age > self.confirmation_timeout
            if is_late or (excess > 0 and (upload.job is None or is_done)):
                del self._uploads[upload.id]
                shutil.rmtree(upload.path.parent, ignore_errors=True)
                excess -= 1


def _find_unmatched(upload: Upload, pool: IndexPool, options: FileOptions) -> str | None:
    """Return why none of the marks in a file belongs to an answer; None if one does."""
    rows = read_rows([upload.path], options, allow_marks=True)
    with pool.reading() as index:
        rehearsal = Ingest(Rehearsal(index), Choices())
        try:
            rehearsal.read(_with_original_source(rows, upload))
        except BadInput as error:
            return None if rehearsal.report.marks_matched else error.message
    return None


def _ingest(
    upload: Upload,
    pool: IndexPool,
    options: FileOptions,
    choices: Choices,
    keep_going: bool,
    progress: Progress,
) -> dict[str, Any]:
    total = count_rows(upload.path) or 0
    rejects = _Rejects()
    rows = read_rows(
        [upload.path], options, on_reject=rejects.add if keep_going else None, allow_marks=True
    )
    choices = replace(
        choices,
        on_reject=rejects.add_answer if keep_going else None,
        path_of=lambda _: None,  # files of other people can have the same name
    )
    with pool.writing(timeout=-1) as index:
        counts = Ingest(Writer(index), choices).read(
            _with_original_source(rows, upload), lambda done, _: progress(done, total)
        )
    return asdict(counts) | {
        "warnings": [with_fields(warning) for warning in counts.warnings],
        "rejected": rejects.count,
        "rejects": [
            {"line": reject.line, "reason": _without_folder(reject.reason, upload)}
            for reject in rejects.first
        ],
    }


async def _write(folder: Path, name: str, chunks: AsyncIterable[bytes]) -> int:
    """Write a file while it arrives; return its size in bytes."""
    size = 0
    try:
        folder.mkdir(mode=0o700)
        with (folder / name).open("wb") as file:
            async for chunk in chunks:
                file.write(chunk)
                size += len(chunk)
    except OSError as error:
        raise StorageFailed(f"{name}: can't be kept ({error.strerror})") from error
    except ClientDisconnect:
        raise BadInput(f"{name}: broke off after {size:,} bytes; send it again") from None
    if not size:
        raise BadInput(f"{name}: the file is empty")
    return size


def _check_unconfirmed(upload: Upload) -> None:
    if upload.job is not None:
        raise BadInput(f"{upload.name} is on its way into the index already")


def _safe_name(name: str) -> str:
    """Return a file's name without folders.

    Raises:
        BadInput: if the name can't be used, or its ending isn't that of a file that can be read.
    """
    bare = PureWindowsPath(PurePosixPath(name).name).name.strip()
    ending = PurePosixPath(bare.lower().removesuffix(".gz")).suffix
    if "\0" in bare or not bare.isprintable() or len(bare.encode()) > MAX_NAME_BYTES:
        raise BadInput("the file's name can't be used; rename it")
    if ending not in ENDINGS and not is_text(bare):
        raise BadInput(f"{bare or 'this'}: not a kind of file that is read: {', '.join(ENDINGS)}")
    return bare


def _with_original_source(rows: Iterator[Row], upload: Upload) -> Iterator[Row]:
    """Yield the rows with the sender's file name as their source, without the folder here."""
    for row in rows:
        yield replace(row, source=_without_folder(row.source or upload.name, upload))


def _without_folder(message: str, upload: Upload) -> str:
    return with_fields(message).replace(f"{upload.path.parent}{os.sep}", "")
