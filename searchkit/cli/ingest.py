"""The commands ingest and demo."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from searchkit.cli.options import (
    column_options,
    format_option,
    index_option,
    output_option,
    quiet_option,
    runner_options,
)
from searchkit.cli.rejects import Rejects
from searchkit.cli.search import query
from searchkit.cli.session import ingest_progress, listen, load_named_encoder, open_output
from searchkit.core.errors import BadInput
from searchkit.core.progress import Progress
from searchkit.index.locations import Place, open_or_create

if TYPE_CHECKING:
    from searchkit.core.records import Answer


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@index_option
@column_options
@click.option("--encoding", metavar="NAME", help="The files' encoding; by mark or UTF-8.")
@click.option("--sheet", metavar="NAME", help="Which sheet of a workbook.")
@click.option("--table", metavar="NAME", help="Which table of a SQLite database.")
@click.option(
    "--input-format",
    metavar="NAME",
    help="csv, tsv, json, jsonl, xlsx, parquet, sqlite, folder or zip; by the name if not said.",
)
@click.option("--model", metavar="MODEL", help="A sentence-transformers folder or hub name.")
@click.option(
    "--on-duplicate",
    type=click.Choice(["refuse", "keep-first", "keep-last"]),
    default="refuse",
    show_default=True,
    help="What to do when an id comes twice.",
)
@click.option("--keep-going", is_flag=True, help="Put bad rows into a file and go on.")
@click.option(
    "--rejects",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("rejects.jsonl"),
    show_default=True,
    help="Where --keep-going puts bad rows.",
)
@runner_options
@format_option("table", "json")
@output_option
@quiet_option
def ingest(folder: Place, form: str, output: Path | None, quiet: bool, **options: Any) -> None:  # noqa: ANN401
    """Add answers of files, or update them.

    FILE may be - for standard input. CSV, TSV, JSON, JSON Lines, XLSX, Parquet, a SQLite table,
    folders and zips of text files. The columns are found by their usual names; every other column
    is kept. A killed ingest goes on when it is run again, and the same file again embeds nothing.
    """
    from searchkit.output.files import write_json
    from searchkit.output.status import print_counts

    say = listen(quiet=quiet)
    rejects = Rejects(options["rejects"]) if options["keep_going"] else None
    with ingest_progress(options["files"], quiet=quiet) as progress:
        done = _ingested(folder, options, rejects, progress, say)
    if rejects:
        rejects.close()
    with open_output(output) as out:
        if form == "json":
            write_json(done, out)
        else:
            print_counts(done, out)
    if rejects and rejects.count:
        raise BadInput(f"{rejects.count} rows could not be used; they are in {rejects.path}")


def _ingested(
    place: Place,
    options: dict[str, Any],
    rejects: Rejects | None,
    progress: Progress | None,
    say: Callable[[str], None],
) -> dict[str, Any]:
    from dataclasses import asdict

    from searchkit.encoding.distributed import DistributedEncoder
    from searchkit.index.ingest import BATCH_SIZE
    from searchkit.index.ingest import ingest as run
    from searchkit.runners.opening import open_runner
    from searchkit.sources.columns import Columns
    from searchkit.sources.reader import read_answers

    columns = Columns(
        *(options[f"{name}_column"] for name in ("id", "text", "question", "author", "time"))
    )
    answers = read_answers(
        options["files"],
        columns=columns,
        format=options["input_format"],
        encoding=options["encoding"],
        sheet=options["sheet"],
        table=options["table"],
        on_reject=rejects.add if rejects else None,
        on_skip=lambda what: say(f"skipped {what}"),
    )
    answers = _begun(answers)
    encoder = load_named_encoder(options["model"], say)
    with (
        open_runner(options["runner"], options["shards"]) as workers,
        open_or_create(place, encoder) as index,
    ):
        if not workers.is_local:
            index.use_encoder(DistributedEncoder(index.encoder, workers))
        done = run(
            index,
            answers,
            on_duplicate=options["on_duplicate"],
            on_reject=rejects.add_answer if rejects else None,
            progress=progress,
            batch=BATCH_SIZE * workers.workers,
        )
    if rejects:
        done.read += rejects.unread
        done.skipped += rejects.unread
    return asdict(done)


def _begun(answers: Iterator[Answer]) -> Iterator[Answer]:
    """Read the first answer, so that a file that can't be used makes no index."""
    first = list(islice(answers, 1))
    return chain(first, answers)


@click.command()
@click.option(
    "-i",
    "--index",
    "folder",
    default="demo-index",
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Where to put the demo's index.",
)
@quiet_option
@click.pass_context
def demo(ctx: click.Context, folder: Path, quiet: bool) -> None:
    """Index the demo corpus and run three queries.

    The corpus comes with searchkit: a web-programming course, 30 invented students.
    """
    from searchkit.demo.corpus import DEMO_ANSWERS, QUERIES

    click.secho(f"$ searchkit ingest {DEMO_ANSWERS} --index {folder}", bold=True)
    ctx.invoke(ingest, files=(str(DEMO_ANSWERS),), folder=folder, quiet=quiet)
    for text in QUERIES:
        click.secho(f'\n$ searchkit query "{text}" -n 3 --index {folder}', bold=True)
        ctx.invoke(query, texts=(text,), folder=folder, k=3, quiet=quiet)
    click.secho("\nWhat to try next", bold=True)
    for line in _next_steps(folder):
        click.echo(f"  {line}")


def _next_steps(folder: Path) -> list[str]:
    here = f"--index {folder}"
    return [
        f'searchkit query "callbacks run later" --author s07 {here}',
        f'searchkit query "promise" --mode hybrid --where "score < 5" {here}',
        f"searchkit plagiarism {here}",
        f"searchkit report -o report.html {here}",
        f"searchkit compare q16-s07 q16-s19 {here}",
        f"searchkit cluster --question q16 {here}",
        f"searchkit grade --column score --audit {here}",
        f"searchkit serve {here}                    # pip install 'searchkit[web]'",
        "searchkit ingest YOUR-ANSWERS.csv        # then: searchkit query …",
        "searchkit --help",
    ]
