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
from searchkit.plagiarism import cached_results, find
from searchkit.plagiarism.find import compare


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
        background = find._background(find.read_cohorts(index, None))
        cached_results.cached_background(index, None, lambda: background)
        kept = cached_results.cached_background(index, None, never)
    assert kept.answers == background.answers
    for kind, arrays in background.frequencies.items():
        for one, other in zip(arrays, kept.frequencies[kind], strict=True):
            assert one.dtype == other.dtype and (one == other).all()


def test_the_second_time_reads_only_the_question(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(folder) as index:
        compare(index, "q1-003", "q1-008")
        read: list[str | None] = []
        iterate = BaseIndex.iter_passages

        def noted(self: BaseIndex, where: object) -> object:
            for row in iterate(self, where):
                read.append(row[0].question)
                yield row

        monkeypatch.setattr(BaseIndex, "iter_passages", noted)
        compare(index, "q1-001", "q1-002")
    assert read == ["q1"] * 24


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
