"""The README's pictures of the pages, taken anew: `make pictures`."""

from __future__ import annotations

import json
import tempfile
import urllib.request
from pathlib import Path

from helpers.browsing import ROOT, chromium, searchkit, serving

IMAGES = ROOT / "docs" / "images"

with tempfile.TemporaryDirectory() as folder:
    index = Path(folder) / "demo"
    searchkit("ingest", ROOT / "searchkit" / "demo" / "answers.csv", "-i", index, "--quiet")
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
        page.goto(f"{server.address}/question?name=q01")
        group = page.locator(".cluster").nth(1)
        group.get_by_label("Mark", exact=True).fill("8")
        group.get_by_label("Comment").fill("Right; say what it means for other clients.")
        group.scroll_into_view_if_needed()
        group.evaluate("one => scrollTo(0, one.getBoundingClientRect().top + scrollY - 16)")
        picture("question.png")
        page.get_by_role("button", name="Draw the map").click()
        page.locator("#plot .point").first.wait_for()
        page.locator("#map").evaluate("one => one.scrollIntoView({ behavior: 'instant' })")
        page.locator("#plot .point").first.hover(force=True)
        page.wait_for_timeout(500)
        picture("map.png")
