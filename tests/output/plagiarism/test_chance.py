"""What is said about chance of a whole list of findings."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from helpers.answers import honest
from helpers.encoder import ToyEncoder

from searchkit.output.plagiarism.chance import by_chance_in_words
from searchkit.plagiarism.find import find_plagiarism_among


def test_the_number_by_chance_is_of_all_questions(tmp_path: Path) -> None:
    answers = honest(24)
    answers[8] = replace(answers[8], text=answers[3].text)
    result = find_plagiarism_among(answers, ToyEncoder(window=100))
    assert "by chance alone there would be about" in by_chance_in_words(result)
    assert by_chance_in_words(replace(result, questions_left=1)) == ""
