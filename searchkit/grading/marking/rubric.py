"""A rubric: items with points, whose ticks add up to the mark."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from searchkit.core.errors import BadInput, NotFound
from searchkit.core.messages import Message, listed
from searchkit.core.records import Answer
from searchkit.grading.marking.columns import ITEM_PREFIX, MAX_COLUMN_NAME
from searchkit.grading.marking.scale import STEPS, Scale

TICKED, NOT_TICKED = "yes", "no"
MAX_ITEMS = 50


@dataclass(frozen=True, slots=True)
class RubricItem:
    """A thing that an answer can get points for.

    Attributes:
        key: The column that holds its ticks, `yes` and `no`.
        name: Its name.
        points: What an answer gets for it; may be negative.
    """

    key: str
    name: str
    points: float

    def to_record(self) -> dict[str, Any]:
        """Return the fields by name."""
        return {"key": self.key, "name": self.name, "points": self.points}


Rubric = tuple[RubricItem, ...]


def read_rubric(records: object) -> Rubric:
    """Return a rubric from the records of its items; a new item's key is made from its name.

    Raises:
        BadInput: if it can't be one.
    """
    if not isinstance(records, list) or len(records) > MAX_ITEMS:
        raise BadInput(Message(f"`rubric` must be a list of {MAX_ITEMS} items at most"))
    items = tuple(map(_read_item, records))
    for parts in ([item.key for item in items], [item.name for item in items]):
        folded = [part.casefold() for part in parts]
        if twice := [part for part in parts if folded.count(part.casefold()) > 1]:
            template = "`rubric`: there are two items {name!r}; give them different names"
            raise BadInput(Message(template, name=twice[0]))
    return items


def _read_item(record: object) -> RubricItem:
    if not isinstance(record, dict):
        raise BadInput(Message("`rubric`: an item has a `name` and `points`"))
    name, points = record.get("name"), record.get("points")
    limit = MAX_COLUMN_NAME - len(ITEM_PREFIX)
    name = name.strip() if isinstance(name, str) else ""
    if not name or not name.isprintable() or len(name) > limit:
        template = "`rubric`: an item's name is a line of {limit} characters at most"
        raise BadInput(Message(template, limit=limit))
    if not isinstance(points, int | float) or isinstance(points, bool) or abs(points) > 1e6:
        template = "`rubric`: the points of {name!r} must be a number"
        raise BadInput(Message(template, name=name))
    key = record.get("key") or ITEM_PREFIX + name
    if not isinstance(key, str) or not key.startswith(ITEM_PREFIX) or len(key) > MAX_COLUMN_NAME:
        raise BadInput(Message("`rubric`: {key!r} is no key of an item", key=key))
    return RubricItem(key, name, float(points))


def scale_of(rubric: Sequence[RubricItem]) -> Scale:
    """Return the scale of all marks that a rubric can add up to."""
    points = [item.points for item in rubric]
    low = sum(p for p in points if p < 0)
    high = sum(p for p in points if p > 0)
    if high <= low:
        return Scale()
    on_grid = (s for s in STEPS if all(abs(p / s - round(p / s)) < 1e-9 for p in points))
    return Scale("numbers", low, high, next(on_grid, 0.0))


def find_item(rubric: Sequence[RubricItem], key: str) -> RubricItem:
    """Return the item with a key.

    Raises:
        NotFound: if there is none.
    """
    for item in rubric:
        if item.key == key:
            return item
    names = listed([item.key for item in rubric])
    raise NotFound(
        Message("the rubric has no item {key!r}; there are: {names}", key=key, names=names)
    )


def ticks_of(answer: Answer, rubric: Sequence[RubricItem]) -> dict[str, str]:
    """Return `yes` or `no` for each item that was decided about, by key."""
    values = {item.key: answer.value(item.key).strip().lower() for item in rubric}
    return {key: value for key, value in values.items() if value in (TICKED, NOT_TICKED)}


def add_up(rubric: Sequence[RubricItem], ticks: Mapping[str, str]) -> float | None:
    """Return the sum of the points of the ticked items; None if none was decided about."""
    if not ticks:
        return None
    return round(sum(item.points for item in rubric if ticks.get(item.key) == TICKED), 6)
