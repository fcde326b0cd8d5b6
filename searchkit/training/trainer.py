"""The trainer of sentence-transformers, as we need it; imported only by what trains.

A loss for marks and topics, batches that spread questions, checkpoints that are known to be whole,
a halt where the loss is no number, and nothing printed, pickled of ours or looked up on a hub.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from sentence_transformers import SentenceTransformerTrainer
from sentence_transformers.base.evaluation import BaseEvaluator
from sentence_transformers.base.sampler import DefaultBatchSampler
from sentence_transformers.sentence_transformer.losses import CoSENTLoss
from torch import Tensor
from torch.nn import functional
from transformers import TrainerCallback
from transformers.trainer_callback import PrinterCallback, ProgressCallback

from searchkit.core.progress import Progress
from searchkit.training.batches import spread_batches

METRIC = "held_out"  # the name of the score by which the best checkpoint is chosen
WHOLE = "whole"  # a file that stands in a checkpoint when all others do


class Trainer(SentenceTransformerTrainer):
    """Trains on batches that spread questions; see `searchkit.batching.spread`.

    Args:
        questions: Of each row of the data set; None draws batches by lot.
        texts: Both texts of each row.
        arguments: Of sentence-transformers' trainer.
    """

    def __init__(
        self,
        questions: Sequence[object] | None,
        texts: Sequence[tuple[str, str]],
        **arguments: Any,  # noqa: ANN401
    ) -> None:
        self._questions, self._texts = questions, texts
        super().__init__(**arguments)
        self.remove_callback(PrinterCallback)
        self.remove_callback(ProgressCallback)

    def get_batch_sampler(self, dataset: Any, *args: Any, **settings: Any) -> Any:  # noqa: ANN401
        """Return what says which rows make a batch."""
        if self._questions is None or len(dataset) != len(self._questions):
            return super().get_batch_sampler(dataset, *args, **settings)
        return _Spread(self._questions, self._texts, dataset, *args, **settings)

    def add_model_card_callback(self, default_args_dict: dict[str, Any]) -> None:
        """Collect nothing for a card: it would show texts of the data set."""

    def _save(self, output_dir: str | None = None, state_dict: Any = None) -> None:  # noqa: ANN401
        """Save a checkpoint's model, without a card that asks the hub."""
        self.model.save_pretrained(str(output_dir), create_model_card=False)


class JointLoss(CoSENTLoss):
    """The order of labels (CoSENT), plus telling questions apart (in-batch negatives).

    CoSENT (Huang et al., 2024) compares cosines only with cosines of other pairs, and never across
    questions: what told these apart is forgotten. The second term (InfoNCE, van den Oord et al.,
    2018) keeps it: of the second texts in a batch, the own one must be nearest to the first text of
    a positive. Other pairs of the same question don't count there: their texts may be as good an
    answer. AnglE (Li and Li, 2023) adds in-batch negatives to an order loss in the same way.

    `labels`: `(n, 3)`: the degree, from 0 to 1; the number of the question; and 1 for a positive,
    else 0.
    """

    def compute_loss_from_embeddings(self, embeddings: list[Tensor], labels: Tensor) -> Tensor:
        """Return the sum of both terms.

        Args:
            embeddings: Of the first and of the second texts, `(n, d)` each.
            labels: `(n, 3)`.
        """
        degrees, questions, positive = labels.unbind(dim=1)
        left, right = (functional.normalize(rows.float(), dim=1) for rows in embeddings)
        order = super().compute_loss_from_embeddings([left, right], degrees)
        with torch.autocast(left.device.type, enabled=False):  # bf16 would round the cosines
            scores = self.scale * left @ right.T  # (n, n)
        same = questions[:, None] == questions[None, :]
        same.fill_diagonal_(False)
        own = torch.arange(len(scores), device=scores.device)
        topic = functional.cross_entropy(
            scores.masked_fill(same, float("-inf")), own, reduction="none"
        )
        return order + (topic * positive).sum() / positive.sum().clamp(min=1)


class _Spread(DefaultBatchSampler):
    """Batches by `spread`, anew in every epoch."""

    def __init__(
        self,
        questions: Sequence[object],
        texts: Sequence[tuple[str, str]],
        *args: Any,  # noqa: ANN401
        **settings: Any,  # noqa: ANN401
    ) -> None:
        super().__init__(*args, **settings)
        self._questions, self._texts = questions, texts
        self._length = len(self._batches(0))

    def _batches(self, epoch: int) -> list[list[int]]:
        return spread_batches(self._questions, self._texts, self.batch_size, [self.seed, epoch])

    def __iter__(self) -> Iterator[list[int]]:
        yield from self._batches(self.epoch)

    def __len__(self) -> int:
        return self._length


class Scorer(BaseEvaluator):
    """Scores the model on what is held out.

    Attributes:
        scores: (step, score), in the order in which they came.
    """

    def __init__(self, score: Callable[[Any], float]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.primary_metric = METRIC
        self.scores: list[tuple[int, float]] = []
        self._score = score

    def __call__(
        self,
        model: Any,  # noqa: ANN401
        output_path: str | None = None,
        epoch: int = -1,
        steps: int = -1,
    ) -> dict[str, float]:
        """Return the score by the name of the metric."""
        found = self._score(model)
        self.scores.append((steps, found))
        return {METRIC: found}


class Watch(TrainerCallback):
    """Reports the steps, marks whole checkpoints, and stops where the loss is no number.

    Attributes:
        diverged: The step at which it stopped for that.
    """

    def __init__(self, progress: Progress | None) -> None:
        self.diverged: int | None = None
        self._progress = progress

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ANN401
        """Report a step."""
        if self._progress:
            self._progress(state.global_step, state.max_steps)

    def on_log(
        self,
        args: Any,  # noqa: ANN401
        state: Any,  # noqa: ANN401
        control: Any,  # noqa: ANN401
        logs: dict[str, Any] | None = None,
        **_: Any,  # noqa: ANN401
    ) -> None:
        """Stop where the loss or its gradient is no number."""
        values = [(logs or {}).get(name, 0.0) for name in ("loss", "grad_norm")]
        if not all(math.isfinite(value) for value in values):
            self.diverged = state.global_step
            control.should_training_stop = True

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ANN401
        """Mark the checkpoint that was just written."""
        (Path(args.output_dir) / f"checkpoint-{state.global_step}" / WHOLE).touch()
