"""A deterministic encoder without weights."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer, models, pre_tokenizers


class ToyEncoder:
    """Bag of hashed words: deterministic, no weights; counts the batches and texts it was given."""

    name = "toy"
    fingerprint = "toy-1"

    def __init__(
        self, dimension: int = 32, window: int = 12, *, fingerprint: str | None = None
    ) -> None:
        self.fingerprint = fingerprint or self.fingerprint
        self.dimension = dimension
        self.window = window
        self.tokenizer = Tokenizer(models.WordLevel({"[UNK]": 0}, unk_token="[UNK]"))
        self.tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
        self.batches = 0
        self.texts: list[str] = []

    def encode(self, texts: Sequence[str], progress: object = None) -> NDArray[np.float32]:
        self.batches += 1
        self.texts += texts
        return self._embed(texts)

    def encode_queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return self._embed(texts)

    def _embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        out = np.zeros((len(texts), self.dimension), np.float32)
        for row, text in zip(out, texts, strict=True):
            for word in text.lower().split():
                seed = int.from_bytes(hashlib.sha256(word.encode()).digest()[:8], "big")
                row += np.random.default_rng(seed).standard_normal(self.dimension)
            row /= np.linalg.norm(row) or 1.0
        return out
