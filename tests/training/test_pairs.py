"""Pairs with labels from what an index knows: marks, references, clusters."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from helpers.courses import course, course_index, with_scores
from helpers.encoder import ToyEncoder

from searchkit import Answer, Index
from searchkit.core.errors import BadInput
from searchkit.index.decisions import decide
from searchkit.sources.labelled import SentencePair
from searchkit.training.pairs import pairs_from_clusters, pairs_from_decisions, pairs_from_grades


def test_each_graded_answer_with_the_reference_and_its_mark(tmp_path: Path) -> None:
    rows = with_scores(course(), {"q1-00": None})
    with course_index(tmp_path, rows) as index:
        pairs = pairs_from_grades(index, "score")
    texts = {a.id: a.text for a in rows}
    expected = {
        (texts[f"{a.question}-ref"], a.text, float(a.meta["score"]) * 2.5, a.question)
        for a in rows
        if "score" in a.meta and not a.is_reference and a.text != texts[f"{a.question}-ref"]
    }
    assert {(p.sentence_0, p.sentence_1, p.label, p.question) for p in pairs} == expected
    assert len(pairs) == 55


def test_without_a_reference_the_best_answers_take_turns(tmp_path: Path) -> None:
    rows = [a for a in course() if not a.is_reference]
    with course_index(tmp_path, rows) as index:
        pairs = pairs_from_grades(index, "score", max_label=1)
    best = {
        q: max(float(a.meta["score"]) for a in rows if a.question == q)
        for q in ("q1", "q2", "q3", "q4")
    }
    models = {a.text for a in rows if float(a.meta["score"]) == best[a.question]}
    assert {p.sentence_0 for p in pairs} <= models
    assert all(p.sentence_0 != p.sentence_1 for p in pairs)
    assert len({p.sentence_0 for p in pairs}) > 4
    assert {p.label for p in pairs} <= {0, 0.25, 0.5, 0.75, 1}


@pytest.mark.parametrize(
    ("marks", "labels"),
    [
        ({"q1": "5/5 4/5 1/5", "q2": "20/20 10/20 4/20"}, {"q1": [8, 2], "q2": [5, 2]}),
        ({"q1": "100% 80% 60%", "q2": "90% 7.5/10 45%"}, {"q1": [8, 6], "q2": [7.5, 4.5]}),
        # Tasks of 2 and of 20 points: as many marks as these show which it is.
        ({"q1": "2 1 0" + " 0" * 20, "q2": "20 10 0" + " 0" * 20},
         {"q1": [5, *[0] * 21], "q2": [5, *[0] * 21]}),
        ({"q1": "2 1 0", "q2": "20 10 0"}, {"q1": [0.5, 0], "q2": [5, 0]}),
    ],
)  # fmt: skip
def test_each_question_has_its_own_scale(marks, labels, tmp_path: Path) -> None:
    rows = [
        Answer(f"{question}-{n}", f"text {n} of {question}", question, meta={"points": mark})
        for question, given in marks.items()
        for n, mark in enumerate(given.split())
    ]
    with course_index(tmp_path, rows) as index:
        pairs = pairs_from_grades(index, "points")
    for question, expected in labels.items():
        scaled = {p.sentence_1: p.label for p in pairs if p.question == question}
        assert [scaled[f"text {n} of {question}"] for n in range(1, len(expected) + 1)] == expected


def test_labels_are_good_or_not(tmp_path: Path) -> None:
    with course_index(tmp_path, course()) as index:
        pairs = pairs_from_grades(index, "verdict", good=["pass"])
        assert {p.label for p in pairs} == {0.0, 10.0}
        with pytest.raises(BadInput, match="its marks are labels; say which are good ones: `good"):
            pairs_from_grades(index, "verdict")
        with pytest.raises(BadInput, match="verdict: no label 'bravo'; say which are good ones"):
            pairs_from_grades(index, "verdict", good=["bravo"])
        with pytest.raises(BadInput, match="`good` is for labels; the marks in score are numbers"):
            pairs_from_grades(index, "score", good=["4"])
        with pytest.raises(BadInput, match="no column 'nope'"):
            pairs_from_grades(index, "nope")


def test_nothing_to_pair_with(tmp_path: Path) -> None:
    rows = [Answer(f"a{n}", "the same", f"q{n}", meta={"score": str(n)}) for n in range(3)]
    with (
        course_index(tmp_path, rows) as index,
        pytest.raises(BadInput, match="no question has graded answers and one to pair them with"),
    ):
        pairs_from_grades(index, "score")


def test_clusters_are_pairs_of_their_centre(tmp_path: Path) -> None:
    loop = "the loop runs callbacks of what is finished"
    stream = "a stream hands on big files in small chunks"
    rows = [
        Answer(f"{kind}{n}", f"{text} {word}", "q1")
        for kind, text in (("l", loop), ("s", stream))
        for n, word in enumerate("then now so".split())
    ]
    rows.append(replace(rows[0], id="twin"))
    with course_index(tmp_path, rows) as index:
        pairs = pairs_from_clusters(index)
    alike = [p for p in pairs if p.label == 10]
    assert len(alike) == 4  # two others of each centre; equal texts are no pair
    assert all(p.sentence_0[:5] == p.sentence_1[:5] for p in alike)
    (apart,) = [p for p in pairs if p.label == 0]
    assert apart.sentence_0[:5] != apart.sentence_1[:5]
    with (
        course_index(tmp_path / "one", rows[:1]) as index,
        pytest.raises(BadInput, match="no two answers say the same, and none is apart"),
    ):
        pairs_from_clusters(index)


def test_reviewed_findings_are_pairs(tmp_path: Path) -> None:
    answers = [Answer(name, f"The text of {name}", "q1", name) for name in "abcd"]
    with Index.create(tmp_path / "index", ToyEncoder()) as index:
        index.add(answers)
        with pytest.raises(BadInput, match="nobody has decided about a finding"):
            pairs_from_decisions(index)
        decide(index, "a", "b", "confirmed")
        decide(index, "a", "c", "dismissed")
        decide(index, "b", "c", "confirmed")
        decide(index, "b", "c", "open")
        decide(index, "b", "d", "asked")
        decide(index, "a", "last-year:a", "confirmed")
        assert pairs_from_decisions(index, max_label=5) == [
            SentencePair("The text of a", "The text of b", 5, "q1"),
            SentencePair("The text of a", "The text of c", 0, "q1"),
        ]
