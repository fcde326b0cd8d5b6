"""The report on paper: at most a page a finding, numbered pages, no name lost in what is cut."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pypdf
import pytest
from helpers.answers import honest
from helpers.browsing import Open, browser, visit
from helpers.encoder import ToyEncoder

from searchkit import Index
from searchkit.pages.reports.make import make_report
from searchkit.pages.reports.page import report_as_page
from searchkit.pages.reports.paper import MAX_LINES, shorten_for_paper
from searchkit.pages.segments import Highlight, Segment, segments
from searchkit.plagiarism.records import PlagiarismOptions

__all__ = ["browser", "visit"]

WORDS = "water rises through the pipe until both levels are the same "


def shown(parts: list[Segment]) -> str:
    return "".join(run.text for part in parts if not part.screen_only for run in part.runs)


def everything(parts: list[Segment]) -> str:
    return "".join(run.text for part in parts for run in part.runs)


@pytest.mark.parametrize(
    ("text", "highlights"),
    [
        (WORDS * 200, []),
        (WORDS * 200, [Highlight(6_000, 6_060, "verbatim", 1)]),
        (WORDS * 200, [Highlight(0, len(WORDS) * 200, "verbatim", 1)]),
        (WORDS * 200, [Highlight(n, n + 60, "verbatim", n) for n in range(1, 12_000, 70)]),
        ("x = 1\n" * 900, [Highlight(600, 3_600, "verbatim", 1)]),
    ],
)
def test_a_long_text_keeps_on_paper_what_fits_on_a_page(
    text: str, highlights: list[Highlight]
) -> None:
    whole = segments(text, highlights)
    parts = shorten_for_paper(whole)
    assert everything(parts) == text
    assert 100 < len(shown(parts)) < 60 * MAX_LINES
    marks = [mark for part in parts for mark in part.opens]
    assert marks == [mark for part in whole for mark in part.opens]
    if len(highlights) == 1 and highlights[0].end - highlights[0].start < 100:
        assert text[slice(highlights[0].start, highlights[0].end)] in shown(parts)


def test_a_short_text_is_not_cut() -> None:
    parts = segments(WORDS * 20, [Highlight(5, 90, "verbatim", 1)])
    assert shorten_for_paper(parts) == parts


def test_findings_of_any_length_take_a_page_at_most(tmp_path: Path, visit: Open) -> None:
    answers = honest(40)
    long = " ".join(f"{answer.text}\n" for answer in honest(60, "long", 5, 120))
    for n in (3, 9):
        answers[n] = replace(answers[n], text=f"{long}{answers[n].text}")
    for n in (5, 12):
        answers[n] = replace(answers[n], text=f"{long[:400]}{answers[n].text}")
    with Index.create(tmp_path / "i", ToyEncoder(window=100)) as index:
        index.add(answers)
        report = make_report(index, PlagiarismOptions())
    (tmp_path / "report.html").write_text(report_as_page(report), "utf-8")
    page = visit((tmp_path / "report.html").as_uri())
    page.pdf(path=tmp_path / "report.pdf", prefer_css_page_size=True)
    pages = [p.extract_text() for p in pypdf.PdfReader(tmp_path / "report.pdf").pages]
    assert len(long) > 30_000 and len(report.plagiarism.findings) >= 2
    assert len(pages) <= 3 + len(report.plagiarism.findings)
    assert [f"page {n} of {len(pages)}" in text for n, text in enumerate(pages, 1)] == [True] * len(
        pages
    )
    assert "The strongest" in pages[0] and "Contents" in pages[0]
    assert "How this report was made" in pages[-1]
