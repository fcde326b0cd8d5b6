"""Making a report: the findings of an index with everything that its page shows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path

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
from searchkit.pages.pseudonyms import Pseudonyms
from searchkit.pages.reports.manifest import make_manifest
from searchkit.pages.reports.records import QuestionScores, Report
from searchkit.pages.reports.report_json import FORMAT
from searchkit.pages.scores import evenly_spaced, score_counts
from searchkit.plagiarism.find import find_with_options
from searchkit.plagiarism.preparation import prompt_of
from searchkit.plagiarism.records import PlagiarismOptions

SUFFIXES = (".html", ".htm")


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
    with_clusters: bool = False,
    progress: Progress | None = None,
) -> Report:
    """Compute the contents of a report.

    Args:
        index: An index that is open for reading or writing.
        options: What is compared, and what counts as a finding. Questions without an answer that
            passes the filter are left out.
        anonymous: Whether pseudonyms replace authors' names and answers' ids.
        with_clusters: Whether the clusters of each question are in it, too.
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
    clusters = _clusters(index, by, options.where, questions) if with_clusters else None
    centers = [one.center for one in (clusters.clusters if clusters else ()) if one.center]
    displayed = {**result.texts, **{answer.id: answer for answer in index.get(centers)}}
    earlier = (_earlier(against, answer) for answer in against.answers()) if against else ()
    in_findings = (result.texts[name] for f in result.findings for name in (f.left, f.right))
    named = chain(in_findings, displayed.values(), index.answers(), earlier)
    pseudonyms = Pseudonyms(named, replace=anonymous)
    return Report(
        made_at=datetime.now(UTC).isoformat(timespec="seconds"),
        status=index_status,
        settings=_settings(options, by),
        plagiarism=result,
        questions=list(_question_scores(index, options, by, questions)),
        clusters=clusters,
        answers=displayed,
        names=pseudonyms,
        manifest=make_manifest(
            index, options, by, result, pseudonyms, status=index_status, covered=questions
        ),
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
