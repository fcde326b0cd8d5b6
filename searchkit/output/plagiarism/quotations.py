"""What a table quotes of a finding: a passage; of a translation the sentences of both sides."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from searchkit.output.console import one_line
from searchkit.text.languages.identification import identify_language
from searchkit.text.languages.names import UNKNOWN, language_name

if TYPE_CHECKING:
    from searchkit.core.records import Answer
    from searchkit.plagiarism.records import Overlap

QUOTE_LENGTH = 220  # characters of a passage that a table quotes
SENTENCES = 2  # of a translation that a table quotes, each from both sides
SENTENCE_LENGTH = QUOTE_LENGTH // SENTENCES


def quote_passage(passage: Overlap, left: Answer) -> str:
    """Return the beginning of a passage in the left answer."""
    start, end = passage.left
    return f"“{one_line(left.text[start:end], QUOTE_LENGTH)}”"


def quote_translation(passages: Sequence[Overlap], left: Answer, right: Answer) -> str:
    """Return the longest sentences that say the same, each with its language, in a line each."""
    sides = (left, [p.left for p in passages]), (right, [p.right for p in passages])
    lengths = [sum(end - start for start, end in (p.left, p.right)) for p in passages]
    longest = sorted(range(len(passages)), key=lambda n: -lengths[n])[:SENTENCES]
    lines = []
    for n in sorted(longest):
        for answer, spans in sides:
            start, end = spans[n]
            quotation = one_line(answer.text[start:end], SENTENCE_LENGTH)
            lines.append(f"{language_of(answer)}: “{quotation}”")
    return "\n".join(lines)


def language_of(answer: Answer) -> str:
    """Return the name of an answer's language; that of a known source isn't stored."""
    return language_name(answer.language or identify_language(answer.text) or UNKNOWN)
