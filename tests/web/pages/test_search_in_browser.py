"""Searching in a real browser: what is marked, cut, filtered and browsed; with axe, on a phone."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from helpers.browsing import (
    Open,
    browser,
    held,
    ingested,
    serving,
    settle,
    text_of,
    visit,
    width_over,
)
from playwright.sync_api import expect

pytestmark = [pytest.mark.model, pytest.mark.slow]
__all__ = ["browser", "visit"]
FILLER = " ".join(f"Line {n} says something about the weather in town." for n in range(40))
ROWS = [
    ("a1", "q1", "Ann", "A", f"{FILLER} A thread waits for the disk. {FILLER}"),
    ("a2", "q2", "Ann", "A", "Streams read data piece by piece. So memory stays small."),
    ("b1", "q1", "Bob", "B", "So:\n\n```js\nconst wait = 1\nrun(wait)\n```\n\nThe loop waits."),
    ("b2", "q2", "Bob", "B", "Bread is baked in an oven. It takes an hour."),
]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("search")
    with (folder / "answers.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerows([("id", "question", "author", "section", "text"), *ROWS])
    with serving(ingested(folder, folder / "answers.csv")) as server:
        yield server.address


def test_a_long_answer_is_cut_around_its_best_sentence_and_can_be_opened(
    address: str, visit: Open
) -> None:
    page = visit(f"{address}/search?q=a+thread+waits+for+the+disk")
    hit = page.locator("article.hit", has=page.get_by_role("link", name="a1"))
    expect(hit.locator(".excerpt mark.hit")).to_have_text("A thread waits for the disk.")
    assert "Line 0 " not in text_of(hit.locator(".excerpt")).split("A thread")[0]
    hit.get_by_text("The whole answer").click()
    expect(hit.locator(".excerpt")).not_to_be_visible()
    expect(hit.locator(".whole .answer")).to_contain_text("Line 0 says")


def test_answers_are_browsed_by_filters_without_words(address: str, visit: Open) -> None:
    page = visit(f"{address}/search")
    page.fill("#field-column", "SECTION: b")
    expect(page.locator(".hit strong")).to_have_text(["b1", "b2"])
    expect(page.locator("#summary")).to_have_text("2 answers")
    page.reload()
    expect(page.locator(".hit strong")).to_have_text(["b1", "b2"])
    page.fill("#field-question", "Q1")
    expect(page.locator(".hit strong")).to_have_text(["b1"])
    family = page.locator(".hit code").evaluate("one => getComputedStyle(one).fontFamily")
    assert "monospace" in family
    assert page.locator(".hit code").text_content() == "const wait = 1\nrun(wait)\n"
    page.get_by_role("link", name="Bob").click()
    expect(page.locator("h1")).to_have_text("Bob")
    expect(page.locator(".hit strong")).to_have_text(["b1", "b2"])


def test_far_answers_stand_below_a_line(address: str, visit: Open) -> None:
    page = visit(f"{address}/search?q=bread+from+the+oven")
    expect(page.locator("article.hit")).to_have_count(4)
    expect(page.locator("#not-close")).to_contain_text("something unrelated")
    expect(page.locator("#not-close ~ ol strong").first).not_to_have_text("b2")


def test_hits_are_pale_until_those_of_the_last_words_come(address: str, visit: Open) -> None:
    page = visit(f"{address}/search?q=disk")
    hits = page.locator("#hits")
    with held(page, "**/hits?*"):
        with page.expect_request("**/hits?*q=oven*"):
            page.fill("#field-q", "oven")
        with page.expect_request("**/hits?*q=streams*"):
            page.fill("#field-q", "streams")
        page.wait_for_timeout(100)
        expect(hits).to_have_attribute("aria-busy", "true")
    expect(page).to_have_url(re.compile("q=streams"))
    expect(hits).not_to_have_attribute("aria-busy", "true")


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_are_accessible(scheme: str, width: int, address: str, visit: Open) -> None:
    page = visit(
        address, bypass_csp=True, color_scheme=scheme, viewport={"width": width, "height": 800}
    )
    for path in (
        "/",
        "/search?q=thread",
        "/search?q=bread&mode=hybrid",
        "/search?question=q1",
        "/author?name=Bob",
    ):
        page.goto(address + path)
        settle(page)
        page.locator("details").evaluate_all("all => all.forEach(one => { one.open = true; })")
        found = Axe().run(page, options={"resultTypes": ["violations"]})
        assert not found.response["violations"], f"{path}: {found.generate_report()}"
        assert width_over(page) == 0, path
