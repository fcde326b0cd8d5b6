"""A report as JSON."""

from __future__ import annotations

import json
import platform
from collections import defaultdict
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from searchkit._version import __version__
from searchkit.clustering.records import Cluster
from searchkit.core.records import Answer
from searchkit.index.records import Decision
from searchkit.pages import views
from searchkit.pages.pseudonyms import Mention, Pseudonyms, moved, replaced
from searchkit.pages.report_data import Report
from searchkit.plagiarism.records import Finding

FORMAT = "searchkit report"  # what the JSON beside it begins with
COUNTS = ("answers", "blank", "questions", "authors")
VERSIONS = ("faiss-cpu", "numpy", "openvino", "scikit-learn", "tokenizers")


# -- as JSON ---------------------------------------------------------------------------------------


def report_as_record(report: Report) -> dict[str, Any]:
    """Return all that the page shows; with pseudonyms, offsets are in the texts given here."""
    names, found = report.names, report.found
    by_question: dict[str | None, int] = defaultdict(int)
    for finding in found.findings:
        by_question[finding.question] += 1
    return {
        "format": FORMAT,
        "made_at": report.made_at,
        "anonymous": names.replace,
        "versions": versions(),
        "corpus": {name: report.known[name] for name in COUNTS}
        | ({} if names.replace else {"index": report.known["index"]}),
        "model": model_record(report),
        "settings": settings_record(report),
        "compared": {
            "answers": found.answers,
            "short": found.short,
            "pairs": found.pairs,
            "questions": found.questions,
            "pooled": found.pooled,
            "by_passages": found.by_passages,
        },
        "questions": [
            {
                "question": one.name,
                "prompt": _said(one.prompt, names),
                "answers": one.answers,
                "counted": one.counted,
                "findings": by_question[one.name],
                "scores": {"from": -1.0, "to": 1.0, "counts": one.scores},
            }
            for one in report.questions
        ],
        "findings": [_finding_record(report, finding) for finding in found.findings],
        "rings": [
            ring.to_record()
            | {
                "authors": [_author(name, names) for name in ring.authors],
                "findings": [[_id(name, names) for name in pair] for pair in ring.findings],
            }
            for ring in found.rings
        ],
        "clusters": [_cluster_record(one, names) for one in report.clustered.clusters],
        "answers": [_answer_record(one, names) for one in report.answers.values()],
    }


def _id(name: str, names: Pseudonyms) -> str:
    return names.answer(name) if names.replace else name


def _author(name: str | None, names: Pseudonyms) -> str | None:
    return names.author(name) if names.replace and name else name


def _said(text: str, names: Pseudonyms) -> str:
    return names.without_names_by_us(text) if names.replace else text


def _mentions(answer: Answer, names: Pseudonyms) -> list[Mention]:
    return names.mentions(answer.text) if names.replace else []


def _answer_record(answer: Answer, names: Pseudonyms) -> dict[str, Any]:
    return {
        "id": _id(answer.id, names),
        "question": answer.question,
        "author": _author(answer.author, names),
        "submitted_at": answer.submitted_at,
        "text": replaced(answer.text, _mentions(answer, names)),
    }


def _finding_record(report: Report, finding: Finding) -> dict[str, Any]:
    names = report.names
    decision = decision_record(report, finding)
    record = finding.to_record() | {"decision": report.found.decision(finding)}
    if names.replace:
        both = [_mentions(report.answers[name], names) for name in (finding.left, finding.right)]
        record |= {
            "left": names.answer(finding.left),
            "right": names.answer(finding.right),
            "reason": _said(finding.reason, names),
            "remarks": [_said(remark, names) for remark in finding.remarks],
            "first": finding.first and names.answer(finding.first),
            "passages": [
                passage
                | {
                    side: [
                        moved(at, mentions, is_end=is_end)
                        for at, is_end in zip(passage[side], (False, True), strict=True)
                    ]
                    for side, mentions in zip(("left", "right"), both, strict=True)
                }
                for passage in record["passages"]
            ],
        }
    return record | {
        "decided_at": decision.decided_at if decision else None,
        "decision_reason": _said(decision.reason, names) if decision else "",
    }


def decision_record(report: Report, finding: Finding) -> Decision | None:
    """Return what was decided about a finding, if anything was."""
    return report.found.decisions.get((finding.left, finding.right))


def _cluster_record(cluster: Cluster, names: Pseudonyms) -> dict[str, Any]:
    record = cluster.to_record()
    if names.replace:
        record["keywords"] = views.cluster_view(cluster, None, names=names).keywords
        record["center"] = cluster.center and names.answer(cluster.center)
        record["members"] = [
            {"id": names.answer(member.id), "score": member.score} for member in cluster.members
        ]
    return record


def model_record(report: Report) -> dict[str, Any]:
    """Return the model of the index; in an anonymous report without its folder."""
    model: dict[str, Any] = dict(report.known["model"])
    if report.names.replace:
        model["name"] = model["name"].replace("\\", "/").rstrip("/").rsplit("/", 1)[-1]
    return model


def settings_record(report: Report) -> dict[str, str]:
    """Return the settings of a report; in an anonymous report without filters."""
    if not report.names.replace:
        return report.settings
    hidden = ("only author", "only filter")  # may hold names that are too short to be found
    return {n: "given, left out here" if n in hidden else v for n, v in report.settings.items()}


def versions() -> dict[str, str]:
    """Return the versions of what has a say in the figures."""
    found = {"searchkit": __version__, "python": platform.python_version()}
    for name in VERSIONS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def as_json(report: Report) -> str:
    """Return the JSON that stands beside the page."""
    return json.dumps(report_as_record(report), ensure_ascii=False, indent=1) + "\n"
