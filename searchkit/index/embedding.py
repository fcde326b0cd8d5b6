"""Answers on their way into an index: checked, cut into passages, and each new text embedded."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from searchkit.core.arrays import Float16, unit_rows
from searchkit.core.errors import BadInput
from searchkit.core.progress import Progress
from searchkit.core.records import Answer
from searchkit.encoding.encoder import Encoder
from searchkit.index.storage.store import Embedded, Model
from searchkit.text.passages import split_passages


class AnswerProgress:
    """Turns texts that are embedded into answers that are done, so that a bar over answers moves.

    `done` of the answers need no embedding; the others are done in proportion to the texts.
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


def check_answers(answers: Sequence[Answer]) -> None:
    """Refuse what can't be kept.

    Raises:
        BadInput: if an id is blank or comes twice, or a text or a column's name can't be stored.
    """
    seen: set[str] = set()
    for answer in answers:
        if not answer.id.strip():
            raise BadInput(f"an answer has a blank id: {answer.text[:40]!r}; give each one its own")
        if answer.id in seen:
            raise BadInput(f"answer {answer.id!r} comes twice; give each one its own id")
        seen.add(answer.id)
        fields = (answer.id, answer.text, answer.question, answer.author, answer.submitted_at)
        for value in (*fields, *answer.meta, *answer.meta.values()):
            _check_text(answer, value or "")
        if named := next((name for name in answer.meta if "\0" in name), None):
            raise BadInput(
                f"answer {answer.id!r}: column {named!r} has a NUL in its name; rename it"
            )


def _check_text(answer: Answer, value: str) -> None:
    try:
        value.encode()
    except UnicodeEncodeError as error:
        code = ord(value[error.start])
        raise BadInput(
            f"answer {answer.id!r}: a lone surrogate U+{code:04X} can't be stored; replace it"
        ) from error


def spelled_alike(answers: Sequence[Answer], names: Sequence[str]) -> list[Answer]:
    """Spell `meta` names that differ by case alone as the first: SQL sees no difference."""
    known = {name.lower(): name for name in names}
    alike = []
    for answer in answers:
        spelled = {known.setdefault(name.lower(), name): name for name in answer.meta}
        if len(spelled) == len(answer.meta) and any(new != old for new, old in spelled.items()):
            answer = replace(answer, meta={new: answer.meta[old] for new, old in spelled.items()})
        alike.append(answer)
    return alike


def equal(stored: Answer, new: Answer) -> bool:
    """Return whether nothing has changed but the file that it came from."""
    names = ("text", "question", "author", "submitted_at", "meta")
    return all(getattr(stored, name) == getattr(new, name) for name in names)


def canonical(passage: str) -> str:
    """Return what is hashed and embedded: NFC, so that é is é however it is encoded."""
    return unicodedata.normalize("NFC", passage).strip()


def passage_hash(passage: str) -> bytes:
    """Return the SHA-256 under which a passage's vector is kept."""
    return hashlib.sha256(canonical(passage).encode()).digest()


def cut(encoder: Encoder, answers: Sequence[Answer]) -> list[Embedded]:
    """Cut answers into passages that fit the model's window, and hash each one's text."""
    passages = split_passages([a.text for a in answers], encoder.tokenizer, encoder.window)
    return [
        Embedded(a, spans, [passage_hash(a.text[p.start : p.end]) for p in spans])
        for a, spans in zip(answers, passages, strict=True)
    ]


def embed(encoder: Encoder, texts: Sequence[str], progress: Progress | None = None) -> Float16:
    """Embed, refuse what is no vector, and round once: `(n, d)` float16."""
    if not texts:
        return np.empty((0, encoder.dimension), np.float16)
    return unit_rows(encoder.encode(texts, progress), texts).astype(np.float16)


def model_row(encoder: Encoder) -> Model:
    """Return what an index keeps of its model."""
    return Model(encoder.fingerprint, encoder.name, encoder.dimension, encoder.window)


def new_texts(rows: Sequence[Embedded], known: Mapping[bytes, Any]) -> dict[bytes, str]:
    """Return the distinct passage texts that have no vector yet, by their hash."""
    return {
        sha: canonical(row.answer.text[passage.start : passage.end])
        for row in rows
        for passage, sha in zip(row.passages, row.hashes, strict=True)
        if sha not in known
    }
