"""Known sources in another language: which answers translate a part of one.

A source is cut into pieces as long as an answer is, each of which is compared as an answer is with
those in other languages; so a long source pays for the many places that may fit by chance.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np

from searchkit.core.arrays import Float32
from searchkit.core.records import Answer
from searchkit.plagiarism.across.detector import AcrossDetector
from searchkit.plagiarism.across.evidence import translated_finding, translation_of
from searchkit.plagiarism.across.languages import languages_of
from searchkit.plagiarism.preparation import Embed, PreparedAnswer, QuestionAnswers
from searchkit.plagiarism.records import Finding, Overlap, SourceFinding
from searchkit.text.languages.identification import identify_language
from searchkit.text.words import sentence_spans


@dataclass(frozen=True, slots=True)
class _Piece:
    """Some sentences of a source.

    Attributes:
        source: The source.
        text: The sentences, as an answer.
        around: The offsets, in the source, of these and of half as many on each side.
    """

    source: Answer
    text: PreparedAnswer
    around: tuple[int, int]


def find_translated(
    group: QuestionAnswers,
    sources: Sequence[Answer],
    detector: AcrossDetector,
    found: Collection[tuple[str, str]] = (),
) -> list[SourceFinding]:
    """Return the answers to a question that translate a part of a source, in no order.

    Args:
        group: The answers.
        sources: Those that are compared with them.
        detector: Judges pairs in two languages.
        found: The ids of answers and sources that are findings already.
    """
    known = languages_of(detector.model) or ()
    told = {text.language for text in group.texts}
    size = int(np.median([len(text.sentences) for text in group.texts])) if group.texts else 0
    pieces: dict[str, _Piece] = {}
    for source in sources:
        language = source.language or identify_language(source.text)
        if len(known) > 1 and language in known and (told & set(known)) - {language}:
            for piece in _cut(replace(source, language=language), size, group.texts[0]):
                pieces[piece.text.answer.id] = piece
    if not pieces:
        return []
    beside = replace(group, texts=[*group.texts, *(piece.text for piece in pieces.values())])
    apart = replace(detector, embed=_embed_apart(group, detector))
    answers = {text.answer.id: text for text in group.texts}
    best: dict[tuple[str, str], SourceFinding] = {}
    for finding in sorted(apart.find(beside), key=lambda f: (f.expected or 0, -(f.semantic or 0))):
        if finding.right in pieces:
            piece = pieces[finding.right]
            pair = finding.left, piece.source.id
            if pair not in found and pair not in best:
                best[pair] = _source_finding(finding, answers[finding.left], piece, apart.embed)
    return list(best.values())


def _source_finding(
    finding: Finding, answer: PreparedAnswer, piece: _Piece, embed: Embed
) -> SourceFinding:
    """Return what was found of an answer and a source, with all that it has around the piece.

    What an answer took may be longer than a piece, or lie across two.
    """
    start, end = piece.around
    around = _as_answer(piece.source, start, end, answer)
    common = translation_of(answer, around, embed)
    evidence = translated_finding(finding.question, answer, around, common, None)
    return SourceFinding(
        answer=finding.left,
        source=piece.source.id,
        author=answer.answer.author,
        question=finding.question,
        verdict=finding.verdict,
        verbatim=0.0,
        expected=finding.expected,
        passages=tuple(_moved(passage, start) for passage in evidence.passages),
        reason=f"Nearer to {piece.source.id} than chance explains: {evidence.reason}",
        remarks=tuple(answer.remarks()),
    )


def _cut(source: Answer, size: int, like: PreparedAnswer) -> list[_Piece]:
    """Return pieces of a source of so many sentences; they overlap by half."""
    spans = sentence_spans(source.text)
    step = max(1, size // 2)
    pieces = []
    for first in range(0, len(spans), step):
        last = min(first + max(1, size), len(spans)) - 1
        start, end = spans[first][0], spans[last][1]
        around = spans[max(0, first - step)][0], spans[min(last + step, len(spans) - 1)][1]
        pieces.append(_Piece(source, _as_answer(source, start, end, like), around))
        if last == len(spans) - 1:
            break
    return pieces


def _as_answer(source: Answer, start: int, end: int, like: PreparedAnswer) -> PreparedAnswer:
    """Return a part of a source as an earlier answer, without vectors of its own."""
    name, text = f"source: {source.id} {start}", source.text[start:end]
    part = replace(source, id=name, text=text, author=None)
    return PreparedAnswer(part, np.zeros_like(like.vector), (), like.vectors[:0], is_earlier=True)


def _embed_apart(group: QuestionAnswers, detector: AcrossDetector) -> Embed:
    """Return what embeds sentences of answers as ever, and keeps nothing of a source's."""
    own = {sentence for text in group.texts for sentence in text.sentence_texts()}

    def embed(sentences: Sequence[str]) -> Float32:
        is_own = np.array([sentence in own for sentence in sentences], bool)
        rows: list[Float32] = []
        for kept, embed_part in ((True, detector.embed), (False, detector.embed_new)):
            part = [s for s, is_kept in zip(sentences, is_own, strict=True) if is_kept == kept]
            rows += list(embed_part(part)) if part else []
        order = np.argsort(np.concatenate([np.flatnonzero(is_own), np.flatnonzero(~is_own)]))
        stacked: Float32 = np.stack(rows)[order]
        return stacked

    return embed


def _moved(passage: Overlap, start: int) -> Overlap:
    """Return a passage with its offsets in the whole source."""
    return replace(passage, right=(passage.right[0] + start, passage.right[1] + start))
