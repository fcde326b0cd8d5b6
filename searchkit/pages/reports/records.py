"""The contents of a report, before they become a page or JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from searchkit.clustering.clusters import ClusterResult
from searchkit.core.records import Answer
from searchkit.pages.pseudonyms import Pseudonyms
from searchkit.plagiarism.records import PlagiarismResult


@dataclass(frozen=True, slots=True)
class QuestionScores:
    """A question of the report and its distribution of scores, or all answers together.

    Attributes:
        name: The question; None for all answers, or for those to no question.
        prompt: The text of the question, if a column has it.
        answers: Number of its answers, without blank ones and reference answers.
        counted: Number of its answers that `scores` covers: all, or `MAX_ROWS` evenly spaced ones.
        scores: Number of pairs in each bin of the cosine, from `score_counts`.
    """

    name: str | None
    prompt: str
    answers: int
    counted: int
    scores: list[int]


@dataclass(frozen=True, slots=True)
class Report:
    """The contents of a report.

    Attributes:
        made_at: Time of its making in UTC, as ISO 8601.
        status: What the index holds, from `status`.
        settings: The parameters of the search for plagiarism, in words, by their labels.
        plagiarism: The findings and rings.
        questions: The questions in order.
        clusters: The clusters of these questions; None if they were not asked for.
        answers: The answers that are displayed, by id.
        names: The pseudonyms of their authors and ids.
        manifest: From what it was made, to check it by; see `manifest.py`.
    """

    made_at: str
    status: dict[str, Any]
    settings: dict[str, str]
    plagiarism: PlagiarismResult
    questions: list[QuestionScores]
    clusters: ClusterResult | None
    answers: dict[str, Answer]
    names: Pseudonyms
    manifest: dict[str, Any]
