"""Preparing answers for an index: checked, split into passages, and each new text embedded."""

from __future__ import annotations

import hashlib
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from operator import attrgetter

import numpy as np

from searchkit.core.arrays import Float16, unit_rows
from searchkit.core.errors import BadInput, as_list
from searchkit.core.identity import canonical
from searchkit.core.progress import Progress
from searchkit.core.records import Answer
from searchkit.encoding.encoder import Encoder
from searchkit.index.records import Model, SplitAnswer
from searchkit.sources.columns import distinct_in_any_case
from searchkit.text.passages import split_passages

# What an answer says, beside what was written in the index and its language.
_content = attrgetter("text", "question", "author", "submitted_at", "meta", "original")
_optional_texts = attrgetter("question", "author", "submitted_at", "source", "original", "language")


class AnswerProgress:
    """Reports embedded texts as finished answers, so that a progress bar can count answers.

    Args:
        progress: Called with how many answers are done, and of how many.
        answers: Number of answers.
        done: How many of them need no embedding; the others are done in proportion to the texts.
    """

    def __init__(self, progress: Progress | None, answers: int, done: int = 0) -> None:
        self._progress = progress
        self._answers = answers
        self._done = done
        self._report(done)

    def __call__(self, texts: int, total: int, /) -> None:
        """Take how many texts are embedded, and of how many."""
        self._report(self._done + (self._answers - self._done) * texts // total)

    def finish(self) -> None:
        """Report that every answer is done."""
        self._report(self._answers)

    def _report(self, answers: int) -> None:
        if self._progress:
            self._progress(answers, self._answers)


def as_answers(answers: Iterable[Answer]) -> list[Answer]:
    """Return answers whose fields are texts where `Answer` says so.

    Raises:
        TypeError: for the first that isn't, such as a number or a NaN of a table.
    """
    checked = as_list("answers", answers, Answer)
    for answer in checked:
        fields = (value for value in _optional_texts(answer) if value is not None)
        columns = (*answer.meta.items(), *answer.written.items())
        for value in (answer.id, answer.text, *fields, *chain.from_iterable(columns)):
            if not isinstance(value, str):
                raise TypeError(f"answer {answer.id!r}: {value!r} is no text; write it as one")
    return checked


def check_answers(answers: Sequence[Answer]) -> None:
    """Check that answers can be stored.

    Raises:
        BadInput: if an id is blank or occurs twice, or a text or a column's name can't be stored.
    """
    seen: set[str] = set()
    for answer in answers:
        if not answer.id.strip():
            raise BadInput(f"an answer has a blank id: {answer.text[:40]!r}; give each one its own")
        if answer.id in seen:
            raise BadInput(f"answer {answer.id!r} comes twice; give each one its own id")
        seen.add(answer.id)
        fields = (answer.id, answer.text, answer.question, answer.author, answer.submitted_at)
        meta, written = answer.meta, answer.written
        texts = (*fields, answer.original, *meta, *written, *meta.values(), *written.values())
        _check_text(answer, "".join(filter(None, texts)))
        if "\0" in "".join((*meta, *written)):
            column = next(name for name in (*meta, *written) if "\0" in name)
            raise BadInput(
                f"answer {answer.id!r}: column {column!r} has a NUL in its name; rename it"
            )


def _check_text(answer: Answer, value: str) -> None:
    try:
        value.encode()
    except UnicodeEncodeError as error:
        code = ord(value[error.start])
        raise BadInput(
            f"answer {answer.id!r}: a lone surrogate U+{code:04X} can't be stored; replace it"
        ) from error


def unify_columns(answers: Sequence[Answer], columns: Sequence[str]) -> list[Answer]:
    """Give columns' names that differ only in case one spelling, as SQL takes them for one column.

    Where one answer has several such columns, all but the first get a number.

    Args:
        answers: In order; the first spelling of a new name is used for all.
        columns: The names that the index has.
    """
    spelling = {name.lower(): name for name in columns}
    unified = []
    for answer in answers:
        meta, written = _respelt(answer.meta, spelling), _respelt(answer.written, spelling)
        if meta is not answer.meta or written is not answer.written:
            answer = replace(answer, meta=meta, written=written)
        unified.append(answer)
    return unified


def _respelt(columns: Mapping[str, str], spelling: dict[str, str]) -> Mapping[str, str]:
    """Return the columns by their names in `spelling`, to which new names are added."""
    if not columns:
        return columns
    names = {spelling.setdefault(name.lower(), name): name for name in columns}
    if len(names) < len(columns):
        distinct = distinct_in_any_case(list(columns))
        spelt = [spelling.setdefault(name.lower(), name) for name in distinct]
        return dict(zip(spelt, columns.values(), strict=True))
    if all(new == old for new, old in names.items()):
        return columns
    return {new: columns[old] for new, old in names.items()}


def is_unchanged(stored: Answer, new: Answer) -> bool:
    """Whether two answers agree in everything but the file and line that they came from.

    What was written in the index, and isn't in the new answer, is no difference, nor is a language
    that the new one doesn't have.
    """
    return (
        _content(stored) == _content(new)
        and new.language in (None, stored.language)
        and new.written.items() <= stored.written.items()
    )


def with_written(stored: Answer | None, new: Answer) -> Answer:
    """Return a new answer with what was written in the columns of the stored one."""
    if stored is None or not stored.written:
        return new
    return replace(new, written={**stored.written, **new.written})


def taken_over(stored: Mapping[str, Answer], answers: Sequence[Answer]) -> set[str]:
    """Return the ids of those answers that are surely others than the stored ones."""
    return {new.id for new in answers if new.id in stored and _is_other(stored[new.id], new)}


def _is_other(old: Answer, new: Answer) -> bool:
    """Whether two answers with one id are by two people, or two texts to two questions."""
    question, author = (
        None not in names and names[0] != names[1] for names in zip(old.slot, new.slot, strict=True)
    )
    return author or (question and old.text != new.text)


def changes(
    stored: Mapping[str, Answer], answers: Sequence[Answer]
) -> tuple[list[Answer], list[Answer]]:
    """Return the answers with another text than the stored, and those with other columns only."""
    changed, same_text = [], []
    for answer in answers:
        old = stored.get(answer.id)
        if old is None or old.text != answer.text:
            changed.append(answer)
        elif not is_unchanged(old, answer):
            same_text.append(answer)
    return changed, same_text


def passage_hash(passage: str) -> bytes:
    """Return the SHA-256 that identifies the vector of a passage's text."""
    return hashlib.sha256(canonical(passage).encode()).digest()


def split_answers(encoder: Encoder, answers: Sequence[Answer]) -> list[SplitAnswer]:
    """Split answers into passages that fit the model's window, and hash each one's text."""
    passages = split_passages([a.text for a in answers], encoder.tokenizer, encoder.window)
    return [
        SplitAnswer(answer, spans, [passage_hash(answer.text[p.start : p.end]) for p in spans])
        for answer, spans in zip(answers, passages, strict=True)
    ]


def new_texts(answers: Sequence[SplitAnswer], known: Container[bytes]) -> dict[bytes, str]:
    """Return the distinct passage texts whose hash is not known, by hash."""
    return {
        sha: canonical(split.answer.text[passage.start : passage.end])
        for split in answers
        for passage, sha in zip(split.passages, split.hashes, strict=True)
        if sha not in known
    }


def embed(encoder: Encoder, texts: Sequence[str], progress: Progress | None = None) -> Float16:
    """Return the unit vectors of texts, `(n, d)` float16.

    Raises:
        BadInput: if the model gives NaN, infinity or zeros for a text.
        ValueError: if it gives something else than a vector of its dimension for each text.
    """
    if not texts:
        return np.empty((0, encoder.dimension), np.float16)
    vectors = encoder.encode(texts, progress)
    shape, wanted = np.shape(vectors), (len(texts), encoder.dimension)
    if shape != wanted:
        raise ValueError(f"{encoder.name}: its vectors have the shape {shape}, not {wanted}")
    return unit_rows(vectors, texts).astype(np.float16)


def model_of(encoder: Encoder) -> Model:
    """Return the record of an encoder's model."""
    return Model(encoder.fingerprint, encoder.name, encoder.dimension, encoder.window)


def split_problems(text: str, passages: Iterable[tuple[int, int, bytes | None]]) -> Iterator[str]:
    """Yield what is wrong with the stored passages of a text.

    Args:
        text: The answer's text.
        passages: (start, end, SHA-256 of the text that its vector was made for), in order.
    """
    covered = 0
    for start, end, sha in passages:
        if text[covered:start].strip() or not start < end <= len(text):
            yield "its passages leave text out"
        if sha is None or passage_hash(text[start:end]) != sha:
            yield "its text is not what was embedded"
        covered = end
    if text[covered:].strip():
        yield "its passages leave text out"
