"""The upload page in a real browser: nothing is added that was not shown."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from helpers.browsing import (
    Open,
    browser,
    expect,
    held,
    serving,
    texts_of,
    visit,
    width_over,
)
from playwright.sync_api import Locator, Page, Route

__all__ = ["browser", "visit"]

ANSWERS = "id,answer,note\n1,a thread runs,the first\n2,a thread waits,the second\n"
NAME = "biology-of-the-tenth-grade-2026-class-a"  # of the index
PHONE = {"width": 390, "height": 844}
TITLED = "made in June\nid,answer\n1,a thread runs\n"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(tmp_path_factory.mktemp("uploads") / NAME) as server:
        yield server.address


@pytest.fixture
def page(address: str, visit: Open) -> Page:
    return visit(f"{address}/upload")


def send(page: Page, name: str, text: str) -> None:
    file = {"name": name, "mimeType": "text/csv", "buffer": text.encode()}
    page.set_input_files("#file", files=[file])


def summary(page: Page) -> Locator:
    return page.locator("#check-summary")


def add(page: Page) -> Locator:
    return page.get_by_role("button", name="Add to the index")


def skipped_rows(page: Page) -> Locator:
    expect(page.locator("#confirm")).to_be_visible()
    page.locator("#reading").evaluate("box => { box.open = true; }")
    return page.locator("#field-skip_rows")


def is_checked(page: Page, added: int) -> None:
    expect(summary(page)).to_contain_text(f"{added} added")


def test_that_a_file_is_being_sent_is_said(page: Page) -> None:
    with held(page, "**/api/uploads?*"):
        send(page, "slow.csv", ANSWERS)
        expect(page.get_by_role("status").first).to_have_text("Sending slow.csv …")
    is_checked(page, 2)
    expect(page.locator("#sending")).to_have_text("")


def test_of_two_files_the_last_one_is_shown(page: Page) -> None:
    with held(page, "**/api/uploads?name=first.csv"):
        send(page, "first.csv", ANSWERS)
        send(page, "last.csv", "id,answer\n7,only one\n")
        is_checked(page, 1)
    page.wait_for_timeout(300)
    expect(page.locator("#rows tbody")).to_contain_text("only one")
    is_checked(page, 1)


def test_a_column_chosen_by_keys_keeps_the_focus(page: Page) -> None:
    send(page, "a.csv", ANSWERS)
    is_checked(page, 2)
    column = page.locator("#role-text")
    column.focus()
    with page.expect_response("**/look"):
        page.keyboard.press("ArrowDown")
    expect(page.locator("#rows tbody")).to_contain_text("the first")
    expect(column).to_have_value("note")
    expect(column).to_be_focused()


def test_nothing_is_added_that_was_not_shown(page: Page) -> None:
    send(page, "a.csv", ANSWERS)
    is_checked(page, 2)
    with held(page, "**/look"):
        page.select_option("#role-text", "note")
        expect(summary(page)).to_have_text("Looking at the file again …")
        expect(add(page)).to_be_disabled()
    is_checked(page, 2)
    expect(add(page)).to_be_enabled()


def test_of_two_choices_the_last_one_is_shown(page: Page) -> None:
    looks: list[Route] = []
    send(page, "a.csv", ANSWERS)
    is_checked(page, 2)
    page.route("**/look", lambda route: route.continue_() if looks else looks.append(route))
    page.select_option("#role-text", "note")
    page.select_option("#role-text", "id")
    is_checked(page, 2)
    before = texts_of(page.locator("#rows td"))
    looks[0].continue_()
    page.wait_for_timeout(300)
    assert texts_of(page.locator("#rows td")) == before
    expect(page.locator("#role-text")).to_have_value("id")


def test_enter_in_a_field_shows_how_the_file_is_read_and_adds_nothing(page: Page) -> None:
    send(page, "a.csv", TITLED)
    rows = skipped_rows(page)
    rows.fill("1")
    with page.expect_response("**/look"):
        rows.press("Enter")
    expect(page.locator("#confirm")).to_be_visible()
    expect(page.locator("#rows tbody")).to_contain_text("a thread runs")
    is_checked(page, 1)


def test_how_a_file_is_read_holds_for_its_corrected_one_and_for_no_other(page: Page) -> None:
    send(page, "titled.csv", TITLED)
    rows = skipped_rows(page)
    rows.fill("1")
    page.get_by_role("button", name="Look again").click()
    is_checked(page, 1)
    send(page, "titled.csv", TITLED + "2,a thread waits\n")
    is_checked(page, 2)
    expect(rows).to_have_value("1")
    send(page, "other.csv", ANSWERS + "3,a loop,\n")
    is_checked(page, 3)
    expect(rows).to_have_value("")


def text_edges(element: Locator) -> tuple[float, float]:
    """Return the left and the right edge of an element's text in the window."""
    left, right = element.evaluate("""one => {
        const range = document.createRange();
        range.selectNodeContents(one);
        const { left, right } = range.getBoundingClientRect();
        return [left, right];
    }""")
    return left, right


WIDE = "id,question,author,answer,note\n1,Why?,Student 1," + "a long answer " * 20 + ",none"


def test_on_a_phone_the_first_answers_are_cards_that_need_no_scrolling(
    address: str, visit: Open
) -> None:
    page = visit(f"{address}/upload", viewport=PHONE)
    send(page, "wide.csv", WIDE)
    is_checked(page, 1)
    box = page.locator(".scroll").bounding_box()
    assert box
    for cell in page.locator("#rows td").all():
        left, right = text_edges(cell)
        assert box["x"] <= left < right <= box["x"] + box["width"]
    assert page.locator(".scroll").evaluate("one => one.scrollWidth <= one.clientWidth")
    expect(page.get_by_role("cell", name="a long answer")).to_be_visible()  # still a table


def test_on_a_small_screen_the_caption_of_the_first_answers_is_read_whole(
    address: str, visit: Open
) -> None:
    page = visit(f"{address}/upload", viewport={"width": 660, "height": 800})
    send(page, "wide.csv", WIDE)
    is_checked(page, 1)
    box = page.locator(".scroll").bounding_box()
    assert box
    assert page.locator("#rows").evaluate("one => one.offsetWidth") > box["width"]
    for scrolled in (0, 500):
        page.locator(".scroll").evaluate("(one, left) => { one.scrollLeft = left; }", scrolled)
        left, right = text_edges(page.locator("#rows caption"))
        # A fraction of a pixel is lost by scrolling; the shadow is 12 wide.
        assert box["x"] - 1 < left < right <= box["x"] + box["width"] - 12


def test_on_a_phone_the_head_has_the_whole_name_of_the_index(address: str, visit: Open) -> None:
    page = visit(f"{address}/upload", viewport=PHONE)
    brand = page.locator(".brand")
    expect(brand).to_contain_text(NAME)
    assert brand.evaluate("one => one.scrollWidth <= one.clientWidth")
    assert width_over(page) <= 0
