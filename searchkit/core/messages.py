"""Messages: with names of parameters, which can be replaced, and numbers with their nouns."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Self

MAX_LISTED_NAMES = 20
MAX_NAME_LENGTH = 60  # characters of a name in a list
_CONTROL = re.compile("[\0-\x1f\x7f-\x9f\u2028\u2029]")
_PARAMETER = re.compile(r"`([a-z_.]+)(?:=([^`]*))?`")

NameOf = Callable[[str, str | None], str | None]


class Message(str):
    """A message whose parameters can be renamed for the command line or the web.

    The library writes parameters in backquotes, as in Python: "`max_expected` must be 0 or more",
    "or set `on_duplicate='keep-last'`". The command line replaces them by options, and the web by
    fields, with `with_names`. The template is kept apart from the values, because backquotes in a
    value are part of the user's text and must not be replaced.

        raise BadInput(Message("`k` must be 1 or more, not {k}", k=k))
    """

    template: str
    values: dict[str, object]

    def __new__(cls, template: str, /, **values: object) -> Self:
        """Build the message from a format string and the values to fill in."""
        message = super().__new__(cls, template.format(**values))
        message.template, message.values = template, values
        return message

    def __getnewargs_ex__(self) -> tuple[tuple[str], dict[str, object]]:
        """Return the arguments with which pickle calls `__new__`."""
        return (self.template,), self.values


def with_names(message: str, name_of: NameOf) -> str:
    """Return the message with other names for its parameters, in one line.

    Args:
        message: A `Message`, whose values can also be messages. Any other text keeps its names.
        name_of: Takes a parameter's name, and the value after `=` or None; returns the text to
            show instead, or None to leave the parameter in backquotes.
    """
    if not isinstance(message, Message):
        return printable(message)

    def renamed(match: re.Match[str]) -> str:
        return name_of(match[1], match[2]) or match[0]

    values = {
        key: with_names(value, name_of) if isinstance(value, str) else value
        for key, value in message.values.items()
    }
    return printable(_PARAMETER.sub(renamed, message.template).format(**values))


def printable(text: str) -> str:
    """Return a text for a message, which is one line: control characters become escapes."""
    return _CONTROL.sub(lambda match: match[0].encode("unicode_escape").decode(), text)


def listed(names: Sequence[str]) -> str:
    """Return names for a message: the first `MAX_LISTED_NAMES`, and how many are left out."""
    rest = len(names) - MAX_LISTED_NAMES
    more = f" … and {rest:,} more" if rest > 0 else ""
    shown = (
        printable(name if len(name) <= MAX_NAME_LENGTH else name[:MAX_NAME_LENGTH] + "…")
        for name in names[:MAX_LISTED_NAMES]
    )
    return ", ".join(shown) + more or "none"


def path_text(path: Path) -> str:
    """Return a path for messages; what is not UTF-8, and control characters, become escapes."""
    return printable(str(path).encode("utf-8", "backslashreplace").decode())


def counted(count: int, noun: str, plural: str = "") -> str:
    """Return a number and its noun, in the plural (with an s by default) unless it is 1."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {plural or noun + 's'}"
