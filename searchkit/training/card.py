"""The model card of a trained model: its data, settings and scores, without any text of the data.

The card's text is the template `model_card.md.j2`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

    from searchkit.encoding.models.folder import ModelFolder
    from searchkit.sources.labelled import SentencePair
    from searchkit.training.records import TrainingResult
    from searchkit.training.settings import TrainingSettings


TEMPLATE = "model_card.md.j2"
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
class TokenCounts:
    """Lengths of the texts in one column of pairs, in tokens, including special ones.

    Attributes:
        min: Length of the shortest text.
        mean: Mean length.
        max: Length of the longest text.
        truncated: Number of texts that are longer than the model's limit.
    """

    min: int
    mean: float
    max: int
    truncated: int


def token_counts(
    texts: Sequence[tuple[str, str]], tokenizer: Callable[..., Any], limit: int
) -> list[TokenCounts]:
    """Count the tokens of both columns of pairs.

    Args:
        texts: Both texts of each pair; at least one pair.
        tokenizer: A tokenizer of transformers.
        limit: Number of tokens at which the model truncates a text.
    """
    counts = []
    for column in (0, 1):
        ids = tokenizer([pair[column] for pair in texts], truncation=False, verbose=False)
        lengths = np.array([len(text_ids) for text_ids in ids["input_ids"]])
        truncated = int((lengths > limit).sum())
        counts.append(
            TokenCounts(int(lengths.min()), float(lengths.mean()), int(lengths.max()), truncated)
        )
    return counts


def model_card(
    result: TrainingResult,
    base: ModelFolder,
    settings: TrainingSettings,
    tokens: Sequence[TokenCounts],
    model: SentenceTransformer,
) -> str:
    """Return the model card in Markdown, with the metadata header that model hubs read.

    Args:
        result: The result of the training.
        base: The folder of the model that the training began with.
        settings: The settings of the training.
        tokens: Lengths of the first and of the second texts of the training pairs.
        model: The trained model.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    from searchkit._version import __version__

    environment = Environment(
        loader=PackageLoader("searchkit.training", ""),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # the card is Markdown
    )
    return environment.get_template(TEMPLATE).render(
        result=result,
        base=base,
        base_name_json=json.dumps(base.name),
        settings=settings,
        loss_name=LOSS_NAMES[settings.loss],
        dimension=model.get_embedding_dimension(),
        max_tokens=model.max_seq_length,
        modules=[type(module).__name__ for module in model],
        data=list(_data_rows(result)),
        tokens=tokens,
        labels_vary=len({pair.label for pair in result.held_out}) > 1,
        versions=[f"searchkit {__version__}", *(f"{name} {version(name)}" for name in LIBRARIES)],
    )


def _data_rows(result: TrainingResult) -> Iterator[dict[str, object]]:
    """Yield the rows of the table of pairs."""
    named: list[tuple[str, list[SentencePair]]] = [
        ("learned from", result.training_pairs),
        ("held out", result.held_out),
    ]
    for name, pairs in named:
        if pairs:
            labels = [pair.label for pair in pairs]
            yield {
                "name": name,
                "pairs": len(pairs),
                "questions": len({pair.question for pair in pairs if pair.question is not None}),
                "min_label": min(labels),
                "max_label": max(labels),
                "mean_label": float(np.mean(labels)),
            }
