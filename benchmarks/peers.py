"""The same jobs with other tools: `make bench-peers`, or `python benchmarks/peers.py [TEXTS]`.

Each tool runs in an environment of its own (`.bench/peers`), with the same model from the same
folder, on the same texts, offline. Every job is a process of its own, timed from start to exit.
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
from pathlib import Path

from machine import ROOT, bundled_model, corpus, heading, scratch

HERE = Path(__file__).parent
ENVIRONMENT = ROOT / ".bench" / "peers"
PINS = ("torch==2.13.0", "txtai==9.14.0", "llm==0.36", "llm-sentence-transformers==0.3.2",
        "semhash==0.5.0", "sentence-transformers==6.2.0")  # fmt: skip
QUERY = "the current flows because the path is closed"

TXTAI_INDEX = """
import csv, sys
from txtai import Embeddings
rows = list(csv.DictReader(open(sys.argv[1], encoding="utf-8")))
index = Embeddings(path=sys.argv[2], content=True)
index.index((row["id"], {"text": row["answer"], "question": row["question"]}) for row in rows)
index.save(sys.argv[3])
"""
TXTAI_QUERY = """
import sys
from txtai import Embeddings
index = Embeddings()
index.load(sys.argv[3])
print(index.search(sys.argv[4], 5))
"""
# llm takes a model by its name in a file of its own; that the name is a folder keeps it offline.
LLM_INDEX = """
import csv, json, os, subprocess, sys
user = sys.argv[3]
os.makedirs(user)
json.dump([{"name": sys.argv[2], "trust_remote_code": False}],
          open(os.path.join(user, "sentence-transformers.json"), "w"))
os.environ["LLM_USER_PATH"] = user
import llm, sqlite_utils
rows = csv.DictReader(open(sys.argv[1], encoding="utf-8"))
db = sqlite_utils.Database(os.path.join(user, "embeddings.db"))
collection = llm.Collection("answers", db, model_id="sentence-transformers/" + sys.argv[2])
collection.embed_multi(((row["id"], row["answer"]) for row in rows), store=True)
"""
LLM_QUERY = """
import os, sys
os.environ["LLM_USER_PATH"] = sys.argv[3]
import llm, sqlite_utils
db = sqlite_utils.Database(os.path.join(sys.argv[3], "embeddings.db"))
print(llm.Collection("answers", db).similar(sys.argv[4], number=5))
"""
SEMHASH = """
import csv, sys
from semhash import SemHash
from sentence_transformers import SentenceTransformer
texts = [row["answer"] for row in csv.DictReader(open(sys.argv[1], encoding="utf-8"))]
found = SemHash.from_records(texts, model=SentenceTransformer(sys.argv[2])).self_deduplicate()
print(len(texts), len(found.selected))
"""


def main(count: int) -> None:
    """Print the table."""
    python, folder, model = environment(), scratch(), str(bundled_model())
    texts = first_texts(folder / "texts.csv", count)
    searchkit = str(Path(sys.executable).with_name("searchkit"))
    plain = [sys.executable, str(HERE / "plain_ingest.py"), str(texts), f"{folder}/plain", model]
    asking = [sys.executable, str(HERE / "plain_query.py"), f"{folder}/plain", QUERY, model]
    print(f"{heading()}; {count:,} answers\n")
    print("| tool | index | cold query | on disk | search |\n|---|---:|---:|---:|---|")
    ingest = [searchkit, "ingest", str(texts), "-q", "-i", f"{folder}/searchkit"]
    report("searchkit", folder / "searchkit", ingest,
           [searchkit, "query", QUERY, "-i", f"{folder}/searchkit"], "exact")  # fmt: skip
    report("plain script", folder / "plain*", plain, asking, "exact")
    for name, index, query, remark in (
        ("txtai 9.14.0", TXTAI_INDEX, TXTAI_QUERY, "FAISS, approximate above 5,000 by default"),
        ("llm 0.36", LLM_INDEX, LLM_QUERY, "exact, in Python"),
    ):
        store = folder / name.split()[0]
        arguments = [str(texts), model, str(store)]
        report(name, store, [python, "-c", index, *arguments],
               [python, "-c", query, *arguments, QUERY], remark)  # fmt: skip
    alone = wall([python, "-c", SEMHASH, str(texts), model])
    row(
        "semhash 0.5.0", f"{alone:.1f} s", "none", "none", "removes near-duplicates; keeps no index"
    )
    shutil.rmtree(folder)


def environment() -> str:
    """Make the peers' environment, once; give its Python."""
    python, stamp = ENVIRONMENT / "bin" / "python", ENVIRONMENT / "pins.json"
    if not stamp.exists() or json.loads(stamp.read_text()) != list(PINS):
        base = os.environ.get("PYTHON", sys.executable)
        subprocess.run([base, "-m", "venv", "--clear", str(ENVIRONMENT)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", *PINS], check=True)
        stamp.write_text(json.dumps(PINS))
    return str(python)


def first_texts(path: Path, count: int) -> Path:
    """Write the first answers of SemEval, as a file that every tool reads."""
    with corpus("semeval2013-train.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for _, row in zip(range(count), csv.DictReader(file), strict=False)]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    return path


def report(
    name: str, store: Path, index: Sequence[str], query: Sequence[str], remark: str
) -> None:  # fmt: skip
    """Run a tool's two jobs and print its row; a tool that fails says why."""
    try:
        seconds = wall(index)
        cold = statistics.median(wall(query) for _ in range(3))
    except subprocess.CalledProcessError as error:
        row(name, "failed", "", "", error.stderr.strip().splitlines()[-1][:120])
        return
    files = [path for top in store.parent.glob(store.name) for path in (top, *top.rglob("*"))]
    size = sum(path.stat().st_size for path in files if path.is_file()) / 1e6
    row(name, f"{seconds:.1f} s", f"{cold:.2f} s", f"{size:.1f} MB", remark)


def wall(command: Sequence[str]) -> float:
    """Run a command offline to its end; give its seconds."""
    quiet = {
        "HF_HUB_OFFLINE": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "TOKENIZERS_PARALLELISM": "true",
    }
    started = time.perf_counter()
    subprocess.run(
        command, check=True, capture_output=True, text=True, env={**os.environ, **quiet}
    )  # fmt: skip
    return time.perf_counter() - started


def row(*cells: object) -> None:
    """Print one row of a Markdown table."""
    print("| " + " | ".join(str(cell) for cell in cells) + " |", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 4_039)
