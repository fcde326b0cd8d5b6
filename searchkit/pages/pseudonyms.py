"""Pseudonyms for authors and answers, and the places where a text mentions them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from unicodedata import normalize

from searchkit.core.records import REFERENCE, Answer

MIN_NAME_LENGTH = 3  # letters of a name that is looked for in texts: `Al` or `7` may be words
SOMEBODY = "somebody"  # the pseudonym for a part of a name that several authors share
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Mention:
    """A place where a text mentions an author, or an answer by its id.

    Attributes:
        start: Offset of the first character.
        end: Offset after the last character.
        alias: The pseudonym.
    """

    start: int
    end: int
    alias: str


@dataclass(frozen=True, slots=True)
class _Form:
    """One way to write a name.

    Attributes:
        text: The name.
        alias: The pseudonym.
        ignore_case: Whether case doesn't matter, nor the white space between words.
    """

    text: str
    alias: str
    ignore_case: bool = False

    def end(self, text: str, start: int) -> int:
        """Return where the name that begins at `start` ends; -1 if none does as a whole word."""
        if self.ignore_case:
            match = _case_insensitive(self.text).match(text, start)
            end = match.end() if match else -1
        else:
            end = start + len(self.text) if text.startswith(self.text, start) else -1
        is_part_of_word = end > 0 and any(
            0 < at < len(text) and _WORD.match(text[at - 1]) and _WORD.match(text[at])
            for at in (start, end)
        )
        return -1 if is_part_of_word else end


class Pseudonyms:
    """Pseudonyms: always the same for an author (`author 1`) and for an answer (`answer 1`).

    Both are numbered in the order of `answers`. An author called `reference` keeps that name.

    Args:
        answers: All answers whose ids or authors may be displayed, in the order of display.
        replace: Whether pseudonyms replace the names; if not, pages can display either.
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
        """Return an author's pseudonym."""
        return self.authors.get(name, REFERENCE if name.strip().lower() == REFERENCE else SOMEBODY)

    def answer(self, name: str) -> str:
        """Return an answer's pseudonym."""
        return self.answers.get(name, "an answer")

    def mentions(self, text: str) -> list[Mention]:
        """Return the mentions of authors and answers in the text of an answer, in order.

        They are whole words: full names in any case, parts of a name (`Curie` of `Marie Curie`) and
        ids exactly as they are written. Names shorter than `MIN_NAME_LENGTH` and ids made only of
        digits are not recognised.
        """
        return list(_find_mentions(text, self._forms_in_texts))

    def mentions_in_message(self, message: str) -> list[Mention]:
        """Return the same for a message of searchkit, in which ids of any kind are recognised."""
        return list(_find_mentions(message, self._forms_in_messages))

    def replace_in_text(self, text: str) -> str:
        """Return the text of an answer with pseudonyms in the place of names."""
        return replace_mentions(text, self.mentions(text))

    def replace_in_message(self, message: str) -> str:
        """Return a message of searchkit with pseudonyms in the place of names."""
        return replace_mentions(message, self.mentions_in_message(message))

    @cached_property
    def _parts(self) -> dict[str, str]:
        """The pseudonym of each part of the names that have several words."""
        aliases: dict[str, str] = {}
        for name, alias in self.authors.items():
            parts = [part for part in re.split(r"[\s,;]+", name) if len(part) >= MIN_NAME_LENGTH]
            for part in parts if len(name.split()) > 1 else []:
                aliases[part] = alias if aliases.get(part, alias) == alias else SOMEBODY
        return aliases

    @cached_property
    def _author_forms(self) -> list[_Form]:
        full = {
            name: alias
            for name, alias in self.authors.items()
            if len(name.strip()) >= MIN_NAME_LENGTH
        }
        return [*_forms(full, ignore_case=True), *_forms(self._parts)]

    @cached_property
    def _forms_in_texts(self) -> Mapping[str, list[_Form]]:
        ids = {
            name: alias
            for name, alias in self.answers.items()
            if len(name) >= MIN_NAME_LENGTH and not name.isdigit()
        }
        return _by_first_word([*_forms(ids), *self._author_forms])

    @cached_property
    def _forms_in_messages(self) -> Mapping[str, list[_Form]]:
        return _by_first_word([*_forms(self.answers), *self._author_forms])


def replace_mentions(text: str, mentions: Iterable[Mention]) -> str:
    """Return a text with pseudonyms in the place of mentions, which must be in order."""
    parts, at = [], 0
    for mention in mentions:
        parts += [text[at : mention.start], mention.alias]
        at = mention.end
    return "".join([*parts, text[at:]])


def move_offset(offset: int, mentions: Iterable[Mention], *, is_end: bool) -> int:
    """Return an offset in the text whose mentions were replaced.

    Args:
        offset: Offset in the original text.
        mentions: The mentions that were replaced, in order.
        is_end: Whether the offset ends a passage. An offset inside a name moves to the name's end
            if so, and otherwise to its start, so that no name is cut.
    """
    shift = 0
    for mention in mentions:
        if mention.end <= offset:
            shift += len(mention.alias) - (mention.end - mention.start)
        elif mention.start < offset:
            return mention.start + shift + (len(mention.alias) if is_end else 0)
        else:
            break
    return offset + shift


def _forms(names: Mapping[str, str], *, ignore_case: bool = False) -> Iterator[_Form]:
    """Yield the ways to write names: as given, and with composed or decomposed accents."""
    for name, alias in names.items():
        spellings = {name}
        if not name.isascii():
            spellings |= {normalize("NFC", name), normalize("NFD", name)}
        for text in sorted(spellings):
            yield _Form(text.strip() if ignore_case else text, alias, ignore_case)


@lru_cache(maxsize=4096)
def _case_insensitive(name: str) -> re.Pattern[str]:
    return re.compile(r"\s+".join(map(re.escape, name.split())), re.IGNORECASE)


def _by_first_word(forms: Iterable[_Form]) -> dict[str, list[_Form]]:
    """Return the forms by their first word, the longest first; those without words are dropped."""
    by_word: dict[str, list[_Form]] = defaultdict(list)
    for form in sorted(forms, key=lambda form: (-len(form.text), form.text)):
        if word := _WORD.search(form.text):
            by_word[word.group().casefold()].append(form)
    return by_word


def _find_mentions(text: str, forms: Mapping[str, list[_Form]]) -> Iterator[Mention]:
    """Yield the mentions in a text, which don't overlap; of two at one place, the longer one."""
    at = 0
    for word in _WORD.finditer(text):
        for form in forms.get(word.group().casefold(), ()):
            prefix = re.match(r"\W*", form.text)  # what the form has before its first word
            start = word.start() - (prefix.end() if prefix else 0)
            if start >= at and (end := form.end(text, start)) > 0:
                yield Mention(start, end, form.alias)
                at = end
                break
