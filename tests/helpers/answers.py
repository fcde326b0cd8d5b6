"""Made-up answers that share nothing but common words."""

from __future__ import annotations

import numpy as np

from searchkit import Answer

VOCABULARY = [f"word{n}" for n in range(400)]


def honest(n: int, question: str | None = "q1", seed: int = 0, length: int = 45) -> list[Answer]:
    """Return answers made of common and rare words, each by an author of its own."""
    rng = np.random.default_rng(seed)
    common = VOCABULARY[:60]
    name = question or "all"
    return [
        Answer(
            f"{name}-{i:03}",
            " ".join(
                rng.choice(common if rng.random() < 0.7 else VOCABULARY) for _ in range(length)
            ),
            question=question,
            author=f"s{i:03}",
        )
        for i in range(n)
    ]
