"""Pseudonyms: who is called what where names are hidden."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from searchkit.types import REFERENCE, Answer

SHORTEST = 3  # letters of a name that is looked for in texts; `Al` or `7` are words, too
SOMEBODY = "a name"  # a part of the name of several authors


@dataclass(frozen=True, slots=True)
class Mention:
    """Where a text mentions somebody, or an answer by its id, and what stands there instead."""

    start: int
    end: int
    alias: str


class Pseudonyms:
    """The same name for the same author, `author 1`, and for the same answer, `answer 1`.

    They are numbered in the order in which they come, and an author called `reference` stays so.

    Args:
        answers: All whose names may show, those that are shown first in front.
        replace: Whether the names are to be left out altogether; if not, both can be shown.
    """

    def __init__(self, answers: Iterable[Answer], *, replace: bool = False) -> None:
        self.replace = replace
        self.authors: dict[str, str] = {}
        self.answers: dict[str, str] = {}
        for answer in answers:
            self.answers.setdefault(answer.id, f"answer {len(self.answers) + 1}")
            if answer.author and not answer.is_reference:
                self.authors.setdefault(answer.author, f"author {len(self.authors) + 1}")

    def author(self, name: str) -> str:
        """Give what an author is called."""
        return self.authors.get(name, REFERENCE if name.strip().lower() == REFERENCE else SOMEBODY)

    def answer(self, name: str) -> str:
        """Give what an answer is called."""
        return self.answers.get(name, "an answer")

    def mentions(self, text: str) -> list[Mention]:
        """Find the names of authors and the ids of answers in a text, in order.

        Whole words: full names in any case, parts of a name (`Curie` of `Marie Curie`) and ids as
        they are written. What is shorter than `SHORTEST`, and an id of nothing but digits, is left.
        """
        return self._found(self._in_texts, text)

    def mentions_by_us(self, text: str) -> list[Mention]:
        """Find the same in what searchkit says of answers, where an id of any kind may stand."""
        return self._found(self._in_remarks, text)

    def without_names(self, text: str) -> str:
        """Give a text of an answer with everybody in it called by the pseudonym."""
        return replaced(text, self.mentions(text))

    def _found(self, pattern: re.Pattern[str] | None, text: str) -> list[Mention]:
        if pattern is None:
            return []
        return [Mention(*m.span(), self._alias(m.group())) for m in pattern.finditer(text)]

    def _alias(self, said: str) -> str:
        return self._by_case.get(said) or self._by_fold[_key(said)]

    @cached_property
    def _parts(self) -> dict[str, str]:
        """Give what the parts of names of several words are called."""
        found: dict[str, str] = {}
        for name, alias in self.authors.items():
            parts = [part for part in re.split(r"[\s,;]+", name) if len(part) >= SHORTEST]
            for part in parts if len(name.split()) > 1 else []:
                found[part] = alias if found.get(part, alias) == alias else SOMEBODY
        return found

    @cached_property
    def _by_case(self) -> dict[str, str]:
        return {**_forms(self._parts), **_forms(self.answers)}

    @cached_property
    def _by_fold(self) -> dict[str, str]:
        return {_key(name): alias for name, alias in self.authors.items()}

    @cached_property
    def _in_texts(self) -> re.Pattern[str] | None:
        ids = [name for name in self.answers if len(name) >= SHORTEST and not name.isdigit()]
        return self._pattern(ids)

    @cached_property
    def _in_remarks(self) -> re.Pattern[str] | None:
        return self._pattern(list(self.answers))

    def _pattern(self, ids: list[str]) -> re.Pattern[str] | None:
        names = [name for name in self.authors if len(name.strip()) >= SHORTEST]
        exact = [re.escape(form) for form in _forms(dict.fromkeys([*ids, *self._parts], ""))]
        folded = [
            r"(?i:" + r"\s+".join(map(re.escape, form.split())) + ")"
            for form in _forms(dict.fromkeys(names, ""))
        ]
        if not exact and not folded:
            return None
        longest_first = sorted([*exact, *folded], key=lambda one: (-len(one), one))
        return re.compile(rf"(?<!\w)(?:{'|'.join(longest_first)})(?!\w)")


def replaced(text: str, mentions: Iterable[Mention]) -> str:
    """Give a text with something else where somebody is mentioned."""
    pieces, at = [], 0
    for mention in mentions:
        pieces += [text[at : mention.start], mention.alias]
        at = mention.end
    return "".join([*pieces, text[at:]])


def _key(name: str) -> str:
    return " ".join(unicodedata.normalize("NFC", name).casefold().split())


def _forms(names: dict[str, str]) -> dict[str, str]:
    """Give each name in both of Unicode's ways to write an accent."""
    return {
        unicodedata.normalize(form, name): alias
        for form in ("NFC", "NFD")
        for name, alias in names.items()
        if name.strip()
    } | {name: alias for name, alias in names.items() if name.strip()}
