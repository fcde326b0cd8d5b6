"""What a file of a platform's zip is: a submission's file, or none."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath

VERSION = "version"
MIN_SHARE = 0.5  # of the files that must have a platform's names


@dataclass(frozen=True, slots=True)
class Submission:
    """A file of a submission.

    Attributes:
        author: Who handed it in.
        file: Its name or path without what the platform put in front.
        question: What it answers, where the platform says it.
        submitted_at: When it was handed in.
        columns: What else the platform says; with `VERSION`, such as `Revision 2`.
        cut: Takes the file's text and returns the part that is the answer; None takes all of it.
    """

    author: str | None
    file: str
    question: str | None = None
    submitted_at: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    cut: Callable[[str], str] | None = None

    @property
    def attempt(self) -> tuple[str | None, str | None]:
        """What tells an author's attempts at a question apart."""
        return self.submitted_at, self.columns.get(VERSION)


@dataclass(frozen=True, slots=True)
class Listing:
    """A folder or zip as a platform is recognized by it.

    Attributes:
        source: The name of the zip or folder, or `-`.
        names: The paths of its files, with slashes.
        read: Takes one of the names and returns the file's content.
    """

    source: str
    names: Sequence[str]
    read: Callable[[str], bytes]

    @property
    def stem(self) -> str | None:
        """The name without folder, suffix and the number of a second download; None for `-`."""
        name = PurePath(self.source).name
        stem = re.sub(r"(?i)\.zip$", "", name)
        return re.sub(r"(?: \(\d+\)|_copy| - Copy)$", "", stem).strip(" -") or None

    def matches(self, pattern: re.Pattern[str]) -> dict[str, re.Match[str]] | None:
        """Return the match of each name that has one; None if less than half of them have."""
        found = {name: match for name in self.names if (match := pattern.fullmatch(name))}
        return found if found and len(found) >= MIN_SHARE * len(self.names) else None


Classify = Callable[[str], Submission | str]  # a text says why a file is no answer


def unique_authors(people: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """Return the author of each (name, number): the name, with the number where several have it."""
    numbers: defaultdict[str, set[str]] = defaultdict(set)
    pairs = set(people)
    for name, number in pairs:
        numbers[name.casefold()].add(number)
    return {
        (name, number): name if len(numbers[name.casefold()]) == 1 else f"{name} ({number})"
        for name, number in pairs
    }
