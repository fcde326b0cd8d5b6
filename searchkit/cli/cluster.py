"""The command cluster."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from searchkit.cli.options import (
    RunnerOptions,
    by_option,
    command,
    comparison_filter_options,
    index_option,
    option,
    option_group,
    output_options,
    runner_options,
)
from searchkit.cli.session import Output, log, open_reader, progress_bar, write_result
from searchkit.core.where import Where
from searchkit.index.locations import Place

if TYPE_CHECKING:
    from searchkit.clustering.methods import ClusterMethod
    from searchkit.core.records import By


class _ThresholdType(click.ParamType[float | None, object]):
    """A cosine, or `auto`, which becomes None."""

    name = "number|auto"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> float | None:
        return None if value in (None, "auto") else click.FLOAT(value, param, ctx)


@dataclass(frozen=True)
class ClusterOptions:
    """How answers are clustered; as the parameters of `searchkit.cluster`."""

    method: ClusterMethod
    by: By | None
    threshold: float | None
    k: int | None
    min_size: int


@command()
@index_option
@option_group(
    "Clusters",
    option(
        "-m",
        "--method",
        type=click.Choice(["communities", "k-means", "hdbscan"]),
        default="communities",
        show_default=True,
        help="communities: groups around the densest answers; k-means: k groups; "
        "hdbscan: dense regions, without the answers between them.",
    ),
    by_option,
    option(
        "-t",
        "--threshold",
        type=_ThresholdType(),
        default="auto",
        show_default=True,
        help="For communities: the lowest similarity of an answer to the centre of its cluster; "
        "auto chooses it from the data.",
    ),
    option(
        "-k",
        type=int,
        help="For k-means: the number of clusters.  [default: chosen from the data]",
    ),
    option(
        "--min-size",
        type=int,
        default=3,
        show_default=True,
        help="For hdbscan: the smallest size of a cluster.",
    ),
    argument="clustering",
    record=ClusterOptions,
)
@runner_options
@comparison_filter_options
@option_group(
    "Output",
    option(
        "--plot",
        type=click.Path(dir_okay=False, path_type=Path),
        metavar="FILE",
        help="Also draw a map of the answers: .png, .svg, .pdf or .html (needs searchkit[plot]).",
    ),
)
@output_options("table", "json", "jsonl", "csv")
def cluster(
    folder: Place,
    clustering: ClusterOptions,
    runner: RunnerOptions,
    where: Where,
    plot: Path | None,
    output: Output,
) -> None:
    """Group the answers that say the same.

    Each group is shown with its most typical answer and the words that distinguish it. Answers
    that are in no group are listed last.
    """
    from searchkit.clustering import clusters, maps
    from searchkit.output import clusters as writing
    from searchkit.runners.opening import open_runner

    if plot:
        maps.check_suffix(plot)
    with open_reader(folder, quiet=output.quiet, where=where) as index:
        with (
            open_runner(runner.runner, runner.shards) as workers,
            progress_bar("questions", quiet=output.quiet) as progress,
        ):
            result = clusters.cluster(
                index, **asdict(clustering), where=where, runner=workers, progress=progress
            )
        if result.blank:
            log.info("%s blank answers are in no cluster", f"{result.blank:,}")
        if plot:
            clusters.draw_map(index, result, plot, where=where)
            log.info("%s is drawn", plot)
        write_result(
            output,
            table=lambda out: writing.print_clusters(result, index.get, out),
            records=result.iter_records,
            rows=lambda: writing.clusters_as_rows(result.clusters, index.get),
            columns=writing.COLUMNS,
        )
