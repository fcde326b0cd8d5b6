"""Detection among programs: which pairs chance does not explain, and a ranking where none is known.

A question whose answers are mostly programs is judged here in place of `plagiarism.detector`: the
meaning of sentences is noise for code, and small exercises are all alike in structure.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from searchkit.core.arrays import Bool, Float64, Int64
from searchkit.plagiarism.code.comparison import ComparedPrograms
from searchkit.plagiarism.code.evidence import (
    passages_of,
    reason_of,
    runs_of_code,
    share_of_code,
    verdict_of,
)
from searchkit.plagiarism.code.languages import are_programs
from searchkit.plagiarism.code.significance import MIN_PAIRS
from searchkit.plagiarism.evidence.collect import first_of, one_for_two_authors
from searchkit.plagiarism.preparation import QuestionAnswers
from searchkit.plagiarism.records import NO_FINDING, Finding, chance_unknown

MIN_SCORE = 0.85  # of a pair that is shown where chance can't be judged


def is_code(group: QuestionAnswers) -> bool:
    """Return whether the answers to a question are mostly programs."""
    return are_programs([text.answer for text in group.texts])


def find_in_code(
    group: QuestionAnswers, max_expected: float, wanted: set[str] | None = None
) -> list[Finding]:
    """Return the findings among programs, and the pairs that are ranked where chance isn't known.

    Args:
        group: The programs.
        max_expected: Upper bound of `expected` for a pair to be reported.
        wanted: Ids: a finding has at least one of these answers. None: all answers.

    Returns:
        In no order. `expected` is None for the pairs that are ranked.
    """
    compared = ComparedPrograms(group)
    expected = _expected(compared, group)
    chosen = _judged(compared) & (expected <= max_expected)
    ranked = _ranked(compared) & ~chosen
    findings = []
    for at in np.flatnonzero(chosen | ranked).tolist():
        texts = group.texts[compared.left[at]], group.texts[compared.right[at]]
        if wanted is None or wanted & {text.answer.id for text in texts}:
            known = expected[at] if chosen[at] else None
            findings.append((_finding(compared, group, at, known), *texts))
    return one_for_two_authors(findings)


def compare_code(group: QuestionAnswers, left: int, right: int, max_expected: float) -> Finding:
    """Return the finding of two programs, by number, whether it is significant or not."""
    compared = ComparedPrograms(group, (left, right))
    (at,) = np.flatnonzero((compared.left == left) & (compared.right == right)).tolist()
    expected = float(_expected(compared, group)[at]) if _judged(compared)[at] else None
    finding = _finding(compared, group, at, expected)
    ranked = bool(_ranked(compared)[at])
    if expected is not None and expected > max_expected:
        if ranked:
            return _finding(compared, group, at, None)
        return replace(finding, verdict=NO_FINDING)
    return finding if expected is not None or ranked else replace(finding, verdict=NO_FINDING)


def judge_code(group: QuestionAnswers) -> tuple[Int64, Int64, dict[str, Float64], Float64]:
    """Return all pairs of programs: their numbers, their likeness by channel, and `expected`."""
    compared = ComparedPrograms(group)
    return compared.left, compared.right, compared.likeness, _expected(compared, group)


def _expected(compared: ComparedPrograms, group: QuestionAnswers) -> Float64:
    """Return `(p,)` the number of pairs as much alike that are expected by chance."""
    chances = group.count_chances(compared.left, compared.right)
    pairs = max(MIN_PAIRS, group.count_pairs())
    expected: Float64 = compared.p_value * pairs * chances
    return expected


def _judged(compared: ComparedPrograms) -> Bool:
    """Return `(p,)` of which pairs chance can be judged.

    Where all programs are alike, those who wrote another one seem to have much in common: there
    only pairs that are nearly the same are judged.
    """
    judged: Bool = np.full(len(compared.left), compared.null.can_judge)
    if compared.null.alike:
        judged &= compared.score >= MIN_SCORE
    return judged


def _ranked(compared: ComparedPrograms) -> Bool:
    """Return `(p,)` which pairs are shown where chance can't be judged.

    Those are pairs that are nearly the same. Of a group of such programs there are as many pairs as
    link them all, those that have most in common (a maximum spanning tree).
    """
    from scipy import sparse
    from scipy.sparse.csgraph import minimum_spanning_tree

    ranked: Bool = np.zeros(len(compared.left), bool)
    if not compared.null.reason:
        return ranked
    near = np.flatnonzero(compared.score >= MIN_SCORE)
    likeness = np.sum([values[near] for values in compared.likeness.values()], axis=0)
    near = near[np.lexsort((-likeness, -compared.score[near]))]
    rank = np.arange(1, len(near) + 1)
    count = len(compared.programs)
    graph = sparse.csr_matrix((rank, (compared.left[near], compared.right[near])), (count, count))
    ranked[near[minimum_spanning_tree(graph).data.astype(np.int64) - 1]] = True
    return ranked


def _finding(
    compared: ComparedPrograms, group: QuestionAnswers, at: int, expected: float | None
) -> Finding:
    """Return the finding of a pair, with its evidence."""
    left, right = int(compared.left[at]), int(compared.right[at])
    one, other = group.texts[left], group.texts[right]
    programs = compared.programs[left], compared.programs[right]
    runs = runs_of_code(*programs)
    share = share_of_code(*programs, runs)
    remarks = [*one.remarks(), *other.remarks()]
    if expected is None:
        remarks.append(chance_unknown(compared.null.reason))
    return Finding(
        left=one.answer.id,
        right=other.answer.id,
        question=group.question,
        verdict=verdict_of(*programs, share),
        score=round(float(compared.score[at]), 6),
        semantic=None,
        verbatim=round(share, 6),
        expected=None if expected is None else float(f"{expected:.3g}"),
        passages=passages_of(*programs, runs),
        reason=reason_of(compared, left, right, runs, share),
        remarks=tuple(remarks),
        first=first_of(one.answer, other.answer),
    )
