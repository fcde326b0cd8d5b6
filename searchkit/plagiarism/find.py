"""Plagiarism: the few pairs of answers that deserve a look, each with its evidence.

A finding is a reason to look, not a proof. Its `expected` is the number of pairs at least as much
alike that are expected in the question by chance, if all authors had written independently.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from searchkit.core.progress import Progress
from searchkit.core.records import Answer, By
from searchkit.core.results import Results
from searchkit.core.where import EVERYTHING, Where
from searchkit.encoding.distributed import load_worker_encoder
from searchkit.encoding.encoder import Encoder
from searchkit.index.base import BaseIndex
from searchkit.index.decisions import counting, decisions
from searchkit.index.embedding import as_answers, check_answers
from searchkit.plagiarism.across.detector import AcrossDetector
from searchkit.plagiarism.across.languages import PairsAcross
from searchkit.plagiarism.code.detector import is_code
from searchkit.plagiarism.cohorts import read_cohorts
from searchkit.plagiarism.detector import Detector
from searchkit.plagiarism.groups.equal import find_equal
from searchkit.plagiarism.groups.rings import find_rings
from searchkit.plagiarism.kept.background import background_of
from searchkit.plagiarism.kept.results import read_cached, result_key, write_cached
from searchkit.plagiarism.known.find import embed_beside, find_from_sources
from searchkit.plagiarism.known.groups import group_by_source, with_known_sources
from searchkit.plagiarism.likeness.measures import Background
from searchkit.plagiarism.preparation import (
    Embed,
    PreparedAnswer,
    QuestionAnswers,
    embed_ahead,
    embed_answers,
    embed_in,
    embed_with,
    group_by_question,
)
from searchkit.plagiarism.rates import (
    MAX_CANDIDATE_EXPECTED,
    JudgedQuestions,
    count_by_chance,
    with_q_values,
)
from searchkit.plagiarism.records import (
    MAX_EXPECTED,
    EqualGroup,
    Finding,
    PlagiarismOptions,
    PlagiarismResult,
    SourceFinding,
)
from searchkit.plagiarism.so_far import FindingsSoFar
from searchkit.plagiarism.verbatim.information import TextInformation
from searchkit.runners.base import PlainLoop, Pool, Runner

STEP_SENTENCES = 128  # that are embedded before others may use the model


def find_plagiarism(
    index: BaseIndex,
    *,
    by: By | None = None,
    where: Where = EVERYTHING,
    template: str = "",
    against: BaseIndex | None = None,
    max_expected: float = MAX_EXPECTED,
    fdr: float | None = None,
    max_common: int | None = None,
    reference_was_given: bool = False,
    sources: Sequence[Answer] = (),
    runner: Runner | None = None,
    progress: Progress | None = None,
) -> PlagiarismResult:
    """Find the pairs of answers by different authors that chance doesn't explain.

    What all authors were given is no evidence: the question's own text (a column `prompt`),
    `template`, and with `reference_was_given` the answers of an author `reference`. Those are
    never themselves compared with students' answers here.

    Args:
        index: Open for reading or writing.
        by: `question`: within each question; `all`: over all answers. None: within questions if
            there are any.
        where: Which answers a finding is about: it has at least one of them, and is judged against
            all answers to its question. Of an author's attempts at a question, `where.attempts`
            says which one counts, the latest by default. The others are compared with other
            authors' answers, too: two authors have one finding in a question, that of the attempts
            that count, or else the most significant, which says so.
        template: Text that was handed out, and may be in every answer.
        against: An index of earlier answers, made with the same model. They are compared with the
            new ones, but not with each other. Their ids are returned as NAME:ID, with the name of
            the index.
        max_expected: Upper bound of `expected` for a pair to be reported.
        fdr: Upper bound of the q-value instead: the share of findings by chance in the whole list
            (false discovery rate). None: `max_expected` is the bound.
        max_common: The number of answers to a question above which a sequence of words that they
            share is no evidence; None: half of the answers, at least 5.
        reference_was_given: Whether the authors had the reference answers, too.
        sources: Known sources, from `read_known_sources`: texts that students may have taken from.
            Answers that are nearer to one than chance explains are `sources` of the result.
        runner: Where questions are judged, with the same result; None for this process. Those with
            few answers are judged together, in this process.
        progress: Called with the number of questions done, and of all questions.

    Raises:
        BadInput: if there is no such `by`, a number is out of range, or the filter can't be read.
        IndexMismatch: if `against` was made with another model.
    """
    options = PlagiarismOptions(
        by,
        where,
        template,
        against,
        max_expected,
        max_common,
        reference_was_given=reference_was_given,
        fdr=fdr,
        sources=tuple(sources),
    )
    return find_with_options(index, options, runner=runner, progress=progress)


def find_with_options(
    index: BaseIndex,
    options: PlagiarismOptions,
    *,
    runner: Runner | None = None,
    progress: Progress | None = None,
    so_far: FindingsSoFar | None = None,
) -> PlagiarismResult:
    """Find the same as `find_plagiarism`, whose options these are.

    `so_far` learns what is found meanwhile.
    """
    wanted = None
    where = replace(options.where, attempts=None)  # a draft is compared, too
    if not where.is_empty():
        wanted = set(index.ids(where))
    key = result_key(index, options, wanted)
    result = read_cached(index, key)
    if result is None:
        texts = read_cohorts(index, options.against, options.where.attempts or "latest")
        model = index.model
        embed = embed_in(index, options.against, texts)
        result = _find(
            texts,
            options,
            _Model(
                model.name,
                embed_beside(embed, options.sources, lambda: index.encoder),
                embed_with(lambda: index.encoder),
                partial(load_worker_encoder, model.name, model.fingerprint),
            ),
            wanted=wanted,
            runner=runner,
            so_far=(so_far or FindingsSoFar()).reporting_to(progress),
        )
        write_cached(index, key, result)
    known = {source.id: source for source in options.sources}
    return replace(result, decisions=counting(decisions(index)), known_sources=known)


def find_plagiarism_among(
    answers: Iterable[Answer],
    encoder: Encoder,
    *,
    by: By | None = None,
    template: str = "",
    max_expected: float = MAX_EXPECTED,
    fdr: float | None = None,
    max_common: int | None = None,
    reference_was_given: bool = False,
    sources: Sequence[Answer] = (),
) -> PlagiarismResult:
    """Find plagiarism among answers that are in no index; see `find_plagiarism`.

    Raises:
        BadInput: as `find_plagiarism`; or if two answers have one id, or an index couldn't store
            one.
    """
    options = PlagiarismOptions(
        by,
        template=template,
        max_expected=max_expected,
        max_common=max_common,
        reference_was_given=reference_was_given,
        fdr=fdr,
        sources=tuple(sources),
    )
    checked = as_answers(answers)
    check_answers(checked)
    texts = embed_answers(checked, encoder)
    embed = embed_with(lambda: encoder)
    model = _Model(encoder.name, embed, embed, lambda: encoder)
    return _find(texts, options, model, so_far=FindingsSoFar())


@dataclass(frozen=True, slots=True)
class _Model:
    """The model of the answers' vectors.

    Attributes:
        name: Its name.
        embed: Returns the unit vectors of sentences of the answers, in this process.
        embed_new: Returns those of other texts, and keeps none in the index.
        load: Loads the model in another process.
    """

    name: str
    embed: Embed
    embed_new: Embed
    load: Callable[[], Encoder]


def _find(
    texts: Sequence[PreparedAnswer],
    options: PlagiarismOptions,
    model: _Model,
    *,
    so_far: FindingsSoFar,
    wanted: set[str] | None = None,
    runner: Runner | None = None,
) -> PlagiarismResult:
    """Find plagiarism among prepared answers.

    Args:
        texts: All answers, new and earlier ones.
        options: All but `where` and `against`, which `wanted` and `texts` follow from.
        model: Of the answers' vectors.
        so_far: Learns what is found meanwhile, and reports progress.
        wanted: Ids: a finding has at least one of these answers. None: all answers.
        runner: Where questions are judged; None for this process.
    """
    by = options.by or ("question" if any(text.answer.question for text in texts) else "all")
    groups = group_by_question(
        texts, by, options.template, wanted, reference_was_given=options.reference_was_given
    )
    pairs = {group.question: group.count_pairs() for group in groups}
    by_passages = sum(group.count_sentences() for group in groups) > options.max_sentences
    max_expected = options.max_expected if options.fdr is None else MAX_CANDIDATE_EXPECTED
    background = background_of(texts)
    settings = _Settings(
        model.name, background, max_expected, options.max_common, by_passages, wanted
    )
    detector = settings.make_detector(model.embed, model.embed_new)
    runner = runner or PlainLoop()
    load = partial(settings.load_detector, model.load)
    pool = runner.pool((lambda: detector) if runner.is_local else load)
    small: Iterable[QuestionAnswers] = [group for group in groups if group.is_small]
    large: Iterable[QuestionAnswers] = [group for group in groups if not group.is_small]
    so_far.begin(groups, embeds=not by_passages)
    if not by_passages:
        embed_next = partial(_embed_in_steps, model.embed, so_far)
        small = embed_ahead(small, embed_next, _compares_sentences)
        if runner.is_local:
            large = embed_ahead(large, embed_next, _compares_sentences)
    found = list(_find_each(small, large, detector, pool, so_far))
    sources = find_from_sources(
        groups,
        options,
        background,
        model.embed,
        max_expected=max_expected,
        wanted=wanted,
        across=settings.make_across(model.embed, model.embed_new),
    )
    found = sorted(with_known_sources(found, sources), key=Finding.listed_order)
    across = PairsAcross.count([group for group in groups if not is_code(group)], model.name)
    judged = JudgedQuestions.of(found, pairs).with_more(across.judged.values())
    findings = with_q_values(found, judged, options.fdr)
    equal = find_equal(groups, findings, wanted=wanted, information=TextInformation(background))
    return PlagiarismResult(
        findings=Results(findings),
        rings=Results(find_rings(findings, _authors(texts), pairs)),
        answers=sum(group.count_answers() for group in groups),
        drafts=sum(text.is_draft for group in groups for text in group.texts),
        short=sum(group.count_short() for group in groups),
        pairs=sum(pairs.values()),
        questions=len(groups),
        pooled=[
            g.question or "" for g in groups if g.is_small and pairs[g.question] and not is_code(g)
        ],
        by_passages=by_passages,
        texts=_answers_of(findings, equal, sources, texts),
        equal=Results(equal),
        sources=Results(sources),
        source_groups=Results(group_by_source(sources)),
        known_sources={source.id: source for source in options.sources},
        by_chance=count_by_chance(findings, judged, options),
        across=across.describe(),
    )


def _authors(texts: Sequence[PreparedAnswer]) -> dict[str, str | None]:
    return {text.answer.id: text.answer.author for text in texts}


def _answers_of(
    findings: Sequence[Finding],
    equal: Sequence[EqualGroup],
    sources: Sequence[SourceFinding],
    texts: Sequence[PreparedAnswer],
) -> dict[str, Answer]:
    """Return the answers of findings and of groups of equal answers, by id."""
    shown = {id_ for finding in findings for id_ in (finding.left, finding.right)}
    shown.update(finding.answer for finding in sources)
    shown.update(id_ for group in equal for id_ in group.answers)
    return {text.answer.id: text.answer for text in texts if text.answer.id in shown}


def _find_each(
    small: Iterable[QuestionAnswers],
    large: Iterable[QuestionAnswers],
    detector: Detector,
    pool: Pool,
    so_far: FindingsSoFar,
) -> Iterator[Finding]:
    """Yield the findings of all questions, in no order.

    Args:
        small: The questions with few answers.
        large: The other questions. They come first, since their findings are known one by one.
        detector: Judges the small ones, all together.
        pool: Judges the large ones, with a detector for its state.
        so_far: Learns of each question that is done.
    """
    started: deque[QuestionAnswers] = deque()

    def tasks() -> Iterator[QuestionAnswers]:
        for group in large:
            started.append(group)
            yield replace(group, short=())

    for findings in pool.run(Detector.find, tasks()):
        so_far.measured(started[0])
        so_far.judged([started.popleft()], findings)
        yield from findings
    for group in small:
        detector.set_aside(group)
        so_far.measured(group)
        started.append(group)
    findings = detector.find_set_aside()
    so_far.judged(started, findings)
    yield from findings


def _embed_in_steps(embed: Embed, so_far: FindingsSoFar, sentences: Sequence[str]) -> None:
    """Let `embed` keep the vectors of sentences, a few at a time, of the same length."""
    ordered = sorted(dict.fromkeys(sentences), key=len)
    for at in range(0, len(ordered), STEP_SENTENCES):
        embed(ordered[at : at + STEP_SENTENCES])
        so_far.embedded(round(len(sentences) * STEP_SENTENCES / len(ordered)))


def _compares_sentences(group: QuestionAnswers) -> bool:
    return group.count_pairs() > 0 and not is_code(group)


@dataclass(frozen=True, slots=True)
class _Settings:
    """What makes a detector, wherever that is.

    Attributes:
        model: The name of the answers' model.
        background: Of the whole corpus.
        max_expected: The upper bound of a finding's `expected`.
        max_common: See `Detector`.
        by_passages: Whether passages are compared in place of sentences.
        wanted: Ids: a finding has at least one of these answers. None: all answers.
    """

    model: str
    background: Background
    max_expected: float
    max_common: int | None
    by_passages: bool
    wanted: set[str] | None

    def make_detector(self, embed: Embed, embed_new: Embed) -> Detector:
        """Return a detector; its arguments are those of `_Model`."""
        return Detector(
            embed,
            self.background,
            max_expected=self.max_expected,
            max_common=self.max_common,
            by_passages=self.by_passages,
            wanted=self.wanted,
            across=self.make_across(embed, embed_new),
        )

    def make_across(self, embed: Embed, embed_new: Embed) -> AcrossDetector:
        """Return what judges texts in two languages."""
        return AcrossDetector(
            self.model, embed, embed_new, self.max_expected, self.by_passages, self.wanted
        )

    def load_detector(self, load: Callable[[], Encoder]) -> Detector:
        """Return the detector of a worker elsewhere, which loads the model when it needs it."""
        embed = embed_with(load)
        return self.make_detector(embed, embed)
