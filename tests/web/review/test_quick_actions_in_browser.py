"""The review in a real browser when the server is slow or gone: nothing is lost or goes astray."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import pytest
from helpers.browsing import Open, browser, held, switch_names, visit
from helpers.reviewing import decisions, findings, is_at, listed
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.model, pytest.mark.slow]
__all__ = ["browser", "visit"]
FINDING, DECISION = "**/review/finding?*", "**/api/decisions/group"
REFUSED = "Failed to load resource"  # what the browser says of a request that failed


def choose(page: Page, question: str) -> None:
    page.get_by_label("Question", exact=True).select_option(question)


def of_question(found: list[dict[str, Any]], question: str) -> int:
    return sum(one["question"] == question for one in found)


def open_row(page: Page, number: int) -> None:
    """Click the row of a finding, by its place in the list."""
    listed(page).nth(number - 1).locator("td").nth(2).click()


def type_note(page: Page, text: str) -> None:
    """Type a note by the keyboard alone, so that the next key decides."""
    page.keyboard.press("n")
    page.keyboard.type(text)
    page.keyboard.press("Enter")


def step_back(page: Page) -> None:
    """Go back, and wait for the address: `go_back` alone may end with an earlier step's arrival."""
    address = page.evaluate("location.href")
    page.go_back()
    page.wait_for_function("address => location.href !== address", arg=address)


def has_note(page: Page, text: str) -> None:
    expect(page.locator("#note")).to_have_value(text)


def ticked(page: Page, count: int) -> None:
    expect(page.locator("#rows tbody input:checked")).to_have_count(count)


# -- filters and steps back ------------------------------------------------------------------------


def test_quick_changes_of_filters_and_steps_back_are_all_done(address: str, visit: Open) -> None:
    page, found = visit(f"{address}/upload"), findings(address)
    other = next(one for one in found if one["question"] != found[0]["question"])
    own = of_question(found, other["question"])
    both = [one for one in found if one["question"] == other["question"]]
    both = [one for one in both if one["verdict"] == other["verdict"]]
    with held(page, FINDING):  # as a slow server does
        page.goto(f"{address}/review")
        choose(page, other["question"])
        page.locator(f"#filters [data-verdict='{other['verdict']}']").click()
    expect(listed(page)).to_have_count(len(both))
    is_at(page, 1, len(both))
    with held(page, FINDING):
        page.go_back()  # the kind of match
        expect(listed(page)).to_have_count(own)
        page.go_back()  # the question
        expect(listed(page)).to_have_count(len(found))
        page.go_forward()
    is_at(page, 1, own)
    expect(listed(page)).to_have_count(own)
    page.go_forward()
    expect(listed(page)).to_have_count(len(both))
    is_at(page, 1, len(both))


def test_a_filter_that_is_chosen_while_a_decision_is_sent_is_a_step_back(
    address: str, visit: Open
) -> None:
    page, found = visit(f"{address}/review"), findings(address)
    own = of_question(found, found[-1]["question"])
    with held(page, DECISION):
        page.keyboard.press("c")
        choose(page, found[-1]["question"])
    expect(page).to_have_url(re.compile("question="))
    expect(listed(page)).to_have_count(own)
    page.go_back()
    expect(listed(page)).to_have_count(len(found))
    is_at(page, 2, len(found))


@pytest.mark.parametrize(("action", "slow"), [("k", FINDING), ("c", DECISION), ("row", FINDING)])
def test_a_step_back_while_something_runs_is_done_and_takes_no_entry_away(
    action: str, slow: str, address: str, visit: Open
) -> None:
    page, found = visit(f"{address}/review"), findings(address)
    [(question, own)] = Counter(one["question"] for one in found).most_common(1)
    choose(page, question)
    is_at(page, 1, own)
    open_row(page, 3)
    is_at(page, 3, own)
    with held(page, slow):
        if action == "row":
            open_row(page, 2)
        else:
            page.keyboard.press(action)
        step_back(page)
    is_at(page, 1, own)
    page.go_forward()
    is_at(page, 3, own)
    page.go_back()
    is_at(page, 1, own)
    page.go_back()
    expect(listed(page)).to_have_count(len(found))


def test_words_that_are_typed_while_a_step_back_waits_are_searched_after_it(
    address: str, visit: Open
) -> None:
    page, found = visit(f"{address}/review"), findings(address)
    choose(page, found[0]["question"])
    expect(page).to_have_url(re.compile("question="))
    with held(page, "**/review/matches?*"):
        with page.expect_request("**/review/matches?*"):
            page.locator("#text").fill("the")
        step_back(page)
        page.locator("#text").fill("memory")
    expect(page).to_have_url(re.compile(r"review\?text=memory"))
    expect(page.locator("#text")).to_have_value("memory")


def test_a_step_back_says_the_place_in_its_list_and_begins_with_what_is_open(
    address: str, visit: Open
) -> None:
    page, found = visit(f"{address}/review"), findings(address)
    own = of_question(found, found[0]["question"])
    is_at(page, 1, len(found))
    choose(page, found[0]["question"])
    is_at(page, 1, own)
    page.go_back()
    is_at(page, 1, len(found))  # the same finding
    page.go_forward()
    is_at(page, 1, own)
    page.keyboard.press("c")
    is_at(page, 2, own)
    page.go_back()  # to an address without a finding
    is_at(page, 2, len(found))


# -- notes -----------------------------------------------------------------------------------------


def test_what_is_done_while_the_next_finding_is_on_its_way_is_not_about_the_last_one(
    address: str, visit: Open
) -> None:
    page, (first, second, *others) = visit(f"{address}/upload"), findings(address)
    total = 2 + len(others)
    with held(page, FINDING):
        page.goto(f"{address}/review")
        page.keyboard.press("c")
        expect(page.locator("#decided")).to_have_text("1")
        page.keyboard.press("x")
        type_note(page, "both quote the task")
        is_at(page, 1, total)
    is_at(page, 2, total)
    has_note(page, "both quote the task")
    ticked(page, 0)
    page.keyboard.press("d")
    is_at(page, 3, total)
    reasons = {one["left"]: (one["decision"], one["reason"]) for one in decisions(address)}
    assert reasons == {
        first["left"]: ("confirmed", ""),
        second["left"]: ("dismissed", "both quote the task"),
    }


def test_a_note_is_about_the_finding_that_the_last_action_leads_to(
    address: str, visit: Open
) -> None:
    page, total = visit(f"{address}/review"), len(findings(address))
    with held(page, DECISION):
        page.keyboard.press("c")
        type_note(page, "about two")
        open_row(page, 5)
        type_note(page, "about five")
    is_at(page, 5, total)
    has_note(page, "about five")
    open_row(page, 2)
    is_at(page, 2, total)
    has_note(page, "about two")
    with held(page, DECISION):
        page.keyboard.press("d")
        page.keyboard.press("u")
        type_note(page, "not sure")
    expect(page.locator(".toast")).to_have_text("Decision undone.")
    is_at(page, 2, total)
    has_note(page, "not sure")


def test_a_note_that_is_sent_is_not_the_beginning_of_the_next_one(
    address: str, visit: Open
) -> None:
    page, total = visit(f"{address}/review"), len(findings(address))
    type_note(page, "about one")
    with held(page, DECISION):
        page.keyboard.press("c")
        page.click("#note")
        page.keyboard.press("End")
        page.keyboard.type("about two")
    is_at(page, 2, total)
    has_note(page, "about two")
    assert [one["reason"] for one in decisions(address)] == ["about one"]


def test_a_note_that_is_typed_while_a_filter_waits_is_about_the_finding_in_sight(
    address: str, visit: Open
) -> None:
    page, found = visit(f"{address}/upload"), findings(address)
    other = next(one["question"] for one in found if one["question"] != found[0]["question"])
    own = of_question(found, other)
    with held(page, FINDING):
        page.goto(f"{address}/review")
        type_note(page, "about one")
        choose(page, other)
        expect(listed(page)).to_have_count(own)
        page.click("#note")
        page.keyboard.press("End")
        page.keyboard.type(" and more")
    is_at(page, 1, own)
    has_note(page, "")
    page.go_back()
    is_at(page, 1, len(found))
    has_note(page, "about one and more")


@pytest.mark.parametrize(
    ("slow", "ready"), [("**/review/main.js", "commit"), ("**/review/matches?*", "load")]
)
def test_a_note_that_is_typed_while_the_page_loads_is_kept(
    slow: str, ready: Any, address: str, visit: Open
) -> None:
    page = visit(f"{address}/upload")
    with held(page, slow):
        page.goto(f"{address}/review?text=loop", wait_until=ready)
        page.fill("#note", "early")
    expect(page.locator("#place")).not_to_be_empty()
    has_note(page, "early")


def test_notes_about_ticked_findings_outlive_a_decision_about_all(
    address: str, visit: Open
) -> None:
    page, total = visit(f"{address}/review"), len(findings(address))
    page.keyboard.press("j")
    is_at(page, 2, total)
    type_note(page, "about two")
    page.keyboard.press("k")
    is_at(page, 1, total)
    for number in (2, 3):
        page.locator(f"#row-{number} input").click()
    page.keyboard.press("d")
    expect(page.locator("#decided")).to_have_text("2")
    open_row(page, 2)
    is_at(page, 2, total)
    has_note(page, "about two")


# -- ticks, undo, errors ---------------------------------------------------------------------------


def test_a_range_of_ticks_does_not_begin_at_a_decided_finding(address: str, visit: Open) -> None:
    page, boxes = visit(f"{address}/review"), "#rows tbody input"
    total = len(findings(address))
    page.keyboard.press("c")
    is_at(page, 2, total)
    page.locator(boxes).nth(7).click(modifiers=["Shift"])
    ticked(page, 1)
    page.click("#untick")
    with held(page, DECISION):
        page.keyboard.press("c")
        page.locator(boxes).nth(4).click()
    is_at(page, 3, total)
    page.locator(boxes).nth(6).click(modifiers=["Shift"])
    ticked(page, 3)


def test_an_undone_decision_is_neither_shown_nor_stored_with_the_next_one(
    address: str, visit: Open
) -> None:
    page, total = visit(f"{address}/review"), len(findings(address))
    page.keyboard.press("j")
    is_at(page, 2, total)
    type_note(page, "a wrong reason")
    page.keyboard.press("d")
    is_at(page, 3, total)
    for number in (2, 1):  # at the first one the second is fetched ahead, as dismissed
        page.keyboard.press("k")
        is_at(page, number, total)
    page.keyboard.press("u")
    is_at(page, 2, total)
    expect(page.locator("#finding .notice")).to_have_count(0)
    has_note(page, "")
    page.keyboard.press("c")
    is_at(page, 3, total)
    assert [(one["decision"], one["reason"]) for one in decisions(address)] == [("confirmed", "")]


def test_a_decision_is_undone_after_names_were_hidden(address: str, visit: Open) -> None:
    page = visit(f"{address}/review")
    page.keyboard.press("c")
    expect(page.locator("#decided")).to_have_text("1")
    switch_names(page, hidden=True)
    page.keyboard.press("u")
    expect(page.locator("#decided")).to_have_text("0")
    expect(page.locator("#row-1")).to_have_attribute("data-decision", "open")
    assert not decisions(address)


def test_a_note_is_kept_until_it_is_stored_and_the_next_finding_is_there(
    address: str, visit: Open
) -> None:
    page, total = visit(f"{address}/upload", allowed=REFUSED), len(findings(address))
    for addresses in (FINDING, DECISION):
        page.route(addresses, lambda route: route.abort())
    page.goto(f"{address}/review")
    type_note(page, "my reason")
    page.keyboard.press("c")
    expect(page.locator(".toast.bad")).to_contain_text("The server doesn’t answer")
    has_note(page, "my reason")
    page.unroute(DECISION)
    page.keyboard.press("c")
    expect(page.locator("#decided")).to_have_text("1")
    has_note(page, "my reason")
    page.unroute(FINDING)
    page.keyboard.press("c")
    is_at(page, 2, total)
    assert [one["reason"] for one in decisions(address)] == ["my reason"]


def test_the_histogram_is_asked_for_again_after_an_error(address: str, visit: Open) -> None:
    page = visit(f"{address}/review", allowed=REFUSED)
    page.route("**/review/histogram*", lambda route: route.abort())
    fold = page.get_by_text("Similarity of all pairs")
    fold.click()
    expect(page.locator(".toast.bad")).to_contain_text("The server doesn’t answer")
    page.unroute("**/review/histogram*")
    fold.click()
    fold.click()
    expect(page.locator("#histogram figcaption")).to_contain_text("pairs, half of them below")
