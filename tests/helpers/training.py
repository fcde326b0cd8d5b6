"""Pairs that a tiny model learns in seconds, and the settings for that."""

from __future__ import annotations

import numpy as np

from searchkit.sources.labelled import SentencePair
from searchkit.training.settings import TrainingSettings

COLOURS = "red green blue white black yellow".split()


FAST = TrainingSettings(epochs=2, batch_size=8, learning_rate=2e-3, held_out=0.25, seed=1)


def pairs(questions: int = 12, each: int = 12, seed: int = 0) -> list[SentencePair]:
    """Give pairs that are alike if the same colour is in both, whatever else is."""
    rng = np.random.default_rng(seed)
    words = "cat dog house tree river stone bread road lamp chair".split()
    found = []
    for question in range(questions):
        for _ in range(each):
            left, right = rng.choice(COLOURS, 2)
            right = left if rng.random() < 0.5 else right
            texts = [f"{colour} {' '.join(rng.choice(words, 4))} {question}"
                     for colour in (left, right)]  # fmt: skip
            found.append(SentencePair(*texts, 10.0 if left == right else 0.0, f"q{question:02}"))
    return found
