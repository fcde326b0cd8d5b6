"""Run as a program: kill a child process at many steps of a scenario, and check what it leaves.

`python -m helpers.crash_driver SCENARIO FOLDER` prints how many steps there were. A step is a
statement that SQLite begins, or a call that changes files (before and after it). A child is
forked for every fifth step and kills itself there with SIGKILL. The parent then opens what is left,
checks it, runs the scenario to its end, and compares with a build that nobody disturbed.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"  # a process that forks must have no threads

import itertools
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from helpers.encoder import ToyEncoder
from helpers.files import DATA
from searchkit import Answer, Index
from searchkit.core.errors import IndexNotFound
from searchkit.index.decisions import decide
from searchkit.index.embedding import embed, new_texts, split_answers
from searchkit.index.ingest import ingest
from searchkit.index.records import GradingCell, GradingChange
from searchkit.index.storage import database as database_module
from searchkit.index.storage.schema import is_index
from searchkit.index.storage.successor import Successor
from searchkit.index.upkeep.reindex import reindex
from searchkit.index.upkeep.verify import verify
from searchkit.index.vectors.vector_index import VectorIndex

STRIDE = 5  # of the steps; most are statements of one transaction, and leave the same
ANSWERS = [Answer(f"a{n}", f"answer number{n} about topic{n % 3}", f"q{n % 2}") for n in range(6)]
CHANGED = [Answer(f"a{n}", f"changed text{n}", f"q{n % 2}") for n in range(3)]


def ingested(folder: Path) -> None:
    opened = Index.open if is_index(folder) else Index.create
    arguments = {"write": True} if is_index(folder) else {}
    with opened(folder, encoder=ToyEncoder(), **arguments) as index:
        ingest(index, ANSWERS, batch=2)


def updated(folder: Path) -> None:
    with Index.open(folder, write=True, encoder=ToyEncoder()) as index:
        ingest(index, CHANGED, batch=2, on_duplicate="keep-last")
        index.checkpoint()


def taken_over(folder: Path) -> None:
    """Let others' answers take the places of those with marks, and a decision about two."""
    others = [Answer(a.id, f"other text{n}", "q9", "Eve") for n, a in enumerate(ANSWERS[:2])]
    with Index.open(folder, write=True, encoder=ToyEncoder()) as index:
        ingest(index, others, on_duplicate="keep-last")


def decided(folder: Path) -> None:
    graded(folder)
    with Index.open(folder, write=True, encoder=ToyEncoder()) as index:
        decide(index, "a0", "a2", "confirmed")


def removed(folder: Path) -> None:
    with Index.open(folder, write=True, encoder=ToyEncoder()) as index:
        index.remove([a.id for a in ANSWERS[:2] if a.id in index.store.get(["a0", "a1"])])


def rebuilt(folder: Path) -> None:
    with Index.open(folder, write=True, encoder=ToyEncoder()) as index:
        index.rebuild()


def graded(folder: Path) -> None:
    """Write marks and their history, once."""
    cells = tuple(GradingCell(answer.id, "mark", None, "7") for answer in ANSWERS)
    with Index.open(folder, write=True, encoder=ToyEncoder()) as index:
        if not index.grading.changes():
            index.add_grading_change(
                GradingChange("q0", "Ada", "now", "mark 7", cells, (None, "{}"))
            )


def other() -> ToyEncoder:
    """Return another model, of another dimension, whose window splits each answer in two."""
    return ToyEncoder(16, 3, fingerprint="toy-2")


def reindexed(folder: Path) -> None:
    """Reindex, and check that nothing is embedded that a killed run has embedded."""
    encoder = other()
    with Index.open(folder, write=True) as index:
        over = index.store.model().fingerprint == encoder.fingerprint
        before = Successor(index.store).counts()["vectors"]
        done = reindex(index, encoder, batch=2)
        texts = index.store.counts()["vectors"]
    assert done.reused == (0 if over else before)
    assert len(encoder.texts) == done.embedded == (0 if over else texts - before)


def half_reindexed(folder: Path) -> None:
    """Stop a reindex after its second batch."""

    class Stop(Exception):
        pass

    def stop(done: int, _: int) -> None:
        if done == 4:
            raise Stop

    with Index.open(folder, write=True) as index:
        try:
            reindex(index, other(), batch=2, progress=stop)
        except Stop:
            return
    raise AssertionError("it was to stop in the middle")


def forgets(folder: Path) -> None:
    """Delete an answer, and check that no file holds its vectors of either model."""
    traces = [
        embed(encoder, [text]).tobytes()
        for encoder in (ToyEncoder(), other())
        for text in new_texts(split_answers(encoder, ANSWERS[:1]), {}).values()
        if "number0" in text  # the rest of it stands in another answer, too
    ]
    assert len(traces) == 2
    with Index.open(folder, write=True) as index:
        index.remove(["a0"])
        assert verify(index) == []
    for path in folder.iterdir():
        assert all(trace not in path.read_bytes() for trace in traces), path


def of_format_3(folder: Path) -> None:
    shutil.copytree(DATA / "format-3", folder)


def migrated(folder: Path) -> None:
    Index.open(folder, write=True, encoder=ToyEncoder()).close()


def nothing(folder: Path) -> None:
    pass


SCENARIOS: dict[str, tuple[Callable[[Path], None], Callable[[Path], None]]] = {
    "ingest": (nothing, ingested),
    "update": (ingested, updated),
    "delete": (ingested, removed),
    "take over": (lambda folder: [ingested(folder), decided(folder)], taken_over),
    "rebuild": (ingested, rebuilt),
    "grade": (ingested, graded),
    "reindex": (ingested, reindexed),
    "migrate": (of_format_3, migrated),
    "resume": (lambda folder: [ingested(folder), half_reindexed(folder)], reindexed),
}


def kill_at(step: int) -> None:
    """Make this process kill itself at a step."""
    taken = itertools.count(1)

    def take(*_: object) -> None:
        if next(taken) == step:
            os.kill(os.getpid(), signal.SIGKILL)

    def stepping(call: Callable) -> Callable:
        def called(*arguments, **named):
            take()
            result = call(*arguments, **named)
            take()
            return result

        return called

    connect = database_module.connect

    def traced(uri: str):
        connection = connect(uri)
        connection.set_trace_callback(take)
        return connection

    database_module.connect = traced
    for owner, name in [
        (os, "fsync"), (os, "ftruncate"), (Path, "replace"), (Path, "unlink"), (Path, "mkdir"),
        (VectorIndex, "save"),
    ]:  # fmt: skip
        setattr(owner, name, stepping(getattr(owner, name)))


def state(folder: Path) -> dict[str, str] | None:
    """Return what an index holds, after checking that it is found; None if there is no index."""
    try:
        with Index.open(folder) as index:
            model = index.store.model().fingerprint
            index._encoder = ToyEncoder() if model == "toy-1" else other()
            held = {a.id: a.text for a in index.answers()}
            texts = {name: text for name, text in held.items() if text}
            for answer_id, text in texts.items():
                (hits,) = index.search([text], len(texts))
                assert answer_id in [h.answer.id for h in hits if h.score > 0.999], answer_id
                assert {h.answer.id for h in hits} == set(texts)
            written = {a.id: dict(a.written) for a in index.answers()}
            grading = repr([written, index.grading.changes(), index.grading.settings()])
            pairs = repr(index.decisions())
            passages = str(index.store.counts()["passages"])
            rest = {"model": model, "passages": passages, "grading": grading, "decisions": pairs}
            return held | rest
    except IndexNotFound:
        return None


def sound(folder: Path) -> list[str]:
    with Index.open(folder, write=True) as index:
        return verify(index)


def main(scenario: str, folder: Path) -> None:
    before, act = SCENARIOS[scenario]
    start, clean = folder / "start", folder / "clean"
    for path, steps in ((start, [before]), (clean, [before, act])):
        for step in steps:
            step(path)
    allowed = [state(start), *between(scenario), state(clean)]
    for number in itertools.count(1, STRIDE):
        path = folder / "lived"
        shutil.rmtree(path, ignore_errors=True)
        if start.exists():
            shutil.copytree(start, path)
        child = os.fork()
        if not child:
            kill_at(number)
            act(path)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        left = state(path) if path.exists() else None
        assert left in allowed, (number, left)
        if act is reindexed:
            with Index.open(path) as index:
                # The FAISS file is part of the swap.
                assert index.checkpoints.table.current() is not None, number
            shutil.copytree(path, folder / "deleted")
            forgets(folder / "deleted")
            shutil.rmtree(folder / "deleted")
        act(path)
        assert state(path) == state(clean), number
        assert sound(path) == [], number
        for word in (b"number0", b"number1") if scenario == "delete" else ():
            assert all(word not in p.read_bytes() for p in path.iterdir()), (number, word)
        if os.WIFEXITED(status):
            assert os.WEXITSTATUS(status) == 0
            print(number)
            return


def between(scenario: str) -> list[dict[str, str]]:
    """Return the states that committed batches leave."""
    texts = {a.id: a.text for a in ANSWERS}
    held = []
    if scenario == "ingest":
        held = [{a.id: a.text for a in ANSWERS[:n]} for n in (0, 2, 4)]
    if scenario == "update":
        held = [texts | {a.id: a.text for a in CHANGED[:2]}]
    return [
        answers
        | {
            "model": "toy-1",
            "passages": str(len(answers)),
            "grading": repr([{name: {} for name in answers}, [], {}]),
            "decisions": "[]",
        }
        for answers in held
    ]


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
