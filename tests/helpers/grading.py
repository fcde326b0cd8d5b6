"""A question with a few answers and made-up nested groups, to be graded in tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from helpers.encoder import ToyEncoder
from searchkit import Answer, Index
from searchkit.core.arrays import Float32, Int64
from searchkit.grading.marking.changes import change, count_marks, group_texts, read_sheet
from searchkit.grading.marking.records import Action, Sheet
from searchkit.index.records import GradingChange

TEXTS = {
    "a": "the event loop runs callbacks",
    "b": "the event loop runs callbacks",
    "c": "the event loop runs all callbacks",
    "d": "an event loop calls back",
    "e": "streams are read piece by piece",
    "f": "streams are read in pieces",
    "g": "middleware passes requests on",
    "h": "a promise settles once",
}
FAMILIES = ("ab,c,d,e,f,g,h", "abc,d,ef,g,h", "abcd,ef,gh")  # groups from fine to coarse
ANSWERS = [Answer(id_, text, "q1", f"author {id_}") for id_, text in TEXTS.items()]
REFERENCE = Answer("r", "the loop runs callbacks", "q1", "Reference")


@dataclass(frozen=True)
class FakeTree:
    """Groups by the first words of texts; texts that aren't known join those that begin alike."""

    texts: Sequence[str]
    levels: int = len(FAMILIES)
    default: int = 1

    def cut(self, level: int) -> Int64:
        id_of = {text: id_ for id_, text in TEXTS.items()}
        ids = [id_of.get(text) or self._nearest(text) for text in self.texts]
        groups = [FAMILIES[level].split(",").index(self._group(level, id_)) for id_ in ids]
        sizes = np.bincount(groups)
        large = sorted((g for g in set(groups) if sizes[g] > 1), key=lambda g: (-sizes[g], g))
        return np.array([large.index(g) if g in large else -1 for g in groups], np.int64)

    def _nearest(self, text: str) -> str:
        return next(id_ for id_, known in TEXTS.items() if known.split()[0] == text.split()[0])

    def _group(self, level: int, id_: str) -> str:
        return next(group for group in FAMILIES[level].split(",") if id_ in group)


def fake_tree(texts: Sequence[str], vectors: Float32) -> FakeTree:
    assert len(texts) == len(vectors)
    return FakeTree(texts)


def make_question(folder: Path, answers: Sequence[Answer] = ANSWERS) -> Index:
    index = Index.create(folder, ToyEncoder())
    index.add([*answers, REFERENCE])
    return index


def sheet_of(index: Index, question: str = "q1") -> Sheet:
    texts = group_texts(index, question, fake_tree)
    return read_sheet(index, question, texts, count_marks(index))


def do(
    index: Index, action: Action, *, overwrite: bool = False, by: str = ""
) -> GradingChange | None:
    return change(index, sheet_of(index), action, overwrite=overwrite, by=by)


def marks_of(index: Index) -> str:
    """Return the marks in order of the ids, `.` for none."""
    sheet = sheet_of(index)
    marks = {a.id: sheet.settings.mark_of(a) or "." for a in sheet.answers}
    return " ".join(marks[id_] for id_ in sorted(marks))


def cards_of(index: Index) -> dict[str, str]:
    """Return the answers of each group, by its name; `*` behind the names of fixed ones."""
    cards = sheet_of(index).cards.cards
    return {card.name + "*" * card.fixed: "".join(sorted(card.ids)) for card in cards}


def groups_of(index: Index) -> list[str]:
    """Return the answers of each group, `*` behind those of fixed ones, in order."""
    cards = sheet_of(index).cards.cards
    return sorted("".join(sorted(card.ids)) + "*" * card.fixed for card in cards)


def key_of(index: Index, ids: str) -> str:
    """Return the key of the group with exactly these answers."""
    (card,) = [c for c in sheet_of(index).cards.cards if "".join(sorted(c.ids)) == ids]
    return card.key
