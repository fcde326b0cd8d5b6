"""How soon pages are there: `python benchmarks/bench_pages.py [--keep FOLDER] [--write]`.

A server in a process of its own, and a browser. Every page is opened right after the start, while
the server looks for copies; and when it has found them and each page was opened once more, three
times, of which the median by first paint is shown. At the demo corpus, and at the 9,250 answers of
SemEval-2013 (../shared/data).

`--keep` makes the indexes in a folder and takes those that are there; `--write` puts the tables
into docs/figures/pages.md.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from bench_serve import serving, wait_for_findings
from machine import DEMO, ROOT, SHARED, heading, scratch
from playwright.sync_api import BrowserContext, sync_playwright

from searchkit import Index
from searchkit.index.ingest import ingest
from searchkit.sources.reader import read_answers

FIGURES = ROOT / "docs" / "figures" / "pages.md"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
CORPORA = {"the demo corpus": DEMO, "SemEval-2013": SHARED / "semeval2013-train.csv"}
MAX_PAINT, MAX_LOAD = 300, 500  # milliseconds, of a warm page
TIMES = """() => {
  const navigation = performance.getEntriesByType("navigation")[0];
  const paint = performance.getEntriesByName("first-contentful-paint")[0];
  return [navigation.responseStart, paint ? paint.startTime : null, navigation.loadEventEnd];
}"""


ROUNDS = 3  # visits of each page when all is computed; the median by first paint is shown


@dataclass
class Visit:
    """How long a page took, in milliseconds: until its first byte, its first paint, and all of it.

    `cpu` is the server's computing time meanwhile.
    """

    first_byte: float
    paint: float
    load: float
    cpu: float = 0.0


def made(name: str, keep: Path | None) -> Path:
    """Return an index of a corpus, without anything computed of it."""
    folder = (keep or scratch()) / name.replace(" ", "-")
    if not folder.exists():
        with Index.create(folder) as index:
            ingest(index, read_answers([CORPORA[name]]))
    for left in folder.glob("cache.db*"):
        left.unlink()
    return folder


def pages(folder: Path) -> dict[str, str]:
    """Return the addresses of all pages, under what the table calls them."""
    with Index.open(folder) as index:
        rows = [row for row in index.by_question() if row["question"]]
        large = max(rows, key=lambda row: row["answers"])["question"]
        long = [answer for answer in index.answers() if len(answer.text.split()) >= 12]
    counts: dict[str, list[str]] = {row["question"]: [] for row in rows}
    for answer in long:
        if answer.question and not answer.is_reference:
            counts[answer.question].append(answer.id)
    few = min((ids for ids in counts.values() if len(ids) >= 2), key=len)
    many = counts[large]
    writers = [answer for answer in long if answer.author and not answer.is_reference]
    author = writers[0].author if writers else ""

    def at(path: str, **query: str | None) -> str:
        return f"{path}?{urlencode({name: text or '' for name, text in query.items()})}"

    return {
        "start": "/",
        "search, empty": "/search",
        "search by meaning": at("/search", q=long[0].text[:60]),
        "search by words": at("/search", q=long[0].text[:60], mode="lexical"),
        "questions": "/questions",
        "a question": at("/question", name=large),
        "review": "/review",
        "groups of students": "/groups",
        "compare, many answers": at("/compare", left=many[0], right=many[1]),
        "compare, few answers": at("/compare", left=few[0], right=few[1]),
        "an answer": at("/answer", id=many[0]),
        "an author": at("/author", name=author),
        "grading": at("/grade", question=large),
        "grading: the question (JSON)": at("/api/grading", question=large),
        "grading: suggestions (JSON)": at("/api/grading/suggestions", question=large),
        "upload": "/upload",
        "REST": "/docs",
    }


@contextmanager
def browsing() -> Iterator[BrowserContext]:
    """Start a browser."""
    names = ("chromium", "chromium-browser", "google-chrome")
    chromium = next(filter(None, map(shutil.which, names)), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser.new_context(viewport={"width": 1280, "height": 900})
        browser.close()


def cpu_seconds(process: int) -> float:
    """Return the computing time of a process so far."""
    fields = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def visit(context: BrowserContext, address: str, process: int) -> Visit:
    """Open a page, or what is shown while it is computed."""
    before = cpu_seconds(process)
    page = context.new_page()
    try:
        page.goto(address, timeout=120_000)
        page.wait_for_function("performance.timing.loadEventEnd > 0")
        byte, paint, load = page.evaluate(TIMES)
    finally:
        page.close()
    cpu = 1000 * (cpu_seconds(process) - before)
    return Visit(byte, load if paint is None else paint, load, cpu)


def measured(folder: Path) -> str:
    """Return a table of all pages of an index."""
    with Index.open(folder) as index:
        count = len(list(index.ids()))
    started = time.monotonic()
    process, port = serving(folder)
    base = f"http://127.0.0.1:{port}"
    begun = time.monotonic() - started
    lines = [
        "| page | at the start: first byte | first paint | load | then: first byte "
        "| first paint | load | computing |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    slow = []
    try:
        with browsing() as context:
            addresses = pages(folder)
            cold = {name: visit(context, base + at, process.pid) for name, at in addresses.items()}
            waited = wait_for_findings(port)
            for at in addresses.values():
                visit(context, base + at, process.pid)
            rounds = [
                {name: visit(context, base + at, process.pid) for name, at in addresses.items()}
                for _ in range(ROUNDS)
            ]
            for name in addresses:
                visits = sorted((one[name] for one in rounds), key=lambda one: one.paint)
                warm = visits[ROUNDS // 2]
                cells = [cold[name].first_byte, cold[name].paint, cold[name].load]
                cells += [warm.first_byte, warm.paint, warm.load, warm.cpu]
                lines.append(
                    f"| {name} | " + " | ".join(f"{cell:,.0f} ms" for cell in cells) + " |"
                )
                print(lines[-1], flush=True)
                if warm.paint > MAX_PAINT or warm.load > MAX_LOAD:
                    slow.append(name)
    finally:
        process.terminate()
        process.wait()
    over = ", ".join(slow) or "none"
    lines.append(
        f"\n{count:,} answers; the server answers {begun:.1f} s after its start, and all findings "
        f"were there {waited:.0f} s after the first column. Pages over {MAX_PAINT} ms to the first "
        f"paint or {MAX_LOAD} ms in all then: {over}."
    )
    print(lines[-1], flush=True)
    return "\n".join(lines)


def main() -> None:
    """Print the tables, and write them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    text = f"{heading()}, load {os.getloadavg()[0]:.1f}.\n"
    print(text)
    for name, path in CORPORA.items():
        print(f"## {name}\n", flush=True)
        if path.exists():
            text += f"\n## {name}\n\n{measured(made(name, options.keep))}\n"
        else:
            text += f"\n## {name}\n\n{path} isn't there.\n"
            print(f"{path} isn't there; skipped", flush=True)
    if options.write:
        page = FIGURES.read_text("utf-8")
        pattern = re.escape(BEGIN) + ".*?" + re.escape(END)
        new = f"{BEGIN}\n{text}\n{END}"
        FIGURES.write_text(re.sub(pattern, lambda _: new, page, flags=re.DOTALL), "utf-8")


if __name__ == "__main__":
    main()
