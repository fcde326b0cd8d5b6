"""From an action of a teacher to new values of columns; nothing is written here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from searchkit.core.errors import BadInput, NotFound
from searchkit.core.names import not_found
from searchkit.grading.marking.cards import ALONE, Card, check_group_name, parts_of
from searchkit.grading.marking.columns import GROUP_COLUMN
from searchkit.grading.marking.records import (
    Action,
    ChangeSettings,
    Edit,
    Merge,
    Move,
    Overwrite,
    OverwriteRefused,
    Rename,
    Sheet,
    Split,
    Tick,
    WriteComment,
    WriteMarks,
)
from searchkit.grading.marking.rubric import NOT_TICKED, TICKED, Rubric, add_up, find_item, ticks_of
from searchkit.grading.marking.settings import ChosenSettings, Settings

MAX_COMMENT = 10_000  # characters
Values = dict[str, dict[str, str | None]]


def plan(sheet: Sheet, action: Action, *, overwrite: bool = False) -> Edit:
    """Return what an action changes.

    Args:
        sheet: The question.
        action: What the teacher does.
        overwrite: Whether marks and comments may be replaced.

    Raises:
        MarkRefused: if a mark isn't on the scale.
        OverwriteRefused: if marks or comments would be replaced, and may not be.
        NotFound: if there is no such answer, group or item.
        BadInput: if something else of the action can't be used.
    """
    match action:
        case WriteMarks():
            return _write_marks(sheet, action, overwrite=overwrite)
        case WriteComment():
            return _write_comment(sheet, action, overwrite=overwrite)
        case Tick():
            return _tick(sheet, action, overwrite=overwrite)
        case Move():
            return _move(sheet, action)
        case Merge():
            return _merge(sheet, action)
        case Split():
            return _split(sheet, action)
        case Rename():
            return _rename(sheet, action)
        case ChangeSettings():
            return _change_settings(sheet, action)


# -- marks, comments, ticks ------------------------------------------------------------------------


def _write_marks(sheet: Sheet, action: WriteMarks, *, overwrite: bool) -> Edit:
    chosen = sheet.settings
    _check_ids(sheet, action.marks)
    marks = {
        id_: None if text is None or not text.strip() else chosen.scale.parse(text)
        for id_, text in action.marks.items()
    }
    values = _mark_values(sheet, marks, overwrite=overwrite)
    texts = set(marks.values())
    if texts == {None}:
        return Edit("clear the mark of", values)
    if action.accepted:
        return Edit("accept the suggested mark of", values, _kept(sheet))
    what = f"mark {texts.pop()} for" if len(texts) == 1 else "marks for"
    return Edit(what, values, _kept(sheet))


def _mark_values(
    sheet: Sheet,
    marks: Mapping[str, str | None],
    *,
    overwrite: bool,
    expected: Mapping[str, str] | None = None,
) -> Values:
    """Return the cells of marks; those that say the same in another spelling stay.

    Args:
        sheet: The question.
        marks: The new marks, by id; None for none.
        overwrite: Whether marks may be replaced.
        expected: Marks that may be replaced anyway, by id.
    """
    chosen, values, overwrites = sheet.settings, Values(), []
    for id_, new in marks.items():
        old = chosen.mark_of(sheet.by_id[id_])
        if old and new and chosen.scale.read(old) == chosen.scale.read(new):
            continue
        if old and new and old != (expected or {}).get(id_):
            overwrites.append(Overwrite(id_, old, new))
        values[id_] = {chosen.mark_column: new}
    if overwrites and not overwrite:
        raise OverwriteRefused("mark", overwrites)
    return values


def _write_comment(sheet: Sheet, action: WriteComment, *, overwrite: bool) -> Edit:
    _check_ids(sheet, action.ids)
    new = (action.comment or "").strip()
    if len(new) > MAX_COMMENT:
        raise BadInput(f"a comment has {MAX_COMMENT:,} characters at most, not {len(new):,}")
    old = {id_: sheet.settings.comment_of(sheet.by_id[id_]) for id_ in action.ids}
    overwrites = [Overwrite(id_, text, new) for id_, text in old.items() if text and text != new]
    if new and overwrites and not overwrite:
        raise OverwriteRefused("comment", overwrites)
    values: Values = {id_: {sheet.settings.comment_column: new or None} for id_ in action.ids}
    what = "comment on" if new else "clear the comment on"
    return Edit(what, values, _kept(sheet) if new else None)


def _tick(sheet: Sheet, action: Tick, *, overwrite: bool) -> Edit:
    chosen = sheet.settings
    _check_ids(sheet, action.ids)
    item = find_item(chosen.rubric, action.item)
    value = None if action.ticked is None else TICKED if action.ticked else NOT_TICKED
    marks: dict[str, str | None] = {}
    former: dict[str, str] = {}
    values: Values = {}
    for id_ in action.ids:
        ticks = ticks_of(sheet.by_id[id_], chosen.rubric)
        total = add_up(chosen.rubric, ticks)
        former[id_] = "" if total is None else chosen.scale.text_of(total)
        ticks = {key: tick for key, tick in ticks.items() if key != item.key}
        marks[id_] = _sum_text(chosen, ticks if value is None else {**ticks, item.key: value})
        values[id_] = {item.key: value}
        if marks[id_] is None and chosen.mark_of(sheet.by_id[id_]) != former[id_]:
            del marks[id_]  # a mark that didn't come from ticks
    sums = _mark_values(sheet, marks, overwrite=overwrite, expected=former)
    for id_, cells in sums.items():
        values[id_] |= cells
    verb = {TICKED: "tick", NOT_TICKED: "cross out", None: "clear"}[value]
    return Edit(f"{verb} {item.name!r} for", values, _kept(sheet))


def _sum_text(chosen: ChosenSettings, ticks: Mapping[str, str]) -> str | None:
    total = add_up(chosen.rubric, ticks)
    return None if total is None else chosen.scale.parse(chosen.scale.text_of(total))


def _kept(sheet: Sheet) -> Settings | None:
    """Return the settings with what counts now, so that the first marks don't change the scale."""
    chosen, stored = sheet.settings, sheet.stored
    kept = replace(
        stored,
        mark_column=chosen.mark_column,
        comment_column=chosen.comment_column,
        scale=stored.scale or (None if chosen.rubric else chosen.scale),
    )
    return None if kept == stored else kept


# -- groups ----------------------------------------------------------------------------------------


class _Groups:
    """New names of groups, and what is written so that answers are in them."""

    def __init__(self, sheet: Sheet) -> None:
        self._sheet = sheet
        self.values: Values = {}
        self._taken = {card.name.casefold() for card in sheet.cards.cards if card.fixed}

    def put(self, ids: Iterable[str], name: str) -> None:
        """Put answers into the group with a name."""
        self.values.update((id_, {GROUP_COLUMN: name}) for id_ in ids)

    def fix(self, card: Card, ids: Iterable[str] | None = None) -> str:
        """Put the answers of a group, or those of them that stay, into it for good."""
        name = card.name if card.fixed else self.new_name(card.name)
        self.put(card.ids if ids is None else ids, name)
        return name

    def fix_left(self, ids: Iterable[str], target: Card | None = None) -> None:
        """Fix the groups that answers leave, unless it is for the one that was proposed to them."""
        moved = set(ids)
        for card in self._sheet.cards.cards:
            leaving = moved.intersection(card.ids)
            accepted = {
                id_
                for id_ in leaving
                if target and self._sheet.cards.proposed.get(id_) == target.key
            }
            if leaving and leaving != accepted and card != target and not card.fixed:
                self.fix(card, [id_ for id_ in card.ids if id_ not in moved])

    def new_name(self, name: str) -> str:
        """Return a name that no group has yet."""
        name = "a group" if name.casefold() == ALONE else name
        free, number = name, 1
        while free.casefold() in self._taken:
            number += 1
            free = f"{name} ({number})"
        self._taken.add(free.casefold())
        return free


def _move(sheet: Sheet, action: Move) -> Edit:
    _check_ids(sheet, action.ids)
    groups = _Groups(sheet)
    target = None if action.group is None else _find(sheet, action.group)
    name = ALONE if target is None else groups.fix(target)
    groups.fix_left(action.ids, target)
    groups.put(action.ids, name)
    return Edit("move" if target else "set apart", groups.values)


def _merge(sheet: Sheet, action: Merge) -> Edit:
    cards = [_find(sheet, key) for key in dict.fromkeys(action.groups)]
    if len(cards) < 2:
        raise BadInput("two groups or more can be merged; name them all")
    groups = _Groups(sheet)
    name = groups.fix(cards[0])
    for card in cards[1:]:
        groups.put(card.ids, name)
    return Edit(f"merge {len(cards)} groups of", groups.values)


def _split(sheet: Sheet, action: Split) -> Edit:
    groups = _Groups(sheet)
    if action.ids is not None:
        _check_ids(sheet, action.ids)
        groups.fix_left(action.ids)
        groups.put(action.ids, groups.new_name(sheet.texts.name(action.ids)))
        return Edit("make a group of", groups.values)
    if action.group is None:
        raise BadInput("which group is split, or which answers become one? `group` or `ids`")
    card = _find(sheet, action.group)
    largest, *others = _finer_parts(sheet, card)
    groups.fix(card, largest)
    for ids in others:
        groups.put(ids, groups.new_name(sheet.texts.name(ids)) if len(ids) > 1 else ALONE)
    return Edit("split a group of", groups.values)


def _finer_parts(sheet: Sheet, card: Card) -> list[tuple[str, ...]]:
    """Return the parts of a group at the next finer position that splits it, largest first."""
    texts = sheet.texts
    for level in range(texts.tree.levels - 1, -1, -1):
        codes = texts.codes(level)
        own = {id_: codes[id_] for id_ in card.ids}
        if len(set(own.values())) > 1 or set(own.values()) == {-1}:
            alone = [(id_,) for id_, code in own.items() if code == -1]
            return sorted([*parts_of(own).values(), *alone], key=len, reverse=True)
    raise BadInput(
        "these answers say the same, nearly word for word; tick those that belong elsewhere"
    )


def _rename(sheet: Sheet, action: Rename) -> Edit:
    card, name = _find(sheet, action.group), check_group_name(action.name)
    others = (other.name.casefold() for other in sheet.cards.cards if other != card and other.fixed)
    if name.casefold() in others:
        raise BadInput(f"there is a group {name!r} already; merge both, or choose another name")
    groups = _Groups(sheet)
    groups.put(card.ids, name)
    return Edit("name a group of", groups.values)


# -- settings --------------------------------------------------------------------------------------


def _change_settings(sheet: Sheet, action: ChangeSettings) -> Edit:
    settings = sheet.stored.changed(action.settings)
    chosen = settings.resolve(sheet.answers, sheet.used)
    if not action.settings.keys().isdisjoint(("rubric", "scale")):
        _check_rubric(chosen)
    changed = ", ".join(sorted(name.replace("_", " ") for name in action.settings))
    values = _new_sums(sheet, chosen) if settings.rubric != sheet.stored.rubric else {}
    new = None if settings == sheet.stored else settings
    return Edit(f"change the settings ({changed})", values, new)


def _check_rubric(chosen: ChosenSettings) -> None:
    """Check that the sums of a rubric, if there is one, can be on the scale."""
    if not chosen.rubric:
        return
    if chosen.scale.kind == "labels":
        raise BadInput("a rubric adds up points, and the scale has labels; change one of both")
    highest = sum(item.points for item in chosen.rubric if item.points > 0)
    if highest > chosen.scale.high:
        raise BadInput(
            f"the rubric adds up to {highest:g}, and the scale ends at {chosen.scale.high:g}; "
            "change the scale or the points"
        )


def _new_sums(sheet: Sheet, chosen: ChosenSettings) -> Values:
    """Return the marks that came from ticks and add up to something else now."""
    former: Rubric = sheet.settings.rubric
    values: Values = {}
    for answer in sheet.answers:
        old, new = (add_up(rubric, ticks_of(answer, rubric)) for rubric in (former, chosen.rubric))
        mark = sheet.settings.mark_of(answer)
        if old != new and mark and sheet.settings.scale.read(mark) == old:
            text = None if new is None else chosen.scale.parse(chosen.scale.text_of(new))
            values[answer.id] = {chosen.mark_column: text}
    return values


# -- finding ---------------------------------------------------------------------------------------


def _check_ids(sheet: Sheet, ids: Iterable[str]) -> None:
    wanted = list(ids)
    if not wanted:
        raise BadInput("no answer is named; name one or more")
    if missing := [id_ for id_ in wanted if id_ not in sheet.by_id]:
        raise not_found("answer", missing, f"question {sheet.question!r}", list(sheet.by_id))


def _find(sheet: Sheet, key: str) -> Card:
    card = sheet.cards.find(key)
    if card is None:
        raise NotFound("there is no such group any more; load the page again")
    return card
