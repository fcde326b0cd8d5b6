"""Training pairs: what an index knows of which of its answers are alike, as pairs with labels."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from itertools import groupby, pairwise

from searchkit.clustering.clusters import cluster
from searchkit.core.errors import BadInput
from searchkit.grading.marks import UNGRADED, Marks, check_learnable, read_marks
from searchkit.index.base import BaseIndex
from searchkit.index.decisions import counting, decisions
from searchkit.sources.labelled import MAX_LABEL, SentencePair


def pairs_from_grades(
    index: BaseIndex, column: str, *, good: Collection[str] = (), max_label: float = MAX_LABEL
) -> list[SentencePair]:
    """Pair each graded answer with a reference to its question, or else with one of the best.

    The label is the mark, brought from the range of the column to 0 … `max_label`. References
    take turns, so that no text is in all pairs of its question.

    Args:
        index: Open for reading or writing.
        column: Where the marks stand.
        good: For marks that are labels: those of good answers; their pairs have the greatest label,
            others 0.
        max_label: The greatest label.

    Raises:
        BadInput: if the column can't be used, `good` is missing or none of its labels, or no
            question has both answers and something to pair them with.
    """
    answers = [answer for answer in index.answers() if answer.text.strip()]
    marks = read_marks(answers, column)
    check_learnable(marks)
    worth = _worth(marks, good)
    questions: dict[str | None, list[int]] = defaultdict(list)
    for row, answer in enumerate(answers):
        questions[answer.question].append(row)
    pairs = []
    for question, rows in questions.items():
        graded = [row for row in rows if marks.codes[row] != UNGRADED]
        models = [row for row in rows if answers[row].is_reference]
        if not models and graded:
            most = max(worth[marks.codes[row]] for row in graded)
            models = [row for row in graded if worth[marks.codes[row]] == most > 0]
        for turn, row in enumerate(graded):
            others = [m for m in models if answers[m].text != answers[row].text]
            if others:
                model = others[turn % len(others)]
                label = round(float(worth[marks.codes[row]]) * max_label, 4)
                pairs.append(SentencePair(answers[model].text, answers[row].text, label, question))
    if not pairs:
        raise BadInput(f"{column}: no question has graded answers and one to pair them with")
    return pairs


def _worth(marks: Marks, good: Collection[str]) -> list[float]:
    """Return what each mark of the scale is worth, from 0 to 1."""
    if marks.kind == "numbers":
        if good:
            raise BadInput(f"--good is for labels; the marks in {marks.column} are numbers")
        low = float(marks.scale[0])
        return [(float(mark) - low) / marks.range for mark in marks.scale]
    unknown = sorted(set(good) - set(map(str, marks.scale)))
    if not good or unknown:
        named = ", ".join(map(str, marks.scale[:8]))
        what = f"no label {unknown[0]!r}" if unknown else "its marks are labels"
        raise BadInput(f"{marks.column}: {what}; say which are good ones: --good one of {named}")
    return [float(mark in good) for mark in marks.scale]


def pairs_from_decisions(index: BaseIndex, *, max_label: float = MAX_LABEL) -> list[SentencePair]:
    """Pair the answers that people decided about: confirmed findings are alike, dismissed are not.

    Decisions that were taken back, or are about texts that have changed since, count for nothing;
    nor do those about an answer of another index.

    Raises:
        BadInput: if no decision is left.
    """
    found = counting(decisions(index))
    answers = index.get_existing(sorted({name for pair in found for name in pair}))
    pairs = []
    for (left, right), one in found.items():
        if left in answers and right in answers:
            label = max_label if one.decision == "confirmed" else 0.0
            first = answers[left]
            pairs.append(SentencePair(first.text, answers[right].text, label, first.question))
    if not pairs:
        raise BadInput(f"{index.place}: nobody has decided about a finding; run: searchkit serve")
    return pairs


def pairs_from_clusters(index: BaseIndex, *, max_label: float = MAX_LABEL) -> list[SentencePair]:
    """Pair the centre of each cluster with its members, and with the centres of the others.

    Members get the greatest label, and what is in another cluster of the question 0: nobody's
    judgement, but what the model takes for equal already.
    """
    texts = {answer.id: answer.text for answer in index.answers()}
    found = cluster(index).clusters
    pairs = []
    for question, group in groupby(found, key=lambda one: one.question):
        some = [one for one in group if one.center]
        for one in some:
            centre = texts[str(one.center)]
            members = {texts[m.id] for m in one.members} - {centre}
            pairs += [SentencePair(centre, text, max_label, question) for text in sorted(members)]
        for one, other in pairwise(some):
            apart = texts[str(one.center)], texts[str(other.center)]
            pairs.append(SentencePair(*apart, 0.0, question))
    if not pairs:
        raise BadInput(
            f"{index.place}: no two answers say the same, and none is apart from another"
        )
    return pairs
