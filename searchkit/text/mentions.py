"""The places where a text mentions a name, and the same text with something else in its place."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice, pairwise
from typing import Literal

from searchkit.text.folding import Folded, fold
from searchkit.text.unspaced import UNSPACED

Rule = Literal["any case", "capital", "everyday", "exact"]
"""Where a form counts as a mention, always as whole words.

`any case`: without regard to case and accents. `capital`: only with a capital letter. `everyday`: a
name that is a common word, too: with a capital letter, and not at the start of a sentence, unless
an apostrophe and s follow. `exact`: as it is written.
"""

MAX_GAP = 3  # characters between two words of one name
MAX_BEFORE = 40  # characters before a name in which the end of a sentence is looked for
_WORD = re.compile(f"[{UNSPACED}]|[^\\W_{UNSPACED}]+")
_POSSESSIVE = re.compile(r"['\u2019]s\b")
_SENTENCE_END = re.compile(r"[.!?:\n]\W*\Z")


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
class NameForm:
    """One way to write a name.

    Attributes:
        text: The name.
        alias: The pseudonym.
        rule: Where it counts as a mention.
    """

    text: str
    alias: str
    rule: Rule = "any case"


def name_words(name: str) -> tuple[str, ...]:
    """Return the words of a name as they are compared; a character of Chinese is a word."""
    return tuple(_WORD.findall(fold(name).text))


class MentionFinder:
    """Finds names in texts; of several at one place, that with most words."""

    def __init__(self, forms: Iterable[NameForm]) -> None:
        self._by_first_word: dict[str, list[tuple[tuple[str, ...], NameForm]]] = defaultdict(list)
        for form in forms:
            if words := name_words(form.text):
                self._by_first_word[words[0]].append((words, form))
        for same in self._by_first_word.values():
            same.sort(key=lambda item: (-len(item[0]), -len(item[1].text), item[1].text))

    def find(self, text: str) -> list[Mention]:
        """Return the mentions in a text, in order; they don't overlap."""
        folded = fold(text)
        mentions: list[Mention] = []
        end = 0
        for word in _WORD.finditer(folded.text):
            mention = self._at(text, folded, word)
            if mention and mention.start >= end:
                mentions.append(mention)
                end = mention.end
        return mentions

    def _at(self, text: str, folded: Folded, word: re.Match[str]) -> Mention | None:
        """Return the mention that begins with a word; None if none does."""
        for form_words, form in self._candidates(word[0]):
            following = _WORD.finditer(folded.text, word.end())
            words = [word, *islice(following, len(form_words) - 1)]
            if not _are_words(form_words, words):
                continue
            start = folded.original_offset(word.start())
            end = folded.original_offset(words[-1].start() + len(form_words[-1]))
            start, end = _with_edges(form.text, text, start, end)
            if _follows(form, text, start, end):
                return Mention(start, end, form.alias)
        return None

    def _candidates(self, word: str) -> Iterator[tuple[tuple[str, ...], NameForm]]:
        yield from self._by_first_word.get(word, ())
        if word.endswith("s"):  # the genitive of German: "Adas"
            for words, form in self._by_first_word.get(word[:-1], ()):
                if len(words) == 1:
                    yield words, form


def _are_words(words: tuple[str, ...], matches: list[re.Match[str]]) -> bool:
    """Whether the words of a text are those of a name, side by side; the last may be a genitive."""
    *others, last = (match[0] for match in matches)
    is_last = last == words[-1] or (last == words[-1] + "s" and len(last) > MAX_GAP)
    gaps = (after.start() - before.end() for before, after in pairwise(matches))
    return is_last and tuple(others) == words[:-1] and all(gap <= MAX_GAP for gap in gaps)


def _with_edges(name: str, text: str, start: int, end: int) -> tuple[int, int]:
    """Return offsets with what a name has before its first word and after its last one."""
    before, after = re.match(r"[\W_]*", name), re.search(r"[\W_]*\Z", name)
    if before and before[0] and text.endswith(before[0], 0, start):
        start -= len(before[0])
    if after and after[0] and text.startswith(after[0], end):
        end += len(after[0])
    return start, end


def _follows(form: NameForm, text: str, start: int, end: int) -> bool:
    """Whether a place in a text follows the rule of a form."""
    if form.rule == "any case":
        return True
    if form.rule == "exact":
        return text[start:end] == form.text
    if not text[start].isupper():
        return False
    is_owner = _POSSESSIVE.match(text, end) is not None
    return form.rule == "capital" or is_owner or not _starts_sentence(text, start)


def _starts_sentence(text: str, start: int) -> bool:
    before = text[max(0, start - MAX_BEFORE) : start]
    is_first = start <= MAX_BEFORE and not re.search(r"\w", before)
    return is_first or _SENTENCE_END.search(before) is not None


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
