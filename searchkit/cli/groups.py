"""The commands cluster and grade."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
from searchkit.cli.session import (
    log,
    make_filter,
    open_reader,
    open_writer,
    progress_bar,
    write_result,
)
from searchkit.index.locations import Place

if TYPE_CHECKING:
    from searchkit.core.where import Where
    from searchkit.grading.records import Mark
    from searchkit.index.base import BaseIndex


class _Threshold(click.ParamType[float | None]):
    """A cosine, or `auto`, which is None."""

    name = "number|auto"

    def convert(self, value: Any, param: Any, ctx: Any) -> float | None:  # noqa: ANN401
        return None if value in (None, "auto") else click.FLOAT.convert(value, param, ctx)


@click.command()
@index_option
@click.option(
    "-m",
    "--method",
    type=click.Choice(["communities", "k-means", "hdbscan"]),
    default="communities",
    show_default=True,
    help="Around the densest answers; into k; or dense regions, the others being noise.",
)
@by_option
@click.option(
    "-t",
    "--threshold",
    type=_Threshold(),
    default="auto",
    show_default=True,
    help="Of communities: the least cosine of an answer with its centre; auto: from the data.",
)
@click.option("-k", type=int, help="Of k-means: how many clusters; from the data if not said.")
@click.option(
    "--min-size",
    type=int,
    default=3,
    show_default=True,
    help="Of hdbscan: answers of a cluster, at least.",
)
@click.option(
    "--plot",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Draw the answers on a plane, too: .png, .svg, .pdf or .html (searchkit[plot]).",
)
@runner_options
@filter_options
@format_option("table", "json", "jsonl", "csv")
@output_option
@quiet_option
def cluster(
    folder: Place,
    method: Any,  # noqa: ANN401
    by: Any,  # noqa: ANN401
    threshold: float | None,
    k: int | None,
    min_size: int,
    plot: Path | None,
    question: str | None,
    author: str | None,
    sql: str | None,
    form: str,
    output: Path | None,
    quiet: bool,
    runner: str | None,
    shards: Path | None,
) -> None:
    """Group the answers that say the same.

    Each group with its most typical answer and the words that set it apart; what stands alone is
    listed last.
    """
    from searchkit.clustering import maps
    from searchkit.clustering.clusters import cluster as run
    from searchkit.clustering.clusters import draw_map
    from searchkit.output.clusters import (
        COLUMNS,
        clusters_as_rows,
        print_clusters,
    )
    from searchkit.runners.opening import open_runner

    if plot:
        maps.check_suffix(plot)
    with open_reader(folder, quiet=quiet) as index:
        where = make_filter(question, author, sql)
        with (
            open_runner(runner, shards) as workers,
            progress_bar("questions", quiet=quiet) as advance,
        ):
            found = run(
                index,
                by=by,
                method=method,
                threshold=threshold,
                k=k,
                min_size=min_size,
                where=where,
                runner=workers,
                progress=advance,
            )
        if found.blank:
            log.info("%s blank answers are in no cluster", f"{found.blank:,}")
        if plot:
            draw_map(index, found, plot, where=where)
            log.info("%s is drawn", plot)
        write_result(
            form,
            output,
            table=lambda out: print_clusters(found, index.get, out),
            records=found.iter_records,
            rows=lambda: clusters_as_rows(found.clusters, index.get),
            columns=COLUMNS,
        )


class _Said(click.ParamType[tuple[str, str | None]]):
    """An id, or an id and a mark."""

    name = "id[=mark]"

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[str, str | None]:  # noqa: ANN401
        if isinstance(value, tuple):
            return value
        name, is_said, mark = value.rpartition("=")
        return (name, mark.strip()) if is_said else (value, None)


@click.command()
@index_option
@click.option("--column", metavar="NAME", required=True, help="The column with the marks.")
@click.option(
    "--as",
    "kind",
    type=click.Choice(["numbers", "labels"]),
    help="What the marks are.  [default: numbers, if all of them are]",
)
@click.option("--evaluate", "mode", flag_value="evaluate", help="Measure it on held-out answers.")
@click.option("--audit", "mode", flag_value="audit", help="Look for marks that don't go together.")
@click.option(
    "--propagate",
    "said",
    type=_Said(),
    multiple=True,
    metavar="ID[=MARK]",
    help="Show what the mark of this answer would give those that say the same; repeatable.",
)
@click.option(
    "--min-confidence",
    type=float,
    help="Suggest nothing that is less likely to be right.  [default: 0.5]",
)
@click.option(
    "--tolerance",
    type=float,
    help="A number so near to the grader's is right.  [default: a tenth of the range]",
)
@click.option(
    "-t",
    "--threshold",
    type=float,
    help="Of --audit: how alike near-equal answers are (0.8); of --propagate: of the clusters.",
)
@click.option("--write", metavar="NAME", help="Write the marks into this column of the index.")
@click.option("--overwrite", is_flag=True, help="Replace what these answers have in that column.")
@filter_options
@format_option("table", "json", "jsonl", "csv")
@output_option
@quiet_option
def grade(
    folder: Place,
    column: str,
    mode: str | None,
    said: Sequence[tuple[str, str | None]],
    write: str | None,
    overwrite: bool,
    question: str | None,
    author: str | None,
    sql: str | None,
    form: str,
    output: Path | None,
    quiet: bool,
    **options: Any,  # noqa: ANN401
) -> None:
    """Suggest marks for ungraded answers from the graded ones.

    Each with a confidence, and the nearest graded answers as reasons; below --min-confidence it is
    left to you. Nothing is written without --write, and never into the column with your marks.
    """
    if mode and said:
        raise click.UsageError(f"--{mode} and --propagate are two things; say one")
    if write and mode:
        raise click.UsageError(f"--{mode} gives no marks to --write")
    if overwrite and not write:
        raise click.UsageError("--overwrite goes with --write")
    if options["min_confidence"] is not None and (mode or said):
        raise click.UsageError("--min-confidence is for suggested marks")
    if options["threshold"] is not None and mode != "audit" and not said:
        raise click.UsageError("--threshold is for --audit and --propagate")
    where = make_filter(question, author, sql)
    if said and not where.is_empty():
        raise click.UsageError("--propagate names its answers; leave the filter out")
    with open_writer(folder, quiet=quiet) if write else open_reader(folder, quiet=quiet) as index:
        if mode == "evaluate":
            _evaluated(index, column, where, form, output, options, quiet=quiet)
        elif mode == "audit":
            _audited(index, column, where, form, output, options, quiet=quiet)
        else:
            marks = (
                _propagated(index, column, dict(said), form, output, options)
                if said
                else _suggested(index, column, where, form, output, options, quiet=quiet)
            )
            if write:
                _write_marks(index, write, marks, column, overwrite=overwrite)


def _suggested(
    index: BaseIndex,
    column: str,
    where: Where,
    form: str,
    output: Path | None,
    options: dict[str, Any],
    *,
    quiet: bool,
) -> dict[str, Mark | None]:
    from searchkit.grading.suggest import MIN_CONFIDENCE
    from searchkit.grading.suggest import grade as run
    from searchkit.output.grades import (
        COLUMNS,
        print_suggestions,
        suggestions_as_rows,
        what_was_learned,
    )

    least = options["min_confidence"]
    with progress_bar("questions", quiet=quiet) as advance:
        found = run(
            index,
            column,
            kind=options["kind"],
            min_confidence=MIN_CONFIDENCE if least is None else least,
            tolerance=options["tolerance"],
            where=where,
            progress=advance,
        )
    for line in what_was_learned(found):
        log.info(line)
    write_result(
        form,
        output,
        table=lambda out: print_suggestions(found, index.get, out),
        records=found.iter_records,
        rows=lambda: suggestions_as_rows(found, index.get),
        columns=COLUMNS,
    )
    return {one.id: one.suggested for one in found.suggestions}


def _propagated(
    index: BaseIndex,
    column: str,
    said: dict[str, str | None],
    form: str,
    output: Path | None,
    options: dict[str, Any],
) -> dict[str, Mark | None]:
    from searchkit.grading.propagate import propagate
    from searchkit.output.grades import (
        PROPAGATION_COLUMNS,
        print_propagations,
        propagations_as_rows,
    )

    propagations = propagate(
        index,
        column,
        said,
        kind=options["kind"],
        threshold=options["threshold"],
        tolerance=options["tolerance"],
    )
    write_result(
        form,
        output,
        table=lambda out: print_propagations(propagations, index.get, out),
        records=propagations.iter_records,
        rows=lambda: propagations_as_rows(propagations, index.get, column),
        columns=PROPAGATION_COLUMNS,
    )
    return {
        name: propagation.mark
        for propagation in propagations
        for name in (propagation.id, *propagation.recipients)
    }


def _evaluated(
    index: BaseIndex,
    column: str,
    where: Where,
    form: str,
    output: Path | None,
    options: dict[str, Any],
    *,
    quiet: bool,
) -> None:
    from searchkit.grading.evaluate import evaluate_grades
    from searchkit.output.grades import (
        EVALUATION_COLUMNS,
        print_evaluation,
    )

    with progress_bar("folds", quiet=quiet) as advance:
        found = evaluate_grades(
            index,
            column,
            kind=options["kind"],
            tolerance=options["tolerance"],
            where=where,
            progress=advance,
        )
    write_result(
        form,
        output,
        table=lambda out: print_evaluation(found, out),
        whole=found.to_record,
        records=lambda: found.to_record()["trials"],
        rows=found.iter_records,
        columns=EVALUATION_COLUMNS,
    )


def _audited(
    index: BaseIndex,
    column: str,
    where: Where,
    form: str,
    output: Path | None,
    options: dict[str, Any],
    *,
    quiet: bool,
) -> None:
    from searchkit.grading.audit import THRESHOLD, audit_grades
    from searchkit.output.grades import (
        AUDIT_COLUMNS,
        audit_as_rows,
        print_audit,
        what_was_audited,
    )

    threshold = THRESHOLD if options["threshold"] is None else options["threshold"]
    with progress_bar("questions", quiet=quiet) as advance:
        found = audit_grades(
            index,
            column,
            kind=options["kind"],
            threshold=threshold,
            tolerance=options["tolerance"],
            where=where,
            progress=advance,
        )
    log.info(what_was_audited(found))
    write_result(
        form,
        output,
        table=lambda out: print_audit(found, index.get, out),
        records=found.iter_records,
        rows=lambda: audit_as_rows(found, index.get),
        columns=AUDIT_COLUMNS,
    )


def _write_marks(
    index: BaseIndex, column: str, marks: dict[str, Mark | None], beside: str, *, overwrite: bool
) -> None:
    from searchkit.core.wording import counted
    from searchkit.grading.suggest import write_marks

    written = write_marks(index, column, marks, beside=beside, overwrite=overwrite)
    log.info("%s written into %s", counted(written, "mark"), column)
