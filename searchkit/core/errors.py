"""Every error that a user can cause and mend.

    SearchkitError            exit code 1
    ├── BadInput              a file, a row, an option or a number that can't be used
    │   └── NoSuchThing       what is asked for by its id isn't there
    ├── IndexNotFound         no index in that folder
    ├── IndexMismatch         the index was made with another model or by a newer searchkit
    ├── IndexDamaged          the database is not what was written; nothing was changed
    ├── IndexBusy             another process is writing (exit code 75)
    ├── StorageFailed         the disk is full, or the folder can't be written
    ├── ModelRefused          a model folder that is incomplete, unsafe or not supported
    ├── RunnerFailed          the workers of --runner can't be reached, or keep dying
    └── MissingExtra          an optional package isn't installed

A message says what, where (file and line), both values where two disagree, and what mends it:
one line, without a full stop. Mistakes of a programmer stay ValueError and TypeError.
"""

from __future__ import annotations


class SearchkitError(Exception):
    """An error that the user can mend; its text is one line."""

    exit_code = 1


class BadInput(SearchkitError):
    """A file, a row, an option or a number that can't be used."""

    @classmethod
    def at(cls, source: str, line: int | None, what: str) -> BadInput:
        """Build the error ``source:line: what``; without a line, ``source: what``."""
        return cls(f"{source}:{line}: {what}" if line is not None else f"{source}: {what}")


class NoSuchThing(BadInput):
    """What is asked for by its id isn't there."""


class IndexNotFound(SearchkitError):
    """There is no index in that folder."""


class IndexMismatch(SearchkitError):
    """The index was made with another model or by a newer searchkit."""


class IndexDamaged(SearchkitError):
    """The database is not what was written; nothing was changed."""


class IndexBusy(SearchkitError):
    """Another process is writing to the index."""

    exit_code = 75


class StorageFailed(SearchkitError):
    """The disk is full, or the folder can't be written."""


class ModelRefused(SearchkitError):
    """A model folder that is incomplete, unsafe or not supported."""


class RunnerFailed(SearchkitError):
    """The workers of `--runner` can't be reached, or keep dying."""


class MissingExtra(SearchkitError):
    """An optional package isn't installed."""


def first_line(error: Exception) -> str:
    """Return the first line of what a library's error says, or its name if it says nothing."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]
