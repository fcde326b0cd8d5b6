"""Models side by side for people and for programs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, TextIO

from searchkit.core.wording import counted
from searchkit.output.console import open_console, plain_table, visible

if TYPE_CHECKING:
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
VERDICTS = {
    "better": "better",
    "worse": "worse",
    "within chance": "no difference: within chance",
    "too few to tell": "too few to tell",
}
STYLES = {"better": "green", "worse": "red"}


def describe_training(trained: TrainingResult) -> Iterator[str]:
    """Say from what a model was trained, and whether that helped."""
    yield (
        f"{trained.path}: learned from {counted(len(trained.training_pairs), 'pair')} in "
        f"{counted(trained.steps, 'step')}, {trained.seconds:,.0f} s"
    )
    if trained.score_before is None:
        yield "nothing was held out, so that it isn't known what that gave"
        return
    best = dict(trained.scores)[trained.best_step]
    yield (
        f"held out: {counted(len(trained.held_out), 'pair')} of other questions; score "
        f"{trained.score_before:.3f} before, "
        f"{best:.3f} at step {trained.best_step:,}, which is kept"
    )
    if best <= trained.score_before:
        yield "the model was as good before: better keep that one"


def print_evaluation(found: Evaluation, out: TextIO) -> None:
    """Print a row a figure and a column a model: value, interval, difference to the first."""
    from rich.text import Text

    console = open_console(out)

    def say(line: str, style: str = "dim") -> None:
        console.print(Text(visible(line), style=style), soft_wrap=True)

    say(found.measured, "bold")
    if found.metrics:
        console.print(_table(found))
        console.print()
        for line in dict.fromkeys(figure.on for figure in found.metrics):
            names = ", ".join(figure.name for figure in found.metrics if figure.on == line)
            if not found.measured.startswith(line):
                say(f"{names}: {line}")
        if any(result.estimate.low is not None for f in found.metrics for result in f.results):
            say(_what_the_intervals_are(found))
    for name, why in found.missing.items():
        say(f"{name}: not given, {why}", "")
    for note in found.notes:
        say(note, "")


def _what_the_intervals_are(found: Evaluation) -> str:
    drawn = f"{found.resamples:,} resamples of {found.units:,} {_plural(found.unit)}"
    line = f"in brackets: where the figure lies in 95 % of {drawn}"
    if len(found.models) > 1:
        line += f"; +/-: the difference to {found.models[0]} on the same ones"
    return line


def _plural(unit: str) -> str:
    return "queries" if unit == "query" else f"{unit}s"


def _table(found: Evaluation) -> Any:  # noqa: ANN401
    from rich.text import Text

    table = plain_table()
    table.add_column("figure", overflow="fold")
    for model in found.models:
        table.add_column(Text(visible(model), overflow="fold"))
    for figure in found.metrics:
        table.add_row(figure.name, *(_cell(result) for result in figure.results))
    return table


def _cell(result: ModelResult) -> Any:  # noqa: ANN401
    from rich.text import Text

    cell = Text(_written(result.estimate, ".3f"))
    if result.difference is None or result.verdict is None:
        return cell
    style = STYLES.get(result.verdict, "dim")
    return cell.append(
        f"\n{_written(result.difference, '+.3f')}\n{VERDICTS[result.verdict]}", style=style
    )


def _written(interval: Estimate, form: str) -> str:
    value = f"{interval.value:{form}}"
    if interval.low is None or interval.high is None:
        return value
    return f"{value} [{interval.low:{form}}, {interval.high:{form}}]"
