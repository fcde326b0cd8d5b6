"""Comparing two answers reads what it needs, and judges as before."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from helpers.answers import honest
from helpers.encoder import ToyEncoder

from searchkit import Answer, Index
from searchkit.core.errors import BadInput
from searchkit.index.base import BaseIndex
from searchkit.plagiarism.cohorts import read_cohorts
from searchkit.plagiarism.compare import compare, prepare_comparing
from searchkit.plagiarism.kept.background import background_of, cached_background
from searchkit.plagiarism.measurer import PairMeasurer
from searchkit.plagiarism.preparation import QuestionAnswers


def made(path: Path, answers: list[Answer]) -> Path:
    with Index.create(path, ToyEncoder(window=100)) as index:
        index.add(answers)
    return path


def opened(path: Path) -> Index:
    return Index.open(path, encoder=ToyEncoder(window=100))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    answers = [*honest(24), *honest(24, "q2", 1), *honest(8, "q3", 2), *honest(9, "q4", 3)]
    for source, copy in ((3, 8), (27, 32), (49, 50)):
        answers[copy] = replace(answers[copy], text=answers[source].text)
    return made(tmp_path / "i", answers)


@pytest.mark.parametrize("pair", [("q1-003", "q1-008"), ("q3-001", "q3-002"), ("q1-001", "q2-001")])
def test_the_second_time_is_as_the_first(folder: Path, pair: tuple[str, str]) -> None:
    with opened(folder) as index:
        first = compare(index, *pair)
    with opened(folder) as index:
        assert compare(index, *pair) == first
        assert repr(compare(index, *pair)) == repr(first)


def test_a_kept_background_is_that_of_the_corpus(folder: Path) -> None:
    def never() -> None:
        raise AssertionError("computed again")

    with opened(folder) as index:
        background = background_of(read_cohorts(index, None))
        cached_background(index, None, lambda: background)
        kept = cached_background(index, None, never)
    assert kept.answers == background.answers
    for kind, arrays in background.frequencies.items():
        for one, other in zip(arrays, kept.frequencies[kind], strict=True):
            assert one.dtype == other.dtype and (one == other).all()


@pytest.mark.parametrize("question", ["q1", "q3"], ids=["many answers", "few answers"])
def test_the_second_time_reads_only_the_question(
    folder: Path, monkeypatch: pytest.MonkeyPatch, question: str
) -> None:
    with opened(folder) as index:
        compare(index, f"{question}-003", f"{question}-007")
        read: list[str | None] = []
        iterate = BaseIndex.iter_passages

        def noted(self: BaseIndex, where: object) -> object:
            for row in iterate(self, where):
                read.append(row[0].question)
                yield row

        measured: list[str | None] = []

        def measurer(group: QuestionAnswers, *arguments: object) -> PairMeasurer:
            measured.append(group.question)
            return PairMeasurer(group, *arguments)

        monkeypatch.setattr(BaseIndex, "iter_passages", noted)
        monkeypatch.setattr("searchkit.plagiarism.detector.PairMeasurer", measurer)
        compare(index, f"{question}-001", f"{question}-002")
    assert read == [question] * {"q1": 24, "q3": 8}[question]
    assert measured == [question]  # though those with few answers are judged together


def test_what_is_prepared_ahead_is_what_comparing_needs(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(folder) as index:
        pair = compare(index, "q3-001", "q3-002"), compare(index, "q4-001", "q4-002")
    (folder / "cache.db").unlink()
    with opened(folder) as index:
        prepare_comparing(index)

    def never(*_: object, **__: object) -> None:
        raise AssertionError("computed again")

    monkeypatch.setattr("searchkit.plagiarism.compare.background_of", never)
    monkeypatch.setattr("searchkit.plagiarism.compare._measure_small", never)
    with opened(folder) as index:
        assert (
            compare(index, "q3-001", "q3-002"),
            compare(index, "q4-001", "q4-002"),
        ) == pair


def test_measures_of_few_answers_are_measured_anew_when_answers_change(folder: Path) -> None:
    with opened(folder) as index:
        before = compare(index, "q3-001", "q3-002").finding
    with Index.open(folder, write=True, encoder=ToyEncoder(window=100)) as index:
        index.remove([f"q4-00{n}" for n in range(9)])
    with opened(folder) as index:
        after = compare(index, "q3-001", "q3-002").finding
    assert before.remarks != after.remarks  # they name the number of pairs


def test_an_earlier_answer_with_a_question_of_its_own(folder: Path, tmp_path: Path) -> None:
    old = made(tmp_path / "last:year", [*honest(22, "q1", 5), *honest(22, "q9", 6)])
    with opened(folder) as index, opened(old) as against:
        same = compare(index, "q1-003", "last:year:q1-003", against=against)
        assert same.finding.question == "q1"
        assert same.pairs == 24 * 23 // 2 + 24 * 22 - 22  # not with one's own earlier answer
        assert (
            compare(index, "q1-003", "last:year:q9-003", against=against).finding.question is None
        )
        with pytest.raises(BadInput, match="no answer 'last:year:nobody'"):
            compare(index, "q1-003", "last:year:nobody", against=against)
        with pytest.raises(BadInput, match="no answer 'nobody'"):
            compare(index, "nobody", "no one", against=against)
    assert not (old / "cache.db").exists()  # each of these answers is one sentence
