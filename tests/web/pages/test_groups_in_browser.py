"""The graph of students in a real browser: slider, choosing, keyboard, phone, hidden names, axe."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from helpers.browsing import (
    ROOT,
    Open,
    browser,
    ingested,
    serving,
    settle,
    switch_names,
    text_of,
    visit,
    width_over,
)
from playwright.sync_api import Locator, Page, expect

pytestmark = [pytest.mark.model, pytest.mark.slow]
__all__ = ["browser", "visit"]
DEMO = ROOT / "searchkit" / "demo" / "answers.csv"
PHONE = {"viewport": {"width": 390, "height": 844}}
PLACES = """selector => [...document.querySelectorAll(selector)]
    .filter(one => one.checkVisibility()).map(one => one.getBoundingClientRect())
    .map(one => [one.left, one.top, one.right, one.bottom])"""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = ingested(tmp_path_factory.mktemp("groups"), DEMO)
    with serving(folder) as server:
        yield server.address


def opened(visit: Open, address: str, **settings: object) -> Page:
    page = visit(address, **settings)
    settle(page)
    expect(page.locator("h1")).to_contain_text(re.compile("Groups? of students|, "))
    return page


def student(page: Page, name: str) -> Locator:
    return page.locator(f'.node[data-student="{name}"]')


def test_the_slider_draws_what_is_strong_enough_and_the_address_keeps_it(
    address: str, visit: Open
) -> None:
    page = opened(visit, f"{address}/groups")
    lines = page.locator(".edge:not(.off)")
    every = lines.count()
    slider = page.get_by_role("slider", name="Draw findings that are this strong")
    expect(page.locator("#step")).to_contain_text(f"all findings, weak ones too: {every} pairs")
    slider.focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#step")).to_contain_text("moderate · rarer than 1 in 100:")
    page.keyboard.press("End")
    expect(page.locator("#step")).to_contain_text("rarer than 1 in 1,000,000")
    assert 0 < lines.count() < every
    expect(slider).to_have_attribute("aria-valuetext", text_of(page.locator("#step")))
    ends = {n for line in lines.all() for n in (line.get_attribute("data-ends") or "").split()}
    expect(page.locator(".node:not(.off)")).to_have_count(len(ends))
    strongest = lines.count()
    expect(page).to_have_url(re.compile(r"strength=[1-9]"))
    page = opened(visit, page.url)
    expect(page.locator("#step")).to_contain_text("1 in 1,000,000")
    expect(page.locator(".edge:not(.off)")).to_have_count(strongest)


def test_names_lie_neither_on_each_other_nor_on_students(address: str, visit: Open) -> None:
    page = opened(visit, f"{address}/groups")
    for size in ("#fit", "#larger", "#smaller"):
        page.locator(size).click()
        boxes = page.evaluate(PLACES, ".node .label") + page.evaluate(PLACES, ".node .disc")
        for n, (left, top, right, bottom) in enumerate(boxes):
            for other in boxes[:n]:
                apart = other[0] >= right or left >= other[2] or other[1] >= bottom
                assert apart or top >= other[3], (size, n)


def test_where_names_cannot_be_read_groups_have_their_numbers(address: str, visit: Open) -> None:
    page = opened(visit, f"{address}/groups")
    numbers = page.locator(".group-number").filter(visible=True)
    expect(numbers).to_have_count(0)
    for _ in range(4):
        page.locator("#smaller").click()
    expect(numbers).to_have_text(["1", "2", "3", "4"])
    expect(page.locator(".node .label").filter(visible=True)).to_have_count(0)
    student(page, "s07").focus()
    expect(page.locator(".node .label").filter(visible=True)).to_have_text(["s07"])


def test_a_click_on_a_line_or_a_student_leads_to_the_review_of_the_findings(
    address: str, visit: Open
) -> None:
    page = opened(visit, f"{address}/groups")
    student(page, "s07").click()
    panel = page.locator("#chosen")
    expect(panel.get_by_role("heading")).to_have_text("s07")
    expect(page).to_have_url(re.compile(r"author=s07$"))
    one, other = (student(page, name).locator(".disc").bounding_box() for name in ("s07", "s19"))
    assert one and other
    across = (one["x"] + other["x"] + one["width"]) / 2
    down = (one["y"] + other["y"] + one["height"]) / 2
    page.mouse.click(across, down + 5)  # beside the line
    expect(panel.get_by_role("heading")).to_have_text("s07 and s19")
    expect(page).to_have_url(re.compile(r"author=s0?7&other=s19|author=s19&other=s07"))
    expect(panel.locator(".meetings a")).to_have_count(6)
    panel.locator(".meetings a").first.click()
    expect(page.locator("#finding h2")).to_contain_text("s07 and s19")
    page.go_back()
    expect(page.locator("#chosen h2")).to_have_text("s07 and s19")
    page.locator("#choose-none").click()
    expect(page).to_have_url(re.compile(r"/groups$"))


def test_the_graph_is_walked_through_and_chosen_from_by_keyboard(address: str, visit: Open) -> None:
    page = opened(visit, f"{address}/groups")
    page.locator("#fit").focus()
    page.keyboard.press("Tab")
    if page.evaluate("document.activeElement.id") == "canvas":  # it can be scrolled
        page.keyboard.press("Tab")
    first = page.evaluate("document.activeElement.dataset.student")
    assert first
    seen = {first}
    for key in ("ArrowLeft", "ArrowUp", "ArrowRight", "ArrowDown") * 5:
        page.keyboard.press(key)
        seen.add(page.evaluate("document.activeElement.dataset.student"))
    assert len(seen) > 3 and None not in seen
    last = page.evaluate("document.activeElement.dataset.student")
    page.keyboard.press("Enter")
    expect(page.locator("#chosen h2")).to_have_text(last)
    expect(student(page, last)).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Escape")
    expect(page.locator("#chosen h2")).to_have_count(0)
    expect(page.locator(".node[tabindex='0']")).to_have_count(1)


def test_groups_have_a_matrix_and_their_pairs_lead_to_the_review(address: str, visit: Open) -> None:
    page = opened(visit, f"{address}/groups")
    page.locator(".group-list a").nth(1).click()
    matrix = page.get_by_role("table", name="Who with whom")
    expect(matrix.locator("tbody tr")).to_have_count(2)
    matrix.get_by_role("link").first.click()
    expect(page).to_have_url(re.compile("#group-2-pair-"))
    page.locator(".pairs .meetings a").first.click()
    expect(page.locator("#finding h2")).to_be_visible()


def test_hidden_names_are_in_neither_graph_nor_lists(address: str, visit: Open) -> None:
    page = opened(visit, f"{address}/groups?author=s07")
    switch_names(page, hidden=True)
    expect(page.locator("#chosen h2")).to_have_text(re.compile(r"author \d+"))
    assert not re.search(r"\bs\d\d\b", page.content())
    node = page.locator(".node").first
    node.click()
    expect(page.locator("#chosen h2")).to_have_text(node.get_attribute("data-student") or "")
    assert not re.search(r"\bs\d\d\b", page.content() + page.url)
    page.locator(".group-list a").first.click()
    expect(page.get_by_role("heading", name="One decision for all pairs")).to_be_visible()
    settle(page)
    assert not re.search(r"\bs\d\d\b", page.content())


@pytest.mark.parametrize("path", ["/groups", "/groups?author=s07&strength=2", "/group?number=4"])
@pytest.mark.parametrize("settings", [{}, {**PHONE, "color_scheme": "dark"}])
def test_the_pages_have_no_violations_and_fit_a_phone(
    address: str, visit: Open, path: str, settings: dict[str, object]
) -> None:
    page = opened(visit, f"{address}{path}", **settings)
    assert width_over(page) <= 0
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def test_on_a_phone_names_can_be_read_and_students_chosen(address: str, visit: Open) -> None:
    page = opened(visit, f"{address}/groups", **PHONE, has_touch=True)
    label = page.locator(".node .label").first.bounding_box()
    assert label and label["height"] >= 10
    page.locator(".node").first.tap()
    expect(page.locator("#chosen h2")).to_be_visible()
