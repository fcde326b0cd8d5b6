"""Training an embedding model on pairs of texts."""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from searchkit.core.arrays import Float32
from searchkit.core.errors import BadInput, MissingExtra, ModelRefused
from searchkit.core.messages import Message
from searchkit.core.metrics import spearman
from searchkit.core.progress import Progress
from searchkit.encoding.models.folder import SETTINGS_FILE, ModelFolder, check_folder
from searchkit.encoding.models.names import MULTILINGUAL, find_model
from searchkit.sources.labelled import SentencePair
from searchkit.text.languages.identification import identify_language
from searchkit.text.languages.names import UNKNOWN, language_name
from searchkit.text.passages import well_formed
from searchkit.text.preparation import prepare
from searchkit.training.batches import spread_batches
from searchkit.training.card import TokenCounts, model_card, token_counts
from searchkit.training.records import TrainingResult
from searchkit.training.resuming import (
    begin,
    clear,
    failed_write,
    interruption,
    last_checkpoint,
    locked,
    working_folder,
)
from searchkit.training.selection import loss_labels, question_groups, split_pairs
from searchkit.training.settings import SCALE, TrainingSettings, check_settings

if TYPE_CHECKING:
    from datasets import Dataset
    from sentence_transformers import SentenceTransformer, SentenceTransformerTrainingArguments
    from torch.nn import Module
    from transformers import TrainerState

log = logging.getLogger("searchkit")
MAX_IDENTIFIED = 1_000  # texts whose language is looked at
MIN_FOREIGN = 0.1  # of these, to be told
# Checkpoints in an epoch, each with its score on the held-out pairs.
CHECKPOINTS_PER_EPOCH = 2


def train(
    pairs: Sequence[SentencePair],
    output: str | Path,
    *,
    model: str | None = None,
    settings: TrainingSettings = TrainingSettings(),
    overwrite: bool = False,
    device: str | None = None,
    progress: Progress | None = None,
) -> TrainingResult:
    """Train a model on pairs, and keep the checkpoint with the best score on held-out pairs.

    A training that was interrupted continues when the function is called again with the same pairs
    and settings. Until it is complete there is no folder at `output`, but one beside it whose name
    ends in `.training`.

    Args:
        pairs: Pairs with labels from 0 (nothing in common) to `settings.max_label`.
        output: Folder for the trained model.
        model: The model to begin with: None or ``default`` for the model that comes with searchkit,
            a folder, or a name on a hub.
        settings: Settings of the training.
        overwrite: Whether to replace a folder at `output`, and an unfinished training with other
            settings.
        device: The device, as torch names it; None takes a GPU if there is one.
        progress: Called with the number of completed steps and the total.

    Raises:
        BadInput: If a setting is out of range, the folder exists, there are too few pairs or
            questions, or the loss becomes NaN or infinite before the first checkpoint.
        IndexBusy: If another training writes the same folder.
        ModelRefused: If the model can't be used.
        MissingExtra: If `searchkit[train]` isn't installed.
        StorageFailed: If the folder can't be written.
    """
    check_settings(settings)
    _check_extra()
    folder = Path(output)
    work = working_folder(folder)
    try:
        if folder.exists() and not overwrite:
            raise BadInput(
                Message(
                    "{folder}: is there already; name another folder, or say `overwrite=True`",
                    folder=folder,
                )
            )
        base = _trainable(model)
        learned, out = split_pairs(pairs, settings)
        settings = replace(settings, prepare=settings.prepare or base.prepare)
        with locked(work):
            begin(work, _identity(learned, out, base, settings), overwrite=overwrite)
            return _train(_Run(base, settings, learned, out, work, device), folder, base, progress)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(interruption(work)) from None
    except Exception as error:
        if failure := failed_write(error, work):
            raise failure from error
        raise


def _train(run: _Run, output: Path, base: ModelFolder, progress: Progress | None) -> TrainingResult:
    """Train, and publish the model."""
    started = time.perf_counter()
    counts = run.count_tokens()
    best, steps, scores = run.fit(progress)
    trained = TrainingResult(
        output,
        run.learned,
        run.out,
        run.before,
        scores,
        best,
        steps,
        round(time.perf_counter() - started, 1),
    )
    _publish(run, trained, base, counts)
    return trained


def _trainable(model: str | None) -> ModelFolder:
    """Find the model to begin with, which must be one of sentence-transformers."""
    base = find_model(model)
    if base.name == MULTILINGUAL:
        raise ModelRefused(
            Message(
                "{name}: can't be trained; name a model of sentence-transformers with `model`",
                name=base.name,
            )
        )
    return base


def _check_extra() -> None:
    try:
        import accelerate  # noqa: F401
        import datasets  # noqa: F401
    except ImportError as error:
        raise MissingExtra(
            f"training needs {error.name}; run: pip install 'searchkit[train]'"
        ) from None


def _identity(
    learned: Sequence[SentencePair],
    out: Sequence[SentencePair],
    base: ModelFolder,
    settings: TrainingSettings,
) -> dict[str, Any]:
    digest = hashlib.sha256()
    for pair in (*learned, *out):
        digest.update(json.dumps([*asdict(pair).values()]).encode())
    return {"pairs": digest.hexdigest(), "model": base.fingerprint, "settings": asdict(settings)}


class _Run:
    """One training: the model, its data, and the folder of its checkpoints."""

    def __init__(
        self,
        base: ModelFolder,
        settings: TrainingSettings,
        learned: list[SentencePair],
        out: list[SentencePair],
        work: Path,
        device: str | None,
    ) -> None:
        from searchkit.encoding.compiling import quiet

        with quiet():
            import torch

            from searchkit.encoding.torch_encoder import load_sentence_transformer

            self.device = device or ("cuda" if torch.cuda.is_available() else "cpu")
            self.model = load_sentence_transformer(base, self.device, half=False)
            self.max_tokens = min(
                settings.max_tokens, self.model.max_seq_length or settings.max_tokens
            )
            self.model.max_seq_length = self.max_tokens
        self.settings, self.work = settings, work
        self.learned, self.out = learned, out
        if settings.prepare:
            check_languages(learned)
        self.texts = _prepared(learned, settings)
        self.questions = question_groups(learned)
        self.labels = loss_labels(learned, self.questions, settings)
        self._held_out = _prepared(out, settings)
        self.before = self._score(self.model) if out else None

    def count_tokens(self) -> list[TokenCounts]:
        """Count the tokens of the training pairs, and log how many texts will be truncated."""
        limit = self.max_tokens
        counts = token_counts(self.texts, self.model.tokenizer, limit)
        if cut := sum(column.truncated for column in counts):
            log.info(
                "%s of %s texts are longer than %d tokens; training reads their beginnings",
                f"{cut:,}",
                f"{2 * len(self.texts):,}",
                limit,
            )
        return counts

    def fit(self, progress: Progress | None) -> tuple[int, int, list[tuple[int, float]]]:
        """Train, and load the best checkpoint.

        Returns:
            The step of that checkpoint, the number of steps, and step and score of each checkpoint,
            also of those before an interruption.
        """
        from searchkit.encoding.compiling import quiet
        from searchkit.training.trainer import METRIC, Scorer, Trainer, TrainingMonitor

        last = last_checkpoint(self.work)
        with quiet():
            monitor = TrainingMonitor(progress)
            trainer = Trainer(
                self.questions if self.settings.spread else None,
                self.texts,
                model=self.model,
                args=self._arguments(METRIC),
                train_dataset=self._dataset(),
                loss=self._loss(),
                evaluator=Scorer(self._score) if self.out else None,
                callbacks=[monitor],
            )
            trainer.train(resume_from_checkpoint=None if last is None else str(last))
        state = trainer.state
        if monitor.diverged_at is not None:
            self._report_divergence(monitor.diverged_at, state)
        name = f"eval_{METRIC}"
        scores = [(int(at["step"]), at[name]) for at in state.log_history if name in at]
        return state.best_global_step or state.global_step, state.max_steps, scores

    def _score(self, model: SentenceTransformer) -> float:
        left, right = (
            model.encode(
                [pair[side] for pair in self._held_out],
                normalize_embeddings=True,
                show_progress_bar=False,
            )
            for side in (0, 1)
        )
        return held_out_score(left, right, [pair.label for pair in self.out])

    def _steps(self) -> int:

        if not self.settings.spread:
            return -(-len(self.texts) // self.settings.batch_size)
        return len(spread_batches(self.questions, self.texts, self.settings.batch_size))

    def _arguments(self, metric: str) -> SentenceTransformerTrainingArguments:
        from sentence_transformers import SentenceTransformerTrainingArguments

        from searchkit.training.trainer import computes_in_bf16

        interval = max(1, -(-self._steps() // CHECKPOINTS_PER_EPOCH))
        return SentenceTransformerTrainingArguments(
            output_dir=str(self.work),
            num_train_epochs=self.settings.epochs,
            per_device_train_batch_size=self.settings.batch_size,
            learning_rate=self.settings.learning_rate,
            lr_scheduler_type="linear",
            warmup_steps=0,
            optim="adamw_torch",
            seed=self.settings.seed,
            use_cpu=self.device == "cpu",
            bf16=computes_in_bf16(self.device),
            save_strategy="steps",
            save_steps=interval,
            load_best_model_at_end=bool(self.out),
            metric_for_best_model=f"eval_{metric}",
            greater_is_better=True,
            logging_steps=1,
            logging_nan_inf_filter=False,
            report_to="none",
            disable_tqdm=True,
            dataloader_pin_memory=False,
            eval_strategy="steps" if self.out else "no",
            eval_steps=interval,
        )

    def _dataset(self) -> Dataset:
        from datasets import Dataset

        columns: dict[str, list[Any]] = {
            f"sentence_{side}": [pair[side] for pair in self.texts] for side in (0, 1)
        }
        if self.settings.loss != "mnrl":
            columns["label"] = self.labels
        return Dataset.from_dict(columns)

    def _loss(self) -> Module:
        from sentence_transformers.sentence_transformer import losses

        from searchkit.training.trainer import JointLoss

        if self.settings.loss == "joint":
            return JointLoss(self.model, scale=SCALE)
        if self.settings.loss == "mnrl":
            return losses.MultipleNegativesRankingLoss(self.model, scale=SCALE)
        if self.settings.loss == "cosent":
            return losses.CoSENTLoss(self.model, scale=SCALE)
        return losses.OnlineContrastiveLoss(self.model)

    def _report_divergence(self, step: int, state: TrainerState) -> None:
        problem = f"the loss is no number any more at step {step}"
        if not state.best_model_checkpoint:
            template = "{problem}, before the first checkpoint; say a lower `learning_rate`"
            raise BadInput(Message(template, problem=problem))
        log.warning("%s; the best checkpoint before it is kept", problem)


def held_out_score(left: Float32, right: Float32, labels: Sequence[float]) -> float:
    """Return how well the cosines of pairs agree with their labels.

    Args:
        left: `(n, d)` unit rows, the first text of each pair.
        right: `(n, d)` unit rows, the second text of each pair.
        labels: `(n,)` the label of each pair.

    Returns:
        Spearman's correlation of cosines and labels; if all labels are equal, the mean reciprocal
        rank of each pair's second text among all second texts.
    """
    if len(set(labels)) > 1:
        cosines = np.einsum("nd,nd->n", left, right).astype(np.float64)
        return spearman(cosines, np.array(labels, np.float64))
    scores = left @ right.T
    ranks = (scores >= np.diag(scores)[:, None]).sum(axis=1)
    return float((1 / ranks).mean())


def check_languages(pairs: Sequence[SentencePair]) -> None:
    """Say so if texts to prepare aren't in the language that the preparation is made for."""
    texts = dict.fromkeys(text for pair in pairs for text in (pair.sentence_0, pair.sentence_1))
    looked_at = list(texts)[:MAX_IDENTIFIED]
    languages = Counter(map(identify_language, looked_at))
    foreign = {code: n for code, n in languages.items() if code not in (None, "en", UNKNOWN)}
    if sum(foreign.values()) >= MIN_FOREIGN * len(looked_at):
        log.warning(
            "the preparation `keywords` is made for English: in %s of %s texts (%s) function words "
            "and endings stay",
            f"{sum(foreign.values()):,}",
            f"{len(looked_at):,}",
            ", ".join(language_name(code) for code in sorted(filter(None, foreign))),
        )


def _prepared(pairs: Sequence[SentencePair], settings: TrainingSettings) -> list[tuple[str, str]]:
    sides = (
        prepare([well_formed(getattr(pair, name)) for pair in pairs], settings.prepare)
        for name in ("sentence_0", "sentence_1")
    )
    return list(zip(*sides, strict=True))


def _publish(
    run: _Run,
    trained: TrainingResult,
    base: ModelFolder,
    counts: Sequence[TokenCounts],
) -> None:
    """Save the model and its card in the working folder, check it, and rename it to the output."""
    from searchkit.encoding.compiling import quiet

    work, settings = run.work, run.settings
    staging = work / "model"
    shutil.rmtree(staging, ignore_errors=True)
    if tokenizer := getattr(run.model.tokenizer, "backend_tokenizer", None):
        # How the last call padded and truncated would be saved, and be part of the fingerprint.
        tokenizer.no_padding()
        tokenizer.no_truncation()
    with quiet():
        run.model.save_pretrained(str(staging), create_model_card=False)
    if settings.prepare:
        (staging / SETTINGS_FILE).write_text(json.dumps({"prepare": settings.prepare}), "utf-8")
    card = model_card(trained, base, settings, counts, run.model)
    (staging / "README.md").write_text(card, "utf-8")
    check_folder(staging)
    replaced = work / "replaced"
    if trained.path.exists():
        shutil.rmtree(replaced, ignore_errors=True)  # of a training interrupted here
        trained.path.replace(replaced)
    staging.replace(trained.path)
    clear(work)
