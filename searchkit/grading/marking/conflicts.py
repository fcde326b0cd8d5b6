"""Marks that contradict each other: in a group, or of answers that say the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from searchkit.core.results import Record
from searchkit.grading.marking.cards import parts_of
from searchkit.grading.marking.records import Sheet
from searchkit.grading.marks import ROUNDING_ERROR
from searchkit.grading.records import Mark


@dataclass(frozen=True, slots=True)
class GroupConflict(Record):
    """Marks that disagree.

    Attributes:
        kind: `group`: in a group, known or suggested ones; `same`: known ones of answers that say
            the same, nearly word for word.
        group: The key of the group; None for answers that are in several.
        ids: The answers with marks, lowest mark first.
        marks: Their marks.
    """

    kind: str
    group: str | None
    ids: tuple[str, ...]
    marks: tuple[Mark, ...]


def find_conflicts(
    sheet: Sheet, suggested: Mapping[str, Mark], tolerance: float
) -> list[GroupConflict]:
    """Return the conflicts of a question: those in groups, then those of answers that say the same.

    Args:
        sheet: The question.
        suggested: Marks of answers that have none.
        tolerance: The difference up to which two numbers agree.
    """
    scale = sheet.settings.scale
    known: dict[str, Mark] = {}
    for answer in sheet.answers:
        mark = scale.read(sheet.settings.mark_of(answer))
        if mark is not None:
            known[answer.id] = mark
    all_marks = {**suggested, **known}
    return [
        *_in_groups(sheet, all_marks, tolerance),
        *_of_same_answers(sheet, known, tolerance),
    ]


def _in_groups(
    sheet: Sheet, marks: Mapping[str, Mark], tolerance: float
) -> Iterator[GroupConflict]:
    for card in sheet.cards.cards:
        if disagreeing := _disagreeing(card.ids, marks, tolerance):
            yield GroupConflict("group", card.key, *disagreeing)


def _of_same_answers(
    sheet: Sheet, known: Mapping[str, Mark], tolerance: float
) -> Iterator[GroupConflict]:
    card_of = sheet.cards.by_id()
    for ids in parts_of(sheet.texts.codes(0)).values():
        if disagreeing := _disagreeing(ids, known, tolerance):
            keys = {card_of[id_].key if id_ in card_of else None for id_ in disagreeing[0]}
            yield GroupConflict("same", keys.pop() if len(keys) == 1 else None, *disagreeing)


def _disagreeing(
    ids: Sequence[str], marks: Mapping[str, Mark], tolerance: float
) -> tuple[tuple[str, ...], tuple[Mark, ...]] | None:
    """Return the answers with marks and their marks, lowest first; None if they agree."""
    pairs = [(marks[id_], id_) for id_ in ids if id_ in marks]
    pairs.sort(key=lambda pair: (*_order(pair[0]), pair[1]))
    if len(pairs) < 2:
        return None
    low, high = pairs[0][0], pairs[-1][0]
    if isinstance(low, float) and isinstance(high, float):
        agree = high - low <= tolerance + ROUNDING_ERROR
    else:
        agree = low == high
    return None if agree else (tuple(id_ for _, id_ in pairs), tuple(mark for mark, _ in pairs))


def _order(mark: Mark) -> tuple[float, str]:
    return (mark, "") if isinstance(mark, float) else (0.0, mark)
