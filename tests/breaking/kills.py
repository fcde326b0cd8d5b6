"""Writers killed at random moments, with a reader beside them: nothing acknowledged is lost."""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"  # a process that forks must have no threads

import logging
import shutil
import signal
import sqlite3
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from breaking.shared.isolation import IsolatedReport, run_isolated
from helpers.encoder import ToyEncoder

from searchkit import Answer, Index
from searchkit.core.errors import IndexNotFound
from searchkit.index.decisions import decide
from searchkit.index.ingest import ingest
from searchkit.index.records import GradingCell, GradingChange
from searchkit.index.storage.schema import is_index
from searchkit.index.upkeep.copying import copy
from searchkit.index.upkeep.reindex import reindex
from searchkit.index.upkeep.verify import verify
from searchkit.text.words import sentence_spans

ENCODERS = {"toy-1": ToyEncoder(), "toy-2": ToyEncoder(16, 3, fingerprint="toy-2")}
STARTED = [
    Answer(
        f"a{n}",
        f"answer number{n} about topic{n % 3}. And one more sentence{n}",
        f"q{n % 2}",
        meta={"score": str(n)},
    )
    for n in range(9)
]
MAX_TRIES = 3  # of a command that is killed again and again; the last try is undisturbed
# What a writer beside a reader, or killed, leaves
TRANSIENT = ("left over", "not erased yet", "of no answer", "of other answers")
Ack = Callable[[], None]
State = dict[str, Any]


@dataclass(frozen=True)
class Command:
    """A command that writes.

    Attributes:
        act: Runs it on a folder, and calls the acknowledgement after each call that returned.
        states: What the index holds before it, and after each acknowledgement.
        prepare: Changes the folder before it runs.
    """

    act: Callable[[Path, Ack], None]
    states: list[State]
    prepare: Callable[[Path], None] = lambda folder: None


def opened(folder: Path) -> Index:
    """Open for writing, with the encoder of the index's model; or create."""
    if not is_index(folder):
        return Index.create(folder, ENCODERS["toy-1"])
    index = Index.open(folder, write=True)
    index._encoder = ENCODERS[index.model.fingerprint]
    return index


def held(answers: Sequence[Answer], decisions: Sequence[str] = ("a0 a1 open",)) -> State:
    by_id = {a.id: a for a in answers}
    return {"answers": by_id, "decisions": set(decisions), "grading": [], "model": "toy-1"}


START = held(STARTED)


def make_start(folder: Path) -> None:
    with Index.create(folder, ENCODERS["toy-1"]) as index:
        index.add(STARTED[:6])
        decide(index, "a0", "a1", "open")
        index.checkpoint()
        index.add(STARTED)


# -- the commands ----------------------------------------------------------------------------------


def _ingest(random: Random, changed: Callable[[int], Answer], count: int) -> Command:
    """Return an ingest in batches."""
    size = random.choice([1, 2, 3])
    rows = [changed(n) for n in range(count)]
    states = [START]
    for start in range(0, count, size):
        answers = states[-1]["answers"] | {a.id: a for a in rows[start : start + size]}
        states.append(START | {"answers": answers})

    def act(folder: Path, ack: Ack) -> None:
        with opened(folder) as index:
            for start in range(0, count, size):
                ingest(index, rows[start : start + size], on_duplicate="keep-last")
                ack()

    return Command(act, states)


def ingested(random: Random) -> Command:
    return _ingest(random, lambda n: Answer(f"new{n}", f"added number{n} as new{n}"), 6)


def updated(random: Random) -> Command:
    return _ingest(random, lambda n: replace(STARTED[n], text=f"changed text{n} of {n}"), 6)


def columns(random: Random) -> Command:
    """Return updates of columns, one call after the other."""
    steps = [{"a1": {"score": "7"}}, {"a2": {"mark": "8"}, "a3": {"mark": "9"}}, {"a0": {"x": "y"}}]
    states = [START]
    for step in steps:
        changed = {
            id_: replace(answer := states[-1]["answers"][id_], written={**answer.written, **values})
            for id_, values in step.items()
        }
        states.append(START | {"answers": states[-1]["answers"] | changed})

    def act(folder: Path, ack: Ack) -> None:
        with opened(folder) as index:
            for step in steps:
                index.update_columns(step)
                ack()

    return Command(act, states)


def decided(random: Random) -> Command:
    names = ["a1 a2 confirmed", "a3 a4 dismissed", "a5 a6 confirmed"]
    states = [held(STARTED, ["a0 a1 open", *names[:n]]) for n in range(len(names) + 1)]

    def act(folder: Path, ack: Ack) -> None:
        with opened(folder) as index:
            for name in names:
                decide(index, *name.split())
                ack()

    return Command(act, states)


def graded(random: Random) -> Command:
    """Return marks that are written together with their history, and undone."""
    steps = [
        GradingChange("q1", "Ada", "now", f"mark {id_}", (GradingCell(id_, "mark", None, "7"),))
        for id_ in ("a1", "a3")
    ]
    taken = GradingCell("a3", "mark", "7", None)
    steps.append(GradingChange("q1", "Ada", "now", "undo", (taken,), reverts=2))
    states = [START]
    for step in steps:
        answers = dict(states[-1]["answers"])
        for cell in step.cells:
            written = {} if cell.after is None else {cell.column: cell.after}
            answers[cell.answer] = replace(answers[cell.answer], written=written)
        changes = [*states[-1]["grading"], (step.what, step.cells)]
        states.append(START | {"answers": answers, "grading": changes})

    def act(folder: Path, ack: Ack) -> None:
        with opened(folder) as index:
            for n, step in enumerate(steps):
                if n >= len(index.grading.changes()):
                    index.add_grading_change(step)
                ack()

    return Command(act, states)


def deleted(random: Random) -> Command:
    steps = [["a2", "a7"], ["a8"], ["a3"]]
    answers, states = dict(START["answers"]), [START]
    for ids in steps:
        answers = {id_: answer for id_, answer in answers.items() if id_ not in ids}
        states.append(START | {"answers": answers})

    def act(folder: Path, ack: Ack) -> None:
        with opened(folder) as index:
            for ids in steps:
                index.remove(list(index.get_existing(ids)))
                ack()

    return Command(act, states)


def rebuilt(random: Random) -> Command:
    return _whole(lambda index: index.rebuild())


def checkpointed(random: Random) -> Command:
    return _whole(lambda index: index.checkpoint())


def _whole(call: Callable[[Index], object], **arguments: Any) -> Command:
    """Return a command that changes nothing that can be read."""

    def act(folder: Path, ack: Ack) -> None:
        with opened(folder) as index:
            call(index)
            ack()

    return Command(act, [START, START], **arguments)


def reindexed(random: Random) -> Command:
    def act(folder: Path, ack: Ack) -> None:
        with opened(folder) as index:
            reindex(index, ENCODERS["toy-2"], batch=2)
            ack()

    return Command(act, [START, START | {"model": "toy-2"}])


def mended(random: Random) -> Command:
    """Return a `reindex --damaged` of an index with a damaged vector."""

    def prepare(folder: Path) -> None:
        with closing(sqlite3.connect(folder / "answers.db", isolation_level=None)) as connection:
            connection.execute("UPDATE vectors SET vector = x'00' WHERE key IN (3, 7)")

    return _whole(lambda index: index.embed_damaged(), prepare=prepare)


def copied(random: Random) -> Command:
    """Return a copy into a new folder."""
    states = [held(STARTED[:n], []) for n in (0, 0, 2, 4, 6, 8, 9)]

    def act(folder: Path, ack: Ack) -> None:
        with Index.open(folder.with_name("start"), encoder=ENCODERS["toy-1"]) as source:
            with opened(folder) as target:
                ack()
                copy(source, target, batch=2, progress=lambda *_: ack())

    return Command(act, states, prepare=shutil.rmtree)


COMMANDS = [
    ingested, updated, columns, decided, graded, deleted, rebuilt, checkpointed, reindexed, mended,
    copied,
]  # fmt: skip


# -- looking ---------------------------------------------------------------------------------------


class Notices(logging.Handler):
    """A warning of damage is a failure, for nothing is damaged here."""

    def emit(self, record: logging.LogRecord) -> None:
        message = record.getMessage()
        words = ("from the database", "lost", "damaged")
        assert not any(word in message for word in words), message


def look(folder: Path, *, search: bool = True) -> State:
    """Open for reading, search, export and verify; return what the index holds."""
    with Index.open(folder) as index:
        model = index.model.fingerprint
        index._encoder = ENCODERS[model]
        answers = {answer.id: answer for answer in index.answers()}
        decisions = {f"{d.left} {d.right} {d.decision}" for d in index.decisions()}
        grading = [(change.what, change.cells) for change in index.grading.changes()]
        if search:
            texts = [answer.text for answer in answers.values()]
            for answer_id, hits in zip(answers, index.search(texts, 99), strict=True):
                assert answer_id in [hit.answer.id for hit in hits if hit.score > 0.999], answer_id
                assert {hit.answer.id for hit in hits} == set(answers), answer_id
            check_cache(index)
            problems = [p for p in verify(index) if not any(word in p for word in TRANSIENT)]
            assert not problems, problems
    return {"answers": answers, "decisions": decisions, "grading": grading, "model": model}


def check_cache(index: Index) -> None:
    """Check the vectors of sentences and a result, which are in the index's cache then."""
    ids = " ".join(index.ids()).encode()
    assert index.get_result(index.answers_key()) in (None, ids)
    index.put_result(index.answers_key(), ids)
    texts = [
        answer.text[start:end]
        for answer in index.answers()
        for start, end in sentence_spans(answer.text)
    ]
    expected = index.encoder._embed(texts)
    assert np.allclose(index.sentence_vectors(texts), expected, atol=1e-2)


def keep_looking(folder: Path, states: list[State], position: int, _: int, *, search: bool) -> None:
    """Look until killed; what is seen must be one of the states, and never an earlier one again."""
    while True:
        try:
            state = look(folder, search=search)
        except IndexNotFound:
            assert not position and not states[0]["answers"], "the index is gone"
            continue
        later = [n for n, known in enumerate(states) if known == state and n >= position]
        assert later, (position, state)
        position = later[0]


# -- processes -------------------------------------------------------------------------------------


class Child:
    """A forked process, whose output is read when it has ended."""

    def __init__(self, call: Callable[[int], None]) -> None:
        self._reading, writing = os.pipe()
        self.pid = os.fork()
        if not self.pid:
            code = 0
            try:
                call(writing)
            except BaseException as error:
                name = getattr(error.__cause__, "sqlite_errorname", "")
                text = f"!{type(error).__name__}: {error} {name}\n{traceback.format_exc()[-3000:]}"
                os.write(writing, text.encode())
                code = 1
            os._exit(code)
        os.close(writing)

    def kill(self) -> tuple[bool, bytes]:
        """Kill it; return whether it had not ended yet, and what it wrote."""
        os.kill(self.pid, signal.SIGKILL)
        return self.wait()

    def wait(self) -> tuple[bool, bytes]:
        with os.fdopen(self._reading, "rb") as pipe:
            output = pipe.read()
        _, status = os.waitpid(self.pid, 0)
        assert b"!" not in output, output.decode()
        return os.WIFSIGNALED(status), output


_typical: dict[str, float] = {}  # seconds that a command takes


def kill_a_writer(random: Random, room: Path) -> str:
    """Kill one command, perhaps again when it is run again, and check what it leaves."""
    start = room / "start"
    template = room.parent / "template"
    if not template.exists():
        make_start(template)
        logging.getLogger("searchkit").addHandler(Notices(logging.WARNING))
    make = random.choice(COMMANDS)
    command, folder = make(random), room / "index"
    shutil.copytree(template, start)
    shutil.copytree(template, folder)
    command.prepare(folder)
    is_sound = make is not mended
    states, position, killed = command.states, 0, 0
    for attempt in range(MAX_TRIES):
        reader = Child(partial(keep_looking, folder, states, position, search=is_sound))
        is_last = attempt == MAX_TRIES - 1 or (attempt > 0 and random.random() < 0.6)
        began = time.monotonic()
        writer = Child(lambda out: command.act(folder, lambda: os.write(out, b".") and None))
        if is_last:
            was_killed, output = writer.wait()
            _typical[make.__name__] = time.monotonic() - began
        else:
            time.sleep(random.random() * 1.1 * _typical.get(make.__name__, 0.1))
            was_killed, output = writer.kill()
        reader.kill()
        killed += was_killed
        if not was_killed:
            break
        position = check(folder, states, position, len(output), search=is_sound)
    with opened(folder) as index:
        problems = verify(index)
    assert problems == [], problems
    assert look(folder) == command.states[-1]
    return f"{make.__name__}, killed" if killed else "not killed"


def check(folder: Path, states: list[State], before: int, acks: int, *, search: bool) -> int:
    """Return the number of the state that a kill has left: that acknowledged last, or the next.

    A command that is run again acknowledges also what was there `before`.
    """
    try:
        state = look(folder, search=search)
    except IndexNotFound:
        assert not acks and not before and not states[0]["answers"], "the index is gone"
        return before
    allowed = range(max(acks, before), min(max(acks + 1, before) + 1, len(states)))
    position = next((n for n in allowed if states[n] == state), None)
    assert position is not None, (allowed, [n for n, s in enumerate(states) if s == state], state)
    return position


def run(seed: int, count: int | None = None, seconds: float = 20.0) -> IsolatedReport:
    """Kill `count` commands, or as many as there are in `seconds`."""
    return run_isolated(kill_a_writer, seed, count, seconds)
