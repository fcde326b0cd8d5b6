"""Cohorts: the answers of an index, and those of an index of earlier ones, as they are compared."""

from __future__ import annotations

from dataclasses import replace

from searchkit.core.where import Attempts
from searchkit.index.backend import check_earlier
from searchkit.index.base import BaseIndex
from searchkit.plagiarism.preparation import PreparedAnswer, read_prepared


def read_cohorts(
    index: BaseIndex,
    against: BaseIndex | None,
    attempts: Attempts = "latest",
    *,
    question: str | None = None,
) -> list[PreparedAnswer]:
    """Return the answers of an index, and those of an earlier one, with NAME:ID for their ids.

    Args:
        index: Of the new answers.
        against: Of earlier ones.
        attempts: Which of an author's attempts at a question counts.
        question: The question whose answers are returned; None for all.

    Raises:
        BadInput: if the two are one index.
        IndexMismatch: if they were made with two models.
    """
    texts = list(read_prepared(index, is_earlier=False, attempts=attempts, question=question))
    if against is None:
        return texts
    check_earlier(index, against, "against")
    for text in read_prepared(against, is_earlier=True, attempts=attempts, question=question):
        id_ = f"{against.name}:{text.answer.id}"
        texts.append(replace(text, answer=replace(text.answer, id=id_)))
    return texts
