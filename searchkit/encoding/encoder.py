"""The protocol that every embedding model implements."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal, Protocol, get_args

from searchkit.core.progress import Progress

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from searchkit.core.arrays import Float32


# Receives one-line messages for the user.
Notify = Callable[[str], None]
# How a model is computed: "exact" gives the vectors of the model's own code, "fast" computes with
# 8-bit integers or in half precision. They count as two models, with two fingerprints.
Precision = Literal["exact", "fast"]
PRECISIONS: tuple[Precision, ...] = get_args(Precision)
_FAST = "fast-"


def fast_fingerprint(fingerprint: str) -> str:
    """Return the fingerprint that a model has with the precision "fast"."""
    return _FAST + fingerprint


def exact_fingerprint(fingerprint: str) -> str:
    """Return the fingerprint that a model of any precision has with the precision "exact"."""
    return fingerprint.removeprefix(_FAST)


def is_fast(fingerprint: str) -> bool:
    """Whether a fingerprint is that of a model with the precision "fast"."""
    return fingerprint.startswith(_FAST)


def model_options(name: str, fingerprint: str) -> str:
    """Return the options of a command that name a model and its precision."""
    return f"--model {name} --precision fast" if is_fast(fingerprint) else f"--model {name}"


class Encoder(Protocol):
    """A model that embeds texts.

    Attributes:
        name: The name that the user gave; the absolute path if it is a folder.
        fingerprint: Hex SHA-256 over weights, tokenizer, architecture, pooling, prompts and
            window; equal for equal models, whatever they are called. With the precision "fast",
            "fast-" stands before it.
        dimension: Number of components of a vector.
        window: Maximum number of tokens in a passage, after subtracting special tokens and the
            model's document prompt.
        tokenizer: The model's tokenizer without truncation and padding, for splitting texts into
            passages.
    """

    name: str
    fingerprint: str
    dimension: int
    window: int
    tokenizer: Tokenizer

    def encode(self, texts: Sequence[str], progress: Progress | None = None) -> Float32:
        """Embed documents.

        Args:
            texts: Texts of at most `window` tokens; longer ones are truncated.
            progress: Called with the number of embedded texts and the total.

        Returns:
            `(n, d)` float32, unit rows, in the order of `texts`.

        Raises:
            BadInput: If the model returns NaN, infinity or zeros for a text.
        """
        ...

    def encode_queries(self, texts: Sequence[str]) -> Float32:
        """Embed queries, with the model's query prompt if it has one; otherwise like `encode`."""
        ...
