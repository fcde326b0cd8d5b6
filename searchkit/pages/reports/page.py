"""The report as a page: a single HTML file that loads nothing."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from searchkit.core.messages import counted
from searchkit.output.plagiarism.chance import by_chance_in_words
from searchkit.output.plagiarism.findings import describe_compared_answers
from searchkit.pages.cluster_views import ClusterView, cluster_view
from searchkit.pages.drawings import histogram
from searchkit.pages.environment import asset, environment
from searchkit.pages.groups.views import group_details
from searchkit.pages.reports.manifest import page_with_manifest
from searchkit.pages.reports.paper import shorten_for_paper
from searchkit.pages.reports.records import QuestionScores, Report
from searchkit.pages.reports.report_json import (
    decision_record,
    model_record,
    settings_record,
)
from searchkit.pages.reports.versions import versions
from searchkit.pages.segments import TextRun, question_name, text_runs
from searchkit.pages.views import (
    FindingView,
    equal_views,
    finding_view,
    source_group_views,
    source_views,
)
from searchkit.text.languages.locales import identified_locale

STRONGEST_FINDINGS = 10  # listed on the first page
# Of settings whose names in the JSON stand on the page for what came out already.
SETTING_LABELS = {"compared": "pairs", "findings": "listed"}


def report_as_page(report: Report) -> str:
    """Return the page as HTML with its style and script inside; its policy forbids to load more."""
    from markupsafe import Markup

    style = "".join(asset(f"static/{name}.css") for name in ("colours", "layout", "groups/groups"))
    script = asset("static/report.js")
    policy = (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
        f"base-uri 'none'; form-action 'none'"
    )
    compared, *others = describe_compared_answers(report.plagiarism)
    page = environment().get_template("report.html")
    text = page.render(
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
    return page_with_manifest(text, report.manifest)


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
                f"the similarities of {name} are those of {question.counted:,} of its "
                f"{question.answers:,} answers, evenly chosen; findings are of all of them"
            )
    if report.plagiarism.pooled:
        pooled = ", ".join(report.plagiarism.pooled)
        yield f"judged together, since they have few answers: {pooled}"


def _views(report: Report) -> dict[str, Any]:
    """Return findings by question, rings, equal answers and clusters as the page displays them."""
    names, result = report.names, report.plagiarism
    findings = [
        _for_paper(
            finding_view(
                finding,
                report.answers[finding.left],
                report.answers[finding.right],
                number=number,
                decision=decision_record(report, finding),
                names=names,
            )
        )
        for number, finding in enumerate(result.findings, 1)
    ]
    by_question: dict[str | None, list[FindingView]] = defaultdict(list)
    anchors = {}
    for finding, view in zip(result.findings, findings, strict=True):
        by_question[finding.question].append(view)
        anchors[finding.left, finding.right] = view.anchor
    clusters: dict[str | None, list[ClusterView]] = defaultdict(list)
    for one in report.clusters.clusters if report.clusters else ():
        center = report.answers[one.center] if one.center else None
        clusters[one.question].append(cluster_view(one, center, names=names))
    return {
        "findings": len(findings),
        "with_clusters": report.clusters is not None,
        "counts": _counts(findings),
        "rings": [
            group_details(
                ring, result.findings, report.answers, number=n, anchors=anchors, names=names
            )
            for n, ring in enumerate(result.rings, 1)
        ],
        "questions": [
            _question_view(number, one, by_question[one.name], clusters[one.name], report)
            for number, one in enumerate(report.questions, 1)
        ],
        "equal": equal_views(result, names),
        "sources": source_views(result, names),
        "source_groups": source_group_views(result, names),
        "strongest": [v for v in findings if v.decision != "dismissed"][:STRONGEST_FINDINGS],
    }


def _for_paper(view: FindingView) -> FindingView:
    """Return a finding of which paper shows no more of both texts than fits on a page."""
    left, right = (
        replace(side, segments=shorten_for_paper(side.segments)) for side in (view.left, view.right)
    )
    return replace(view, left=left, right=right)


def _counts(findings: Sequence[FindingView]) -> dict[str, int]:
    """Return how many findings have each verdict, and how many each decision; of those made."""
    return Counter(name for view in findings for name in (view.verdict, view.decision))


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
        "prompt_locale": identified_locale(question.prompt),
        "answers": question.answers,
        "pairs": sum(question.scores),
        "total": len(findings),
        "counts": _counts(findings),
        "findings": [view for view in findings if view.decision != "dismissed"],
        "dismissed": [view for view in findings if view.decision == "dismissed"],
        "histogram": histogram(question.scores, findings),
        "clusters": [view for view in clusters if view.kind == "cluster"],
        "alone": [view for view in clusters if view.kind != "cluster"],
    }


def _unnamed_question(report: Report) -> str:
    if not report.status["questions"]:
        return "All answers"
    return "All questions together" if len(report.questions) == 1 else "(no question)"
