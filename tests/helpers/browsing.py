"""A real server and a real browser, for the tests and for the screenshots in docs/images."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect, sync_playwright

from helpers.files import ROOT
from helpers.remembering import MEMORY

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip

TIMEOUT = 30  # seconds until a page has to show what is expected, on a busy machine
expect.set_options(timeout=TIMEOUT * 1000)

Open = Callable[..., Page]


def searchkit(*arguments: str | Path) -> str:
    """Run a command of searchkit and return its output; in tests, with the run's vectors."""
    memory = os.environ.get(MEMORY)
    program = ["helpers.remembering", memory] if memory else ["searchkit"]
    process = subprocess.run(
        [sys.executable, "-m", *program, *map(str, arguments)],
        capture_output=True,
        text=True,
        env=dict(os.environ, OMP_NUM_THREADS="1", PYTHONPATH=f"{ROOT}{os.pathsep}{ROOT / 'tests'}"),
    )
    assert process.returncode == 0, process.stderr
    return process.stdout


class Server:
    """`searchkit serve` in a process of its own."""

    def __init__(self, index: Path) -> None:
        command = [sys.executable, "-m", "searchkit", "serve", "--port", "0", "--no-open", "-i"]
        self.process = subprocess.Popen(
            [*command, str(index)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
            env=dict(os.environ, OMP_NUM_THREADS="1", PYTHONPATH=str(ROOT)),
        )  # fmt: skip
        assert self.process.stderr
        output = []
        for line in self.process.stderr:
            output.append(line)
            if " at http" in line:
                self.address = line.split(" at ")[-1].split(";")[0].rstrip("/")
                self._wait_until_it_listens()
                return
        raise AssertionError(f"no server: {''.join(output)}")

    def _wait_until_it_listens(self) -> None:
        end = time.monotonic() + 60
        while time.monotonic() < end:
            try:
                urllib.request.urlopen(self.address + "/static/icon.svg", timeout=10).close()
                return
            except OSError:  # the server prints its address shortly before it accepts connections
                time.sleep(0.05)
        raise AssertionError(f"{self.address} doesn't answer")

    def stop(self, *, kill: bool = False) -> None:
        """Stop the server, gracefully by default; `kill` ends it at once."""
        assert self.process.stderr
        if self.process.poll() is None:
            self.process.kill() if kill else self.process.terminate()
        self.process.wait(20)
        self.process.stderr.close()


@contextmanager
def serving(index: Path) -> Iterator[Server]:
    """Serve an index while the context is open."""
    server = Server(index)
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start Chromium without a window."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        if os.environ.get("SEARCHKIT_BROWSER_TESTS") == "1":
            pytest.fail("SEARCHKIT_BROWSER_TESTS=1, and there is no chromium and no google-chrome")
        pytest.skip("needs chromium or google-chrome")
    with chromium() as started:
        yield started


@pytest.fixture
def visit(browser: Browser) -> Iterator[Open]:
    """Return a function that opens a page; fail if any page reports an error or a warning."""
    contexts, complaints = [], []

    def opened(address: str, *, allowed: str = "", **settings: Any) -> Page:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}} | settings)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(TIMEOUT * 1000)

        def complain(what: str) -> None:
            if not (allowed and allowed in what):
                complaints.append(f"{page.url}: {what}")

        page.on("console", lambda said: said.type in ("error", "warning") and complain(said.text))
        page.on("pageerror", lambda error: complain(str(error)))
        page.on("dialog", lambda dialog: (complain(dialog.message), dialog.dismiss()))
        page.goto(address)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not complaints, complaints


def text_of(element: Locator) -> str:
    """Return the text of an element, drawn or not, with single spaces.

    `inner_text` is empty for a row that came into a list after the last frame was drawn.
    """
    return " ".join((element.text_content() or "").split())


def texts_of(elements: Locator) -> list[str]:
    """Return the text of each element, as `text_of` does."""
    return [" ".join(text.split()) for text in elements.all_text_contents()]


def eventually(page: Page, read: Callable[[Page], object], expected: object) -> None:
    """Wait until `read` returns what is expected of a page: for values that `expect` can't express.

    Raises:
        AssertionError: with the value of the end, if that takes longer than `TIMEOUT`.
    """
    end = time.monotonic() + TIMEOUT
    while (value := read(page)) != expected and time.monotonic() < end:
        page.wait_for_timeout(50)  # in which events are handled, as they aren't in `time.sleep`
    assert value == expected


def settle(page: Page) -> None:
    """Wait until a page shows what the server computes for it, and its scripts have run."""
    for _ in range(3):  # pages that follow one computation, then another, then show both
        expect(page.locator("[data-job][data-then], #live[data-pending]")).to_have_count(
            0, timeout=180_000
        )
        page.wait_for_load_state()


@contextmanager
def held(page: Page, addresses: str) -> Iterator[None]:
    """Hold back what a page asks for at some addresses until the context is left."""
    routes: list[Route] = []
    is_held = True
    page.route(addresses, lambda route: routes.append(route) if is_held else route.continue_())
    try:
        yield
    finally:
        is_held = False  # also for what is asked for while the others go on
        for route in routes:
            route.continue_()
        page.unroute(addresses)


def switch_names(page: Page, *, hidden: bool) -> None:
    """Hide or show the names, and wait for the page that the server then returns."""
    page.get_by_role("button", name="Hide names").click()
    expect(page.locator("#names")).to_have_attribute("aria-pressed", str(hidden).lower())
    settle(page)


def ingested(folder: Path, *sources: Path) -> Path:
    searchkit("ingest", *sources, "-i", folder / "index", "--quiet")
    return folder / "index"


def judged(index: Path) -> Path:
    """Compute an index's findings, so that no server of a copy of it has to; return the index."""
    searchkit("plagiarism", "-i", index, "-o", os.devnull, "--format", "json", "--quiet")
    return index


def width_over(page: Page) -> int:
    return page.evaluate("document.documentElement.scrollWidth - innerWidth")
