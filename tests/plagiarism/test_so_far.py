"""What a search tells while it runs: final findings of finished questions, and the time left."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from helpers.answers import honest
from helpers.encoder import ToyEncoder

from searchkit import Answer, Index
from searchkit.plagiarism.find import find_with_options
from searchkit.plagiarism.preparation import Boilerplate, QuestionAnswers
from searchkit.plagiarism.records import Finding, PlagiarismOptions, PlagiarismResult
from searchkit.plagiarism.so_far import PAIR_SECONDS, SENTENCE_SECONDS, FindingsSoFar


def with_copies() -> list[Answer]:
    """Return answers to two questions with many and to one with few; each has a copy."""
    answers = [*honest(24), *honest(24, "q2", 1), *honest(12, "few", 2)]
    for source, copy in ((3, 8), (27, 32), (50, 53)):
        answers[copy] = replace(answers[copy], text=answers[source].text)
    return answers


@pytest.fixture
def seen(tmp_path: Path) -> tuple[PlagiarismResult, list[tuple[int, int, PlagiarismResult | None]]]:
    """Return the whole result, and what could be asked for after each step."""
    so_far, steps = FindingsSoFar(), []

    def progress(done: int, total: int) -> None:
        if done and (not steps or done != steps[-1][0]):  # sentences are embedded in between
            steps.append((done, total, so_far.result()))

    with Index.create(tmp_path / "i", ToyEncoder(window=100)) as index:
        index.add(with_copies())
        result = find_with_options(index, PlagiarismOptions(), progress=progress, so_far=so_far)
    steps.append((so_far.questions, so_far.findings, so_far.result()))
    return result, steps


def test_findings_of_finished_questions_are_those_of_the_whole(
    seen: tuple[PlagiarismResult, list[tuple[int, int, PlagiarismResult | None]]],
) -> None:
    whole, steps = seen
    assert {finding.question for finding in whole.findings} == {"q1", "q2", "few"}
    assert [(done, total) for done, total, _ in steps[:-1]] == [(1, 3), (2, 3), (3, 3)]
    partial = [result for *_, result in steps]
    # A question is told of once it is measured; its findings are there when the next one begins.
    assert partial[0] is None
    assert [r.questions_left for r in partial[1:] if r] == [2, 1, 0]
    for result in partial[1:]:
        assert result
        questions = {finding.question for finding in result.findings}
        final = [replace(f, q_value=None) for f in whole.findings if f.question in questions]
        assert list(result.findings) == final
        assert result.texts == {
            id_: whole.texts[id_] for finding in final for id_ in (finding.left, finding.right)
        }
        assert not result.rings
        assert not result.by_chance
    last = partial[-1]
    assert last
    assert (last.questions, last.pairs, last.answers) == (3, whole.pairs, whole.answers)
    assert whole.questions_left == 0


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def question(name: str, answers: int) -> QuestionAnswers:
    from searchkit.plagiarism.preparation import embed_answers

    texts = embed_answers(honest(answers, name), ToyEncoder(window=100))
    return QuestionAnswers(name, texts, Boilerplate([]))


def test_time_left_follows_the_pace_of_each_kind_of_work() -> None:
    clock = Clock()
    so_far = FindingsSoFar(clock)
    assert so_far.seconds_left() is None
    groups = [question("small", 3), question("large", 40)]
    sentences = [sum(len(text.sentences) for text in group.texts) for group in groups]
    weights = [50 + group.count_pairs() for group in groups]
    so_far.begin(groups, embeds=True)
    usual = sum(sentences) * SENTENCE_SECONDS + sum(weights) * PAIR_SECONDS
    assert so_far.seconds_left() == pytest.approx(usual)
    clock.seconds += 6
    so_far.embedded(sum(sentences))  # all of them took 6 s
    assert so_far.seconds_left() == pytest.approx(sum(weights) * PAIR_SECONDS)
    clock.seconds += 2
    so_far.measured(groups[0])  # 2 s for the small one
    left = 2 * weights[1] / weights[0]
    assert so_far.seconds_left() == pytest.approx(left)
    assert left > 10  # a count of questions would say 2
    clock.seconds += 5
    assert so_far.seconds_left() == pytest.approx(left - 5)
    clock.seconds += 1000
    assert so_far.seconds_left() == 0


def test_results_so_far_are_built_once_for_each_question() -> None:
    so_far = FindingsSoFar()
    groups = [question("a", 3), question("b", 3)]
    so_far.begin(groups, embeds=False)
    assert so_far.result() is None
    so_far.judged(groups[:1], [])
    first = so_far.result()
    assert first is so_far.result()
    assert first
    assert first.questions_left == 1
    so_far.judged(groups[1:], list[Finding]())
    assert so_far.result() is not first
