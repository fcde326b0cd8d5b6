"""Verify a report: whether an index still gives it, and if not, what differs."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from searchkit.core.errors import BadInput
from searchkit.core.progress import Progress
from searchkit.core.where import Where
from searchkit.index.base import BaseIndex
from searchkit.pages.reports.make import make_report
from searchkit.pages.reports.manifest import LEFT_OUT, read_manifest
from searchkit.plagiarism.records import PlagiarismOptions

MAX_NAMED = 10  # answers or findings that a line names
TOLERANCE = 0.05  # relative difference of two `expected`: other machines round differently
NEGLIGIBLE = 1e-6  # an `expected` below which differences mean nothing

# What a report doesn't hold, or an anonymous one leaves out, in words.
GIVEN_AGAIN = {
    "question": "one question only",
    "author": "one author only",
    "where": "a filter",
    "template": "a template",
    "against": "an earlier index",
    "sources": "known sources",
}


def verify_report(
    index: BaseIndex,
    path: Path,
    given: PlagiarismOptions | None = None,
    *,
    progress: Progress | None = None,
) -> list[str]:
    """Return a line for each thing in which a report differs from what an index gives now.

    Decisions are not compared, as they are made after the report.

    Args:
        index: The index that the report was made from, or one that should be the same.
        path: The report, a page or JSON.
        given: What a report can't hold: template, earlier index and known sources, and the filters
            of an anonymous one. All else is as the manifest says.
        progress: Called with the number of questions that are done and of all questions.

    Raises:
        BadInput: if the file has no manifest, or something was not given that it was made with.
    """
    manifest, is_as_written = read_manifest(path)
    options = _options(path, manifest["settings"], given or PlagiarismOptions())
    report = make_report(index, options, anonymous=manifest["anonymous"], progress=progress)
    now = report.manifest
    lines = [] if is_as_written else ["content: the file was changed after it was written"]
    lines += _different_values(
        "model", {"fingerprint": manifest["model"]}, {"fingerprint": now["model"]}
    )
    lines += _different_values("settings", manifest["settings"], now["settings"])
    lines += _different_values("counts", manifest["counts"], now["counts"])
    lines += _different_names("answers", manifest["answers"], now["answers"])
    lines += _different_findings(manifest["findings"], now["findings"])
    if lines:
        lines += _different_values("versions", manifest["versions"], now["versions"])
    return lines


def _options(
    path: Path, settings: Mapping[str, Any], given: PlagiarismOptions
) -> PlagiarismOptions:
    """Return the options of a report: those of its manifest, and what it can't hold as given."""
    where = given.where
    filters = {"question": where.question, "author": where.author, "where": where.sql}
    texts = {"template": given.template, "against": given.against, "sources": given.sources}
    for name, value in {**filters, **texts}.items():
        recorded = settings[name]
        if name in filters and recorded not in (None, LEFT_OUT):
            if value not in (None, recorded):
                raise BadInput(f"{path}: was made with {name} {recorded!r}; don't give another one")
            filters[name] = recorded
        elif recorded and (value is None or not value):
            raise BadInput(
                f"{path}: was made with {GIVEN_AGAIN[name]}; give the same again, --{name}"
            )
    question, author, sql = filters.values()
    return replace(
        given,
        by=settings["by"],
        where=Where(question, author, sql, settings["attempts"]),
        max_expected=settings["max_expected"],
        fdr=settings["fdr"],
        max_common=settings["max_common"],
        reference_was_given=settings["reference_was_given"],
    )


def _different_values(
    label: str, before: Mapping[str, Any], now: Mapping[str, Any]
) -> Iterator[str]:
    for name in dict.fromkeys((*before, *now)):
        if before.get(name) != now.get(name):
            yield f"{label}: {name} {before.get(name)} in the report, {now.get(name)} here"


def _different_names(
    label: str, before: Mapping[str, object], now: Mapping[str, object]
) -> Iterator[str]:
    """Yield a line for what changed, for what is missing and for what is new."""
    parts = {
        "changed": [name for name in before if name in now and before[name] != now[name]],
        "missing": [name for name in before if name not in now],
        "new": [name for name in now if name not in before],
    }
    for what, names in parts.items():
        if names:
            more = f" and {len(names) - MAX_NAMED:,} more" if len(names) > MAX_NAMED else ""
            yield f"{label}: {len(names):,} {what}: {', '.join(names[:MAX_NAMED])}{more}"


def _different_findings(
    before: Sequence[Mapping[str, Any]], now: Sequence[Mapping[str, Any]]
) -> Iterator[str]:
    old, new = ({f"{f['left']} and {f['right']}": f for f in some} for some in (before, now))
    same = {pair for pair in old if pair in new and _is_same(old[pair], new[pair])}
    yield from _different_names(
        "findings",
        {pair: pair in same for pair in old},
        dict.fromkeys(new, True),
    )


def _is_same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    if one["verdict"] != other["verdict"]:
        return False
    before, now = one["expected"], other["expected"]
    if before is None or now is None:
        return before is now
    return max(before, now) < NEGLIGIBLE or math.isclose(before, now, rel_tol=TOLERANCE)
