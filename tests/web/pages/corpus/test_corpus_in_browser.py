"""The start page and the list of questions in a real browser: sorted, filled in, on a phone."""

from __future__ import annotations

import csv
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from helpers.browsing import Open, browser, ingested, serving, settle, visit, width_over
from playwright.sync_api import Locator, Page, Route, expect

pytestmark = [pytest.mark.model, pytest.mark.slow]
__all__ = ["browser", "visit"]
TEXTS = [
    "The event loop runs callbacks when the stack is empty and nothing else waits for it.",
    "The event loop runs callbacks when the stack is empty and nothing else waits for it.",
    "Middleware is a function with request, response and next that ends or passes on.",
    "Streams read data piece by piece, so that memory stays small.",
]
SIZES = {"q2": 3, "q10": 4}
HEADS = "answers authors graded findings".split()


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("corpus")
    with (folder / "answers.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("id", "question", "author", "text", "prompt", "mark"))
        for question, size in SIZES.items():
            prompt = f"What is {question} about? Write a sentence or two of your own."
            for n in range(size):
                mark = "1" if question == "q2" and n < 2 else ""
                writer.writerow((f"{question}-{n}", question, f"s{n}", TEXTS[n], prompt, mark))
    with serving(ingested(folder, folder / "answers.csv")) as server:
        yield server.address


def questions(page: Page) -> Locator:
    return page.locator("tbody th > a")


def test_the_start_page_leads_on(address: str, visit: Open) -> None:
    page = visit(address)
    settle(page)  # it is filled in by itself
    expect(page.locator(".steps h3").first).to_have_text("Review 2 findings")
    expect(page.locator(".steps h3").nth(1)).to_have_text("Grade q2")
    page.get_by_role("link", name="What is q10 about?").click()
    expect(page).to_have_url(f"{address}/search?q=What+is+q10+about%3F")
    expect(page.locator("article.hit").first).to_be_visible()
    page.get_by_role("link", name="Start").click()
    page.get_by_role("searchbox").fill("memory")
    page.keyboard.press("Enter")
    expect(page.locator("#field-q")).to_have_value("memory")
    expect(page.locator("article.hit").first).to_be_visible()


def test_questions_are_sorted_by_mouse_and_keyboard(address: str, visit: Open) -> None:
    page = visit(f"{address}/questions")
    settle(page)
    expect(questions(page)).to_have_text(["q2", "q10"])
    page.evaluate("window.same = true")
    page.get_by_role("link", name="answers").click()
    expect(page.locator("[aria-sort=descending]")).to_have_text("answers ↓")
    expect(questions(page)).to_have_text(["q10", "q2"])
    expect(page.get_by_role("link", name="answers")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("[aria-sort=ascending]")).to_have_text("answers ↑")
    expect(page).to_have_url(f"{address}/questions?sort=answers&order=up")
    assert page.evaluate("window.same")  # the page wasn't loaded anew
    page.go_back()
    expect(page.locator("[aria-sort=descending]")).to_have_text("answers ↓")
    page.reload()
    expect(questions(page)).to_have_text(["q10", "q2"])
    page.get_by_role("link", name="Grade q2: 2 of 3 graded").click()
    expect(page).to_have_url(f"{address}/grade?question=q2")


def test_questions_are_sorted_without_scripts(address: str, visit: Open) -> None:
    page = visit(f"{address}/questions", java_script_enabled=False)
    page.get_by_role("link", name="authors").click()
    expect(questions(page)).to_have_text(["q10", "q2"])


def test_a_server_that_is_gone_is_told(address: str, visit: Open) -> None:
    page = visit(f"{address}/questions", allowed="Failed to load resource")
    settle(page)

    def abort(route: Route) -> None:
        route.abort()

    page.route("**/questions?*", abort)
    page.get_by_role("link", name="authors").click()
    expect(page.locator(".toast.bad")).to_contain_text("The server doesn’t answer")
    expect(questions(page)).to_have_text(["q2", "q10"])


def test_on_a_phone_questions_are_cards(address: str, visit: Open) -> None:
    page = visit(f"{address}/questions", viewport={"width": 390, "height": 844})
    settle(page)
    assert width_over(page) == 0
    box = page.locator("tbody tr").first.bounding_box()
    assert box and box["width"] > 330 and box["height"] > 100
    for head in HEADS:
        expect(page.locator(f"[data-sort={head}]")).to_be_visible()
    expect(page.get_by_role("cell")).to_have_count(8)  # still a table for a screen reader
    expect(page.get_by_role("columnheader")).to_have_count(5)


@pytest.mark.parametrize("width", [1920, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_are_accessible(scheme: str, width: int, address: str, visit: Open) -> None:
    page = visit(
        address, bypass_csp=True, color_scheme=scheme, viewport={"width": width, "height": 800}
    )
    for path in ("/", "/questions", "/questions?sort=graded"):
        page.goto(address + path)
        settle(page)
        found = Axe().run(page, options={"resultTypes": ["violations"]})
        assert not found.response["violations"], f"{path}: {found.generate_report()}"
        assert width_over(page) == 0, path
