"""Ingest adds what is new, updates what changed, and refuses an id that means something else."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from helpers.encoder import ToyEncoder

from searchkit import Answer, Index
from searchkit.core.errors import BadInput
from searchkit.core.identity import make_id
from searchkit.core.where import Where
from searchkit.index import base
from searchkit.index.incoming import languages
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


def test_the_same_again_loads_no_model_and_reads_each_answer_once(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    ingest(index, rows(10))
    place = index.place
    index.close()
    looked_up: list[str] = []
    with Index.open(place, write=True) as again:  # its model is no model that could be loaded
        get = again.get_replaceable

        def counting(ids: Sequence[str]) -> dict[str, Answer]:
            looked_up.extend(ids)
            return get(ids)

        monkeypatch.setattr(again, "get_replaceable", counting)
        done = ingest(again, [replace(a, meta={"score": "2"}) for a in rows(10)])
        assert (done.updated, done.unchanged) == (10, 0)
        assert ingest(again, [replace(a, meta={"score": "2"}) for a in rows(10)]).unchanged == 10
    assert sorted(looked_up) == sorted(2 * [a.id for a in rows(10)])


def test_a_few_more_count_nothing_and_load_what_they_need(
    index: Index, encoder: ToyEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    ingest(index, rows(10))
    place = index.place
    index.close()
    loads: list[str] = []
    monkeypatch.setattr(languages, "load_ahead", lambda: loads.append("languages"))
    monkeypatch.setattr(base, "load_encoder", lambda *_, **__: loads.append("model") or encoder)
    new = Answer("new", "a text that is long enough to have a language")
    for answer, loaded in [(Answer("short", "yes"), ["model"]), (new, ["languages", "model"])]:
        loads.clear()
        with Index.open(place, write=True) as again:
            monkeypatch.setattr(again, "counts", lambda: pytest.fail("counted"))
            assert ingest(again, [*rows(10), answer]).added == 1
        assert loads == loaded  # languages in a thread, so that both load at once


def test_a_new_index_imports_no_pandas(tmp_path: Path) -> None:
    code = (
        "import sys; from searchkit import Index; from helpers.encoder import ToyEncoder\n"
        f"Index.create({str(tmp_path / 'new')!r}, ToyEncoder()).close()\n"
        "sys.exit('pandas' in sys.modules)"
    )
    path = os.pathsep.join(filter(None, sys.path))
    subprocess.run([sys.executable, "-c", code], check=True, env=os.environ | {"PYTHONPATH": path})


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


def rows_without_ids() -> list[Answer]:
    """Return new answers, changed ones, further attempts, an empty one, and one without author."""
    made = [
        ("ann", "first", "2025-08-01"), ("bob", "changed", None), ("ann", "second", "2025-08-02"),
        ("cy", "", None), (None, "nobody's", None), ("dan", "new", None), (None, "nobody's", None),
        ("ann", "third", "2025-08-03"), ("reference", "so", None), ("reference", "or so", None),
    ]  # fmt: skip
    answers = []
    for line, (author, text, time) in enumerate(made, 2):
        id_ = make_id("q", author, text)
        answers.append(
            Answer(id_, text, "q", author, time, "f.csv", line, {"n": str(line)}, has_made_id=True)
        )
    answers[6] = replace(answers[6], id=f"{answers[6].id}#2")
    return answers


def start(index: Index) -> None:
    index.add(
        [Answer("old-1", "second", "q", "Ann", "2025-08-02"), Answer("q/bob", "b", "q", "bob")]
    )
    index.update_columns({"old-1": {"mark": "7"}})


def test_an_ingest_that_was_stopped_ends_the_same(tmp_path: Path) -> None:
    rows = rows_without_ids()

    def until(stop: int) -> Iterator[Answer]:
        yield from rows[:stop]
        raise KeyboardInterrupt

    whole = ToyEncoder()
    with Index.create(tmp_path / "whole", whole) as index:
        start(index)
        report = ingest(index, rows, batch=2)
        expected = list(index.answers())
    assert (report.added, report.updated, report.attempts) == (8, 2, 2)
    for stop in range(len(rows) + 1):
        encoder = ToyEncoder()
        with Index.create(tmp_path / str(stop), encoder) as index:
            start(index)
            with pytest.raises(KeyboardInterrupt):
                ingest(index, until(stop), batch=2)
            ingest(index, rows, batch=2)
            assert list(index.answers()) == expected, stop
        assert sorted(encoder.texts) == sorted(whole.texts), stop  # nothing twice
        with Index.open(tmp_path / str(stop), write=True, encoder=encoder) as index:
            assert ingest(index, rows, batch=2).unchanged == len(rows)
            assert verify(index) == []


def test_what_was_written_stays_when_the_file_comes_again(index: Index) -> None:
    answers = rows(3, question="q", author="s")
    answers = [replace(a, author=a.id, meta={"score": "1"}) for a in answers]
    ingest(index, answers)
    index.update_columns({"r0": {"mark": "7", "score": "9"}, "r1": {"mark": "6"}})
    done = ingest(index, answers)
    said = (
        "column 'score': 1 answer with another value written here than in the file; the one "
        'written here counts ("file:score" is the other)'
    )
    assert (done.unchanged, done.updated, done.warnings) == (3, 0, [said])
    changed = [replace(answers[0], meta={"score": "2"}), replace(answers[1], text="new text")]
    done = ingest(index, changed)
    stale = "1 answer with marks written here got another text; look at the marks again"
    assert (done.updated, done.warnings) == (2, [stale, said])
    assert [dict(a.columns) for a in index.get(["r0", "r1"])] == [
        {"score": "9", "mark": "7"},
        {"score": "1", "mark": "6"},
    ]
    assert index.get(["r0"])[0].meta == {"score": "2"}
    assert [a.id for a in index.answers(Where(sql='"file:score" = 2'))] == ["r0"]


@pytest.mark.parametrize(
    ("row", "what"),
    [
        ({"id": "a", "text": "b"}, "item 1 is {.*}, which is no Answer"),
        ("a.csv", "item 1 is 'a.csv', which is no Answer"),
        (Answer(1, "b"), "answer 1: 1 is no text; write it as one"),
        (Answer("a", None), "answer 'a': None is no text"),
        (Answer("a", "b", author=float("nan")), "answer 'a': nan is no text"),
        (Answer("a", "b", meta={"score": 0}), "answer 'a': 0 is no text"),
    ],
)
def test_what_is_no_answer_is_refused(index: Index, row, what: str) -> None:
    for add in (partial(ingest, index), index.add):
        with pytest.raises(TypeError, match=what):
            add([row])
    assert len(index) == 0


def test_a_batch_holds_answers(index: Index) -> None:
    with pytest.raises(ValueError, match="a batch has at least 1 item, not 0"):
        ingest(index, rows(3), batch=0)
    with pytest.raises(BadInput, match="`on_duplicate` must be one of refuse, keep-first, keep-"):
        ingest(index, rows(3), on_duplicate="last")
