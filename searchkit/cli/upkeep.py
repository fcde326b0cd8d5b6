"""The commands that look after an index, and serve."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from searchkit.cli.options import (
    PlaceType,
    filter_options,
    folder_option,
    format_option,
    index_option,
    output_option,
    quiet_option,
)
from searchkit.cli.session import (
    listen,
    log,
    make_filter,
    open_folder,
    open_output,
    open_reader,
    open_writer,
    progress_bar,
)
from searchkit.core.errors import IndexBusy, MissingExtra, SearchkitError, StorageFailed
from searchkit.index.locations import Place, open_index, open_or_create

if TYPE_CHECKING:
    from searchkit.index.base import BaseIndex


@click.command()
@folder_option
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8000,
    show_default=True,
    help="The port to listen on; 0 takes a free one.",
)
@click.option(
    "--host",
    metavar="ADDRESS",
    help="Listen on this address, which other machines may reach (0.0.0.0: all); they need the "
    "token that is in the address which is printed.  [default: this machine alone]",
)
@click.option("--no-open", is_flag=True, help="Don't open the browser.")
@click.option(
    "--max-upload",
    type=click.IntRange(min=1),
    default=200,
    show_default=True,
    metavar="MB",
    help="The largest file that a page may send.",
)
@quiet_option
def serve(
    folder: Path, port: int, host: str | None, no_open: bool, max_upload: int, quiet: bool
) -> None:
    """Open the index in a browser: search, review, grade by groups, upload.

    A web application on this machine alone, with the same over REST. Needs searchkit[web].
    """
    say = listen(quiet=quiet)
    try:
        from searchkit.web.server import serve as run
    except ImportError as error:
        raise MissingExtra(f"serve needs {error.name}; run: pip install 'searchkit[web]'") from None
    run(
        folder,
        host=host,
        port=port,
        max_upload_bytes=max_upload * 1_000_000,
        open_browser=not no_open,
        say=say,
    )


@click.command()
@index_option
@format_option("table", "json")
@output_option
@quiet_option
def status(folder: Place, form: str, output: Path | None, quiet: bool) -> None:
    """Show what the index holds.

    Counts, questions, authors, model, sizes on disk, checkpoint and tail.
    """
    from searchkit.index.upkeep.status import status as run
    from searchkit.output.files import write_json
    from searchkit.output.status import print_status

    with open_reader(folder, quiet=quiet) as index, open_output(output) as out:
        known = run(index)
        if form == "json":
            write_json(known, out)
        else:
            print_status(known, out)


@click.command()
@index_option
@format_option("table", "json")
@output_option
@quiet_option
def verify(folder: Place, form: str, output: Path | None, quiet: bool) -> None:
    """Check everything that can be checked.

    Pages and references of the database, every text against the hash it was embedded with and the
    passages it was cut into, the vectors, the FAISS file bit for bit, the full text, and that
    nothing deleted is left. Exit code 1 if anything is wrong.
    """
    from searchkit.index.upkeep.verify import verify as run
    from searchkit.output.console import visible
    from searchkit.output.files import write_json

    with _checking(folder, quiet=quiet) as index:
        problems = run(index)
    with open_output(output) as out:
        if form == "json":
            write_json({"sound": not problems, "problems": problems}, out)
        else:
            out.write("".join(f"{visible(line)}\n" for line in problems or ["sound"]))
    if problems:
        raise SearchkitError(f"{folder}: {len(problems)} problems")


@contextmanager
def _checking(place: Place, *, quiet: bool) -> Iterator[BaseIndex]:
    """Open for writing, which checking the full text needs, or else for reading."""
    say = listen(quiet=quiet)
    try:
        index = open_index(place, write=True)
    except (IndexBusy, StorageFailed) as error:
        if isinstance(place, str):
            raise
        say(f"the full text is not checked: {error}")
        index = open_index(place)
    with index:
        yield index


@click.command()
@index_option
@quiet_option
def rebuild(folder: Place, quiet: bool) -> None:
    """Make the FAISS file and the full text anew.

    From the database alone, without the model. A damaged FAISS file is set aside, not deleted.
    """
    with open_writer(folder, quiet=quiet) as index:
        index.rebuild()
        held = index.counts()
        click.echo(f"rebuilt {held['vectors']:,} vectors of {held['answers']:,} answers")


@click.command()
@click.option(
    "--model",
    "name",
    required=True,
    metavar="MODEL",
    help="A sentence-transformers folder or hub name.",
)
@click.option("--dry-run", is_flag=True, help="Say what it would take, and change nothing.")
@folder_option
@format_option("table", "json")
@output_option
@quiet_option
def reindex(
    name: str, dry_run: bool, folder: Path, form: str, output: Path | None, quiet: bool
) -> None:
    """Embed every answer anew with another model.

    Beside the old vectors, which serve until the new ones are swapped in at once. A killed reindex
    goes on when the same command is run again; --model with the index's own model drops it.
    """
    from dataclasses import asdict

    from searchkit.encoding.loading import load_encoder
    from searchkit.index.upkeep.reindex import estimate
    from searchkit.index.upkeep.reindex import reindex as run
    from searchkit.output.files import write_json
    from searchkit.output.status import print_counts, print_estimate

    show = print_estimate if dry_run else print_counts
    with open_folder(folder, quiet=quiet, write=not dry_run) as index:
        encoder = load_encoder(name, notify=log.info)
        with progress_bar("answers", quiet=quiet or dry_run) as advance:
            done = asdict(
                estimate(index, encoder) if dry_run else run(index, encoder, progress=advance)
            )
    with open_output(output) as out:
        if form == "json":
            write_json(done, out)
        else:
            show(done, out)


@click.command()
@click.argument("ids", nargs=-1, metavar="ID...")
@filter_options
@click.option("-y", "--yes", is_flag=True, help="Don't ask.")
@index_option
@format_option("table", "json")
@quiet_option
def delete(
    ids: Sequence[str],
    question: str | None,
    author: str | None,
    sql: str | None,
    yes: bool,
    folder: Place,
    form: str,
    quiet: bool,
) -> None:
    """Delete answers and forget every byte of them.

    Chosen by ID, or by a filter.
    """
    where = make_filter(question, author, sql)
    if not ids and where.is_empty():
        raise click.UsageError("name the answers: by ID, --question, --author or --where")
    if ids and not where.is_empty():
        raise click.UsageError("give either IDs or a filter, not both")
    with open_writer(folder, quiet=quiet) as index:
        chosen = list(dict.fromkeys(ids)) or [answer.id for answer in index.answers(where)]
        if chosen and not yes and sys.stdin.isatty():
            click.confirm(f"Delete {len(chosen):,} answers for good?", abort=True, err=True)
        deleted = index.remove(chosen)
    click.echo(json.dumps({"deleted": deleted}) if form == "json" else f"deleted {deleted:,}")


@click.command()
@index_option
@filter_options
@format_option("jsonl", "json", "csv", default="jsonl")
@output_option
@quiet_option
def export(
    folder: Place,
    question: str | None,
    author: str | None,
    sql: str | None,
    form: str,
    output: Path | None,
    quiet: bool,
) -> None:
    """Write the answers with all their columns.

    `ingest` reads the JSON Lines back just so; in CSV a text that a spreadsheet would run as a
    formula gets a ' before it.
    """
    from searchkit.output.files import write_csv, write_json, write_jsonl
    from searchkit.output.search import answer_as_record, export_columns

    where = make_filter(question, author, sql)
    with open_reader(folder, quiet=quiet) as index, open_output(output) as out:
        rows = (answer_as_record(answer) for answer in index.answers(where))
        if form == "jsonl":
            write_jsonl(rows, out)
        elif form == "json":
            write_json(list(rows), out)
        else:
            write_csv(rows, export_columns(index.columns()), out)


@click.command("copy")
@click.argument("source", metavar="FROM", type=PlaceType())
@click.argument("target", metavar="TO", type=PlaceType())
@format_option("table", "json")
@output_option
@quiet_option
def copy_(source: Place, target: Place, form: str, output: Path | None, quiet: bool) -> None:
    """Copy the answers of an index into another, with their vectors.

    FROM and TO are folders or Milvus (see --index); TO is made if it isn't there. Nothing is
    embedded. A killed copy goes on when it is run again. Decisions about findings are not copied.
    """
    from dataclasses import asdict

    from searchkit.index.upkeep.copying import copy
    from searchkit.output.files import write_json
    from searchkit.output.status import print_counts

    with (
        open_reader(source, quiet=quiet) as index,
        open_or_create(target, index.encoder) as other,
        progress_bar("answers", quiet=quiet) as advance,
    ):
        done = asdict(copy(index, other, progress=advance))
    with open_output(output) as out:
        if form == "json":
            write_json(done, out)
        else:
            print_counts(done, out)
