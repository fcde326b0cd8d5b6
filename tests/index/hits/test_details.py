"""Hits with their best sentence, and with whether they are close."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from sqlite3 import Connection

import pytest
from helpers.encoder import ToyEncoder

from searchkit import Answer, Index
from searchkit.index import folder_reading
from searchkit.index.hits import closeness
from searchkit.index.query import Mode, query
from searchkit.index.storage.tables import checkpoints

TEXT = "Streams read the data piece by piece. Callbacks run after the loop. Express has middleware."
ANSWERS = [
    Answer("a", TEXT, "q"),
    Answer("b", "One sentence about callbacks and the loop.", "q"),
    Answer("c", "Nothing of the kind is written here. Really nothing at all.", "q"),
]


@pytest.fixture
def index(tmp_path: Path, encoder: ToyEncoder) -> Iterator[Index]:
    with Index.create(tmp_path / "i", encoder) as made:
        made.add(ANSWERS)
        yield made


def marked(index: Index, text: str, mode: Mode = "semantic") -> dict[str, list[str]]:
    (hits,) = query(index, [text], 9, mode, details=True)
    return {hit.answer.id: [hit.answer.text[a:b] for a, b in hit.best] for hit in hits}


def test_the_best_sentence_is_the_one_nearest_to_the_query(index: Index) -> None:
    best = marked(index, "callbacks after the loop")
    assert best["a"] == ["Callbacks run after the loop."]
    assert best["b"] == [ANSWERS[1].text]
    assert marked(index, "express middleware")["a"] == ["Express has middleware."]
    assert all(len(sentences) == 1 for sentences in best.values())


def test_a_lexical_search_marks_words_and_a_hybrid_one_both(index: Index) -> None:
    assert marked(index, "middleware", "lexical") == {"a": []}
    (hits,) = query(index, ["middleware"], 9, "hybrid", details=True)
    hit = next(hit for hit in hits if hit.answer.id == "a")
    assert [TEXT[a:b] for a, b in hit.best] == ["Express has middleware."]
    assert [TEXT[a:b] for a, b in hit.words] == ["middleware"]
    assert hit.is_close


def test_without_details_nothing_is_marked_and_nothing_embedded(index: Index) -> None:
    (hits,) = query(index, ["callbacks"], 9)
    assert all(hit.best == () and hit.is_close for hit in hits)
    assert (index.path / "cache.db").exists() is False


def test_only_the_sentences_of_the_best_passage_are_compared(index: Index) -> None:
    filler = " ".join(f"Filler sentence {n} is here." for n in range(40))
    index.add([Answer("long", f"{filler} The needle stands here. {filler}", "q")])
    (hits,) = query(index, ["needle stands"], 1, details=True)
    (start, end), passage = hits[0].best[0], hits[0].passage
    assert hits[0].answer.text[start:end] == "The needle stands here."
    assert passage.start <= start < end <= passage.end


def test_sentences_are_embedded_once_also_by_readers(
    tmp_path: Path, encoder: ToyEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Index.create(tmp_path / "kept", encoder) as made:
        made.add(ANSWERS)
    with Index.open(tmp_path / "kept", encoder=encoder) as reader:
        expected = query(reader, ["the loop"], 9, details=True)
    monkeypatch.setattr(type(encoder), "encode", lambda *_, **__: pytest.fail("embedded again"))
    with Index.open(tmp_path / "kept", encoder=encoder) as reader:
        assert query(reader, ["the loop"], 9, details=True) == expected


def test_a_folder_that_cannot_be_written_is_searched_as_well(
    tmp_path: Path, encoder: ToyEncoder
) -> None:
    with Index.create(tmp_path / "sealed", encoder) as made:
        made.add(ANSWERS)
        expected = query(made, ["the loop"], 9, details=True)
    (tmp_path / "sealed" / "cache.db").unlink(missing_ok=True)
    (tmp_path / "sealed" / "cache.db").mkdir()  # also root can't write a file there
    with Index.open(tmp_path / "sealed", encoder=encoder) as reader:
        assert query(reader, ["the loop"], 9, details=True) == expected


def test_hits_below_the_threshold_are_not_close(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(closeness, "_compute", lambda _: 0.5)
    (hits,) = query(index, ["callbacks after the loop"], 9, details=True)
    assert [hit.is_close for hit in hits] == [hit.score >= 0.5 for hit in hits]
    assert {hit.is_close for hit in hits} == {True, False}


def test_the_threshold_is_kept_until_an_answer_changes(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    computed = iter([0.25, 0.75])
    monkeypatch.setattr(closeness, "_compute", lambda _: next(computed))
    assert closeness.close_score(index) == closeness.close_score(index) == 0.25
    index.add([Answer("d", "another one")])
    assert closeness.close_score(index) == 0.75


def test_a_mark_keeps_the_threshold(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    computed = iter([0.25])
    monkeypatch.setattr(closeness, "_compute", lambda _: next(computed))
    assert closeness.close_score(index) == 0.25
    index.update_columns({"a": {"mark": "2"}})
    assert closeness.close_score(index) == 0.25


def test_the_threshold_is_above_what_unrelated_queries_reach(index: Index) -> None:
    nearest = index.search(closeness.UNRELATED_QUERIES, 1)
    scores = sorted(hits[0].score for hits in nearest)
    assert scores[len(scores) // 2] <= closeness.close_score(index)


def test_an_index_without_answers_has_a_threshold(tmp_path: Path, encoder: ToyEncoder) -> None:
    with Index.create(tmp_path / "empty", encoder) as made:
        assert query(made, ["anything"], 3, details=True) == [[]]


def test_a_reader_hashes_its_answers_once(
    index: Index, encoder: ToyEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[object] = []
    plain = folder_reading.hash_checksums

    def counting(connection: Connection) -> bytes | None:
        hashed.append(connection)
        return plain(connection)

    monkeypatch.setattr(folder_reading, "hash_checksums", counting)
    with Index.open(index.path, encoder=encoder) as reader:
        keys = {reader.answers_key() for _ in range(3)}
    assert keys == {index.answers_key()} and len(hashed) == 2
    index.add([Answer("d", "Another answer.", "q")])
    assert index.answers_key() not in keys  # a writer's answers change


def test_searches_hash_the_texts_of_an_index_once_for_all_its_readers(
    index: Index, encoder: ToyEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[object] = []
    plain = checkpoints.hash_texts

    def counting(connection: Connection, after: int) -> bytes:
        hashed.append(connection)
        return plain(connection, after)

    monkeypatch.setattr(checkpoints, "hash_texts", counting)
    with Index.open(index.path, encoder=encoder) as reader, reader.reopened() as second:
        for _ in range(3):
            query(reader, ["the loop"], 2, details=True)
            query(second, ["the loop"], 2, details=True)
        assert len(hashed) == 1
        index.update_columns({"a": {"mark": "2"}})
        with second.reopened() as third:  # a mark changes no text
            query(third, ["the loop"], 2, details=True)
        assert len(hashed) == 1
        index.add([Answer("d", "Another answer.", "q")])
        with second.reopened() as third:
            assert third.vectors_key() == index.vectors_key() != reader.vectors_key()
