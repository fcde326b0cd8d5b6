"""The pages in a real browser over a real server: a teacher's workflows, and safety."""

from __future__ import annotations

import csv
import json
import re
import shutil
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import openpyxl
import pytest
from axe_playwright_python.sync_playwright import Axe
from helpers.browsing import (
    ROOT,
    Open,
    Server,
    browser,
    eventually,
    held,
    ingested,
    judged,
    searchkit,
    serving,
    settle,
    switch_names,
    text_of,
    texts_of,
    visit,
    width_over,
)
from playwright.sync_api import Locator, Page, expect

pytestmark = [pytest.mark.model, pytest.mark.slow]
__all__ = ["browser", "visit"]

DEMO = ROOT / "searchkit" / "demo" / "answers.csv"
PAGES = [
    "/", "/search?q=what+blocks+the+loop", "/search?q=zebra&mode=lexical", "/search?q=tomato+soup",
    "/author?name=s01", "/questions", "/question?name=q01",
    "/answer?id=q01-s18", "/compare?left=q01-s18&right=q01-s03", "/review", "/groups",
    "/group?number=2", "/groups?author=s07&other=s19&strength=3",
    "/review?show=confirmed", "/review?show=dismissed", "/upload", "/docs", "/answer?id=nobody",
]  # fmt: skip
REFUSED = "Failed to load resource"  # what the browser says of every answer from 400 on


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return judged(ingested(tmp_path_factory.mktemp("demo"), DEMO))


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("small")
    with DEMO.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["question"] in ("q01", "q02", "q03")]
    with (folder / "answers.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return judged(ingested(folder, folder / "answers.csv"))


@pytest.fixture
def copy(small: Path, tmp_path: Path) -> Path:
    """Return an index of three questions that a test may write into."""
    return Path(shutil.copytree(small, tmp_path / "index"))


@pytest.fixture(scope="module")
def running(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(shutil.copytree(demo, tmp_path_factory.mktemp("running") / "index")) as server:
        yield ready(server)


@pytest.fixture
def address(running: str) -> str:
    """Return the address of a server that all tests share, after undoing all decisions."""
    while get(running, "/api/decisions")["decisions"]:
        ask = urllib.request.Request(
            f"{running}/api/decisions", method="DELETE", headers={"origin": running}
        )
        urllib.request.urlopen(ask).close()
    return running


def get(address: str, path: str) -> Any:
    with urllib.request.urlopen(address + path) as response:
        return json.load(response)


def ready(server: Server) -> str:
    get(server.address, "/api/findings?wait=60")
    return server.address


def count(address: str) -> int:
    return len(get(address, "/api/findings")["findings"])


def title(page: Page) -> str:
    return text_of(page.locator("#finding h2"))


def shows(page: Page, finding: str) -> None:
    """Wait until a finding is shown, by its title."""
    expect(page.locator("#finding h2")).to_have_text(finding)


def place(page: Page) -> Locator:
    return page.locator("#place")


def pair(page: Page) -> str:
    """Return the ids of the finding that is shown, as `said` names a pair."""
    ids = page.locator("#finding .side > header > div:first-child > :last-child")
    return " and ".join(texts_of(ids))


def decide(page: Page, key: str, note: str = "") -> None:
    """Decide by keyboard, and wait until the next finding is shown."""
    before = title(page)
    if note:
        page.keyboard.press("n")
        expect(page.locator("#note")).to_be_focused()
        page.keyboard.type(note)
        page.keyboard.press("Enter")
    page.keyboard.press(key)
    expect(page.locator("#finding h2")).not_to_have_text(before)


def undo(page: Page, to: str) -> None:
    page.keyboard.press("u")
    shows(page, to)


def said(index: Path) -> dict[str, Any]:
    found = json.loads(searchkit("plagiarism", "-i", index, "--format", "json", "--quiet"))
    return {f"{one['left']} and {one['right']}": one for one in found["findings"]}


# -- search ----------------------------------------------------------------------------------------


def test_searching_while_typing_and_filtering(address: str, visit: Open) -> None:
    page = visit(f"{address}/search")
    expect(page.locator("#summary")).to_contain_text("466 answers to 16 questions")
    expect(page.locator("#field-q")).to_be_focused()
    page.keyboard.type("what blocks the event loop")
    expect(page.locator("article.hit")).to_have_count(20)
    expect(page.locator("#summary")).to_have_text("20 answers, the nearest first")
    expect(page).to_have_url(re.compile(r"q=what\+blocks\+the\+event\+loop"))
    expect(page.locator("mark.hit").first).to_be_visible()
    page.locator("[data-more]").click()
    expect(page.locator("article.hit")).to_have_count(40)

    page.fill("#field-question", "q02")
    questions = ".hit header a.soft"
    eventually(page, lambda page: set(texts_of(page.locator(questions))), {"q02"})
    page.fill("#field-author", "s09")
    expect(page.locator("#summary")).to_have_text("1 answer")
    page.reload()
    expect(page.locator("#summary")).to_have_text("1 answer")
    expect(page.locator(".hit strong")).to_have_text("q02-s09")
    page.fill("#field-author", "nobody")
    expect(page.locator(".empty")).to_contain_text("no author 'nobody' in ")


def test_lexical_search_takes_any_input_literally(address: str, visit: Open) -> None:
    page = visit(f"{address}/search?mode=lexical&q=libuv")
    texts = texts_of(page.locator(".hit .answer:visible"))
    assert texts and all("libuv" in text.lower() for text in texts)
    for text in ['"', "NEAR(", "*", "a AND NOT", "%", "<b>x</b>", "‮ x"]:
        page.fill("#field-q", text)
        page.locator("#search button").click()
        expect(page.locator("#hits")).not_to_have_attribute("aria-busy", "true")
        expect(page.locator(".toast")).to_have_count(0)
        expect(page.locator("#field-q")).to_have_value(text)


def test_text_typed_while_the_page_loads_is_searched(address: str, visit: Open) -> None:
    page = visit(f"{address}/upload")
    with held(page, "**/search.js"):
        page.goto(f"{address}/search", wait_until="commit")
        page.fill("#field-q", "what blocks the loop")
    expect(page.locator(".hit strong").first).to_be_visible()


def test_more_like_this_and_side_by_side(address: str, visit: Open) -> None:
    page = visit(f"{address}/search?q=what+blocks+the+event+loop")
    name = text_of(page.locator(".hit strong").first)
    page.get_by_text("More like this").first.click()
    expect(page.locator("h1")).to_have_text(name)
    expect(page.locator("#near + .hits > li")).to_have_count(8)
    expect(page.locator("#near")).to_be_in_viewport()
    page.get_by_text("Side by side").first.click()
    expect(page.locator(".side")).to_have_count(2)


# -- review ----------------------------------------------------------------------------------------


def test_twenty_findings_are_reviewed_by_keyboard_only(address: str, visit: Open) -> None:
    page = visit(f"{address}/review")
    first = title(page)
    page.keyboard.press("j")
    expect(place(page)).to_have_text(f"2 of {count(address)}")
    second = title(page)
    expect(page.locator("#seen")).to_have_text(second)
    page.keyboard.press("k")
    shows(page, first)

    decide(page, "c")
    shows(page, second)
    decide(page, "d", "both quote the <b>task</b>")
    third = title(page)
    page.keyboard.press("n")
    page.keyboard.type("adcj")  # a note decides nothing
    page.keyboard.press("Escape")
    expect(page.locator("#note")).not_to_be_focused()
    assert title(page) == third
    page.fill("#note", "")
    page.keyboard.press("Enter")
    expect(page.locator("#decided")).to_have_text("2")
    undo(page, second)
    undo(page, first)
    expect(page.locator("#decided")).to_have_text("0")

    seen = []
    for number in range(20):
        seen.append(title(page))
        decide(page, *(("d", f"reason {number}") if number % 2 else ("c",)))
    assert len(set(seen)) == 20
    expect(page.locator("#decided")).to_have_text("20")
    page.reload()
    expect(page.locator("#decided")).to_have_text("20")
    expect(place(page)).to_have_text(f"21 of {count(address)}")
    assert title(page) not in seen
    page.goto(f"{address}/review?show=open,asked")
    expect(place(page)).to_have_text(f"1 of {count(address) - 20}")
    page.goto(f"{address}/review?show=dismissed")
    expect(place(page)).to_have_text("1 of 10")
    expect(page.locator("#finding .notice")).to_contain_text(re.compile("Dismissed on .*reason 1"))

    page.goto(f"{address}/review")
    page.evaluate("sessionStorage.clear()")
    page.reload()
    page.keyboard.press("u")  # of an earlier visit
    expect(page.locator("#decided")).to_have_text("19")
    shows(page, seen[-1])


def test_a_group_of_students_is_decided_at_once(address: str, visit: Open) -> None:
    page = visit(f"{address}/group?number=1")
    form = page.locator("form.decide-all").first
    form.get_by_label("Note (optional)").fill("they may work together")
    form.get_by_label("Note (optional)").press("Enter")  # decides nothing
    rows = page.locator("details.of-group").first.locator("tbody tr")
    pairs = rows.count()
    form.get_by_role("button", name=f"Dismiss {pairs} pairs").click()
    expect(rows.locator("td:last-child")).to_have_text(["dismissed"] * pairs)
    decided = get(address, "/api/decisions")["decisions"]
    assert len(decided) == pairs
    assert {one["reason"] for one in decided} == {"they may work together"}


def test_the_next_open_finding_is_shown_in_every_list(address: str, visit: Open) -> None:
    page, total = visit(f"{address}/review?show=all"), count(address)
    names = []
    for number in range(1, 4):
        expect(place(page)).to_have_text(f"{number} of {total}")
        names.append(title(page))
        page.keyboard.press("j")
    expect(place(page)).to_have_text(f"4 of {total}")
    page.keyboard.press("k")
    expect(place(page)).to_have_text(f"3 of {total}")
    decide(page, "c")
    page.keyboard.press("k")
    shows(page, names[2])
    expect(page.locator("#finding .badge").last).to_have_text("✓ confirmed")
    page.keyboard.press("k")
    expect(place(page)).to_have_text(f"2 of {total}")
    decide(page, "c")
    expect(place(page)).to_have_text(f"4 of {total}")  # not the third: it is decided

    page.goto(f"{address}/review?show=confirmed")
    expect(place(page)).to_have_text("1 of 2")
    shows(page, names[1])
    page.get_by_role("button", name="Open again").click()
    shows(page, names[2])
    expect(place(page)).to_have_text("1 of 1")
    page.get_by_role("button", name="Open again").click()
    expect(page.locator("#finding h2")).to_have_count(0)
    expect(page.locator("#none")).to_be_visible()
    for key in "jkcd":  # nothing is left to decide about
        page.keyboard.press(key)
    undo(page, names[2])
    expect(page.locator("#none")).to_be_hidden()
    undo(page, names[1])
    expect(page.locator("[data-count=confirmed]")).to_have_text("2")


def test_quick_key_presses_are_not_lost(address: str, visit: Open) -> None:
    page = visit(f"{address}/review")
    first = title(page)
    # An undo waits for its decision; a decision that is asked for meanwhile is dropped.
    page.evaluate("""() => {
        const press = key => document.activeElement.dispatchEvent(
            new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
        press("d");
        press("u");
        press("c");
    }""")
    expect(page.locator(".toast")).to_have_text("Decision undone.")
    shows(page, first)
    expect(page.locator("#decided")).to_have_text("0")
    assert not get(address, "/api/decisions")["decisions"]


def test_focus_stays_on_the_buttons_that_decide(address: str, visit: Open) -> None:
    page = visit(f"{address}/review")
    bar = page.get_by_role("group", name="Decide")
    for button in ("Confirm", "Ask the student", "Dismiss"):
        before = title(page)
        bar.get_by_role("button", name=button).focus()
        page.keyboard.press("Enter")
        expect(page.locator("#finding h2")).not_to_have_text(before)
        expect(bar.get_by_role("button", name=button)).to_be_focused()
    expect(page.locator("#decided")).to_have_text("2")
    expect(page.locator("#to-ask")).to_have_text(", 1 to ask")


def test_decisions_survive_a_restart_and_new_answers(
    copy: Path, tmp_path: Path, visit: Open
) -> None:
    with serving(copy) as server:
        page = visit(f"{ready(server)}/review")
        confirmed = pair(page)
        decide(page, "c")
        dismissed = pair(page)
        decide(page, "d", "they may work together")
    more = tmp_path / "more.csv"
    more.write_text("id,question,author,answer\nnew1,q01,s77,A loop that waits for events.\n")
    ingested(tmp_path, more)
    with serving(copy) as server:
        page.goto(f"{ready(server)}/review")
        expect(page.locator("[data-count=dismissed]")).to_have_text("1")
        assert pair(page) not in (confirmed, dismissed)
        page.goto(f"{server.address}/review?show=dismissed")
        assert pair(page) == dismissed
        expect(page.locator("#finding .notice")).to_contain_text("they may work together")
    now = said(copy)
    assert now[confirmed]["decision"] == "confirmed"
    assert now[dismissed]["decision"] == "dismissed"


def test_acknowledged_decisions_survive_a_killed_server(
    demo: Path, tmp_path: Path, visit: Open
) -> None:
    copy = tmp_path / "index"
    shutil.copytree(demo, copy)  # the whole: with findings left when the server dies
    server = Server(copy)
    answered = set()
    try:
        page = visit(f"{ready(server)}/review", allowed=REFUSED)

        def keep(response: Any) -> None:
            if response.request.method == "POST" and response.status == 200:
                one = response.request.post_data_json
                answered.update((left, right) for left, right in one["pairs"])

        page.on("response", keep)
        for _ in range(5):
            decide(page, "c")
        threading.Timer(0.3, server.process.kill).start()
        until = time.monotonic() + 30
        while not page.locator(".toast.bad").count():
            assert time.monotonic() < until, "the page doesn't say that the server is gone"
            page.keyboard.press("c")
            page.wait_for_timeout(20)
        expect(page.locator(".toast.bad")).to_contain_text("The server doesn’t answer")
        shown, decided = title(page), text_of(page.locator("#decided"))
        for key in "cdu":
            with page.expect_event("requestfailed"):
                page.keyboard.press(key)
        expect(page.locator(".toast.bad")).to_have_count(1)
        assert (title(page), text_of(page.locator("#decided"))) == (shown, decided)
    finally:
        server.stop(kill=True)
    with serving(copy) as again:
        found = get(again.address, "/api/decisions")["decisions"]
    kept = {(one["left"], one["right"]) for one in found}
    assert len(answered) >= 5
    assert answered <= kept
    assert len(kept) - len(answered) <= 1  # written, and killed before it could say so


# -- groups, map, upload ---------------------------------------------------------------------------


def test_the_map_is_drawn_and_selected_answers_are_listed(address: str, visit: Open) -> None:
    page = visit(f"{address}/question?name=q01")
    page.get_by_role("button", name="Draw the map").click()
    expect(page.locator("#plot .point").first).to_be_visible(timeout=120_000)
    expect(page.locator("#plot .point")).to_have_count(28)
    colours = page.locator("#colour")
    assert {"group", "mark", "author", "score"} <= set(texts_of(colours.locator("option")))
    colours.select_option("mark")
    expect(page.locator("#plot .legend")).to_contain_text("9.5")
    page.get_by_role("button", name="Lasso").click()
    box = page.locator("#plot .nsewdrag").bounding_box()
    assert box
    left, top = box["x"] + 2, box["y"] + 2
    right, bottom = left + box["width"] - 4, top + box["height"] - 4
    page.mouse.move(left, top)
    page.mouse.down()
    for x, y in [(right, top), (right, bottom), (left, bottom), (left, top)]:
        page.mouse.move(x, y, steps=5)
    page.mouse.up()
    expect(page.locator("#chosen h3")).to_have_text("28 answers selected")
    page.get_by_role("button", name="Mark or move them").click()
    expect(page.locator("#chosen-count")).to_have_text("27 answers ticked")  # no reference
    expect(page.locator("#chosen-mark")).to_be_focused()


def write(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_a_file_is_uploaded_previewed_and_searched(copy: Path, tmp_path: Path, visit: Open) -> None:
    rows = "kennung,aufgabe,wer,was,notiz\n" + "".join(
        f'u{n},q77,w{n},"Zebras graze number {n}, calmly",\'{n}\n' for n in range(1, 301)
    )
    table = write(tmp_path, "more & <b>.csv", rows)
    with serving(copy) as server:
        page = visit(f"{server.address}/upload", allowed=REFUSED)
        count = get(server.address, "/api/status")["answers"]
        for bad, why in [
            (write(tmp_path, "bytes.csv", "id,answer\n1,Привет всем\n".encode("cp1251")), "UTF-8"),
            (write(tmp_path, "tool.exe", "MZ"), "not a kind of file"),
            (write(tmp_path, "empty.csv", ""), "empty"),
            (write(tmp_path, "bare.csv", "id,score\n1,2\n"), "bare.csv"),
        ]:
            page.set_input_files("#file", bad)
            wrong = page.locator("#wrong, #ingest .wrong").locator("visible=true")
            expect(wrong).to_contain_text(why)
            expect(wrong).to_contain_text(bad.name)
            expect(page.locator("#add:enabled:visible")).to_have_count(0)
        assert get(server.address, "/api/status")["answers"] == count

        page.set_input_files("#file", table)
        expect(page.locator("#confirm")).to_be_visible()
        for label, column in [("Answer", "was"), ("Id", "kennung"),
                              ("Question", "aufgabe"), ("Author", "wer")]:  # fmt: skip
            field = page.get_by_label(label, exact=True)
            field.select_option(column)
            expect(field).to_have_value(column)
        expect(page.locator("#rows tbody tr").first).to_contain_text("Zebras graze number 1")
        expect(page.locator("#wrong")).to_be_hidden()
        expect(page.locator("#check-summary")).to_contain_text("300 rows read: 300 added")
        page.get_by_role("button", name="Add to the index").click()
        expect(page.locator("#done")).to_be_visible()
        expect(page.locator("#done-title")).to_be_focused()
        expect(page.locator("#summary")).to_contain_text("300 rows read: 300 added")
        expect(page.locator("#grade")).to_have_attribute("href", "/grade?question=q77")
        expect(page.locator("#next").get_by_role("link", name="Look for copies")).to_be_visible()
        page.locator("#done").get_by_role("link", name="Search").click()
        page.fill("#field-q", "grazing zebras")
        expect(page.locator(".hit strong").first).to_have_text(re.compile(r"u\d+"))
        page.goto(f"{server.address}/answer?id=u7")
        expect(page.locator("dl.facts")).to_contain_text("more & <b>.csv:8")

        page.goto(f"{server.address}/upload")  # the same again, with a text changed
        page.set_input_files(
            "#file", write(tmp_path, "twice.csv", "id,answer\nu7,Something else\n")
        )
        expect(page.locator("#check-list")).to_contain_text("1 can’t be used")
        page.get_by_role("button", name="Add to the index").click()
        chosen = page.locator("#field-on_duplicate")
        expect(chosen).to_have_attribute("aria-invalid", "true")
        expect(chosen).to_be_focused()
        expect(page.locator("#field-on_duplicate-wrong")).to_contain_text("u7")
        expect(page.locator("#wrong")).to_be_hidden()
        assert get(server.address, "/api/status")["answers"] == count + 300
        assert Axe().run(page).response["violations"] == []
        chosen.select_option("keep-both")  # the file needn't be sent again
        expect(page.locator("#check-summary")).to_contain_text("1 added")
        expect(chosen).not_to_have_attribute("aria-invalid", "true")
        page.get_by_role("button", name="Add to the index").click()
        expect(page.locator("#summary")).to_contain_text("1 added")
        assert get(server.address, "/api/status")["answers"] == count + 301


def test_a_message_about_a_column_is_wide_and_in_the_forms_words(
    copy: Path, tmp_path: Path, visit: Open
) -> None:
    wide = write(
        tmp_path, "wide.csv",
        "First name,What is a loop?,Why does it end?\nAda,It runs what waits,No work is left\n",
    )  # fmt: skip
    one = write(
        tmp_path,
        "one.csv",
        "Nr,What was written,constructor\n1,It runs the callbacks that wait,Ada\n",
    )
    with serving(copy) as server:
        page = visit(f"{server.address}/upload")
        page.set_input_files("#file", wide)
        wrong = page.locator("#role-text-wrong")
        expect(wrong).to_have_text(
            re.compile("^no column .*“A row is a person, a column a question”$")
        )
        page.set_input_files("#file", one)
        expect(wrong).to_have_text(re.compile("^no column .*What was written looks like answers"))
        box, form = wrong.bounding_box(), page.locator("#roles").bounding_box()
        assert box and form and box["width"] > 0.9 * form["width"]
        page.get_by_label("Answer", exact=True).select_option("What was written")
        heads = page.locator("#rows thead th")
        expect(heads.first).to_be_visible()
        assert "Answer" in texts_of(heads) and "text" not in texts_of(heads)
        assert "constructor" in texts_of(heads)


def test_encoding_and_sheet_can_be_chosen(copy: Path, tmp_path: Path, visit: Open) -> None:
    book = openpyxl.Workbook()
    book.active.title = "notes"
    book.create_sheet("answers").append(["id", "answer"])
    book["answers"].append(["x1", "Okapis hide in the forest"])
    book["notes"].append(["nothing"])
    book.save(tmp_path / "book.xlsx")
    with serving(copy) as server:
        page = visit(f"{server.address}/upload")
        page.set_input_files(
            "#file",
            write(tmp_path, "old.csv", "id,answer\nx2,Привет всем\n".encode("cp1251")),
        )
        expect(page.locator("#field-encoding-wrong")).to_contain_text("“Encoding of the file”")
        page.fill("#field-encoding", "cp1251")
        page.get_by_role("button", name="Look again").click()
        expect(page.locator("#rows tbody")).to_contain_text("Привет всем")
        expect(page.locator("#wrong")).to_be_hidden()
        page.fill("#field-encoding", "")
        page.set_input_files("#file", tmp_path / "book.xlsx")
        expect(page.locator("#field-sheet-wrong")).to_contain_text("“Sheet of the workbook”")
        page.fill("#field-sheet", "answers")
        page.get_by_role("button", name="Look again").click()
        expect(page.locator("#rows tbody")).to_contain_text("Okapis hide")
        page.get_by_role("button", name="Add to the index").click()
        expect(page.locator("#counts")).to_contain_text("added1")


# -- names, and the report -------------------------------------------------------------------------

NAMED = re.compile(r"\bq\d\d-s\d\d\b|\bs\d\d\b")


def test_names_can_be_hidden_on_every_page(address: str, visit: Open) -> None:
    page = visit(f"{address}/search?q=event+loop")
    assert NAMED.search(page.content())
    switch_names(page, hidden=True)
    for path in ("/search?q=event+loop", "/review", "/groups", "/question?name=q01",
                 "/answer?id=q01-s18", "/compare?left=q01-s18&right=q01-s03"):  # fmt: skip
        page.goto(address + path)
        settle(page)
        expect(page.locator("main")).to_contain_text("answer ")
        assert not NAMED.search(page.content() + page.url), path
    page.goto(f"{address}/question?name=q01")
    switch_names(page, hidden=False)
    assert NAMED.search(page.content())


@pytest.mark.parametrize("link", ["the report", "without names"])
def test_the_report_is_downloaded_and_opens_from_disk(
    link: str, address: str, tmp_path: Path, visit: Open
) -> None:
    page = visit(f"{address}/review")
    page.get_by_text("What was compared").click()
    with page.expect_download(timeout=120_000) as download:
        page.get_by_role("link", name=link).click()
    download.value.save_as(tmp_path / "report.html")
    page.goto((tmp_path / "report.html").as_uri())
    expect(page.locator(".finding")).to_have_count(count(address))
    assert bool(NAMED.search(page.content())) == (link == "the report")
    page.pdf(path=tmp_path / "report.pdf")
    assert (tmp_path / "report.pdf").stat().st_size > 100_000


# -- hostile and odd corpora -----------------------------------------------------------------------

HIT = "window.hit=1"
PAYLOADS = [
    f"<script>{HIT}</script>", f"<img src=x onerror={HIT}>", f"javascript:{HIT}",
    f'"><svg onload={HIT}>', f"' autofocus onfocus='{HIT}", f"</script><script>{HIT}</script>",
    f"{{{{ {HIT} }}}}", f"\u202e{HIT}\u202c \u2066x", "\x1b[31mred\x07 \x01", "a&b=c#d?e/../f %2f+",
]  # fmt: skip
TEXT = (
    "The event loop takes one callback after another from its queue and runs each to the end, "
    "so that a long computation holds up every other client of the server for that time"
)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("hostile")
    rows = []
    for number, bad in enumerate(PAYLOADS):
        for question in range(2):
            rows += [
                {"id": f"{bad} {question}", "author": bad, "question": f"{bad[:40]} q{question}",
                 "submitted_at": bad, "prompt": bad, f"x {bad}": bad,
                 "text": f"{TEXT} {bad} {'abcdefghij'[number] * 9} and so on {question}"},
                {"id": f"copy {bad} {question}", "author": f"two {bad}",
                 "question": f"{bad[:40]} q{question}",
                 "text": f"{TEXT} {bad} {'abcdefghij'[number] * 9} and so on {question}"},
                *({"id": f"{n} {bad} {question}", "author": f"{n} {bad}",
                   "question": f"{bad[:40]} q{question}",
                   "text": f"{word} are {word[::-1]} {n} {bad}"}
                  for n, word in enumerate(["timers", "streams", "sockets", "modules"])),
            ]  # fmt: skip
    file = folder / f"<img src=x onerror={HIT}>.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    with serving(ingested(folder, file)) as server:
        ready(server)
        yield server


def test_hostile_content_of_a_corpus_stays_inert(hostile: Server, visit: Open) -> None:
    base = hostile.address
    page = visit(base, bypass_csp=True)  # so that it isn't only the policy that helps

    def look(path: str) -> None:
        response = page.goto(base + path)
        settle(page)
        assert response and response.status == 200, path
        assert page.evaluate("window.hit") is None, path
        assert not page.locator("a[href^='javascript'], main img, main svg[onload]").count(), path

    def links(start: str) -> list[str]:
        look(start)
        found = page.locator("main a").evaluate_all("all => all.map(a => a.getAttribute('href'))")
        return list(
            dict.fromkeys(one for one in found if one.startswith("/") and "/api" not in one)
        )

    questions = [one for one in links("/questions") if one.startswith("/question?")]
    assert len(questions) == 2 * len(PAYLOADS)
    look("/review")
    expect(page.locator("#finding h2")).to_be_visible()
    queue = get(base, "/api/findings")["findings"]
    assert len(queue) >= len(PAYLOADS)
    for one in queue[::2]:
        both = urlencode({"left": one["left"], "right": one["right"]})
        look(f"/review?show=all&{both}")
        expect(place(page)).to_have_text(f"{queue.index(one) + 1} of {len(queue)}")
        look(f"/compare?{both}")
    for bad in PAYLOADS:
        look(f"/answer?{urlencode({'id': f'{bad} 0'})}")
        look(f"/search?{urlencode({'q': bad, 'question': bad, 'author': bad})}")
        expect(page.locator("#field-author")).to_have_value(bad)
    for path in questions[::3]:
        for inner in links(path)[:3]:
            look(inner)
    links("/groups")
    look("/search?q=callback")
    expect(page.locator("article.hit")).to_have_count(20)


def test_hostile_answers_are_reviewed_marked_and_drawn(hostile: Server, visit: Open) -> None:
    bad = PAYLOADS[7]
    page = visit(f"{hostile.address}/review", bypass_csp=True)
    total = len(get(hostile.address, "/api/findings")["findings"])
    for _ in range(5):
        decide(page, "c")
    expect(page.locator("#decided")).to_have_text("5")
    kept = get(hostile.address, "/api/findings")["findings"]
    assert len(kept) == total
    assert sum(one["decision"] == "confirmed" for one in kept) == 5
    page.goto(hostile.address + "/question?" + urlencode({"name": f"{bad[:40]} q0"}))
    page.get_by_role("button", name="Draw the map").click()
    expect(page.locator("#plot .point").first).to_be_visible(timeout=120_000)
    page.locator("#plot .point").first.hover(force=True)
    expect(page.locator("#plot .hoverlayer .hovertext")).to_be_visible()
    page.get_by_role("link", name="Grade this question").click()
    card = page.locator("[data-item]").first
    card.get_by_label("Comment").fill(bad)
    card.get_by_label("Comment").press("Enter")
    expect(page.locator("#comments option")).to_have_attribute("value", bad)
    page.reload()
    expect(page.locator("[data-item]").first).to_be_visible()
    assert page.evaluate("window.hit") is None


ODD = {
    "one": [{"id": "only", "text": "One answer alone"}],
    "no-questions": [
        {"id": f"n{n}", "text": f"{word} is what I say"} for n, word in enumerate("abc")
    ] + [{"id": "blank", "text": ""}],
    "long": [
        {"id": f"{'i' * 400}{n}", "author": "A" * 300, "question": "W" * 300, "text": text,
         "c" * 300: "v" * 900}
        for n, text in enumerate(["word " * 3_000, "x" * 20_000, "word " * 2_999])
    ],
}  # fmt: skip


@pytest.mark.parametrize("kind", sorted(ODD))
def test_pages_of_unusual_corpora(kind: str, tmp_path: Path, visit: Open) -> None:
    rows = ODD[kind]
    file = write(tmp_path, "odd.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    question = rows[0].get("question")
    of_question = f"?name={quote(question)}" if question else ""
    with serving(ingested(tmp_path, file)) as server:
        page = visit(ready(server), viewport={"width": 360, "height": 740})
        for path in ["/", "/search?q=answer", "/questions", f"/question{of_question}", "/review",
                     f"/grade?question={quote(question or '')}",
                     "/groups", *(f"/answer?id={quote(row['id'])}" for row in rows)]:  # fmt: skip
            response = page.goto(server.address + path)
            assert response and response.status == 200, path
            settle(page)
            assert width_over(page) == 0, path
            assert "None" not in text_of(page.locator("main")), path
        page.goto(f"{server.address}/question{of_question}")
        page.get_by_role("button", name="Draw the map").click()
        drawn = page.locator("#plot .point, .toast.bad").first
        expect(drawn).to_be_visible()


# -- light and dark, wide and narrow, with and without a mouse -------------------------------------


@pytest.mark.parametrize("width", [1280, 360])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_is_accessible(scheme: str, width: int, address: str, visit: Open) -> None:
    page = visit(
        address, allowed=REFUSED, bypass_csp=True, color_scheme=scheme,
        reduced_motion="reduce", viewport={"width": width, "height": 800},
    )  # fmt: skip
    page.goto(f"{address}/review")
    decide(page, "c")
    decide(page, "d", "a reason")
    axe = Axe()
    rules = {"rules": {"target-size": {"enabled": True}}, "resultTypes": ["violations"]}
    all_pages = (scheme, width) in (("light", 1280), ("dark", 360))  # of the others a few
    for path in PAGES if all_pages else PAGES[::6]:
        page.goto(address + path)
        settle(page)
        assert width_over(page) == 0, path
        page.locator("details").evaluate_all("all => all.forEach(one => { one.open = true; })")
        found = axe.run(page, options=rules)
        assert not found.response["violations"], f"{path}: {found.generate_report()}"
        assert width_over(page) == 0, path


def ground(page: Page) -> int:
    colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
    return sum(map(int, re.findall(r"\d+", colour)[:3])) // 3


def test_the_theme_follows_the_system_until_it_is_chosen(address: str, visit: Open) -> None:
    assert ground(visit(address)) > 200
    page = visit(address, color_scheme="dark")
    assert ground(page) < 60
    page.get_by_role("button", name="Light or dark").click()
    assert ground(page) > 200
    page.goto(f"{address}/questions")
    assert ground(page) > 200
    page.get_by_role("button", name="Light or dark").click()
    page.reload()
    assert ground(page) < 60


@pytest.mark.parametrize("path", ["/search?q=loop&n=2", "/review", "/upload", "/answer?id=q01-s18"])
def test_the_tab_key_reaches_everything_with_visible_focus(
    path: str, address: str, visit: Open
) -> None:
    page = visit(address + path)
    page.evaluate("document.body.tabIndex = -1; document.body.focus()")  # not in a field
    page.keyboard.press("Tab")
    skip = page.locator(".skip")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()
    page.reload()
    page.evaluate("document.body.tabIndex = -1; document.body.focus()")  # not in a field
    stops = page.evaluate(
        "[...document.querySelectorAll('a[href], button, input, select, summary')]"
        ".filter(one => one.tabIndex >= 0 && !one.disabled"
        " && one.checkVisibility({ visibilityProperty: true })).length"
    )
    assert stops > 8
    places = []
    for _ in range(stops):
        page.keyboard.press("Tab")
        places.append(page.evaluate(
            "(() => { const one = document.activeElement, look = getComputedStyle(one);"
            "return [[...document.querySelectorAll('*')].indexOf(one),"
            "look.outlineStyle !== 'none' && parseFloat(look.outlineWidth) >= 2]; })()"
        ))  # fmt: skip
    order = [place for place, _ in places]
    assert order == sorted(set(order))
    assert all(seen for _, seen in places)
