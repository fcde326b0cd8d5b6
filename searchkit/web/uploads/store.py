"""Uploads: files that a page sends, previewed before they are added to the index.

Each file lies in its own folder that no other user can read, and is deleted once its answers are in
the index. If they can't be added, it is kept, so that it can be tried again with other choices.
"""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
import threading
import time
from collections.abc import AsyncIterable, Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from starlette.requests import ClientDisconnect

from searchkit.core.errors import BadInput, NotFound, StorageFailed
from searchkit.core.progress import Progress
from searchkit.core.records import Answer
from searchkit.index.incoming.targets import Rehearsal, Target, Writer
from searchkit.index.ingest import Choices, Ingest, Row
from searchkit.output.status import describe_ingested
from searchkit.sources.columns import Reject
from searchkit.sources.documents.formats import is_text
from searchkit.sources.files import ENDINGS, FileOptions
from searchkit.sources.preview import Preview, count_rows, preview
from searchkit.sources.reader import read_rows
from searchkit.web.index_pool import IndexPool
from searchkit.web.jobs import Job
from searchkit.web.messages import with_fields
from searchkit.web.uploads.log_lines import collected_warnings

MAX_UPLOADS = 20  # kept at the same time; a new one then replaces the oldest
CONFIRMATION_TIMEOUT = 3600.0  # seconds
MAX_REJECTS = 200  # rejected rows that are listed with their reasons
MAX_QUESTIONS = 200  # that are listed
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
        check: The last job that counted what adding them would do; None for none.
        received_at: When it was received, in seconds of `time.monotonic`.
    """

    id: str
    name: str
    path: Path
    size: int
    job: Job[dict[str, Any]] | None = None
    check: Job[dict[str, Any]] | None = None
    received_at: float = field(default_factory=time.monotonic)

    @property
    def is_waiting(self) -> bool:
        """Whether it can be confirmed: it wasn't yet, or its answers couldn't be added."""
        return self.job is None or self.job.has_failed


class _Remarks:
    """Counts blank and rejected rows, and keeps the first `MAX_REJECTS` of them, and the questions.

    Attributes:
        rejected: Number of rows that can't be used.
        rejects: The first of them.
        blank: Number of answers without a text.
        blank_rows: What the first of them are called: the line, or else the id.
        questions: The first questions, in the file's order.
    """

    def __init__(self) -> None:
        self.rejected = 0
        self.rejects: list[Reject] = []
        self.blank = 0
        self.blank_rows: list[str] = []
        self.questions: dict[str, None] = {}

    def note(self, rows: Iterable[Row]) -> Iterator[Row]:
        """Yield the rows as they are, after looking at each."""
        for row in rows:
            if row.question and len(self.questions) < MAX_QUESTIONS:
                self.questions[row.question] = None
            if isinstance(row, Answer) and not row.text.strip():
                self.blank += 1
                if len(self.blank_rows) < MAX_REJECTS:
                    self.blank_rows.append(f"line {row.line}" if row.line else row.id)
            yield row

    def add(self, reject: Reject) -> None:
        """Count a row that can't be used."""
        self.rejected += 1
        if len(self.rejects) < MAX_REJECTS:
            self.rejects.append(reject)

    def add_answer(self, answer: Answer, reason: str) -> None:
        """Count an answer that can't be used."""
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
            with pool.writing(timeout=-1) as index:
                report = _read_into(
                    Writer(index), upload, options, choices, progress, keep_going=keep_going
                )
            shutil.rmtree(upload.path.parent, ignore_errors=True)
            return report

        with self._lock:
            _check_unconfirmed(upload)
            upload.job = Job[dict[str, Any]]().start(run)
            return upload.job

    def check(
        self, upload: Upload, pool: IndexPool, options: FileOptions, choices: Choices
    ) -> Job[dict[str, Any]]:
        """Start counting what `ingest` would do with the same arguments; return the job if it runs.

        Rows that can't be used are listed in its result, which is else as that of `ingest`.

        Raises:
            BadInput: if the upload has been confirmed already.
        """

        def run(progress: Progress) -> dict[str, Any]:
            with pool.reading() as index:
                target = Rehearsal(index)
                return _read_into(target, upload, options, choices, progress, keep_going=True)

        with self._lock:
            _check_unconfirmed(upload)
            if upload.check is None or upload.check.version != (options, choices):
                version = (options, choices)
                upload.check = Job[dict[str, Any]](version=version).start(run)
            return upload.check

    def _discard_old(self, new: int = 0) -> None:
        """Delete uploads that waited for too long, and the oldest to make room for `new` ones."""
        excess = len(self._uploads) + new - MAX_UPLOADS
        for upload in list(self._uploads.values()):
            is_done = upload.job is not None and upload.job.has_finished
            age = time.monotonic() - upload.received_at
            is_late = upload.is_waiting and age > self.confirmation_timeout
            if is_late or (excess > 0 and (upload.is_waiting or is_done)):
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


def _read_into(
    target: Target,
    upload: Upload,
    options: FileOptions,
    choices: Choices,
    progress: Progress,
    *,
    keep_going: bool,
) -> dict[str, Any]:
    """Add a file's answers to a target; return a record as in `schemas.corpus.IngestReport`."""
    total = count_rows(upload.path) or 0
    remarks = _Remarks()
    rows = read_rows(
        [upload.path], options, on_reject=remarks.add if keep_going else None, allow_marks=True
    )
    choices = replace(
        choices,
        on_reject=remarks.add_answer if keep_going else None,
        path_of=lambda _: None,  # files of other people can have the same name
    )
    try:
        with collected_warnings() as logged:
            report = Ingest(target, choices).read(
                remarks.note(_with_original_source(rows, upload)),
                lambda done, _: progress(done, total),
            )
    except BadInput as error:
        raise BadInput(_without_folder(error.message, upload)) from error
    counts = asdict(report)
    return counts | {
        "summary": describe_ingested(counts),
        "warnings": [
            _without_folder(warning, upload)
            for warning in dict.fromkeys([*logged, *report.warnings])
        ],
        "questions": list(remarks.questions),
        "blank": remarks.blank,
        "blank_rows": remarks.blank_rows,
        "rejected": remarks.rejected,
        "rejects": [
            {"line": reject.line, "reason": _without_folder(reject.reason, upload)}
            for reject in remarks.rejects
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
    if not upload.is_waiting:
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
