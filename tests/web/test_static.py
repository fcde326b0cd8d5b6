"""Styles and scripts, which a browser keeps."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from helpers.serving import client_of, make_index

from searchkit import Answer
from searchkit.web import static


def test_a_browser_keeps_styles_and_scripts_but_no_page(tmp_path: Path, toy: None) -> None:
    with client_of(make_index(tmp_path / "i", [Answer("a", "The loop waits.", "q1")])) as client:
        for path in ("/", "/review", "/search", "/groups", "/grade?question=q1", "/upload"):
            page = client.get(path)
            assert page.headers["cache-control"] == "no-store"
            files = set(re.findall(r'(?:href|src)="(/static/[^"]+)"', page.text))
            assert len(files) >= 5
            for file in files:
                answer = client.get(file)
                assert answer.status_code == 200, file
                assert answer.headers["cache-control"] == static.KEEP, file
        lost = client.get(f"{static.kept_address()}/nothing.js")
        assert (lost.status_code, lost.headers["cache-control"]) == (404, "no-store")


def test_other_contents_have_another_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(static, "STATIC_FOLDER", tmp_path)
    address = static.kept_address.__wrapped__
    (tmp_path / "a.css").write_text("a { color: red }")
    before = address()
    assert address() == before
    (tmp_path / "a.css").write_text("a { color: blue }")
    assert address() != before
