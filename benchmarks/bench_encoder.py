"""Embedding rate: searchkit's encoder against sentence-transformers' `encode` with its defaults.

Same model, same texts, one process, runs in turn; the best run of each counts, because other
processes only ever slow a run down. Prints a Markdown table.

    python benchmarks/bench_encoder.py [--texts 3000] [--runs 3]
"""

from __future__ import annotations

import argparse
import csv
import platform
import random
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from searchkit.encoding.encoder import Encoder
from searchkit.encoding.loading import load_encoder
from searchkit.encoding.models.names import find_model
from searchkit.encoding.openvino_encoder import CompiledEncoder
from searchkit.encoding.openvino_runtime import openvino_core

ROOT = Path(__file__).parent.parent
SHARED = ROOT.parent / "shared" / "data"
DEMO = ROOT / "searchkit" / "demo" / "answers.csv"
# SAF's answers are seven times as long, so that a run of fewer takes as long.
CORPORA = {
    "SemEval, short answers": (SHARED / "semeval2013-train.csv", 1),
    "SAF, long answers": (SHARED / "saf-train.csv", 6),
}

Embed = Callable[[list[str]], NDArray[np.float32]]


def main(count: int = 3000, runs: int = 3) -> None:
    """Time both encoders on each corpus and print the table.

    Args:
        count: Short answers to embed; of long ones a sixth of that.
        runs: Of each encoder.
    """
    ours, theirs = load_encoder(device="cpu"), sentence_transformer()
    precision = ours.config.precision if isinstance(ours, CompiledEncoder) else "f32 (torch)"
    print(f"{cpu()}; {ours.name} in {precision}\n")
    print("| corpus | texts | tokens | sentence-transformers | searchkit | ratio | cosine, min |")
    print("|---|---|---|---|---|---|---|")
    for name, texts in corpora(count):
        print(row(name, texts, ours, theirs, runs), flush=True)


def corpora(count: int) -> list[tuple[str, list[str]]]:
    """Return (name, texts), sampled with a fixed seed; the demo corpus where there is no other."""
    there = {name: use for name, use in CORPORA.items() if use[0].exists()}
    there = there or {"demo corpus": (DEMO, 1)}
    return [(name, sample(file, count // share)) for name, (file, share) in there.items()]


def sample(file: Path, count: int) -> list[str]:
    """Return up to `count` distinct answers of a CSV file."""
    with file.open(encoding="utf-8", newline="") as stream:
        texts = sorted({line["answer"] for line in csv.DictReader(stream)} - {""})
    return random.Random(0).sample(texts, min(count, len(texts)))


def row(name: str, texts: list[str], ours: Encoder, theirs: Embed, runs: int) -> str:
    """Time both on the same texts, in turn, and return a line of the table."""
    found, wanted = ours.encode(texts), theirs(texts)
    times = [(timed(theirs, texts), timed(ours.encode, texts)) for _ in range(runs)]
    slow, fast = (min(column) for column in zip(*times, strict=True))
    tokens = np.mean([len(code) for code in ours.tokenizer.encode_batch_fast(texts)])
    cosine = float(np.sum(found * wanted, axis=1).min())
    rates = f"{len(texts) / slow:.0f}/s | {len(texts) / fast:.0f}/s | {slow / fast:.1f} ×"  # noqa: RUF001
    return f"| {name} | {len(texts)} | {tokens:.0f} | {rates} | {cosine:.6f} |"


def timed(embed: Embed, texts: list[str]) -> float:
    """Return the seconds of one run."""
    start = time.perf_counter()
    embed(texts)
    return time.perf_counter() - start


def sentence_transformer() -> Embed:
    """Load the same model with sentence-transformers, in its defaults."""
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(find_model().path), device="cpu")
    return lambda texts: np.asarray(model.encode(texts), np.float32)


def cpu() -> str:
    """Name the CPU, its cores, and what it computes in."""
    able = ", ".join(openvino_core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"))
    name = openvino_core().get_property("CPU", "FULL_DEVICE_NAME")
    threads = openvino_core().get_property("CPU", "RANGE_FOR_STREAMS")[1]
    return (
        f"{name}, {threads} cores ({able}), {platform.system()}, Python {platform.python_version()}"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=int, default=3000, help="short answers to embed (3000)")
    parser.add_argument("--runs", type=int, default=3, help="runs of each encoder (3)")
    options = parser.parse_args()
    main(options.texts, options.runs)
