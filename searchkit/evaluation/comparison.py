"""Comparison of models by metrics, with confidence intervals of values and differences."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from searchkit.core.arrays import Float64, Int64
from searchkit.core.results import Record, Table
from searchkit.encoding.encoder import Encoder
from searchkit.evaluation.bootstrap import ResampleMetrics, bootstrap, interval

# Fewer units are too few to resample.
MIN_UNITS = 10
AnyArray = NDArray[Any]
DifferenceVerdict = Literal["better", "worse", "within chance", "too few to tell"]


@dataclass(frozen=True, slots=True)
class Estimate(Record):
    """A value with its 95 % confidence interval.

    Attributes:
        value: The value on the data.
        low: Lower end of the interval; None if there are too few units to resample.
        high: Upper end of the interval; None likewise.
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
    """One metric of one model.

    Attributes:
        model: The model's name.
        estimate: The metric.
        difference: Its difference to the first model; None for the first model.
        verdict: Verdict on the difference: `within chance` if its interval contains 0. None for
            the first model.
    """

    model: str
    estimate: Estimate
    difference: Estimate | None
    verdict: DifferenceVerdict | None

    def to_record(self) -> dict[str, Any]:
        """Return the figure, and the difference with its verdict."""
        difference = self.difference and self.difference.to_record() | {"verdict": self.verdict}
        return {"model": self.model, **self.estimate.to_record(), "difference": difference}


@dataclass(frozen=True, slots=True)
class MetricComparison(Record):
    """One metric of all models.

    Attributes:
        name: The metric's name; higher values are better.
        on: Description of the data that it was measured on.
        results: One result per model, in the models' order.
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
    """A comparison of models.

    Attributes:
        models: The models' names.
        measured: Description of the data that they were measured on.
        unit: What is drawn in a resample: `question`, `answer`, `pair` or `query`.
        units: Number of units.
        resamples: Number of resamples.
        metrics: The metrics that were measured.
        missing: Names of metrics that couldn't be measured, with the reason.
        notes: Notes for a reader about the data.
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
    """Return `(n,)` the number of each row's question, from 0; a row without one has its own."""
    keys = [(name, None if name else n) for n, name in enumerate(questions)]
    place = {key: n for n, key in enumerate(dict.fromkeys(keys))}
    return np.array([place[key] for key in keys], np.int64)


@dataclass(frozen=True, slots=True)
class Units:
    """What is drawn in a resample.

    Attributes:
        codes: `(n,)` the unit of each row, from 0.
        name: What a unit is: `question`, `answer`, `pair` or `query`.
        note: A note for a reader about the choice of units.
    """

    codes: Int64
    name: str
    note: str | None = None

    @classmethod
    def from_questions(cls, questions: Sequence[str | None], row: str) -> Units:
        """Return the questions as units, or the rows if there are too few questions.

        A row without a question is a unit of its own.

        Args:
            questions: The question of each row.
            row: What a row is: `answer` or `pair`.
        """
        known = {name for name in questions if name}
        if len(known) < MIN_UNITS:
            count = "1 question is" if len(known) == 1 else f"{len(known)} questions are"
            note = (
                f"{count} too few to resample: {row}s are drawn, as if none had to do with others"
            )
            return cls(np.arange(len(questions)), row, note if known else None)
        return cls(question_codes(questions), "question")

    @property
    def count(self) -> int:
        """Return the number of units."""
        return int(self.codes.max()) + 1


@dataclass(frozen=True, slots=True)
class Measurement:
    """Metrics that are computed together.

    Attributes:
        names: The names of the metrics.
        on: Description of the data that they are measured on.
        measure: Takes a model's vectors, scores or other data, and returns the values of the
            metrics and a function that computes them on resamples.
    """

    names: tuple[str, ...]
    on: str
    measure: Callable[[AnyArray], tuple[list[float], ResampleMetrics]]


def compare_models(
    encoders: Iterable[Encoder],
    read: Callable[[Encoder], AnyArray],
    measurements: Sequence[Measurement],
    *,
    measured: str,
    units: Units,
    resamples: int,
    seed: int,
    missing: Mapping[str, str] | None = None,
    notes: Sequence[str] = (),
) -> Evaluation:
    """Measure every model, then all of them on the same resamples.

    Args:
        encoders: The models; each is measured before the next is taken from the iterable.
        read: Returns the data of a model that the measurements take.
        measurements: The metrics; if there are none, no model is used.
        measured: Description of the data that the models are measured on.
        units: What is drawn in a resample; fewer than `MIN_UNITS` aren't resampled.
        resamples: Number of resamples.
        seed: Seed of the draws.
        missing: Names of metrics that can't be measured, with the reason.
        notes: Notes for a reader.
    """
    names, values, measures = _measure_each(encoders, read, measurements)
    notes = [*notes, units.note] if units.note else list(notes)
    resampled = None
    if measurements and units.count >= MIN_UNITS:
        resampled = _resample(measures, units.count, resamples, seed)
        resampled = resampled.reshape(resamples, len(names), -1)
    elif measurements:
        count = "1 is" if units.count == 1 else f"{units.count} are"
        notes.append(f"{count} too few to resample: no intervals, and no verdicts")
    metrics = [
        MetricComparison(
            name,
            on,
            _results(
                names, [row[n] for row in values], None if resampled is None else resampled[:, :, n]
            ),
        )
        for n, (name, on) in enumerate(
            (name, each.on) for each in measurements for name in each.names
        )
    ]
    return Evaluation(
        tuple(names),
        measured,
        units.name,
        units.count,
        resamples,
        tuple(metrics),
        missing or {},
        tuple(notes),
    )


def _measure_each(
    encoders: Iterable[Encoder],
    read: Callable[[Encoder], AnyArray],
    measurements: Sequence[Measurement],
) -> tuple[list[str], list[list[float]], list[ResampleMetrics]]:
    """Return the models' names, their values, and what measures them, in turn, on resamples."""
    names: list[str] = []
    values: list[list[float]] = []
    measures: list[ResampleMetrics] = []
    for encoder in encoders:
        names.append(encoder.name)
        data = read(encoder) if measurements else np.empty(0)
        results = [measurement.measure(data) for measurement in measurements]
        values.append([value for metrics, _ in results for value in metrics])
        measures += [measure for _, measure in results]
    if not names:
        raise ValueError("no encoder to measure")
    return names, values, measures


def _resample(
    measures: Sequence[ResampleMetrics], units: int, resamples: int, seed: int
) -> Float64:
    def measure_all(counts: Float64) -> Float64:
        return np.hstack([measure(counts) for measure in measures])

    return bootstrap(measure_all, units, resamples=resamples, seed=seed)


def _results(
    names: Sequence[str], values: Sequence[float], resampled: Float64 | None
) -> tuple[ModelResult, ...]:
    """Compare the models by one metric.

    Args:
        names: The models' names.
        values: The metric of each model.
        resampled: `(resamples, models)` the metric of each model in each resample, if any.
    """
    results = [ModelResult(names[0], _estimate(values[0], resampled, 0), None, None)]
    for n in range(1, len(names)):
        differences = None if resampled is None else resampled - resampled[:, :1]
        difference = _estimate(values[n] - values[0], differences, n)
        results.append(
            ModelResult(
                names[n], _estimate(values[n], resampled, n), difference, _verdict(difference)
            )
        )
    return tuple(results)


def _estimate(value: float, resampled: Float64 | None, model: int) -> Estimate:
    low, high = (np.nan, np.nan) if resampled is None else interval(resampled[:, model])
    return Estimate(value, *(None if np.isnan(end) else end for end in (low, high)))


def _verdict(difference: Estimate) -> DifferenceVerdict:
    if difference.low is None or difference.high is None:
        return "too few to tell"
    if difference.low <= 0 <= difference.high:
        return "within chance"
    return "better" if difference.low > 0 else "worse"
