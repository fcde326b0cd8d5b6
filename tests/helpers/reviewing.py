"""What the tests of the review page read from a page and from its server."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

from playwright.sync_api import Locator, Page, expect


def get(address: str, path: str) -> Any:
    with urllib.request.urlopen(address + path) as response:
        return json.load(response)


def findings(address: str) -> list[dict[str, Any]]:
    return get(address, "/api/findings")["findings"]


def decisions(address: str) -> list[dict[str, Any]]:
    """Return the latest decision about each pair."""
    return get(address, "/api/decisions")["decisions"]


def listed(page: Page) -> Locator:
    return page.locator("#rows tbody tr:visible")


def names(page: Page) -> list[str]:
    return [row.get_attribute("id") or "" for row in listed(page).all()]


def current(page: Page) -> Locator:
    return page.locator("tr[aria-current]")


def is_at(page: Page, number: int, total: int) -> None:
    """Wait until a finding is shown, by its place in the list."""
    expect(page.locator("#place")).to_have_text(f"{number} of {total}")
