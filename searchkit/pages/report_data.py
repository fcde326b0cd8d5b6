"""What a report shows, before it is drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from searchkit.clustering.clusters import ClusterResult
from searchkit.core.records import Answer
from searchkit.pages.pseudonyms import Pseudonyms
from searchkit.plagiarism.find import PlagiarismResult


@dataclass(frozen=True, slots=True)
class Question:
    """A question of the report, or all answers together.

    Attributes:
        name: The question; None: all answers, or those to no question.
        prompt: Its text, if a column has it.
        answers: How many there are that are not blank and no reference.
        counted: How many of them the scores are of, evenly chosen; fewer where there are very many.
        scores: How many pairs have which cosine, from `score_counts`.
    """

    name: str | None
    prompt: str
    answers: int
    counted: int
    scores: list[int]


@dataclass(frozen=True, slots=True)
class Report:
    """All that the report says.

    Attributes:
        made_at: When, in UTC, as ISO 8601.
        known: What the index holds, from `status`.
        settings: What was asked for, by its name.
        found: The findings and rings.
        questions: In order.
        clustered: Those questions' clusters.
        answers: The answers that are shown, by their ids.
        names: Who is called what where names are hidden.
    """

    made_at: str
    known: dict[str, Any]
    settings: dict[str, str]
    found: PlagiarismResult
    questions: list[Question]
    clustered: ClusterResult
    answers: dict[str, Answer]
    names: Pseudonyms
