"""The command grade."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from searchkit.cli.options import (
    PlaceType,
    command,
    comparison_filter_options,
    excludes,
    index_option,
    needs,
    option,
    option_group,
    output_options,
)
from searchkit.cli.session import (
    Output,
    log,
    open_reader,
    open_writer,
    progress_bar,
    spinner,
    write_result,
)
from searchkit.core.where import Where
from searchkit.index.locations import Place, open_index

if TYPE_CHECKING:
    from searchkit.grading.marks import MarkKind
    from searchkit.grading.records import Mark
    from searchkit.index.base import BaseIndex


class _AnswerAndMark(click.ParamType[tuple[str, str | None], object]):
    """An id, or an id and a mark separated by =; the mark is None if it is left out."""

    name = "id[=mark]"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str | None]:
        if isinstance(value, tuple):
            return value
        name, separator, mark = str(value).rpartition("=")
        return (name, mark.strip()) if separator else (str(value), None)


@dataclass(frozen=True)
class GradeOptions:
    """The column with the marks and how it is used, as in `searchkit.grade`.

    Attributes:
        column: The column with the marks.
        kind: Whether marks are numbers or labels; None for numbers if all of them are numbers.
        min_confidence: The lowest confidence of a suggestion; None for the default.
        tolerance: The largest difference between two numbers that agree; None for the default.
        threshold: For an audit, the lowest cosine of nearly equal answers; for propagation, the
            threshold of the clusters; None for the default.
        earlier: Where indexes of earlier answers are.
    """

    column: str
    kind: MarkKind | None
    min_confidence: float | None
    tolerance: float | None
    threshold: float | None
    earlier: tuple[Place, ...]

    @contextmanager
    def opened(self) -> Iterator[list[BaseIndex]]:
        """Open the indexes of earlier answers until the end of the `with`."""
        with ExitStack() as stack:
            yield [stack.enter_context(open_index(place)) for place in self.earlier]


@dataclass(frozen=True)
class PromiseOptions:
    """What is to be promised about the answers that are left, as in `searchkit.plan_grading`.

    Attributes:
        max_off: The share of their suggestions that may be off; None for the default.
        confidence: The probability with which that holds; None for the default.
    """

    max_off: float | None
    confidence: float | None


@dataclass(frozen=True)
class GradeTask:
    """What to do with the marks: by default, suggest marks for ungraded answers.

    Attributes:
        mode: `plan`, `evaluate`, `audit` or None.
        propagated: The ids of answers whose marks are propagated, each with the mark to use or
            None for the mark that it has.
    """

    mode: str | None
    propagated: Mapping[str, str | None]


@dataclass(frozen=True)
class WriteOptions:
    """Where to write marks.

    Attributes:
        column: The column to write to; None to write no marks.
        overwrite: Whether existing marks in that column are replaced.
    """

    column: str | None
    overwrite: bool


@command()
@index_option
@option_group(
    "Marks",
    option("--column", metavar="NAME", required=True, help="The column with the marks."),
    option(
        "--as",
        "kind",
        type=click.Choice(["numbers", "labels"]),
        help="What the marks are.  [default: numbers, if all of them are]",
    ),
    option(
        "--min-confidence",
        type=float,
        help="Leave out suggestions that are less likely to be right.  [default: 0.5]",
    ),
    option(
        "--tolerance",
        type=float,
        help="The largest difference from the grader's number that counts as right.  "
        "[default: a tenth of the range]",
    ),
    option(
        "-t",
        "--threshold",
        type=float,
        help="For --audit: the lowest similarity of nearly equal answers (0.8); for --propagate: "
        "the threshold of the clusters.",
    ),
    option(
        "--from",
        "earlier",
        type=PlaceType(),
        multiple=True,
        metavar="INDEX",
        help="Learn from the marks in this index, too, such as last year's; its answers' ids are "
        "shown as NAME:ID. Can be repeated.",
    ),
    argument="options",
    record=GradeOptions,
)
@option_group(
    "Instead of suggesting marks",
    option(
        "--plan",
        "mode",
        flag_value="plan",
        help="List the answers to mark next, and say what can be promised about the rest. The "
        "column may be empty, or not exist.",
    ),
    option(
        "--evaluate", "mode", flag_value="evaluate", help="Measure suggestions on held-out answers."
    ),
    option(
        "--audit", "mode", flag_value="audit", help="Look for marks that contradict each other."
    ),
    option(
        "--propagate",
        "propagated",
        type=_AnswerAndMark(),
        multiple=True,
        metavar="ID[=MARK]",
        help="Show which other answers would get the mark of this one, because they say the same. "
        "Can be repeated.",
    ),
    argument="task",
    record=lambda mode, propagated: GradeTask(mode, dict(propagated)),
)
@option_group(
    "For --plan",
    option(
        "--max-off",
        type=float,
        help="The share of the suggestions that may be off by more than --tolerance.  "
        "[default: 0.05]",
    ),
    option(
        "--confidence",
        type=float,
        help="The probability with which the promise holds.  [default: 0.9]",
    ),
    argument="promise",
    record=PromiseOptions,
)
@option_group(
    "Writing marks",
    option("--write", metavar="NAME", help="Write the marks into this column of the index."),
    option("--overwrite", is_flag=True, help="Replace marks that are already in that column."),
    argument="target",
    record=lambda write, overwrite: WriteOptions(write, overwrite),
)
@comparison_filter_options
@output_options("table", "json", "jsonl", "csv")
@excludes("--propagate", "--plan", "--evaluate", "--audit")
@excludes("--propagate", "--question", "--author", "--where", "--attempts")
@excludes("--write", "--plan", "--evaluate", "--audit")
@needs("--overwrite", "--write")
@needs("--max-off", "--plan")
@needs("--confidence", "--plan")
@excludes("--min-confidence", "--plan", "--evaluate", "--audit", "--propagate")
@excludes("--from", "--plan", "--audit", "--propagate")
@needs("--threshold", "--audit", "--propagate")
def grade(
    folder: Place,
    options: GradeOptions,
    task: GradeTask,
    promise: PromiseOptions,
    target: WriteOptions,
    where: Where,
    output: Output,
) -> None:
    """Suggest marks for ungraded answers from the graded ones.

    Each suggestion has a confidence, and the nearest graded answers as reasons; below
    --min-confidence no mark is suggested. Nothing is written without --write, and never into the
    column with your marks.
    """
    open_graded = open_writer if target.column else open_reader
    with open_graded(folder, quiet=output.quiet, where=where) as index:
        if task.mode == "evaluate":
            _evaluate(index, options, where, output)
        elif task.mode == "audit":
            _audit(index, options, where, output)
        elif task.mode == "plan":
            _plan(index, options, promise, where, output)
        else:
            marks = (
                _propagate(index, task.propagated, options, output)
                if task.propagated
                else _suggest(index, options, where, output)
            )
            if target.column:
                _write_marks(index, target.column, marks, options.column, target.overwrite)


def _suggest(
    index: BaseIndex, options: GradeOptions, where: Where, output: Output
) -> dict[str, Mark | None]:
    """Write the suggestions; return the suggested marks by answer id."""
    from searchkit.grading import suggest
    from searchkit.output import grades

    confidence = options.min_confidence
    with (
        options.opened() as earlier,
        progress_bar("questions", quiet=output.quiet) as progress,
    ):
        result = suggest.grade(
            index,
            options.column,
            kind=options.kind,
            min_confidence=suggest.MIN_CONFIDENCE if confidence is None else confidence,
            tolerance=options.tolerance,
            where=where,
            earlier=earlier,
            progress=progress,
        )
    for line in grades.describe_learning(result):
        log.info(line)
    write_result(
        output,
        table=lambda out: grades.print_suggestions(result, index.get, out),
        records=result.iter_records,
        rows=lambda: grades.suggestions_as_rows(result, index.get),
        columns=grades.COLUMNS,
    )
    return {suggestion.id: suggestion.suggested for suggestion in result.suggestions}


def _propagate(
    index: BaseIndex,
    propagated: Mapping[str, str | None],
    options: GradeOptions,
    output: Output,
) -> dict[str, Mark | None]:
    """Write which answers get which marks; return these marks by answer id."""
    from searchkit.grading.propagate import propagate
    from searchkit.output import grades

    with spinner("grouping the answers", quiet=output.quiet):
        propagations = propagate(
            index,
            options.column,
            propagated,
            kind=options.kind,
            threshold=options.threshold,
            tolerance=options.tolerance,
        )
    write_result(
        output,
        table=lambda out: grades.print_propagations(propagations, index.get, out),
        records=propagations.iter_records,
        rows=lambda: grades.propagations_as_rows(propagations, index.get, options.column),
        columns=grades.PROPAGATION_COLUMNS,
    )
    return {
        name: propagation.mark
        for propagation in propagations
        for name in (propagation.id, *propagation.recipients)
    }


def _plan(
    index: BaseIndex, options: GradeOptions, promise: PromiseOptions, where: Where, output: Output
) -> None:
    from searchkit.grading.promise.plan import plan_grading
    from searchkit.grading.promise.records import CONFIDENCE, MAX_OFF
    from searchkit.output import plans

    with spinner("planning", quiet=output.quiet):
        result = plan_grading(
            index,
            options.column,
            kind=options.kind,
            tolerance=options.tolerance,
            max_off=MAX_OFF if promise.max_off is None else promise.max_off,
            confidence=CONFIDENCE if promise.confidence is None else promise.confidence,
            where=where,
        )
    log.info(plans.describe_marks(result))
    write_result(
        output,
        table=lambda out: plans.print_plan(result, index.get, out),
        document=result.to_record,
        records=result.iter_records,
        rows=lambda: plans.plan_as_rows(result, index.get),
        columns=plans.COLUMNS,
    )


def _evaluate(index: BaseIndex, options: GradeOptions, where: Where, output: Output) -> None:
    from searchkit.grading.evaluate import evaluate_grades
    from searchkit.output import grades

    with (
        options.opened() as earlier,
        progress_bar("folds", quiet=output.quiet) as progress,
    ):
        result = evaluate_grades(
            index,
            options.column,
            kind=options.kind,
            tolerance=options.tolerance,
            where=where,
            earlier=earlier,
            progress=progress,
        )
    write_result(
        output,
        table=lambda out: grades.print_evaluation(result, out),
        document=result.to_record,
        records=lambda: result.to_record()["trials"],
        rows=result.iter_records,
        columns=grades.EVALUATION_COLUMNS,
    )


def _audit(index: BaseIndex, options: GradeOptions, where: Where, output: Output) -> None:
    from searchkit.grading.audit import THRESHOLD, audit_grades
    from searchkit.output import grades

    with progress_bar("questions", quiet=output.quiet) as progress:
        result = audit_grades(
            index,
            options.column,
            kind=options.kind,
            threshold=THRESHOLD if options.threshold is None else options.threshold,
            tolerance=options.tolerance,
            where=where,
            progress=progress,
        )
    log.info(grades.describe_audit(result))
    write_result(
        output,
        table=lambda out: grades.print_audit(result, index.get, out),
        records=result.iter_records,
        rows=lambda: grades.audit_as_rows(result, index.get),
        columns=grades.AUDIT_COLUMNS,
    )


def _write_marks(
    index: BaseIndex, column: str, marks: dict[str, Mark | None], beside: str, overwrite: bool
) -> None:
    from searchkit.core.messages import counted
    from searchkit.grading.suggest import write_marks

    written = write_marks(index, column, marks, beside=beside, overwrite=overwrite)
    log.info("%s written into %s", counted(written, "mark"), column)
