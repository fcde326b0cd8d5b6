"""The commands query and mine."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from searchkit.cli.options import (
    by_option,
    filter_options,
    format_option,
    index_option,
    output_option,
    quiet_option,
    runner_options,
)
from searchkit.cli.session import log, make_filter, open_output, open_reader, progress_bar
from searchkit.core.errors import BadInput
from searchkit.index.locations import Place


@click.command()
@click.argument("texts", nargs=-1, metavar="TEXT...")
@index_option
@click.option("-n", "--number", "k", type=int, default=5, show_default=True, help="How many hits.")
@click.option(
    "-m",
    "--mode",
    type=click.Choice(["semantic", "lexical", "hybrid"]),
    default="semantic",
    show_default=True,
    help="By meaning, by words, or by both.",
)
@filter_options
@format_option("table", "json", "jsonl", "csv")
@output_option
@quiet_option
def query(
    texts: Sequence[str],
    folder: Place,
    k: int,
    mode: Any,  # noqa: ANN401
    question: str | None,
    author: str | None,
    sql: str | None,
    form: str,
    output: Path | None,
    quiet: bool,
) -> None:
    """Find the nearest answers to each TEXT.

    With - or no TEXT, every line of standard input is a query.
    """
    from searchkit.index.query import query as run
    from searchkit.output.files import write_csv, write_json, write_jsonl
    from searchkit.output.search import flat_hits, hits_as_records, print_hits

    texts = _queries(texts)
    with open_reader(folder, quiet=quiet) as index:
        where = make_filter(question, author, sql)
        found = run(index, texts, k, mode, where)
        if not any(found) and next(index.answers(where), None) is None:
            log.info("no answer passes the filter")
    with open_output(output) as out:
        if form == "table":
            print_hits(texts, found, out)
            return
        records = hits_as_records(texts, found)
        if form == "json":
            write_json(records, out)
        elif form == "jsonl":
            write_jsonl(records, out)
        else:
            columns, rows = flat_hits(records)
            write_csv(rows, columns, out)


def _queries(texts: Sequence[str]) -> list[str]:
    if texts and texts != ("-",):
        return list(texts)
    from searchkit.sources.decoding import buffered, lines

    if not texts and sys.stdin.isatty():
        raise click.UsageError("give a TEXT, or pipe queries in, one a line")
    found = [line.strip() for line in lines(buffered(sys.stdin.buffer), "-", None)]
    if not any(found):
        raise BadInput("no query: give a TEXT, or lines on standard input")
    return [line for line in found if line]


@click.command()
@index_option
@click.option(
    "-t",
    "--threshold",
    type=float,
    default=0.8,
    show_default=True,
    help="The least cosine of a pair, inclusive.",
)
@by_option
@click.option("--max-pairs", type=int, help="Give the best so many, and say how many more.")
@click.option(
    "--partitions",
    type=int,
    metavar="K",
    help="Not exact: seek pairs within K cells only, for millions of answers; the recall is told.",
)
@runner_options
@filter_options
@format_option("table", "json", "jsonl", "csv")
@output_option
@quiet_option
def mine(
    folder: Place,
    threshold: float,
    by: Any,  # noqa: ANN401
    max_pairs: int | None,
    question: str | None,
    author: str | None,
    sql: str | None,
    form: str,
    output: Path | None,
    quiet: bool,
    runner: str | None,
    shards: Path | None,
    partitions: int | None,
) -> None:
    """Find all pairs of answers that say the same.

    Every pair whose best passages score at least the threshold, exactly; answers with equal texts
    are one, and are listed as a group.
    """
    from searchkit.mining.pairs import mine as run
    from searchkit.output.files import write_csv, write_jsonl
    from searchkit.output.search import (
        MINED_COLUMNS,
        mined_as_records,
        mined_with_answers,
        print_mined,
        write_mined_json,
    )
    from searchkit.runners.opening import open_runner

    with open_reader(folder, quiet=quiet) as index:
        where = make_filter(question, author, sql)
        with (
            open_runner(runner, shards) as workers,
            progress_bar("vectors", quiet=quiet) as advance,
        ):
            mined = run(
                index,
                threshold,
                by=by,
                where=where,
                max_pairs=max_pairs,
                runner=workers,
                partitions=partitions,
                progress=advance,
            )
        if mined.recall:
            log.warning("%s", mined.recall)
        with open_output(output) as out:
            if form == "json":
                write_mined_json(mined, out)
            elif form == "jsonl":
                write_jsonl(mined_as_records(mined), out)
            elif form == "csv":
                rows = mined_with_answers(mined, index.get)
                write_csv(rows, MINED_COLUMNS, out)
            else:
                print_mined(mined, index.get, out)
        if mined.returned < mined.total:
            left_out = mined.total - mined.returned
            log.info(
                "%s pairs more reach the threshold; --max-pairs left them out", f"{left_out:,}"
            )
