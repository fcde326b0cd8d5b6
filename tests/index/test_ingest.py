"""Ingest adds what is new, updates what changed, and refuses an id that means something else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from helpers.encoder import ToyEncoder

from searchkit import Answer, Index
from searchkit.core.errors import BadInput
from searchkit.index.ingest import ingest
from searchkit.index.upkeep.verify import verify


@pytest.fixture
def index(tmp_path: Path, encoder: ToyEncoder) -> Index:
    with Index.create(tmp_path / "i", encoder) as made:
        yield made


def rows(count: int, source: str = "a.csv", **fields: str) -> list[Answer]:
    return [
        Answer(f"r{n}", f"text number {n}", source=source, line=n + 2, **fields)
        for n in range(count)
    ]


def test_counts_and_progress(index: Index) -> None:
    seen: list[tuple[int, int]] = []
    done = ingest(index, rows(10), batch=4, progress=lambda *now: seen.append(now))
    assert (done.read, done.added, done.embedded, done.passages) == (10, 10, 10, 10)
    assert seen == sorted(seen) and seen[-1] == (10, 0)
    changed = [replace(a, text="new") if a.id == "r3" else a for a in rows(12)]
    seen.clear()
    done = ingest(index, iter(changed), batch=5, progress=lambda *now: seen.append(now))
    assert (done.added, done.updated, done.unchanged, done.embedded) == (2, 1, 9, 3)
    assert seen == sorted(seen) and seen[-1] == (12, 0)
    assert verify(index) == []


def test_the_same_again_embeds_nothing(index: Index, encoder: ToyEncoder) -> None:
    ingest(index, rows(10))
    texts = len(encoder.texts)
    assert ingest(index, rows(10)).unchanged == 10
    assert len(encoder.texts) == texts


def test_a_second_id_is_refused_with_both_places(index: Index) -> None:
    twice = [*rows(6), Answer("r1", "again", source="b.csv", line=9)]
    with pytest.raises(BadInput, match=r"b.csv:9: id 'r1' stands already at a.csv:3; .*`on_dup"):
        ingest(index, twice, batch=3)
    assert len(index) == 6  # the batches before it are kept


def test_nothing_of_the_bad_batch_is_written(index: Index) -> None:
    with pytest.raises(BadInput, match="stands already"):
        ingest(index, [*rows(2), rows(1)[0]], batch=10)
    assert len(index) == 0


@pytest.mark.parametrize("batch", [1, 2, 100])
@pytest.mark.parametrize(("choice", "text"), [("keep-first", "text number 1"), ("keep-last", "z")])
def test_on_duplicate(index: Index, choice: str, text: str, batch: int) -> None:
    twice = [*rows(3), Answer("r1", "z", source="b.csv", line=9)]
    done = ingest(index, twice, on_duplicate=choice, batch=batch)
    assert (done.read, done.skipped, len(index)) == (4, 1, 3)
    assert index.get(["r1"])[0].text == text


def test_rejected_rows_are_handed_over_and_the_rest_kept(index: Index) -> None:
    rejected: list[tuple[str, str]] = []
    twice = [*rows(3), Answer("r1", "z", source="b.csv", line=9)]
    done = ingest(index, twice, on_reject=lambda a, why: rejected.append((a.source, why)))
    assert (done.added, done.skipped) == (3, 1)
    assert rejected[0][0] == "b.csv"
    assert "stands already at a.csv:3" in rejected[0][1]


def test_another_file_that_counts_from_one_again_is_no_update(index: Index) -> None:
    ingest(index, rows(3, "quiz1.csv"))
    other = [replace(a, text="about something else") for a in rows(3, "quiz2.csv")]
    with pytest.raises(BadInput, match=r"quiz2.csv:2: id 'r0' is taken .* from quiz1.csv:2"):
        ingest(index, other)
    assert index.get(["r0"])[0].text == "text number 0"
    assert ingest(index, other, on_duplicate="keep-last").updated == 3


def test_a_corrected_file_is_an_update(index: Index) -> None:
    ingest(index, rows(3, "quiz.csv", question="q", author="s"))
    new = [replace(a, text="better", source="quiz-v2.csv") for a in
           rows(3, "quiz.csv", question="q", author="s")]  # fmt: skip
    assert ingest(index, new).updated == 3


def test_nothing_to_read(index: Index) -> None:
    assert ingest(index, []).read == 0
