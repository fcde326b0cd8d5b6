"""A question that is being graded, as JSON; with pseudonyms while names are hidden."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from searchkit.core.records import Answer
from searchkit.grading.marking.cards import Card
from searchkit.grading.marking.progress import comment_bank, count_progress
from searchkit.grading.marking.records import OverwriteRefused, Sheet
from searchkit.grading.marking.rubric import ticks_of
from searchkit.index.records import GradingChange
from searchkit.index.storage.tables.grading import GradingTable
from searchkit.output.history import change_as_record
from searchkit.pages.pseudonyms import Pseudonyms
from searchkit.plagiarism.preparation import prompt_of
from searchkit.text.languages.locales import identified_locale, locale_of


class Names:
    """The names of answers and people as they are shown.

    Args:
        pseudonyms: What takes their place; None shows them.
    """

    def __init__(self, pseudonyms: Pseudonyms | None) -> None:
        self._pseudonyms = pseudonyms
        self._texts: dict[str, str] = {}

    def answer(self, id_: str) -> str:
        """Return an answer's id."""
        return self._pseudonyms.answer(id_) if self._pseudonyms else id_

    def author(self, name: str | None) -> str | None:
        """Return an author's name."""
        return self._pseudonyms.author(name) if self._pseudonyms and name else name

    def question(self, name: str) -> str:
        """Return a question's name."""
        return self._pseudonyms.question(name) if self._pseudonyms and name else name

    def text(self, text: str) -> str:
        """Return the text of an answer, or about one."""
        if not self._pseudonyms:
            return text
        if text not in self._texts:
            self._texts[text] = self._pseudonyms.replace_in_text(text)
        return self._texts[text]

    def real_text(self, shown: str, texts: Iterable[str]) -> str:
        """Return the one of some texts that is shown like this, or else what is shown."""
        texts = texts if self._pseudonyms else ()
        return next((text for text in texts if self.text(text) == shown), shown)

    def answers(self, ids: Iterable[str]) -> list[str]:
        """Return the ids of answers."""
        return [self.answer(id_) for id_ in ids]


def sheet_as_record(sheet: Sheet, names: Names) -> dict[str, Any]:
    """Return what of a question no change changes: its name, text and references."""
    some = [*sheet.references, *sheet.answers][:1]
    text = prompt_of(some[0]) if some else ""
    return {
        "question": {
            "name": names.question(sheet.question),
            "text": names.text(text),
            "locale": identified_locale(text).to_record(),
        },
        "references": [
            {"id": names.answer(reference.id), **text_as_record(reference, names)}
            for reference in sheet.references
        ],
    }


def state_as_record(
    sheet: Sheet, table: GradingTable, suggested: Collection[str], names: Names
) -> dict[str, Any]:
    """Return what of a question a change can change; all answers and groups.

    Args:
        sheet: The question.
        table: Where its history is kept.
        suggested: The ids of answers that a mark is suggested for.
        names: The names as they are shown.
    """
    undoable, redoable = table.undoable(sheet.question), table.redoable(sheet.question)
    return {
        "settings": _settings_as_record(sheet),
        "answers": answers_as_records(sheet, names),
        "groups": [_card_as_record(sheet, card, names) for card in sheet.cards.cards],
        "progress": count_progress(sheet.answers, sheet.settings, suggested).to_record(),
        "comments": [names.text(text) for text in comment_bank(sheet.answers, sheet.settings)],
        "undo": undoable and undoable.what,
        "redo": redoable and redoable.what,
    }


def _settings_as_record(sheet: Sheet) -> dict[str, Any]:
    chosen, tree = sheet.settings, sheet.texts.tree
    return {
        "mark_column": chosen.mark_column,
        "comment_column": chosen.comment_column,
        "level": sheet.level,
        "levels": tree.levels,
        "default_level": tree.default,
        "scale": chosen.scale.to_record(),
        "rubric": [item.to_record() for item in chosen.rubric],
    }


def answers_as_records(sheet: Sheet, names: Names) -> list[dict[str, Any]]:
    """Return all answers with what was written about them."""
    group_of = {id_: card.key for id_, card in sheet.cards.by_id().items()}
    return [
        _answer_as_record(sheet, answer, group_of.get(answer.id), names) for answer in sheet.answers
    ]


def text_as_record(answer: Answer, names: Names) -> dict[str, Any]:
    """Return the text of an answer, and how it is read."""
    locale = locale_of(answer.text, answer.language)
    return {"text": names.text(answer.text), "locale": locale.to_record()}


def _answer_as_record(
    sheet: Sheet, answer: Answer, group: str | None, names: Names
) -> dict[str, Any]:
    chosen = sheet.settings
    return {
        "id": names.answer(answer.id),
        "author": names.author(answer.author),
        **text_as_record(answer, names),
        "mark": chosen.mark_of(answer) or None,
        "file_mark": chosen.file_mark_of(answer) or None,
        "comment": names.text(chosen.comment_of(answer)),
        "ticks": ticks_of(answer, chosen.rubric),
        "group": group,
        "proposed": sheet.cards.proposed.get(answer.id),
    }


def _card_as_record(sheet: Sheet, card: Card, names: Names) -> dict[str, Any]:
    return {
        "key": card.key,
        "name": names.text(card.name),
        "fixed": card.fixed,
        "says": card.says,
        "keywords": [names.text(word) for word in card.keywords],
        "ids": names.answers(card.ids),
        "differences": [
            {
                "kind": difference.kind,
                "versions": [
                    {
                        "text": names.text(text),
                        "ids": names.answers(card.ids[row] for row in rows),
                    }
                    for text, rows in difference.versions
                ],
            }
            for difference in sheet.texts.differences(card.ids)
        ],
    }


def overwrites_as_records(refused: OverwriteRefused, names: Names) -> list[dict[str, str]]:
    """Return what would be replaced."""
    return [
        {"id": names.answer(one.id), "from": names.text(one.old), "to": names.text(one.new)}
        for one in refused.overwrites
    ]


def change_with_names(change: GradingChange, names: Names) -> dict[str, Any]:
    """Return a change with who, when, what, and each cell before and after."""
    cells = [
        {
            "id": names.answer(cell.answer),
            "column": cell.column,
            "before": cell.before and names.text(cell.before),
            "after": cell.after and names.text(cell.after),
        }
        for cell in change.cells
    ]
    return change_as_record(change) | {"question": names.question(change.question), "cells": cells}
