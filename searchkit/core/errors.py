"""The errors that a user can cause and correct, and checks of arguments that raise them.

    SearchkitError            exit code 1
    ├── BadInput              a file, a row, an option or a number that can't be used
    │   └── NotFound          nothing has the requested id
    ├── IndexNotFound         no index in that folder
    ├── IndexMismatch         the index was made with another model or by a newer searchkit
    ├── IndexDamaged          the files are not as searchkit wrote them; nothing was changed
    ├── IndexBusy             another process is writing (exit code 75)
    ├── StorageFailed         the disk is full, or the folder can't be written
    ├── ModelRefused          a model folder that is incomplete, unsafe or not supported
    ├── RunnerFailed          the workers of a runner can't be reached, or crash repeatedly
    └── MissingExtra          an optional package isn't installed

A message is one line without a full stop. It says what is wrong, where (file and line), both values
if two disagree, and how to correct it. Errors of the calling program are ValueError and TypeError.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from typing import TypeVar

from searchkit.core.messages import Message, printable

T = TypeVar("T")
MAX_SEED = 2**31 - 1  # of FAISS
MAX_QUOTED = 300  # characters of another library's error


class SearchkitError(Exception):
    """An error that the user can correct; its message is one line."""

    exit_code = 1

    def __str__(self) -> str:
        """Return the message; control characters of a name in it are escaped."""
        return printable(super().__str__())

    @property
    def message(self) -> str:
        """The text of the error; a `Message` if it names parameters."""
        return str(self) if not self.args or not isinstance(self.args[0], str) else self.args[0]


class BadInput(SearchkitError):
    """A file, a row, an option or a number that can't be used.

    Attributes:
        line: The line of the file, from 1; None if the error is not about a line.
        what: The message without the file and the line; None if the error names no file.
    """

    line: int | None = None
    what: str | None = None

    @classmethod
    def at(cls, source: str, line: int | None, what: str) -> BadInput:
        """Build the error ``source:line: what``; without a line, ``source: what``."""
        place = source if line is None else f"{source}:{line}"
        error = cls(Message("{place}: {what}", place=place, what=what))
        error.line, error.what = line, what
        return error


class NotFound(BadInput):
    """Nothing has the requested id."""


class IndexNotFound(SearchkitError):
    """There is no index in that folder."""


class IndexMismatch(SearchkitError):
    """The index was made with another model or by a newer searchkit."""


class IndexDamaged(SearchkitError):
    """The index's files are not as searchkit wrote them; nothing was changed."""


class IndexBusy(SearchkitError):
    """Another process is writing to the index."""

    exit_code = 75


class StorageFailed(SearchkitError):
    """The disk is full, or the folder can't be written."""


class ModelRefused(SearchkitError):
    """A model folder that is incomplete, unsafe or not supported."""


class RunnerFailed(SearchkitError):
    """The workers of a runner can't be reached, or crash repeatedly."""


class MissingExtra(SearchkitError):
    """An optional package isn't installed."""


def first_line(error: BaseException) -> str:
    """Return the beginning of another library's error, or its class name if it has no text.

    Where the first line only announces what follows, as above a traceback, the last one says it.
    """
    first, *others = (str(error).strip() or type(error).__name__).splitlines()
    line = f"{first} {others[-1].strip()}" if others and first.endswith(":") else first
    return line if len(line) <= MAX_QUOTED else line[:MAX_QUOTED] + "…"


def check_choice(parameter: str, value: object, choices: Collection[str | None]) -> None:
    """Check that a parameter's value is one of its choices; None may be one.

    Raises:
        BadInput: if it isn't.
    """
    if value not in choices:
        template = f"`{parameter}` must be one of {{choices}}, not {{value!r}}"
        raise BadInput(Message(template, choices=", ".join(filter(None, choices)), value=value))


def check_seed(seed: int) -> None:
    """Check that a seed is one that every library takes.

    Raises:
        BadInput: if it isn't from 0 to `MAX_SEED`.
    """
    if not 0 <= seed <= MAX_SEED:
        raise BadInput(
            Message("`seed` must be from 0 to {most}, not {seed}", most=MAX_SEED, seed=seed)
        )


def as_list(name: str, items: Iterable[T], kind: type[T] | tuple[type[T], ...]) -> list[T]:
    """Return the items of an argument that takes several.

    A text is one of them, though Python iterates over its characters, and so is a path.

    Raises:
        TypeError: if the argument is one item, or an item is of another type.
    """
    if isinstance(items, str | bytes | os.PathLike) or not isinstance(items, Iterable):
        raise TypeError(f"`{name}` takes a list, not one {type(items).__name__}")
    found = list(items)
    for number, item in enumerate(found, 1):
        if not isinstance(item, kind):
            kinds = kind if isinstance(kind, tuple) else (kind,)
            names = " or ".join(one.__name__ for one in kinds)
            raise TypeError(f"`{name}`: item {number} is {item!r}, which is no {names}")
    return found
