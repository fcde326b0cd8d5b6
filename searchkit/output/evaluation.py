"""The evaluation of models as a table that compares them, and the summary of a training."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, TextIO

from searchkit.core.messages import counted
from searchkit.output.console import open_console, plain_table, visible

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

    from searchkit.evaluation.comparison import Estimate, Evaluation, ModelResult
    from searchkit.training.records import TrainingResult


COLUMNS = [
    "figure",
    "model",
    "value",
    "low",
    "high",
    "difference",
    "difference_low",
    "difference_high",
    "verdict",
    "on",
]
VERDICT_TEXTS = {
    "better": "better",
    "worse": "worse",
    "within chance": "no difference: within chance",
    "too few to tell": "too few to tell",
}
VERDICT_STYLES = {"better": "green", "worse": "red"}


def describe_training(result: TrainingResult) -> Iterator[str]:
    """Yield lines on what a model was trained from, and whether training improved it."""
    yield (
        f"{result.path}: learned from {counted(len(result.training_pairs), 'pair')} in "
        f"{counted(result.steps, 'step')}, {result.seconds:,.0f} s"
    )
    if result.score_before is None:
        yield "nothing was held out, so that it isn't known what that gave"
        return
    best_score = dict(result.scores)[result.best_step]
    yield (
        f"held out: {counted(len(result.held_out), 'pair')} of other questions; score "
        f"{result.score_before:.3f} before, "
        f"{best_score:.3f} at step {result.best_step:,}, which is kept"
    )
    if best_score <= result.score_before:
        yield "the model was as good before: better keep that one"


def print_evaluation(evaluation: Evaluation, out: TextIO) -> None:
    """Print a table with a row for each metric and a column for each model, and notes on it.

    A cell has the value with its interval, and its difference to the first model.
    """
    from rich.text import Text

    console = open_console(out)

    def print_line(line: str, style: str = "dim") -> None:
        console.print(Text(visible(line), style=style), soft_wrap=True)

    print_line(evaluation.measured, "bold")
    if evaluation.metrics:
        console.print(_metrics_table(evaluation))
        console.print()
        for line in _describe_metrics(evaluation):
            print_line(line)
    for name, reason in evaluation.missing.items():
        print_line(f"{name}: not given, {reason}", "")
    for note in evaluation.notes:
        print_line(note, "")


def _describe_metrics(evaluation: Evaluation) -> Iterator[str]:
    """Yield what metrics were measured on where the heading doesn't say it, then the intervals."""
    for texts in dict.fromkeys(metric.on for metric in evaluation.metrics):
        names = ", ".join(metric.name for metric in evaluation.metrics if metric.on == texts)
        if not evaluation.measured.startswith(texts):
            yield f"{names}: {texts}"
    results = [result for metric in evaluation.metrics for result in metric.results]
    if any(result.estimate.low is not None for result in results):
        yield _describe_intervals(evaluation)


def _describe_intervals(evaluation: Evaluation) -> str:
    units = "queries" if evaluation.unit == "query" else f"{evaluation.unit}s"
    samples = f"{evaluation.resamples:,} resamples of {evaluation.units:,} {units}"
    line = f"in brackets: where the figure lies in 95 % of {samples}"
    if len(evaluation.models) > 1:
        line += f"; +/-: the difference to {evaluation.models[0]} on the same ones"
    return line


def _metrics_table(evaluation: Evaluation) -> Table:
    from rich.text import Text

    table = plain_table()
    table.add_column("figure", overflow="fold")
    for model in evaluation.models:
        table.add_column(Text(visible(model), overflow="fold"))
    for metric in evaluation.metrics:
        table.add_row(metric.name, *(_cell(result) for result in metric.results))
    return table


def _cell(result: ModelResult) -> Text:
    from rich.text import Text

    cell = Text(_format_estimate(result.estimate, ".3f"))
    if result.difference is None or result.verdict is None:
        return cell
    difference = _format_estimate(result.difference, "+.3f")
    style = VERDICT_STYLES.get(result.verdict, "dim")
    return cell.append(f"\n{difference}\n{VERDICT_TEXTS[result.verdict]}", style=style)


def _format_estimate(estimate: Estimate, number_format: str) -> str:
    value = f"{estimate.value:{number_format}}"
    if estimate.low is None or estimate.high is None:
        return value
    return f"{value} [{estimate.low:{number_format}}, {estimate.high:{number_format}}]"
