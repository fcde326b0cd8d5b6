"""The groups in which the answers to a question are graded: computed ones, and the teacher's own.

A group that a teacher has corrected is fixed: its members have its name in a column, so that
neither the slider nor answers that come later change it. A later answer is proposed to it instead.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

from searchkit.clustering.keywords import KeywordText, cluster_keywords
from searchkit.core.arrays import Int64
from searchkit.core.errors import BadInput
from searchkit.core.records import Answer
from searchkit.grading.groups.differences import Difference, find_differences
from searchkit.grading.marking.columns import GROUP_COLUMN
from searchkit.text.words import split_words

ALONE = "alone"  # in the column of groups: the teacher took the answer out of all groups
BLANK_NAME = "no text"
MAX_GROUP_NAME = 200  # characters
_NAME_KEYWORDS = 3
_MAX_EXCERPT = 60  # characters of keywords, or of a text without any, that name a group


class NestedGroups(Protocol):
    """Nested groups of texts, from the finest to the coarsest; see `grading.groups.tree`."""

    @property
    def levels(self) -> int:
        """The number of positions."""

    @property
    def default(self) -> int:
        """The position that is chosen for grading."""

    def cut(self, level: int) -> Int64:
        """Return `(n,)` the group of each text at a position; -1 for those that stand alone."""


@dataclass(frozen=True, slots=True)
class ComputedGroup:
    """A group that was computed, before any correction.

    Attributes:
        key: Identifies it among the groups of all positions of the slider.
        name: Some keywords, or the beginning of a text.
        keywords: What distinguishes it from the other answers, best first.
        ids: Its answers.
    """

    key: str
    name: str
    keywords: tuple[str, ...]
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Card:
    """A group as it is graded.

    Attributes:
        key: Identifies it.
        name: Its name.
        fixed: Whether a teacher corrected it.
        says: `same` if all answers say the same, nearly word for word; or `topic`.
        keywords: What distinguishes it from the other answers, best first.
        ids: Its answers.
    """

    key: str
    name: str
    fixed: bool
    says: str
    keywords: tuple[str, ...]
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Cards:
    """All groups of a question.

    Attributes:
        cards: The groups, largest first.
        proposed: The key of the fixed group to which an answer is proposed, by the answer's id.
    """

    cards: tuple[Card, ...]
    proposed: Mapping[str, str]

    def find(self, key: str) -> Card | None:
        """Return the group with a key."""
        return next((card for card in self.cards if card.key == key), None)

    def by_id(self) -> dict[str, Card]:
        """Return the group of each answer that is in one."""
        return {id_: card for card in self.cards for id_ in card.ids}


class GroupedTexts:
    """What is computed from the texts of a question's answers; it holds until an answer changes.

    Args:
        answers: All answers, in order.
        rows: The position among them of each text of the tree; blank answers have none.
        tree: The nested groups.
    """

    def __init__(self, answers: Sequence[Answer], rows: Sequence[int], tree: NestedGroups) -> None:
        self.ids = tuple(answer.id for answer in answers)
        self.texts = tuple(answer.text for answer in answers)
        self.tree = tree
        self._languages = [answer.language for answer in answers]
        self.row_of = {id_: row for row, id_ in enumerate(self.ids)}
        self._rows = np.array(rows, np.int64)
        self._levels: dict[int, tuple[ComputedGroup, ...]] = {}
        self._differences: dict[tuple[str, ...], list[Difference]] = {}
        self._keywords: dict[frozenset[str], tuple[str, ...]] = {}

    def level(self, chosen: int | None) -> int:
        """Return the position of the slider that counts."""
        level = self.tree.default if chosen is None else chosen
        return min(max(level, 0), self.tree.levels - 1)

    def codes(self, level: int) -> dict[str, int]:
        """Return the number of the group of each answer at a position; -1 for none."""
        codes = dict.fromkeys(self.ids, -1)
        cut = self.tree.cut(level).tolist()
        codes.update(zip((self.ids[row] for row in self._rows), cut, strict=True))
        blank = [id_ for id_, text in zip(self.ids, self.texts, strict=True) if not text.strip()]
        codes.update(dict.fromkeys(blank, max(cut, default=-1) + 1 if len(blank) > 1 else -1))
        return codes

    def groups(self, level: int) -> tuple[ComputedGroup, ...]:
        """Return the groups at a position, in the order of their numbers."""
        if level not in self._levels:
            members = list(parts_of(self.codes(level)).items())
            keywords = self._compare([ids for _, ids in members])
            self._levels[level] = tuple(
                ComputedGroup(f"g:{level}:{code}", self._name(ids, words), words, ids)
                for (code, ids), words in zip(members, keywords, strict=True)
            )
        return self._levels[level]

    def keywords(self, ids: Sequence[str]) -> tuple[str, ...]:
        """Return what distinguishes some answers from all others, best first."""
        chosen = frozenset(ids)
        if chosen not in self._keywords:
            self._keywords[chosen] = self._compare([ids])[0]
        return self._keywords[chosen]

    def name(self, ids: Sequence[str]) -> str:
        """Return a name for some answers."""
        return self._name(ids, self.keywords(ids))

    def differences(self, ids: tuple[str, ...]) -> list[Difference]:
        """Return what sets some answers apart from others that are alike otherwise.

        Their rows are positions in `ids`.
        """
        if ids not in self._differences:
            texts = [self.texts[self.row_of[id_]] for id_ in ids]
            self._differences[ids] = find_differences(texts)
        return self._differences[ids]

    def says(self, ids: Sequence[str]) -> str:
        """Return `same` if some answers say the same, nearly word for word, or `topic`."""
        codes = {self._finest[id_] for id_ in ids}
        return "same" if len(ids) == 1 or (len(codes) == 1 and -1 not in codes) else "topic"

    def _compare(self, groups: Sequence[Sequence[str]]) -> list[tuple[str, ...]]:
        chosen = {id_ for ids in groups for id_ in ids}
        rest = [id_ for id_ in self.ids if id_ not in chosen]
        texts = [[self._keyword_texts[self.row_of[id_]] for id_ in ids] for ids in (*groups, rest)]
        return cluster_keywords(texts)[: len(groups)]

    def _name(self, ids: Sequence[str], keywords: Sequence[str]) -> str:
        name = ", ".join(keywords[:_NAME_KEYWORDS]) or self.texts[self.row_of[ids[0]]]
        name = " ".join("".join(c if c.isprintable() else " " for c in name).split())
        return (name[:_MAX_EXCERPT] + "…" if len(name) > _MAX_EXCERPT else name) or BLANK_NAME

    @cached_property
    def _keyword_texts(self) -> list[KeywordText]:
        pairs = zip(self.texts, self._languages, strict=True)
        return [KeywordText(text, split_words(text), language) for text, language in pairs]

    @cached_property
    def _finest(self) -> dict[str, int]:
        return self.codes(0)


def parts_of(codes: Mapping[str, int]) -> dict[int, tuple[str, ...]]:
    """Return the answers of each group, by its number; without those that stand alone."""
    parts: dict[int, list[str]] = {}
    for id_, code in codes.items():
        if code >= 0:
            parts.setdefault(code, []).append(id_)
    return {code: tuple(parts[code]) for code in sorted(parts)}


def deal(texts: GroupedTexts, level: int, answers: Sequence[Answer]) -> Cards:
    """Return the groups at a position of the slider, with the teacher's corrections.

    Args:
        texts: The answers' texts.
        level: The position.
        answers: The same answers, with their columns.
    """
    fixed = {a.id: name for a in answers if (name := a.value(GROUP_COLUMN).strip())}
    members: dict[str, list[str]] = {}
    for answer in answers:
        name = fixed.get(answer.id, ALONE)
        if name != ALONE:
            members.setdefault(name, []).append(answer.id)
    cards = [
        Card(fixed_key(name), name, True, texts.says(ids), texts.keywords(ids), tuple(ids))
        for name, ids in members.items()
    ]
    for group in texts.groups(level):
        ids = tuple(id_ for id_ in group.ids if id_ not in fixed)
        if len(ids) > 1:
            says = texts.says(ids)
            cards.append(Card(group.key, group.name, False, says, group.keywords, ids))
    cards.sort(key=lambda card: (-len(card.ids), texts.row_of[card.ids[0]]))
    return Cards(tuple(cards), _proposals(texts, level, fixed))


def _proposals(texts: GroupedTexts, level: int, fixed: Mapping[str, str]) -> dict[str, str]:
    """Return the key of the fixed group that most of the answers beside each new one are in."""
    proposed: dict[str, str] = {}
    for group in texts.groups(min(level, texts.tree.default)) if fixed else ():
        names = Counter(fixed[id_] for id_ in group.ids if fixed.get(id_, ALONE) != ALONE)
        name, count = names.most_common(1)[0] if names else ("", 0)
        if 2 * count > len(group.ids):
            key = fixed_key(name)
            proposed.update((id_, key) for id_ in group.ids if id_ not in fixed)
    return proposed


def fixed_key(name: str) -> str:
    """Return the key of a fixed group; it tells nothing of the name, which may be hidden."""
    return "f:" + hashlib.blake2b(name.encode(), digest_size=6).hexdigest()


def check_group_name(name: str) -> str:
    """Return the name of a group without white space around it.

    Raises:
        BadInput: if it is none.
    """
    name = " ".join(name.split())
    if not name or not name.isprintable() or len(name) > MAX_GROUP_NAME or name == ALONE:
        raise BadInput(
            f"{name[:60]!r} is no name of a group; write a line of {MAX_GROUP_NAME} characters at "
            f"most, and not {ALONE!r}"
        )
    return name
