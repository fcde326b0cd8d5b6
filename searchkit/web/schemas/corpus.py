"""Answers of the REST interface about what is in the index: its state, its texts, uploads."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Record(BaseModel):
    """A record of an answer; the text below a field is its description."""

    model_config = ConfigDict(use_attribute_docstrings=True, extra="forbid")


# -- the index -------------------------------------------------------------------------------------


class Model(Record):
    """The model whose vectors the index holds."""

    fingerprint: str
    """SHA-256 that identifies the model's files."""
    name: str
    dimension: int
    """Length of a vector."""
    window: int
    """Number of tokens that a passage may have."""


class QuestionCounts(Record):
    """How many answers a question has, by how many authors; null: answers to no question."""

    question: str | None
    answers: int
    authors: int


class Checkpoint(Record):
    """The FAISS file with the vectors at the time it was written."""

    file: str
    vectors: int


class Reindex(Record):
    """An unfinished change to another model."""

    model: str
    answers: int
    """Number of answers that it has embedded so far."""


class Status(Record):
    """What the index holds, in numbers."""

    index: str
    """Name of the index's folder."""
    answers: int
    blank: int
    """Number of answers without any text."""
    questions: int
    authors: int
    passages: int
    vectors: int
    earlier_attempts: int
    """Number of answers after which their author answered the same question again."""
    languages: dict[str, int]
    """Number of answers in each language, by its code in ISO 639-1; `und`: it can't be told."""
    columns: list[str]
    """Names of the columns beside the fields."""
    model: Model
    by_question: list[QuestionCounts]
    files: dict[str, int]
    """Size of each file of the index in bytes."""
    checkpoint: Checkpoint | None
    tail: int
    """Number of vectors added since the checkpoint."""
    removed: int
    """Number of deleted vectors that the checkpoint still holds."""
    format: int
    """Version of the database's format."""
    unfinished: Reindex | None
    revision: int
    """Number that grows whenever answers change."""


class Verification(Record):
    """Whether the index is sound, and every problem in one line."""

    sound: bool
    problems: list[str]


# -- answers and hits ------------------------------------------------------------------------------


class Answer(Record):
    """An answer; unknown fields are left out, and every other column follows by its name."""

    model_config = ConfigDict(extra="allow")

    id: str
    question: str | None = None
    author: str | None = None
    submitted_at: str | None = None
    """As the source wrote it."""
    text: str


class AnswerPage(Record):
    """Some of the answers, and whether there are more after them."""

    answers: list[Answer]
    more: bool


class AnswerWithPassages(Answer):
    """An answer, and the passages into which it was cut."""

    passages: list[tuple[int, int]]
    """Offsets in the text: first character, and the one after the last."""


class Passage(Record):
    """Offsets of a passage in an answer's text: first character, and the one after the last."""

    start: int
    end: int


class Hit(Record):
    """An answer that was found."""

    rank: int
    """From 1, the best."""
    score: float
    id: str
    question: str | None
    author: str | None
    submitted_at: str | None
    text: str
    passage: Passage
    """The best passage."""
    best: list[tuple[int, int]]
    """Offsets of the sentence that is nearest in meaning to the query; none in mode `lexical`, nor
    among similar answers."""
    words: list[tuple[int, int]]
    """Offsets of the words found, in the modes `lexical` and `hybrid`."""
    close: bool
    """False if the answer is no nearer to the query than the corpus is to unrelated queries."""
    meta: dict[str, str]
    """Every other column, by its name."""


class SearchResult(Record):
    """A query and its hits, best first."""

    query: str
    hits: list[Hit]


class SimilarAnswers(Record):
    """The answers nearest to one, best first."""

    id: str
    hits: list[Hit]


class Changed(Record):
    """How many answers were changed."""

    changed: int


# -- uploads ---------------------------------------------------------------------------------------


class UploadPreview(Record):
    """A received file, and its first answers as they would be added."""

    id: str
    name: str
    bytes: int
    columns: list[str]
    roles: dict[str, str]
    """The column that holds each field, by the field's name; only those that one column holds."""
    layout: str
    """What all columns were taken for, in a line."""
    answers: list[Answer]
    problem: str | None
    """Why the file can't be read with these options."""


class RejectedRow(Record):
    """A row that was left out."""

    line: int | None
    reason: str


class IngestReport(Record):
    """What became, or would become, of a file's rows, in numbers of answers."""

    summary: str
    """The numbers in a sentence."""
    questions: list[str]
    """The first questions of the file, in its order."""
    blank: int
    """Number of answers without a text."""
    blank_rows: list[str]
    """The first of them: the line, or else the id."""

    read: int
    added: int
    updated: int
    unchanged: int
    skipped: int
    attempts: int
    """Number of added answers of an author who had answered the question before."""
    kept_beside: int
    """Number of added answers that got an id of their own beside another answer's."""
    marks_matched: int
    """Number of rows without a text whose columns were taken over by an answer."""
    marks_unmatched: int
    """Number of rows without a text that belong to no answer."""
    texts_kept: int
    """Number of answers that were left their text, as the file's is empty."""
    removed: int
    """Number of answers that were deleted."""
    passages: int
    """Number of passages cut from the added and updated texts."""
    embedded: int
    """Number of distinct passages that the model was run on."""
    seconds: float
    warnings: list[str]
    """What should be looked at, a sentence each."""
    rejected: int
    rejects: list[RejectedRow]
    """The first of the rejected rows."""
