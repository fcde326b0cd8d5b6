"""The information of equal answers, however many they are."""

from __future__ import annotations

import tracemalloc

import numpy as np
from helpers.answers import VOCABULARY, honest

from searchkit import Answer
from searchkit.plagiarism.likeness.measures import Background
from searchkit.plagiarism.preparation import PreparedAnswer, make_group
from searchkit.plagiarism.verbatim.information import TextInformation

MEBIBYTE = 2**20


def prepared(answer: Answer) -> PreparedAnswer:
    vectors = np.ones((1, 1), np.float32)
    return PreparedAnswer(answer, vectors[0], [(0, len(answer.text))], vectors)


def test_many_equal_answers_take_memory_by_their_number_not_its_square() -> None:
    text = " ".join(VOCABULARY[:12])
    texts = [prepared(Answer(str(n), text, "q1", f"s{n}")) for n in range(4000)]
    group = make_group("q1", [*map(prepared, honest(20)), *texts], "")
    information = TextInformation(Background.of([text.words for text in texts]))
    tracemalloc.start()
    try:
        nats = information(group, texts)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert nats > 0
    assert peak < 40 * MEBIBYTE  # a matrix of all pairs has 122
