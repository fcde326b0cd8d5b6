"""The records that all folders use: an answer, a passage of it, and a hit of a search."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from searchkit.core.identity import author_key
from searchkit.core.results import Record

Span = tuple[int, int]  # offsets in a text: of the first character, and after the last
By = Literal["question", "all"]  # compare answers within each question, or all with all
REFERENCE = "reference"  # the author's name of a reference answer
# The fields of an answer that no column of a file can have the name of
FILE_FIELDS = ("id", "text", "question", "author", "submitted_at", "source", "line", "meta")
Slot = tuple[str | None, str | None]  # a question, and an author's name for comparing


@dataclass(frozen=True, slots=True)
class Answer:
    """One text by one author to one question.

    Attributes:
        id: The caller's own identifier; unique within an index.
        text: The answer's text; can be empty.
        question: The question that it answers, or None.
        author: The author's name or identifier, or None.
        submitted_at: The time of submission, as written in the source, or None.
        source: The file that it was read from, or None.
        line: The line (or row) of that file where it begins, from 1, or None.
        meta: All other columns of the file, from name to value, as text.
        written: The columns that were written in the index: marks, comments, groups. A blank value
            hides that of the file.
        original: What the file had in place of the text, where the text was made from it (HTML).
        attempt: The number of this answer among the answers of this author to this question, from
            1: by the time of submission where all times are known, or else as they were added. The
            index keeps it.
        attempts: The number of these answers.
        language: The language of the text, by its code in ISO 639-1, such as `de`; `und` if it
            can't be told, and None if nobody has looked.
        has_made_id: Whether the file gave no id, so that it was made; see `identity.make_id`.
        identity: The column of `meta` that tells people of the author's name apart, and its value;
            readers set it, and it isn't stored.
    """

    id: str
    text: str
    question: str | None = None
    author: str | None = None
    submitted_at: str | None = None
    source: str | None = None
    line: int | None = None
    meta: Mapping[str, str] = field(default_factory=dict)
    written: Mapping[str, str] = field(default_factory=dict)
    original: str | None = None
    attempt: int = 1
    attempts: int = 1
    language: str | None = field(default=None, compare=False)
    has_made_id: bool = field(default=False, compare=False)
    identity: tuple[str, str] | None = field(default=None, compare=False)

    @property
    def columns(self) -> Mapping[str, str]:
        """The columns of the file and those that were written here, which win."""
        if not self.written:
            return self.meta
        written = self._written_by_file_name()
        return {name: v for name, v in {**self.meta, **written}.items() if v or name not in written}

    @property
    def overridden(self) -> Mapping[str, str]:
        """The columns of the file that have another value here; see `written`."""
        written = self._written_by_file_name()
        return {name: v for name, v in self.meta.items() if v and written.get(name, v) != v}

    def _written_by_file_name(self) -> dict[str, str]:
        """Return what was written here by the file's names: SQL ignores case, so they are one."""
        spelling = {name.lower(): name for name in self.meta}
        return {spelling.get(name.lower(), name): v for name, v in self.written.items()}

    def value(self, column: str) -> str:
        """Return what a column holds, whose name is written in any case; empty without it."""
        columns = self.columns
        if column in columns:
            return columns[column]
        name = column.lower()
        return next((value for other, value in columns.items() if other.lower() == name), "")

    @property
    def author_key(self) -> str | None:
        """The author's name for comparing; None if there is none."""
        return author_key(self.author)

    @property
    def slot(self) -> Slot:
        """What an author answers only once, but for attempts: question and author."""
        return self.question, self.author_key

    @property
    def label(self) -> str:
        """The id, and the author if it is known and not a part of the id, as shown to people."""
        if not self.author or self.id == self.author or self.id.endswith(f"/{self.author}"):
            return self.id
        return f"{self.id} · {self.author}"

    @property
    def is_reference(self) -> bool:
        """Whether it is a reference answer: the author is `reference`, in any case."""
        return self.author_key == REFERENCE


@dataclass(frozen=True, slots=True)
class Passage:
    """A part of an answer that fits the model's window.

    Attributes:
        start: Offset of the first character in the answer's text.
        end: Offset after the last character.
    """

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Hit(Record):
    """An answer that a query found.

    Attributes:
        rank: Position in the list of hits, from 1.
        score: Similarity to the query, higher is better: the cosine of a semantic search, BM25 of
            a lexical one, reciprocal-rank fusion of a hybrid one.
        answer: The whole answer.
        passage: The passage of the answer that matches best.
        best: Its sentence that is nearest in meaning to the query; empty if it wasn't asked for,
            and in a lexical search.
        words: The words of the query in the answer, as a lexical or hybrid search found them.
        is_close: False if the answer is no nearer to the query than to an unrelated text, as far as
            that was asked for; see `index.hits.closeness`.
    """

    rank: int
    score: float
    answer: Answer
    passage: Passage
    best: tuple[Span, ...] = ()
    words: tuple[Span, ...] = ()
    is_close: bool = True

    def to_record(self) -> dict[str, Any]:
        """Return rank and score, the answer without its source, and what matches in its text."""
        answer = self.answer
        return {
            "rank": self.rank,
            "score": self.score,
            "id": answer.id,
            "question": answer.question,
            "author": answer.author,
            "submitted_at": answer.submitted_at,
            "text": answer.text,
            "passage": asdict(self.passage),
            "best": [list(span) for span in self.best],
            "words": [list(span) for span in self.words],
            "close": self.is_close,
            "meta": dict(answer.columns),
        }
