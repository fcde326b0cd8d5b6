"""Comparing two answers for a page or a request: what chance does is computed once a question."""

from __future__ import annotations

from collections.abc import Hashable

from searchkit.plagiarism.compare import PairToCompare
from searchkit.plagiarism.likeness.significance import NullDistribution
from searchkit.plagiarism.records import Comparison
from searchkit.web.index_pool import IndexPool
from searchkit.web.jobs import Job


def chance_job(pool: IndexPool, left: str, right: str) -> Job[NullDistribution | None]:
    """Return the job that finds out what chance does in the question of two answers.

    Raises:
        NotFound: if there is no answer with one of the ids.
    """
    with pool.reading() as index:
        one, other = index.get([left, right])
    answers = one, other
    is_of_question = one.question is not None and one.question == other.question
    is_usual = left != right and all(a.text.strip() and not a.is_reference for a in answers)
    shared: Hashable = one.question if is_of_question and is_usual else (left, right)
    return pool.job(
        ("chance", shared), lambda index, _: PairToCompare.read(index, left, right).chance()
    )


def compare_in(
    pool: IndexPool, left: str, right: str, job: Job[NullDistribution | None]
) -> Comparison:
    """Compare two answers, once their job has finished.

    Raises:
        SearchkitError: as `compare`; IndexBusy if the job hasn't finished.
    """
    chance = job.get()
    with pool.reading() as index:
        return PairToCompare.read(index, left, right).compared(chance)
