"""What commands share while they run: messages, opened indexes, results, progress."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, cast

import click

from searchkit.core.errors import StorageFailed
from searchkit.core.progress import Progress
from searchkit.index.locations import Place, open_index

if TYPE_CHECKING:
    from searchkit.core.where import Where
    from searchkit.encoding.encoder import Encoder
    from searchkit.index.base import BaseIndex
    from searchkit.index.folder import Index


log = logging.getLogger("searchkit")


def print_message(line: str) -> None:
    """Write one line to stderr, with control characters made visible."""
    from searchkit.output.console import visible

    click.echo(visible(" ".join(line.split("\n"))), err=True)


def make_filter(question: str | None, author: str | None, sql: str | None) -> Where:
    """Build the filter that the options --question, --author and --where name."""
    from searchkit.core.where import Where

    return Where(question, author, sql)


class _Talk(logging.Handler):
    """What the library has to say goes to stderr, a line each."""

    def emit(self, record: logging.LogRecord) -> None:
        print_message(f"searchkit: {record.getMessage()}")


def listen(*, quiet: bool) -> Callable[[str], None]:
    """Let the library's messages through; return the function that takes a command's own."""
    log.handlers[:] = [_Talk()]
    log.propagate = False
    log.setLevel(logging.ERROR if quiet else logging.INFO)
    return log.info


@contextmanager
def open_reader(place: Place, *, quiet: bool) -> Iterator[BaseIndex]:
    """Open an index for reading, and show the library's messages."""
    listen(quiet=quiet)
    with open_index(place) as index:
        yield index


@contextmanager
def open_writer(place: Place, *, quiet: bool) -> Iterator[BaseIndex]:
    """Open an index for writing, and show the library's messages."""
    listen(quiet=quiet)
    with open_index(place, write=True) as index:
        yield index


@contextmanager
def open_folder(folder: Path, *, quiet: bool, write: bool = False) -> Iterator[Index]:
    """Open what only a folder can be used for."""
    from searchkit.index.folder import Index

    listen(quiet=quiet)
    with Index.open(folder, write=write) as index:
        yield index


@contextmanager
def open_output(path: Path | None) -> Iterator[TextIO]:
    """Return where results go: stdout, or a file that appears only when it is complete."""
    try:
        if path is None:
            yield sys.stdout
            sys.stdout.flush()  # while an error can still be told
            return
        whole = path.is_file() or not path.exists()  # never replace a device or a pipe
        with click.open_file(str(path), "w", encoding="utf-8", atomic=whole) as file:
            yield cast(TextIO, file)
    except BrokenPipeError:
        raise
    except OSError as error:
        name = path or "standard output"
        raise StorageFailed(f"{name}: can't be written ({error.strerror})") from error


def write_result(
    form: str,
    output: Path | None,
    *,
    table: Callable[[TextIO], None],
    records: Callable[[], Iterable[dict[str, Any]]],
    rows: Callable[[], Iterable[dict[str, Any]]],
    columns: Sequence[str],
    whole: Callable[[], Any] | None = None,
) -> None:
    """Write a result in the form that was asked for; JSON is a list of the records, or `whole`."""
    from searchkit.output.files import write_csv, write_json, write_jsonl

    with open_output(output) as out:
        if form == "json":
            write_json(whole() if whole else list(records()), out)
        elif form == "jsonl":
            write_jsonl(records(), out)
        elif form == "csv":
            write_csv(rows(), columns, out)
        else:
            table(out)


def load_named_encoder(name: str | None, say: Callable[[str], None]) -> Encoder | None:
    """Load the model that the user named; None leaves it to the index."""
    from searchkit.encoding.loading import load_encoder

    return load_encoder(name, notify=say) if name else None


@contextmanager
def ingest_progress(files: Sequence[str], *, quiet: bool) -> Iterator[Progress | None]:
    """Show a bar with a rate on stderr, if it is a terminal."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich import progress as rich
    from rich.console import Console

    from searchkit.sources.reader import count_rows

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
def progress_bar(what: str, *, quiet: bool) -> Iterator[Progress | None]:
    """Show a bar on stderr, if it is a terminal; told how many are done, and of how many."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich import progress as rich
    from rich.console import Console

    columns = (
        rich.TextColumn(what),
        rich.BarColumn(),
        rich.MofNCompleteColumn(),
        rich.TimeRemainingColumn(),
    )
    with rich.Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what)
        yield lambda done, total: bar.update(task, completed=done, total=total)
