"""Training: `python benchmarks/bench_training.py [semeval] [demo]`.

Models trained on graded answers to some questions, measured on answers to others: the published
recipe, and each loss with the defaults. `semeval`: SemEval-2013, `QUESTIONS` of its questions drawn
by lot. `demo`: the demo corpus, whole.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from machine import DEMO, SHARED, heading, scratch

from searchkit import Answer, Index
from searchkit.encoder import load_encoder
from searchkit.evaluation import evaluate_corpus, evaluate_pairs
from searchkit.ingest import ingest
from searchkit.sidebyside import Evaluated, Result
from searchkit.sources import read_answers
from searchkit.training import CARD, Settings, train
from searchkit.trainingpairs import pairs_of_graded

QUESTIONS = 60  # of SemEval's 182; 40 to learn from, 20 to measure on
HELD_OUT = 1 / 3
SETTINGS = {
    "card": CARD,
    "mnrl": Settings(loss="mnrl"),
    "cosent": Settings(loss="cosent"),
    "online-contrastive": Settings(loss="online-contrastive"),
    "cosent, keywords": Settings(loss="cosent", prepare="keywords"),
}
PARTS = ("semeval", "demo")


def semeval() -> tuple[list[Answer], str, tuple[str, ...]]:
    """Give some questions of SemEval-2013, its column, and which labels are good."""
    answers = list(read_answers([SHARED / "semeval2013-train.csv"]))
    names = sorted({str(answer.question) for answer in answers})
    some = set(random.Random(0).sample(names, QUESTIONS))
    return [answer for answer in answers if answer.question in some], "label", ("correct",)


def demo() -> tuple[list[Answer], str, tuple[str, ...]]:
    """Give the demo corpus, its column, and no labels."""
    return list(read_answers([DEMO])), "score", ()


def trained_on(answers: Sequence[Answer], column: str, good: tuple[str, ...]) -> None:
    """Train in every way, and print the figures of all models on what was held out."""
    folder = scratch()
    with Index.create(folder / "index") as index:
        ingest(index, answers)
        pairs = pairs_of_graded(index, column, good=good)
    models: dict[str, Path] = {}
    print("\n| settings | pairs | steps | seconds | score before | after |")
    print("|---|---:|---:|---:|---:|---:|")
    for name, settings in SETTINGS.items():
        found = train(
            pairs, folder / name.replace(", ", "-"), settings=replace(settings, held_out=HELD_OUT)
        )
        models[name] = found.path
        best = dict(found.scores)[found.best]
        print(f"| {name} | {len(found.learned):,} | {found.steps} | {found.seconds:.0f} | "
              f"{found.before:.3f} | {best:.3f} |", flush=True)  # fmt: skip
    encoders = [load_encoder(), *(load_encoder(str(path)) for path in models.values())]
    held = {pair.question for pair in found.held_out}
    unseen = [a for a in answers if a.question in held]
    names = ["before", *models]
    shown(evaluate_pairs(found.held_out, encoders), names)
    shown(evaluate_corpus(unseen, encoders), names)


def shown(found: Evaluated, names: Sequence[str]) -> None:
    """Print a row a figure and a column a model, with the difference to the first."""
    print(f"\n{found.measured}\n\n| figure | " + " | ".join(names) + " |")
    print("|---|" + "---:|" * len(names))
    for figure in found.figures:
        cells = " | ".join(cell(result) for result in figure.results)
        print(f"| {figure.name} | {cells} |", flush=True)


def cell(result: Result) -> str:
    """Write a value, and the interval of its difference to the first model."""
    if result.difference is None or result.difference.low is None:
        return f"{result.figure.value:.3f}"
    return (
        f"{result.figure.value:.3f} [{result.difference.low:+.3f}, {result.difference.high:+.3f}]"
    )


def main(parts: Sequence[str]) -> None:
    """Print the tables."""
    print(heading())
    for name, corpus in {"semeval": semeval, "demo": demo}.items():
        if name in parts:
            trained_on(*corpus())


if __name__ == "__main__":
    main(sys.argv[1:] or PARTS)
