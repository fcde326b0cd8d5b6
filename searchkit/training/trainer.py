"""sentence-transformers' trainer with a loss, batches, checkpoints and a stop of our own.

It prints nothing, and looks nothing up on a hub. The module imports torch, so only `train.py`
imports it, while it trains.
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
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments
from transformers.trainer_callback import PrinterCallback, ProgressCallback

from searchkit.core.progress import Progress
from searchkit.encoding.openvino_runtime import half_precisions
from searchkit.training.batches import spread_batches
from searchkit.training.resuming import mark_complete, remove_checkpoint

# Name of the score by which the best checkpoint is chosen.
METRIC = "held_out"


class Trainer(SentenceTransformerTrainer):
    """A trainer on batches that spread questions; see `spread_batches`.

    Args:
        questions: Question of each row of the data set; None for random batches.
        texts: Both texts of each row.
        arguments: Arguments of sentence-transformers' trainer.
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
        """Return the sampler that decides which rows are a batch."""
        if self._questions is None or len(dataset) != len(self._questions):
            return super().get_batch_sampler(dataset, *args, **settings)
        return _SpreadSampler(self._questions, self._texts, dataset, *args, **settings)

    def add_model_card_callback(self, default_args_dict: dict[str, Any]) -> None:
        """Do nothing: the callback would collect texts of the data set for a model card."""

    def _save(self, output_dir: str | None = None, state_dict: Any = None) -> None:  # noqa: ANN401
        """Save a checkpoint's model without a card, for which the hub would be asked."""
        self.model.save_pretrained(str(output_dir), create_model_card=False)


class JointLoss(CoSENTLoss):
    """The sum of a loss on the order of labels (CoSENT) and one with in-batch negatives (InfoNCE).

    CoSENT (Huang et al., 2024) compares the cosines of pairs only, so a model forgets what
    distinguishes questions. InfoNCE (van den Oord et al., 2018) prevents that: for each positive
    pair, its own second text must be nearest to its first text among all second texts of the batch.
    Those of other pairs of the same question are left out: they may be as good an answer. AnglE (Li
    and Li, 2023) adds in-batch negatives to a loss on order in the same way.

    Its labels are `(n, 3)`: the degree from 0 to 1, the number of the question, and 1 for a
    positive pair, else 0.
    """

    def compute_loss_from_embeddings(self, embeddings: list[Tensor], labels: Tensor) -> Tensor:
        """Return the loss.

        Args:
            embeddings: Vectors of the first and of the second texts, `(n, d)` each.
            labels: `(n, 3)`, as described above.
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


class _SpreadSampler(DefaultBatchSampler):
    """Batches of `spread_batches`, other ones in every epoch."""

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
    """Scores the model on the held-out pairs."""

    def __init__(self, score: Callable[[Any], float]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.primary_metric = METRIC
        self._score = score

    def __call__(
        self,
        model: Any,  # noqa: ANN401
        output_path: str | None = None,
        epoch: int = -1,
        steps: int = -1,
    ) -> dict[str, float]:
        """Score the model; return the score by its name."""
        return {METRIC: self._score(model)}


class TrainingMonitor(TrainerCallback):
    """Reports steps, keeps complete checkpoints, and stops when the loss is NaN or infinite.

    Attributes:
        diverged_at: Step at which the training stopped because of that; None if it didn't.
    """

    def __init__(self, progress: Progress | None) -> None:
        self.diverged_at: int | None = None
        self._progress = progress

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: object
    ) -> None:
        """Locate the best checkpoint by its step.

        The trainer forgets it if its path is another one since the interruption, as a relative path
        is after a change of the working directory, and would keep the last weights.
        """
        if best := state.best_global_step:
            state.best_model_checkpoint = str(Path(str(args.output_dir)) / f"checkpoint-{best}")

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: object
    ) -> None:
        """Report progress."""
        if self._progress:
            self._progress(state.global_step, state.max_steps)

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **_: object,
    ) -> None:
        """Stop if the loss or its gradient is NaN or infinite."""
        values = [(logs or {}).get(name, 0.0) for name in ("loss", "grad_norm")]
        if not all(math.isfinite(value) for value in values):
            self.diverged_at = state.global_step
            control.should_training_stop = True

    def on_save(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: object
    ) -> None:
        """Mark the checkpoint that was just written; remove all others but the best.

        The trainer itself would remove them before the mark, and a removal that is interrupted
        would leave a part of one that looks complete.
        """
        folder = Path(str(args.output_dir))
        newest = folder / f"checkpoint-{state.global_step}"
        mark_complete(newest)
        for other in folder.glob("checkpoint-*"):
            if other not in (newest, Path(state.best_model_checkpoint or newest)):
                remove_checkpoint(other)


def computes_in_bf16(device: str) -> bool:
    """Whether bfloat16 is fast on a device."""
    if device == "cuda":  # older GPUs emulate it, which is slow
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return device == "cpu" and "bf16" in half_precisions()
