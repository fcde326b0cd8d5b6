"""Labelled training pairs from an index: from its marks, its decisions or its clusters."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from itertools import groupby, pairwise

from searchkit.clustering.clusters import cluster
from searchkit.core.errors import BadInput
from searchkit.core.messages import Message
from searchkit.grading.marks import (
    MIN_RANGE_ANSWERS,
    UNGRADED,
    Marks,
    check_learnable,
    read_marks,
)
from searchkit.index.base import BaseIndex
from searchkit.index.decisions import counting, decisions
from searchkit.sources.labelled import MAX_LABEL, SentencePair


def pairs_from_grades(
    index: BaseIndex, column: str, *, good: Collection[str] = (), max_label: float = MAX_LABEL
) -> list[SentencePair]:
    """Pair each graded answer with a reference answer, or else with one of the best answers.

    A pair's label is the mark, scaled to 0 … `max_label` from the range of its question's marks.
    Higher marks are better. References to a question are used in turn, so that no text is in all
    pairs of its question.

    Args:
        index: The index, open for reading or writing.
        column: Name of the column with the marks.
        good: For marks that are labels: the labels of good answers, whose pairs get `max_label`;
            the others get 0.
        max_label: Highest label.

    Raises:
        BadInput: If the column can't be used, `good` is missing or isn't among its labels, or no
            question has both graded answers and an answer to pair them with.
    """
    answers = [answer for answer in index.answers() if answer.text.strip()]
    marks = read_marks(answers, column)
    check_learnable(marks)
    _check_good(marks, good)
    rows_of: dict[str | None, list[int]] = defaultdict(list)
    for row, answer in enumerate(answers):
        rows_of[answer.question].append(row)
    pairs: list[SentencePair] = []
    for question, rows in rows_of.items():
        marked = [row for row in rows if marks.codes[row] != UNGRADED]
        given = [marks.scale[marks.codes[row]] for row in marked]
        values = (
            _scaled([float(mark) for mark in given], marks, question)
            if marks.kind == "numbers"
            else [float(mark in good) for mark in given]
        )
        graded = [(answers[row].text, value) for row, value in zip(marked, values, strict=True)]
        references = [answers[row].text for row in rows if answers[row].is_reference]
        pairs += [
            SentencePair(reference, text, round(value * max_label, 4), question)
            for reference, text, value in _paired(graded, references or _best_texts(graded))
        ]
    if not pairs:
        raise BadInput(f"{column}: no question has graded answers and one to pair them with")
    return pairs


def _best_texts(graded: Sequence[tuple[str, float]]) -> list[str]:
    """Return the texts with the highest value; none if that is 0."""
    best = max((value for _, value in graded), default=0.0)
    return [text for text, value in graded if value == best > 0]


def _paired(
    graded: Sequence[tuple[str, float]], references: Sequence[str]
) -> Iterator[tuple[str, str, float]]:
    """Yield a reference with each graded text and its value: another text, each in its turn."""
    for turn, (text, value) in enumerate(graded):
        others = [reference for reference in references if reference != text]
        if others:
            yield others[turn % len(others)], text, value


def _scaled(numbers: Sequence[float], marks: Marks, question: str | None) -> list[float]:
    """Return the marks of one question as values from 0 to 1.

    1 is what they are out of, where the column says so. Else it is the best of them if they are
    enough to show it, and of a question with few marks the best of the column.
    """
    low, high = float(marks.scale[0]), float(marks.scale[-1])
    if question in marks.totals:
        low, high = 0.0, marks.totals[question]
    elif len(numbers) >= MIN_RANGE_ANSWERS:
        high = max(numbers)
    if high <= low:
        return [0.0] * len(numbers)
    return [min(max((number - low) / (high - low), 0.0), 1.0) for number in numbers]


def _check_good(marks: Marks, good: Collection[str]) -> None:
    """Refuse good labels of numbers, none of labels, and ones that aren't in use."""
    if marks.kind == "numbers":
        if good:
            raise BadInput(
                Message(
                    "`good` is for labels; the marks in {column} are numbers", column=marks.column
                )
            )
        return
    unknown = sorted(set(good) - set(map(str, marks.scale)))
    if not good or unknown:
        labels = ", ".join(map(str, marks.scale[:8]))
        problem = f"no label {unknown[0]!r}" if unknown else "its marks are labels"
        raise BadInput(
            Message(
                "{column}: {problem}; say which are good ones: `good` one of {labels}",
                column=marks.column,
                problem=problem,
                labels=labels,
            )
        )


def pairs_from_decisions(index: BaseIndex, *, max_label: float = MAX_LABEL) -> list[SentencePair]:
    """Pair the answers of findings that people decided about.

    Confirmed findings get `max_label`, dismissed ones 0. Ignored are those of which the student is
    to be asked, and decisions that were withdrawn, or concern changed texts or an answer of another
    index.

    Raises:
        BadInput: If no decision is left.
    """
    labels = {"confirmed": max_label, "dismissed": 0.0}
    valid = {
        pair: labels[decision.decision]
        for pair, decision in counting(decisions(index)).items()
        if decision.decision in labels
    }
    answers = index.get_existing(sorted({name for pair in valid for name in pair}))
    pairs = []
    for (left, right), label in valid.items():
        if left in answers and right in answers:
            first = answers[left]
            pairs.append(SentencePair(first.text, answers[right].text, label, first.question))
    if not pairs:
        raise BadInput(f"{index.place}: nobody has decided about a finding; run: searchkit serve")
    return pairs


def pairs_from_clusters(index: BaseIndex, *, max_label: float = MAX_LABEL) -> list[SentencePair]:
    """Pair the centre of each cluster with its members, and with the centre of the next cluster.

    Members get `max_label`, the centre of another cluster of the question 0. These labels aren't
    human judgements: they say what the current model takes for equal.

    Raises:
        BadInput: If there are no such pairs.
    """
    texts = {answer.id: answer.text for answer in index.answers()}
    clusters = cluster(index).clusters
    pairs = []
    for question, group in groupby(clusters, key=lambda each: each.question):
        centres = []
        for each in group:
            if each.center:
                centre = texts[str(each.center)]
                members = {texts[member.id] for member in each.members} - {centre}
                pairs += [
                    SentencePair(centre, text, max_label, question) for text in sorted(members)
                ]
                centres.append(centre)
        pairs += [SentencePair(*apart, 0.0, question) for apart in pairwise(centres)]
    if not pairs:
        raise BadInput(
            f"{index.place}: no two answers say the same, and none is apart from another"
        )
    return pairs
