"""Models: `python benchmarks/bench_models.py [MODEL …]`; the default model if none is named.

What `searchkit evaluate` measures, on public data: how the cosine of an answer with its question's
reference answer goes with the grader's mark (SAF, SemEval-2013, the demo corpus), how well answers
to one question are told from those to others, copies in the demo corpus, and MedQuAD: 2,000
questions, each to find its own answers among all 16,407.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from machine import DEMO, SHARED, heading

from searchkit.core.records import Answer
from searchkit.demo.corpus import DEMO_PLANTED
from searchkit.encoding.encoder import Encoder
from searchkit.encoding.loading import load_encoder
from searchkit.evaluation.comparison import Evaluation
from searchkit.evaluation.evaluate import evaluate_corpus, evaluate_pairs, evaluate_retrieval
from searchkit.sources.labelled import SentencePair, read_copies
from searchkit.sources.reader import read_answers

SAF, SEMEVAL = SHARED / "saf-train.csv", SHARED / "semeval2013-train.csv"
MEDQUAD = SHARED / "medquad.csv.gz"
QUERIES = 2_000
RIGHT = {"correct": 1.0, "contradictory": 0.0, "incorrect": 0.0}


def references(answers: Sequence[Answer], column: str) -> list[SentencePair]:
    """Pair each marked answer with the first reference answer to its question."""
    first: dict[str | None, str] = {}
    for answer in answers:
        if answer.is_reference and answer.text.strip():
            first.setdefault(answer.question, answer.text)
    marked = [
        answer for answer in answers
        if not answer.is_reference and answer.text.strip() and answer.meta.get(column)
    ]  # fmt: skip
    return [
        SentencePair(first[one.question], one.text, mark(one.meta[column]), one.question)
        for one in marked
        if one.question in first
    ]


def mark(text: str) -> float:
    """Give a label as a number: 1 for correct, and else 0."""
    return RIGHT[text] if text in RIGHT else float(text)


def medquad() -> tuple[dict[str, str], dict[str, str], dict[str, dict[str, float]]]:
    """Give all answers, a seeded sample of the questions, and which answers are a question's."""
    answers = dict(enumerate(read_answers([MEDQUAD])))  # its own ids are not unique
    own: dict[str, dict[str, float]] = {}
    for n, answer in answers.items():
        own.setdefault(answer.question or "", {})[str(n)] = 1.0
    some = np.random.default_rng(0).choice(sorted(own), QUERIES, replace=False).tolist()
    names = {f"query-{n}": text for n, text in enumerate(some)}
    corpus = {str(n): answer.text for n, answer in answers.items()}
    return corpus, names, {name: own[text] for name, text in names.items()}


def runs(models: Sequence[str]) -> Iterator[tuple[str, Evaluation, float]]:
    """Measure the models on everything that is here."""

    def encoders() -> Iterator[Encoder]:
        return (load_encoder(None if name == "default" else name) for name in models)

    corpora = {"demo": (DEMO, "score"), "SAF": (SAF, "score"), "SemEval": (SEMEVAL, "label")}
    for name, (path, column) in corpora.items():
        if not path.exists():
            continue
        answers = list(read_answers([path]))
        started = time.perf_counter()
        pairs = references(answers, column)
        yield f"{name}: answer and reference", evaluate_pairs(pairs, encoders()), since(started)
        started = time.perf_counter()
        copies = read_copies([DEMO_PLANTED], {a.id for a in answers}).pairs if path == DEMO else []
        yield name, evaluate_corpus(answers, encoders(), copies=copies), since(started)
    if Path(MEDQUAD).exists():
        started = time.perf_counter()
        yield "MedQuAD", evaluate_retrieval(*medquad(), encoders()), since(started)


def since(started: float) -> float:
    """Give the seconds since then."""
    return time.perf_counter() - started


def main(models: Sequence[str]) -> None:
    """Print a row a figure and a column a model."""
    print(heading())
    print("\n| data | figure | " + " | ".join(models) + " | on | seconds |")
    print("|---|---|" + "---|" * len(models) + "---|---:|")
    for name, found, seconds in runs(models):
        for figure in found.metrics:
            cells = []
            for result in figure.results:
                one = result.estimate
                cells.append(f"{one.value:.3f} [{one.low or 0:.3f}, {one.high or 0:.3f}]")
                if result.difference:
                    cells[-1] += f"; {result.difference.value:+.3f}, {result.verdict}"
            print(f"| {name} | {figure.name} | {' | '.join(cells)} | {figure.on} | "
                  f"{seconds:.0f} |", flush=True)  # fmt: skip
        for line in found.notes:
            print(f"{name}: {line}", file=sys.stderr)


if __name__ == "__main__":
    main(sys.argv[1:] or ["default"])
