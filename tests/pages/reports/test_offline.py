"""The report in a browser, from a file: filters, orders, and decisions that are saved."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from helpers.answers import honest
from helpers.browsing import (
    Open,
    browser,
    text_of,
    texts_of,
    visit,
    width_over,
)
from helpers.encoder import ToyEncoder
from playwright.sync_api import Page, expect

from searchkit import Index
from searchkit.index.decisions import decide, decisions, import_decisions
from searchkit.pages.reports.make import make_report
from searchkit.pages.reports.page import report_as_page
from searchkit.plagiarism.records import PlagiarismOptions

__all__ = ["browser", "visit"]


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    answers = [
        replace(a, author=f"{question}-pupil-{n}")
        for question in ("loops", "streams")
        for n, a in enumerate(honest(30, question, len(question)))
    ]
    for left, right in ((3, 9), (5, 12), (35, 41)):
        answers[right] = replace(answers[right], text=f"{answers[left].text} as pupil-{left} said")
    with Index.create(tmp_path / "i", ToyEncoder(window=100)) as made:
        made.add(answers)
        decide(made, "loops-005", "loops-012", "dismissed", "one group")
        yield made


def opened(index: Index, path: Path, visit: Open, **settings: object) -> Page:
    anonymous = bool(settings.pop("anonymous", False))
    report = make_report(index, PlagiarismOptions(), anonymous=anonymous)
    path.write_text(report_as_page(report), "utf-8")
    return visit(path.as_uri(), **settings)


def shown(page: Page) -> list[str]:
    return [
        " and ".join(article.locator("h4 .name").all_text_contents())
        for article in page.locator("#findings .finding").all()
        if article.is_visible()
    ]


LOOPS, DISMISSED, STREAMS = (
    "loops-pupil-3 and loops-pupil-9", "loops-pupil-5 and loops-pupil-12",
    "streams-pupil-5 and streams-pupil-11",
)  # fmt: skip


def test_findings_are_filtered_searched_and_sorted_without_a_server(
    index: Index, tmp_path: Path, visit: Open
) -> None:
    page = opened(index, tmp_path / "r.html", visit)
    assert shown(page) == [LOOPS, STREAMS]  # the dismissed one is folded
    page.get_by_label("Question", exact=True).select_option(label="streams")
    assert shown(page) == [STREAMS]
    assert text_of(page.locator("#shown")) == "1 of 3 findings"
    page.get_by_role("button", name="Show all").click()
    page.locator("#by-decision").select_option("dismissed")
    assert shown(page) == [DISMISSED]
    page.get_by_role("button", name="Show all").click()
    page.locator("#by-author").select_option(label="loops-pupil-9")
    assert shown(page) == [LOOPS]
    page.locator("#by-author").select_option("")
    page.get_by_label("Text", exact=True).fill("PUPIL-35 said")
    assert shown(page) == [STREAMS]
    page.get_by_label("Text", exact=True).fill("")
    page.get_by_label("Order", exact=True).select_option("undecided first")
    assert sorted(shown(page)[:2]) == [LOOPS, STREAMS] and shown(page)[2] == DISMISSED
    page.get_by_label("Order", exact=True).select_option("by question")
    assert page.locator("section.question .finding").count() == 3
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement.className").startswith("card finding")


def test_hidden_names_are_hidden_in_the_filters(index: Index, tmp_path: Path, visit: Open) -> None:
    page = opened(index, tmp_path / "r.html", visit)
    page.get_by_role("button", name="Hide names").click()
    options = texts_of(page.locator("#by-author").locator("option"))
    assert options[0] == "all" and all(text.startswith("author ") for text in options[1:])
    page.locator("#by-author").select_option(label=options[1])
    assert text_of(page.locator("#shown")) == "1 of 3 findings"


def test_decisions_are_saved_as_a_file_that_is_imported(
    index: Index, tmp_path: Path, visit: Open
) -> None:
    page = opened(index, tmp_path / "r.html", visit)
    finding = page.locator("#findings .finding").filter(visible=True).first
    assert shown(page)[0] == LOOPS
    finding.get_by_label("Note").fill("the same slip in both")
    finding.get_by_role("button", name="Confirm").press("Enter")
    with page.expect_download() as download:
        page.get_by_role("button", name="Save 1 decision").click()
    path = tmp_path / "decisions.json"
    download.value.save_as(path)
    (record,) = json.loads(path.read_text("utf-8"))
    assert record["left_sha"] and record["decision"] == "confirmed"
    assert import_decisions(index, path) == 1
    stored = decisions(index)["loops-003", "loops-009"]
    assert (stored.decision, stored.reason) == ("confirmed", "the same slip in both")
    assert stored.decided_at == record["decided_at"] and not stored.is_stale
    assert import_decisions(index, path) == 0


def test_the_student_can_be_asked_and_the_stored_note_is_kept(
    index: Index, tmp_path: Path, visit: Open
) -> None:
    page = opened(index, tmp_path / "r.html", visit)
    page.locator("#by-decision").select_option("dismissed")
    finding = page.locator("#findings .finding").filter(visible=True)
    expect(finding.get_by_label("Note")).to_have_value("one group")
    finding.get_by_role("button", name="Ask the student").click()
    expect(finding.locator(".badge").last).to_have_text("? ask the student")
    expect(finding.locator(".decided")).to_have_count(0)
    page.get_by_role("button", name="Hide names").click()
    expect(finding.get_by_label("Note")).to_be_hidden()
    with page.expect_download() as download:
        page.get_by_role("button", name="Save 1 decision").click()
    path = tmp_path / "decisions.json"
    download.value.save_as(path)
    assert import_decisions(index, path) == 1
    stored = decisions(index)["loops-005", "loops-012"]
    assert (stored.decision, stored.reason) == ("asked", "one group")


def test_a_term_is_explained_by_its_button(index: Index, tmp_path: Path, visit: Open) -> None:
    page = opened(index, tmp_path / "r.html", visit)
    meaning = page.locator("#about-kind-of-match")
    expect(meaning).to_be_hidden()
    button = page.locator("#findings .finding .explain[popovertarget=about-kind-of-match]").first
    button.press("Enter")
    expect(meaning).to_be_visible()
    expect(meaning).to_contain_text("neither how sure it is nor who copied")
    page.keyboard.press("Escape")
    expect(meaning).to_be_hidden()
    expect(button).to_be_focused()


def test_an_anonymous_report_has_filters_and_no_decisions(
    index: Index, tmp_path: Path, visit: Open
) -> None:
    page = opened(index, tmp_path / "r.html", visit, anonymous=True)
    assert page.get_by_role("button", name="Show all").is_visible()
    assert page.get_by_role("button", name="Confirm").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_the_report_is_accessible_and_fits(
    index: Index, tmp_path: Path, visit: Open, scheme: str, width: int
) -> None:
    page = opened(
        index,
        tmp_path / "r.html",
        visit,
        color_scheme=scheme,
        viewport={"width": width, "height": 844},
        bypass_csp=True,
    )
    found = Axe().run(page)
    assert not found.response["violations"], found.generate_report()
    assert width_over(page) <= 0
