"""Side by side: figures of several models, their intervals, and which differences are chance."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from searchkit.core.arrays import Float64, Int64
from searchkit.core.results import Record, Table
from searchkit.encoding.encoder import Encoder
from searchkit.evaluation.bootstrap import Measure, bootstrap, interval

FEW = 10  # units; fewer say nothing about others
Array = NDArray[Any]
Verdict = Literal["better", "worse", "within chance", "too few to tell"]


@dataclass(frozen=True, slots=True)
class Estimate(Record):
    """A value, and where it lies in 95 % of resamples.

    Attributes:
        value: Of the data as they are.
        low: The lower end; None if there are too few to resample.
        high: The upper end.
    """

    value: float
    low: float | None
    high: float | None

    def to_record(self) -> dict[str, Any]:
        """Return the value and both ends, rounded to six places."""
        ends = {"value": self.value, "low": self.low, "high": self.high}
        return {name: None if end is None else round(end, 6) for name, end in ends.items()}


@dataclass(frozen=True, slots=True)
class ModelResult(Record):
    """A figure of one model.

    Attributes:
        model: Its name.
        estimate: The figure.
        difference: To the first model; None for the first itself.
        verdict: On the difference; `within chance` if its interval holds 0. None for the first.
    """

    model: str
    estimate: Estimate
    difference: Estimate | None
    verdict: Verdict | None

    def to_record(self) -> dict[str, Any]:
        """Return the figure, and the difference with its verdict."""
        difference = self.difference and self.difference.to_record() | {"verdict": self.verdict}
        return {"model": self.model, **self.estimate.to_record(), "difference": difference}


@dataclass(frozen=True, slots=True)
class MetricComparison(Record):
    """A figure of all models.

    Attributes:
        name: What it is; higher is better.
        on: On what it was measured.
        results: One a model, in their order.
    """

    name: str
    on: str
    results: tuple[ModelResult, ...]

    def to_record(self) -> dict[str, Any]:
        """Return the figure of each model."""
        models = [result.to_record() for result in self.results]
        return {"figure": self.name, "on": self.on, "models": models}


@dataclass(frozen=True, slots=True)
class Evaluation(Table):
    """Models side by side.

    Attributes:
        models: Their names.
        measured: What they were measured on.
        unit: What is drawn in a resample: `question`, `answer`, `pair` or `query`.
        units: How many of them there are.
        resamples: How many were drawn.
        metrics: What was measured.
        missing: What could not be, and why.
        notes: What a reader should know about the data.
    """

    models: tuple[str, ...]
    measured: str
    unit: str
    units: int
    resamples: int
    metrics: tuple[MetricComparison, ...]
    missing: Mapping[str, str]
    notes: tuple[str, ...]

    def iter_records(self) -> Iterator[dict[str, Any]]:
        """Yield a record for each figure of each model, then one for each missing figure."""
        for figure in self.metrics:
            for result in figure.results:
                difference = result.difference.to_record() if result.difference else {}
                yield {
                    "figure": figure.name,
                    "model": result.model,
                    **result.estimate.to_record(),
                    "difference": difference.get("value"),
                    "difference_low": difference.get("low"),
                    "difference_high": difference.get("high"),
                    "verdict": result.verdict,
                    "on": figure.on,
                }
        for name, reason in self.missing.items():
            yield {"figure": name, "on": reason}

    def to_record(self) -> dict[str, Any]:
        """Return all of it as one JSON object."""
        return {
            "measured": self.measured,
            "models": list(self.models),
            "unit": self.unit,
            "units": self.units,
            "resamples": self.resamples,
            "figures": [figure.to_record() for figure in self.metrics],
            "missing": dict(self.missing),
            "notes": list(self.notes),
        }


def question_codes(questions: Sequence[str | None]) -> Int64:
    """Return `(n,)` the number of each row's question, from 0; a row without one is on its own."""
    keys = [(name, None if name else n) for n, name in enumerate(questions)]
    place = {key: n for n, key in enumerate(dict.fromkeys(keys))}
    return np.array([place[key] for key in keys], np.int64)


@dataclass(frozen=True, slots=True)
class Units:
    """What is drawn in a resample.

    Attributes:
        codes: `(n,)` the unit of each row, from 0.
        name: `question`, `answer`, `pair` or `query`.
        note: What a reader should know of the choice.
    """

    codes: Int64
    name: str
    note: str | None = None

    @classmethod
    def of(cls, questions: Sequence[str | None], row: str) -> Units:
        """Choose the questions, a row that has none being on its own; or rows, if they are few.

        Args:
            questions: Of each row.
            row: What a row is called.
        """
        known = {name for name in questions if name}
        if len(known) < FEW:
            what = "1 question is" if len(known) == 1 else f"{len(known)} questions are"
            note = f"{what} too few to resample: {row}s are drawn, as if none had to do with others"
            return cls(np.arange(len(questions)), row, note if known else None)
        return cls(question_codes(questions), "question")

    @property
    def count(self) -> int:
        """How many there are."""
        return int(self.codes.max()) + 1


@dataclass(frozen=True, slots=True)
class Part:
    """Figures that are computed together.

    Attributes:
        names: Of the figures.
        on: What they are measured on.
        of: Gives their values for what is known of a model, and what gives those of resamples.
    """

    names: tuple[str, ...]
    on: str
    of: Callable[[Array], tuple[list[float], Measure]]


def compare_models(
    encoders: Iterable[Encoder],
    read: Callable[[Encoder], Array],
    parts: Sequence[Part],
    *,
    measured: str,
    units: Units,
    resamples: int,
    seed: int,
    missing: Mapping[str, str] | None = None,
    notes: Sequence[str] = (),
) -> Evaluation:
    """Measure every model by every part, then resample all of them together.

    Args:
        encoders: One after another; each is measured before the next is asked for.
        read: Gives what the parts need to know of a model.
        parts: What to measure by; with none no model is looked at.
        measured: What the models are measured on.
        units: What is drawn; with fewer than `FEW` nothing is.
        resamples: How many to draw.
        seed: Of the draws.
        missing: What can't be measured, and why.
        notes: What a reader should know.
    """
    names: list[str] = []
    values: list[list[float]] = []
    measures: list[Measure] = []
    for encoder in encoders:
        names.append(encoder.name)
        known = read(encoder) if parts else np.empty(0)
        taken = [part.of(known) for part in parts]
        values.append([value for some, _ in taken for value in some])
        measures += [measure for _, measure in taken]
    if not names:
        raise ValueError("no encoder to measure")
    notes = [*notes, units.note] if units.note else list(notes)
    drawn = None
    if parts and units.count >= FEW:
        drawn = _drawn(measures, units.count, resamples, seed).reshape(resamples, len(names), -1)
    elif parts:
        some = "1 is" if units.count == 1 else f"{units.count} are"
        notes.append(f"{some} too few to resample: no intervals, and no verdicts")
    figures = [
        MetricComparison(
            name,
            on,
            _results(names, [row[n] for row in values], None if drawn is None else drawn[:, :, n]),
        )
        for n, (name, on) in enumerate((name, part.on) for part in parts for name in part.names)
    ]
    return Evaluation(
        tuple(names),
        measured,
        units.name,
        units.count,
        resamples,
        tuple(figures),
        missing or {},
        tuple(notes),
    )


def _drawn(measures: Sequence[Measure], units: int, resamples: int, seed: int) -> Float64:
    def all_of_them(counts: Float64) -> Float64:
        return np.hstack([measure(counts) for measure in measures])

    return bootstrap(all_of_them, units, resamples=resamples, seed=seed)


def _results(
    names: Sequence[str], values: Sequence[float], drawn: Float64 | None
) -> tuple[ModelResult, ...]:
    """Compare the models by one figure.

    Args:
        names: Of the models.
        values: Their figures.
        drawn: `(resamples, models)`.
    """
    results = [ModelResult(names[0], _interval(values[0], drawn, 0), None, None)]
    for n in range(1, len(names)):
        apart = None if drawn is None else drawn - drawn[:, :1]
        difference = _interval(values[n] - values[0], apart, n)
        results.append(
            ModelResult(names[n], _interval(values[n], drawn, n), difference, _verdict(difference))
        )
    return tuple(results)


def _interval(value: float, drawn: Float64 | None, model: int) -> Estimate:
    low, high = (np.nan, np.nan) if drawn is None else interval(drawn[:, model])
    return Estimate(value, *(None if np.isnan(end) else end for end in (low, high)))


def _verdict(difference: Estimate) -> Verdict:
    if difference.low is None or difference.high is None:
        return "too few to tell"
    if difference.low <= 0 <= difference.high:
        return "within chance"
    return "better" if difference.low > 0 else "worse"
