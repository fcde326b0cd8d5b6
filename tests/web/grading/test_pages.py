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
    held,
    ingested,
    serving,
    settle,
    switch_names,
    text_of,
    visit,
    width_over,
)
from playwright.sync_api import Locator, Page, Response, Route, expect

pytestmark = [pytest.mark.model, pytest.mark.slow]
__all__ = ["browser", "visit"]

DEMO = ROOT / "searchkit" / "demo" / "answers.csv"
RIGHT = "UDP is connectionless, and TCP is connected."
WRONG = "UDP is connectionless, and TCP is not connected."
SHORT = {"connected": [RIGHT] * 3 + [WRONG] * 2, "often": [RIGHT, WRONG] * 12, "blank": [RIGHT, ""]}
REFUSED = "Failed to load resource"  # what the browser says of every answer from 400 on


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an index of some questions, without the marks of the file."""
    folder = tmp_path_factory.mktemp("grading")
    with DEMO.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["question"] <= "q08"]
    for question, texts in SHORT.items():
        rows += [
            {"id": f"{question}-{n}", "question": question, "author": f"s{n}", "answer": text}
            for n, text in enumerate(texts)
        ]
    with (folder / "answers.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [name for name in rows[0] if name != "score"])
        writer.writeheader()
        writer.writerows({k: v for k, v in row.items() if k != "score"} for row in rows)
    return ingested(folder, folder / "answers.csv")


@pytest.fixture(scope="module")
def address(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the address of a server that the tests share: each grades another question."""
    with serving(shutil.copytree(corpus, tmp_path_factory.mktemp("shared") / "index")) as server:
        yield server.address


@pytest.fixture
def own_address(corpus: Path, tmp_path: Path) -> Iterator[str]:
    """Return the address of a server for one test, whose settings other questions would take."""
    with serving(shutil.copytree(corpus, tmp_path / "index")) as server:
        yield server.address


def state(address: str, question: str) -> dict[str, Any]:
    with urllib.request.urlopen(f"{address}/api/grading?question={question}") as response:
        body: dict[str, Any] = json.load(response)
    return body


def marks(address: str, question: str) -> dict[str, str]:
    answers = state(address, question)["answers"]
    return {one["id"]: one["mark"] for one in answers if one["mark"]}


def suggestions(address: str, question: str) -> dict[str, str]:
    """Return the marks that are suggested for answers without one, once they are computed."""
    for _ in range(600):
        with urllib.request.urlopen(
            f"{address}/api/grading/suggestions?question={question}"
        ) as response:
            body, status = json.load(response), response.status
        if status == 200:
            break
        time.sleep(0.1)
    assert status == 200, "no suggestions yet"
    marked, found = marks(address, question), body["suggestions"]
    return {id_: one["mark"] for id_, one in found.items() if one["mark"] and id_ not in marked}


def are_suggestions(response: Response) -> bool:
    return "/api/grading/suggestions" in response.url and response.status == 200


def cards(page: Page) -> Locator:
    return page.locator(".group")


def open_page(visit: Open, address: str, question: str, **settings: Any) -> Page:
    page = visit(f"{address}/grade?question={question}", **settings)
    expect(cards(page).first).to_be_visible(timeout=60_000)  # once the answers are grouped
    return page


def has(page: Page, count: int) -> None:
    """Wait until so many answers are graded."""
    expect(page.locator("#progress")).to_contain_text(
        re.compile(rf"^{count} of \d+ answers graded")
    )


def title_of_undo(page: Page, text: str) -> None:
    """Wait until the last change is the one that a text describes."""
    expect(page.locator("#undo")).to_have_attribute("title", re.compile(text))


def item(page: Page) -> str:
    """Return the group or answer that has the focus."""
    return str(page.evaluate("document.activeElement.closest('[data-item]')?.dataset.item"))


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def type_mark(page: Page, mark: str) -> None:
    page.keyboard.type(mark)
    press(page, "Enter")


# -- a question, from the first mark to the download -----------------------------------------------


def grade_the_rest(page: Page, mark: Callable[[str], str]) -> dict[str, str]:
    """Mark one answer after another, as the plan wants them; return what was typed."""
    typed: dict[str, str] = {}
    while not page.locator("#finished").is_visible():
        graded = int(text_of(page.locator("#progress")).split()[0])
        press(page, "g")
        name = item(page).removeprefix("a:")
        typed[name] = mark(name)
        type_mark(page, typed[name])
        has(page, graded + 1)
    return typed


def test_a_question_is_graded_to_the_end_by_keyboard_only(
    corpus: Path, tmp_path: Path, visit: Open
) -> None:
    index = Path(shutil.copytree(corpus, tmp_path / "index"))
    with serving(index) as server:
        page = open_page(visit, server.address, "q01")
        press(page, "j", "s")
        title_of_undo(page, "split a group")
        press(page, "o", "j")
        moved = item(page).removeprefix("a:")
        press(page, "v")
        expect(page.locator("#which-group")).to_be_focused()
        press(page, "Enter")  # no group
        expect(page.locator("#alone").locator(f"[data-item='a:{moved}']")).to_be_visible()
        assert item(page) not in ("undefined", f"a:{moved}")  # the next

        cards(page).first.focus()
        group = state(server.address, "q01")["groups"][0]["ids"]
        type_mark(page, "99")
        field = page.locator(":focus")
        expect(field).to_have_attribute("aria-invalid", "true")
        expect(field).to_have_accessible_description(re.compile("“99” isn’t on the scale"))
        assert marks(server.address, "q01") == {}
        type_mark(page, "8")
        has(page, len(group))
        press(page, "Control+z")
        has(page, 0)
        cards(page).first.focus()
        type_mark(page, "7,5")  # as a German would
        has(page, len(group))
        page.close()
    typed = dict.fromkeys(group, "7.5")

    with serving(index) as server:  # a restart, after which everything is there
        page = open_page(visit, server.address, "q01")
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
        type_mark(page, "Say <why>.")
        expect(page.locator("#comments option")).to_have_attribute("value", "Say <why>.")
        typed |= grade_the_rest(page, lambda name: str(int(name[-2:]) % 10))
        assert marks(server.address, "q01") == typed
        page.locator("#downloads summary").focus()
        press(page, "Enter", "Tab")
        with page.expect_download() as download:
            press(page, "Enter")
        download.value.save_as(tmp_path / "marks.csv")
        page.goto(f"{server.address}/questions")
        settle(page)
        expect(page.locator("tr", has_text="q01")).to_contain_text("✓")
        expect(page.locator("tr", has_text="q02")).not_to_contain_text("✓")
    with (tmp_path / "marks.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["id"]: row["mark"] for row in rows if row["mark"]} == typed
    assert [row["comment"] for row in rows if row["comment"]] == ["Say <why>."]


# -- overwriting, ticking, moving ------------------------------------------------------------------


def test_overwriting_asks_and_shows_from_what_to_what(address: str, visit: Open) -> None:
    page = open_page(visit, address, "q02", allowed=REFUSED)
    first = cards(page).first
    count = len(state(address, "q02")["groups"][0]["ids"])
    first.focus()
    type_mark(page, "8")
    has(page, count)
    first.focus()
    type_mark(page, "9")
    dialog = page.locator("#dialog")
    expect(dialog).to_contain_text(f"{count} answers: 8 → 9")
    press(page, "Escape")
    expect(dialog).to_be_hidden()
    assert set(marks(address, "q02").values()) == {"8"}
    field = first.get_by_label("Mark", exact=True).first
    expect(field).to_have_value("9")
    field.press("Enter")
    page.get_by_role("button", name=f"Overwrite {count}").click()
    title_of_undo(page, "mark 9")
    assert set(marks(address, "q02").values()) == {"9"}
    press(page, "Control+z", "Control+z")
    has(page, 0)


def test_a_question_waits_until_the_one_before_is_answered(address: str, visit: Open) -> None:
    page = open_page(visit, address, "q05", allowed=REFUSED)
    first, dialog = cards(page).first, page.locator("#dialog")
    first.focus()
    type_mark(page, "8")
    title_of_undo(page, "mark 8")
    groups = [one["ids"] for one in state(address, "q05")["groups"]]
    changes = "**/api/grading/changes"
    with page.expect_response(changes), held(page, changes):
        first.focus()
        type_mark(page, "9")
        press(page, "v")
        expect(dialog).to_contain_text("Merge")
    page.wait_for_timeout(300)
    expect(dialog).to_contain_text("Merge")
    press(page, "Escape")
    expect(dialog).to_contain_text("Overwrite what is there?")
    dialog.get_by_role("button", name="Overwrite").click()
    title_of_undo(page, "mark 9")
    assert [one["ids"] for one in state(address, "q05")["groups"]] == groups
    press(page, "Control+z", "Control+z")
    has(page, 0)


def test_a_download_says_that_the_server_is_gone(address: str, visit: Open) -> None:
    page = open_page(visit, address, "q05", allowed=REFUSED)
    page.route("**/api/marks?*", lambda route: route.abort())
    page.locator("#downloads summary").click()
    page.locator("#downloads").get_by_role("button", name="CSV").click()
    expect(page.locator(".toast.bad")).to_contain_text("The server doesn’t answer")


def test_ticked_answers_are_marked_together_and_made_a_group(address: str, visit: Open) -> None:
    page = open_page(visit, address, "q03")
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
    page.locator("#alone article").first.get_by_role("checkbox").check()  # of no group
    cards(page).first.focus()
    press(page, "j", "x")
    before = cards(page).count()
    chosen.get_by_role("button", name="New group").click()
    expect(cards(page)).to_have_count(before + 1)
    groups = state(address, "q03")["groups"]
    two = next(group for group in groups if group["fixed"] and len(group["ids"]) == 2)
    card = page.locator(f"[data-item='g:{two['key']}']")
    card.get_by_text("Change").click()
    card.get_by_role("button", name="Rename").click()
    page.get_by_role("textbox", name="Name").fill("both <b>wrong</b>")
    press(page, "Enter")
    card = page.locator(".group", has_text="both <b>wrong</b>")
    expect(card).to_be_focused()
    press(page, "v", "Enter")  # into the first group
    expect(cards(page)).to_have_count(before)
    expect(cards(page).first).to_be_focused()


def test_a_group_that_contradicts_itself_says_who_says_what(address: str, visit: Open) -> None:
    page = open_page(visit, address, "connected")
    expect(cards(page)).to_have_count(2)
    cards(page).first.focus()
    press(page, "v", "Enter")  # merge with the other
    expect(cards(page)).to_have_count(1)
    warning = cards(page).first.locator(".notice.warn")
    expect(warning).to_contain_text("negations differ")
    expect(cards(page).first.locator(".answer mark").first).to_be_attached()
    warning.get_by_role("button", name="Tick the 2 answers").click()
    expect(page.locator("#chosen-count")).to_have_text("2 answers ticked")
    page.get_by_role("button", name="New group").click()
    expect(cards(page)).to_have_count(2)
    expect(warning).to_have_count(0)


def test_a_rubric_makes_the_mark(address: str, visit: Open) -> None:
    page = open_page(visit, address, "q04")
    page.locator("#settings > summary").click()
    for name, points in (("names the loop", "2"), ("says it never waits", "3,5")):
        page.get_by_role("button", name="Add an item").click()
        page.get_by_role("textbox", name="Item").last.fill(name)
        page.get_by_role("textbox", name="Points").last.fill(points)
    page.get_by_role("button", name="Save the rubric").click()
    expect(page.locator("#scale")).to_contain_text("rubric of 2 items")
    count = len(state(address, "q04")["groups"][0]["ids"])
    cards(page).first.focus()
    press(page, "r", "Space")
    has(page, count)
    page.locator(":focus").press("Tab")
    press(page, "Space")
    expect(cards(page).first.get_by_label("Mark", exact=True).first).to_have_value("5.5")
    assert set(marks(address, "q04").values()) == {"5.5"}


def asks_before_it_leaves(page: Page) -> bool:
    leaves = "dispatchEvent(new Event('beforeunload', { cancelable: true }))"
    return not page.evaluate(leaves)


def test_a_rubric_is_kept_until_it_is_saved_and_a_renamed_item_is_the_same(
    own_address: str, visit: Open
) -> None:
    page = open_page(visit, own_address, "q07")
    summary = page.locator("#settings > summary")
    summary.click()
    page.get_by_role("button", name="Add an item").click()
    item_name = page.get_by_role("textbox", name="Item")
    item_name.fill("datagram")
    page.get_by_role("textbox", name="Points").fill("2")
    for _ in range(2):  # to read an answer
        summary.click()
    expect(item_name).to_have_value("datagram")
    assert asks_before_it_leaves(page)
    page.get_by_role("button", name="Save the rubric").click()
    expect(page.locator("#scale")).to_contain_text("rubric of 1 item")
    assert not asks_before_it_leaves(page)
    item_name.fill("a datagram")
    page.get_by_role("button", name="Save the rubric").click()
    expect(page.locator("label.item").first).to_contain_text("a datagram")
    rubric = state(own_address, "q07")["settings"]["rubric"]
    assert [one["key"] for one in rubric] == ["rubric: datagram"]


def test_labels_are_chosen_by_their_number(own_address: str, visit: Open) -> None:
    page = open_page(visit, own_address, "q08", allowed=REFUSED)
    page.locator("#settings > summary").click()
    page.get_by_label("Marks are").select_option("labels")
    page.get_by_label("Labels, with").fill("right, half, wrong")
    page.get_by_label("Column for marks").fill("verdict")
    page.get_by_label("Marking as").fill("Ada")
    page.get_by_role("button", name="Save the scale").click()
    expect(page.locator("#scale")).to_contain_text("right, half, wrong")
    cards(page).first.focus()
    press(page, "o", "j")
    type_mark(page, "2")
    has(page, 1)
    press(page, "m")
    type_mark(page, "rihgt")
    expect(page.locator(":focus")).to_have_attribute("aria-invalid", "true")
    page.locator(":focus").fill("RIGHT")
    press(page, "Enter")
    has(page, 2)
    assert sorted(marks(own_address, "q08").values()) == ["half", "right"]
    page.locator("#downloads > summary").click()
    page.get_by_role("button", name="Moodle").click()  # which takes no labels
    expect(page.locator(".toast.bad")).to_contain_text("Moodle")
    page.locator("#history > summary").click()
    rows = page.locator("#history tbody tr")
    expect(rows).to_have_count(3)
    expect(rows.first).to_contain_text("Ada")
    expect(rows.first).to_contain_text("mark right")


def test_answers_that_come_later_are_proposed_to_a_group(
    corpus: Path, tmp_path: Path, visit: Open
) -> None:
    index = Path(shutil.copytree(corpus, tmp_path / "index"))
    with serving(index) as server:
        page = open_page(visit, server.address, "q01")
        cards(page).first.focus()
        press(page, "o", "j")
        text = text_of(page.locator(":focus .answer").first)
        cards(page).first.get_by_text("Change").click()
        cards(page).first.get_by_role("button", name="Rename").click()
        page.get_by_role("textbox", name="Name").fill("what the loop is")
        press(page, "Enter")
        expect(cards(page).first.locator(".badge.info")).to_have_text("your group")
        more = tmp_path / "more.csv"
        with more.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerows([["id", "question", "author", "answer"], ["new", "q01", "s99", text]])
        ingested(tmp_path, more)
        page.locator("[data-item]").last.focus()
        type_mark(page, "1")
        group = page.locator(".group", has_text="what the loop is").first
        expect(group).to_contain_text("1 answer that came later is proposed to this group: new")
        group.focus()
        press(page, "p")
        expect(group).not_to_contain_text("proposed")
        owner = next(one for one in state(server.address, "q01")["groups"] if "new" in one["ids"])
        assert owner["name"] == "what the loop is"


def test_what_takes_time_is_said_and_blank_answers_are_not_to_be_read(
    address: str, visit: Open
) -> None:
    page = visit(address)
    held: list[Route] = []
    page.route("**/api/grading?*", lambda route: held.append(route))
    with page.expect_request("**/api/grading?*"):
        page.goto(f"{address}/grade?question=blank")
    expect(
        page.get_by_role("progressbar", name="the first time this takes some seconds")
    ).to_be_visible()
    for route in held:
        route.continue_()
    expect(page.locator("#progress")).to_have_text(
        "0 of 2 answers graded · 0 suggested · 1 to be read · 1 blank"
    )
    expect(page.get_by_role("progressbar")).to_have_count(0)


def test_suggestions_are_accepted_by_a_key_and_give_their_reasons(
    address: str, visit: Open
) -> None:
    page = open_page(visit, address, "often")
    for number in range(12):
        press(page, "g")
        is_right = RIGHT in text_of(page.locator(":focus .answer").first)
        type_mark(page, "8" if is_right else "2")
        has(page, number + 1)
    suggested = suggestions(address, "often")  # after the last mark, so that they stay
    expect(page.locator("#progress")).to_contain_text(f" {len(suggested)} suggested")
    lonely = page.locator("#alone .answer-row, .members .answer-row")
    name = lonely.filter(has=page.locator(".why")).first.get_attribute("data-item") or ""
    row = page.locator(f"[data-item='{name}']")
    row.locator(".why button").focus()
    reasons = row.locator(".reasons")
    expect(reasons).to_be_visible()
    expect(reasons.locator("li")).to_have_count(3)
    press(page, "Escape")
    expect(reasons).to_be_hidden()
    grey = suggested[name.removeprefix("a:")]
    expect(row.get_by_label("Mark", exact=True)).to_have_attribute("placeholder", grey)
    row.focus()
    press(page, "a")
    has(page, 13)
    assert marks(address, "often")[name.removeprefix("a:")] == grey
    page.get_by_role("button", name="Accept all").click()
    title = page.locator("#dialog-title")
    expect(title).to_contain_text("suggested mark")
    count = int(text_of(title).split()[1])
    press(page, "Enter")
    has(page, 13 + count)
    press(page, "Control+z")
    has(page, 13)
    page.locator("#downloads > summary").click()
    with page.expect_download():
        page.get_by_role("button", name="Canvas").click()
    expect(page.locator("#notes")).to_contain_text("Canvas makes a new assignment")


def test_what_is_typed_outlives_what_the_server_sends(address: str, visit: Open) -> None:
    page = visit(f"{address}/upload")
    with page.expect_response(
        are_suggestions, timeout=60_000
    ):  # the first ones, from before the mark
        page.goto(f"{address}/grade?question=q06")
    cards(page).first.focus()
    press(page, "o", "j")
    name, before = item(page), len(marks(address, "q06"))
    type_mark(page, "8")
    press(page, "c")
    page.keyboard.type("half a sen")
    field = page.locator(":focus")
    has(page, before + 1)
    with page.expect_response(are_suggestions) as response:
        expect(field).to_have_value("half a sen")
        page.keyboard.type("tence")
    response.value.finished()
    page.wait_for_timeout(200)  # in which cards are drawn anew
    expect(page.locator(":focus")).to_have_value("half a sentence")
    press(page, "Escape")
    assert item(page) != name
    assert not [one for one in state(address, "q06")["answers"] if one["comment"]]


def test_a_mark_that_did_not_reach_the_server_stays_in_its_field(address: str, visit: Open) -> None:
    page = open_page(visit, address, "q06", allowed=REFUSED)
    before = marks(address, "q06")
    page.route("**/api/grading/changes", lambda route: route.abort())
    field = page.locator("#alone article").last.get_by_label("Mark", exact=True)
    field.fill("3")
    field.press("Enter")
    expect(page.locator(".toast.bad")).to_contain_text("The server doesn’t answer")
    expect(field).to_have_value("3")
    assert marks(address, "q06") == before
    page.unroute("**/api/grading/changes")
    field.press("Enter")
    title_of_undo(page, "mark 3")
    assert len(marks(address, "q06")) == len(before) + 1


def test_an_error_ends_the_progress_bar(address: str, visit: Open) -> None:
    page = visit(f"{address}/upload", allowed=REFUSED)
    page.route(
        "**/api/grading?*", lambda route: route.fulfill(status=500, json={"error": "broken"})
    )
    page.goto(f"{address}/grade?question=q07")
    expect(page.locator(".toast.bad")).to_contain_text("broken")
    expect(page.locator("#groups progress")).to_have_count(0)
    expect(page.locator("#groups")).not_to_have_attribute("aria-busy", "true")


# -- for everybody ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 360)])
def test_the_page_is_accessible(scheme: str, width: int, address: str, visit: Open) -> None:
    page = open_page(
        visit, address, "q07", bypass_csp=True, color_scheme=scheme, reduced_motion="reduce",
        viewport={"width": width, "height": 800},
    )  # fmt: skip
    cards(page).first.focus()
    press(page, "o", "j", "x")
    type_mark(page, "77")
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
    page = open_page(visit, address, "q07")
    press(page, "?")
    expect(page.locator("#keys")).to_contain_text("accept the suggested mark")
    press(page, "j", "Escape")
    expect(page.locator("#keys")).to_be_hidden()
    press(page, "j", "c")
    page.keyboard.type("jkgxoas?")
    expect(page.locator(":focus")).to_have_value("jkgxoas?")
    expect(page.locator("dialog[open]")).to_have_count(0)


def test_names_are_hidden_here_too(address: str, visit: Open) -> None:
    page = open_page(visit, address, "q07")
    switch_names(page, hidden=True)
    expect(cards(page).first).to_be_visible()
    cards(page).first.focus()
    press(page, "o")
    expect(page.locator(".members article").first).to_be_visible()
    assert not re.search(r"\bq\d\d-s\d\d\b|\bs\d\d\b", page.content() + page.url)
    press(page, "j")
    type_mark(page, "6")
    has(page, 1)
    assert list(marks(address, "q07").values()) == ["6"]
