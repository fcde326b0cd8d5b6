"""How far a job is, in numbers and in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from searchkit.core.errors import SearchkitError
from searchkit.core.messages import counted
from searchkit.plagiarism.records import PlagiarismResult
from searchkit.web.jobs import Job
from searchkit.web.messages import with_fields

JobState = Literal["running", "done", "failed"]


@dataclass(frozen=True, slots=True)
class JobProgress:
    """How far a job is.

    Attributes:
        id: The job's; another one means that it was computed anew.
        state: Whether it runs or waits to run, has a result, or has failed.
        done: The number of steps that are done.
        total: The number of all steps; 0 while it isn't known.
        seconds_left: How long it may still take; None while that is unknown.
        findings: The number of findings so far; None if the job doesn't look for any.
        text: All that in words.
        error: Why it failed.
    """

    id: str
    state: JobState
    done: int
    total: int
    seconds_left: float | None
    findings: int | None
    text: str
    error: str | None = None


def progress_of(job: Job[Any]) -> JobProgress:
    """Return how far a job is."""
    seconds, findings = job.seconds_left(), _count_findings(job)
    error = job.future.exception() if job.has_failed else None
    return JobProgress(
        job.id,
        "failed" if job.has_failed else "done" if job.has_finished else "running",
        job.done,
        job.total,
        None if seconds is None else round(seconds, 1),
        findings,
        "" if job.has_finished else _in_words(job, seconds, findings),
        _error_in_words(error) if error else None,
    )


def _count_findings(job: Job[Any]) -> int | None:
    result = job.last_result() if job.has_finished else None
    if isinstance(result, PlagiarismResult):
        return len(result.findings)
    return job.so_far.findings if job.so_far else None


def _in_words(job: Job[Any], seconds: float | None, findings: int | None) -> str:
    if not job.total:
        return "reading the answers"
    step = f"{min(job.done + 1, job.total):,} of {job.total:,}"
    parts = [f"question {step}" if job.so_far else step]
    if seconds is not None:
        parts.append(duration_in_words(seconds))
    text = ", ".join(parts)
    return text if findings is None else f"{text}; {counted(findings, 'finding')} so far"


def duration_in_words(seconds: float) -> str:
    """Return how long something may take, as precise as an estimate is."""
    if seconds < 7.5:
        return "a few seconds"
    if seconds < 57.5:
        return f"about {5 * round(seconds / 5)} s"
    if seconds < 90 * 60:
        return f"about {max(1, round(seconds / 60))} min"
    return f"about {round(seconds / 3600)} hours"


def _error_in_words(error: BaseException) -> str:
    if isinstance(error, SearchkitError):
        return with_fields(error.message)
    return "internal error; please report it; the server's log says where"
