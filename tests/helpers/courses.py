"""A made-up course with marks: four questions, whose answers are the better the more they say."""

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
    """Give answers that have a mark for each point they make, and a reference a question."""
    rng = np.random.default_rng(seed)
    answers = []
    for question, points in POINTS.items():
        answers.append(
            Answer(f"{question}-ref", " ".join(points), question, "reference", meta={"score": "4"})
        )
        for n in range(each):
            said = [point for point in points if rng.random() < 0.6]
            text = " ".join([*said, *rng.choice(PADDING, 2)])
            mark = {"score": str(len(said)), "verdict": "pass" if len(said) > 2 else "fail"}
            answers.append(Answer(f"{question}-{n:02}", text, question, f"s{n:02}", meta=mark))
    return answers


def marked(answers: Sequence[Answer], changes: Mapping[str, str | None]) -> list[Answer]:
    """Give the answers with other scores; None: without one."""
    found = []
    for answer in answers:
        meta = dict(answer.meta)
        if answer.id in changes:
            meta.pop("score", None)
            if (mark := changes[answer.id]) is not None:
                meta["score"] = mark
        found.append(replace(answer, meta=meta))
    return found


def made(path: Path, answers: Sequence[Answer], *, write: bool = False) -> Index:
    """Index them, and open the index."""
    with Index.create(path / "i", ToyEncoder(window=40)) as index:
        index.add(answers)
    return Index.open(path / "i", encoder=ToyEncoder(window=40), write=write)
