"""The report: a single HTML file that loads nothing, and the same contents as JSON."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from searchkit.clustering.clusters import ClusterResult, cluster
from searchkit.core.arrays import Float32
from searchkit.core.errors import BadInput
from searchkit.core.messages import counted
from searchkit.core.progress import Progress
from searchkit.core.records import Answer, By
from searchkit.core.results import Results
from searchkit.core.where import Attempts, Where
from searchkit.index.base import BaseIndex
from searchkit.index.upkeep.status import status
from searchkit.output.plagiarism.chance import by_chance_in_words
from searchkit.output.plagiarism.findings import describe_compared_answers
from searchkit.pages.drawings import histogram, ring_view
from searchkit.pages.environment import asset, environment
from searchkit.pages.pseudonyms import Pseudonyms
from searchkit.pages.report_data import QuestionScores, Report
from searchkit.pages.report_json import (
    FORMAT,
    decision_record,
    model_record,
    settings_record,
    versions,
)
from searchkit.pages.scores import evenly_spaced, score_counts
from searchkit.pages.segments import TextRun, question_name, text_runs
from searchkit.pages.views import (
    ClusterView,
    FindingView,
    cluster_view,
    equal_views,
    finding_view,
    source_group_views,
    source_views,
)
from searchkit.plagiarism.find import find_with_options
from searchkit.plagiarism.preparation import prompt_of
from searchkit.plagiarism.records import PlagiarismOptions

SUFFIXES = (".html", ".htm")
OVERVIEW_FINDINGS = 10  # listed at the top of the page
# Of settings whose names in the JSON stand on the page for what came out already.
SETTING_LABELS = {"compared": "pairs", "findings": "listed"}


def check_output(path: Path) -> Path:
    """Check the path of a report before anything is computed, and return that of its JSON file.

    Raises:
        BadInput: if the path doesn't end in `.html`, its folder doesn't exist, or the JSON would
            replace a file that is no report.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise BadInput(f"{path}: a report is a page; name it {path.stem or 'report'}.html")
    if not path.parent.is_dir():
        raise BadInput(f"{path}: there is no folder {path.parent}; make it first")
    beside = path.with_suffix(".json")
    if path.is_dir() or beside.is_dir():
        raise BadInput(f"{path if path.is_dir() else beside}: is a folder; name a file")
    if beside.exists():
        with beside.open("rb") as file:
            if FORMAT.encode() not in file.read(200):
                raise BadInput(f"{beside}: is no report, and would be replaced; name another file")
    return beside


def make_report(
    index: BaseIndex,
    options: PlagiarismOptions,
    *,
    anonymous: bool = False,
    progress: Progress | None = None,
) -> Report:
    """Compute the contents of a report.

    Args:
        index: An index that is open for reading or writing.
        options: What is compared, and what counts as a finding. Questions without an answer that
            passes the filter are left out.
        anonymous: Whether pseudonyms replace authors' names and answers' ids.
        progress: Called with the number of questions that are done and of all questions.

    Raises:
        BadInput: if the filter isn't valid.
        IndexMismatch: if `against` was made with another model.
    """
    if anonymous:
        options = replace(options, sources=_numbered(options.sources))
    result = find_with_options(index, options, progress=progress)
    against = options.against
    index_status = status(index)
    by = options.by or ("question" if index_status["questions"] else "all")
    questions = {answer.question for answer in index.answers(options.where)}
    clusters = _clusters(index, by, options.where, questions)
    centers = [cluster.center for cluster in clusters.clusters if cluster.center]
    displayed = {**result.texts, **{answer.id: answer for answer in index.get(centers)}}
    earlier = (_earlier(against, answer) for answer in against.answers()) if against else ()
    in_findings = (result.texts[name] for f in result.findings for name in (f.left, f.right))
    named = chain(in_findings, displayed.values(), index.answers(), earlier)
    return Report(
        made_at=datetime.now(UTC).isoformat(timespec="seconds"),
        status=index_status,
        settings=_settings(options, by),
        plagiarism=result,
        questions=list(_question_scores(index, options, by, questions)),
        clusters=clusters,
        answers=displayed,
        names=Pseudonyms(named, replace=anonymous),
    )


def _numbered(sources: Sequence[Answer]) -> tuple[Answer, ...]:
    """Return known sources with numbers for their names, which may be those of people."""
    return tuple(replace(source, id=f"source {n}") for n, source in enumerate(sources, 1))


def _settings(options: PlagiarismOptions, by: By) -> dict[str, str]:
    """Return the options in words, by their labels; `by` is what `options.by` stands for."""
    where, template, against = options.where, options.template, options.against
    common = f"{options.max_common:,} answers" if options.max_common else "half of the answers"
    settings = {
        "compared": "within each question" if by == "question" else "over all answers",
        "findings": _bound(options),
        "no evidence": f"what more than {common} to a question share",
        "template": f"given, {counted(len(template.split()), 'word')}" if template else "none",
        "reference answers": "given" if options.reference_was_given else "not given",
        "earlier answers": f"{len(against):,}" if against else "none",
        "known sources": f"{len(options.sources):,}" if options.sources else "none",
    }
    if where.attempts:
        settings["attempts"] = f"{where.attempts} ones count"
    filters = {"question": where.question, "author": where.author, "filter": where.sql}
    return settings | {f"only {name}": text for name, text in filters.items() if text is not None}


def _bound(options: PlagiarismOptions) -> str:
    """Return in words up to where pairs are findings."""
    if options.fdr is not None:
        return f"as many pairs as keep the share of those by chance at {options.fdr:.3g} or less"
    return f"pairs of which at most {options.max_expected:g} are expected by chance"


def _earlier(against: BaseIndex, answer: Answer) -> Answer:
    """Return an answer of an earlier cohort with the id that findings have for it."""
    return replace(answer, id=f"{against.name}:{answer.id}")


def _clusters(index: BaseIndex, by: By, where: Where, questions: set[str | None]) -> ClusterResult:
    """Cluster all answers to some questions, also those that don't pass the filter."""
    if replace(where, attempts=None).is_empty() or by == "all":
        return cluster(index, by=by, where=Where(attempts=where.attempts))
    parts = [
        cluster(index, by=by, where=Where(question or "", attempts=where.attempts))
        for question in sorted(questions, key=_question_order)
    ]
    return ClusterResult(
        Results(cluster for part in parts for cluster in part.clusters),
        {name: choice for part in parts for name, choice in part.choices.items()},
        sum(part.answers for part in parts),
        sum(part.blank for part in parts),
    )


def _question_order(question: str | None) -> tuple[bool, str]:
    return question is not None, question or ""


@dataclass(frozen=True, slots=True)
class _Row:
    """The vector of an answer that isn't a reference answer."""

    author: str | None
    prompt: str
    vector: Float32


def _question_scores(
    index: BaseIndex, options: PlagiarismOptions, by: By, questions: set[str | None]
) -> Iterator[QuestionScores]:
    """Yield the distribution of scores of each question, in order."""
    against, attempts = options.against, options.where.attempts
    rows = _rows_by_question(index, by, attempts)
    earlier = _rows_by_question(against, by, attempts) if against else {}
    for name in sorted(rows, key=_question_order):
        if by == "all" or name in questions:
            yield _scores_of(name, rows[name], earlier.get(name, []), by)


def _scores_of(
    name: str | None, rows: Sequence[_Row], earlier: Sequence[_Row], by: By
) -> QuestionScores:
    new, before = _sample(rows), _sample(earlier)
    counts = score_counts(
        np.stack([row.vector for row in (*new, *before)]),
        [row.author for row in (*new, *before)],
        earlier=len(before),
    )
    prompts = [row.prompt for row in rows if row.prompt] if by == "question" else []
    return QuestionScores(name, prompts[0] if prompts else "", len(rows), len(new), counts)


def _sample(rows: Sequence[_Row]) -> list[_Row]:
    return [rows[n] for n in evenly_spaced(len(rows))]


def _rows_by_question(
    index: BaseIndex, by: By, attempts: Attempts | None
) -> dict[str | None, list[_Row]]:
    rows: dict[str | None, list[_Row]] = defaultdict(list)
    for answer, vector in index.iter_vectors(Where(attempts=attempts).with_attempts()):
        if not answer.is_reference:
            question = answer.question if by == "question" else None
            rows[question].append(_Row(answer.author_key, prompt_of(answer), vector))
    return rows


# -- as a page -------------------------------------------------------------------------------------


def report_as_page(report: Report) -> str:
    """Return the page as HTML with its style and script inside; its policy forbids to load more."""
    from markupsafe import Markup

    style = asset("static/colours.css") + asset("static/layout.css")
    script = asset("static/report.js")
    policy = (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
        f"base-uri 'none'; form-action 'none'"
    )
    compared, *others = describe_compared_answers(report.plagiarism)
    page = environment().get_template("report.html")
    return page.render(
        policy=Markup(policy),
        style=Markup(style),
        script=Markup(script),
        anonymous=report.names.replace,
        made_at=report.made_at,
        known=report.status,
        model=model_record(report),
        versions=versions(),
        settings={
            SETTING_LABELS.get(label, label): (
                text_runs(value, report.names) if label.startswith("only") else [TextRun(value)]
            )
            for label, value in settings_record(report).items()
        },
        compared=compared,
        left_out=[text_runs(line, report.names) for line in (*others, *_left_out(report))],
        by_chance=by_chance_in_words(report.plagiarism),
        absence=report.plagiarism.explain_absence(),
        **_views(report),
    )


def _hash(text: str) -> str:
    return "sha256-" + b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _left_out(report: Report) -> Iterator[str]:
    """Yield sentences about what the figures don't cover, and why."""
    if blank := report.status["blank"]:
        yield f"{counted(blank, 'blank answer')}: nothing to compare"
    for question in report.questions:
        if question.counted < question.answers:
            name = question.name or "all answers"
            yield (
                f"the scores of {name} are those of {question.counted:,} of its "
                f"{question.answers:,} answers, evenly chosen; findings are of all of them"
            )
    if report.plagiarism.pooled:
        pooled = ", ".join(report.plagiarism.pooled)
        yield f"judged together, since they have few answers: {pooled}"


def _views(report: Report) -> dict[str, Any]:
    """Return findings by question, rings, equal answers and clusters as the page displays them."""
    names, result = report.names, report.plagiarism
    findings = [
        finding_view(
            finding,
            report.answers[finding.left],
            report.answers[finding.right],
            number=number,
            decision=decision_record(report, finding),
            names=names,
        )
        for number, finding in enumerate(result.findings, 1)
    ]
    by_question: dict[str | None, list[FindingView]] = defaultdict(list)
    anchors = {}
    for finding, view in zip(result.findings, findings, strict=True):
        by_question[finding.question].append(view)
        anchors[finding.left, finding.right] = view.anchor
    clusters: dict[str | None, list[ClusterView]] = defaultdict(list)
    for one in report.clusters.clusters:
        center = report.answers[one.center] if one.center else None
        clusters[one.question].append(cluster_view(one, center, names=names))
    return {
        "findings": len(findings),
        "rings": [
            ring_view(ring, report.answers, number=n, anchors=anchors, names=names)
            for n, ring in enumerate(result.rings, 1)
        ],
        "questions": [
            _question_view(number, one, by_question[one.name], clusters[one.name], report)
            for number, one in enumerate(report.questions, 1)
        ],
        "equal": equal_views(result, names),
        "sources": source_views(result, names),
        "source_groups": source_group_views(result, names),
        "first": [view for view in findings if view.decision != "dismissed"][:OVERVIEW_FINDINGS],
    }


def _question_view(
    number: int,
    question: QuestionScores,
    findings: Sequence[FindingView],
    clusters: Sequence[ClusterView],
    report: Report,
) -> Mapping[str, Any]:
    return {
        "anchor": f"question-{number}",
        "name": question_name(question.name or _unnamed_question(report), report.names),
        "prompt": text_runs(question.prompt, report.names),
        "answers": question.answers,
        "pairs": sum(question.scores),
        "findings": [view for view in findings if view.decision != "dismissed"],
        "dismissed": [view for view in findings if view.decision == "dismissed"],
        "confirmed": sum(view.decision == "confirmed" for view in findings),
        "histogram": histogram(question.scores, findings),
        "clusters": [view for view in clusters if view.kind == "cluster"],
        "alone": [view for view in clusters if view.kind != "cluster"],
    }


def _unnamed_question(report: Report) -> str:
    if not report.status["questions"]:
        return "All answers"
    return "All questions together" if len(report.questions) == 1 else "(no question)"
