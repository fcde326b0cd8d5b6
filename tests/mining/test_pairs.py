"""Pairs of an index: within questions or over all, equal texts as groups, passages by the best."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from helpers.encoder import ToyEncoder

from searchkit import Answer, Index, Pair, Where
from searchkit.core.errors import BadInput
from searchkit.mining.pairs import mine


def made(path: Path, answers: Sequence[Answer]) -> Index:
    with Index.create(path / "i", ToyEncoder()) as index:
        index.add(answers)
    return Index.open(path / "i", encoder=ToyEncoder())


def brute(index: Index, threshold: float, by: str) -> dict[tuple[str, str], float]:
    """Over the stored rows themselves, passage by passage."""
    keys, vectors = next(index.vectors.scan())
    vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    row = {key: vector for key, vector in zip(keys.tolist(), vectors, strict=True)}
    answers = {a.id: a for a in index.answers()}
    passages = {
        id_: [row[v] for *_, v in index.store.passages_of(list(index.store.keys([id_]).values()))]
        for id_ in answers
    }
    found = {}
    for left in sorted(answers):
        for right in sorted(answers):
            one, other = passages[left], passages[right]
            same = by == "all" or answers[left].question == answers[right].question
            if left < right and same and one and other:
                score = float((np.stack(one) @ np.stack(other).T).max())
                if score >= threshold - 5e-7:
                    found[left, right] = score
    return found


def corpus(n: int = 60) -> list[Answer]:
    rng = np.random.default_rng(1)
    words = "loop stack call node file read stream event queue wait then done".split()
    return [
        Answer(
            f"a{i}", " ".join(rng.choice(words, rng.integers(1, 40))), question=f"q{i % 3}"
        )
        for i in range(n)
    ]  # fmt: skip


@pytest.mark.parametrize("by", ["question", "all"])
@pytest.mark.parametrize("threshold", [-1, 0.3, 0.7, 0.95])
def test_equals_brute_force(tmp_path: Path, by: str, threshold: float) -> None:
    with made(tmp_path, corpus()) as index:
        mined = mine(index, threshold, by=by)
        found = list(mined.pairs())
        alike = {id_: group[0] for group in mined.equal for id_ in group}
        wanted = {
            key: score
            for key, score in brute(index, threshold, by).items()
            if all(alike.get(id_, id_) == id_ for id_ in key)
        }
    assert {(p.left, p.right) for p in found} == wanted.keys()
    assert all(abs(p.score - wanted[p.left, p.right]) < 2e-6 for p in found)
    assert [(-p.score, p.left, p.right) for p in found] == sorted(
        (-p.score, p.left, p.right) for p in found
    )
    assert mined.total == mined.returned == len(found)


def test_equal_texts_are_a_group_and_stand_under_the_first_id(tmp_path: Path) -> None:
    texts = ["I don't know", "I don't know ", "the loop", "I don't know", "  ", ""]
    answers = [Answer(f"a{9 - n}", text, question="q") for n, text in enumerate(texts)]
    with made(tmp_path, answers) as index:
        mined = mine(index, -1)
    assert mined.equal == [["a6", "a8", "a9"]]
    assert [(p.left, p.right) for p in mined.pairs()] == [("a6", "a7")]


def test_equal_texts_to_two_questions_are_two_things(tmp_path: Path) -> None:
    answers = [Answer(f"a{n}", "the loop runs", question=f"q{n // 2}") for n in range(4)]
    with made(tmp_path, answers) as index:
        assert mine(index, 1).equal == [["a0", "a1"], ["a2", "a3"]]
        assert mine(index, 1, by="all").equal == [["a0", "a1", "a2", "a3"]]


def test_a_hundred_thousand_equal_answers_are_one_line(tmp_path: Path) -> None:
    answers = [Answer(f"{n:06}", "I don't know", question="q") for n in range(100_000)]
    with made(tmp_path, [*answers, Answer("x", "I don't really know", question="q")]) as index:
        mined = mine(index, -1)
    assert [len(group) for group in mined.equal] == [100_000]
    assert [(p.left, p.right) for p in mined.pairs()] == [("000000", "x")]


def test_a_shared_passage_scores_one(tmp_path: Path) -> None:
    shared = "one two three four five six seven eight nine ten eleven twelve"
    answers = [Answer("a", f"{shared}. apple pear"), Answer("b", f"{shared}. crow swan")]
    with made(tmp_path, answers) as index:
        cut = {i: [a[p[1] : p[2]] for p in index.store.passages_of([n])]
               for n, (i, a) in enumerate(((x.id, x.text) for x in answers), 1)}  # fmt: skip
        found = list(mine(index, 1).pairs())
    assert set(cut["a"]) & set(cut["b"])
    assert found == [Pair("a", "b", 1.0)]


def test_max_pairs_keeps_the_best_and_counts_the_rest(tmp_path: Path) -> None:
    with made(tmp_path, corpus()) as index:
        whole = mine(index, 0.3)
        best = mine(index, 0.3, max_pairs=5)
    assert list(best.pairs()) == list(whole.pairs())[:5]
    assert (best.total, best.returned) == (whole.total, 5)


def test_filters_and_the_default_of_by(tmp_path: Path) -> None:
    with made(tmp_path, corpus()) as index:
        some = mine(index, -1, where=Where(question="q1"))
        assert {p.left[0] for p in some.pairs()} == {"a"}
        assert some.total < mine(index, -1).total < mine(index, -1, by="all").total
    (tmp_path / "2").mkdir()
    with made(tmp_path / "2", [Answer("a", "the loop"), Answer("b", "the loop runs")]) as index:
        assert mine(index, -1).total == 1


def test_one_answer_none_and_bad_numbers(tmp_path: Path) -> None:
    with made(tmp_path, [Answer("a", "the loop")]) as index:
        assert mine(index, -1).total == 0
        assert mine(index, where=Where(sql="author = 'none'")).equal == []
        for threshold in (float("nan"), 1.1, -1.1):
            with pytest.raises(BadInput, match="from -1 to 1"):
                mine(index, threshold)
        with pytest.raises(BadInput, match="`by` must be one of question, all, not 'questions'"):
            mine(index, by="questions")
        with pytest.raises(BadInput, match="0 or more"):
            mine(index, max_pairs=-1)
    (tmp_path / "2").mkdir()
    with made(tmp_path / "2", []) as index:
        assert (mine(index, -1).total, mine(index, -1).equal) == (0, [])
