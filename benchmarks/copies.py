"""Copies made of honest answers, by kind and strength, to see where detection ends.

What each kind does to the text it copies; `strength` is the share that is changed, 0 to 1:
`deletion` drops phrases, `reorder` shuffles sentences and clauses, `synonym` replaces words by
their nearest neighbours in the corpus's vocabulary, `insertion` puts phrases of other answers in
between, `mosaic` takes the remaining share of sentences and fills up with the copier's own.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

KINDS = ("deletion", "reorder", "synonym", "insertion", "mosaic", "all")
STRENGTHS = (0.2, 0.4, 0.6)
Synonyms = dict[str, str]


def synonyms(texts: Sequence[str], embed: Callable[[list[str]], NDArray[np.float32]]) -> Synonyms:
    """Give for each frequent word its nearest word of another stem."""
    counts = Counter(word for text in texts for word in re.findall(r"[a-z]{4,}", text.lower()))
    words = [word for word, count in counts.most_common(4000) if count > 1]
    rows = embed(words)
    cosines = rows @ rows.T
    for i, word in enumerate(words):
        for j in np.flatnonzero(cosines[i] > 0.6):
            if words[j][:4] == word[:4]:
                cosines[i, j] = -1
    best = cosines.argmax(axis=1)
    return {w: words[j] for w, j, i in zip(words, best, range(len(words)), strict=True)
            if cosines[i, j] > 0.45}  # fmt: skip


def revise(
    text: str, kind: str, strength: float, chance: random.Random, own: str, near: Synonyms
) -> str:
    """Give a copy of `text`, revised; `own` is what the copier wrote."""
    if kind == "all":
        for each in ("synonym", "deletion", "reorder", "mosaic"):
            text = revise(text, each, strength / 2, chance, own, near)
        return text
    return {
        "deletion": _delete, "reorder": _reorder, "synonym": _replace, "insertion": _insert,
        "mosaic": _mix,
    }[kind](text, strength, chance, own, near)  # fmt: skip


def _sentences(text: str) -> list[str]:
    return [s for s in re.split(r"(?<=[.!?;])\s+|\n+", text.strip()) if s]


def _delete(text: str, strength: float, chance: random.Random, own: str, near: Synonyms) -> str:
    words = text.split()
    kept: list[str] = []
    at = 0
    while at < len(words):
        size = chance.randint(1, 3)
        if chance.random() >= strength:
            kept += words[at : at + size]
        at += size
    return " ".join(kept)


def _reorder(text: str, strength: float, chance: random.Random, own: str, near: Synonyms) -> str:
    clauses = [c for s in _sentences(text) for c in re.split(r"(?<=,)\s+", s)]
    moved = [n for n in range(len(clauses)) if chance.random() < max(strength, 0.3)]
    targets = moved[:]
    chance.shuffle(targets)
    result = clauses[:]
    for a, b in zip(moved, targets, strict=True):
        result[a] = clauses[b]
    return " ".join(result)


def _replace(text: str, strength: float, chance: random.Random, own: str, near: Synonyms) -> str:
    def word(match: re.Match[str]) -> str:
        other = near.get(match.group().lower())
        return other if other and chance.random() < strength else match.group()

    return re.sub(r"[A-Za-z]{4,}", word, text)


def _insert(text: str, strength: float, chance: random.Random, own: str, near: Synonyms) -> str:
    words, source = text.split(), own.split()
    result: list[str] = []
    for word in words:
        result.append(word)
        if source and chance.random() < strength / 3:
            at = chance.randrange(len(source))
            result += source[at : at + 3]
    return " ".join(result)


def _mix(text: str, strength: float, chance: random.Random, own: str, near: Synonyms) -> str:
    theirs, mine = _sentences(text), _sentences(own)
    taken = max(1, round(len(theirs) * (1 - strength)))
    chosen = sorted(chance.sample(range(len(theirs)), taken))
    parts = [theirs[n] for n in chosen] + mine[: max(1, round(len(mine) * strength))]
    chance.shuffle(parts)
    return " ".join(_replace(part, 0.1, chance, own, near) for part in parts)
