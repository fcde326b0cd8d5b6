"""Detection of known sources: which answers share more with one, word for word, than chance does.

An answer and a source are judged by the information that they share (`plagiarism.verbatim`), as two
answers are. A source is no answer: it says nothing about what is usual in the question, and a long
one pays for the many places in which something may stand by chance. Answers that are near to the
source are left out where chance is estimated, so that no number of copiers can spoil it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np

from searchkit.core.arrays import Bool, Float64
from searchkit.core.messages import counted
from searchkit.core.records import Answer
from searchkit.plagiarism.code.detector import find_in_code, is_code
from searchkit.plagiarism.code.languages import are_programs
from searchkit.plagiarism.evidence.collect import (
    SuspectPair,
    collect_evidence,
    common_sequences,
    has_evidence,
)
from searchkit.plagiarism.likeness.measures import (
    Background,
    SequenceMatrix,
    answer_weights,
    find_near_duplicates,
)
from searchkit.plagiarism.likeness.significance import VERBATIM_MAX_START, VerbatimTail
from searchkit.plagiarism.overlap import shared_runs
from searchkit.plagiarism.preparation import Embed, PreparedAnswer, QuestionAnswers
from searchkit.plagiarism.records import Finding, SourceFinding, chance_unknown
from searchkit.plagiarism.verbatim.language_model import LanguageModel
from searchkit.plagiarism.verbatim.likeness import VerbatimLikeness
from searchkit.text.words import sentence_spans

MIN_APART = 9  # answers that aren't near to the source; so many have `MIN_UNRELATED` pairs
MAX_SENTENCES = 200  # of a source that are compared; of a longer one, those around what is shared
AROUND = 3  # sentences on each side of what is shared


@dataclass(frozen=True)
class SourceText(PreparedAnswer):
    """A known source, compared with answers.

    Attributes:
        near: The sentences that are compared; empty for all.
    """

    near: tuple[tuple[int, int], ...] = ()

    @classmethod
    def of_source(cls, source: Answer, like: PreparedAnswer, *, is_earlier: bool) -> SourceText:
        """Return a source without vectors, to stand beside an answer that has them."""
        return cls(source, np.zeros_like(like.vector), (), like.vectors[:0], is_earlier=is_earlier)

    @property
    def sentences(self) -> list[tuple[int, int]]:
        """The start and end offsets of each sentence that is compared; at least one."""
        return list(self.near) or sentence_spans(self.answer.text)

    def around(self, spans: Sequence[tuple[int, int]]) -> SourceText:
        """Return a long source with only those sentences that are near to some of its passages."""
        sentences = self.sentences
        if len(sentences) <= MAX_SENTENCES or not spans:
            return self
        ends = [end for _, end in sentences]
        near: set[int] = set()
        for start, end in sorted(spans, key=lambda span: span[0] - span[1]):
            first, last = np.searchsorted(ends, [start, end - 1], side="right").tolist()
            near.update(range(max(0, first - AROUND), min(len(sentences), last + AROUND + 1)))
            if len(near) >= MAX_SENTENCES:
                break
        return replace(self, near=tuple(sentences[n] for n in sorted(near)))


class SourceDetector:
    """Finds the answers to a question that are nearer to a known source than chance explains."""

    def __init__(
        self,
        sources: Sequence[Answer],
        background: Background,
        embed: Embed,
        *,
        max_expected: float,
        max_common: int | None = None,
        wanted: set[str] | None = None,
    ) -> None:
        """Set what counts as a finding; as in `plagiarism.detector.Detector`.

        Args:
            sources: The sources.
            background: Of all answers, without the sources.
            embed: Returns the unit vectors of sentences, of answers and of sources.
            max_expected: The upper bound of a finding's `expected`.
            max_common: The number of answers above which a sequence of words is no evidence.
            wanted: Ids: only findings of these answers. None: of all answers.
        """
        self._sources = sources
        self._prepared: dict[str, SourceText] = {}  # by name, with their words
        self._background = background
        self._embed = embed
        self._max_expected = max_expected
        self._max_common = max_common
        self._wanted = wanted

    def find(
        self, group: QuestionAnswers, questions: Collection[str | None]
    ) -> list[SourceFinding]:
        """Return the findings of a question's answers and the sources, in no order.

        Args:
            group: The answers.
            questions: All questions: a source with one of them is compared with its answers only.
        """
        sources = self.sources_of(group, questions)
        if not sources or not group.texts:
            return []
        if is_code(group):
            return self._in_code(group, sources)
        for source in sources:
            if source.id not in self._prepared:
                like = group.texts[0]
                self._prepared[source.id] = SourceText.of_source(source, like, is_earlier=False)
        texts = [self._prepared[source.id] for source in sources]
        measured = _Measured(group, texts, self._background)
        return _one_for_each_author(group, self._collect(group, texts, measured))

    def sources_of(self, group: QuestionAnswers, questions: Collection[str | None]) -> list[Answer]:
        """Return the sources that a question's answers are compared with."""
        own = [s for s in self._sources if s.question in (None, group.question)]
        return own + [s for s in self._sources if s not in own and s.question not in questions]

    def _collect(
        self, group: QuestionAnswers, sources: list[SourceText], measured: _Measured
    ) -> list[SourceFinding]:
        """Return the findings, each with its evidence, of all attempts."""
        count = len(group.texts)
        suspects = [
            pair
            for pair in measured.suspects(self._max_expected)
            if self._wanted is None or group.texts[pair.left].answer.id in self._wanted
        ]
        leave_out = self._leave_out(group, measured.weights)
        spans: dict[int, list[tuple[int, int]]] = defaultdict(list)
        for pair in suspects:
            words = sources[pair.right - count].words
            runs = shared_runs(group.texts[pair.left].words, words, leave_out)
            spans[pair.right - count] += (words.span(run.right, run.length) for run in runs)
        texts = [*group.texts, *(s.around(spans[number]) for number, s in enumerate(sources))]
        findings = collect_evidence(
            texts, suspects, group=group, leave_out=leave_out, embed=self._embed
        )
        return [
            _source_finding(finding, texts[pair.left], texts[pair.right])
            for finding, pair in zip(findings, suspects, strict=True)
            if has_evidence(finding, texts[pair.left], texts[pair.right], leave_out)
        ]

    def _leave_out(self, group: QuestionAnswers, weights: Float64) -> set[int]:
        """Return the sequences of words that are no evidence, as between two answers."""
        common = float(max(5, weights.sum() // 2))
        if self._max_common is not None:
            common = self._max_common
            weights = np.array([not text.is_draft for text in group.texts], np.float64)
        words = [text.words for text in group.texts]
        return common_sequences(words, common, weights, group.boilerplate.sequences["seed"])

    def _in_code(self, group: QuestionAnswers, sources: Sequence[Answer]) -> list[SourceFinding]:
        """Return the findings among programs: a source is judged as an earlier program."""
        programs = {
            f"source: {source.id}": SourceText.of_source(source, group.texts[0], is_earlier=True)
            for source in sources
            if are_programs([source])
        }  # under ids that no answer has, since a source may have that of an answer
        beside = [
            replace(text, answer=replace(text.answer, id=id_)) for id_, text in programs.items()
        ]
        with_sources = replace(group, texts=[*group.texts, *beside])
        answers = {text.answer.id: text for text in group.texts if not text.is_earlier}
        found = find_in_code(with_sources, self._max_expected, self._wanted) if programs else []
        return _one_for_each_author(
            group,
            [
                _source_finding(
                    replace(finding, remarks=_without(finding.remarks, finding.right)),
                    answers[finding.left],
                    programs[finding.right],
                )
                for finding in found
                if finding.right in programs and finding.left in answers
            ],
        )


def _without(remarks: Sequence[str], id_: str) -> tuple[str, ...]:
    """Return remarks but those on a text, by its id."""
    return tuple(remark for remark in remarks if not remark.startswith(f"{id_} "))


class _Measured:
    """The information that each answer shares with each source.

    Attributes:
        weights: `(n,)` the number of answers as which each counts; near-duplicates are one.
    """

    def __init__(
        self, group: QuestionAnswers, sources: Sequence[SourceText], background: Background
    ) -> None:
        """Measure all pairs of a new answer and a source."""
        self._texts, count = group.texts, len(group.texts)
        words = [text.words for text in (*group.texts, *sources, *group.references)]
        end = count + len(sources)
        long_sequences = SequenceMatrix(words, "long", group.boilerplate.sequences["long"])
        near = find_near_duplicates(long_sequences)
        copies = np.array([not text.is_draft for text in group.texts], np.int64)
        self.weights = answer_weights(near[:count, :count], copies)
        self._is_near: Bool = near[:count, count:end].toarray() > 0
        is_source = np.asarray(near[end:, count:end].sum(axis=1)).ravel() > 0
        none = np.zeros(len(sources))
        model = LanguageModel(
            words[:end],
            np.concatenate([copies, none.astype(np.int64)]),
            np.concatenate([self.weights, none]),
            background,
            [w for w, is_one in zip(words[end:], is_source.tolist(), strict=True) if not is_one],
        )
        likeness = VerbatimLikeness(
            words[:end],
            model,
            long_sequences.matrix[:end],
            near[:end, :end],
            group.boilerplate.sequences["seed"],
        )
        self._new = np.flatnonzero([not text.is_earlier for text in group.texts])
        left = np.repeat(self._new, len(sources))
        right = np.tile(np.arange(count, end), len(self._new))
        self._nats = likeness.likeness(left, right).reshape(len(self._new), len(sources))

    def suspects(self, max_expected: float) -> list[SuspectPair]:
        """Return the pairs of an answer and a source that chance doesn't explain, or can't be."""
        apart = ~self._is_near[self._new] & (self._nats <= VERBATIM_MAX_START)
        tail = VerbatimTail.fit(self._nats[apart])
        expected = tail.p_value(self._nats) * self._nats.size
        is_draft = np.array([text.is_draft for text in self._texts])
        is_known = (~self._is_near & ~is_draft[:, None]).sum(axis=0) >= MIN_APART
        return [
            SuspectPair(
                int(self._new[row]),
                len(self._texts) + column,
                float(expected[row, column]) if is_known[column] else None,
            )
            for row, column in np.argwhere(expected <= max_expected).tolist()
        ]


def _source_finding(
    finding: Finding, answer: PreparedAnswer, source: PreparedAnswer
) -> SourceFinding:
    """Return what was found of an answer and a source, from the finding of the two texts."""
    remarks = list(finding.remarks)
    if finding.expected is None and not source.is_earlier:
        remarks.append(
            chance_unknown(
                f"fewer than {counted(MIN_APART, 'answer')} that are not near to the source"
            )
        )
    how = "Nearer to {} than chance explains" if finding.expected is not None else "Shares with {}"
    evidence = finding.reason.replace("shorter answer's", "shorter text's")
    return SourceFinding(
        answer=answer.answer.id,
        source=source.answer.id,
        author=answer.answer.author,
        question=finding.question,
        verdict=finding.verdict,
        verbatim=finding.verbatim,
        expected=finding.expected,
        passages=finding.passages,
        reason=f"{how.format(source.answer.id)}: {evidence[0].lower()}{evidence[1:]}",
        remarks=tuple(remarks),
    )


def _one_for_each_author(
    group: QuestionAnswers, findings: Sequence[SourceFinding]
) -> list[SourceFinding]:
    """Return one finding of each author and source: of the attempt that counts, if there is one."""
    by_id = {text.answer.id: text for text in group.texts}
    chosen: dict[tuple[object, str], SourceFinding] = {}
    for finding in sorted(findings, key=lambda f: (by_id[f.answer].is_draft, f.rank())):
        text = by_id[finding.answer]
        is_one_of_many = text.author is not None and text.answer.attempts > 1
        who = text.answer.slot if is_one_of_many else finding.answer
        chosen.setdefault((who, finding.source), finding)
    return list(chosen.values())
