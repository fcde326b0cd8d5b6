"""Propagate the mark of one answer to the answers of its cluster."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from searchkit.clustering.clusters import cluster
from searchkit.clustering.records import Cluster
from searchkit.core.errors import BadInput
from searchkit.core.messages import Message
from searchkit.core.records import Answer
from searchkit.core.results import Results
from searchkit.core.where import Where
from searchkit.grading.marks import MarkKind, check_tolerance, read_marks, within_tolerance
from searchkit.grading.records import Mark, Propagation
from searchkit.index.base import BaseIndex


def propagate(
    index: BaseIndex,
    column: str,
    named: Mapping[str, str | None],
    *,
    kind: MarkKind | None = None,
    threshold: float | None = None,
    tolerance: float | None = None,
) -> Results[Propagation]:
    """Find the answers that would get the marks of some answers in their clusters.

    Nothing is written. Answers with a mark of their own and reference answers do not get one.

    Args:
        index: Open for reading or writing.
        column: The column with the graders' marks; it may be empty.
        named: By the ids of answers, best the centres of clusters: a mark, or None for the mark
            that the answer has in the column.
        kind: `numbers` or `labels`; None: numbers if all marks are numbers.
        threshold: The threshold of the clusters, as for `cluster`; None: chosen from the data.
        tolerance: Marks that differ by no more agree; None: a tenth of the range.

    Returns:
        A propagation for each answer of `named`, in its order.

    Raises:
        BadInput: if there is no such answer, it has no mark, two answers are in one cluster, or a
            mark is not of the column's kind.
    """
    centres = index.get(list(named))
    answers = list(index.answers())
    extra = [mark for mark in named.values() if mark is not None]
    marks = read_marks(answers, column, kind, extra)
    tolerance = check_tolerance(marks, tolerance)
    own = {a.id: marks.of(row) for row, a in enumerate(answers) if not a.is_reference}
    propagations = []
    groups = _clusters_of(index, centres, threshold)
    for answer, group in zip(centres, groups, strict=True):
        text = named[answer.id]
        mark = own.get(answer.id) if text is None else marks.parse(text)
        if mark is None:
            raise BadInput(
                Message(
                    "`propagate`: {id} has no mark in {column}; say {id}=MARK",
                    id=answer.id,
                    column=column,
                )
            )
        propagations.append(_propagation(answer.id, mark, group, own, tolerance))
    return Results(propagations)


def _clusters_of(
    index: BaseIndex, answers: Sequence[Answer], threshold: float | None
) -> Iterator[Cluster]:
    """Yield the cluster of each answer, within its question.

    Raises:
        BadInput: if an answer is blank, or in the same cluster as one before.
    """
    clusters: dict[str | None, dict[str, Cluster]] = {}  # by question and id
    first_named: dict[tuple[str | None, int], str] = {}  # by question and number of the cluster
    for answer in answers:
        question = answer.question
        if question not in clusters:
            where = Where(question=question or "")
            result = cluster(index, by="question", threshold=threshold, where=where)
            clusters[question] = {m.id: c for c in result.clusters for m in c.members}
        group = clusters[question].get(answer.id)
        if group is None:
            template = "`propagate`: {id} is blank, and says the same as no other"
            if answer.attempt < answer.attempts:
                template = "`propagate`: {id} is an earlier attempt of its author; name the last"
            raise BadInput(Message(template, id=answer.id))
        before = first_named.setdefault((question, group.cluster), answer.id)
        if before != answer.id:
            raise BadInput(
                Message(
                    "`propagate`: {before} and {id} are in one cluster; name one of them, or say a "
                    "higher `threshold`",
                    before=before,
                    id=answer.id,
                )
            )
        yield group


def _propagation(
    name: str, mark: Mark, cluster: Cluster, own: Mapping[str, Mark | None], tolerance: float
) -> Propagation:
    others = [member.id for member in cluster.members if member.id != name and member.id in own]
    graded = [(other, other_mark) for other in others if (other_mark := own[other]) is not None]
    near = within_tolerance([m for _, m in graded], [mark] * len(graded), tolerance).tolist()
    return Propagation(
        name,
        cluster.question,
        mark,
        cluster,
        tuple(other for other in others if own[other] is None),
        tuple(other for (other, _), agrees in zip(graded, near, strict=True) if agrees),
        tuple(pair for pair, agrees in zip(graded, near, strict=True) if not agrees),
    )
