"""Training: `python benchmarks/bench_training.py [semeval] [demo] [seeds]`.

Models trained on graded answers to some questions, measured on answers to others: the published
recipe, and losses with the defaults. `semeval`: SemEval-2013, whole, or `--questions` of it drawn
by lot. `demo`: the demo corpus, whole. `seeds`: the demo corpus once a seed, each with a split of
its own. `--settings` names what is trained, e.g. `--settings joint --settings card`.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click
import numpy as np
from machine import DEMO, SHARED, heading, scratch

from searchkit import Answer, Index
from searchkit.encoding.loading import load_encoder
from searchkit.evaluation.comparison import Evaluation, ModelResult
from searchkit.evaluation.evaluate import evaluate_corpus, evaluate_pairs
from searchkit.index.ingest import ingest
from searchkit.sources.reader import read_answers
from searchkit.training.pairs import pairs_from_grades
from searchkit.training.settings import CARD_RECIPE, TrainingSettings
from searchkit.training.train import train

HELD_OUT = 1 / 3
SETTINGS = {
    "joint": TrainingSettings(loss="joint"),
    "cosent": TrainingSettings(loss="cosent"),
    "card": CARD_RECIPE,
    "mnrl": TrainingSettings(loss="mnrl"),
    "online-contrastive": TrainingSettings(loss="online-contrastive"),
    "joint, every pair": TrainingSettings(loss="joint", positive_from=0.0),
    "joint, keywords": TrainingSettings(loss="joint", prepare="keywords"),
}
USUAL = ("joint", "cosent", "card")
PARTS = ("semeval", "demo", "seeds")
SEEDS = (1, 2, 3)
REPEATED = ("Spearman", "same question: average precision")


def semeval(questions: int | None) -> tuple[list[Answer], str, tuple[str, ...]]:
    """Give SemEval-2013 or some of its questions, its column, and which labels are good."""
    answers = list(read_answers([SHARED / "semeval2013-train.csv"]))
    names = sorted({str(answer.question) for answer in answers})
    some = set(random.Random(0).sample(names, questions or len(names)))
    return [answer for answer in answers if answer.question in some], "label", ("correct",)


def demo() -> tuple[list[Answer], str, tuple[str, ...]]:
    """Give the demo corpus, its column, and no labels."""
    return list(read_answers([DEMO])), "score", ()


def trained_on(
    answers: Sequence[Answer], column: str, good: tuple[str, ...], chosen: Sequence[str],
    seed: int = 42,
) -> list[Evaluation]:  # fmt: skip
    """Train in the chosen ways, print how long each took, and measure all on what was held out."""
    folder = scratch()
    with Index.create(folder / "index") as index:
        ingest(index, answers)
        pairs = pairs_from_grades(index, column, good=good)
    models: dict[str, Path] = {}
    print("\n| settings | pairs | steps | seconds | score before | after |")
    print("|---|---:|---:|---:|---:|---:|")
    for name in chosen:
        settings = replace(SETTINGS[name], held_out=HELD_OUT, seed=seed)
        found = train(pairs, folder / name.replace(", ", "-"), settings=settings)
        models[name] = found.path
        best = dict(found.scores)[found.best_step]
        print(f"| {name} | {len(found.training_pairs):,} | {found.steps} | {found.seconds:.0f} | "
              f"{found.score_before:.3f} | {best:.3f} |", flush=True)  # fmt: skip
    encoders = [load_encoder(), *(load_encoder(str(path)) for path in models.values())]
    held = {pair.question for pair in found.held_out}
    unseen = [a for a in answers if a.question in held]
    return [evaluate_pairs(found.held_out, encoders), evaluate_corpus(unseen, encoders)]


def repeated(chosen: Sequence[str]) -> None:
    """Train on the demo corpus once a seed, and print by how much that changed the figures."""
    changes: dict[tuple[str, str], list[float]] = {}
    for seed in SEEDS:
        for found in trained_on(*demo(), chosen, seed):
            for figure in found.metrics:
                for name, result in zip(chosen, figure.results[1:], strict=True):
                    if figure.name in REPEATED and result.difference:
                        changes.setdefault((figure.name, name), []).append(result.difference.value)
    print(f"\n| after - before, {len(SEEDS)} seeds | " + " | ".join(chosen) + " |")
    print("|---|" + "---:|" * len(chosen))
    for figure_name in REPEATED:
        cells = (spread_of(changes[figure_name, name]) for name in chosen)
        print(f"| {figure_name} | " + " | ".join(cells) + " |", flush=True)


def spread_of(values: Sequence[float]) -> str:
    """Write a mean and a range."""
    return f"{np.mean(values):+.3f} ({min(values):+.3f} to {max(values):+.3f})"


def shown(found: Evaluation, names: Sequence[str]) -> None:
    """Print a row a figure and a column a model, with the difference to the first."""
    print(f"\n{found.measured}\n\n| figure | " + " | ".join(names) + " |")
    print("|---|" + "---:|" * len(names))
    for figure in found.metrics:
        cells = " | ".join(cell(result) for result in figure.results)
        print(f"| {figure.name} | {cells} |", flush=True)


def cell(result: ModelResult) -> str:
    """Write a value, and the interval of its difference to the first model."""
    if result.difference is None or result.difference.low is None:
        return f"{result.estimate.value:.3f}"
    return (
        f"{result.estimate.value:.3f} [{result.difference.low:+.3f}, {result.difference.high:+.3f}]"
    )


@click.command()
@click.argument("parts", nargs=-1, type=click.Choice(PARTS))
@click.option("--questions", type=int, help="Of SemEval-2013, drawn by lot; without it, all.")
@click.option("--settings", "chosen", multiple=True, type=click.Choice(list(SETTINGS)),
              default=USUAL)  # fmt: skip
def main(parts: Sequence[str], questions: int | None, chosen: Sequence[str]) -> None:
    """Print the tables."""
    print(heading())
    for part in parts or PARTS:
        if part == "seeds":
            repeated(chosen)
        else:
            corpus = semeval(questions) if part == "semeval" else demo()
            for found in trained_on(*corpus, chosen):
                shown(found, ["before", *chosen])


if __name__ == "__main__":
    main()
