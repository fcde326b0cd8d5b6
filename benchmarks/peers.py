"""The same jobs with other tools: `make bench-peers`, or `python benchmarks/peers.py [TEXTS]`.

The tools run in environments of their own (`.bench/peers`), with the same model, on the same texts,
offline. Their programs are in `benchmarks/peers/`. Every job is a process of its own, timed from
start to exit, but for the warm queries, which are timed inside it.
"""

from __future__ import annotations

import csv
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from machine import DEMO, ROOT, bundled_model, corpus, heading, scratch

PROGRAMS = Path(__file__).parent / "peers"
FOLDER = ROOT / ".bench" / "peers"
COMMON = ("torch==2.13.0", "sentence-transformers==6.2.0", "faiss-cpu==1.15.1")
# Two environments, as optimum-intel needs an older transformers than txtai does.
ENVIRONMENTS = {
    "tools": (*COMMON, "fastembed==0.9.1", "llm==0.36", "llm-sentence-transformers==0.3.2",
              "semhash==0.5.0", "txtai==9.14.0", "usearch==2.26.6"),
    "openvino": (*COMMON, "datasets==5.0.0", "onnx==1.23.2", "optimum-intel[openvino]==2.2.0",
                 "transformers==5.5.4"),
}  # fmt: skip
QUERY = "the current flows because the path is closed"
QUERIES, K, COLD_RUNS = 50, 10, 3
SAME_SCORE = 1e-5
QUIET = {"HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "TOKENIZERS_PARALLELISM": "true"}


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool, and how it does the jobs.

    Attributes:
        name: As it is in the table.
        program: Its file in `benchmarks/peers`.
        search: What the table says of its search.
        environment: The environment that it runs in; "" for that of searchkit.
        model: The folder of its model in `FOLDER`; "" for the bundled one.
    """

    name: str
    program: str
    search: str
    environment: str = "tools"
    model: str = ""


SEARCHKIT = Tool("searchkit", "with_searchkit", "exact", "")
TOOLS = (
    Tool("sentence-transformers 6.2.0, FAISS", "with_sentence_transformers", "exact"),
    Tool("the same, usearch 2.26.6", "with_usearch", "exact"),
    Tool("sentence-transformers, its OpenVINO, FAISS", "with_openvino", "exact", "openvino",
         "models/openvino"),
    Tool("sentence-transformers, its OpenVINO int8, FAISS", "with_openvino_int8", "exact",
         "openvino", "models/openvino"),
    Tool("fastembed 0.9.1, FAISS", "with_fastembed", "exact", model="models/fastembed"),
    Tool("txtai 9.14.0", "with_txtai", "FAISS, approximate above 5,000 by default"),
    Tool("llm 0.36", "with_llm", "exact, in Python"),
)  # fmt: skip
SEMHASH = Tool("semhash 0.5.0", "with_semhash", "removes near-duplicates; keeps no index")
COLUMNS = ("index", "cold query", "on disk", "warm query p50", "recall@10")


def main(count: int) -> None:
    """Print the table."""
    for name, pins in ENVIRONMENTS.items():
        make_environment(FOLDER / name, pins)
    make_models()
    folder = scratch()
    texts, queries = folder / "texts.csv", folder / "queries.json"
    ids = write_texts(texts, queries, count)
    print(f"{heading()}; {count:,} answers\n")
    print(f"| tool | {' | '.join(COLUMNS)} | search |\n|---|{'---:|' * len(COLUMNS)}---|")
    scores = exact_scores(texts, queries, folder / "scores.npy")
    best = print_row(SEARCHKIT, measured(SEARCHKIT, folder, ids, scores))
    for tool in TOOLS:
        print_row(tool, measured(tool, folder, ids, scores), best)
    alone = {"index": wall(command(SEMHASH, "index", folder))}
    print_row(SEMHASH, alone, best)
    print("\nBold: ahead of searchkit.")
    shutil.rmtree(folder)


# -- what is made once -----------------------------------------------------------------------------


def make_environment(folder: Path, pins: Sequence[str]) -> None:
    """Make an environment, if it isn't there with these packages."""
    python, stamp = folder / "bin" / "python", folder / "pins.json"
    if stamp.exists() and json.loads(stamp.read_text()) == list(pins):
        return
    base = os.environ.get("PYTHON", sys.executable)
    subprocess.run([base, "-m", "venv", "--clear", str(folder)], check=True)
    pip = [str(python), "-m", "pip", "--disable-pip-version-check", "--quiet"]
    subprocess.run([*pip, "install", *pins], check=True)
    # optimum-intel brings it for other models; beside a torch without CUDA its import fails.
    subprocess.run([*pip, "uninstall", "--yes", "torchvision"], check=True)
    stamp.write_text(json.dumps(pins))


def make_models() -> None:
    """Make the bundled model's other formats, if they aren't there; calibrated on demo answers."""
    models = FOLDER / "models"
    if (models / ".ready").exists():
        return
    shutil.rmtree(models, ignore_errors=True)
    answers = models / "answers" / "answers.csv"
    answers.parent.mkdir(parents=True)
    with DEMO.open(encoding="utf-8", newline="") as file:
        texts = [row["answer"] for row in csv.DictReader(file) if row["answer"].strip()]
    with answers.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([text] for text in ("answer", *texts))
    program = [str(FOLDER / "openvino" / "bin" / "python"), str(PROGRAMS / "prepare.py")]
    output([*program, str(bundled_model()), str(models), str(answers.parent)])
    (models / ".ready").touch()


def write_texts(path: Path, queries: Path, count: int) -> list[str]:
    """Write the first answers of SemEval, and other ones as queries; return the answers' ids."""
    with corpus("semeval2013-train.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["answer"].strip()]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows[:count])
    known = {row["answer"] for row in rows[:count]}
    others = list(dict.fromkeys(row["answer"] for row in rows if row["answer"] not in known))
    step = max(len(others) // QUERIES, 1)
    queries.write_text(json.dumps(others[::step][:QUERIES] or [QUERY]))
    return [row["id"] for row in rows[:count]]


def exact_scores(texts: Path, queries: Path, path: Path) -> np.ndarray:
    """Return the cosine of each query and each text, `(q, n)`, in single precision."""
    program = [str(FOLDER / "tools" / "bin" / "python"), str(PROGRAMS / "exact.py")]
    output([*program, str(texts), str(bundled_model()), str(queries), str(path)])
    return np.load(path)


# -- measuring -------------------------------------------------------------------------------------


def measured(
    tool: Tool, folder: Path, ids: Sequence[str], scores: np.ndarray
) -> dict[str, float] | str:
    """Run a tool's jobs; return its figures, or why it failed."""
    (folder / tool.program).mkdir()
    try:
        seconds = wall(command(tool, "index", folder))
        cold = statistics.median(
            wall(command(tool, "query", folder, QUERY)) for _ in range(COLD_RUNS)
        )
        queries = str(folder / "queries.json")
        warm = json.loads(output(command(tool, "warm", folder, queries)).splitlines()[-1])
    except subprocess.CalledProcessError as error:
        return f"failed: {error.stderr.strip().splitlines()[-1][:120]}"
    files = (folder / tool.program).rglob("*")
    return {
        "index": seconds,
        "cold query": cold,
        "on disk": sum(path.stat().st_size for path in files if path.is_file()) / 1e6,
        "warm query p50": warm["p50"] * 1000,
        "recall@10": recall(warm["found"], ids, scores),
    }


def command(tool: Tool, job: str, folder: Path, *rest: str) -> list[str]:
    """Return the command of a tool's job."""
    store, texts = str(folder / tool.program / "store"), str(folder / "texts.csv")
    searchkit = str(Path(sys.executable).with_name("searchkit"))
    if tool is SEARCHKIT and job == "index":
        return [searchkit, "ingest", texts, "-q", "-i", store]
    if tool is SEARCHKIT and job == "query":
        return [searchkit, "query", *rest, "-i", store]
    python = FOLDER / tool.environment / "bin" / "python" if tool.environment else sys.executable
    model = str(FOLDER / tool.model if tool.model else bundled_model())
    return [str(python), str(PROGRAMS / f"{tool.program}.py"), job, texts, model, store, *rest]


def recall(found: Sequence[Sequence[str]], ids: Sequence[str], scores: np.ndarray) -> float:
    """Return the share of hits whose exact score is at least that of the last true hit."""
    row_of = {id_: row for row, id_ in enumerate(ids)}
    shares = []
    for hits, exact in zip(found, scores, strict=True):
        last = np.sort(exact)[-K] - SAME_SCORE
        shares.append(sum(exact[row_of[id_]] >= last for id_ in hits) / K)
    return float(np.mean(shares))


def wall(command: Sequence[str]) -> float:
    """Run a command to its end; return its seconds."""
    started = time.perf_counter()
    output(command)
    return time.perf_counter() - started


def output(command: Sequence[str]) -> str:
    """Run a command offline; return what it prints."""
    environment = {**os.environ, **QUIET}
    return subprocess.run(
        command, check=True, capture_output=True, text=True, env=environment
    ).stdout


# -- printing --------------------------------------------------------------------------------------

FORMATS = ("{:.1f} s", "{:.2f} s", "{:.1f} MB", "{:.1f} ms", "{:.3f}")


def print_row(
    tool: Tool, figures: dict[str, float] | str, best: dict[str, float] | None = None
) -> dict[str, float]:
    """Print a row, with the figures bold that are ahead of `best`; return them."""
    if isinstance(figures, str):
        print(f"| {tool.name} |{' |' * len(COLUMNS)} {figures} |", flush=True)
        return {}
    cells = []
    for column, form in zip(COLUMNS, FORMATS, strict=True):
        cell = form.format(figures[column]) if column in figures else "none"
        cells.append(f"**{cell}**" if is_ahead(figures, best or {}, column) else cell)
    print(f"| {tool.name} | {' | '.join(cells)} | {tool.search} |", flush=True)
    return figures


def is_ahead(figures: dict[str, float], best: dict[str, float], column: str) -> bool:
    """Whether a tool's figure is better than searchkit's."""
    if column not in figures or column not in best:
        return False
    sign = -1 if column == "recall@10" else 1
    return sign * figures[column] < sign * best[column]


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 4_039)
