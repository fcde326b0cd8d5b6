"""A made-up course with marks: four questions, where an answer's score counts its points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from helpers.encoder import ToyEncoder
from searchkit import Answer, Index

POINTS = {
    "q1": "callback queue stack thread".split(),
    "q2": "chunk memory pipe pressure".split(),
    "q3": "header origin browser preflight".split(),
    "q4": "session cookie token revoke".split(),
}
PADDING = "well so indeed perhaps then also really quite".split()


def course(each: int = 14, seed: int = 0) -> list[Answer]:
    """Return a reference answer and `each` marked answers to every question.

    A mark is the number of the question's points in the text.
    """
    rng = np.random.default_rng(seed)
    answers = []
    for question, points in POINTS.items():
        answers.append(
            Answer(f"{question}-ref", " ".join(points), question, "reference", meta={"score": "4"})
        )
        for n in range(each):
            named_points = [point for point in points if rng.random() < 0.6]
            text = " ".join([*named_points, *rng.choice(PADDING, 2)])
            mark = {
                "score": str(len(named_points)),
                "verdict": "pass" if len(named_points) > 2 else "fail",
            }
            answers.append(Answer(f"{question}-{n:02}", text, question, f"s{n:02}", meta=mark))
    return answers


def with_scores(answers: Sequence[Answer], changes: Mapping[str, str | None]) -> list[Answer]:
    """Return the answers with the scores in `changes`; None removes a score."""
    changed = []
    for answer in answers:
        meta = dict(answer.meta)
        if answer.id in changes:
            meta.pop("score", None)
            if (mark := changes[answer.id]) is not None:
                meta["score"] = mark
        changed.append(replace(answer, meta=meta))
    return changed


def course_index(path: Path, answers: Sequence[Answer], *, write: bool = False) -> Index:
    """Create an index of the answers below `path`, and return it opened."""
    with Index.create(path / "i", ToyEncoder(window=40)) as index:
        index.add(answers)
    return Index.open(path / "i", encoder=ToyEncoder(window=40), write=write)
