"""Marks that don't go together: pairs alike with different marks, marks that stand out."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from helpers.courses import course, course_index, with_scores

from searchkit import Answer, Index, Where, audit_grades
from searchkit.core.errors import BadInput
from searchkit.demo.corpus import DEMO_ANSWERS, DEMO_PLANTED
from searchkit.index.ingest import ingest
from searchkit.sources.reader import read_answers


def twins(score: str) -> list[Answer]:
    """Give the course with a second q1-00 that has this mark."""
    rows = course()
    first = next(a for a in rows if a.id == "q1-00")
    return [*rows, replace(first, id="q1-twin", author="zoe", meta={"score": score})]


def test_near_equal_answers_with_different_marks_worst_first(tmp_path: Path) -> None:
    rows = twins("0")
    given = next(a for a in rows if a.id == "q1-00").meta["score"]
    with course_index(tmp_path, rows) as index:
        found = audit_grades(index, "score")
        worst = found.conflicts[0]
        assert (worst.left, worst.right, worst.question) == ("q1-00", "q1-twin", "q1")
        assert worst.marks == (float(given), 0.0) and worst.difference == float(given)
        assert worst.score == 1
        steep = [one.steepness for one in found.conflicts]
        assert steep == sorted(steep, reverse=True)
        assert found.answers == 57 and found.tolerance == 0.4


def test_the_pairs_are_those_of_brute_force(tmp_path: Path) -> None:
    with course_index(tmp_path, course()) as index:
        found = audit_grades(index, "score", threshold=0.7)
        whole = [(a, v) for a, v in index.iter_vectors() if not a.is_reference]
        expected = {}
        near = 0
        for one, left in whole:
            for other, right in whole:
                score = float(np.float64(left) @ np.float64(right))
                if one.id < other.id and one.question == other.question and score >= 0.7 - 5e-7:
                    near += 1
                    if one.meta["score"] != other.meta["score"]:
                        expected[one.id, other.id] = score
        assert found.pairs == near
        conflicts = {(one.left, one.right): one.score for one in found.conflicts}
        assert conflicts.keys() == expected.keys()
        for pair, score in conflicts.items():
            assert score == pytest.approx(expected[pair], abs=2e-6)


def test_marks_within_the_tolerance_are_no_difference(tmp_path: Path) -> None:
    with course_index(tmp_path, twins("0")) as index:
        assert not audit_grades(index, "score", tolerance=4).conflicts
        assert not audit_grades(index, "score", tolerance=4).outliers


def test_a_mark_that_stands_out_is_named_with_what_was_expected(tmp_path: Path) -> None:
    rows = course(each=25)
    best = next(a for a in rows if a.meta["score"] == "4" and not a.is_reference)
    with course_index(tmp_path, with_scores(rows, {best.id: "0"})) as index:
        worst = audit_grades(index, "score").outliers[0]
        assert (worst.id, worst.mark) == (best.id, 0)
        assert worst.expected >= 2 and worst.surprise > 2


def test_labels_that_stand_out(tmp_path: Path) -> None:
    rows = course(each=25)
    best = next(a for a in rows if a.meta["score"] == "4" and not a.is_reference)
    rows = [replace(a, meta={"verdict": "fail"}) if a.id == best.id else a for a in rows]
    with course_index(tmp_path, rows) as index:
        found = audit_grades(index, "verdict")
        assert best.id in [one.id for one in found.outliers]
        assert all(one.mark != one.expected for one in found.outliers)


def test_a_filter_asks_for_one_side(tmp_path: Path) -> None:
    with course_index(tmp_path, twins("0")) as index:
        some = audit_grades(index, "score", where=Where(author="zoe"))
        assert some.conflicts
        assert all("q1-twin" in (one.left, one.right) for one in some.conflicts)
        assert {one.id for one in some.outliers} <= {"q1-twin"}
        assert some.pairs == audit_grades(index, "score").pairs


def test_programs_are_compared_by_their_tokens(tmp_path: Path) -> None:
    program = (
        "```js\nfunction {f}({a}) {{\n  return {a}.map({b} => {b} * 2).filter(Boolean);\n}}\n```"
    )
    one = program.format(f="double", a="list", b="item")
    other = program.format(f="twice", a="numbers", b="entry")
    rows = [
        Answer("one", one, "q1", "ann", meta={"score": "4"}),
        Answer("other", other, "q1", "bob", meta={"score": "1"}),
    ]
    with course_index(tmp_path, [*course(), *rows]) as index:
        found = audit_grades(index, "score")
        assert ("one", "other") in [(one.left, one.right) for one in found.conflicts]


def test_bad_input(tmp_path: Path) -> None:
    with course_index(tmp_path, course()) as index:
        with pytest.raises(BadInput, match="threshold"):
            audit_grades(index, "score", threshold=2)
        with pytest.raises(BadInput, match="no column 'nope'"):
            audit_grades(index, "nope")


@pytest.mark.model
def test_what_was_made_inconsistent_in_the_demo_corpus_is_found(
    tmp_path: Path, remembered: None
) -> None:
    with Index.create(tmp_path / "i") as index:
        ingest(index, read_answers([str(DEMO_ANSWERS)]))
        found = audit_grades(index, "score")
    with DEMO_PLANTED.open(encoding="utf-8", newline="") as file:
        planted = [
            {row["copy"], row["source"]}
            for row in csv.DictReader(file)
            if row["kind"] == "inconsistent-mark"
        ]
    pairs = [{one.left, one.right} for one in found.conflicts]
    ranks = [pairs.index(pair) + 1 for pair in planted if pair in pairs]
    assert len(ranks) == len(planted) - 1  # one pair shares its ideas and not its words, and
    assert sum(rank <= 10 for rank in ranks) >= 9
    assert "q04-s12" in [one.id for one in found.outliers]  # is found by its mark alone
