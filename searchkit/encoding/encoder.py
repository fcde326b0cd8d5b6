"""What every model for embedding promises."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from searchkit.core.progress import Progress

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from searchkit.core.arrays import Float32


Notify = Callable[[str], None]


class Encoder(Protocol):
    """A model that embeds texts.

    Attributes:
        name: As the user named it; of a folder its absolute path.
        fingerprint: Hex SHA-256 over weights, tokenizer, architecture, pooling, prompts and
            window; equal for equal models, whatever they are called.
        dimension: Of the vectors.
        window: Tokens of text that a passage may hold; special tokens and the model's prompt for
            documents are already taken off.
        tokenizer: The model's, without truncation and padding: for cutting passages.
    """

    name: str
    fingerprint: str
    dimension: int
    window: int
    tokenizer: Tokenizer

    def encode(self, texts: Sequence[str], progress: Progress | None = None) -> Float32:
        """Embed documents.

        Args:
            texts: At most `window` tokens each; what is longer is truncated.
            progress: Called with how many texts are embedded, and of how many.

        Returns:
            `(n, d)` float32, unit rows, in the order of `texts`.

        Raises:
            BadInput: The model gave no usable vector for a text.
        """
        ...

    def encode_queries(self, texts: Sequence[str]) -> Float32:
        """Embed queries, with the model's query prompt if it has one; as `encode`."""
        ...
