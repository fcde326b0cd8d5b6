"""An index pool: one state for many threads, swapped as a whole; jobs; searches together."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from helpers.encoder import ToyEncoder
from helpers.files import DATA
from helpers.serving import make_index, until, writer

import searchkit.web.index_pool
from searchkit import Answer, Index
from searchkit.core.errors import BadInput, IndexBusy, IndexNotFound, SearchkitError
from searchkit.core.where import Where
from searchkit.index.decisions import decide, decisions
from searchkit.index.upkeep.reindex import reindex
from searchkit.index.upkeep.verify import verify
from searchkit.web.index_pool import MAX_JOBS, MAX_READERS, IndexPool
from searchkit.web.jobs import Job

ALL = Where()


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[Index]:
    """Return a list of every opened reader, to check that none stays open."""
    found: list[Index] = []
    plain = Index.reopened

    def reopened(self: Index, *, with_new_files: bool = False) -> Index:
        found.append(plain(self, with_new_files=with_new_files))
        return found[-1]

    monkeypatch.setattr(Index, "reopened", reopened)
    return found


def is_closed(index: Index) -> bool:
    try:
        index.store.rows("SELECT 1")
    except Exception:
        return True
    return False


def ids(pool: IndexPool) -> list[str]:
    with pool.reading() as index:
        return [answer.id for answer in index.answers()]


# -- one state, swapped as a whole -----------------------------------------------------------------


def test_readers_are_reused(pool: IndexPool, opened: list[Index]) -> None:
    with pool.reading() as first, pool.reading() as second:
        assert first is not second
        assert first.vectors is second.vectors
        assert first.encoder is second.encoder
    with pool.reading() as third:
        assert third in (first, second)
    assert len(opened) == 1


def test_a_reader_cannot_write(pool: IndexPool) -> None:
    with pool.reading() as index:
        with pytest.raises(ValueError, match="opened for reading"):
            index.add([Answer("x", "y")])
        with pytest.raises(SearchkitError, match="readonly"):
            index.store.rows("DELETE FROM decisions")


def changes() -> dict[str, Callable[[Path], None]]:
    def ingest(folder: Path) -> None:
        with writer(folder) as index:
            index.add([Answer("new", "Streams and middleware")])

    def delete(folder: Path) -> None:
        with writer(folder) as index:
            index.remove(["a1"])

    def annotate(folder: Path) -> None:
        with writer(folder) as index:
            index.update_columns({"a2": {"score": "99"}})

    def judge(folder: Path) -> None:
        with writer(folder) as index:
            decide(index, "a1", "a2", "confirmed")

    def another_model(folder: Path) -> None:
        with writer(folder) as index:
            reindex(index, ToyEncoder(16, fingerprint="another"))

    def anew(folder: Path) -> None:
        shutil.rmtree(folder)
        make_index(folder, [Answer("only", "One answer in a folder made anew", "q9")])

    return {one.__name__: one for one in (ingest, delete, annotate, judge, another_model, anew)}


def snapshot(index: Index) -> list[Any]:
    hits = index.search(["the event loop and streams"], 5)[0]
    rows = [(a.id, a.text, dict(a.columns)) for a in index.answers()]
    return [rows, [(h.answer.id, h.score) for h in hits], list(decisions(index).values())]


@pytest.mark.parametrize("change", changes())
def test_the_next_request_sees_what_another_process_wrote(
    change: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sized = {"another": 16}
    monkeypatch.setattr(
        "searchkit.index.base.load_encoder",
        lambda _="", *, fingerprint=None, **__: ToyEncoder(
            sized.get(fingerprint, 32), fingerprint=fingerprint
        ),
    )
    pool = IndexPool.open(folder)
    with pool.reading() as old:
        before, vectors = snapshot(old), old.vectors
        changes()[change](folder)
        with pool.reading() as new:  # while the old one is in use
            with Index.open(folder) as plain:
                assert snapshot(new) == snapshot(plain)
            assert snapshot(new) != before
            assert (new.vectors is vectors) == (change in ("annotate", "judge"))
            hits = pool.search("the event loop and streams", 5, "semantic", ALL)
            assert [(h.answer.id, h.score) for h in hits] == snapshot(new)[1]
        assert snapshot(old) == before  # whole as it was, to the end
    assert is_closed(old)
    assert not is_closed(new)
    pool.close()
    assert is_closed(new)


def test_readers_of_an_old_state_are_closed_and_none_is_leaked(
    pool: IndexPool, folder: Path, opened: list[Index]
) -> None:
    for n in range(5):
        with pool.reading(), pool.reading(), writer(folder) as index:
            index.update_columns({"a1": {"mark": str(n)}})
        with pool.reading() as now:
            assert now.get(["a1"])[0].columns["mark"] == str(n)
    assert [index for index in opened if not is_closed(index)] == [now]
    pool.close()
    assert is_closed(now)


def test_a_reader_in_use_is_closed_on_return_after_the_pool_closed(pool: IndexPool) -> None:
    with pool.reading() as index:
        pool.close()
        assert len(index) == 6
    assert is_closed(index)
    with pytest.raises(IndexBusy, match="is being stopped"), pool.reading():
        pass


def test_a_missing_folder_is_reported_and_a_new_one_is_opened(
    pool: IndexPool, folder: Path, answers: list[Answer]
) -> None:
    shutil.rmtree(folder)
    for _ in range(2):
        with pytest.raises(IndexNotFound, match="isn't there any more"):
            ids(pool)
    folder.mkdir()
    (folder / "answers.db").touch()  # as far as a new one is when its database is begun
    for _ in range(2):
        with pytest.raises(SearchkitError, match="no index here"):
            ids(pool)
    (folder / "answers.db").unlink()
    make_index(folder, answers[:2])
    assert ids(pool) == ["a1", "a2"]


def test_a_write_during_opening_is_seen(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain, done = Index.open.__func__, []

    def opening(cls: type[Index], path: Path, **options: Any) -> Index:
        index = plain(cls, path, **options)
        if len(done) == 1:
            done.append(True)
            with plain(cls, folder, write=True, encoder=ToyEncoder()) as second:
                second.add([Answer("late", "Just in this moment")])
        elif not done:
            done.append(True)
        return index

    monkeypatch.setattr(Index, "open", classmethod(opening))
    pool = IndexPool.open(folder)
    assert "late" in ids(pool)
    pool.close()


def test_a_waiting_request_gets_a_reader_of_the_new_state(pool: IndexPool, folder: Path) -> None:
    leave = threading.Event()

    def hold() -> None:
        with pool.reading():
            leave.wait(20)

    with ThreadPoolExecutor(MAX_READERS + 3) as executor:
        held = [executor.submit(hold) for _ in range(MAX_READERS)]
        until(lambda: pool._snapshot.opened == MAX_READERS and not pool._snapshot.free)
        waiting = [executor.submit(ids, pool) for _ in range(2)]
        time.sleep(0.05)
        assert not any(one.done() for one in waiting)
        with writer(folder) as index:
            index.add([Answer("new", "More")])
        assert "new" in ids(pool)  # sees the change, and wakes the others
        assert all("new" in one.result(10) for one in waiting)
        leave.set()
        assert all(one.result(10) is None for one in held)


def test_too_many_requests_at_once_are_refused(pool: IndexPool) -> None:
    pool.reader_timeout = 0.05
    with pool.reading(), pool.reading(), pool.reading(), pool.reading():
        with pytest.raises(IndexBusy, match="too many requests at the same time"), pool.reading():
            pass
        with pytest.raises(IndexBusy, match="too many requests"):
            pool.search("loop", 3, "semantic", ALL)
    assert len(ids(pool)) == 6


def test_an_old_format_is_upgraded(tmp_path: Path, toy: None) -> None:
    shutil.copytree(DATA / "format-1", tmp_path / "index")
    pool = IndexPool.open(tmp_path / "index")
    with pool.writing() as index:
        decide(index, "a", "d", "confirmed")
    with pool.reading() as index:
        assert len(decisions(index)) == 1
    pool.close()


def test_opening_without_an_index_fails(tmp_path: Path) -> None:
    with pytest.raises(IndexNotFound, match="no index here; make one with"):
        IndexPool.open(tmp_path)


# -- writing ---------------------------------------------------------------------------------------


def test_written_answers_are_read_at_once_and_vectors_are_shared(pool: IndexPool) -> None:
    with pool.reading() as before:
        vectors = before.vectors
    with pool.writing() as index:
        decide(index, "a1", "a2", "dismissed")
    with pool.reading() as after:
        assert len(decisions(after)) == 1
        assert after.vectors is vectors


def test_another_writing_process_is_reported_at_once(pool: IndexPool, folder: Path) -> None:
    with writer(folder), pytest.raises(IndexBusy, match="being written by process"):
        with pool.writing():
            pass
    with pool.writing() as index:
        decide(index, "a1", "a2", "confirmed")


def test_a_long_write_does_not_block_requests(
    pool: IndexPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    entered, leave = threading.Event(), threading.Event()

    def long() -> None:
        with pool.writing():
            entered.set()
            leave.wait(20)

    def patient() -> None:
        with pool.writing(timeout=-1) as index:
            decide(index, "a1", "a3", "confirmed")

    with ThreadPoolExecutor(2) as executor:
        first = executor.submit(long)
        assert entered.wait(10)
        assert len(ids(pool)) == 6  # reading goes on
        busy = pytest.raises(IndexBusy, match="a file is being put into the index; try again")
        with busy, pool.writing(timeout=0.05):
            pass
        second = executor.submit(patient)
        time.sleep(0.05)
        leave.set()
        first.result(10)
        second.result(10)
    with pool.reading() as index:
        assert len(decisions(index)) == 1


def test_the_write_ahead_log_does_not_grow_with_every_decision(
    pool: IndexPool, folder: Path
) -> None:
    sizes = []
    for n in range(30):
        with pool.writing() as index:
            decide(index, "a1", f"other:{n}", "confirmed")
        with pool.reading() as index:
            assert len(decisions(index)) == n + 1
        sizes.append((folder / "answers.db-wal").stat().st_size)
    assert max(sizes) < 100_000


def test_many_threads_decide_and_read_and_nothing_is_lost(pool: IndexPool, folder: Path) -> None:
    def work(n: int) -> int:
        with pool.writing(timeout=20) as index:
            number = decide(index, "a1", f"other:{n}", "confirmed").number
        with pool.reading() as index:
            assert number in [one.number for one in decisions(index).values()]
            assert snapshot(index)[1]
        return number

    with ThreadPoolExecutor(8) as executor:
        numbers = list(executor.map(work, range(40)))
    assert len(set(numbers)) == 40
    pool.close()
    with Index.open(folder, write=True, encoder=ToyEncoder()) as index:
        assert len(decisions(index)) == 40
        assert verify(index) == []


def test_a_slow_filter_does_not_block_other_searches(
    pool: IndexPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    entered, leave = threading.Event(), threading.Event()
    plain = searchkit.web.index_pool.query

    def slow(
        index: Index, texts: list[str], k: int, mode: Any, where: Where, **options: Any
    ) -> Any:
        if where.sql:
            entered.set()
            leave.wait(20)
        return plain(index, texts, k, mode, where, **options)

    monkeypatch.setattr("searchkit.web.index_pool.query", slow)
    with ThreadPoolExecutor(1) as executor:
        waiting = executor.submit(pool.search, "loop", 3, "semantic", Where(sql="score > 1"))
        assert entered.wait(10)
        assert len(pool.search("event loop", 1, "semantic", ALL)) == 1
        leave.set()
        assert waiting.result(10)


# -- jobs ------------------------------------------------------------------------------------------


def done(pool: IndexPool, job: Job[Any]) -> Any:
    assert pool.wait(job, 10)
    return job.get()


def test_a_job_is_computed_once_and_reports_progress(pool: IndexPool) -> None:
    leave, runs = threading.Event(), []

    def compute(index: Index, progress: Callable[[int, int], None]) -> int:
        runs.append(1)
        progress(2, 6)
        assert leave.wait(10)
        return len(index)

    with ThreadPoolExecutor(5) as executor:
        jobs = list(executor.map(lambda _: pool.job("count", compute), range(5)))
    assert len({id(job) for job in jobs}) == 1
    until(lambda: jobs[0].done == 2)
    assert (jobs[0].total, pool.wait(jobs[0], 0)) == (6, False)
    with pytest.raises(IndexBusy, match="still being computed"):
        jobs[0].get()
    leave.set()
    assert [done(pool, job) for job in jobs] == [6] * 5
    assert done(pool, pool.job("count", compute)) == 6
    assert len(runs) == 1


@pytest.mark.parametrize("error", [BadInput("it can't be"), ValueError("a mistake")])
def test_an_error_is_reported_and_the_next_request_retries(
    pool: IndexPool, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    runs = []

    def compute(_: Index, __: object) -> str:
        runs.append(1)
        if len(runs) == 1:
            raise error
        return "now"

    for _ in range(3):
        job = pool.job("key", compute)
        assert pool.wait(job, 10)
    assert len(runs) == 1  # not told yet, so it is kept
    with pytest.raises(type(error), match=str(error)):
        job.get()
    assert done(pool, pool.job("key", compute)) == "now"
    assert len(runs) == 2
    assert ("internal error" in caplog.text) == isinstance(error, ValueError)


@pytest.mark.parametrize(
    ("keep_until", "after_decision", "after_answer"),
    [("answers change", 1, 2), ("anything changes", 2, 3), ("delivered", 2, 3)],
)
def test_a_result_is_kept_while_it_is_valid(
    pool: IndexPool, folder: Path, keep_until: Any, after_decision: int, after_answer: int
) -> None:
    runs = []

    def compute(index: Index, _: object) -> int:
        runs.append(1)
        return len(index)

    assert done(pool, pool.job("key", compute, keep_until)) == 6
    with writer(folder) as index:
        decide(index, "a1", "a2", "confirmed")
    assert done(pool, pool.job("key", compute, keep_until)) == 6
    assert len(runs) == after_decision
    with writer(folder) as index:
        index.add([Answer("new", "More")])
    assert done(pool, pool.job("key", compute, keep_until)) == 7
    assert len(runs) == after_answer


def test_a_job_of_another_version_takes_the_place_of_a_finished_one(pool: IndexPool) -> None:
    leave, runs = threading.Event(), []

    def compute(index: Index, _: object) -> int:
        runs.append(1)
        assert leave.wait(10)
        return len(runs)

    assert pool.last_result("key") is None
    first = pool.job("key", compute, version="a")
    assert pool.job("key", compute, version="b") is first  # never two for one key
    leave.set()
    assert done(pool, first) == 1
    assert pool.job("key", compute, version="a") is first
    leave.clear()
    second = pool.job("key", compute, version="b")
    assert (second.version, pool.last_result("key")) == ("b", 1)
    leave.set()
    assert done(pool, second) == 2
    assert pool.last_result("key") == 2


def test_a_job_finishes_on_the_state_on_which_it_began(
    pool: IndexPool, folder: Path, opened: list[Index]
) -> None:
    entered, leave = threading.Event(), threading.Event()

    def compute(index: Index, _: object) -> list[str]:
        entered.set()
        leave.wait(10)
        return [answer.id for answer in index.answers()]

    old = pool.job("ids", compute)
    assert entered.wait(10)
    with writer(folder) as index:
        index.add([Answer("new", "More")])
    new = pool.job("ids", compute)
    assert new is not old
    leave.set()
    assert "new" in done(pool, new)
    assert "new" not in done(pool, old)
    until(lambda: sum(not is_closed(index) for index in opened) <= 1)


def test_the_number_of_concurrent_jobs_is_limited(pool: IndexPool) -> None:
    running, most, lock, leave = [0], [0], threading.Lock(), threading.Event()

    def compute(_: Index, __: object) -> None:
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        leave.wait(0.05)
        with lock:
            running[0] -= 1

    jobs = [pool.job(n, compute) for n in range(8)]
    for job in jobs:
        assert pool.wait(job, 10)
    assert most[0] == 2


def test_the_number_of_kept_results_is_limited(pool: IndexPool) -> None:
    for n in range(MAX_JOBS + 5):
        assert done(pool, pool.job(n, lambda _, __: "x")) == "x"
    assert len(pool._jobs["answers change"]) == MAX_JOBS


def test_waiting_requests_leave_threads_for_others(
    pool: IndexPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool._waiting = threading.Semaphore(1)
    leave = threading.Event()
    job = pool.job("slow", lambda _, __: leave.wait(10))
    with ThreadPoolExecutor(1) as executor:
        first = executor.submit(pool.wait, job, 10)
        until(lambda: pool._waiting._value == 0)
        started = time.monotonic()
        assert pool.wait(job, 10) is False
        assert time.monotonic() - started < 5
        leave.set()
        assert first.result(10)
    assert pool.wait(job, 10)


def test_decisions_join_findings_that_were_computed_before(pool: IndexPool) -> None:
    from searchkit.plagiarism.find import find_plagiarism

    found = done(pool, pool.job("findings", lambda index, _: find_plagiarism(index)))
    assert pool.with_decisions(found).decisions == {}
    with pool.writing() as index:
        decide(index, "a1", "a2", "dismissed")
    assert set(pool.with_decisions(found).decisions) == {("a1", "a2")}


def test_searches_go_on_while_another_process_writes(pool: IndexPool, folder: Path) -> None:
    """Each search sees the whole of one state: as many hits as there are answers in it."""
    stop = threading.Event()
    sizes = set()

    def search() -> None:
        while not stop.is_set():
            hits = pool.search("word", 1000, "semantic", ALL)
            assert [hit.rank for hit in hits] == list(range(1, len(hits) + 1))
            sizes.add(len(hits))

    with ThreadPoolExecutor(4) as executor:
        searching = [executor.submit(search) for _ in range(4)]
        for n in range(8):
            with writer(folder) as index:
                index.add([Answer(f"n{n}-{i}", f"word {n} {i}") for i in range(10)])
            until(lambda size=15 + 10 * n: size in sizes)
        stop.set()
        for one in searching:
            one.result(20)
    assert sizes <= {5 + 10 * n for n in range(9)}
