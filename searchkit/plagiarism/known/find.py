"""Finding of known sources over all questions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from searchkit.core.arrays import Float32
from searchkit.core.records import Answer
from searchkit.encoding.encoder import Encoder
from searchkit.plagiarism.across.detector import AcrossDetector
from searchkit.plagiarism.across.sources import find_translated
from searchkit.plagiarism.code.detector import is_code
from searchkit.plagiarism.known.detector import SourceDetector
from searchkit.plagiarism.likeness.measures import Background
from searchkit.plagiarism.preparation import Embed, QuestionAnswers, embed_with
from searchkit.plagiarism.rates import JudgedQuestions, with_q_values
from searchkit.plagiarism.records import PlagiarismOptions, SourceFinding
from searchkit.text.languages.identification import identify_language
from searchkit.text.words import sentence_spans


def find_from_sources(
    groups: Sequence[QuestionAnswers],
    options: PlagiarismOptions,
    background: Background,
    embed: Embed,
    *,
    max_expected: float,
    wanted: set[str] | None = None,
    across: AcrossDetector | None = None,
) -> list[SourceFinding]:
    """Return the answers that are nearer to a known source than chance explains, as listed.

    Args:
        groups: The answers to each question.
        options: The sources, and what counts as a finding.
        background: Of all answers.
        embed: Returns the unit vectors of sentences, from `embed_beside`.
        max_expected: Upper bound of `expected`.
        wanted: Ids: only findings of these answers. None: of all answers.
        across: Judges answers and sources in two languages; None: these aren't compared.
    """
    if not options.sources:
        return []
    detector = SourceDetector(
        options.sources,
        background,
        embed,
        max_expected=max_expected,
        max_common=options.max_common,
        wanted=wanted,
    )
    questions = {group.question for group in groups}
    found = [finding for group in groups for finding in detector.find(group, questions)]
    for group in groups if across else ():
        if across and group.texts and not is_code(group):
            pairs_found = {(finding.answer, finding.source) for finding in found}
            among = detector.sources_of(group, questions)
            found += find_translated(group, among, across, pairs_found)
    found = _with_languages(sorted(found, key=SourceFinding.rank), options.sources)
    pairs = {
        group.question: len(options.sources) * sum(not text.is_earlier for text in group.texts)
        for group in groups
    }
    return with_q_values(found, JudgedQuestions.of(found, pairs), options.fdr)


def _with_languages(
    findings: Sequence[SourceFinding], sources: Sequence[Answer]
) -> list[SourceFinding]:
    """Return findings with the languages of their sources."""
    found = {finding.source for finding in findings}
    languages = {
        source.id: source.language or identify_language(source.text)
        for source in sources
        if source.id in found
    }
    return [replace(finding, language=languages[finding.source]) for finding in findings]


def embed_beside(
    embed: Embed, sources: Sequence[Answer], load_encoder: Callable[[], Encoder]
) -> Embed:
    """Return what embeds sentences of answers as before, and those of sources without keeping them.

    Args:
        embed: Of the answers.
        sources: The sources.
        load_encoder: Called when a sentence of a source is to be embedded.
    """
    of_sources = {s.text[start:end] for s in sources for start, end in sentence_spans(s.text)}
    embed_source = embed_with(load_encoder)

    def embed_apart(sentences: Sequence[str]) -> Float32:
        theirs = np.array([sentence in of_sources for sentence in sentences], bool)
        parts = {}
        for is_source, embed_part in ((False, embed), (True, embed_source)):
            chosen = [s for s, t in zip(sentences, theirs.tolist(), strict=True) if t == is_source]
            if chosen:
                parts[is_source] = embed_part(chosen)
        rows = np.empty((len(sentences), next(iter(parts.values())).shape[1]), np.float32)
        for is_source, vectors in parts.items():
            rows[theirs == is_source] = vectors
        return rows

    return embed_apart if sources else embed
