"""Copies across languages among thousands of answers: chance, candidates and work."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from helpers.translations import BilingualEncoder, course, translated

from searchkit.core.records import Answer
from searchkit.plagiarism.across.detector import MAX_EXHAUSTIVE, AcrossDetector
from searchkit.plagiarism.across.likeness import MeaningLikeness
from searchkit.plagiarism.preparation import (
    QuestionAnswers,
    embed_answers,
    embed_with,
    group_by_question,
)

TOPICS, ENGLISH, GERMAN = 100, 14, 6
COPIES = {f"t{n}-g1": f"t{n}-e2" for n in range(0, TOPICS, 10)}


def group_of(answers: list[Answer]) -> QuestionAnswers:
    (group,) = group_by_question(embed_answers(answers, BilingualEncoder()), "all", "")
    return group


def found(group: QuestionAnswers) -> set[tuple[str, str]]:
    embed = embed_with(BilingualEncoder)
    findings = AcrossDetector("multilingual", embed, embed, 0.05).find(group)
    return {(finding.left, finding.right) for finding in findings}


def many_topics(shared: int) -> QuestionAnswers:
    """Return 2,000 answers on a hundred topics, ten of which are translated copies."""
    answers = {
        f"t{topic}-{answer.id}": replace(
            answer, id=f"t{topic}-{answer.id}", author=f"{topic}{answer.author}"
        )
        for topic in range(TOPICS)
        for answer in course(ENGLISH, GERMAN, seed=topic, shared=shared)
    }
    for copy, source in COPIES.items():
        answers[copy] = replace(answers[copy], text=translated(answers[source].text))
    return group_of(list(answers.values()))


def test_translations_are_found_among_two_thousand_and_nothing_else(monkeypatch) -> None:
    """And only near pairs are measured."""
    measured = []
    measure = MeaningLikeness.measure
    monkeypatch.setattr(
        MeaningLikeness,
        "measure",
        lambda self, left, right: measured.append(len(left)) or measure(self, left, right),
    )
    assert found(many_topics(shared=5)) == {(source, copy) for copy, source in COPIES.items()}
    all_pairs = TOPICS * ENGLISH * TOPICS * GERMAN
    assert sum(measured) < MAX_EXHAUSTIVE**2 / 4 + all_pairs / 10


def test_answers_on_one_topic_are_less_significant_than_copies_by_far() -> None:
    """A sample of the answers has too few rivals on each topic."""
    group = many_topics(shared=8)
    embed = embed_with(BilingualEncoder)
    expected: dict[bool, list[float]] = {True: [], False: []}
    for left, right, value in AcrossDetector("multilingual", embed, embed, 1e9).suspects(group):
        source, copy = (group.texts[n].answer.id for n in (left, right))
        expected[COPIES.get(copy) == source].append(value)
    assert len(expected[True]) == len(COPIES)
    assert 10 * max(expected[True]) < min(expected[False])


@pytest.mark.parametrize("german", [1, 2])
def test_a_few_answers_in_another_language_are_judged_among_many(german) -> None:
    """A sample of all answers has none of them, for the most part."""
    answers = course(MAX_EXHAUSTIVE * 2, german)
    copy = replace(answers[-1], text=translated(answers[7].text))
    assert found(group_of([*answers[:-1], copy])) == {("e7", copy.id)}


def test_earlier_answers_are_sampled_apart_from_new_ones() -> None:
    answers = course(MAX_EXHAUSTIVE, MAX_EXHAUSTIVE)
    group = group_of(answers)
    new = {"e7", "g7"}
    texts = [replace(text, is_earlier=text.answer.id not in new) for text in group.texts]
    embed = embed_with(BilingualEncoder)
    pairs = AcrossDetector("multilingual", embed, embed, 0.05)._pairs(replace(group, texts=texts))
    assert pairs.null.pairs >= MAX_EXHAUSTIVE / 2
    assert np.isfinite(pairs.null.scale)
