"""The report: one file that opens anywhere and loads nothing, and the same as JSON."""

from __future__ import annotations

import hashlib
import json
import platform
from base64 import b64encode
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from searchkit import views
from searchkit._version import __version__
from searchkit.anyindex import EVERYTHING, AnyIndex
from searchkit.clusters import Clustered, cluster
from searchkit.distribution import evenly, score_counts
from searchkit.errors import BadInput
from searchkit.evidence import counted
from searchkit.findings import finding_as_record, ring_as_record, what_was_compared
from searchkit.outlines import cluster_as_record
from searchkit.pages import asset, environment
from searchkit.plagiarism import MAX_EXPECTED, Plagiarism, find_plagiarism, prompt_of
from searchkit.pseudonyms import Mention, Pseudonyms, moved, replaced
from searchkit.status import status
from searchkit.types import Answer, By, Cluster, Decision, Finding
from searchkit.where import Where

SUFFIXES = (".html", ".htm")
FORMAT = "searchkit report"  # what the JSON beside it begins with
COUNTS = ("answers", "blank", "questions", "authors")
VERSIONS = ("faiss-cpu", "numpy", "openvino", "scikit-learn", "tokenizers")

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Question:
    """A question of the report, or all answers together.

    Attributes:
        name: The question; None: all answers, or those to no question.
        prompt: Its text, if a column has it.
        answers: How many there are that are not blank and no reference.
        counted: How many of them the scores are of, evenly chosen; fewer where there are very many.
        scores: How many pairs have which cosine, from `score_counts`.
    """

    name: str | None
    prompt: str
    answers: int
    counted: int
    scores: list[int]


@dataclass(frozen=True, slots=True)
class Report:
    """All that the report says.

    Attributes:
        made_at: When, in UTC, as ISO 8601.
        known: What the index holds, from `status`.
        settings: What was asked for, by its name.
        found: The findings and rings.
        questions: In order.
        clustered: Those questions' clusters.
        answers: The answers that are shown, by their ids.
        names: Who is called what where names are hidden.
    """

    made_at: str
    known: dict[str, Any]
    settings: dict[str, str]
    found: Plagiarism
    questions: list[Question]
    clustered: Clustered
    answers: dict[str, Answer]
    names: Pseudonyms


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
    index: AnyIndex,
    *,
    by: By | None = None,
    where: Where = EVERYTHING,
    template: str = "",
    against: AnyIndex | None = None,
    max_expected: float = MAX_EXPECTED,
    max_common: int | None = None,
    anonymous: bool = False,
    progress: Callable[[int, int], None] | None = None,
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
        index, by=by, where=where, template=template, against=against,
        max_expected=max_expected, max_common=max_common, progress=progress,
    )  # fmt: skip
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
    by: By, where: Where, template: str, against: AnyIndex | None, max_expected: float,
    max_common: int | None,
) -> dict[str, str]:  # fmt: skip
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


def _earlier(against: AnyIndex, answer: Answer) -> Answer:
    name = against.name
    return Answer(f"{name}:{answer.id}", answer.text, answer.question, answer.author)


def _clustered(index: AnyIndex, by: By, where: Where, wanted: set[str | None]) -> Clustered:
    """Cluster all answers to the questions that are wanted, whoever a filter chooses."""
    if where.is_empty() or by == "all":
        return cluster(index, by=by)
    parts = [
        cluster(index, by=by, where=Where(question or ""))
        for question in sorted(wanted, key=_in_order)
    ]
    return Clustered(
        [found for part in parts for found in part.clusters],
        {name: choice for part in parts for name, choice in part.choices.items()},
        sum(part.answers for part in parts),
        sum(part.blank for part in parts),
    )


def _in_order(question: str | None) -> tuple[bool, str]:
    return question is not None, question or ""


def _questions(
    index: AnyIndex, against: AnyIndex | None, by: By, wanted: set[str | None]
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


def _rows(index: AnyIndex, by: By) -> dict[str | None, list[tuple[str | None, str, Floats]]]:
    """Give author, prompt and vector of each answer but references, by question."""
    found: dict[str | None, list[tuple[str | None, str, Floats]]] = defaultdict(list)
    for answer, row in index.whole():
        if not answer.is_reference:
            key = answer.question if by == "question" else None
            found[key].append((answer.author, prompt_of(answer), row))
    return found


# -- as JSON ---------------------------------------------------------------------------------------


def report_as_record(report: Report) -> dict[str, Any]:
    """Give all that the page shows; with pseudonyms, offsets are those of the texts given here."""
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
        "model": _model(report),
        "settings": _shown_settings(report),
        "compared": {
            "answers": found.answers, "short": found.short, "pairs": found.pairs,
            "questions": found.questions, "pooled": found.pooled, "by_passages": found.by_passages,
        },
        "questions": [
            {
                "question": one.name, "prompt": _said(one.prompt, names), "answers": one.answers,
                "counted": one.counted, "findings": by_question[one.name],
                "scores": {"from": -1.0, "to": 1.0, "counts": one.scores},
            }
            for one in report.questions
        ],
        "findings": [_finding_record(report, finding) for finding in found.findings],
        "rings": [
            ring_as_record(ring)
            | {
                "authors": [_author(name, names) for name in ring.authors],
                "findings": [[_id(name, names) for name in pair] for pair in ring.findings],
            }
            for ring in found.rings
        ],
        "clusters": [_cluster_record(one, names) for one in report.clustered.clusters],
        "answers": [_answer_record(one, names) for one in report.answers.values()],
    }  # fmt: skip


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
    decision = _decision(report, finding)
    record = finding_as_record(finding, report.found.decision(finding))
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


def _decision(report: Report, finding: Finding) -> Decision | None:
    return report.found.decisions.get((finding.left, finding.right))


def _cluster_record(cluster: Cluster, names: Pseudonyms) -> dict[str, Any]:
    record = cluster_as_record(cluster)
    if names.replace:
        record["keywords"] = views.cluster_view(cluster, None, names=names).keywords
        record["center"] = cluster.center and names.answer(cluster.center)
        record["members"] = [
            {"id": names.answer(member.id), "score": member.score} for member in cluster.members
        ]
    return record


def _model(report: Report) -> dict[str, Any]:
    model: dict[str, Any] = dict(report.known["model"])
    if report.names.replace:
        model["name"] = model["name"].replace("\\", "/").rstrip("/").rsplit("/", 1)[-1]
    return model


def _shown_settings(report: Report) -> dict[str, str]:
    if not report.names.replace:
        return report.settings
    hidden = ("only author", "only filter")  # may hold names that are too short to be found
    return {n: "given, left out here" if n in hidden else v for n, v in report.settings.items()}


def versions() -> dict[str, str]:
    """Give the versions of what has a say in the figures."""
    found = {"searchkit": __version__, "python": platform.python_version()}
    for name in VERSIONS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


# -- as a page -------------------------------------------------------------------------------------


def report_as_page(report: Report) -> str:
    """Give the page: everything is in it, and its policy lets it load nothing."""
    from markupsafe import Markup

    style, script = asset("static/style.css"), asset("report.js")
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
        model=_model(report),
        versions=versions(),
        settings=_shown_settings(report),
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
    """Give what the page draws: findings by question, rings, clusters."""
    names, found = report.names, report.found
    by_question: dict[str | None, list[views.FindingView]] = {q.name: [] for q in report.questions}
    anchors = {}
    for number, finding in enumerate(found.findings, 1):
        view = views.finding_view(
            finding, report.answers[finding.left], report.answers[finding.right],
            number=number, decision=_decision(report, finding), names=names,
        )  # fmt: skip
        anchors[finding.left, finding.right] = view.anchor
        by_question.setdefault(finding.question, []).append(view)
    clusters: dict[str | None, list[views.ClusterView]] = defaultdict(list)
    for one in report.clustered.clusters:
        center = report.answers[one.center] if one.center else None
        clusters[one.question].append(views.cluster_view(one, center, names=names))
    return {
        "findings": sum(map(len, by_question.values())),
        "rings": [
            views.ring_view(ring, report.answers, number=n, anchors=anchors, names=names)
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
    number: int, one: Question, findings: Sequence[views.FindingView],
    clusters: Sequence[views.ClusterView], report: Report,
) -> Mapping[str, Any]:  # fmt: skip
    dismissed = [view for view in findings if view.decision == "dismissed"]
    everything = "All answers" if not report.known["questions"] else "(no question)"
    return {
        "anchor": f"question-{number}",
        "name": one.name or ("All questions together" if len(report.questions) == 1
                             and report.known["questions"] else everything),
        "prompt": views.pieces(one.prompt, report.names),
        "answers": one.answers,
        "pairs": sum(one.scores),
        "findings": [view for view in findings if view.decision != "dismissed"],
        "dismissed": dismissed,
        "confirmed": sum(view.decision == "confirmed" for view in findings),
        "histogram": views.histogram(one.scores, findings),
        "clusters": [view for view in clusters if view.kind == "cluster"],
        "alone": [view for view in clusters if view.kind != "cluster"],
    }  # fmt: skip


def as_json(report: Report) -> str:
    """Give the JSON that stands beside the page."""
    return json.dumps(report_as_record(report), ensure_ascii=False, indent=1) + "\n"
