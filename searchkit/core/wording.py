"""Messages that name parameters, and numbers as people write them."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any, Self

_PARAMETER = re.compile(r"`([a-z_.]+)(?:=([^`]*))?`")

NameOf = Callable[[str, str | None], str | None]


class Message(str):
    """A message that keeps the parameters it names apart from the values it quotes.

    The library names a parameter as Python does, in backquotes: "`max_expected` must be 0 or more",
    "or set `on_duplicate='keep-last'`". The command line shows it as an option, and the web as a
    field: see `with_names`. Backquotes in the values are the user's own text and stay as they are.

        raise BadInput(Message("`k` must be 1 or more, not {k}", k=k))
    """

    template: str
    values: dict[str, Any]

    def __new__(cls, template: str, /, **values: Any) -> Self:  # noqa: ANN401
        """Build the message from a format string and its values."""
        message = super().__new__(cls, template.format(**values))
        message.template, message.values = template, values
        return message

    def __getnewargs_ex__(self) -> tuple[tuple[str], dict[str, Any]]:
        """Return what pickle builds the message from."""
        return (self.template,), self.values


def with_names(message: str, name_of: NameOf) -> str:
    """Return a message with its parameters renamed; any other text as it is.

    Args:
        message: A `Message`, also with messages among its values; or a text that names nothing.
        name_of: Takes a parameter's name and its value, if one is written with it; returns what is
            shown instead, or None to leave the parameter in backquotes.
    """
    if not isinstance(message, Message):
        return message

    def renamed(match: re.Match[str]) -> str:
        return name_of(match[1], match[2]) or match[0]

    values = {
        key: with_names(value, name_of) if isinstance(value, str) else value
        for key, value in message.values.items()
    }
    return _PARAMETER.sub(renamed, message.template).format(**values)


def counted(count: int, noun: str) -> str:
    """Return a number with its noun, in the plural unless it is 1."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def read_number(text: str) -> float | None:
    """Read a finite number such as 7, 7.5 or 7,5; None for any other text, 1_0 included."""
    try:
        number = float(text.replace(",", ".", 1) if "." not in text else text)
    except ValueError:
        return None
    return number if math.isfinite(number) and "_" not in text else None
