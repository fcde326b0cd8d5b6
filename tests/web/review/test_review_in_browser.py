"""The review in a real browser: table, filters, address, ticks, undo, keys, a phone; with axe."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from axe_playwright_python.sync_playwright import Axe
from helpers.browsing import (
    Open,
    browser,
    eventually,
    switch_names,
    text_of,
    visit,
    width_over,
)
from helpers.reviewing import current, decisions, findings, get, is_at, listed, names
from playwright.sync_api import expect

pytestmark = [pytest.mark.model, pytest.mark.slow]
__all__ = ["browser", "visit"]


# -- the table -------------------------------------------------------------------------------------


def test_verdicts_filter_by_click_and_count_what_the_other_filters_let_pass(
    address: str, visit: Open
) -> None:
    page, found = visit(f"{address}/review"), findings(address)
    verdicts = Counter(one["verdict"] for one in found)
    expect(listed(page)).to_have_count(len(found))
    for verdict, count in verdicts.items():
        button = page.locator(f"#filters [data-verdict='{verdict}']")
        expect(button.locator("[data-count]")).to_have_text(str(count))
    verdict, count = verdicts.most_common(1)[0]
    page.locator(f"#filters [data-verdict='{verdict}']").click()
    expect(listed(page)).to_have_count(count)
    expect(page.locator("#place")).to_have_text(re.compile(f"of {count}$"))
    expect(page.locator("#rows tbody tr:visible .badge")).to_have_text([verdict] * count)

    question = found[0]["question"]
    page.get_by_label("Question", exact=True).select_option(question)
    both = [one for one in found if one["question"] == question]
    expect(listed(page)).to_have_count(sum(one["verdict"] == verdict for one in both))
    for one in verdicts:
        button = page.locator(f"#filters [data-verdict='{one}']")
        expected = sum(other["verdict"] == one for other in both)
        expect(button.locator("[data-count]")).to_have_text(str(expected))
    page.get_by_role("button", name="Show all", exact=True).click()
    expect(listed(page)).to_have_count(len(found))


def test_a_question_of_an_address_alone_is_listed_and_the_queue_runs_over_it(
    address: str, visit: Open
) -> None:
    question = findings(address)[-1]["question"]
    own = [one for one in findings(address) if one["question"] == question]
    page = visit(f"{address}/review?question={question.upper()}")
    expect(listed(page)).to_have_count(len(own))
    for n, name in enumerate(names(page), 1):
        is_at(page, n, len(own))
        expect(current(page)).to_have_id(name)
        page.keyboard.press("j")
    page.keyboard.press("k")  # the last one stayed
    is_at(page, len(own) - 1, len(own))


def test_words_are_searched_in_answers_and_by_author(address: str, visit: Open) -> None:
    page, found = visit(f"{address}/review"), findings(address)
    page.get_by_label("Words in answers").fill("EVENT loop")
    texts = [
        answer_text(address, one["left"]) + answer_text(address, one["right"]) for one in found
    ]
    with_words = {
        f"row-{n}" for n, text in enumerate(texts, 1) if "event" in text and "loop" in text
    }
    assert 0 < len(with_words) < len(found)
    expect(listed(page)).to_have_count(len(with_words))
    assert set(names(page)) == with_words
    page.get_by_label("Words in answers").fill("")
    expect(listed(page)).to_have_count(len(found))
    author = text_of(page.locator("#rows tbody bdi").nth(1))
    page.get_by_label("Author", exact=True).select_option(author)
    expect(listed(page)).not_to_have_count(len(found))
    for row in listed(page).all():
        assert author in text_of(row.locator("td").nth(4))
    page.fill("#text", "zebra")
    expect(page.locator("#none")).to_be_visible()
    page.get_by_role("button", name="Show all findings").click()
    expect(listed(page)).to_have_count(len(found))


def answer_text(address: str, id_: str) -> str:
    return str(get(address, f"/api/answer?id={id_}")["text"]).lower()


def test_columns_sort_and_the_queue_follows(address: str, visit: Open) -> None:
    page = visit(f"{address}/review")
    total = len(findings(address))
    for column, cell in [("question", 2), ("decision", 6), ("strength", 1)]:
        head = page.get_by_role("button", name=column, exact=True)
        head.click()
        first, second = "ascending", "descending"
        if column == "strength":  # the strongest come first
            first, second = second, first
        expect(head.locator("xpath=..")).to_have_attribute("aria-sort", first)
        up = names(page)
        head.click()
        expect(head.locator("xpath=..")).to_have_attribute("aria-sort", second)
        assert (up != names(page)) == (cell != 6) and set(up) == set(names(page))
        if cell == 2:
            texts = [text_of(row.locator("td").nth(2)) for row in listed(page).all()]
            assert texts == sorted(texts, reverse=True)
    expect(page).to_have_url(re.compile("sort=-strength(&|$)"))
    page.get_by_label("Order", exact=True).select_option("latest first")
    expect(page).to_have_url(re.compile("sort=-time"))
    times = page.locator("#rows tbody time").evaluate_all("all => all.map(one => one.dateTime)")
    assert times == sorted(times, reverse=True) and len(set(times)) > 1
    page.goto(f"{address}/review?sort=-strength")
    is_at(page, 1, total)
    expect(current(page)).to_have_id(f"row-{total}")
    page.keyboard.press("j")
    is_at(page, 2, total)
    expect(current(page)).to_have_id(f"row-{total - 1}")


def test_the_address_holds_the_state_and_the_back_button_goes_through_it(
    address: str, visit: Open
) -> None:
    page = visit(f"{address}/review")
    total, question = len(findings(address)), findings(address)[0]["question"]
    page.get_by_label("Question", exact=True).select_option(question)
    expect(page).to_have_url(re.compile(f"question={question}"))
    own = names(page)
    page.get_by_role("button", name="kind of match", exact=True).click()
    expect(page).to_have_url(re.compile("sort=verdict"))
    order = names(page)
    listed(page).last.locator("td").nth(2).click()
    is_at(page, len(own), len(own))
    shown = text_of(page.locator("#finding h2"))
    page.reload()
    eventually(page, names, order)
    expect(page.locator("#finding h2")).to_have_text(shown)
    is_at(page, len(own), len(own))
    page.go_back()  # the finding
    expect(page.locator("#finding h2")).not_to_have_text(shown)
    page.go_back()  # the order
    expect(page).not_to_have_url(re.compile("sort="))
    eventually(page, names, own)
    page.go_back()  # the question
    expect(listed(page)).to_have_count(total)
    expect(page.get_by_label("Question", exact=True)).to_have_value("")
    page.go_forward()
    expect(listed(page)).to_have_count(len(own))


# -- decisions -------------------------------------------------------------------------------------


def test_several_are_ticked_and_decided_at_once_and_undone_together(
    address: str, visit: Open
) -> None:
    page, total = visit(f"{address}/review"), len(findings(address))
    boxes = page.locator("#rows tbody input")
    boxes.nth(1).click()
    boxes.nth(4).click(modifiers=["Shift"])
    page.keyboard.press("x")  # the finding that is shown: the first
    expect(page.get_by_role("button", name="Dismiss 5")).to_be_visible()
    page.keyboard.press("n")
    page.keyboard.type("they worked together, as allowed")
    page.keyboard.press("Enter")
    page.keyboard.press("d")
    expect(page.locator("#decided")).to_have_text("5")
    expect(page.locator(".toast")).to_have_text("Dismissed: 5 findings")
    stored = decisions(address)
    assert len(stored) == 5
    assert {one["reason"] for one in stored} == {"they worked together, as allowed"}
    expect(current(page)).to_have_id("row-6")  # the next open one
    expect(page.locator("#note")).to_have_value("")
    expect(page.get_by_role("button", name=re.compile("^Dismiss d$"))).to_be_visible()
    page.keyboard.press("a")
    expect(page.locator("#to-ask")).to_have_text(", 1 to ask")
    expect(current(page)).to_have_id("row-7")
    page.reload()
    page.keyboard.press("u")
    expect(page.locator("#to-ask")).to_be_hidden()
    page.keyboard.press("u")
    expect(page.locator("#decided")).to_have_text("0")
    expect(page.locator(".toast")).to_have_text("5 decisions undone.")
    expect(current(page)).to_have_id("row-1")
    assert decisions(address) == []

    page.get_by_label("Tick all that are listed").check()
    page.get_by_role("button", name=f"Confirm {total}").click()
    expect(page.locator("#decided")).to_have_text(str(total))
    page.keyboard.press("u")
    expect(page.locator("#decided")).to_have_text("0")


def test_what_is_not_listed_any_more_is_not_decided(address: str, visit: Open) -> None:
    page, found = visit(f"{address}/review"), findings(address)
    page.get_by_label("Tick all that are listed").check()
    question = found[0]["question"]
    page.get_by_label("Question", exact=True).select_option(question)
    own = [one for one in found if one["question"] == question]
    page.get_by_role("button", name=f"Ask the student {len(own)}").click()
    expect(page.locator("#to-ask")).to_have_text(f", {len(own)} to ask")
    decided = decisions(address)
    assert {one["decision"] for one in decided} == {"asked"}
    assert len(decided) == len(own)


def test_a_list_of_open_findings_empties_and_the_note_of_a_decision_can_be_changed(
    address: str, visit: Open
) -> None:
    question = findings(address)[0]["question"]
    page = visit(f"{address}/review?question={question}&show=open")
    own = sum(one["question"] == question for one in findings(address))
    is_at(page, 1, own)
    page.fill("#note", "first note")
    page.keyboard.press("Enter")
    page.keyboard.press("c")
    for left in range(own - 1, 0, -1):
        is_at(page, 1, left)
        expect(listed(page)).to_have_count(left)
        page.keyboard.press("a")
    expect(listed(page)).to_have_count(0)
    expect(page.locator("#place")).to_be_empty()
    expect(page.locator("#none")).to_be_visible()
    page.locator("#filters [data-show=confirmed]").click()
    expect(listed(page)).to_have_count(1)
    expect(page.locator("#finding .notice")).to_contain_text("first note")
    expect(page.locator("#note")).to_have_value("first note")
    page.fill("#note", "second note")
    page.keyboard.press("Enter")
    page.keyboard.press("c")
    expect(page.locator("#finding .notice")).to_contain_text("second note")
    (stored,) = [one for one in decisions(address) if one["decision"] == "confirmed"]
    assert stored["reason"] == "second note"


def test_a_typed_note_stays_with_its_finding(address: str, visit: Open) -> None:
    page = visit(f"{address}/review")
    page.fill("#note", "not yet decided")
    page.keyboard.press("Enter")
    page.keyboard.press("j")
    expect(page.locator("#place")).to_have_text(re.compile("^2 of"))
    expect(page.locator("#note")).to_have_value("")
    page.keyboard.press("k")
    expect(page.locator("#place")).to_have_text(re.compile("^1 of"))
    expect(page.locator("#note")).to_have_value("not yet decided")


# -- around the table ------------------------------------------------------------------------------


def test_the_histogram_has_all_pairs_or_those_of_the_question(address: str, visit: Open) -> None:
    page = visit(f"{address}/review")
    page.get_by_text("Similarity of all pairs").click()
    caption = page.locator("#histogram figcaption")
    expect(caption).to_contain_text("pairs, half of them below")
    whole = text_of(caption)
    expect(page.locator("#histogram .dot")).to_have_count(len(findings(address)))
    dot = page.locator("#histogram a").last
    row = (dot.get_attribute("href") or "").removeprefix("#")
    assert row != "row-1"  # which is shown
    dot.dispatch_event("click")
    expect(current(page)).to_have_id(row)
    question = findings(address)[0]["question"]
    page.get_by_label("Question", exact=True).select_option(question)
    expect(caption).not_to_have_text(whole)
    own = sum(one["question"] == question for one in findings(address))
    expect(page.locator("#histogram .dot")).to_have_count(own)


def test_equal_answers_are_in_the_page_and_decided_there(address: str, visit: Open) -> None:
    page = visit(f"{address}/review")
    if not get(address, "/api/findings")["equal"]:
        expect(page.locator("#equal")).to_have_count(0)
        return
    page.locator("#equal summary").first.click()
    expect(page.locator("#equal .notice")).to_contain_text("word for word")


def test_names_are_hidden_in_table_filters_and_address(address: str, visit: Open) -> None:
    page = visit(f"{address}/review?author=s04")
    expect(page.locator("#place")).not_to_be_empty()
    count = listed(page).count()
    switch_names(page, hidden=True)
    is_at(page, 1, count)
    expect(listed(page)).to_have_count(count)
    expect(page.get_by_label("Author", exact=True)).to_have_value(re.compile(r"author \d+"))
    assert not re.search(r"\bs\d\d\b", page.content() + page.url)
    page.keyboard.press("j")
    is_at(page, 2, count)
    page.keyboard.press("c")
    expect(page.locator("#decided")).to_have_text("1")
    is_at(page, 1, count)  # the other one
    assert not re.search(r"\bs\d\d\b", page.content() + page.url)
    page.keyboard.press("u")
    expect(page.locator("#decided")).to_have_text("0")


def test_on_a_phone_list_and_finding_are_two_views_and_the_bar_is_in_sight(
    address: str, visit: Open
) -> None:
    page = visit(f"{address}/review", viewport={"width": 390, "height": 844})
    bar = page.get_by_role("group", name="Decide")
    expect(page.locator("#finding")).to_be_visible()
    expect(page.locator("#rows")).not_to_be_visible()
    for button in ("Confirm", "Ask", "Dismiss", "Undo", "Next finding", "Previous finding"):
        expect(bar.get_by_role("button", name=button)).to_be_in_viewport(ratio=1)
    box = bar.bounding_box()
    assert box and box["height"] < 130
    page.evaluate("scrollTo({ top: document.body.scrollHeight, behavior: 'instant' })")
    text = page.locator("#finding .answer").last.bounding_box()
    box = bar.bounding_box()
    assert text and box and text["y"] + text["height"] <= box["y"]  # the text's end isn't covered
    page.evaluate("scrollTo({ top: 0, behavior: 'instant' })")
    page.get_by_role("button", name=re.compile("^List")).click()
    expect(page.locator("#rows")).to_be_visible()
    expect(page.locator("#finding")).not_to_be_visible()
    assert width_over(page) == 0
    listed(page).nth(2).click()
    expect(page.locator("#finding")).to_be_visible()
    expect(page.locator("#place")).to_have_text(re.compile("^3 of"))
    bar.get_by_role("button", name="Confirm").click()
    expect(page.locator("#place")).to_have_text(re.compile("^4 of"))
    page.go_back()
    expect(page.locator("#rows")).to_be_visible()
    assert width_over(page) == 0


def test_on_a_phone_an_empty_list_says_so_in_the_place_of_the_finding(
    address: str, visit: Open
) -> None:
    page = visit(f"{address}/review?text=nobodywrotethis", viewport={"width": 390, "height": 844})
    expect(page.locator("#none")).to_be_visible()
    page.get_by_role("button", name="Show all findings").click()
    expect(page.locator("#finding h2")).to_be_visible()
    expect(page.locator("#rows")).not_to_be_visible()


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
def test_the_review_is_accessible(scheme: str, width: int, address: str, visit: Open) -> None:
    page = visit(
        f"{address}/review", bypass_csp=True, color_scheme=scheme,
        viewport={"width": width, "height": 800},
    )  # fmt: skip
    page.keyboard.press("c")
    expect(page.locator("#decided")).to_have_text("1")
    rules = {"rules": {"target-size": {"enabled": True}}, "resultTypes": ["violations"]}
    for path in ("", "?view=list", "?show=confirmed", "?show=dismissed"):
        page.goto(f"{address}/review{path}")
        page.locator("details").evaluate_all("all => all.forEach(one => { one.open = true; })")
        expect(page.locator("#histogram figcaption")).to_be_attached()
        if not path:
            page.keyboard.press("x")
            expect(page.locator("#untick")).to_be_visible()
        found = Axe().run(page, options=rules)
        assert not found.response["violations"], f"{path}: {found.generate_report()}"
        assert width_over(page) == 0, path


def test_a_question_without_findings_has_an_empty_list(address: str, visit: Open) -> None:
    page = visit(f"{address}/review?question=Q99")
    expect(page.locator("#none")).to_be_visible()
    expect(page.get_by_label("Question", exact=True)).to_have_value("q99")
    page.get_by_role("button", name="Show all findings").click()
    expect(listed(page)).to_have_count(len(findings(address)))
