"""The report: one file that opens anywhere and loads nothing, and the same as JSON."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from searchkit.clustering.clusters import ClusterResult, cluster
from searchkit.core.arrays import Float32
from searchkit.core.errors import BadInput
from searchkit.core.progress import Progress
from searchkit.core.records import Answer, By
from searchkit.core.results import Results
from searchkit.core.where import EVERYTHING, Where
from searchkit.core.wording import counted
from searchkit.index.base import BaseIndex
from searchkit.index.upkeep.status import status
from searchkit.output.findings import what_was_compared
from searchkit.pages.drawings import histogram, ring_view
from searchkit.pages.environment import asset, environment
from searchkit.pages.pseudonyms import Pseudonyms
from searchkit.pages.report_data import Question, Report
from searchkit.pages.report_json import (
    FORMAT,
    decision_record,
    model_record,
    settings_record,
    versions,
)
from searchkit.pages.scores import evenly, score_counts
from searchkit.pages.segments import pieces
from searchkit.pages.views import ClusterView, FindingView, cluster_view, finding_view
from searchkit.plagiarism.find import find_plagiarism
from searchkit.plagiarism.options import MAX_EXPECTED
from searchkit.plagiarism.preparation import prompt_of

SUFFIXES = (".html", ".htm")


def check_output(path: Path) -> Path:
    """Refuse a path where no report can be, before anything is computed; give that of the JSON.

    Raises:
        BadInput: if it is no `.html`, its folder isn't there, or the JSON would replace a file that
            is no report.
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
                raise BadInput(f"{beside}: is no report, and would be replaced; name another -o")
    return beside


def make_report(
    index: BaseIndex,
    *,
    by: By | None = None,
    where: Where = EVERYTHING,
    template: str = "",
    against: BaseIndex | None = None,
    max_expected: float = MAX_EXPECTED,
    max_common: int | None = None,
    anonymous: bool = False,
    progress: Progress | None = None,
) -> Report:
    """Gather all that the report says.

    Args:
        index: Open for reading or writing.
        by: As for `find_plagiarism`.
        where: The same; questions without such an answer are left out.
        template: The same.
        against: The same.
        max_expected: The same.
        max_common: The same.
        anonymous: Whether authors' names and answers' ids are replaced by pseudonyms.
        progress: Called with how many questions are done, and of how many.

    Raises:
        BadInput: if a number is out of range, or the filter can't be read.
        IndexMismatch: if `against` was made with another model.
    """
    found = find_plagiarism(
        index,
        by=by,
        where=where,
        template=template,
        against=against,
        max_expected=max_expected,
        max_common=max_common,
        progress=progress,
    )
    known = status(index)
    by = by or ("question" if known["questions"] else "all")
    wanted = {answer.question for answer in index.answers(where)}
    clustered = _clustered(index, by, where, wanted)
    centers = [c.center for c in clustered.clusters if c.center]
    shown = {**found.texts, **{answer.id: answer for answer in index.get(centers)}}
    earlier = (_earlier(against, answer) for answer in against.answers()) if against else ()
    first = (found.texts[name] for f in found.findings for name in (f.left, f.right))
    return Report(
        made_at=datetime.now(UTC).isoformat(timespec="seconds"),
        known=known,
        settings=_settings(by, where, template, against, max_expected, max_common),
        found=found,
        questions=list(_questions(index, against, by, wanted)),
        clustered=clustered,
        answers=shown,
        names=Pseudonyms(chain(first, shown.values(), index.answers(), earlier), replace=anonymous),
    )


def _settings(
    by: By,
    where: Where,
    template: str,
    against: BaseIndex | None,
    max_expected: float,
    max_common: int | None,
) -> dict[str, str]:
    common = f"more than {max_common:,} answers" if max_common else "more than half of the answers"
    settings = {
        "compared": "within each question" if by == "question" else "over all answers",
        "findings": f"pairs of which at most {max_expected:g} are expected by chance",
        "no evidence": f"what {common} to a question share",
        "template": f"given, {counted(len(template.split()), 'word')}" if template else "none",
        "earlier answers": f"{len(against):,}" if against else "none",
    }
    asked = {"question": where.question, "author": where.author, "filter": where.sql}
    return settings | {f"only {name}": value for name, value in asked.items() if value is not None}


def _earlier(against: BaseIndex, answer: Answer) -> Answer:
    name = against.name
    return Answer(f"{name}:{answer.id}", answer.text, answer.question, answer.author)


def _clustered(index: BaseIndex, by: By, where: Where, wanted: set[str | None]) -> ClusterResult:
    """Cluster all answers to the questions that are wanted, whoever a filter chooses."""
    if where.is_empty() or by == "all":
        return cluster(index, by=by)
    parts = [
        cluster(index, by=by, where=Where(question or ""))
        for question in sorted(wanted, key=_in_order)
    ]
    return ClusterResult(
        Results(found for part in parts for found in part.clusters),
        {name: choice for part in parts for name, choice in part.choices.items()},
        sum(part.answers for part in parts),
        sum(part.blank for part in parts),
    )


def _in_order(question: str | None) -> tuple[bool, str]:
    return question is not None, question or ""


def _questions(
    index: BaseIndex, against: BaseIndex | None, by: By, wanted: set[str | None]
) -> Iterator[Question]:
    """Count the scores of each question, in order."""
    new = _rows(index, by)
    earlier = _rows(against, by) if against else {}
    for name in sorted(new, key=_in_order):
        if by == "question" and name not in wanted:
            continue
        chosen = [new[name][n] for n in evenly(len(new[name]))]
        before = [earlier[name][n] for n in evenly(len(earlier[name]))] if name in earlier else []
        together = [*chosen, *before]
        counts = score_counts(
            np.stack([row for *_, row in together]),
            [author for author, *_ in together],
            earlier=len(before),
        )
        prompt = next((prompt for _, prompt, _ in new[name] if prompt), "")
        yield Question(
            name, prompt if by == "question" else "", len(new[name]), len(chosen), counts
        )


def _rows(index: BaseIndex, by: By) -> dict[str | None, list[tuple[str | None, str, Float32]]]:
    """Return author, prompt and vector of each answer but references, by question."""
    found: dict[str | None, list[tuple[str | None, str, Float32]]] = defaultdict(list)
    for answer, row in index.iter_vectors():
        if not answer.is_reference:
            key = answer.question if by == "question" else None
            found[key].append((answer.author, prompt_of(answer), row))
    return found


# -- as a page -------------------------------------------------------------------------------------


def report_as_page(report: Report) -> str:
    """Return the page: everything is in it, and its policy lets it load nothing."""
    from markupsafe import Markup

    style, script = asset("static/style.css"), asset("templates/report.js")
    policy = (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
        f"base-uri 'none'; form-action 'none'"
    )
    page = environment().get_template("report.html")
    return page.render(
        policy=Markup(policy),
        style=Markup(style),
        script=Markup(script),
        anonymous=report.names.replace,
        made_at=report.made_at,
        known=report.known,
        model=model_record(report),
        versions=versions(),
        settings=settings_record(report),
        compared=list(what_was_compared(report.found)),
        left_out=list(_left_out(report)),
        **_drawn(report),
    )


def _hash(text: str) -> str:
    return "sha256-" + b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _left_out(report: Report) -> Iterator[str]:
    """Say what isn't in the figures, and why."""
    if blank := report.known["blank"]:
        yield f"{counted(blank, 'blank answer')}: nothing to compare"
    for one in report.questions:
        if one.counted < one.answers:
            name = one.name or "all answers"
            yield (
                f"the scores of {name} are those of {one.counted:,} of its {one.answers:,} "
                f"answers, evenly chosen; findings are of all of them"
            )
    if report.found.pooled:
        yield f"judged together, since they have few answers: {', '.join(report.found.pooled)}"


def _drawn(report: Report) -> dict[str, Any]:
    """Return what the page draws: findings by question, rings, clusters."""
    names, found = report.names, report.found
    by_question: dict[str | None, list[FindingView]] = {q.name: [] for q in report.questions}
    anchors = {}
    for number, finding in enumerate(found.findings, 1):
        view = finding_view(
            finding,
            report.answers[finding.left],
            report.answers[finding.right],
            number=number,
            decision=decision_record(report, finding),
            names=names,
        )
        anchors[finding.left, finding.right] = view.anchor
        by_question.setdefault(finding.question, []).append(view)
    clusters: dict[str | None, list[ClusterView]] = defaultdict(list)
    for one in report.clustered.clusters:
        center = report.answers[one.center] if one.center else None
        clusters[one.question].append(cluster_view(one, center, names=names))
    return {
        "findings": sum(map(len, by_question.values())),
        "rings": [
            ring_view(ring, report.answers, number=n, anchors=anchors, names=names)
            for n, ring in enumerate(found.rings, 1)
        ],
        "questions": [
            _question_view(number, one, by_question[one.name], clusters[one.name], report)
            for number, one in enumerate(report.questions, 1)
        ],
        "first": sorted(
            (
                view
                for some in by_question.values()
                for view in some
                if view.decision != "dismissed"
            ),
            key=lambda view: view.number,
        )[:FIRST],
    }


FIRST = 10  # findings that the overview lists


def _question_view(
    number: int,
    one: Question,
    findings: Sequence[FindingView],
    clusters: Sequence[ClusterView],
    report: Report,
) -> Mapping[str, Any]:
    dismissed = [view for view in findings if view.decision == "dismissed"]
    everything = "All answers" if not report.known["questions"] else "(no question)"
    return {
        "anchor": f"question-{number}",
        "name": one.name
        or (
            "All questions together"
            if len(report.questions) == 1 and report.known["questions"]
            else everything
        ),
        "prompt": pieces(one.prompt, report.names),
        "answers": one.answers,
        "pairs": sum(one.scores),
        "findings": [view for view in findings if view.decision != "dismissed"],
        "dismissed": dismissed,
        "confirmed": sum(view.decision == "confirmed" for view in findings),
        "histogram": histogram(one.scores, findings),
        "clusters": [view for view in clusters if view.kind == "cluster"],
        "alone": [view for view in clusters if view.kind != "cluster"],
    }
