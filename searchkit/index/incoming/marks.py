"""Rows without a text: columns for answers of the index, found by id or by author and question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from searchkit.core.identity import author_key
from searchkit.core.messages import Message
from searchkit.core.records import Answer, Slot
from searchkit.index.incoming.identity import merge_columns
from searchkit.index.incoming.ids import numbered, place_of
from searchkit.index.incoming.namesakes import (
    answers_by_inverted_name,
    authors_by_column,
    is_somebody_else,
    with_known_names,
)
from searchkit.index.incoming.records import Ingested, OnDuplicate, OnReject, Remarks, Update
from searchkit.index.incoming.targets import Target
from searchkit.sources.columns import AnswerColumns


class NoAnswer(Exception):
    """A row belongs to no answer of the index, or it isn't clear to which.

    Attributes:
        reason: Why.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class _Stored:
    """The answers that rows can belong to.

    Attributes:
        by_id: Those with the rows' ids, and with the ids beside them.
        by_slot: Those of the rows' authors to their questions.
        only_question: The question that all answers have; None if there are several.
    """

    by_id: Mapping[str, Answer]
    by_slot: Mapping[Slot, Sequence[Answer]]
    only_question: str | None


class MarksMatcher:
    """Finds the answers whose columns rows without a text have.

    Args:
        target: The index.
        on_duplicate: What becomes of a second value for a column of an answer: `keep-first`,
            `keep-last`, or else it is refused.
        reject: Called with a second value for a column, and why it can't be used.
        on_unmatched: Called with a row that belongs to no answer, and why; None only counts it.
    """

    def __init__(
        self,
        target: Target,
        on_duplicate: OnDuplicate,
        reject: OnReject,
        on_unmatched: OnReject | None,
    ) -> None:
        self._target = target
        self._on_duplicate = on_duplicate
        self._reject = reject
        self._on_unmatched = on_unmatched
        self._first: dict[str, AnswerColumns] = {}  # the first row of each answer

    def match(
        self, rows: Sequence[AnswerColumns], report: Ingested, remarks: Remarks
    ) -> list[Update]:
        """Return what to write for a batch of rows, each answer once."""
        questions = self._target.by_question()
        only_question = questions[0]["question"] if len(questions) == 1 else None
        rows = with_known_names(rows, self._target, only_question)
        rows = self._with_authors(rows, only_question, remarks)
        stored = self._look_up(rows, only_question)
        updates: dict[str, Update] = {}
        for row in rows:
            try:
                answer = _find(row, stored)
            except NoAnswer as error:
                self._report_unmatched(row, error.reason, report, remarks)
                continue
            if not self._is_new(row, answer):
                report.skipped += 1
                continue
            report.marks_matched += 1
            known = updates[answer.id].new if answer.id in updates else answer
            columns = merge_columns(known.meta, row.meta)
            updates[answer.id] = Update(replace(answer, meta=columns), answer)
        for update in updates.values():
            remarks.compare(update.old or update.new, update.new)
        return list(updates.values())

    def _with_authors(
        self, rows: Sequence[AnswerColumns], only: str | None, remarks: Remarks
    ) -> list[AnswerColumns]:
        """Return rows with the authors of the answers.

        Some are known by a column only, others have first and last name in the other order.
        """
        slots = {_slot(row, only) for row in rows if row.author}
        unknown = slots - self._target.find_slots(slots).keys()
        inverted = answers_by_inverted_name(unknown, self._target)
        unknown -= inverted.keys()
        authors = authors_by_column(self._target.answers(), unknown) if unknown else {}
        named = []
        for row in rows:
            author = authors.get(_slot(row, only), row.author)
            answers = inverted.get(_slot(row, only), ()) if row.author else ()
            if answers and not is_somebody_else(row, answers):
                author = answers[-1].author
                remarks.note_inverted(row.author or "", author or "")
            named.append(replace(row, author=author))
        return named

    def _look_up(self, rows: Sequence[AnswerColumns], only: str | None) -> _Stored:
        """Return the answers of the index that a batch of rows can belong to."""
        ids = [row.id for row in rows if row.id]
        beside = [numbered(id_, 2) for id_ in ids]
        by_id = self._target.get_replaceable([*ids, *beside]) if ids else {}
        slots = {_slot(row, only) for row in rows if row.author and row.id not in by_id}
        by_slot = self._target.find_slots(slots) if slots else {}
        return _Stored(by_id, by_slot, only)

    def _is_new(self, row: AnswerColumns, answer: Answer) -> bool:
        """Whether a row's columns are to be written: no earlier row says something else."""
        first = self._first.setdefault(answer.id, row)
        other = next((name for name, v in row.meta.items() if first.meta.get(name, v) != v), None)
        if other is None or self._on_duplicate == "keep-last":
            return True
        if self._on_duplicate != "keep-first":
            reason = Message(
                "answer {id!r} has another {column!r} already at {first}; give each answer one "
                "row, or say `on_duplicate='keep-first'` or keep-last",
                id=answer.id,
                column=other,
                first=place_of(first.source, first.line),
            )
            self._reject(row.as_answer(), reason)
        return False

    def _report_unmatched(
        self, row: AnswerColumns, reason: str, report: Ingested, remarks: Remarks
    ) -> None:
        report.marks_unmatched += 1
        if remarks.first_unmatched is None:
            place = place_of(row.source, row.line)
            remarks.first_unmatched = Message("{place}: {reason}", place=place, reason=reason)
        if self._on_unmatched:
            self._on_unmatched(row.as_answer(), reason)


def _find(row: AnswerColumns, stored: _Stored) -> Answer:
    """Return the answer to which a row belongs.

    Raises:
        NoAnswer: if there is none, or it could be one of several.
    """
    if row.id and (answer := stored.by_id.get(row.id)):
        return _choose_by_id(row, answer, stored.by_id.get(numbered(row.id, 2)))
    slot = _slot(row, stored.only_question)
    answers = stored.by_slot.get(slot, ()) if row.author else ()
    if not answers:
        raise NoAnswer(_none_found(row, slot[0]))
    if slot[0] is None and len(answers) > 1:
        reason = "{count} answers by {author!r} without a question; name the ids"
        raise NoAnswer(Message(reason, count=len(answers), author=row.author))
    return answers[-1]  # the latest attempt


def _choose_by_id(row: AnswerColumns, answer: Answer, beside: Answer | None) -> Answer:
    """Return the answer to which a row belongs, of those with its id.

    Args:
        row: The row.
        answer: The answer that has the id.
        beside: The one that would have had it, and got #2 behind it, if any.

    Raises:
        NoAnswer: if neither has the row's question and author, or two people's have.
    """
    candidates = [a for a in (answer, beside) if a and _agrees(row, a)]
    if not candidates:
        names = " and ".join(filter(None, (answer.question, answer.author)))
        raise NoAnswer(f"answer {row.id!r} is another one ({names})")
    if len(candidates) > 1 and answer.slot != candidates[1].slot:
        reason = "{id!r} is the id of several answers ({id}, {id}#2 …); name the authors, too"
        raise NoAnswer(Message(reason, id=row.id))
    return candidates[0]


def _none_found(row: AnswerColumns, question: str | None) -> str:
    """Return the reason that there is no answer for a row; `question` is that of its answer."""
    if row.id:
        return f"no answer {row.id!r}"
    if question is None:
        return f"no answer by {row.author!r} without a question; give the rows the questions' names"
    return f"no answer by {row.author!r} to {question!r}"


def _agrees(row: AnswerColumns, answer: Answer) -> bool:
    """Whether a row names no other question or author than an answer has."""
    pairs = zip((row.question, author_key(row.author)), answer.slot, strict=True)
    return all(a is None or b is None or a == b for a, b in pairs)


def _slot(row: AnswerColumns, only_question: str | None) -> Slot:
    """Return the question and author of a row; without a question that of all answers, if one."""
    return only_question if row.question is None else row.question, author_key(row.author)
