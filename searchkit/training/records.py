"""What training returns."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from searchkit.sources.labelled import SentencePair


@dataclass(frozen=True, slots=True)
class TrainingResult:
    """What `train` made.

    Attributes:
        path: The model folder.
        training_pairs: The pairs that were learned from.
        held_out: The pairs that were not.
        score_before: The score on them before; None where nothing is held out.
        scores: (step, score on them) of each checkpoint.
        best_step: The step of the checkpoint that was kept.
        steps: How many there were.
        seconds: Of training, since the last start.
    """

    path: Path
    training_pairs: list[SentencePair]
    held_out: list[SentencePair]
    score_before: float | None
    scores: list[tuple[int, float]]
    best_step: int
    steps: int
    seconds: float
