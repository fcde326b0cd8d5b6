"""Propagation: the mark of one answer for all that say the same."""

from __future__ import annotations

from collections.abc import Mapping

from searchkit.clustering.clusters import cluster
from searchkit.clustering.records import Cluster
from searchkit.core.errors import BadInput
from searchkit.core.results import Results
from searchkit.core.where import Where
from searchkit.grading.corpus import check_tolerance, right
from searchkit.grading.marks import Kind, read_marks
from searchkit.grading.records import Mark, Propagation
from searchkit.index.base import BaseIndex


def propagate(
    index: BaseIndex,
    column: str,
    said: Mapping[str, str | None],
    *,
    kind: Kind | None = None,
    threshold: float | None = None,
    tolerance: float | None = None,
) -> Results[Propagation]:
    """Show what the marks of some answers would give the others of their clusters.

    Only answers without a mark of their own get one, and no reference answer; nothing is written.

    Args:
        index: Open for reading or writing.
        column: Where the graders' marks stand; it may be empty as yet.
        said: By the ids of answers, best the centres of clusters: a mark, or None for the one that
            it has in the column.
        kind: `numbers` or `labels`; None: numbers if all marks are.
        threshold: Of the clusters, as for `cluster`; None: chosen from the data.
        tolerance: Marks that differ by no more agree; None: a tenth of the range.

    Returns:
        One for each of `said`, in its order.

    Raises:
        BadInput: if there is no such answer, it has no mark, two of one cluster are named, or a
            mark is none of the column's kind.
    """
    centres = index.get(list(said))
    answers = list(index.answers())
    given = [mark for mark in said.values() if mark is not None]
    marks = read_marks(answers, column, kind, given)
    tolerance = check_tolerance(marks, tolerance)
    own = {a.id: marks.of(row) for row, a in enumerate(answers) if not a.is_reference}
    clusters: dict[str | None, dict[str, Cluster]] = {}
    seen: dict[tuple[str | None, int], str] = {}
    propagations = []
    for answer in centres:
        question = answer.question
        if question not in clusters:
            where = Where(question=question or "")
            found = cluster(index, by="question", threshold=threshold, where=where)
            clusters[question] = {m.id: c for c in found.clusters for m in c.members}
        group = clusters[question].get(answer.id)
        if group is None:
            raise BadInput(f"--propagate: {answer.id} is blank, and says the same as no other")
        before = seen.setdefault((question, group.cluster), answer.id)
        if before != answer.id:
            raise BadInput(
                f"--propagate: {before} and {answer.id} are in one cluster; name one of them, or "
                f"say a higher --threshold"
            )
        text = said[answer.id]
        mark = own.get(answer.id) if text is None else marks.read(text)
        if mark is None:
            raise BadInput(
                f"--propagate: {answer.id} has no mark in {column}; say {answer.id}=MARK"
            )
        propagations.append(_spread(answer.id, mark, group, own, tolerance))
    return Results(propagations)


def _spread(
    name: str, mark: Mark, group: Cluster, own: Mapping[str, Mark | None], tolerance: float
) -> Propagation:
    others = [m.id for m in group.members if m.id != name and m.id in own]
    had = [(other, found) for other in others if (found := own[other]) is not None]
    near = right([found for _, found in had], [mark] * len(had), tolerance).tolist()
    return Propagation(
        name,
        group.question,
        mark,
        group,
        tuple(other for other in others if own[other] is None),
        tuple(other for (other, _), agrees in zip(had, near, strict=True) if agrees),
        tuple(pair for pair, agrees in zip(had, near, strict=True) if not agrees),
    )
