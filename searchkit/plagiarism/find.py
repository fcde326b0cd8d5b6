"""Plagiarism: the few pairs of answers that deserve a look, each with its evidence.

A finding is a reason to look, and not a proof. `expected` says how many pairs so much alike one
would expect in the question by chance, if everybody had written alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from searchkit.core.arrays import Float32, mean_row, unit_rows
from searchkit.core.errors import BadInput, IndexMismatch
from searchkit.core.progress import Progress
from searchkit.core.records import Answer, By
from searchkit.core.results import Record, Results, Table, html_table
from searchkit.core.where import EVERYTHING, Where
from searchkit.encoding.encoder import Encoder
from searchkit.index.base import BaseIndex
from searchkit.index.decisions import counting, decisions
from searchkit.index.records import Decision
from searchkit.plagiarism.detector import FEW, SENTENCES, SHORTEST, Detector, Given, Group
from searchkit.plagiarism.distributed import FarDetector
from searchkit.plagiarism.evidence import Embed, Written, embed_with
from searchkit.plagiarism.likeness import Background
from searchkit.plagiarism.records import Finding, Ring
from searchkit.plagiarism.rings import find_rings
from searchkit.runners.base import Runner
from searchkit.text.passages import split_passages

MAX_EXPECTED = 0.05
PROMPTS = ("prompt", "question_text", "question_prompt")  # columns with the question's own text


@dataclass(frozen=True, slots=True)
class PlagiarismResult(Table):
    """What `find_plagiarism` found.

    Attributes:
        findings: Most surprising first; equal ones by the ids.
        rings: Authors with findings in several questions; most surprising first.
        answers: How many answers were compared.
        short: How many were too short to tell, and were not.
        pairs: How many pairs of answers by different authors there are.
        questions: How many groups were compared, each within itself.
        pooled: The questions with few answers, which were judged together.
        by_passages: Whether passages stood for sentences, since there are very many.
        texts: The answers of the findings, by their ids.
        decisions: What people decided about pairs before, where it still counts.
    """

    findings: Results[Finding]
    rings: Results[Ring]
    answers: int
    short: int
    pairs: int
    questions: int
    pooled: list[str]
    by_passages: bool
    texts: dict[str, Answer]
    decisions: dict[tuple[str, str], Decision] = field(default_factory=dict)

    def decision(self, finding: Finding) -> str:
        """Return what a person decided about a finding; `open` if nothing that still counts."""
        one = self.decisions.get((finding.left, finding.right))
        return one.decision if one else "open"

    def iter_records(self) -> Iterator[dict[str, Any]]:
        """Yield the fields of each finding, and its decision."""
        for finding in self.findings:
            yield finding.to_record() | {"decision": self.decision(finding)}

    def to_record(self) -> dict[str, Any]:
        """Return findings and rings as one JSON object."""
        return {"findings": self.to_records(), "rings": self.rings.to_records()}


@dataclass(frozen=True, slots=True)
class Comparison(Record):
    """What `compare` says of two answers.

    Attributes:
        finding: The evidence; of no significance where `expected` is high.
        left: The finding's left answer.
        right: Its right answer.
        pairs: How many pairs of answers `expected` is about.
        decision: What a person decided about them, where it still counts.
    """

    finding: Finding
    left: Answer
    right: Answer
    pairs: int
    decision: Decision | None = None

    def to_record(self) -> dict[str, Any]:
        """Return the fields of the finding, and its decision."""
        decision = self.decision.decision if self.decision else "open"
        return self.finding.to_record() | {"decision": decision}

    def _repr_html_(self) -> str:
        """Return the shared passages of both answers beside each other, as an HTML table."""
        finding = self.finding
        return html_table(
            {
                "kind": passage.kind,
                f"{finding.left} (left)": self.left.text[slice(*passage.left)],
                f"{finding.right} (right)": self.right.text[slice(*passage.right)],
                "score": passage.score,
            }
            for passage in finding.passages
        )


def find_plagiarism(
    index: BaseIndex,
    *,
    by: By | None = None,
    where: Where = EVERYTHING,
    template: str = "",
    against: BaseIndex | None = None,
    max_expected: float = MAX_EXPECTED,
    max_common: int | None = None,
    runner: Runner | None = None,
    progress: Progress | None = None,
) -> PlagiarismResult:
    """Find the pairs of answers by different authors that chance doesn't explain.

    What everybody was given counts for nothing: the question's own text (a column `prompt`), the
    answers of an author `reference`, and `template`.

    Args:
        index: Open for reading or writing.
        by: `question`: within each question; `all`: over all. None: within questions if there are
            any.
        where: Which answers to look at: a finding has at least one of them, and is judged against
            all answers to its question.
        template: Text that was handed out, and may stand in every answer.
        against: An index of earlier answers, made with the same model. They are compared with the
            new ones, and not with each other. Their ids are given as NAME:ID, with the name of
            the folder.
        max_expected: Give the findings of which one expects at most so many by chance, in their
            question.
        max_common: A sequence of words that more answers to a question have is no evidence;
            None: half of the answers, at least 5.
        runner: Where to look at the questions; the same comes out. None: here. Those with few
            answers are judged together, and here.
        progress: Called with how many questions are done, and of how many.

    Raises:
        BadInput: if a number is out of range, or the filter can't be read.
        IndexMismatch: if `against` was made with another model.
    """
    _check_numbers(max_expected, max_common)
    wanted = None if where.is_empty() else {answer.id for answer in index.answers(where)}
    texts = list(_from_index(index, earlier=False))
    if against is not None:
        texts += _earlier(index, against)
    model = index.model
    far = FarDetector(runner, model.name, model.fingerprint) if runner else None
    found = _find(
        texts,
        embed_with(lambda: index.encoder),
        by=by,
        wanted=wanted,
        template=template,
        max_expected=max_expected,
        max_common=max_common,
        far=far,
        progress=progress,
    )
    return replace(found, decisions=counting(decisions(index)))


def find_plagiarism_among(
    answers: Iterable[Answer],
    encoder: Encoder,
    *,
    by: By | None = None,
    template: str = "",
    max_expected: float = MAX_EXPECTED,
    max_common: int | None = None,
) -> PlagiarismResult:
    """Find the same among answers that are in no index; see `find_plagiarism`."""
    _check_numbers(max_expected, max_common)
    return _find(
        _embedded(list(answers), encoder),
        embed_with(lambda: encoder),
        by=by,
        template=template,
        max_expected=max_expected,
        max_common=max_common,
    )


def compare(
    index: BaseIndex, left: str, right: str, *, template: str = "", against: BaseIndex | None = None
) -> Comparison:
    """Compare two answers, whoever wrote them.

    `expected` is that among the answers to their question, or among all if they answer two.

    Args:
        index: Open for reading or writing.
        left: The id of one answer.
        right: The id of the other; NAME:ID if it is one of the earlier ones.
        template: Text that was handed out, and may stand in every answer.
        against: An index of earlier answers.

    Raises:
        BadInput: if there is no answer with one of the ids, both are one, or one is blank.
        IndexMismatch: if `against` was made with another model.
    """
    if left == right:
        raise BadInput(f"{left!r} and {right!r} are one answer; name two")
    texts = list(_from_index(index, earlier=False))
    texts += _earlier(index, against) if against is not None else []
    found = {text.answer.id: text.answer for text in texts}
    for name in (left, right):
        if name not in found:
            index.get([name])  # says that it isn't there
            raise BadInput(f"{name!r} is blank; there is nothing to compare")
    question = found[left].question if found[left].question == found[right].question else None
    among = [text for text in texts if question is None or text.answer.question == question]
    group = _group(question, among, template, keep={left, right})
    kept = group.texts
    numbers = {text.answer.id: n for n, text in enumerate(kept)}
    first, second = sorted((numbers[left], numbers[right]))
    detector = Detector(
        embed_with(lambda: index.encoder),
        Background.of([text.words for text in texts]),
        max_expected=MAX_EXPECTED,
        by_passages=sum(len(text.sentences) for text in kept) > SENTENCES,
    )
    if question is not None and len(kept) < FEW:
        for other in _groups(texts, "question", template)[0]:
            if other.question != question and len(other.texts) < FEW:
                detector.look_at(other)  # puts it aside
    finding = detector.compare(group, first, second)
    decision = counting(decisions(index)).get((finding.left, finding.right))
    pairs = len(kept) * (len(kept) - 1) // 2
    return Comparison(finding, found[finding.left], found[finding.right], pairs, decision)


def question_group(index: BaseIndex, question: str | None, *, template: str = "") -> Group:
    """Return the answers to a question as `Detector.judge` takes them; None for all answers."""
    texts = _from_index(index, earlier=False)
    among = [text for text in texts if question is None or text.answer.question == question]
    return _group(question, among, template)


def prompt_of(answer: Answer) -> str:
    """Return the text of the question that an answer brings along; empty if it brings none."""
    return next((answer.meta[name] for name in PROMPTS if answer.meta.get(name)), "")


def _check_numbers(max_expected: float, max_common: int | None) -> None:
    if not max_expected >= 0:
        raise BadInput(f"--max-expected must be 0 or more, not {max_expected}")
    if max_common is not None and max_common < 2:
        raise BadInput(f"--max-common must be 2 or more, not {max_common}")


def _earlier(index: BaseIndex, against: BaseIndex) -> list[Written]:
    """Return the answers of an earlier index, if the two can be compared."""
    if against.is_same(index):
        raise BadInput(
            f"--against {against.place}: is the index itself; name one of earlier answers"
        )
    ours, theirs = index.model, against.model
    if ours.fingerprint != theirs.fingerprint:
        raise IndexMismatch(
            f"{against.place}: made with {theirs.name} ({theirs.fingerprint[:12]}), and "
            f"{index.place} with {ours.name} ({ours.fingerprint[:12]}); ingest it again with "
            f"the same --model"
        )
    name = against.name
    return [
        replace(text, answer=replace(text.answer, id=f"{name}:{text.answer.id}"))
        for text in _from_index(against, earlier=True)
    ]


def _find(
    texts: Sequence[Written],
    embed: Embed,
    *,
    by: By | None,
    template: str,
    max_expected: float,
    max_common: int | None,
    wanted: set[str] | None = None,
    far: FarDetector | None = None,
    progress: Progress | None = None,
) -> PlagiarismResult:
    by = by or ("question" if any(text.answer.question for text in texts) else "all")
    groups, short = _groups(texts, by, template, wanted)
    sentences = sum(len(text.sentences) for group in groups for text in group.texts)
    by_passages = sentences > SENTENCES
    detector = Detector(
        embed,
        Background.of([text.words for text in texts]),
        max_expected=max_expected,
        max_common=max_common,
        by_passages=by_passages,
        wanted=wanted,
    )
    looked = far.look_at(detector, groups) if far else map(detector.look_at, groups)
    for done, _ in enumerate(looked, 1):
        if progress:
            progress(done, len(groups))
    detector.finish()
    findings = sorted(detector.findings, key=lambda f: (f.expected, -f.score, f.left, f.right))
    authors = {text.answer.id: text.answer.author for text in texts}
    shown = {name for finding in findings for name in (finding.left, finding.right)}
    return PlagiarismResult(
        findings=Results(findings),
        rings=Results(find_rings(findings, authors, detector.pairs)),
        answers=sum(len(group.texts) for group in groups),
        short=short,
        pairs=sum(detector.pairs.values()),
        questions=len(groups),
        pooled=[question or "" for question in detector.pooled],
        by_passages=by_passages,
        texts={text.answer.id: text.answer for text in texts if text.answer.id in shown},
    )


def _groups(
    texts: Sequence[Written], by: By, template: str, wanted: set[str] | None = None
) -> tuple[list[Group], int]:
    """Return the groups in order of question, and how many new answers were too short to tell."""
    members: dict[str | None, list[Written]] = defaultdict(list)
    for text in texts:
        members[text.answer.question if by == "question" else None].append(text)
    groups, short = [], 0
    for question in sorted(members, key=lambda q: (q is not None, q or "")):
        if all(text.earlier for text in members[question]):
            continue
        if wanted is not None and not any(t.answer.id in wanted for t in members[question]):
            continue
        group = _group(question, members[question], template)
        new = (t for t in members[question] if not t.earlier and not t.answer.is_reference)
        short += sum(1 for _ in new) - sum(not text.earlier for text in group.texts)
        groups.append(group)
    return groups, short


def _group(
    question: str | None, texts: Sequence[Written], template: str, keep: Collection[str] = ()
) -> Group:
    """Leave out what is a reference or too short to tell, but for the ids to keep; order by id."""
    given = _given(texts, template)
    kept = [
        text
        for text in texts
        if text.answer.id in keep
        or (not text.answer.is_reference and given.own_words(text) >= SHORTEST)
    ]
    return Group(question, sorted(kept, key=lambda t: (t.earlier, t.answer.id)), given)


def _given(texts: Sequence[Written], template: str) -> Given:
    """Gather what everybody had before them."""
    sources = {template}
    for text in texts:
        sources.update(text.answer.meta.get(name, "") for name in PROMPTS)
        if text.answer.is_reference:
            sources.add(text.answer.text)
    return Given(sorted(sources))


def _from_index(index: BaseIndex, *, earlier: bool) -> Iterator[Written]:
    """Stream the answers that are not blank, with the vectors that are there."""
    for answer, passages, vectors in index.iter_passages():
        yield _written(answer, [(p.start, p.end) for p in passages], vectors, earlier=earlier)


def _embedded(answers: Sequence[Answer], encoder: Encoder) -> list[Written]:
    """Cut and embed answers as an index does."""
    texts = [answer.text for answer in answers]
    cut = split_passages(texts, encoder.tokenizer, encoder.window)
    spans = [[(p.start, p.end) for p in passages] for passages in cut]
    flat = [t[a:b] for t, inside in zip(texts, spans, strict=True) for a, b in inside]
    if not flat:
        return []
    rows = np.split(unit_rows(encoder.encode(flat), flat), np.cumsum([len(s) for s in spans])[:-1])
    return [
        _written(answer, inside, vectors, earlier=False)
        for answer, inside, vectors in zip(answers, spans, rows, strict=True)
        if inside
    ]


def _written(
    answer: Answer, spans: list[tuple[int, int]], vectors: Float32, *, earlier: bool
) -> Written:
    lengths = np.array([end - start for start, end in spans], np.float32)
    return Written(answer, mean_row(vectors, lengths), spans, vectors, earlier)
