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


def half_graded(folder: Path) -> Path:
    """Return the demo corpus with marks for some of the first question's answers only."""
    with DEMO.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for number, row in enumerate(rows):
        if row["question"] == "q01" and number % 2:
            row["score"] = ""
    path = folder / "answers.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


with tempfile.TemporaryDirectory() as folder:
    index = Path(folder) / "demo"
    searchkit("ingest", half_graded(Path(folder)), "-i", index, "--quiet")
    with serving(index) as server, chromium() as browser:
        with urllib.request.urlopen(server.address + "/api/findings?wait=60") as response:
            found = json.load(response)["findings"]
        page = browser.new_page(viewport={"width": 1200, "height": 760})
        page.set_default_timeout(60_000)

        def picture(name: str) -> None:
            page.screenshot(path=IMAGES / name)

        IMAGES.mkdir(parents=True, exist_ok=True)
        page.goto(server.address)
        page.locator("#live:not([data-pending])").wait_for()
        picture("start.png")
        page.goto(
            f"{server.address}/search?q=what+happens+when+the+reader+is+slower+than+the+writer"
        )
        picture("search.png")
        revised = next(one for one in found if one["verdict"] == "light revision")
        page.goto(f"{server.address}/review?left={revised['left']}&right={revised['right']}")
        picture("review.png")
        page.goto(f"{server.address}/groups?author=s30")
        page.locator("#chosen h2").wait_for()
        picture("groups.png")
        page.goto(f"{server.address}/grade?question=q01")
        page.locator("#accept-all").wait_for()
        group = page.locator(".group").first
        group.get_by_label("Comment").first.fill("Right; say what it means for other clients.")
        page.locator(".bar").evaluate("one => scrollTo(0, one.offsetTop)")
        picture("grade.png")
        page.goto(f"{server.address}/question?name=q01")
        page.get_by_role("button", name="Draw the map").click()
        page.locator("#plot .point").first.wait_for()
        page.locator("#map").evaluate("one => one.scrollIntoView({ behavior: 'instant' })")
        page.locator("#plot .point").first.hover(force=True)
        page.wait_for_timeout(500)
        picture("map.png")
