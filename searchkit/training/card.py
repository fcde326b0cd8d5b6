"""The card of a trained model: from what it was made, how, what it gave; no text stands in it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from searchkit.encoding.model_folder import ModelFolder
    from searchkit.sources.labelled import SentencePair
    from searchkit.training.records import TrainingResult
    from searchkit.training.settings import TrainingSettings


LIBRARIES = (
    "sentence-transformers",
    "transformers",
    "torch",
    "datasets",
    "accelerate",
    "tokenizers",
)
LOSS_NAMES = {
    "joint": "JointLoss (CoSENTLoss + answers to other questions as negatives)",
    "mnrl": "MultipleNegativesRankingLoss",
    "cosent": "CoSENTLoss",
    "online-contrastive": "OnlineContrastiveLoss",
}


@dataclass(frozen=True, slots=True)
class Tokens:
    """How long the texts of one column are.

    Attributes:
        least: Tokens of the shortest, special tokens counted.
        mean: On the mean.
        most: Of the longest.
        cut: How many texts are longer than the model reads.
    """

    least: int
    mean: float
    most: int
    cut: int


def token_counts(texts: Sequence[tuple[str, str]], tokenizer: Any, limit: int) -> list[Tokens]:  # noqa: ANN401
    """Count the tokens of both columns of pairs."""
    found = []
    for side in (0, 1):
        ids = tokenizer([pair[side] for pair in texts], truncation=False, verbose=False)
        lengths = np.array([len(one) for one in ids["input_ids"]])
        found.append(
            Tokens(
                int(lengths.min()),
                float(lengths.mean()),
                int(lengths.max()),
                int((lengths > limit).sum()),
            )
        )
    return found


def model_card(
    trained: TrainingResult,
    base: ModelFolder,
    settings: TrainingSettings,
    tokens: Sequence[Tokens],
    model: Any,  # noqa: ANN401
) -> str:
    """Write the card, in Markdown with the header that model hubs read."""
    parts = [
        _header(base),
        _what(base, settings, model),
        _use(trained, settings),
        _data(trained.training_pairs, trained.held_out, settings, tokens),
        _scores(trained),
        _settings(settings, trained),
        _versions(),
        _licence(base),
    ]
    return "\n\n".join(parts) + "\n"


def _header(base: ModelFolder) -> str:
    return "\n".join(
        [
            "---",
            "tags: [sentence-transformers, sentence-similarity, feature-extraction, searchkit]",
            "library_name: sentence-transformers",
            "pipeline_tag: sentence-similarity",
            f"base_model: {json.dumps(base.name)}",
            "language: en",
            "---",
        ]
    )


def _what(base: ModelFolder, settings: TrainingSettings, model: Any) -> str:  # noqa: ANN401
    read = "texts as they are"
    if settings.prepare == "keywords":
        read = "key words: lower case, without punctuation and function words, as in a dictionary"
    return "\n".join(
        [
            "# A sentence-transformers model trained by searchkit",
            "",
            f"{base.name}, trained further on pairs of answers. It maps a text to a vector for "
            "search, "
            "comparison, clustering and classification.",
            "",
            f"- Begun with: {base.name} (fingerprint {base.fingerprint[:12]})",
            f"- Vectors: {model.get_embedding_dimension()} dimensions, compared by cosine",
            f"- Reads: {read}",
            f"- Longest text: {model.max_seq_length} tokens",
            f"- Modules: {', '.join(type(module).__name__ for module in model)}",
        ]
    )


def _use(trained: TrainingResult, settings: TrainingSettings) -> str:
    name = trained.path.name
    lines = ["## Use", "", "```console", f"$ searchkit reindex --model {name}", "```", ""]
    if settings.prepare:
        lines += [
            "searchkit prepares texts as the folder says. By itself sentence-transformers doesn't:",
            "",
        ]
    lines += ["```python", "from sentence_transformers import SentenceTransformer"]
    texts = '["Callbacks run later.", "The loop runs what waits."]'
    if settings.prepare:
        lines += ["from searchkit import prepare"]
        texts = f'prepare({texts}, "{settings.prepare}")'
    lines += [
        "",
        f'model = SentenceTransformer("{name}")',
        f"vectors = model.encode({texts})",
        "```",
    ]
    return "\n".join(lines)


def _data(
    learned: Sequence[SentencePair],
    out: Sequence[SentencePair],
    settings: TrainingSettings,
    tokens: Sequence[Tokens],
) -> str:
    lines = [
        "## Data",
        "",
        "| | pairs | questions | labels | mean label |",
        "|---|---:|---:|---|---:|",
    ]
    for name, pairs in (("learned from", learned), ("held out", out)):
        if pairs:
            labels = [pair.label for pair in pairs]
            questions = len({pair.question for pair in pairs if pair.question is not None})
            lines.append(
                f"| {name} | {len(pairs):,} | {questions or 'not known'} | {min(labels):g} to "
                f"{max(labels):g} | {np.mean(labels):.2f} |"
            )
    lines += [
        "",
        "| tokens of a text | least | mean | most | cut off |",
        "|---|---:|---:|---:|---:|",
    ]
    lines += [
        f"| sentence_{side} | {one.least} | {one.mean:.1f} | {one.most:,} | {one.cut:,} |"
        for side, one in enumerate(tokens)
    ]
    if settings.loss != "cosent":
        lines += ["", f"A label of {settings.least_positive:g} or more makes a positive."]
    return "\n".join(lines)


def _scores(trained: TrainingResult) -> str:
    if trained.score_before is None:
        return "## Scores\n\nNothing was held out, so that it isn't known what the training gave."
    varied = len({pair.label for pair in trained.held_out}) > 1
    figure = "Spearman's correlation of cosine and label" if varied else "Mean reciprocal rank"
    lines = [
        "## Scores",
        "",
        f"{figure}, on the pairs held out (whole questions). The best checkpoint was kept.",
        "",
        "| step | score |",
        "|---:|---:|",
        f"| 0 (before) | {trained.score_before:.4f} |",
    ]
    for step, score in trained.scores:
        kept = " (kept)" if step == trained.best_step else ""
        lines.append(f"| {step:,}{kept} | {score:.4f} |")
    return "\n".join(lines)


def _settings(settings: TrainingSettings, trained: TrainingResult) -> str:
    rows = {
        "loss": f"{LOSS_NAMES[settings.loss]}, scale 20, cosine"
        if settings.loss != "online-contrastive"
        else LOSS_NAMES[settings.loss],
        "epochs": settings.epochs,
        "batch size": settings.batch_size,
        "batches": "questions spread, no text twice" if settings.spread else "drawn by lot",
        "learning rate": f"{settings.learning_rate:g}, falling in a line, no warm-up",
        "optimiser": "AdamW",
        "steps": f"{trained.steps:,}",
        "seed": settings.seed,
    }
    lines = ["## Training", "", "| | |", "|---|---|"]
    return "\n".join([*lines, *(f"| {name} | {value} |" for name, value in rows.items())])


def _versions() -> str:
    from searchkit._version import __version__

    named = [f"searchkit {__version__}", *(f"{name} {version(name)}" for name in LIBRARIES)]
    return "## Versions\n\n" + ", ".join(named)


def _licence(base: ModelFolder) -> str:
    return (
        "## Licence\n\n"
        f"The licence of {base.name} holds for what is made from it. The texts that it was trained "
        "on may be somebody's: a model can give away what it learned from, so hand it on only to "
        "those who may read them."
    )
