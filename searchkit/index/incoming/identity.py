"""When a stored answer and a new one are the same, and what of both an update keeps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from searchkit.core.identity import canonical
from searchkit.core.records import Answer
from searchkit.index.incoming.records import PathOf, Update


@dataclass(frozen=True, slots=True)
class Identity:
    """Tells which answers are the same, and merges those that are.

    Attributes:
        path_of: Returns the file behind a source, or None where the name tells nothing.
        allow_empty: Whether an empty cell empties what is stored.
        columns: The columns of each source, in lower case, as far as it was read; only known if
            `allow_empty`.
    """

    path_of: PathOf
    allow_empty: bool
    columns: dict[str | None, set[str]] = field(default_factory=dict)

    def note_columns(self, rows: Iterable[Answer]) -> None:
        """Note which columns a file has: where a row has no value for one, its cell is empty."""
        for row in rows if self.allow_empty else ():
            names = self.columns.setdefault(row.source, set())
            names.update(name.lower() for name in row.meta)

    def is_same(self, old: Answer, new: Answer) -> bool:
        """Whether two answers with one id are the same answer.

        They are if question and author are known and the same. If one of both isn't known, nothing
        that is known may differ, and the texts must be equal or one of them empty, or both answers
        know equally much and come from one file.
        """
        if old.slot == new.slot and None not in new.slot:
            return True
        pairs = zip(old.slot, new.slot, strict=True)
        if any(a is not None and b is not None and a != b for a, b in pairs):
            return False
        if answers_another_column(old, new):
            return False
        if is_same_text(old, new) or is_blank(old) or self.leaves_text(new):
            return True
        return old.slot == new.slot and self._is_same_file(old, new)

    def update(self, old: Answer, new: Answer) -> Update:
        """Return the update of a stored answer by a row, which keeps what the row leaves out.

        An empty cell empties nothing, unless `allow_empty`.
        """
        keeps_text = self.leaves_text(new) and not is_blank(old)
        emptied = self.columns.get(new.source, ())
        kept = {name: value for name, value in old.meta.items() if name.lower() not in emptied}
        text = old.text if keeps_text else new.text
        merged = replace(
            new,
            id=old.id,
            text=text,
            original=old.original if keeps_text else new.original,
            question=new.question if new.question is not None else old.question,
            author=new.author if new.author is not None else old.author,
            submitted_at=new.submitted_at or old.submitted_at,
            meta=merge_columns(kept, new.meta),
            language=new.language or (old.language if old.text == text else None),
        )
        return Update(merged, old, keeps_text=keeps_text)

    def leaves_text(self, new: Answer) -> bool:
        """Whether a row has no text and leaves a stored one as it is."""
        return is_blank(new) and not self.allow_empty

    def _is_same_file(self, old: Answer, new: Answer) -> bool:
        if new.source is None:
            return old.source is None
        return old.source == self.path_of(new.source)


def answers_another_column(old: Answer, new: Answer) -> bool:
    """Whether two texts surely stood in two columns of one table, and so answer two questions.

    That is so if the column of the one is among the other columns of the other.
    """
    return not is_same_text(old, new) and (_has_text_of(old, new) or _has_text_of(new, old))


def _has_text_of(answer: Answer, other: Answer) -> bool:
    """Whether an answer has a column, which the other one hasn't, with the text of the other."""
    text = canonical(other.original or other.text)
    return bool(text) and any(
        canonical(value) == text and name not in other.meta for name, value in answer.meta.items()
    )


def merge_columns(old: Mapping[str, str], new: Mapping[str, str]) -> dict[str, str]:
    """Return the columns of both; where both have one, the new value, and the old spelling."""
    spelling = {name.lower(): name for name in old}
    respelt = {spelling.get(name.lower(), name): value for name, value in new.items()}
    return {**old, **(respelt if len(respelt) == len(new) else new)}


def is_blank(answer: Answer) -> bool:
    """Whether an answer has no text."""
    return not answer.text.strip()


def is_same_text(old: Answer, new: Answer) -> bool:
    """Whether two texts differ at most in white space around them and in Unicode's composition."""
    return canonical(old.text) == canonical(new.text)
