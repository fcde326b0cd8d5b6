"""What the pages about the whole corpus show, as it becomes ready: none of it is waited for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from fastapi import Request

from searchkit.core.records import Answer
from searchkit.grading.marking.progress import Progress, progress_by_question
from searchkit.pages.pseudonyms import Pseudonyms
from searchkit.plagiarism.preparation import prompt_of
from searchkit.plagiarism.records import PlagiarismResult
from searchkit.text.times import read_times
from searchkit.text.words import sentence_spans
from searchkit.web.grading.questions import last_suggested
from searchkit.web.index_pool import pool_of
from searchkit.web.jobs import Job, Result

MAX_EXAMPLES = 3  # queries that are suggested
EXAMPLE_WORDS = range(3, 21)  # that a query that is suggested may have


@dataclass(frozen=True, slots=True)
class Overview:
    """What the answers of a corpus come with.

    Attributes:
        prompts: The text of each question that has one, by its name; empty for no question.
        days: The first and the last day on which an answer was handed in, as `3 Nov 2025`; None if
            that isn't known of each answer that has a time.
        examples: Queries with something to find: questions if there are any, the largest first.
    """

    prompts: dict[str, str] = field(default_factory=dict)
    days: tuple[str, str] | None = None
    examples: list[str] = field(default_factory=list)


def survey(answers: Iterable[Answer]) -> Overview:
    """Return what the answers come with."""
    sizes, prompts, first_texts = Counter[str](), dict[str, str](), dict[str, str]()
    times: set[str] = set()
    for answer in answers:
        question = answer.question or ""
        sizes[question] += 1
        if question not in prompts and (prompt := prompt_of(answer)):
            prompts[question] = prompt
        if question not in first_texts and answer.text.strip():
            first_texts[question] = answer.text
        if answer.submitted_at:
            times.add(answer.submitted_at)
    questions = [question for question, _ in sizes.most_common()]
    texts = [  # questions are better queries than what somebody answered
        *(prompts.get(question, "") for question in questions),
        *questions,
        *(first_texts.get(question, "") for question in questions),
    ]
    examples = dict.fromkeys(filter(None, map(_example_query, texts)))
    asking_first = sorted(examples, key=lambda text: not text.endswith("?"))
    return Overview(prompts, _days(times), asking_first[:MAX_EXAMPLES])


def _example_query(text: str) -> str:
    """Return the first sentence of a text that can be a query; empty if there is none.

    One that asks comes first: a task such as "Explain in your own words." finds nothing.
    """
    sentences = [
        " ".join(words)
        for start, end in sentence_spans(text)
        if len(words := text[start:end].split()) in EXAMPLE_WORDS
    ]
    return min(sentences, key=lambda sentence: not sentence.endswith("?"), default="")


def _days(times: Iterable[str]) -> tuple[str, str] | None:
    read = read_times(times)
    if not read:
        return None
    first, last = (f"{day.day} {day:%b %Y}" for day in (min(read), max(read)))
    return first, last


def read_overview(request: Request) -> Overview | None:
    """Return what the answers come with; None while it is being read."""
    job = pool_of(request).job(
        "overview", lambda index, _: survey(index.answers()), "anything changes"
    )
    return _if_ready(request, job)


def grading_progress(request: Request, questions: Iterable[str]) -> dict[str, Progress] | None:
    """Return how far each of the questions is graded; None while it is being counted."""
    pool = pool_of(request)
    suggested = {question: last_suggested(pool, question) for question in questions}
    job = pool.job(
        "grading progress",
        lambda index, _: progress_by_question(index, suggested),
        "anything changes",
        version=tuple(map(tuple, suggested.values())),
    )
    return _if_ready(request, job)


def _if_ready(request: Request, job: Job[Result]) -> Result | None:
    is_ready = pool_of(request).wait(job, pool_of(request).page_timeout) and not job.has_failed
    return job.get() if is_ready else None


@dataclass(frozen=True, slots=True)
class FindingCounts:
    """How many findings there are, and how many of these are decided.

    Attributes:
        total: All findings.
        open: Those without a decision.
        asked: Those about which the students are to be asked.
        confirmed: Those that are copies.
        are_all: Whether all questions were compared; if not, these are the findings so far.
    """

    total: int
    open: int
    asked: int
    confirmed: int
    are_all: bool = True


def count_findings(result: PlagiarismResult) -> FindingCounts:
    """Return the number of findings by their decisions."""
    counts = Counter[str](result.decision(finding) for finding in result.findings)
    return FindingCounts(
        counts.total(),
        counts["open"],
        counts["asked"],
        counts["confirmed"],
        are_all=not result.questions_left,
    )


def hidden_text(text: str, names: Pseudonyms | None) -> str:
    """Return a text with pseudonyms in the place of names, if names are hidden."""
    return names.replace_in_text(text) if names else text
