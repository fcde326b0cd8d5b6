"""Answers in HTML are found like the same answers in plain text."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.cases import case

from searchkit import Index, find_plagiarism, ingest, read_answers


@pytest.mark.model
def test_case_43_half_of_a_class_in_html(tmp_path: Path) -> None:
    found = []
    for name in ("half", "none"):
        with Index.create(tmp_path / name) as index:
            ingest(index, read_answers([case(f"43-{name}-html.csv")]))
            findings = find_plagiarism(index).findings
        found.append({(f.left, f.right): f.expected for f in findings if f.expected < 0.05})
    assert len(found[0]) == 4
    assert found[0] == pytest.approx(found[1])
