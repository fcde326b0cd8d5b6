"""What is asked about all answers is answered without reading all of them."""

from __future__ import annotations

from itertools import count
from pathlib import Path

import pytest
from helpers.encoder import ToyEncoder
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from searchkit import Answer, Index
from searchkit.index.backend import count_lone

NAMES = st.sampled_from([None, "", "a", "A", "b", "c"])
ROWS = st.lists(st.tuples(NAMES, NAMES), max_size=6)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rows=ROWS)
def test_questions_of_one_author_are_counted_as_in_the_table_of_questions(
    rows: list[tuple[str | None, str | None]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    answers = [Answer(f"a{n}", f"text {n}", q, author) for n, (q, author) in enumerate(rows)]
    with Index.create(tmp_path_factory.mktemp("i") / "i", ToyEncoder()) as index:
        index.add(answers)
        assert index.lone_questions() == count_lone(index.by_question())


def test_a_question_of_several_authors_ends_the_count(tmp_path: Path) -> None:
    answers = [Answer(f"a{n}", f"text {n}", f"q{n % 2}", f"author {n}") for n in range(5_000)]
    with Index.create(tmp_path / "i", ToyEncoder()) as index:
        index.add(answers)
        steps = count()
        index.store.connection.set_progress_handler(lambda: next(steps) < 0, 1)
        assert index.lone_questions() == 0
        assert next(steps) < 1_000  # of SQLite's machine; 5,000 rows would take more
