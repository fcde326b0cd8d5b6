"""How many answers, questions and authors a collection has."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any

from searchkit.index.milvus.rows import MilvusAnswer


def count_all(answers: Iterable[MilvusAnswer]) -> dict[str, int]:
    """Return the number of answers, blank ones, questions, authors, passages and vectors.

    Among them are the answers that are earlier attempts.
    """
    blank, passages, total, earlier = 0, 0, 0, 0
    questions, authors, hashes = set(), set(), set()
    for stored in answers:
        total += 1
        blank += not stored.passages
        passages += len(stored.passages)
        questions.add(stored.answer.question)
        authors.add(stored.answer.author_key)
        hashes.update(stored.hashes)
        earlier += stored.answer.attempt < stored.answer.attempts
    return {
        "answers": total,
        "blank": blank,
        "questions": len(questions - {None}),
        "authors": len(authors - {None}),
        "passages": passages,
        "vectors": len(hashes),
        "earlier_attempts": earlier,
    }


def count_by_question(stored: Iterable[MilvusAnswer]) -> list[dict[str, Any]]:
    """Return the number of answers and authors of each question, in order of the questions."""
    answers: Counter[str | None] = Counter()
    authors: dict[str | None, set[str | None]] = defaultdict(set)
    for answer in (one.answer for one in stored):
        answers[answer.question] += 1
        authors[answer.question].add(answer.author_key)
    ordered = sorted(answers, key=lambda name: (name is not None, name or ""))
    return [
        {"question": name, "answers": answers[name], "authors": len(authors[name] - {None})}
        for name in ordered
    ]
