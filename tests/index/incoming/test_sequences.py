"""Whatever files come in which order, no answer is lost, and none moves to another author."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from helpers.encoder import ToyEncoder
from hypothesis import given, settings
from hypothesis import strategies as st

from searchkit import Answer, Index
from searchkit.core.identity import canonical, make_id
from searchkit.core.records import Slot
from searchkit.index.incoming.records import OnDuplicate, Update
from searchkit.index.incoming.targets import Rehearsal
from searchkit.index.ingest import Choices, Ingest, ingest
from searchkit.index.records import Added, Model
from searchkit.index.upkeep.verify import verify

AUTHORS = ["ann", " Ann", "bob", "Cleo", None]
TEXTS = ["one", "two", "three", " one ", "", "I do not know"]


@st.composite
def files(draw: st.DrawFn) -> list[Answer]:
    """Return the rows of a file: with ids or without, with questions and times or without."""
    has_ids, has_questions, has_times = (draw(st.booleans()) for _ in range(3))
    source = draw(st.sampled_from(["a.csv", "b.csv", "-"]))
    made: Counter[str] = Counter()
    rows = []
    for line in range(draw(st.integers(1, 6))):
        question = draw(st.sampled_from(["q1", "q2"])) if has_questions else None
        author, text = draw(st.sampled_from(AUTHORS)), draw(st.sampled_from(TEXTS))
        time = draw(st.sampled_from(["2025-08-01", "2025-08-02", None])) if has_times else None
        id_ = str(draw(st.integers(0, 3))) if has_ids else make_id(question, author, text)
        made[id_] += 1
        if made[id_] > 1 and not has_ids:
            id_ = f"{id_}#{made[id_]}"
        rows.append(
            Answer(id_, text, question, author, time, source, line + 2, has_made_id=not has_ids)
        )
    return rows


class Shelf:
    """An index in a dictionary, which is quick to make and has no vectors."""

    model, model_name = Model("none", "none", 1, 1), None

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}

    def __len__(self) -> int:
        return len(self.answers)

    def is_empty(self) -> bool:
        return not self.answers

    def load_model(self) -> None:
        pass

    def get_replaceable(self, ids: Sequence[str]) -> dict[str, Answer]:
        return {id_: self.answers[id_] for id_ in ids if id_ in self.answers}

    def find_slots(self, slots: Collection[Slot]) -> dict[Slot, list[Answer]]:
        found: dict[Slot, list[Answer]] = {}
        for answer in self.answers.values():
            if answer.slot in slots:
                found.setdefault(answer.slot, []).append(answer)
        return found

    def by_question(self) -> list[dict[str, object]]:
        return []  # of which nothing is said

    def lone_questions(self) -> int:
        return 0

    def write(self, updates: Sequence[Update], progress: object) -> Added:
        added = sum(update.new.id not in self.answers for update in updates)
        unchanged = sum(self.answers.get(u.new.id) == replace(u.new, source=u.old.source,
                        line=u.old.line) for u in updates if u.old)  # fmt: skip
        self.answers |= {update.new.id: update.new for update in updates}
        return Added(added, len(updates) - added - unchanged, unchanged)


INGESTS = st.lists(
    st.tuples(files(), st.sampled_from(["refuse", "keep-first", "keep-both"])),
    min_size=1,
    max_size=5,
)


@settings(max_examples=300, deadline=None)
@given(INGESTS, st.sampled_from([1, 2, 100]))
def test_no_answer_is_lost_or_moved(
    ingests: list[tuple[list[Answer], OnDuplicate]], batch: int
) -> None:
    shelf = Shelf()
    for rows, on_duplicate in ingests:
        _ingest(shelf, rows, on_duplicate, batch)


def _ingest(shelf: Shelf, rows: list[Answer], on_duplicate: OnDuplicate, batch: int) -> None:
    before = dict(shelf.answers)
    refused: list[Answer] = []
    choices = Choices(
        on_duplicate,
        on_reject=lambda row, _: refused.append(row),
        path_of=lambda source: None if source == "-" else "/" + source,
    )
    expected = Ingest(Rehearsal(shelf), choices).read(rows, batch=batch)
    refused.clear()
    report = Ingest(shelf, choices).read(rows, batch=batch)
    after = dict(shelf.answers)
    names = ("read", "added", "updated", "unchanged", "skipped", "attempts", "kept_beside")
    assert {n: getattr(report, n) for n in names} == {n: getattr(expected, n) for n in names}
    assert len(after) == len(before) + report.added
    for id_, old in before.items():
        new = after[id_]
        for one, other in zip(old.slot, new.slot, strict=True):
            assert one is None or one == other, "it has moved"
        assert new.text.strip() or not old.text.strip(), "its text was emptied"
        if None in old.slot and old.text.strip() and canonical(old.text) != canonical(new.text):
            assert new.source == old.source != "-", "another answer took its place"
    kept = {(answer.author_key, canonical(answer.text)) for answer in after.values()}
    texts = {text for _, text in kept}
    for row in rows:
        if row not in refused and on_duplicate != "keep-first" and row.text.strip():
            text = canonical(row.text)
            assert text in texts if row.author is None else (row.author_key, text) in kept
    # An empty row in a batch before its author's text can't be told from a marks row: once more.
    again = [Ingest(shelf, choices).read(rows, batch=batch).added for _ in range(2)]
    assert again[batch < 100 :] == [0, 0][batch < 100 :], "the same again adds something"


def row(id_: str, text: str, author: str | None = None, question: str | None = None) -> Answer:
    return Answer(id_, text, question, author, source="b.csv", line=2)


@pytest.mark.parametrize(
    "rows",
    [
        [row("0", ""), row("0", "", "bob")],
        [row("0", "two", "ann"), row("0", ""), row("0", "one", "ann"), row("0", "", "bob")],
        [row("0", "two", "bob"), row("0", "two"), row("0", "two", "ann")],
        [row("0", ""), row("0", "two")],
        [row("0", "two", "ann", "q1"), row("0", "one", None, "q1")],
    ],
)
def test_rows_of_one_id_stay_what_they_became(rows: list[Answer]) -> None:
    shelf = Shelf()
    _ingest(shelf, [replace(row("0", "one", "ann"), source="a.csv")], "keep-both", 100)
    _ingest(shelf, rows, "keep-both", 100)


def test_numbers_of_one_id_are_in_the_order_of_the_rows() -> None:
    shelf = Shelf()
    for rows in ([row("0", "one", "ann")], [row("0", "two", name) for name in ("bob", "cy", "di")]):
        _ingest(shelf, rows, "keep-both", 100)
    assert [(id_, shelf.answers[id_].author) for id_ in sorted(shelf.answers)] == [
        ("0", "ann"), ("0#2", "bob"), ("0#3", "cy"), ("0#4", "di"),
    ]  # fmt: skip


@settings(max_examples=15, deadline=None)
@given(INGESTS)
def test_what_was_written_stays_with_its_author(
    ingests: list[tuple[list[Answer], OnDuplicate]],
) -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        Index.create(Path(folder) / "i", ToyEncoder()) as index,
    ):
        for rows, on_duplicate in ingests:
            ingest(index, rows, on_duplicate=on_duplicate, on_reject=lambda *_: None)
            marks = {a.id: {"whose": a.author_key} for a in index.answers() if a.author_key}
            for answer in index.answers():
                assert answer.columns.get("whose", answer.author_key) == answer.author_key
            index.update_columns(marks)
        assert verify(index) == []
