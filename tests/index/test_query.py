"""The three modes of a query; fusion equals its formula."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.encoder import ToyEncoder

from searchkit import Answer, Index, Where
from searchkit.core.errors import BadInput
from searchkit.index.query import fuse, query


@pytest.fixture
def index(tmp_path: Path, encoder: ToyEncoder, answers: list[Answer]) -> Index:
    with Index.create(tmp_path / "i", encoder) as made:
        made.add(answers)
        yield made


def test_hybrid_is_reciprocal_rank_fusion(index: Index) -> None:
    text = "event loop callbacks next"
    (semantic,), (lexical,) = query(index, [text], 99), query(index, [text], 99, "lexical")
    (hybrid,) = query(index, [text], 99, "hybrid")
    expected: dict[str, float] = {}
    for ranking in (semantic, lexical):
        for hit in ranking:
            expected[hit.answer.id] = expected.get(hit.answer.id, 0) + 1 / (60 + hit.rank)
    assert {h.answer.id: h.score for h in hybrid} == {i: round(s, 6) for i, s in expected.items()}
    assert [h.score for h in hybrid] == sorted((h.score for h in hybrid), reverse=True)
    assert [h.rank for h in hybrid] == list(range(1, len(hybrid) + 1))


@pytest.mark.parametrize("mode", ["semantic", "hybrid"])
def test_k_hits_come_back_in_every_mode_that_ranks_all(index: Index, mode) -> None:
    for k in (1, 2, 5):
        assert len(query(index, ["thread zebra"], k, mode)[0]) == k
    assert len(query(index, ["thread zebra"], 2, mode, Where(author="bob"))[0]) == 2


def test_many_queries_are_answered_in_order(index: Index) -> None:
    found = query(index, ["Node uses one thread", "Streams read data piece by piece"], 1)
    assert [hits[0].answer.id for hits in found] == ["a3", "a5"]
    assert query(index, [], 3) == []


def test_lexical_ranks_by_bm25_and_marks_the_passage_with_the_words(index: Index) -> None:
    filler = " ".join(f"filler{n}" for n in range(30))
    index.add([Answer("long", f"{filler} needle {filler}")])
    ((hit,),) = query(index, ["Needles"], 3, "lexical")
    assert hit.answer.id == "long"
    assert "needle" in hit.answer.text[hit.passage.start : hit.passage.end]
    assert hit.score > 0


def test_there_is_no_other_mode(index: Index) -> None:
    with pytest.raises(BadInput, match="`mode` must be one of semantic, lexical, hybrid, not 'l'"):
        query(index, ["thread"], 1, "l")


def test_queries_can_be_a_generator(index: Index) -> None:
    texts = ["event loop", "streams"]
    assert query(index, iter(texts), 3, "hybrid") == query(index, texts, 3, "hybrid")


def test_fusing_nothing() -> None:
    assert fuse([[], []], 3) == []
