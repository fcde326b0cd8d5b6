"""Answers in two invented languages, and an encoder that knows both."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from helpers.encoder import ToyEncoder
from searchkit.core.records import Answer

ENDING = "ung"  # that makes a word of German from one of English


class BilingualEncoder(ToyEncoder):
    """Bag of words, in which a word and its translation are one; names are what they are."""

    name = "multilingual"
    fingerprint = "bilingual-1"

    def __init__(self) -> None:
        super().__init__(dimension=64, window=64)

    def _embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return super()._embed([re.sub(rf"{ENDING}\b|[.,;:]", "", text) for text in texts])


class EnglishEncoder(BilingualEncoder):
    """The same with the name of a model that knows English only."""

    name = "all-MiniLM-L6-v2"
    fingerprint = "english-1"


def translated(text: str, *, loosely: random.Random | None = None) -> str:
    """Return a text in the other language; loosely, some words are others, and the order, too."""
    sentences = re.findall(r"[^.]+\.", text)
    if loosely:
        loosely.shuffle(sentences)
    words = re.split(r"(\W+)", " ".join(sentences))
    return "".join(
        word + ENDING
        if word.isalpha() and word.islower() and not (loosely and loosely.random() < 0.15)
        else word
        for word in words
    )


def course(english: int = 24, german: int = 6, seed: int = 0, *, shared: int = 3) -> list[Answer]:
    """Return independent answers to one question, in two languages.

    Args:
        english: The number of answers in one language.
        german: The number in the other.
        seed: Of the words.
        shared: Words of the topic in each sentence, of nine.
    """
    rng = random.Random(seed)
    topic = ["".join(rng.choices("abcdefghijklmnop", k=6)) for _ in range(12)]

    def text() -> str:
        own = ["".join(rng.choices("abcdefghijklmnop", k=7)) for _ in range(30)]
        sentences = (rng.sample(topic, shared) + rng.sample(own, 9 - shared) for _ in range(4))
        return " ".join(" ".join(rng.sample(words, 9)) + "." for words in sentences)

    return [
        *(Answer(f"e{n}", text(), "q", f"en{n}", language="en") for n in range(english)),
        *(Answer(f"g{n}", translated(text()), "q", f"de{n}", language="de") for n in range(german)),
    ]
