"""What an ingest takes for its choices, and what it reports."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from itertools import islice
from typing import Literal

from searchkit.core.messages import Message, counted
from searchkit.core.records import Answer
from searchkit.index.records import Added

OnDuplicate = Literal["refuse", "keep-first", "keep-last", "keep-both"]
OnReject = Callable[[Answer, str], None]  # takes an answer that can't be used, and why
PathOf = Callable[[str], str | None]  # takes a source as it is shown; returns its file's path


@dataclass(frozen=True, slots=True)
class Update:
    """An answer to be written.

    Attributes:
        new: The answer, with its final id and what it keeps of the old one.
        old: The stored answer that has this id, or None.
        is_other: Whether the stored one is another answer, which is given up for the new one.
        keeps_text: Whether the text is the stored one, as the row has none.
    """

    new: Answer
    old: Answer | None
    is_other: bool = False
    keeps_text: bool = False

    def with_new(self, new: Answer) -> Update:
        """Return the update with another answer to be written."""
        return Update(new, self.old, self.is_other, self.keeps_text)


@dataclass(slots=True)
class Ingested:
    """What an ingest did, in numbers of answers where nothing else is said.

    Attributes:
        read: Rows that were read, including the skipped ones.
        added: Answers that are new.
        updated: Answers whose text or columns changed.
        unchanged: Answers that were already in the index.
        skipped: Rows that were rejected, or left out as duplicates.
        attempts: Added answers of an author who had answered the question before.
        kept_beside: Added answers that got an id of their own beside another answer's.
        marks_matched: Rows without a text whose columns were taken over by an answer.
        marks_unmatched: Rows without a text that belong to no answer.
        texts_kept: Answers that were left their text, as the file's is empty.
        removed: Answers that were deleted, as their file has them no longer.
        passages: Passages that the added and updated texts were split into.
        embedded: Distinct passage texts that the model was run on.
        seconds: Wall time.
        warnings: What should be looked at, a sentence each.
    """

    read: int = 0
    added: int = 0
    updated: int = 0
    unchanged: int = 0
    skipped: int = 0
    attempts: int = 0
    kept_beside: int = 0
    marks_matched: int = 0
    marks_unmatched: int = 0
    texts_kept: int = 0
    removed: int = 0
    passages: int = 0
    embedded: int = 0
    seconds: float = 0.0
    warnings: list[str] = field(default_factory=list)

    def count(self, added: Added) -> None:
        """Add the numbers of one batch."""
        for name, number in asdict(added).items():
            setattr(self, name, getattr(self, name) + number)


@dataclass(slots=True)
class Remarks:
    """What was noticed in the rows, for the warnings.

    Attributes:
        unnamed_questions: Answers kept beside another one by their author, without a question.
        replaced: Answers that took the place of another author's.
        changed_below_marks: Answers with columns written in the index that got another text.
        hidden: For each column the answers whose file has another value than was written.
        first_unmatched: The first row without a text that belongs to no answer: where, and which.
        inverted: The names in marks that are those of answers' authors in the other order, with
            those.
        both_orders: Pairs of authors of one question, such as `Ada Moss` and `Moss, Ada`.
    """

    unnamed_questions: int = 0
    replaced: int = 0
    changed_below_marks: int = 0
    hidden: Counter[str] = field(default_factory=Counter)
    first_unmatched: str | None = None
    inverted: dict[str, str] = field(default_factory=dict)
    both_orders: set[frozenset[str]] = field(default_factory=set)

    def note_inverted(self, name: str, author: str) -> None:
        """Note a name in marks, and that of the answers' author, in the other order."""
        self.inverted.setdefault(name, author)

    def compare(self, old: Answer, new: Answer) -> None:
        """Note where an update meets what was written in the index."""
        self.changed_below_marks += bool(old.written) and old.text != new.text
        if old.written:
            values = {name.lower(): value for name, value in new.meta.items()}
            for name, value in old.written.items():
                if values.get(name.lower(), value) != value:
                    self.hidden[name] += 1

    def sentences(self, report: Ingested) -> Iterator[str]:
        """Yield a warning for each thing that should be looked at."""
        if report.attempts:
            attempts = counted(report.attempts, "further attempt")
            yield f"{attempts} by one author to one question; all are kept"
        if self.unnamed_questions:
            yield Message(
                "{answers} beside another one by the same author; if they answer several "
                "questions, name the column with `columns.question=NAME`",
                answers=counted(self.unnamed_questions, "answer"),
            )
        if others := report.kept_beside - self.unnamed_questions:
            answers = counted(others, "answer")
            yield f"{answers} kept beside others with the same id, as ID#2, ID#3 …"
        if self.replaced:
            answers = counted(self.replaced, "answer")
            yield f"{answers} replaced by another author's, with what was written there"
        if report.texts_kept:
            yield Message(
                "{answers} empty in the file; the index keeps the text (`allow_empty` empties it)",
                answers=counted(report.texts_kept, "answer"),
            )
        if self.changed_below_marks:
            answers = counted(self.changed_below_marks, "answer")
            yield f"{answers} with marks written here got another text; look at the marks again"
        for name, count in self.hidden.items():
            yield (
                f"column {name!r}: {counted(count, 'answer')} with another value written here than "
                f'in the file; the one written here counts ("file:{name}" is the other)'
            )
        yield from self._about_names()
        if report.marks_unmatched:
            rows = counted(report.marks_unmatched, "row")
            yield f"{rows} without a text not matched; the first is {self.first_unmatched}"

    def _about_names(self) -> Iterator[str]:
        for pair in sorted(map(sorted, self.both_orders))[:1]:
            pairs = counted(len(self.both_orders), "pair")
            yield (
                f"{pairs} of authors who may be one person, such as {pair[0]!r} and {pair[-1]!r}; "
                "they stay apart; if they are one, write the name alike in the files"
            )
        for name, author in islice(self.inverted.items(), 1):
            names = counted(len(self.inverted), "name")
            yield (
                f"{names} of marks with first and last name in the other order, such as {name!r} "
                f"for {author!r}; matched"
            )
