"""What is said about chance of a whole list of findings."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from helpers.answers import honest
from helpers.encoder import ToyEncoder

from searchkit.core.results import Results
from searchkit.output.plagiarism.chance import MAX_RANK, by_chance_in_words, number_by_chance, rank
from searchkit.plagiarism.find import find_plagiarism_among


def test_the_number_by_chance_is_of_all_questions(tmp_path: Path) -> None:
    answers = honest(24)
    answers[8] = replace(answers[8], text=answers[3].text)
    result = find_plagiarism_among(answers, ToyEncoder(window=100))
    assert "by chance alone there would be about" in by_chance_in_words(result)
    assert number_by_chance(result).startswith("by chance alone there would be about")
    assert number_by_chance(replace(result, by_chance=1.0)).endswith(" about 1 finding")
    unjudged = replace(result.findings[0], expected=None)
    mixed = replace(result, findings=Results([*result.findings, unjudged]))
    assert number_by_chance(mixed).endswith(" findings where chance can be judged")
    for sentence in (by_chance_in_words, number_by_chance):
        assert sentence(replace(result, questions_left=1)) == ""


def test_findings_rarer_than_odds_can_say_still_have_an_order() -> None:
    ranks = [rank(expected) for expected in (3.0, 0.5, 1e-2, 1e-6, 1e-9, 1e-16, 1e-24, 1e-99, 0.0)]
    assert ranks == [0, 0, 1, 3, 4, 8, MAX_RANK, MAX_RANK, MAX_RANK]
    assert rank(None) is None
