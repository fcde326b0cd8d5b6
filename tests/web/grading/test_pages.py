"""The grading page in a real browser: a question graded by keyboard, safely, and read by all."""

from __future__ import annotations

import csv
import json
import re
import shutil
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from helpers.browsing import (
    ROOT,
    Open,
    browser,
    ingested,
    serving,
    visit,
    width_over,
)
from playwright.sync_api import Locator, Page, expect

pytestmark = [pytest.mark.model, pytest.mark.slow]
expect.set_options(timeout=10_000)
__all__ = ["browser", "visit"]

DEMO = ROOT / "searchkit" / "demo" / "answers.csv"
REFUSED = "Failed to load resource"  # what the browser says of every answer from 400 on


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an index of two questions, without the marks of the file."""
    folder = tmp_path_factory.mktemp("grading")
    with DEMO.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["question"] in ("q01", "q02")]
    with (folder / "answers.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [name for name in rows[0] if name != "score"])
        writer.writeheader()
        writer.writerows({k: v for k, v in row.items() if k != "score"} for row in rows)
    return ingested(folder, folder / "answers.csv")


@pytest.fixture
def index(corpus: Path, tmp_path: Path) -> Path:
    """Return an index that a test may write into."""
    return Path(shutil.copytree(corpus, tmp_path / "index"))


@pytest.fixture
def address(index: Path) -> Iterator[str]:
    with serving(index) as server:
        yield server.address


def state(address: str, question: str = "q01") -> dict[str, Any]:
    with urllib.request.urlopen(f"{address}/api/grading?question={question}") as response:
        body: dict[str, Any] = json.load(response)
    return body


def marks(address: str) -> dict[str, str]:
    return {one["id"]: one["mark"] for one in state(address)["answers"] if one["mark"]}


def cards(page: Page) -> Locator:
    return page.locator(".group")


def open_page(visit: Open, address: str, **settings: Any) -> Page:
    page = visit(f"{address}/grade?question=q01", **settings)
    expect(cards(page).first).to_be_visible()
    return page


def has(page: Page, count: int) -> None:
    """Wait until so many answers are graded."""
    expect(page.locator("#progress")).to_contain_text(re.compile(rf"^{count} of 27 answers graded"))


def item(page: Page) -> str:
    """Return the group or answer that has the focus."""
    return str(page.evaluate("document.activeElement.closest('[data-item]')?.dataset.item"))


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


# -- a question, from the first mark to the download -----------------------------------------------


def grade_the_rest(page: Page, mark: Callable[[str], str]) -> dict[str, str]:
    """Mark one answer after another, as the plan wants them; return what was typed."""
    typed: dict[str, str] = {}
    while not page.locator("#finished").is_visible():
        graded = int(page.locator("#progress").inner_text().split()[0])
        press(page, "g")
        name = item(page).removeprefix("a:")
        typed[name] = mark(name)
        page.keyboard.type(typed[name])
        press(page, "Enter")
        has(page, graded + 1)
    return typed


def test_a_question_is_graded_to_the_end_by_keyboard_only(
    index: Path, tmp_path: Path, visit: Open
) -> None:
    typed: dict[str, str] = {}
    with serving(index) as server:
        page = open_page(visit, server.address)
        before = cards(page).count()
        press(page, "j", "s")  # split the first group
        expect(page.locator("#undo")).to_be_enabled()
        assert len(state(server.address)["groups"]) == cards(page).count() != before or (
            "alone" in page.inner_text("#cut")
        )
        press(page, "o", "j")
        moved = item(page).removeprefix("a:")
        press(page, "v")
        expect(page.locator("#which-group")).to_be_focused()
        press(page, "Enter")  # no group
        expect(page.locator("#alone").locator(f"[data-item='a:{moved}']")).to_be_visible()

        page.evaluate("scrollTo(0, 0); document.activeElement.blur()")
        cards(page).first.focus()
        group = state(server.address)["groups"][0]["ids"]
        page.keyboard.type("99")
        press(page, "Enter")
        field = page.locator(":focus")
        expect(field).to_have_attribute("aria-invalid", "true")
        expect(field).to_have_accessible_description(re.compile("“99” isn’t on the scale"))
        assert marks(server.address) == {}
        page.keyboard.type("8")
        press(page, "Enter")
        has(page, len(group))
        press(page, "Control+z")
        has(page, 0)
        cards(page).first.focus()
        page.keyboard.type("7,5")  # as a German would
        press(page, "Enter")
        has(page, len(group))
        typed |= dict.fromkeys(group, "7.5")

    with serving(index) as server:  # a restart, after which everything is there
        page = open_page(visit, server.address)
        has(page, len(group))
        press(page, "Control+z")
        has(page, 0)
        press(page, "Control+Shift+Z")
        has(page, len(group))
        press(page, "j", "o", "j")
        cleared = item(page).removeprefix("a:")
        press(page, "m", "Delete", "Enter")
        has(page, len(group) - 1)
        del typed[cleared]
        press(page, "c")
        page.keyboard.type("Say <why>.")
        press(page, "Enter")
        expect(page.locator("#comments option")).to_have_attribute("value", "Say <why>.")

        typed |= grade_the_rest(page, lambda name: str(int(name[-2:]) % 10))
        has(page, 27)
        assert marks(server.address) == typed
        page.locator("#downloads summary").focus()
        press(page, "Enter", "Tab")
        with page.expect_download() as download:
            press(page, "Enter")
        download.value.save_as(tmp_path / "marks.csv")
        page.goto(f"{server.address}/questions")
        row = page.locator("tr", has_text="q01")
        expect(row).to_contain_text("✓")
    with (tmp_path / "marks.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    column = state_column(rows)
    assert {row["id"]: row[column] for row in rows if row[column]} == typed


def state_column(rows: list[dict[str, str]]) -> str:
    """Return the column with the marks of a downloaded table."""
    return next(name for name in rows[0] if name.lower() in ("mark", "group_mark", "grade"))


# -- overwriting, ticking, moving ------------------------------------------------------------------


def test_overwriting_asks_and_shows_from_what_to_what(address: str, visit: Open) -> None:
    page = open_page(visit, address, allowed=REFUSED)
    count = len(state(address)["groups"][0]["ids"])
    cards(page).first.focus()
    page.keyboard.type("8")
    press(page, "Enter")
    has(page, count)
    cards(page).first.focus()
    page.keyboard.type("9")
    press(page, "Enter")
    dialog = page.locator("#dialog")
    expect(dialog).to_contain_text(f"{count} answers: 8 → 9")
    press(page, "Escape")
    expect(dialog).to_be_hidden()
    assert set(marks(address).values()) == {"8"}
    expect(cards(page).first.get_by_label("Mark", exact=True).first).to_have_value("9")
    cards(page).first.get_by_label("Mark", exact=True).first.press("Enter")
    page.get_by_role("button", name=f"Overwrite {count}").click()
    expect(dialog).to_be_hidden()
    page.wait_for_function("document.querySelector('#undo').title.includes('9')")
    assert set(marks(address).values()) == {"9"}


def test_ticked_answers_are_marked_together_and_made_a_group(address: str, visit: Open) -> None:
    page = open_page(visit, address)
    cards(page).first.focus()
    press(page, "o", "j", "x", "j", "x")
    chosen = page.locator("#chosen")
    expect(chosen).to_contain_text("2 answers ticked")
    chosen.get_by_label("Mark").fill("11")
    press(page, "Enter")
    expect(chosen.locator(".wrong")).to_contain_text("isn’t on the scale")
    chosen.get_by_label("Mark").fill("4")
    press(page, "Enter")
    has(page, 2)
    expect(chosen).to_be_hidden()
    cards(page).first.focus()
    press(page, "j", "x", "j", "x")
    before = cards(page).count()
    chosen.get_by_role("button", name="New group").click()
    expect(cards(page)).to_have_count(before + 1)
    two = next(one for one in state(address)["groups"] if len(one["ids"]) == 2 and one["fixed"])
    card = page.locator(f"[data-item='g:{two['key']}']")
    card.get_by_text("Change").click()
    card.get_by_role("button", name="Rename").click()
    page.get_by_role("textbox", name="Name").fill("both <b>wrong</b>")
    press(page, "Enter")
    expect(card.locator("h3")).to_have_text("both <b>wrong</b>")
    card.focus()
    press(page, "v", "Enter")  # merge with the first group
    expect(cards(page)).to_have_count(before)


def test_a_rubric_makes_the_mark(address: str, visit: Open) -> None:
    page = open_page(visit, address)
    page.locator("#settings > summary").click()
    for name, points in (("names the loop", "2"), ("says it never waits", "3,5")):
        page.get_by_role("button", name="Add an item").click()
        page.get_by_role("textbox", name="Item").last.fill(name)
        page.get_by_role("textbox", name="Points").last.fill(points)
    page.get_by_role("button", name="Save the rubric").click()
    expect(page.locator("#scale")).to_contain_text("rubric of 2 items")
    count = len(state(address)["groups"][0]["ids"])
    cards(page).first.focus()
    press(page, "r", "Space")
    has(page, count)
    page.locator(":focus").press("Tab")
    press(page, "Space")
    expect(cards(page).first.get_by_label("Mark", exact=True).first).to_have_value("5.5")
    assert set(marks(address).values()) == {"5.5"}


def test_suggestions_are_accepted_by_a_key_and_give_their_reasons(
    address: str, visit: Open
) -> None:
    page = open_page(visit, address)
    for number in range(12):
        press(page, "g")
        page.keyboard.type(str(5 + number % 4))
        press(page, "Enter")
        has(page, number + 1)
    lonely = page.locator("#alone .answer-row, .members .answer-row")
    expect(page.locator("#progress")).to_contain_text(re.compile("[1-9][0-9]* suggested"))
    row = lonely.filter(has=page.locator(".why")).first
    row.locator(".why button").focus()
    reasons = row.locator(".reasons")
    expect(reasons).to_be_visible()
    expect(reasons.locator("li")).to_have_count(3)
    grey = row.get_by_label("Mark", exact=True).get_attribute("placeholder")
    name = row.get_attribute("data-item")
    assert grey and name
    row.focus()
    press(page, "a")
    has(page, 13)
    assert marks(address)[name.removeprefix("a:")] == grey


def test_what_is_typed_outlives_what_the_server_sends(address: str, visit: Open) -> None:
    page = open_page(visit, address)
    cards(page).first.focus()
    press(page, "o", "j")
    name = item(page)
    page.keyboard.type("8")
    press(page, "Enter")
    press(page, "c")
    page.keyboard.type("half a sen")
    field = page.locator(":focus")
    has(page, 1)
    expect(field).to_have_value("half a sen")
    page.keyboard.type("tence")
    time.sleep(3)  # in which suggestions come, and cards are drawn anew
    expect(page.locator(":focus")).to_have_value("half a sentence")
    press(page, "Escape")
    assert item(page) != name
    assert not [one for one in state(address)["answers"] if one["comment"]]


# -- for everybody ---------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [1280, 360])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_accessible(scheme: str, width: int, address: str, visit: Open) -> None:
    page = open_page(
        visit, address, bypass_csp=True, color_scheme=scheme, reduced_motion="reduce",
        viewport={"width": width, "height": 800},
    )  # fmt: skip
    cards(page).first.focus()
    page.keyboard.type("7")
    press(page, "Enter")
    cards(page).first.focus()
    press(page, "o", "j", "x")
    page.keyboard.type("77")
    press(page, "Enter")
    page.locator("#settings > summary").click()
    page.get_by_role("button", name="Add an item").click()
    axe, rules = Axe(), {"resultTypes": ["violations"]}
    for opened in (None, "?", "v"):
        if opened:
            cards(page).first.focus()
            press(page, opened)
            expect(page.locator("dialog[open]")).to_be_visible()
        found = axe.run(page, options=rules)
        assert not found.response["violations"], found.generate_report()
        assert width_over(page) == 0
        press(page, "Escape")


def test_keys_are_explained_and_left_alone_while_typing(address: str, visit: Open) -> None:
    page = open_page(visit, address)
    press(page, "?")
    expect(page.locator("#keys")).to_contain_text("accept the suggested mark")
    press(page, "j", "Escape")
    expect(page.locator("#keys")).to_be_hidden()
    press(page, "j", "c")
    page.keyboard.type("jkgxoas?")
    expect(page.locator(":focus")).to_have_value("jkgxoas?")
    expect(page.locator("dialog[open]")).to_have_count(0)


def test_names_are_hidden_here_too(address: str, visit: Open) -> None:
    page = open_page(visit, address)
    page.get_by_role("button", name="Hide names").click()
    expect(page.locator("#names")).to_have_attribute("aria-pressed", "true")
    expect(cards(page).first).to_be_visible()
    cards(page).first.focus()
    press(page, "o")
    expect(page.locator(".members article").first).to_be_visible()
    assert not re.search(r"\bq\d\d-s\d\d\b|\bs\d\d\b", page.content() + page.url)
    press(page, "j")
    page.keyboard.type("6")
    press(page, "Enter")
    has(page, 1)
    assert list(marks(address).values()) == ["6"]
