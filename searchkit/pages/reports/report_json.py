"""The report as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from searchkit.clustering.records import Cluster
from searchkit.core.records import Answer
from searchkit.index.records import Decision
from searchkit.output.files import json_text
from searchkit.pages.cluster_views import cluster_view
from searchkit.pages.pseudonyms import Pseudonyms
from searchkit.pages.reports.manifest import COUNTS, record_with_manifest
from searchkit.pages.reports.records import Report
from searchkit.pages.reports.versions import versions
from searchkit.plagiarism.records import EqualGroup, Finding, Ring, SourceFinding, SourceGroup
from searchkit.text.languages.identification import identify_language
from searchkit.text.mentions import Mention, move_offset, replace_mentions

FORMAT = "searchkit report"  # the first value of the JSON, by which the file is recognised


def as_json(report: Report) -> str:
    """Return the text of the JSON file beside the page."""
    return json_text(report_as_record(report), indent=1) + "\n"


def report_as_record(report: Report) -> dict[str, Any]:
    """Return everything that the page shows; with pseudonyms, offsets refer to the texts here."""
    names, result = report.names, report.plagiarism
    index = {} if names.replace else {"index": report.status["index"]}
    record = {
        "format": FORMAT,
        "made_at": report.made_at,
        "anonymous": names.replace,
        "versions": versions(),
        "corpus": {name: report.status[name] for name in COUNTS} | index,
        "model": model_record(report),
        "settings": settings_record(report),
        "compared": {
            "answers": result.answers,
            "short": result.short,
            "pairs": result.pairs,
            "questions": result.questions,
            "pooled": [_question(name, names) for name in result.pooled],
            "unjudged": [_question(name, names) for name in result.unjudged_questions()],
            "by_passages": result.by_passages,
            "across": result.across,
        },
        "questions": _question_records(report),
        "findings": [_finding_record(report, finding) for finding in result.findings],
        "rings": [_ring_record(ring, names) for ring in result.rings],
        "by_chance": result.by_chance,
        "equal": [_equal_record(group, names) for group in result.equal],
        "sources": [_source_record(report, finding) for finding in result.sources],
        "source_groups": [_source_group_record(group, names) for group in result.source_groups],
        "clusters": [
            _cluster_record(cluster, names)
            for cluster in (report.clusters.clusters if report.clusters else ())
        ],
        "answers": [_answer_record(answer, names) for answer in report.answers.values()],
    }
    return record_with_manifest(record, report.manifest)


def _question_records(report: Report) -> list[dict[str, Any]]:
    findings = Counter(finding.question for finding in report.plagiarism.findings)
    return [
        {
            "question": _question(question.name, report.names),
            "prompt": _message(question.prompt, report.names),
            "language": identify_language(question.prompt),
            "answers": question.answers,
            "counted": question.counted,
            "findings": findings[question.name],
            "scores": {"from": -1.0, "to": 1.0, "counts": question.scores},
        }
        for question in report.questions
    ]


def _id(name: str, names: Pseudonyms) -> str:
    return names.answer(name) if names.replace else name


def _author(name: str | None, names: Pseudonyms) -> str | None:
    return names.author(name) if names.replace and name else name


def _question(name: str | None, names: Pseudonyms) -> str | None:
    return names.question(name) if names.replace and name else name


def _message(message: str, names: Pseudonyms) -> str:
    return names.replace_in_message(message) if names.replace else message


def _mentions(answer: Answer, names: Pseudonyms) -> list[Mention]:
    return names.mentions(answer.text) if names.replace else []


def _answer_record(answer: Answer, names: Pseudonyms) -> dict[str, Any]:
    return {
        "id": _id(answer.id, names),
        "question": _question(answer.question, names),
        "author": _author(answer.author, names),
        "submitted_at": answer.submitted_at,
        "language": answer.language,
        "text": replace_mentions(answer.text, _mentions(answer, names)),
    }


def _finding_record(report: Report, finding: Finding) -> dict[str, Any]:
    names = report.names
    decision = decision_record(report, finding)
    record = finding.to_record() | {"decision": report.plagiarism.decision(finding)}
    if names.replace:
        record |= {
            "question": _question(finding.question, names),
            "left": names.answer(finding.left),
            "right": names.answer(finding.right),
            "reason": _message(finding.reason, names),
            "remarks": [_message(remark, names) for remark in finding.remarks],
            "first": finding.first and names.answer(finding.first),
            "passages": _moved_passages(report, finding, record["passages"]),
        }
    return record | {
        "decided_at": decision.decided_at if decision else None,
        "decision_reason": _message(decision.reason, names) if decision else "",
    }


def _moved_passages(
    report: Report, finding: Finding, passages: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Return passages with offsets in the texts in which pseudonyms replace names."""
    left, right = (
        _mentions(report.answers[name], report.names) for name in (finding.left, finding.right)
    )
    return [
        passage | {"left": _moved(passage["left"], left), "right": _moved(passage["right"], right)}
        for passage in passages
    ]


def _moved(offsets: Sequence[int], mentions: Sequence[Mention]) -> list[int]:
    start, end = offsets
    return [
        move_offset(start, mentions, is_end=False),
        move_offset(end, mentions, is_end=True),
    ]


def _ring_record(ring: Ring, names: Pseudonyms) -> dict[str, Any]:
    return ring.to_record() | {
        "authors": [_author(name, names) for name in ring.authors],
        "questions": [_question(name, names) for name in ring.questions],
        "findings": [[_id(name, names) for name in pair] for pair in ring.findings],
        "reason": _message(ring.reason, names),
        "sources": [_id(name, names) for name in ring.sources],
    }


def _equal_record(group: EqualGroup, names: Pseudonyms) -> dict[str, Any]:
    return group.to_record() | {
        "question": _question(group.question, names),
        "answers": [_id(name, names) for name in group.answers],
        "authors": [_author(name, names) for name in group.authors],
        "findings": [[_id(name, names) for name in pair] for pair in group.findings],
        "reason": _message(group.reason, names),
        "remarks": [_message(remark, names) for remark in group.remarks],
    }


def _source_record(report: Report, finding: SourceFinding) -> dict[str, Any]:
    """Return an answer near to a source; offsets on the right are those in the source."""
    names = report.names
    mentions = _mentions(report.answers[finding.answer], names)
    record = finding.to_record()
    passages = [p | {"left": _moved(p["left"], mentions)} for p in record["passages"]]
    return record | {
        "answer": _id(finding.answer, names),
        "author": _author(finding.author, names),
        "question": _question(finding.question, names),
        "reason": _message(finding.reason, names),
        "remarks": [_message(remark, names) for remark in finding.remarks],
        "passages": passages,
    }


def _source_group_record(group: SourceGroup, names: Pseudonyms) -> dict[str, Any]:
    return group.to_record() | {
        "answers": [_id(name, names) for name in group.answers],
        "authors": [_author(name, names) for name in group.authors],
        "questions": [_question(name, names) for name in group.questions],
    }


def decision_record(report: Report, finding: Finding) -> Decision | None:
    """Return the decision about a finding, if there is one."""
    return report.plagiarism.decision_about(finding.left, finding.right)


def _cluster_record(cluster: Cluster, names: Pseudonyms) -> dict[str, Any]:
    record = cluster.to_record()
    if names.replace:
        record["question"] = _question(cluster.question, names)
        record["keywords"] = [
            word.text for word in cluster_view(cluster, None, names=names).keywords
        ]
        record["center"] = cluster.center and names.answer(cluster.center)
        record["members"] = [
            {"id": names.answer(member.id), "score": member.score} for member in cluster.members
        ]
    return record


def model_record(report: Report) -> dict[str, Any]:
    """Return the model of the index; in an anonymous report without the path of its folder."""
    model: dict[str, Any] = dict(report.status["model"])
    if report.names.replace:
        model["name"] = model["name"].replace("\\", "/").rstrip("/").rsplit("/", 1)[-1]
    return model


def settings_record(report: Report) -> dict[str, str]:
    """Return the settings of a report; in an anonymous report without filters."""
    if not report.names.replace:
        return report.settings
    hidden = dict.fromkeys(("only author", "only filter"), "given, left out here")
    if "only question" in report.settings:
        hidden["only question"] = report.names.question(report.settings["only question"])
    return {label: hidden.get(label, value) for label, value in report.settings.items()}
