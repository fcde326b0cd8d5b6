"""The files of `../shared/cases` about findings, by their numbers."""

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


@pytest.mark.model
def test_case_34_a_common_bibliography_is_a_finding_until_it_is_the_template(
    tmp_path: Path,
) -> None:
    with Index.create(tmp_path / "i") as index:
        ingest(index, read_answers([case("34-bibliography.csv")]))
        (finding,) = find_plagiarism(index).findings
        assert (finding.left, finding.right) == ("q16/s01", "q16/s08")
        template = case("34-refs.txt").read_text(encoding="utf-8")
        assert not find_plagiarism(index, template=template).findings
