"""Pseudonyms: who is called what where names are hidden."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from unicodedata import normalize

from searchkit.core.records import REFERENCE, Answer

SHORTEST = 3  # letters of a name that is looked for in texts; `Al` or `7` are words, too
SOMEBODY = "somebody"  # a part of the name of several authors
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Mention:
    """Where a text mentions somebody, or an answer by its id, and what stands there instead."""

    start: int
    end: int
    alias: str


@dataclass(frozen=True, slots=True)
class _Form:
    """One way in which a name is written; `in_any_case` with any white space between its words."""

    text: str
    alias: str
    in_any_case: bool = False

    def end(self, text: str, start: int) -> int:
        """Return where the name ends that begins here as a whole word, or -1."""
        if self.in_any_case:
            match = _in_any_case(self.text).match(text, start)
            end = match.end() if match else -1
        else:
            end = start + len(self.text) if text.startswith(self.text, start) else -1
        cut = end > 0 and any(
            0 < at < len(text) and _WORD.match(text[at - 1]) and _WORD.match(text[at])
            for at in (start, end)
        )
        return -1 if cut else end


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
        """Return what an author is called."""
        return self.authors.get(name, REFERENCE if name.strip().lower() == REFERENCE else SOMEBODY)

    def answer(self, name: str) -> str:
        """Return what an answer is called."""
        return self.answers.get(name, "an answer")

    def mentions(self, text: str) -> list[Mention]:
        """Find the names of authors and the ids of answers in a text, in order.

        Whole words: full names in any case, parts of a name (`Curie` of `Marie Curie`) and ids as
        they are written. What is shorter than `SHORTEST`, and an id of nothing but digits, is left.
        """
        return list(_found(text, self._in_texts))

    def mentions_by_us(self, text: str) -> list[Mention]:
        """Find the same in what searchkit says of answers, where an id of any kind may stand."""
        return list(_found(text, self._in_remarks))

    def without_names(self, text: str) -> str:
        """Return a text of an answer with everybody in it called by the pseudonym."""
        return replaced(text, self.mentions(text))

    def without_names_by_us(self, text: str) -> str:
        """Return what searchkit says with everybody in it called by the pseudonym."""
        return replaced(text, self.mentions_by_us(text))

    @cached_property
    def _parts(self) -> dict[str, str]:
        """Return what the parts of names of several words are called."""
        found: dict[str, str] = {}
        for name, alias in self.authors.items():
            parts = [part for part in re.split(r"[\s,;]+", name) if len(part) >= SHORTEST]
            for part in parts if len(name.split()) > 1 else []:
                found[part] = alias if found.get(part, alias) == alias else SOMEBODY
        return found

    @cached_property
    def _names(self) -> list[_Form]:
        full = {name: a for name, a in self.authors.items() if len(name.strip()) >= SHORTEST}
        return [*_forms(full, in_any_case=True), *_forms(self._parts)]

    @cached_property
    def _in_texts(self) -> Mapping[str, list[_Form]]:
        ids = {n: a for n, a in self.answers.items() if len(n) >= SHORTEST and not n.isdigit()}
        return _by_word([*_forms(ids), *self._names])

    @cached_property
    def _in_remarks(self) -> Mapping[str, list[_Form]]:
        return _by_word([*_forms(self.answers), *self._names])


def replaced(text: str, mentions: Iterable[Mention]) -> str:
    """Return a text with something else where somebody is mentioned."""
    pieces, at = [], 0
    for mention in mentions:
        pieces += [text[at : mention.start], mention.alias]
        at = mention.end
    return "".join([*pieces, text[at:]])


def moved(offset: int, mentions: Iterable[Mention], *, is_end: bool) -> int:
    """Return where an offset is in the text with mentions replaced; a cut name is kept whole."""
    shift = 0
    for mention in mentions:
        if mention.end <= offset:
            shift += len(mention.alias) - (mention.end - mention.start)
        elif mention.start < offset:
            return mention.start + shift + (len(mention.alias) if is_end else 0)
        else:
            break
    return offset + shift


def _forms(names: Mapping[str, str], *, in_any_case: bool = False) -> Iterator[_Form]:
    """Yield the ways in which names are written; an accent may be a character of its own."""
    for name, alias in names.items():
        ways = {name} if name.isascii() else {name, *(normalize(f, name) for f in ("NFC", "NFD"))}
        for text in sorted(ways):
            yield _Form(text.strip() if in_any_case else text, alias, in_any_case)


@lru_cache(maxsize=4096)
def _in_any_case(name: str) -> re.Pattern[str]:
    return re.compile(r"\s+".join(map(re.escape, name.split())), re.IGNORECASE)


def _by_word(forms: Iterable[_Form]) -> dict[str, list[_Form]]:
    """Return the forms by their first word, the longest first; what has no word is left."""
    found: dict[str, list[_Form]] = defaultdict(list)
    for form in sorted(forms, key=lambda form: (-len(form.text), form.text)):
        if word := _WORD.search(form.text):
            found[word.group().casefold()].append(form)
    return found


def _found(text: str, forms: Mapping[str, list[_Form]]) -> Iterator[Mention]:
    """Find the forms in a text, none within another; of two at one place the longer one."""
    at = 0
    for word in _WORD.finditer(text):
        for form in forms.get(word.group().casefold(), ()):
            ahead = re.match(r"\W*", form.text)
            start = word.start() - (ahead.end() if ahead else 0)
            if start >= at and (end := form.end(text, start)) > 0:
                yield Mention(start, end, form.alias)
                at = end
                break
