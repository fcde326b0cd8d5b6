"""SentencePiece's unigram models as tokenizers of the `tokenizers` library.

That finds the pieces a hundred times as fast as Python does, knows their offsets, and is what
passages are cut with.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tokenizers import Tokenizer

# Fields of SentencePiece's ModelProto, of its pieces, and of its NormalizerSpec.
_PIECES, _NORMALIZER = 1, 3
_TEXT, _SCORE, _TYPE = 1, 2, 3
_CHARACTERS = 2
_CONTROL = 3  # the type of pieces that stand for no text
_SPACE = "▁"  # how SentencePiece writes a space
_UNKNOWN, _BEGIN, _END = 0, 1, 2  # ids


def read_tokenizer(model: bytes) -> Tokenizer:
    """Return the tokenizer of a SentencePiece unigram model, with `<s>` and `</s>` around texts.

    A run of unknown characters is one unknown token, and `<s>` in a text is text, as in
    SentencePiece.

    Args:
        model: A model file of SentencePiece.

    Raises:
        ValueError: If it is damaged.
    """
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

    try:
        fields = list(_fields(model))
        pieces = [_piece(value) for number, value in fields if number == _PIECES]
        (normalizer,) = [value for number, value in fields if number == _NORMALIZER]
        characters = dict(_fields(normalizer))[_CHARACTERS]
    except (KeyError, RuntimeError, TypeError, ValueError, struct.error) as error:
        raise ValueError("not a SentencePiece model") from error
    tokenizer = Tokenizer(models.Unigram(pieces, _UNKNOWN, byte_fallback=False))
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.Precompiled(characters),
            normalizers.Strip(left=True, right=True),
            normalizers.Replace(Regex(" {2,}"), " "),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(_SPACE, prepend_scheme="always")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", _BEGIN), ("</s>", _END)]
    )
    return tokenizer


def _piece(message: bytes) -> tuple[str, float]:
    """Return a piece and its score; one that no text has, which has no space, if it is control."""
    fields = dict(_fields(message))
    text = fields[_TEXT].decode()
    (score,) = struct.unpack("<f", fields.get(_SCORE, bytes(4)))
    return f" {text}" if fields.get(_TYPE) == _CONTROL else text, score


def _fields(message: bytes) -> Iterator[tuple[int, Any]]:
    """Yield number and value of each field of a Protocol Buffers message."""
    position = 0
    while position < len(message):
        tag, position = _variable_integer(message, position)
        number, kind = tag >> 3, tag & 7
        if kind == 0:
            value, position = _variable_integer(message, position)
            yield number, value
            continue
        if kind == 2:
            length, position = _variable_integer(message, position)
        else:
            length = {1: 8, 5: 4}[kind]
        yield number, message[position : position + length]
        position += length


def _variable_integer(message: bytes, position: int) -> tuple[int, int]:
    """Return the integer of 7 bits a byte at a position, and the position after it."""
    end = next(n for n in range(position, len(message)) if message[n] < 0x80) + 1
    groups = [byte & 0x7F for byte in message[position:end]]
    return sum(group << 7 * n for n, group in enumerate(groups)), end
