"""Settings of a training, and recipes: named sets of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from searchkit.core.errors import BadInput, check_choice
from searchkit.core.messages import Message
from searchkit.text.preparation import PREPARATIONS

Loss = Literal["joint", "cosent", "mnrl", "online-contrastive"]
LOSSES: tuple[Loss, ...] = ("joint", "cosent", "mnrl", "online-contrastive")
# Factor of cosines in the losses (the inverse of a temperature).
SCALE = 20.0


@dataclass(frozen=True, slots=True)
class TrainingSettings:
    """How a model is trained.

    Attributes:
        loss: `cosent` (cosines in the order of the labels; Huang et al., 2024), `mnrl`
            (MultipleNegativesRankingLoss: the other rows of a batch are negatives; van den Oord et
            al., 2018), `joint` (both: the order of the labels, and for positives the answers to
            other questions as negatives) or `online-contrastive` (pulls hard positives together
            and pushes hard negatives apart).
        epochs: Number of passes over the pairs.
        batch_size: Pairs in one step.
        learning_rate: Initial learning rate; it decreases linearly to 0.
        positive_from: Lowest label of a positive pair, for all losses but `cosent`; None for 60 %
            of `max_label`.
        max_label: Highest possible label; the lowest is 0.
        max_tokens: Number of tokens at which texts are truncated in training, and the window of
            the trained model.
        held_out: Share of the pairs, in whole questions, that the model isn't trained on.
        prepare: How texts are prepared: one of `PREPARATIONS`, or "".
        spread: Whether the pairs of a question are spread over the batches, instead of random
            batches.
        seed: Seed of the choice of held-out pairs, of the batches and of dropout.
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
        """Return the lowest label of a positive pair."""
        return 0.6 * self.max_label if self.positive_from is None else self.positive_from


# The recipe of published model cards: every pair is a positive, and batches are random.
CARD_RECIPE = TrainingSettings(loss="mnrl", positive_from=0.0, spread=False)


def with_recipe(recipe: str, changes: Mapping[str, Any]) -> TrainingSettings:
    """Return the settings of a recipe, `default` or `card`, with some of them changed.

    Args:
        recipe: Name of the recipe.
        changes: Values by the names of settings; None leaves a setting as it is.
    """
    given = {name: value for name, value in changes.items() if value is not None}
    return replace(CARD_RECIPE if recipe == "card" else TrainingSettings(), **given)


def check_settings(settings: TrainingSettings) -> None:
    """Check every setting.

    Raises:
        BadInput: If a setting is out of its range.
    """
    check_choice("loss", settings.loss, LOSSES)
    check_choice("prepare", settings.prepare, ("", *PREPARATIONS))
    for name, lowest in (("epochs", 1), ("batch_size", 2), ("max_tokens", 8)):
        if getattr(settings, name) < lowest:
            template = f"`{name}` must be {{lowest}} or more, not {{value}}"
            raise BadInput(Message(template, lowest=lowest, value=getattr(settings, name)))
    if not 0 < settings.learning_rate < 1:
        raise BadInput(
            Message(
                "`learning_rate` must be above 0 and below 1, not {rate}",
                rate=settings.learning_rate,
            )
        )
    if not 0 <= settings.seed < 1 << 32:
        raise BadInput(
            Message("`seed` must be from 0 to 4294967295, not {seed}", seed=settings.seed)
        )
    if not 0 < settings.max_label < float("inf"):
        raise BadInput(
            Message("`max_label` must be a number above 0, not {number}", number=settings.max_label)
        )
    if not 0 <= settings.held_out < 1:
        raise BadInput(
            Message("`held_out` must be from 0 to below 1, not {share}", share=settings.held_out)
        )
    if not 0 <= settings.least_positive <= settings.max_label:
        raise BadInput(
            Message(
                "`positive_from` must be a label, from 0 to {max_label:g}, not {least:g}",
                max_label=settings.max_label,
                least=settings.least_positive,
            )
        )
