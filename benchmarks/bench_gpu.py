"""What a GPU changes: `python benchmarks/bench_gpu.py [ANSWERS [MADE]]`.

Embedding and mining on CUDA beside the same on this machine's CPU, in one process: the answers of
alpaca-answers (the first ANSWERS of them, cut into passages; the demo corpus where that isn't
there), and MADE unit vectors around random centres. Before that, whole commands `ingest` with
`--device cpu`, `cuda` and `auto`, the last one with what the first two have measured.
"""

from __future__ import annotations

import csv
import gzip
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from itertools import islice, pairwise
from pathlib import Path

import numpy as np
import torch
from machine import SHARED, corpus, heading, scratch, texts
from numpy.typing import NDArray

from searchkit.encoding.devices.gpu_encoder import GpuEncoder, load_gpu_encoder
from searchkit.encoding.loading import load_encoder
from searchkit.encoding.models.names import find_model
from searchkit.mining import exact, row_pairs
from searchkit.mining import products as products_module
from searchkit.mining.exact import HALF_MILLIONTH, TileMiner, Tiling
from searchkit.mining.products import GPU, Precision, bounds_of, products_of
from searchkit.mining.row_pairs import RowPairs
from searchkit.text.passages import split_passages

Floats = NDArray[np.float32]

THRESHOLDS = (0.9, 0.8)
SPANS = (64, 512)
BATCHES = (32, 512)
TOKENS = (131_072, 262_144, 524_288)
DEVICES = ("cpu", "cuda", "auto")
WANTED = """
Wanted on an H100: 20,000 passages of long answers embedded in a second, the first pass included;
16,000 long answers ingested in 10 s; auto never slower than the cores.
"""


def main(answers: int = 16_000, made: int = 1_000_000) -> None:
    """Print the tables."""
    print(heading() + f"; {torch.cuda.get_device_name()}, torch {torch.__version__}\n")
    print(
        "| whole command | " + " | ".join(f"--device {device}" for device in DEVICES) + " | auto |"
    )
    print("|---|" + "---:|" * len(DEVICES) + "---|")
    print(ingested("short answers", corpus("semeval2013-train.csv")), flush=True)
    print(ingested("long answers", long_answers_file(answers)), flush=True)
    print(WANTED)
    vectors = embedding(long_passages(answers))
    print("\n| vectors | threshold | pairs | CPU | GPU | the same pairs | scores differ by | "
          + " | ".join(f"GPU, {span} tiles wide" for span in SPANS) + " |")  # fmt: skip
    print("|---:" * 5 + "|---|" + "---:|" * (1 + len(SPANS)))
    for threshold in THRESHOLDS:
        print(mined(vectors, threshold), flush=True)
    print(mined(clustered(made), THRESHOLDS[-1], compared=False), flush=True)
    print(f"\nof its margin a cheap product used at most {margin_used(vectors[:20_000]):.3f}")


def long_answers(count: int) -> list[str]:
    """Give at most `count` long answers; those of the demo corpus where there are no others."""
    path = SHARED / "alpaca-answers.jsonl.gz"
    if not path.exists():
        return texts("none")
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [json.loads(line)["answer"] for line in islice(file, count)]


def long_answers_file(count: int) -> Path:
    """Write the long answers as CSV."""
    path = scratch() / "long.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["id", "answer"])
        rows.writerows(enumerate(long_answers(count)))
    return path


def ingested(name: str, path: Path) -> str:
    """Ingest a file on each device, in a process each; give a row of the table."""
    cells, said = [], ""
    for device in DEVICES:
        folder = str(scratch() / "index")
        command = [sys.executable, "-m", "searchkit", "ingest", str(path), "--index", folder]
        settings = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}
        started = time.perf_counter()
        run = subprocess.run(
            [*command, "--device", device], env=settings, text=True, capture_output=True, check=True
        )
        cells.append(f"{time.perf_counter() - started:.1f} s")
        said = "; ".join(line for line in run.stderr.splitlines() if "embedding on" in line)
    return f"| {name} | " + " | ".join(cells) + f" | {said.removeprefix('searchkit: ')} |"


def long_passages(count: int) -> list[str]:
    """Give the passages of long answers."""
    encoder = load_encoder(device="cpu")
    answers = long_answers(count)
    cut = split_passages(answers, encoder.tokenizer, encoder.window)
    return [
        answer[passage.start : passage.end]
        for answer, passages in zip(answers, cut, strict=True)
        for passage in passages
    ]


def embedding(long: Sequence[str]) -> Floats:
    """Print how fast texts are embedded; give the vectors of the long ones."""
    print("| texts | CPU, texts/s | GPU, first pass | "
          + " | ".join(f"GPU, sentence-transformers, {batch} at a time" for batch in BATCHES)
          + " | " + " | ".join(f"GPU, searchkit, {tokens:,} tokens at a time" for tokens in TOKENS)
          + " | least cosine |\n|---|" + "---:|" * (3 + len(BATCHES) + len(TOKENS)))  # fmt: skip
    cpu = load_encoder(device="cpu")
    gpu = load_gpu_encoder(cpu, find_model(), "cuda")
    assert isinstance(gpu, GpuEncoder)
    theirs = gpu._model
    vectors = np.empty((0, cpu.dimension), np.float32)
    for name, some in (("short", texts("semeval2013-train.csv")), ("long", long)):
        few = some[:: max(1, len(some) // 2000)]
        slow, wanted = timed(cpu.encode, few)
        cells = [f"{len(few) / slow:,.0f}", f"{len(some) / timed(gpu.encode, some)[0]:,.0f}"]
        for batch in BATCHES:
            run = partial(theirs.encode_document, batch_size=batch, show_progress_bar=False)
            run(few)  # that all shapes were seen
            cells.append(f"{len(some) / timed(run, some)[0]:,.0f}")
        for tokens in TOKENS:
            gpu.batch_tokens = tokens
            gpu.encode(few)
            seconds, vectors = timed(gpu.encode, some)
            cells.append(f"{len(some) / seconds:,.0f}")
        least = float((gpu.encode(few) * wanted).sum(1).min())
        print(f"| {len(some):,} {name} | " + " | ".join(cells) + f" | {least:.5f} |", flush=True)
    return vectors


def timed(encode: Callable[[Sequence[str]], Floats], some: Sequence[str]) -> tuple[float, Floats]:
    """Give seconds, and the vectors."""
    started = time.perf_counter()
    vectors = encode(some)
    return time.perf_counter() - started, vectors


def clustered(count: int, dimension: int = 384, each: int = 10) -> Floats:
    """Make unit vectors, some ten around each of random centres."""
    rng = np.random.default_rng(0)
    rows = np.empty((count, dimension), np.float32)
    for at in range(0, count, 100_000):
        part = rows[at : at + 100_000]
        centres = rng.standard_normal((-(-len(part) // each), dimension), np.float32)
        noise = rng.standard_normal(part.shape, np.float32)
        part[:] = np.repeat(centres, each, axis=0)[: len(part)] + 0.33 * noise
        part /= np.linalg.norm(part, axis=1, keepdims=True)
    return rows


def mined(rows: Floats, threshold: float, *, compared: bool = True) -> str:
    """Give a row of the table."""
    mine(rows[:2000], threshold, GPU)
    on_gpu, found = seconds_of(lambda: mine(rows, threshold, GPU))
    cells = [f"{len(rows):,}", f"{threshold}", f"{len(found):,}"]
    if compared:
        kind = exact.fast_precision_here()
        mine(rows[:2000], threshold, kind)
        on_cpu, wanted = seconds_of(lambda: mine(rows, threshold, kind))
        a, b = (key[np.argsort(key)] for key in (keys(found), keys(wanted)))
        same = len(a) == len(b) and bool((a == b).all())
        by_pair = [p.scores[np.argsort(keys(p))] for p in (found, wanted)]
        gap = f"{np.abs(by_pair[0] - by_pair[1]).max():.1e}" if same else ""
        cells += [f"{on_cpu:.2f} s ({kind and kind[1]})", f"{on_gpu:.2f} s",
                  "yes" if same else "no", gap]  # fmt: skip
    else:
        cells += ["", f"{on_gpu:.2f} s", "", ""]
    usual = products_module.GPU_BLOCK_TILES
    for span in SPANS:
        products_module.GPU_BLOCK_TILES = span
        cells.append(f"{seconds_of(lambda: mine(rows, threshold, GPU))[0]:.2f} s")
    products_module.GPU_BLOCK_TILES = usual
    return "| " + " | ".join(cells) + " |"


def keys(pairs: RowPairs) -> NDArray[np.int64]:
    """Give one number for each pair."""
    return pairs.left << 32 | pairs.right


def seconds_of(run: Callable[[], RowPairs]) -> tuple[float, RowPairs]:
    """Run, and say how long it took."""
    torch.cuda.synchronize()
    started = time.perf_counter()
    found = run()
    return time.perf_counter() - started, found


def mine(rows: Floats, threshold: float, kind: Precision) -> RowPairs:
    """Mine in the kind that is told, from vectors in memory to pairs in no order."""
    tiling = Tiling.of(len(rows), None, None)
    products = products_of(rows, kind, bounds_of(rows, kind))
    miner = TileMiner(tiling, rows, products, threshold - HALF_MILLIONTH)
    blocks = [p for tile in range(len(tiling.cuts) - 1) for p in miner.tile_pairs(tile)]
    return row_pairs.concatenate_pairs(blocks)


def margin_used(rows: Floats) -> float:
    """Give the greatest error of a rounded product, as a share of what is allowed for."""
    rounded = torch.from_numpy(rows).cuda().half()
    wide = torch.from_numpy(rows).cuda().double()
    bounds = bounds_of(rows, GPU)
    summing = 2 * rows.shape[1] * 2.0**-23 * bounds.norm**2
    allowed = 1.001 * 2 * bounds.norm * bounds.rounding + summing
    worst = 0.0
    for start, stop in pairwise([*range(0, len(rows), 2000), len(rows)]):
        cheap = torch.mm(rounded[start:stop], rounded.T, out_dtype=torch.float32)
        worst = max(worst, float((cheap.double() - wide[start:stop] @ wide.T).abs().max()))
    return worst / allowed


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
