"""What can be set of a training, and the recipes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from searchkit.core.errors import BadInput

Loss = Literal["joint", "cosent", "mnrl", "online-contrastive"]
LOSSES: tuple[Loss, ...] = ("joint", "cosent", "mnrl", "online-contrastive")
SCALE = 20.0  # of cosines in the losses


@dataclass(frozen=True, slots=True)
class TrainingSettings:
    """How a model is trained.

    Attributes:
        loss: `cosent` (cosines in the order of the labels; Huang et al., 2024), `mnrl`
            (MultipleNegativesRankingLoss: the other rows of a batch are wrong; van den Oord et al.,
            2018), `joint` (both: the order of the labels, and beside positives the answers to other
            questions are wrong) or `online-contrastive` (hard positives together, hard negatives
            apart).
        epochs: How often every pair is seen.
        batch_size: Pairs in a step.
        learning_rate: At the beginning; it falls in a line to 0.
        positive_from: Labels from here on are positives, for all losses but `cosent`; None: three
            fifths of `max_label`.
        max_label: The greatest label there can be; 0 is the least.
        max_tokens: What is longer is cut off, in training and afterwards made passages of.
        held_out: Share of the pairs, in whole questions, that are not learned from.
        prepare: One of `preparation.PREPARATIONS`, or "".
        spread: Whether the pairs of a question are spread over the batches; else they are drawn.
        seed: Of what is held out, of the batches, and of dropout.
    """

    loss: Loss = "joint"
    epochs: int = 2
    batch_size: int = 16
    learning_rate: float = 5e-5
    positive_from: float | None = None
    max_label: float = 10.0
    max_tokens: int = 128
    held_out: float = 0.2
    prepare: str = ""
    spread: bool = True
    seed: int = 42

    @property
    def least_positive(self) -> float:
        """Return the least label of a positive."""
        return 0.6 * self.max_label if self.positive_from is None else self.positive_from


# The published recipe: every pair is a positive, whatever its label; batches are drawn by lot.
CARD_RECIPE = TrainingSettings(loss="mnrl", positive_from=0.0, spread=False)


def with_recipe(recipe: str, changes: Mapping[str, Any]) -> TrainingSettings:
    """Return the settings of a recipe, `default` or `card`, with some of them changed.

    Args:
        recipe: Its name.
        changes: By the names of the settings; None leaves one as it is.
    """
    given = {name: value for name, value in changes.items() if value is not None}
    return replace(CARD_RECIPE if recipe == "card" else TrainingSettings(), **given)


def check_settings(settings: TrainingSettings) -> None:
    """Raise BadInput for a setting that is out of its range."""
    if settings.loss not in LOSSES:
        raise BadInput(f"--loss must be one of {', '.join(LOSSES)}, not {settings.loss!r}")
    for name, least in (("epochs", 1), ("batch_size", 2), ("max_tokens", 8)):
        if getattr(settings, name) < least:
            option = name.replace("_", "-")
            raise BadInput(f"--{option} must be {least} or more, not {getattr(settings, name)}")
    if not 0 < settings.learning_rate < 1:
        raise BadInput(f"--learning-rate must be above 0 and below 1, not {settings.learning_rate}")
    if not 0 <= settings.held_out < 1:
        raise BadInput(f"--held-out must be from 0 to below 1, not {settings.held_out}")
    if not 0 <= settings.least_positive <= settings.max_label:
        raise BadInput(
            f"--positive-from must be a label, from 0 to {settings.max_label:g}, not "
            f"{settings.least_positive:g}"
        )
