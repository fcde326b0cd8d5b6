"""Known sources in another language: which answers translate a part of one.

A source is cut into pieces as long as an answer is, each of which is compared as an answer is with
those in other languages; so a long source pays for the many places that may fit by chance.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np

from searchkit.core.arrays import Float32
from searchkit.core.records import Answer
from searchkit.plagiarism.across.detector import AcrossDetector
from searchkit.plagiarism.across.languages import languages_of
from searchkit.plagiarism.preparation import Embed, PreparedAnswer, QuestionAnswers
from searchkit.plagiarism.records import Overlap, SourceFinding
from searchkit.text.languages.identification import identify_language
from searchkit.text.words import sentence_spans

Piece = tuple[PreparedAnswer, Answer, int]  # its source, and where it begins there


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
    pieces: dict[str, Piece] = {}
    for source in sources:
        language = source.language or identify_language(source.text)
        if len(known) > 1 and language in known and (told & set(known)) - {language}:
            for piece, start in _cut(replace(source, language=language), size, group.texts[0]):
                pieces[piece.answer.id] = piece, source, start
    if not pieces:
        return []
    beside = replace(group, texts=[*group.texts, *(piece for piece, *_ in pieces.values())])
    apart = replace(detector, embed=_embed_apart(group, detector))
    best: dict[tuple[str, str], SourceFinding] = {}
    for finding in sorted(apart.find(beside), key=lambda f: (f.expected or 0, -f.score)):
        if finding.right in pieces:
            _, source, start = pieces[finding.right]
            answer = next(text for text in group.texts if text.answer.id == finding.left)
            if (finding.left, source.id) not in {*found, *best}:
                best[finding.left, source.id] = SourceFinding(
                    answer=finding.left,
                    source=source.id,
                    author=answer.answer.author,
                    question=group.question,
                    verdict=finding.verdict,
                    verbatim=0.0,
                    expected=finding.expected,
                    passages=tuple(_moved(passage, start) for passage in finding.passages),
                    reason=f"Nearer to {source.id} than chance explains: {finding.reason}",
                    remarks=tuple(answer.remarks()),
                )
    return list(best.values())


def _cut(source: Answer, size: int, like: PreparedAnswer) -> list[tuple[PreparedAnswer, int]]:
    """Return pieces of a source of so many sentences, each with its start; they overlap by half."""
    spans = sentence_spans(source.text)
    pieces = []
    for first in range(0, len(spans), max(1, size // 2)):
        last = min(first + max(1, size), len(spans)) - 1
        start, end = spans[first][0], spans[last][1]
        answer = replace(
            source, id=f"source: {source.id} {start}", text=source.text[start:end], author=None
        )
        empty = np.zeros_like(like.vector), (), like.vectors[:0]
        pieces.append((PreparedAnswer(answer, *empty, is_earlier=True), start))
        if last == len(spans) - 1:
            break
    return pieces


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
