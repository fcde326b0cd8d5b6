"""Searches together: one batch at a time, the same hits as alone, and nobody waits needlessly."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from helpers.serving import until

import searchkit.web.searching.search_batches
from searchkit import Index
from searchkit.core.errors import BadInput, IndexBusy
from searchkit.core.where import Where
from searchkit.index.query import query
from searchkit.web.index_pool import IndexPool

ALL = Where()


class Gate:
    """Lets each batch go on when it is told to, and keeps the texts of each."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.batches: list[list[str]] = []
        self._may_go_on = threading.Semaphore(0)
        plain = searchkit.web.searching.search_batches.query

        def waiting(index: Index, texts: list[str], *rest: Any, **options: Any) -> Any:
            self.batches.append(texts)
            assert self._may_go_on.acquire(timeout=20)
            return plain(index, texts, *rest, **options)

        monkeypatch.setattr("searchkit.web.searching.search_batches.query", waiting)

    def open(self) -> None:
        self._may_go_on.release()


def test_a_batch_waits_a_little_for_those_who_were_answered(
    pool: IndexPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate(monkeypatch)
    gate.open()
    asks = [(text, 3, "semantic", ALL) for text in ("one", "two", "three", "four")]
    together(pool, asks)
    with ThreadPoolExecutor(4) as executor:
        pool._batches._gather_until = time.monotonic() + 20
        for ask in asks:
            waiting = executor.submit(pool.search, *ask)
        until(lambda: len(gate.batches) == 2)
        gate.open()
        assert waiting.result(20)
        pool._batches._gather_until = time.monotonic() + 0.05
        waiting = executor.submit(pool.search, "five", 3, "semantic", ALL)
        until(lambda: gate.batches[2:] == [["five"]])  # although nobody else asks
        pool._batches._gather_until = time.monotonic() + 20
        gate.open()
        assert waiting.result(20)
        waiting = executor.submit(pool.search, "six", 3, "semantic", ALL)
        until(lambda: gate.batches[3:] == [["six"]])  # after a batch of one nobody is waited for
        gate.open()
        assert waiting.result(20)
    assert [len(batch) for batch in gate.batches] == [4, 4, 1, 1]


def test_what_arrives_meanwhile_is_one_batch_for_which_no_earlier_search_waits(
    pool: IndexPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate(monkeypatch)

    def search(text: str) -> Any:
        return pool.search(text, 3, "semantic", ALL)

    with ThreadPoolExecutor(8) as executor:
        first = executor.submit(search, "one")
        until(lambda: gate.batches == [["one"]])
        second = [executor.submit(search, text) for text in ("two", "three", "four")]
        until(lambda: len(pool._batches._waiting) == 3)
        gate.open()
        assert first.result(20)
        until(lambda: len(gate.batches) == 2)
        third = executor.submit(search, "five")
        until(lambda: len(pool._batches._waiting) == 1)
        gate.open()
        for one in second:
            assert one.result(20)  # while the next batch runs
        until(lambda: len(gate.batches) == 3)
        assert not third.done()
        gate.open()
        assert third.result(20)
        gate.open()
        assert executor.submit(search, "six").result(20)
    assert [sorted(batch) for batch in gate.batches] == [
        ["one"], ["four", "three", "two"], ["five"], ["six"]
    ]  # fmt: skip


def together(pool: IndexPool, asks: list[tuple[Any, ...]]) -> list[Any]:
    """Run searches as one batch; return the result or the error of each."""

    def search(ask: tuple[Any, ...]) -> Any:
        try:
            return pool.search(*ask)
        except Exception as error:
            return f"{type(error).__name__}: {error}"

    with ThreadPoolExecutor(len(asks)) as executor:
        pool._batches._is_running = True
        waiting = [executor.submit(search, ask) for ask in asks]
        until(lambda: len(pool._batches._waiting) == len(asks))
        pool._batches._run_waiting()
        return [one.result(20) for one in waiting]


ASKS = [
    (text, k, mode, where)
    for text in ("event loop", "streams read data", "callbacks when the stack is empty", "nothing")
    for k, mode, where in [
        (3, "semantic", ALL), (3, "lexical", ALL), (2, "hybrid", ALL), (9, "semantic", Where("q2")),
    ]
]  # fmt: skip


def test_searches_together_equal_searches_alone(
    pool: IndexPool, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches: list[int] = []
    plain = searchkit.web.searching.search_batches.query

    def counted(index: Index, texts: list[str], *rest: Any, **options: Any) -> Any:
        batches.append(len(texts))
        return plain(index, texts, *rest, **options)

    monkeypatch.setattr("searchkit.web.searching.search_batches.query", counted)
    found = together(pool, ASKS)
    assert batches == [4, 4, 4, 4]
    with Index.open(folder) as index:
        assert found == [query(index, [text], *rest, details=True)[0] for text, *rest in ASKS]


def test_an_invalid_query_does_not_affect_others(pool: IndexPool) -> None:
    alone = pool.search("event loop", 3, "semantic", ALL)
    good = ("event loop", 3, "semantic", ALL)
    found = together(pool, [good, ("  ", 3, "semantic", ALL), good, ("loop", 0, "lexical", ALL)])
    assert found[0] == found[2] == alone
    assert found[1].startswith("BadInput: the query is blank")
    assert found[3].startswith("BadInput: the number of hits must be at least 1")


def test_an_internal_error_is_not_reported_as_no_hits(
    pool: IndexPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = searchkit.web.searching.search_batches.query

    def odd(index: Index, texts: list[str], *rest: Any, **options: Any) -> Any:
        if "odd" in texts:
            raise RuntimeError("a mistake")
        return plain(index, texts, *rest, **options)

    monkeypatch.setattr("searchkit.web.searching.search_batches.query", odd)
    asks = [(text, 3, "semantic", ALL) for text in ("odd", "event loop", "streams")]
    found = together(pool, asks)
    assert found[0] == "RuntimeError: a mistake"
    assert [len(hits) for hits in found[1:]] == [3, 3]

    def broken() -> None:
        raise BadInput("no reader")

    monkeypatch.setattr(pool, "_borrow", broken)
    assert together(pool, asks) == ["BadInput: no reader"] * 3


@pytest.mark.model
def test_together_equals_alone_with_the_real_model(tmp_path: Path) -> None:
    from searchkit.demo.corpus import DEMO_ANSWERS
    from searchkit.sources.reader import read_answers

    rows = [answer for _, answer in zip(range(60), read_answers([DEMO_ANSWERS]), strict=False)]
    with Index.create(tmp_path / "index") as index:
        index.add(rows)
    pool = IndexPool.open(tmp_path / "index")
    texts = [row.text[:80] for row in rows[:20]] + ["loop", "Why does one thread serve many?"]
    alone = [pool.search(text, 5, "semantic", ALL) for text in texts]
    found = together(pool, [(text, 5, "semantic", ALL) for text in texts])
    for one, other in zip(alone, found, strict=True):
        assert [h.answer.id for h in one] == [h.answer.id for h in other]
        assert [h.score for h in one] == pytest.approx([h.score for h in other], abs=2e-6)
    pool.close()


def test_all_batches_run_in_one_thread(pool: IndexPool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread keeps the memory that it once needed, so that many would keep much."""
    threads: set[int] = set()
    plain = searchkit.web.searching.search_batches.query

    def noting(*arguments: Any, **options: Any) -> Any:
        threads.add(threading.get_ident())
        return plain(*arguments, **options)

    monkeypatch.setattr("searchkit.web.searching.search_batches.query", noting)
    with ThreadPoolExecutor(4) as executor:
        list(executor.map(lambda n: pool.search(f"loop {n}", 3, "semantic", ALL), range(12)))
    assert len(threads) == 1


def test_a_pool_that_was_closed_searches_no_more(pool: IndexPool) -> None:
    pool.close()
    with pytest.raises(IndexBusy, match="the server is being stopped"):
        pool.search("loop", 3, "semantic", ALL)
