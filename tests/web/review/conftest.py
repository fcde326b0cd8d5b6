"""What tests of the review in a browser share: a corpus, and a server without decisions."""

from __future__ import annotations

import csv
import shutil
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers.browsing import ROOT, ingested, judged, serving
from helpers.reviewing import decisions, get

DEMO = ROOT / "searchkit" / "demo" / "answers.csv"


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("review")
    with DEMO.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["question"] <= "q05"]
    with (folder / "answers.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
        writer.writerow(rows[0] | {"id": "alone", "question": "q99"})
    return judged(ingested(folder, folder / "answers.csv"))


@pytest.fixture(scope="module")
def running(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(shutil.copytree(corpus, tmp_path_factory.mktemp("running") / "index")) as server:
        get(server.address, "/api/findings?wait=60")
        yield server.address


@pytest.fixture
def address(running: str) -> str:
    """Return the address of the server, after undoing all decisions."""
    while decisions(running):
        ask = urllib.request.Request(
            f"{running}/api/decisions", method="DELETE", headers={"origin": running}
        )
        urllib.request.urlopen(ask).close()
    return running
