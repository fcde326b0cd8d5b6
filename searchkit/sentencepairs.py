"""Sentence pairs: two texts with a label, as models are trained on and measured by."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from searchkit.errors import BadInput
from searchkit.marks import read_number
from searchkit.sources import read_columns
from searchkit.types import SentencePair

MAX_LABEL = 10.0
COLUMNS = ["question", "sentence_0", "sentence_1", "label"]


def read_pairs(
    paths: Sequence[str | Path],
    *,
    max_label: float | None = MAX_LABEL,
    encoding: str | None = None,
    sheet: str | None = None,
) -> list[SentencePair]:
    """Read pairs: columns `sentence_0`, `sentence_1`, `label`, and `question` if there is one.

    Args:
        paths: Files of any format that `read_answers` reads.
        max_label: Labels are numbers from 0 to this; None: any numbers.
        encoding: Of text files.
        sheet: Which sheet of a workbook.

    Returns:
        The pairs, in the order of the files; never none.

    Raises:
        BadInput: `file:line: what; what to do`, for a missing column, a blank sentence, or a label
            that can't be used.
    """
    if max_label is not None and not 0 < max_label < float("inf"):
        raise BadInput(f"--max-label must be a number above 0, not {max_label}")
    rows = read_columns(
        paths, "sentence_0", ["sentence_1", "label"], encoding=encoding, sheet=sheet
    )
    pairs: list[SentencePair] = []
    for answer, (other, label) in rows:
        reason = _blank(answer.text, other) or _unusable(label, max_label)
        if reason:
            raise BadInput.at(answer.source or "-", answer.line, reason)
        number = read_number(label) or 0.0
        pairs.append(SentencePair(answer.text, other, number, answer.question))
    return pairs


def _blank(*sentences: str) -> str | None:
    """Say which sentence is blank, if one is."""
    for number, sentence in enumerate(sentences):
        if not sentence.strip():
            return f"sentence_{number} is blank; leave out the row"
    return None


def _unusable(label: str, most: float | None) -> str | None:
    """Say why a label can't be used, if it can't."""
    number = read_number(label)
    if number is None:
        if not label.strip():
            return "the label is blank; write a number, or leave out the row"
        return f"the label {label[:40]!r} is no number"
    if most is not None and not 0 <= number <= most:
        return f"the label {number:g} is not between 0 and {most:g} (--max-label)"
    return None
