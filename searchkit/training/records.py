"""What training returns."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from searchkit.sources.labelled import SentencePair


@dataclass(frozen=True, slots=True)
class Trained:
    """What `train` made.

    Attributes:
        path: The model folder.
        learned: The pairs that were learned from.
        held_out: The pairs that were not.
        before: The score on them before; None where nothing is held out.
        scores: (step, score on them) of each checkpoint.
        best: The step of the checkpoint that was kept.
        steps: How many there were.
        seconds: Of training, since the last start.
    """

    path: Path
    learned: list[SentencePair]
    held_out: list[SentencePair]
    before: float | None
    scores: list[tuple[int, float]]
    best: int
    steps: int
    seconds: float
