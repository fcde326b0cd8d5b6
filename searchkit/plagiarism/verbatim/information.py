"""The information of equal answers: how improbable it is that somebody writes these very words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from searchkit.plagiarism.likeness.measures import (
    Background,
    SequenceMatrix,
    answer_weights,
    find_near_duplicates,
)
from searchkit.plagiarism.preparation import PreparedAnswer, QuestionAnswers
from searchkit.plagiarism.verbatim.language_model import LanguageModel


class TextInformation:
    """Measures the words of answers with the language models of their questions.

    It is called with the answers to a question, and with those of them that are equal; returns the
    information of their words in nats, where these answers and their near-duplicates are left out.
    """

    def __init__(self, background: Background) -> None:
        """Measure against the words of a whole corpus."""
        self._background = background
        self._group: QuestionAnswers | None = None

    def __call__(self, group: QuestionAnswers, members: Sequence[PreparedAnswer]) -> float:
        """Return the information of the words that members of a group have in common."""
        if group is not self._group:
            self._prepare(group)
        numbers = [self._number_of[text.answer.id] for text in members]
        left_out = np.zeros(len(self._number_of), np.float32)
        left_out[self._near[numbers].indices] = 1  # a matrix of ones
        left_out[numbers] = 1
        return self._model.total_information(numbers[0], left_out)

    def _prepare(self, group: QuestionAnswers) -> None:
        """Make the language model of a question; the groups of a question come together."""
        texts = [*group.texts, *group.short]
        words = [text.words for text in texts]
        copies = np.array([not text.is_draft for text in texts], np.int64)
        self._group = group
        self._number_of = {text.answer.id: n for n, text in enumerate(texts)}
        self._near = find_near_duplicates(SequenceMatrix(words, "long"))
        self._model = LanguageModel(
            words,
            copies,
            answer_weights(self._near, copies),
            self._background,
            [text.words for text in group.references],
        )
