"""The README's pictures of the pages, taken anew: `make pictures`."""

from __future__ import annotations

import csv
import json
import tempfile
import urllib.request
from pathlib import Path

from helpers.browsing import ROOT, chromium, searchkit, serving

DEMO = ROOT / "searchkit" / "demo" / "answers.csv"
IMAGES = ROOT / "docs" / "images"

with tempfile.TemporaryDirectory() as folder:
    index = Path(folder) / "demo"
    searchkit("ingest", DEMO, "-i", index, "--quiet")
    with DEMO.open(encoding="utf-8", newline="") as file:
        scores = {row["id"]: row["score"] for row in csv.DictReader(file)}
    with serving(index) as server, chromium() as browser:
        with urllib.request.urlopen(server.address + "/api/findings?wait=60") as response:
            found = json.load(response)["findings"]
        page = browser.new_page(viewport={"width": 1200, "height": 760})
        page.set_default_timeout(60_000)

        def picture(name: str) -> None:
            page.screenshot(path=IMAGES / name)

        IMAGES.mkdir(parents=True, exist_ok=True)
        page.goto(f"{server.address}/?q=what+happens+when+the+reader+is+slower+than+the+writer")
        picture("search.png")
        revised = next(one for one in found if one["verdict"] == "light revision")
        page.goto(f"{server.address}/review?left={revised['left']}&right={revised['right']}")
        picture("review.png")
        page.goto(f"{server.address}/grade?question=q01")
        page.locator("#settings summary").click()
        page.get_by_label("Column for marks").fill("my_mark")  # the corpus has marks already
        page.get_by_role("button", name="Save the scale").click()
        page.locator("#progress", has_text="0 of 27").wait_for()
        page.locator("#settings summary").click()
        for number in range(1, 13):
            page.keyboard.press("g")
            name = page.evaluate("document.activeElement.dataset.item.slice(2)")
            page.keyboard.type(scores[name])
            page.keyboard.press("Enter")
            page.locator("#progress", has_text=f"{number} of 27").wait_for()
        page.locator(".why").first.wait_for(state="attached")
        group = page.locator(".group").first
        group.get_by_label("Comment").first.fill("Right; say what it means for other clients.")
        page.evaluate("scrollTo(0, document.querySelector('#promise').offsetTop - 120)")
        picture("grade.png")
        page.goto(f"{server.address}/question?name=q01")
        page.get_by_role("button", name="Draw the map").click()
        page.locator("#plot .point").first.wait_for()
        page.locator("#map").evaluate("one => one.scrollIntoView({ behavior: 'instant' })")
        page.locator("#plot .point").first.hover(force=True)
        page.wait_for_timeout(500)
        picture("map.png")
