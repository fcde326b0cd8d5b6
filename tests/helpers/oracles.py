"""Brute force in plain NumPy."""

from __future__ import annotations

import numpy as np

from helpers.encoder import ToyEncoder
from searchkit.core.records import Answer


def ranked_by_brute_force(
    answers: list[Answer], encoder: ToyEncoder, query: str
) -> list[tuple[float, str]]:
    """Score each answer by its best passage; the toy's passages are what the index has cut."""
    from searchkit.text.passages import split_passages

    target = encoder.encode_queries([query])[0]
    ranked = []
    for answer in answers:
        (cut,) = split_passages([answer.text], encoder.tokenizer, encoder.window)
        texts = [answer.text[p.start : p.end].strip() for p in cut]
        if texts:
            halves = encoder._embed(texts).astype(np.float16).astype(np.float32)
            ranked.append((round(float((halves @ target).max()), 6), answer.id))
    return sorted(ranked, key=lambda item: (-item[0], item[1]))
