"""What several pages show: hits, answers, findings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from fastapi import Request

from searchkit.core.records import Answer, Hit, Passage
from searchkit.core.results import Results
from searchkit.grading.marking.settings import marks_of
from searchkit.index.query import Mode
from searchkit.output.console import excerpt_bounds
from searchkit.output.search import hit_spans
from searchkit.pages.pseudonyms import Pseudonyms
from searchkit.pages.segments import answer_name, author_name, hit_segments, question_name
from searchkit.pages.views import FindingView, SideView, finding_view, side_view
from searchkit.plagiarism.records import Finding, PlagiarismResult
from searchkit.text.languages.locales import locale_of
from searchkit.web.index_pool import findings_job, pool_of
from searchkit.web.job_progress import JobProgress
from searchkit.web.rendering import job_progress, pseudonyms

NOTHING_YET = PlagiarismResult(
    findings=Results(), rings=Results(), answers=0, short=0, pairs=0, questions=0, pooled=[],
    by_passages=False, texts={}, questions_left=1,
)  # fmt: skip
MAX_HIT_LENGTH = 600  # characters of an answer that a list of hits shows


def hit_views(
    request: Request, hits: Sequence[Hit], mode: Mode | None = "semantic"
) -> list[dict[str, Any]]:
    """Return what `hit.html` shows of some hits; `mode` is None for answers without a rank."""
    names = pseudonyms(request)
    with pool_of(request).reading() as index:
        marks = marks_of([hit.answer for hit in hits], index.grading.settings())
    return [
        {
            "answer": answer_name(hit.answer.id, names),
            "author": author_name(hit.answer.author, names) if hit.answer.author else None,
            "locale": locale_of(hit.answer.text, hit.answer.language),
            "question": question_name(hit.answer.question, names),
            "mark": mark,
            "similarity": hit.score if mode == "semantic" else None,
            "is_close": hit.is_close,
        }
        | _shown_text(hit, names)
        for hit, mark in zip(hits, marks, strict=True)
    ]


def answer_views(request: Request, answers: Sequence[Answer]) -> list[dict[str, Any]]:
    """Return what `hit.html` shows of answers that weren't searched for."""
    whole = [Hit(0, 0.0, answer, Passage(0, len(answer.text))) for answer in answers]
    return hit_views(request, whole, None)


def _shown_text(hit: Hit, names: Pseudonyms | None) -> dict[str, Any]:
    """Return the text around what is marked in it, and if that isn't all, the whole text."""
    text = hit.answer.text
    shown = excerpt_bounds(text, hit_spans(hit), MAX_HIT_LENGTH)
    is_whole = shown == (0, len(text))
    return {
        "segments": hit_segments(hit, names, shown),
        "before": shown[0] > 0,
        "after": shown[1] < len(text),
        "whole": None if is_whole else hit_segments(hit, names),
    }


def side_views(answers: Sequence[Answer], names: Pseudonyms | None) -> list[SideView]:
    """Return some answers as they are displayed, without highlights."""
    return [side_view(answer, (), names) for answer in answers]


def current_findings(request: Request) -> tuple[PlagiarismResult, JobProgress]:
    """Return the findings with their decisions, and how far the search for them is.

    While it runs they are those of the finished questions, as an ordinary result; on an error there
    are none. A page shows the progress with `m.findings_progress`.
    """
    pool = pool_of(request)
    job = findings_job(pool)
    pool.wait(job, pool.page_timeout)
    progress = job_progress(request, job)  # first, so that it never counts more than is shown
    if job.has_failed:
        job.was_delivered = True  # the next page tries again
        result = NOTHING_YET
    elif job.has_finished:
        result = job.get()
    else:
        result = (job.so_far and job.so_far.result()) or NOTHING_YET
    return pool.with_decisions(result), replace(progress, findings=len(result.findings))


def finding_views(
    result: PlagiarismResult,
    is_wanted: Callable[[Finding], bool],
    names: Pseudonyms | None,
) -> list[FindingView]:
    """Return views of some findings, which keep their numbers among all findings."""
    return [
        numbered_view(result, finding, number, names)
        for number, finding in enumerate(result.findings, 1)
        if is_wanted(finding)
    ]


def numbered_view(
    result: PlagiarismResult, finding: Finding, number: int, names: Pseudonyms | None
) -> FindingView:
    """Return a finding as it is displayed, with its number among all findings."""
    return finding_view(
        finding,
        result.texts[finding.left],
        result.texts[finding.right],
        number=number,
        names=names,
        decision=result.decision_about(finding.left, finding.right),
    )
