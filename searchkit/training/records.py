"""The result of a training."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from searchkit.sources.labelled import SentencePair


@dataclass(frozen=True, slots=True)
class TrainingResult:
    """The result of `train`.

    Attributes:
        path: The folder of the trained model.
        training_pairs: The pairs that the model was trained on.
        held_out: The pairs that it wasn't trained on.
        score_before: Score on the held-out pairs before the training; None without such pairs.
        scores: Step of each checkpoint, and its score on the held-out pairs.
        best_step: Step of the checkpoint that was kept.
        steps: Number of training steps.
        seconds: Duration of the training, since it was last started.
    """

    path: Path
    training_pairs: list[SentencePair]
    held_out: list[SentencePair]
    score_before: float | None
    scores: list[tuple[int, float]]
    best_step: int
    steps: int
    seconds: float
