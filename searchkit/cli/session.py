"""What commands share while they run: messages, opened indexes, results, progress."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TextIO, cast

import click

from searchkit.core.errors import BadInput, StorageFailed
from searchkit.core.messages import Message, with_names
from searchkit.core.progress import Progress
from searchkit.core.where import EVERYTHING, Where
from searchkit.index.locations import Place, open_index

if TYPE_CHECKING:
    from searchkit.encoding.devices.finding import Device
    from searchkit.encoding.encoder import Encoder, Precision
    from searchkit.index.base import BaseIndex
    from searchkit.index.folder import Index


log = logging.getLogger("searchkit")


def print_message(line: str) -> None:
    """Write one line to stderr, with control characters made visible."""
    from searchkit.output.console import visible

    with suppress(OSError):  # a message that nobody can read changes nothing
        click.echo(visible(" ".join(line.split("\n"))), err=True)


# Parameters of the library whose options have another name.
_OPTION_NAMES = {
    "format": "input_format",
    "columns.id": "id_column",
    "columns.text": "text_column",
    "columns.question": "question_column",
    "columns.author": "author_column",
    "columns.submitted_at": "time_column",
    "columns.wide": "wide",
}


def with_options(message: str, context: click.Context | None = None) -> str:
    """Return a message with the library's parameters replaced by options of the command line.

    Options of the running command are preferred to those of other commands. By default the running
    command is that of click's current context.
    """
    context = context or click.get_current_context(silent=True)
    if context is None:
        return message
    group = context.find_root().command

    def options() -> Iterator[click.Option]:
        yield from options_of(context.command)
        if isinstance(group, click.Group):
            for name in (context.invoked_subcommand or "", *group.list_commands(context)):
                yield from options_of(group.get_command(context, name))

    def options_of(command: click.Command | None) -> Iterator[click.Option]:
        yield from (p for p in command.params if isinstance(p, click.Option)) if command else ()

    def option_text(parameter: str, value: str | None) -> str | None:
        name = _OPTION_NAMES.get(parameter, parameter)
        flag = "--" + name.replace("_", "-")
        option = next((o for o in options() if name == o.name or flag in o.opts), None)
        if option is None:
            return None
        written = option.opts[-1]
        return written if value is None or option.is_flag else written + " " + value.strip("'")

    return with_names(message, option_text)


class _StderrHandler(logging.Handler):
    """Writes the library's messages to stderr, each on one line, with parameters as options."""

    def __init__(self, context: click.Context | None) -> None:
        super().__init__()
        self.context = context  # click's current context is unset in other threads

    def emit(self, record: logging.LogRecord) -> None:
        is_message = isinstance(record.msg, Message)
        text = with_options(record.msg, self.context) if is_message else record.getMessage()
        print_message(f"searchkit: {text}")


def listen(*, quiet: bool) -> Callable[[str], None]:
    """Show the library's messages on stderr; return the function that a command logs with."""
    log.handlers[:] = [_StderrHandler(click.get_current_context(silent=True))]
    log.propagate = False
    log.setLevel(logging.ERROR if quiet else logging.INFO)
    return log.info


@contextmanager
def open_reader(place: Place, *, quiet: bool, where: Where = EVERYTHING) -> Iterator[BaseIndex]:
    """Open an index for reading, show the library's messages, and check the command's filter."""
    listen(quiet=quiet)
    with open_index(place) as index:
        _check_filter(index, where)
        yield index


@contextmanager
def open_writer(place: Place, *, quiet: bool, where: Where = EVERYTHING) -> Iterator[BaseIndex]:
    """Open an index for writing, show the library's messages, and check the command's filter."""
    listen(quiet=quiet)
    with open_index(place, write=True) as index:
        _check_filter(index, where)
        yield index


def _check_filter(index: BaseIndex, where: Where) -> None:
    """Say that no answer matches a filter: a command's result could look like an all-clear.

    Raises:
        NotFound: if no answer has the question or the author.
    """
    if not where.is_empty() and next(index.answers(where), None) is None:
        log.warning("no answer matches %s", where.describe())


@contextmanager
def open_folder(folder: Path, *, quiet: bool, write: bool = False) -> Iterator[Index]:
    """Open an index that must be in a folder, and show the library's messages."""
    from searchkit.index.folder import Index

    listen(quiet=quiet)
    with Index.open(folder, write=write) as index:
        yield index


@dataclass(frozen=True)
class Output:
    """How and where a command writes its result.

    Attributes:
        format: One of `table`, `json`, `jsonl` and `csv`.
        path: The file to write; None for standard output.
        quiet: Whether messages and progress bars are left out.
    """

    format: str
    path: Path | None = None
    quiet: bool = False


@contextmanager
def open_output(path: Path | None) -> Iterator[TextIO]:
    """Yield standard output, or the file `path`, which is created only when it is complete.

    Raises:
        StorageFailed: if it can't be written.
    """
    with _open_file(path, "w") as file:
        yield cast(TextIO, sys.stdout if file is None else file)


def check_folder_of(path: Path) -> None:
    """Check that a file can be written to its folder, before what it is to hold is computed.

    Raises:
        StorageFailed: if it can't.
    """
    if not os.access(path.parent, os.W_OK | os.X_OK):
        is_there = path.parent.is_dir()
        reason = f"{path.parent}: {'not writable' if is_there else 'no such folder'}"
        raise StorageFailed(f"{path}: can't be written ({reason})")


def write_bytes(path: Path | None, content: bytes) -> None:
    """Write a whole file, or standard output, where a terminal shows text only.

    Raises:
        BadInput: if a terminal would get what is no text.
        StorageFailed: if it can't be written.
    """
    from searchkit.output.console import visible

    with _open_file(path, "wb") as file:
        if file is not None:
            file.write(content)
        elif not sys.stdout.isatty():
            sys.stdout.buffer.write(content)
        elif b"\0" in content:
            raise BadInput("a workbook is no text; write it to a file: --output FILE")
        else:
            sys.stdout.write(visible(content.decode().replace("\r\n", "\n")))


@contextmanager
def _open_file(path: Path | None, mode: str) -> Iterator[IO[Any] | None]:
    """Yield the file `path`, created only when it is complete; None for standard output.

    Raises:
        StorageFailed: if it can't be written.
    """
    try:
        if path is None:
            yield None
            sys.stdout.flush()  # an error at the interpreter's exit could not be reported
            return
        atomic = path.is_file() or not path.exists()  # never replace a device or a pipe
        encoding = None if "b" in mode else "utf-8"
        with click.open_file(str(path), mode, encoding=encoding, atomic=atomic) as file:
            yield file
    except BrokenPipeError:
        raise
    except OSError as error:
        name = path or "standard output"
        raise StorageFailed(f"{name}: can't be written ({error.strerror})") from error


def print_result(line: str, *, bold: bool = False) -> None:
    """Write one line to standard output.

    Raises:
        StorageFailed: if it can't be written.
    """
    with open_output(None):
        click.secho(line, bold=bold or None)


def write_result(
    output: Output,
    *,
    table: Callable[[TextIO], None],
    records: Callable[[], Iterable[dict[str, Any]]],
    rows: Callable[[], Iterable[dict[str, Any]]],
    columns: Sequence[str],
    document: Callable[[], Any] | None = None,
) -> None:
    """Write a result in the format that the user chose.

    Args:
        output: The format and the file.
        table: Writes the result as a table for people.
        records: Returns the objects for JSON Lines.
        rows: Returns the rows for CSV.
        columns: The columns of CSV.
        document: Returns the value for JSON; None to write a list of the records.
    """
    from searchkit.output.files import write_csv, write_json, write_jsonl

    with open_output(output.path) as out:
        if output.format == "json":
            write_json(document() if document else list(records()), out)
        elif output.format == "jsonl":
            write_jsonl(records(), out)
        elif output.format == "csv":
            write_csv(rows(), columns, out)
        else:
            table(out)


def write_record(
    output: Output, record: dict[str, Any], table: Callable[[dict[str, Any], TextIO], None]
) -> None:
    """Write one record, as JSON or with `table` as text for people."""
    from searchkit.output.files import write_json

    with open_output(output.path) as out:
        if output.format == "json":
            write_json(record, out)
        else:
            table(record, out)


def load_named_encoder(
    name: str | None, precision: Precision | None, say: Callable[[str], None], device: Device
) -> Encoder | None:
    """Load the model that the user named; None if the user named none, and the index chooses it."""
    from searchkit.encoding.loading import load_encoder

    if name is None and precision is None:
        return None
    return load_encoder(name, device=device, precision=precision or "exact", notify=say)


@contextmanager
def ingest_progress(files: Sequence[str], *, quiet: bool) -> Iterator[Progress | None]:
    """Show a progress bar with the rate on stderr if it is a terminal; yield its callback."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich import progress as rich
    from rich.console import Console

    from searchkit.sources.preview import count_rows

    counts = [count_rows(file) for file in files]
    total = None if None in counts else sum(count or 0 for count in counts)
    columns = (
        rich.TextColumn("{task.description}"),
        rich.BarColumn(),
        rich.MofNCompleteColumn(),
        rich.TextColumn("{task.fields[rate]}"),
        rich.TimeRemainingColumn(),
    )
    with rich.Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("answers", total=total, rate="")

        def advance(done: int, _: int) -> None:
            bar.update(task, completed=done)
            speed = bar.tasks[0].speed
            bar.update(task, rate=f"{speed:,.0f}/s" if speed else "")

        yield advance


@contextmanager
def progress_bar(unit: str, *, quiet: bool) -> Iterator[Progress | None]:
    """Show a progress bar on stderr if it is a terminal; yield the callback that moves it."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich import progress as rich
    from rich.console import Console

    columns = (
        rich.TextColumn(unit),
        rich.BarColumn(),
        rich.MofNCompleteColumn(),
        rich.TimeRemainingColumn(),
    )
    with rich.Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(unit, total=None)  # an unknown total is a bar that moves to and fro

        def advance(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total or None)

        yield advance


@contextmanager
def spinner(doing: str, *, quiet: bool) -> Iterator[None]:
    """Show that something of unknown length goes on, on stderr if it is a terminal."""
    if quiet or not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status(doing):
        yield
