"""Training: a model that knows the corpus, made from pairs of its own answers."""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from searchkit.batching import connected, held_out
from searchkit.errors import BadInput, MissingExtra, StorageFailed
from searchkit.metrics import spearman
from searchkit.modelcard import Tokens, model_card, token_counts
from searchkit.modelfolder import SETTINGS, ModelFolder, check_folder
from searchkit.models import find_model
from searchkit.passages import well_formed
from searchkit.preparation import prepare
from searchkit.types import SentencePair

log = logging.getLogger("searchkit")

Loss = Literal["joint", "cosent", "mnrl", "online-contrastive"]
LOSSES: tuple[Loss, ...] = ("joint", "cosent", "mnrl", "online-contrastive")
CHECKS = 2  # of the held-out score in an epoch
SCALE = 20.0  # of cosines in the losses

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Settings:
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
        """Give the least label of a positive."""
        return 0.6 * self.max_label if self.positive_from is None else self.positive_from


# The published recipe: every pair is a positive, whatever its label; batches are drawn by lot.
CARD = Settings(loss="mnrl", positive_from=0.0, spread=False)


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


def with_recipe(recipe: str, changes: Mapping[str, Any]) -> Settings:
    """Give the settings of a recipe, `default` or `card`, with some of them changed.

    Args:
        recipe: Its name.
        changes: By the names of the settings; None leaves one as it is.
    """
    given = {name: value for name, value in changes.items() if value is not None}
    return replace(CARD if recipe == "card" else Settings(), **given)


def train(
    pairs: Sequence[SentencePair],
    output: str | Path,
    *,
    model: str | None = None,
    settings: Settings = Settings(),
    overwrite: bool = False,
    device: str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Trained:
    """Train a model on pairs, and keep the checkpoint that is best on those held out.

    Killed, it goes on where it was when it is called again with the same pairs and settings; until
    it is done there is no folder at `output`, but one beside it with `.training` in its name.

    Args:
        pairs: With labels from 0 (nothing in common) to `settings.max_label`.
        output: The folder to make.
        model: What to begin with: None for the model that comes with searchkit, a folder, or a
            name on a hub.
        settings: How.
        overwrite: Replace what stands at `output`, and an unfinished training with other settings.
        device: As torch names it; None takes a GPU where there is one.
        progress: Called with the steps that are done, and of how many.

    Raises:
        BadInput: if a setting is out of range, there is a folder already, or there are too few
            pairs or questions; or the loss stopped being a number before the first checkpoint.
        ModelRefused: if the model can't be used.
        MissingExtra: without `searchkit[train]`.
        StorageFailed: if the folder can't be written.
    """
    _check(settings)
    _check_extra()
    folder, work = Path(output), Path(output).with_name(f"{Path(output).name}.training")
    if folder.exists() and not overwrite:
        raise BadInput(f"{folder}: is there already; name another folder, or say --overwrite")
    learned, out = _split(pairs, settings)
    base = find_model(model)
    settings = replace(settings, prepare=settings.prepare or base.prepare)
    started = time.perf_counter()
    try:
        _resume(work, _identity(learned, out, base, settings), overwrite=overwrite)
        run = _Run(base, settings, learned, out, work, device)
        counts = run.count_tokens()
        best, steps = run.fit(progress)
        trained = Trained(
            folder, learned, out, run.before, run.scorer.scores, best, steps,
            round(time.perf_counter() - started, 1),
        )  # fmt: skip
        _publish(run, trained, base, settings, counts, work)
    except Exception as error:
        if reason := _not_written(error):
            raise StorageFailed(
                f"{work}: can't be written ({reason}); make room and run the same command again: "
                f"it goes on where it was"
            ) from error
        raise
    return trained


def _not_written(error: Exception) -> str | None:
    """Say why a file could not be written, if that is what an error says: in four dialects."""
    if isinstance(error, OSError):
        return error.strerror or str(error)
    said = str(error)  # of safetensors (Rust) and of torch
    known = ("Os {", "I/O error", "PytorchStreamWriter", "file write failed")
    return "is the disk full?" if any(words in said for words in known) else None


def _check(settings: Settings) -> None:
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


def _check_extra() -> None:
    try:
        import accelerate  # noqa: F401
        import datasets  # noqa: F401
    except ImportError as error:
        raise MissingExtra(
            f"training needs {error.name}; run: pip install 'searchkit[train]'"
        ) from None


def _split(
    pairs: Sequence[SentencePair], settings: Settings
) -> tuple[list[SentencePair], list[SentencePair]]:
    """Hold out whole questions; without questions, pairs that share a text stay together."""
    groups = question_groups(pairs)
    out = np.zeros(len(pairs), bool)
    if settings.held_out and pairs:
        out = held_out(groups, settings.held_out, settings.seed)
        if not out.any():
            raise BadInput(
                "all pairs are of one question, or share texts, so that none can be held out; add "
                "pairs of other questions, or say --held-out 0 and never know what it gave"
            )
    learned = [pair for pair, held in zip(pairs, out, strict=True) if not held]
    usable = [pair for pair in learned if _is_usable(pair, settings)]
    if len(usable) < settings.batch_size:
        kind = (
            "" if len(usable) == len(learned) else f" with a label from {settings.least_positive:g}"
        )
        raise BadInput(
            f"{len(usable):,} pairs{kind} to learn from are fewer than a batch of "
            f"{settings.batch_size}; add some, or say a smaller --batch-size"
        )
    degrees = {_degree(pair, settings) for pair in usable}
    if settings.loss != "mnrl" and len(degrees) == 1:
        raise BadInput(
            f"--loss {settings.loss} learns from differences, and all labels are alike; say "
            f"--loss mnrl"
        )
    return usable, [pair for pair, held in zip(pairs, out, strict=True) if held]


def question_groups(pairs: Sequence[SentencePair]) -> list[object]:
    """Give for each pair what it is held out with: its question, or what it shares texts with."""
    labels = connected([(pair.sentence_0, pair.sentence_1) for pair in pairs]).tolist()
    return [
        label if pair.question is None else pair.question
        for pair, label in zip(pairs, labels, strict=True)
    ]


def _is_usable(pair: SentencePair, settings: Settings) -> bool:
    return settings.loss != "mnrl" or _is_positive(pair, settings)


def _is_positive(pair: SentencePair, settings: Settings) -> bool:
    return pair.label >= settings.least_positive


def _degree(pair: SentencePair, settings: Settings) -> float:
    """Give what a loss with labels is told of a pair, from 0 to 1."""
    if settings.loss == "online-contrastive":
        return float(_is_positive(pair, settings))
    return pair.label / settings.max_label


def _identity(
    learned: Sequence[SentencePair], out: Sequence[SentencePair], base: ModelFolder,
    settings: Settings,
) -> dict[str, Any]:  # fmt: skip
    digest = hashlib.sha256()
    for pair in (*learned, *out):
        digest.update(json.dumps([*asdict(pair).values()]).encode())
    return {"pairs": digest.hexdigest(), "model": base.fingerprint, "settings": asdict(settings)}


def _resume(work: Path, identity: dict[str, Any], *, overwrite: bool) -> None:
    """Make the working folder, or take one that was left by a training like this."""
    note = work / "training.json"
    if work.exists() and note.exists():
        if json.loads(note.read_text("utf-8")) == identity:
            return
        if not overwrite:
            raise BadInput(
                f"{work}: an unfinished training with other pairs or settings; repeat its command "
                f"to go on, or say --overwrite"
            )
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    note.write_text(json.dumps(identity), "utf-8")


class _Run:
    """One training: the model, what it learns from, and where its checkpoints are."""

    def __init__(
        self, base: ModelFolder, settings: Settings, learned: Sequence[SentencePair],
        out: Sequence[SentencePair], work: Path, device: str | None,
    ) -> None:  # fmt: skip
        from searchkit.compiling import quiet

        with quiet():
            import torch

            from searchkit.encoder import load_trainable
            from searchkit.trainer import Scorer

            self.device = device or ("cuda" if torch.cuda.is_available() else "cpu")
            self.model = load_trainable(base, self.device)
            self.model.max_seq_length = min(
                settings.max_tokens, self.model.max_seq_length or settings.max_tokens
            )
            self.scorer = Scorer(self._score)
        self.settings, self.work = settings, work
        self.texts = _prepared(learned, settings)
        self.questions = question_groups(learned)
        self.labels = loss_labels(learned, self.questions, settings)
        self._out, self._out_labels = _prepared(out, settings), [pair.label for pair in out]
        self.before = self._score(self.model) if out else None

    def count_tokens(self) -> list[Tokens]:
        """Count the tokens of what is learned from, and say what is cut off."""
        limit = self.model.max_seq_length
        counts = token_counts(self.texts, self.model.tokenizer, limit)
        if cut := sum(one.cut for one in counts):
            log.info(
                "%s of %s texts are longer than %d tokens; training reads their beginnings",
                f"{cut:,}", f"{2 * len(self.texts):,}", limit,
            )  # fmt: skip
        return counts

    def fit(self, progress: Callable[[int, int], None] | None) -> tuple[int, int]:
        """Train; the model is then that of the best checkpoint. Give its step, and all steps."""
        from searchkit.compiling import quiet
        from searchkit.trainer import METRIC, Trainer, Watch

        with quiet():
            watch = Watch(progress)
            trainer = Trainer(
                self.questions if self.settings.spread else None,
                self.texts,
                model=self.model,
                args=self._arguments(METRIC),
                train_dataset=self._dataset(),
                loss=self._loss(),
                evaluator=self.scorer if self._out else None,
                callbacks=[watch],
            )
            trainer.train(resume_from_checkpoint=_last_whole(self.work))
        state = trainer.state
        if watch.diverged is not None:
            self._say_diverged(watch.diverged, state)
        best = state.best_model_checkpoint
        return int(best.rpartition("-")[2]) if best else state.global_step, state.max_steps

    def _score(self, model: Any) -> float:  # noqa: ANN401
        left, right = (
            model.encode([pair[side] for pair in self._out], normalize_embeddings=True,
                         show_progress_bar=False) for side in (0, 1)
        )  # fmt: skip
        return held_out_score(left, right, self._out_labels)

    def _steps(self) -> int:
        from searchkit.batching import spread

        if not self.settings.spread:
            return -(-len(self.texts) // self.settings.batch_size)
        return len(spread(self.questions, self.texts, self.settings.batch_size))

    def _arguments(self, metric: str) -> Any:  # noqa: ANN401
        from sentence_transformers import SentenceTransformerTrainingArguments

        every = max(1, -(-self._steps() // CHECKS))
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
            bf16=_computes_in_bf16(self.device),
            save_strategy="steps",
            save_steps=every,
            save_total_limit=2,
            load_best_model_at_end=bool(self._out),
            metric_for_best_model=f"eval_{metric}",
            greater_is_better=True,
            logging_steps=1,
            logging_nan_inf_filter=False,
            report_to="none",
            disable_tqdm=True,
            dataloader_pin_memory=False,
            eval_strategy="steps" if self._out else "no",
            eval_steps=every,
        )

    def _dataset(self) -> Any:  # noqa: ANN401
        from datasets import Dataset

        columns: dict[str, list[Any]] = {
            f"sentence_{side}": [pair[side] for pair in self.texts] for side in (0, 1)
        }
        if self.settings.loss != "mnrl":
            columns["label"] = self.labels
        return Dataset.from_dict(columns)

    def _loss(self) -> Any:  # noqa: ANN401
        from sentence_transformers.sentence_transformer import losses

        from searchkit.trainer import JointLoss

        if self.settings.loss == "joint":
            return JointLoss(self.model, scale=SCALE)
        if self.settings.loss == "mnrl":
            return losses.MultipleNegativesRankingLoss(self.model, scale=SCALE)
        if self.settings.loss == "cosent":
            return losses.CoSENTLoss(self.model, scale=SCALE)
        return losses.OnlineContrastiveLoss(self.model)

    def _say_diverged(self, step: int, state: Any) -> None:  # noqa: ANN401
        what = f"the loss is no number any more at step {step}"
        if not state.best_model_checkpoint:
            raise BadInput(f"{what}, before the first checkpoint; say a lower --learning-rate")
        log.warning("%s; the best checkpoint before it is kept", what)


def held_out_score(left: Floats, right: Floats, labels: Sequence[float]) -> float:
    """Say how well cosines follow labels; where all labels are equal, how well pairs are found.

    Args:
        left: `(n, d)` unit rows.
        right: `(n, d)` unit rows, the other text of each pair.
        labels: `(n,)`.

    Returns:
        Spearman's correlation; or the mean reciprocal rank of each pair's other text among all.
    """
    if len(set(labels)) > 1:
        cosines = np.einsum("nd,nd->n", left, right).astype(np.float64)
        return spearman(cosines, np.array(labels, np.float64))
    scores = left @ right.T
    ranks = (scores >= np.diag(scores)[:, None]).sum(axis=1)
    return float((1 / ranks).mean())


def loss_labels(
    pairs: Sequence[SentencePair], questions: Sequence[object], settings: Settings
) -> list[Any]:
    """Give what the loss is told of each pair: its degree, or what `JointLoss` takes."""
    degrees = [_degree(pair, settings) for pair in pairs]
    if settings.loss != "joint":
        return degrees
    number = {question: n for n, question in enumerate(dict.fromkeys(questions))}
    return [
        [degree, float(number[question]), float(_is_positive(pair, settings))]
        for pair, degree, question in zip(pairs, degrees, questions, strict=True)
    ]


def _prepared(pairs: Sequence[SentencePair], settings: Settings) -> list[tuple[str, str]]:
    sides = (
        prepare([well_formed(getattr(pair, name)) for pair in pairs], settings.prepare)
        for name in ("sentence_0", "sentence_1")
    )
    return list(zip(*sides, strict=True))


def _computes_in_bf16(device: str) -> bool:
    import torch

    from searchkit.cpu import half_precisions

    if device == "cuda":  # older ones only pretend to
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return device == "cpu" and "bf16" in half_precisions()


def _last_whole(work: Path) -> str | None:
    """Give the last checkpoint that was written to its end; what a kill left of others goes."""
    from searchkit.trainer import WHOLE

    whole = []
    for folder in work.glob("checkpoint-*"):
        if (folder / WHOLE).exists():
            whole.append(folder)
        else:
            shutil.rmtree(folder)
    return str(max(whole, key=lambda one: int(one.name.rpartition("-")[2]))) if whole else None


def _publish(
    run: _Run, trained: Trained, base: ModelFolder, settings: Settings,
    counts: Sequence[Tokens], work: Path,
) -> None:  # fmt: skip
    """Save the model with its card beside the output, check it, and move it there in one step."""
    from searchkit.compiling import quiet

    making = work / "model"
    shutil.rmtree(making, ignore_errors=True)
    with quiet():
        run.model.save_pretrained(str(making), create_model_card=False)
    if settings.prepare:
        (making / SETTINGS).write_text(json.dumps({"prepare": settings.prepare}), "utf-8")
    card = model_card(trained, base, settings, counts, run.model)
    (making / "README.md").write_text(card, "utf-8")
    check_folder(making)
    old = work / "replaced"
    if trained.path.exists():
        trained.path.replace(old)
    making.replace(trained.path)
    shutil.rmtree(work)
