"""Ranges of suggestions: as often right as they say, on the scale, none where marks are few."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from helpers.courses import course, course_index, with_scores

from searchkit import Answer, grade


def noisy_course(each: int, seed: int = 0) -> list[Answer]:
    """A course where a third of the scores is one off, as graders are."""
    rng = np.random.default_rng(seed)
    answers = course(each, seed)
    scores = {}
    for answer in answers:
        if not answer.is_reference:
            score = int(answer.meta["score"]) + rng.choice([-1, 0, 0, 1])
            scores[answer.id] = str(min(max(score, 0), 4))
    return with_scores(answers, scores)


def test_nine_marks_in_ten_are_in_their_range(tmp_path: Path) -> None:
    hits, widths = [], []
    for seed in range(3):
        answers = noisy_course(60, seed)
        truth = {a.id: float(a.meta["score"]) for a in answers}
        rng = np.random.default_rng(seed)
        hidden = dict.fromkeys(a.id for a in answers if "ref" not in a.id and rng.random() < 0.5)
        with course_index(tmp_path / str(seed), with_scores(answers, hidden)) as index:
            suggestions = grade(index, "score", min_confidence=0).suggestions
        for suggestion in suggestions:
            low, high, mark = suggestion.low, suggestion.high, suggestion.suggested
            assert low is not None and high is not None and isinstance(mark, float)
            assert 0 <= low <= mark <= high <= 4 and low.is_integer() and high.is_integer()
            assert suggestion.labels is None
            hits.append(low <= truth[suggestion.id] <= high)
            widths.append(high - low)
    assert 0.84 <= np.mean(hits) <= 0.97
    assert 0 < np.mean(widths) < 3.5


def test_the_sets_of_labels_hold_nine_in_ten_and_the_suggested_one_first(tmp_path: Path) -> None:
    answers = [
        Answer(a.id, a.text, a.question, a.author, meta=dict(a.meta)) for a in course(60, seed=3)
    ]
    rng = np.random.default_rng(0)
    truth = {a.id: a.meta["verdict"] for a in answers if "verdict" in a.meta}
    for answer in answers:
        if answer.id in truth and rng.random() < 0.5:
            del answer.meta["verdict"]  # type: ignore[attr-defined]
    with course_index(tmp_path, answers) as index:
        suggestions = grade(index, "verdict", min_confidence=0).suggestions
    assert all(s.labels and s.labels[0] == s.suggested and s.low is None for s in suggestions)
    assert np.mean([truth[s.id] in (s.labels or ()) for s in suggestions]) >= 0.85


def test_with_few_marks_there_is_no_range(tmp_path: Path) -> None:
    hidden = {f"q{q}-{n:02}": None for q in (1, 2, 3, 4) for n in range(4, 14)}
    with course_index(tmp_path, with_scores(course(), hidden)) as index:
        suggestions = grade(index, "score", min_confidence=0).suggestions
    assert len(suggestions) == 40
    assert {(s.low, s.high, s.labels) for s in suggestions} == {(None, None, None)}
