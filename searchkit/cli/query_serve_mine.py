"""The commands query, serve and mine."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from searchkit.cli.options import (
    ModelOptions,
    RunnerOptions,
    by_option,
    command,
    comparison_filter_options,
    filter_options,
    folder_option,
    index_option,
    messages_options,
    model_options,
    option,
    option_group,
    output_options,
    runner_options,
)
from searchkit.cli.session import (
    Output,
    listen,
    load_named_encoder,
    log,
    open_output,
    open_reader,
    progress_bar,
)
from searchkit.core.errors import BadInput, MissingExtra
from searchkit.core.messages import counted
from searchkit.core.where import Where
from searchkit.index.locations import Place

if TYPE_CHECKING:
    from searchkit.core.records import By
    from searchkit.index.base import BaseIndex
    from searchkit.index.query import Mode
    from searchkit.mining.pairs import MiningResult


@command()
@click.argument("texts", nargs=-1, metavar="TEXT...")
@index_option
@option("-n", "--number", "k", type=int, default=5, show_default=True, help="Hits per query.")
@option(
    "-m",
    "--mode",
    type=click.Choice(["semantic", "lexical", "hybrid"]),
    default="semantic",
    show_default=True,
    help="Search by meaning, by words, or by both.",
)
@option("--whole", is_flag=True, help="Print long answers in full; for the table.")
@filter_options
@output_options("table", "json", "jsonl", "csv")
def query(
    texts: Sequence[str],
    folder: Place,
    k: int,
    mode: Mode,
    whole: bool,
    where: Where,
    output: Output,
) -> None:
    """Find the answers nearest to each TEXT.

    With - or no TEXT, every line of standard input is a query.
    """
    from searchkit.index import query as search
    from searchkit.output.files import write_csv, write_json, write_jsonl
    from searchkit.output.search import hits_as_records, hits_as_rows, print_hits

    texts = _read_queries(texts)
    with open_reader(folder, quiet=output.quiet, where=where) as index:
        details = output.format != "csv"
        results = search.query(index, texts, k, mode, where, details=details)
    with open_output(output.path) as out:
        if output.format == "table":
            print_hits(texts, results, out, mode, whole=whole)
            return
        records = hits_as_records(texts, results)
        if output.format == "json":
            write_json(records, out)
        elif output.format == "jsonl":
            write_jsonl(records, out)
        else:
            columns, rows = hits_as_rows(records)
            write_csv(rows, columns, out)


def _read_queries(texts: Sequence[str]) -> list[str]:
    """Return the arguments, or the lines of standard input that aren't blank."""
    if texts and texts != ("-",):
        for text in texts:
            text.encode()  # raises an error for bytes that are not UTF-8
        return list(texts)
    from searchkit.sources.decoding import buffered, lines
    from searchkit.sources.files import naming_file

    if not texts and sys.stdin.isatty():
        raise click.UsageError("give a TEXT, or pipe queries in, one a line")
    with naming_file("-"):
        queries = [line.strip() for line in lines(buffered(sys.stdin.buffer), "-", None)]
    if not any(queries):
        raise BadInput("no query: give a TEXT, or lines on standard input")
    return [line for line in queries if line]


@dataclass(frozen=True)
class PairOptions:
    """Which pairs to report; as the parameters of `searchkit.mine`."""

    threshold: float
    by: By | None
    max_pairs: int | None
    partitions: int | None


@command()
@folder_option
@option_group(
    "Server",
    option(
        "--port",
        type=click.IntRange(0, 65535),
        default=8000,
        show_default=True,
        help="The port to listen on; 0 takes a free one.",
    ),
    option(
        "--host",
        metavar="ADDRESS",
        help="The address to listen on, so that other machines can connect (0.0.0.0: all); they "
        "need the token in the printed address.  [default: this machine only]",
    ),
    option("--no-open", is_flag=True, help="Don't open the browser."),
    option(
        "--max-upload",
        type=click.IntRange(min=1),
        default=200,
        show_default=True,
        metavar="MB",
        help="The largest file that a page can send.",
    ),
)
@model_options
@messages_options
def serve(
    folder: Path,
    port: int,
    host: str | None,
    no_open: bool,
    max_upload: int,
    model: ModelOptions,
    quiet: bool,
) -> None:
    """Search, review, grade and upload in the browser.

    Starts a web application with a REST API, for this machine only unless --host is given. A
    folder that is missing or empty becomes an empty index, of the model that is named, to upload
    files to. Needs searchkit[web].
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
        encoder=load_named_encoder(model.name, model.precision, say, "auto"),
        say=say,
    )


@command()
@index_option
@option_group(
    "Pairs",
    option(
        "-t",
        "--threshold",
        type=float,
        default=0.8,
        show_default=True,
        help="The lowest similarity of a pair, a cosine from -1 to 1, inclusive.",
    ),
    by_option,
    option(
        "--max-pairs",
        type=int,
        help="Report only this many pairs, the best ones, and how many were left out.",
    ),
    option(
        "--partitions",
        type=int,
        metavar="K",
        help="Compare only within K cells, for millions of answers. This misses some pairs; "
        "the estimated recall is printed.",
    ),
    argument="pairs",
    record=PairOptions,
)
@runner_options
@comparison_filter_options
@output_options("table", "json", "jsonl", "csv")
def mine(
    folder: Place, pairs: PairOptions, runner: RunnerOptions, where: Where, output: Output
) -> None:
    """Find all pairs of answers that say the same.

    Finds every pair whose best passages are at least so similar, exactly. Answers with equal
    texts are compared once, and listed as a group.
    """
    from searchkit.mining import pairs as mining
    from searchkit.runners.opening import open_runner

    with open_reader(folder, quiet=output.quiet, where=where) as index:
        with (
            open_runner(runner.runner, runner.shards) as workers,
            progress_bar("vectors", quiet=output.quiet) as progress,
        ):
            mined = mining.mine(
                index,
                pairs.threshold,
                by=pairs.by,
                where=where,
                max_pairs=pairs.max_pairs,
                runner=workers,
                partitions=pairs.partitions,
                progress=progress,
            )
        if mined.recall:
            log.warning("%s", mined.recall)
        _write_mined(mined, index, output)
        if mined.returned < mined.total:
            left_out = counted(mined.total - mined.returned, "pair")
            log.info("--max-pairs left out %s that have the threshold, too", left_out)


def _write_mined(mined: MiningResult, index: BaseIndex, output: Output) -> None:
    from searchkit.output.files import write_csv, write_jsonl
    from searchkit.output.search import (
        MINING_COLUMNS,
        mining_as_records,
        mining_as_rows,
        print_mining,
        write_mining_json,
    )

    with open_output(output.path) as out:
        if output.format == "json":
            write_mining_json(mined, out)
        elif output.format == "jsonl":
            write_jsonl(mining_as_records(mined), out)
        elif output.format == "csv":
            write_csv(mining_as_rows(mined, index.get), MINING_COLUMNS, out)
        else:
            print_mining(mined, index.get, out)
