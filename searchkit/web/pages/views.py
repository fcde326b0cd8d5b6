"""What several pages show: hits, answers, findings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from fastapi import Request

from searchkit.core.records import Answer, Hit
from searchkit.pages.pseudonyms import Pseudonyms
from searchkit.pages.segments import hit_segments, question_name
from searchkit.pages.views import FindingView, SideView, finding_view, side_view
from searchkit.plagiarism.records import Finding, PlagiarismResult
from searchkit.web.index_pool import findings_job, pool_of
from searchkit.web.rendering import JOB_TIMEOUT, pseudonyms


def hit_views(request: Request, hits: Sequence[Hit]) -> list[dict[str, Any]]:
    """Return what `hit.html` shows of some hits."""
    names = pseudonyms(request)
    return [
        {
            "hit": hit,
            "question": question_name(hit.answer.question, names),
            "segments": hit_segments(hit, names),
            "side": side_view(hit.answer, (), names),
        }
        for hit in hits
    ]


def side_views(answers: Sequence[Answer], names: Pseudonyms | None) -> list[SideView]:
    """Return some answers as they are displayed, without highlights."""
    return [side_view(answer, (), names) for answer in answers]


def findings_if_ready(request: Request) -> PlagiarismResult | None:
    """Return the findings with their decisions; None while they are computed, or on an error."""
    pool = pool_of(request)
    job = findings_job(pool)
    is_ready = pool.wait(job, JOB_TIMEOUT) and not job.has_failed
    return pool.with_decisions(job.get()) if is_ready else None


def finding_views(
    result: PlagiarismResult | None,
    is_wanted: Callable[[Finding], bool],
    names: Pseudonyms | None,
) -> list[FindingView]:
    """Return views of some findings, which keep their numbers among all findings."""
    if result is None:
        return []
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
