"""Which pairs are learned from, which are held out, and the labels that a loss gets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from searchkit.core.errors import BadInput
from searchkit.core.messages import Message
from searchkit.sources.labelled import SentencePair
from searchkit.training.batches import connected_groups, hold_out_groups
from searchkit.training.settings import TrainingSettings


def split_pairs(
    pairs: Sequence[SentencePair], settings: TrainingSettings
) -> tuple[list[SentencePair], list[SentencePair]]:
    """Return the training pairs that the loss can use, and the held-out pairs.

    Whole questions are held out; pairs without a question stay with those that share a text.

    Raises:
        BadInput: If a label is out of its range, or there are too few pairs, questions, positives
            or different labels.
    """
    _check_labels(pairs, settings)
    groups = question_groups(pairs)
    out = np.zeros(len(pairs), bool)
    if settings.held_out and pairs:
        out = hold_out_groups(groups, settings.held_out, settings.seed)
        if not out.any():
            raise BadInput(
                Message(
                    "all pairs are of one question, or share texts, so that none can be held out; "
                    "add pairs of other questions, or say `held_out=0` and never know what it gave"
                )
            )
    learned = [pair for pair, held in zip(pairs, out, strict=True) if not held]
    _check_positives(learned, settings)
    usable = [pair for pair in learned if _is_usable(pair, settings)]
    if len(usable) < settings.batch_size:
        kind = (
            "" if len(usable) == len(learned) else f" with a label from {settings.least_positive:g}"
        )
        raise BadInput(
            Message(
                "{count:,} pairs{kind} to learn from are fewer than a batch of {size}; add some, "
                "or say a smaller `batch_size`",
                count=len(usable),
                kind=kind,
                size=settings.batch_size,
            )
        )
    degrees = {_degree(pair, settings) for pair in usable}
    if settings.loss != "mnrl" and len(degrees) == 1:
        raise BadInput(
            Message(
                "`loss='{loss}'` learns from differences, and all labels are alike; say "
                "`loss='mnrl'`",
                loss=settings.loss,
            )
        )
    return usable, [pair for pair, held in zip(pairs, out, strict=True) if held]


def _check_labels(pairs: Sequence[SentencePair], settings: TrainingSettings) -> None:
    for number, pair in enumerate(pairs, 1):
        if not 0 <= pair.label <= settings.max_label:
            raise BadInput(
                Message(
                    "pair {number:,}: the label {label:g} is not between 0 and {max_label:g} "
                    "(`max_label`)",
                    number=number,
                    label=pair.label,
                    max_label=settings.max_label,
                )
            )


def _check_positives(learned: Sequence[SentencePair], settings: TrainingSettings) -> None:
    """Refuse labels of a shorter scale, of which none makes a positive."""
    if settings.loss == "cosent" or not learned:
        return
    highest = max(pair.label for pair in learned)
    if highest == 0 < settings.least_positive:
        raise BadInput("all labels to learn from are 0: nothing is alike; add pairs that are")
    if highest < settings.least_positive:
        raise BadInput(
            Message(
                "the highest label to learn from is {highest:g}, and a positive has {least:g} or "
                "more; say `max_label={highest:g}` if that is the most there is, or "
                "`positive_from`",
                highest=highest,
                least=settings.least_positive,
            )
        )


def question_groups(pairs: Sequence[SentencePair]) -> list[object]:
    """Return the group of each pair: its question, or the number of pairs connected by texts."""
    labels = connected_groups([(pair.sentence_0, pair.sentence_1) for pair in pairs]).tolist()
    return [
        label if pair.question is None else pair.question
        for pair, label in zip(pairs, labels, strict=True)
    ]


def loss_labels(
    pairs: Sequence[SentencePair], questions: Sequence[object], settings: TrainingSettings
) -> list[Any]:
    """Return the labels of pairs for the loss: numbers from 0 to 1, or rows for `JointLoss`."""
    degrees = [_degree(pair, settings) for pair in pairs]
    if settings.loss != "joint":
        return degrees
    number = {question: n for n, question in enumerate(dict.fromkeys(questions))}
    return [
        [degree, float(number[question]), float(_is_positive(pair, settings))]
        for pair, degree, question in zip(pairs, degrees, questions, strict=True)
    ]


def _is_usable(pair: SentencePair, settings: TrainingSettings) -> bool:
    return settings.loss != "mnrl" or _is_positive(pair, settings)


def _is_positive(pair: SentencePair, settings: TrainingSettings) -> bool:
    return pair.label >= settings.least_positive


def _degree(pair: SentencePair, settings: TrainingSettings) -> float:
    """Return the label of a pair for a loss with labels, from 0 to 1."""
    if settings.loss == "online-contrastive":
        return float(_is_positive(pair, settings))
    return pair.label / settings.max_label
