"""Random damage of every file of an index: noticed, or without effect; and the advice mends it."""

from __future__ import annotations

import logging
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import patch

from breaking.shared.isolation import IsolatedReport, run_isolated
from helpers.encoder import ToyEncoder

from searchkit import Answer, Index
from searchkit.core.errors import SearchkitError
from searchkit.index.decisions import decide
from searchkit.index.storage.checksums import COLUMNS, existing_tables, key_columns
from searchkit.index.upkeep.reindex import reindex
from searchkit.index.upkeep.verify import verify
from searchkit.index.vectors import checkpoint, codes
from searchkit.text.words import sentence_spans

ANSWERS = [
    Answer(
        f"a{n}",
        f"the event loop number{n} runs topic{n % 3} " + "and more words " * (n % 4 * 3),
        f"q{n % 2}",
        f"s{n}",
        source=f"course {n % 2}.csv",
        line=n + 2,
        meta={"score": str(n % 5), "comment": "well done"},
    )
    for n in range(12)
]
GONE = [Answer(f"gone{n}", f"this will be deleted {n}") for n in range(2)]
MAX_ROUNDS = 6  # of following the advice
NO_CURE = ("restore a copy", "no index here", "not a searchkit database", "newer searchkit")
Content = dict[str, Any]


class Stop(Exception):
    """Ends a reindex in the middle."""


def make_states(folder: Path) -> None:
    """Make one index at six moments: closed ones, the last with codes, and while it was open."""
    path = folder / "index"
    with Index.create(path, ToyEncoder()) as index:
        index.add([*ANSWERS[:6], *GONE])
        decide(index, "a1", "a2", "confirmed", "the same words")
        sentence_vectors(index)
        shutil.copytree(path, folder / "live-first")
    shutil.copytree(path, folder / "first")
    with Index.open(path, write=True, encoder=ToyEncoder()) as index:
        index.add(ANSWERS[:10])
        index.checkpoint()
        index.remove(["gone0"])
        index.add(ANSWERS)  # the last are in no FAISS file
        decide(index, "a3", "a4", "dismissed")
        sentence_vectors(index)
        shutil.copytree(path, folder / "live")
        index.remove(["gone1"])
    shutil.copytree(path, folder / "closed")
    with codes_of_few(), Index.open(path, write=True):
        pass
    shutil.copytree(path, folder / "coded")
    with Index.open(path, write=True, encoder=ToyEncoder()) as index:
        with suppress(Stop):
            reindex(index, ToyEncoder(16, fingerprint="toy-2"), batch=4, progress=_stop)
        shutil.copytree(path, folder / "live-reindex")


@contextmanager
def codes_of_few() -> Iterator[None]:
    """Write and use codes of few vectors, too."""
    with patch.object(checkpoint, "MIN_ROWS", 1), patch.object(codes, "MIN_ROWS", 1):
        yield


def sentence_vectors(index: Index) -> bytes:
    """Return the vectors of all sentences, which are kept then, and check a result that is."""
    assert index.get_result(b"key") in (None, b"the value")
    index.put_result(b"key", b"the value")
    spans = ((a.text, span) for a in index.answers() for span in sentence_spans(a.text))
    vectors = index.sentence_vectors([text[start:end] for text, (start, end) in spans])
    index.cache.close()  # which writes them
    return vectors.tobytes()


def _stop(done: int, _: int) -> None:
    if done > 4:
        raise Stop


ORDER = ("live-first", "first", "live", "closed", "coded", "live-reindex")
STATES = ("closed", "coded", "live", "live-first", "live-reindex")


def content(index: Index) -> Content:
    """Return everything that an index holds."""
    return {
        "answers": {s.answer.id: (s.answer, s.passages, s.vectors.tobytes())
                    for s in index.iter_stored()},
        "hits": [
            [(hit.answer.id, hit.score) for hit in hits]
            for hits in (*index.search(["event loop", "number3"], 20),
                         *index.search_words(["event loop", "number3"], 20))
        ],
        "decisions": {(d.left, d.right, d.decision, d.reason) for d in index.decisions()},
        "sentences": sentence_vectors(index),
        "model": index.model,
        "columns": sorted(index.columns()),
    }  # fmt: skip


class Notices(logging.Handler):
    """The warnings that were logged."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


# -- damage ----------------------------------------------------------------------------------------


def flip_bit(random: Random, data: bytes) -> bytes:
    return _replaced(data, position := random.randrange(len(data)),
                     bytes([data[position] ^ 1 << random.randrange(8)]))  # fmt: skip


def set_byte(random: Random, data: bytes) -> bytes:
    return _replaced(data, random.randrange(len(data)), random.randbytes(1))


def set_bytes(random: Random, data: bytes) -> bytes:
    length = random.choice([2, 8, 100])
    return _replaced(data, random.randrange(len(data)), random.randbytes(length))[: len(data)]


def zero_block(random: Random, data: bytes) -> bytes:
    size = random.choice([512, 4096])
    start = random.randrange(0, len(data), size)
    return _replaced(data, start, bytes(min(size, len(data) - start)))


def cut(random: Random, data: bytes) -> bytes:
    unit = random.choice([1, 1, 512, 4096])
    return data[: random.randrange(len(data)) // unit * unit]


def append(random: Random, data: bytes) -> bytes:
    return data + random.choice([random.randbytes, bytes])(random.choice([1, 100, 4096]))


def _replaced(data: bytes, start: int, new: bytes) -> bytes:
    return data[:start] + new + data[start + len(new) :]


ODD_VALUES = [
    None, 0, 1, -1, 2, 7, 10**6, 2**62, 1.5, float("inf"), "", "x", "a1", "\0", "[]", "{}", "7",
    b"", b"x", b"\xff\xfe", bytes(64),
]  # fmt: skip


def set_cell(random: Random, path: Path) -> str:
    """Give one column of one row another value or type, as a changed byte can; or drop the row."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        table = random.choice([name for name in existing_tables(connection)])
        column = random.choice([*COLUMNS[table], "checksum"])
        keys = ", ".join(f'"{name}"' for name in key_columns(table))
        rows = connection.execute(f"SELECT {keys} FROM {table}").fetchall()
        if not rows:
            return "nothing"
        row = random.choice(rows)
        where = " AND ".join(f'"{name}" IS ?' for name in key_columns(table))
        value = random.choice(ODD_VALUES)
        what = f"{table} {row} {column} = {value!r:.30}"
        try:
            if table in ("model", "revision", "removals") and random.random() < 0.1:
                what = f"{table} {row} deleted"
                connection.execute(f"DELETE FROM {table} WHERE {where}", row)
            elif isinstance(value, bytes) and random.random() < 0.7:
                sql = f'UPDATE {table} SET "{column}" = CAST(? AS TEXT) WHERE {where}'
                connection.execute(sql, [value, *row])
                what += " as text"
            else:
                connection.execute(
                    f'UPDATE {table} SET "{column}" = ? WHERE {where}', [value, *row]
                )
        except sqlite3.Error:
            return "nothing"
    return what


CHANGES: list[Callable[[Random, bytes], bytes]] = [
    flip_bit, flip_bit, set_byte, set_bytes, zero_block, cut, append,
]  # fmt: skip


def _older(states: Path, state: str, name: str) -> list[Path]:
    """Return the copies of a file that are older than those of a state."""
    paths = (states / earlier / name for earlier in ORDER[: ORDER.index(state)])
    return [path for path in paths if path.exists()]


def damage(random: Random, folder: Path, states: Path, state: str) -> str:
    """Damage one file of a folder, or two; return what was done."""
    files = sorted(file for file in folder.iterdir() if file.stat().st_size)
    weights = [8 if file.name == "answers.db" else 2 for file in files]
    (file,) = random.choices(files, weights)
    kind = random.random()
    if kind < 0.06:
        file.unlink()
        return f"{file.name} deleted"
    if kind < 0.12:
        other = random.choice([f for f in files if f != file])
        first, second = file.read_bytes(), other.read_bytes()
        file.write_bytes(second)
        other.write_bytes(first)
        return f"{file.name} and {other.name} swapped"
    if kind < 0.2:
        older = random.choice([path for path in _older(states, state, file.name)] or [file])
        if older == file:
            return "nothing"
        shutil.copy(older, file)
        return f"{file.name} replaced by {older.parent.name}'s"
    if kind < 0.4:
        return set_cell(random, folder / "answers.db")
    change = random.choice(CHANGES)
    before = file.read_bytes()
    after = change(random, before)
    file.write_bytes(after)
    where = next((n for n, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), -1)
    return f"{file.name}: {change.__name__} at {where} of {len(before)}"


# -- what must hold --------------------------------------------------------------------------------


@dataclass
class Looked:
    """What a look at an index has shown."""

    content: Content | None = None
    problems: list[str] = field(default_factory=list)
    error: str = ""


def look(folder: Path, *, write: bool) -> Looked:
    """Open an index, verify it and read all that it holds."""
    looked = Looked()
    try:
        with Index.open(folder, write=write, encoder=ToyEncoder()) as index:
            looked.problems = verify(index)
            looked.content = content(index)
    except SearchkitError as error:
        looked.error = str(error)
        assert "\n" not in looked.error, looked.error
    assert all("\n" not in line for line in looked.problems), looked.problems
    return looked


def follow(folder: Path) -> tuple[str, set[str]]:
    """Follow the advice of `verify` until there is none; return how it ended, and all advice."""
    all_lines: set[str] = set()
    previous: list[str] = []
    for _ in range(MAX_ROUNDS):
        try:
            if previous:
                act(folder, previous)
            with Index.open(folder, write=True, encoder=ToyEncoder()) as index:
                problems = verify(index)
        except SearchkitError as error:
            assert any(word in str(error) for word in (*NO_CURE, "searchkit re")), str(error)
            if any(word in str(error) for word in NO_CURE):
                return "restore", all_lines
            problems = [str(error)]
        if not problems:
            return "mended", all_lines
        all_lines |= set(problems)
        if any(word in line for line in problems for word in NO_CURE if "ingest" not in line):
            return "restore", all_lines
        if all(_has_no_cure(line) for line in problems):
            return "restore", all_lines
        assert problems != previous, ("the same advice again", problems)
        previous = problems
    raise AssertionError(("advice without end", previous))


def _has_no_cure(line: str) -> bool:
    cures = ("run: ", "delete it", "again, and remove")
    return any(word in line for word in NO_CURE) and not any(cure in line for cure in cures)


def act(folder: Path, problems: list[str]) -> None:
    """Do what the problems say."""
    text = "\n".join(problems)
    if "reindex --model" in text:
        with Index.open(folder, write=True) as index:
            reindex(index, ToyEncoder())
        return
    with Index.open(folder, write=True, encoder=ToyEncoder()) as index:
        if "from index" in text or "entries in index" in text:
            index.rebuild()
        if (
            "ingest the files again" in text
            or ("again" in text and "lost" in text)
            or "delete --damaged" in text
        ):
            index.add(ANSWERS)
            index.remove_damaged()
        if "reindex --damaged" in text:
            index.embed_damaged()
        if "searchkit rebuild" in text:
            index.rebuild()
    for line in problems:
        if line.endswith("delete it"):
            Path(line.split(": set aside")[0]).unlink()


def break_a_folder(random: Random, room: Path) -> str:
    """Damage a copy of an index, and check the promises; return how it ended."""
    states = room.parent / "states"
    if not states.exists():
        states.mkdir()
        make_states(states)
    state = random.choice(STATES)
    with codes_of_few() if state == "coded" else nullcontext():
        return break_state(random, room, states, state)


def break_state(random: Random, room: Path, states: Path, state: str) -> str:
    """Damage a copy of an index in some state, and check the promises; return how it ended."""
    before = expected(states, state)
    folder = room / "index"
    shutil.copytree(states / state, folder)
    done = f"{state}: {damage(random, folder, states, state)}"
    notices = Notices()
    logger = logging.getLogger("searchkit")
    logger.addHandler(notices)
    logger.propagate = False
    try:
        return check(folder, before, notices)
    except BaseException as error:
        raise AssertionError(f"{done}: {type(error).__name__} {error}") from error
    finally:
        logger.removeHandler(notices)


_expected: dict[str, Content] = {}


def expected(states: Path, state: str) -> Content:
    """Return what an undamaged index holds."""
    if state not in _expected:
        shutil.copytree(states / state, states / f"of-{state}")
        with Index.open(states / f"of-{state}", encoder=ToyEncoder()) as index:
            _expected[state] = content(index)
        shutil.rmtree(states / f"of-{state}")
    return _expected[state]


def check(folder: Path, before: Content, notices: Notices) -> str:
    """Look as reader and as writer, follow the advice, and compare."""
    copied = folder.with_name("written")
    shutil.copytree(folder, copied)
    reader, writer = look(folder, write=False), look(copied, write=True)
    looks = (reader, writer)
    is_noticed = notices.lines or any(looked.error or looked.problems for looked in looks)
    assert is_noticed or reader.content == writer.content == before, "unnoticed"
    is_harmless = reader.content == writer.content == before
    end, lines = follow(copied)
    if end == "restore":
        return end
    after = look(copied, write=True)
    assert not after.problems and not after.error, (after.problems, after.error)
    assert after.content is not None
    told = " ".join([*lines, *notices.lines])
    if "changes are lost" in told:
        return "lost, and told"
    lacking = before["answers"].keys() - after.content["answers"].keys()
    lacking = {id_ for id_ in lacking if repr(id_) not in told}
    assert not lacking, ("lost without a word", lacking, told)
    for id_, stored in after.content["answers"].items():
        if repr(id_) not in told and id_ in before["answers"]:
            wanted = before["answers"][id_]
            if "name of a file" in told or "names of files" in told:
                wanted = (replace(wanted[0], source=stored[0].source), *wanted[1:])
            assert stored == wanted, (id_, stored, told)
    if "decision" not in told:
        assert after.content["decisions"] == before["decisions"], told
    return "no effect" if is_harmless and not lines else "mended"


def run(seed: int, count: int | None = None, seconds: float = 20.0) -> IsolatedReport:
    """Damage `count` folders, or as many as there are in `seconds`."""
    return run_isolated(break_a_folder, seed, count, seconds)
