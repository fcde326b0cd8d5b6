"""Earlier cohorts: graded answers of another index, to the same questions or to like ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from searchkit.core.arrays import Float32
from searchkit.core.errors import BadInput
from searchkit.core.messages import Message
from searchkit.core.records import Answer
from searchkit.core.where import Where
from searchkit.grading.learning.features import center_row
from searchkit.grading.learning.words import character_ngrams
from searchkit.index.backend import check_earlier
from searchkit.index.base import BaseIndex
from searchkit.plagiarism.preparation import prompt_of
from searchkit.text.folding import fold

# The cosine of the mean answers to two questions from which their answers count, and from which
# they count as much as they can. Between halves of one question's answers it is mostly above 0.95.
MIN_LIKENESS, FULL_LIKENESS = 0.7, 0.95
MAX_WEIGHT = 0.95  # of answers to another question

Pair = tuple[Answer, Float32]  # an answer and its vector


@dataclass(frozen=True, slots=True)
class Cohort:
    """The answers of an earlier index.

    Attributes:
        pairs: The answers, with NAME:ID for their ids, and their vectors. A question has the name
            of the index's question that it is the same as, or NAME:QUESTION.
        weights: How much an answer to another question of this cohort counts for a question of the
            index: by (the index's question, the cohort's), where it counts at all.
    """

    pairs: list[Pair]
    weights: dict[tuple[str | None, str | None], float]


class Topic(NamedTuple):
    """What a question is about.

    Attributes:
        text: The question's text, folded; empty if it isn't known.
        center: `(1, d)` unit vector: the mean of its answers.
    """

    text: str
    center: Float32


def read_earlier(
    index: BaseIndex,
    earlier: Sequence[BaseIndex],
    pairs: Sequence[Pair],
    column: str,
    where: Where,
) -> list[Cohort]:
    """Read the answers of earlier indexes, and match their questions with those of an index.

    Questions with the same name and the same text are the same. Answers to another question count
    the more, the more alike the answers to both and their texts are, or not at all.

    Args:
        index: The index whose answers are to be graded.
        earlier: Indexes of earlier answers.
        pairs: The answers of the index, and their vectors.
        column: The column with the marks.
        where: Which answers of the earlier indexes are read.

    Raises:
        BadInput: if one of them is the index itself, is named twice, or has no marks.
        IndexMismatch: if one of them was made with another model.
    """
    _check(index, earlier)
    topics = _topics(pairs)
    names = [other.name for other in earlier]
    return [
        _cohort(
            other.name if names.count(other.name) == 1 else other.place,
            _graded(other, column, where),
            topics,
        )
        for other in earlier
    ]


def _graded(index: BaseIndex, column: str, where: Where) -> list[Pair]:
    pairs = sorted(index.iter_vectors(where), key=lambda pair: pair[0].id)
    if not any(answer.value(column).strip() for answer, _ in pairs if not answer.is_reference):
        template = "`earlier={place}`: no answer has a mark in {column!r}; name one with marks"
        raise BadInput(Message(template, place=index.place, column=column))
    return pairs


def _check(index: BaseIndex, earlier: Sequence[BaseIndex]) -> None:
    for number, other in enumerate(earlier):
        check_earlier(index, other, "earlier")
        if any(other.is_same(before) for before in earlier[:number]):
            template = "`earlier={place}`: is named twice; name it once"
            raise BadInput(Message(template, place=other.place))


def _cohort(name: str, pairs: Sequence[Pair], topics: Mapping[str | None, Topic]) -> Cohort:
    others = _topics(pairs)
    same = _same_questions(topics, others)
    renamed = {other: same.get(other, f"{name}:{other or ''}") for other in others}
    weights = {
        (question, renamed[other]): weight
        for question, topic in topics.items()
        for other, other_topic in others.items()
        if other not in same and (weight := likeness_weight(topic, other_topic))
    }
    return Cohort(
        [
            (replace(answer, id=f"{name}:{answer.id}", question=renamed[answer.question]), vector)
            for answer, vector in pairs
        ],
        weights,
    )


def _topics(pairs: Iterable[Pair]) -> dict[str | None, Topic]:
    by_question: dict[str | None, list[Pair]] = {}
    for answer, vector in pairs:
        by_question.setdefault(answer.question, []).append((answer, vector))
    topics = {}
    for question, own in by_question.items():
        text = next((prompt for answer, _ in own if (prompt := prompt_of(answer))), "")
        center = center_row(np.stack([vector for _, vector in own]))
        topics[question] = Topic(" ".join(fold(text).text.split()), center)
    return topics


def _same_questions(
    topics: Mapping[str | None, Topic], others: Mapping[str | None, Topic]
) -> dict[str | None, str | None]:
    """Return the question that an earlier one is the same as, where there is one.

    It has the same name, and the same text if both are known, or else like answers; or only these
    two have this text, and their answers are alike: it was renamed.
    """
    texts, other_texts = (
        Counter(topic.text for topic in every.values()) for every in (topics, others)
    )
    by_text = {topic.text: question for question, topic in topics.items()}
    same: dict[str | None, str | None] = {}
    for name, other in others.items():
        topic = topics.get(name)
        if topic and topic.text and topic.text == other.text:
            same[name] = name
        elif topic and not (topic.text and other.text) and _cosine(topic, other) >= MIN_LIKENESS:
            same[name] = name
        elif other.text and texts[other.text] == other_texts[other.text] == 1:
            question = by_text[other.text]
            if _cosine(topics[question], other) >= MIN_LIKENESS:
                same[name] = question
    return same


def likeness_weight(left: Topic, right: Topic) -> float:
    """Return from 0 to `MAX_WEIGHT` how much an answer to one question counts for another."""
    likeness = (_cosine(left, right) - MIN_LIKENESS) / (FULL_LIKENESS - MIN_LIKENESS)
    weight = min(max(likeness, 0.0), MAX_WEIGHT)
    if weight and left.text and right.text:
        ngrams = character_ngrams([left.text, right.text])
        weight *= (1 + float((ngrams[0] @ ngrams[1].T).toarray()[0, 0])) / 2
    return weight


def _cosine(left: Topic, right: Topic) -> float:
    return float(left.center[0] @ right.center[0])
