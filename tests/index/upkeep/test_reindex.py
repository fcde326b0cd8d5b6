"""Reindex switches the model completely or not at all, resumes, and leaves no old vector."""

from __future__ import annotations

import csv
import hashlib
import itertools
import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from helpers.encoder import ToyEncoder
from helpers.files import TESTS

from searchkit import Answer, Index, Where
from searchkit.cli.app import main
from searchkit.core.errors import BadInput, IndexBusy
from searchkit.encoding.cache import cache_folder
from searchkit.encoding.models.names import find_model
from searchkit.index.embedding import embed
from searchkit.index.ingest import ingest
from searchkit.index.storage.successor import Successor
from searchkit.index.upkeep.reindex import estimate, reindex
from searchkit.index.upkeep.status import status
from searchkit.index.upkeep.verify import verify

QUERIES = ["the event loop runs callbacks", "w7 w8 w9", "alike words", "next"]


class Stop(Exception):
    """Raised in the middle of a reindex, as a kill would come; crash_driver.py really kills."""


@pytest.fixture
def corpus(answers: list[Answer]) -> list[Answer]:
    long = " ".join(f"w{n}" for n in range(40))
    return [
        *(replace(a, source="quiz.csv", line=n) for n, a in enumerate(answers, 2)),
        Answer("long", long, "q3", "eve"),
        Answer("twin-1", "alike words", "q3", "ann"),
        Answer("twin-2", "alike words", "q3", "bob"),
    ]


@pytest.fixture
def index(tmp_path: Path, corpus: list[Answer]) -> Index:
    with Index.create(tmp_path / "i", ToyEncoder()) as made:
        made.add(corpus)
        made.checkpoint()
        yield made


def other(dimension: int = 16, window: int = 5, name: str = "toy-2") -> ToyEncoder:
    encoder = ToyEncoder(dimension, window, fingerprint=name)
    encoder.name = name
    return encoder


def found(index: Index) -> list[list[tuple]]:
    hits = index.search(QUERIES, 20)
    return [[(h.answer.id, h.score, h.passage) for h in some] for some in hits]


def fresh(folder: Path, answers: list[Answer], encoder: ToyEncoder) -> list[list[tuple]]:
    with Index.create(folder, encoder) as index:
        index.add(answers)
        return found(index)


def table(index: Index, name: str) -> list[tuple]:
    return index.store.rows(f"SELECT * FROM {name} ORDER BY 1")


def schema_of(index: Index) -> list[tuple]:
    return sorted(index.store.rows("SELECT type, name, tbl_name FROM sqlite_master"))


def bytes_of(folder: Path) -> bytes:
    return b"".join(p.read_bytes() for p in sorted(folder.iterdir()))


def contents(folder: Path) -> dict[str, str]:
    """Return the hash of each file but the empty log and the shared memory that a reader leaves."""
    files = [p for p in folder.iterdir() if p.stat().st_size and p.suffix != ".db-shm"]
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def stopped(index: Index, encoder: ToyEncoder, after: int = 4, batch: int = 2) -> int:
    """Stop a reindex after some committed answers; return how many texts it embedded."""

    def stop(done: int, _: int) -> None:
        if done >= after:
            raise Stop

    with pytest.raises(Stop):
        reindex(index, encoder, batch=batch, progress=stop)
    return len(encoder.texts)


# The swap


@pytest.mark.parametrize(("dimension", "window"), [(32, 12), (16, 5), (64, 100), (32, 1)])
def test_it_equals_an_index_made_with_the_new_model(
    index: Index, corpus, tmp_path, dimension: int, window: int
) -> None:
    encoder = other(dimension, window)
    done = reindex(index, encoder)
    expected = fresh(tmp_path / "fresh", corpus, other(dimension, window))
    assert found(index) == expected
    assert (index.encoder, done.answers) == (encoder, len(corpus))
    assert done.embedded == len(encoder.texts) == index.store.counts()["vectors"]
    assert done.passages == index.store.counts()["passages"] > done.embedded
    assert verify(index) == []
    index.close()
    with Index.open(index.path, encoder=other(dimension, window)) as again:
        assert found(again) == expected
        table = again.checkpoints.table
        assert len(table.removals()) == 0
        assert table.current().count == done.embedded
        assert [p.name for p in index.path.glob("*.faiss")] == [table.current().file]


def test_everything_but_passages_vectors_and_model_stays(index: Index, corpus) -> None:
    kept = ("answers", "sources", "answers_fts", "state")
    before = {name: table(index, name) for name in kept}
    words = index.search_words(["callbacks of the loop"], 5)
    scores = index.search_words(["callbacks"], 5, Where(sql="score >= 1"))
    schema = schema_of(index)
    reindex(index, other(window=100))
    assert {name: table(index, name) for name in kept} == before
    assert index.get([a.id for a in corpus]) == corpus
    assert index.search_words(["callbacks of the loop"], 5) == words
    assert index.search_words(["callbacks"], 5, Where(sql="score >= 1")) == scores
    assert schema_of(index) == schema
    model = index.store.model()
    assert (model.fingerprint, model.name, model.dimension, model.window) == (
        "toy-2", "toy-2", 16, 100,
    )  # fmt: skip


def test_vector_keys_are_never_reused(index: Index) -> None:
    index.add([Answer("last", "the greatest key of all")])
    greatest = index.store.last_vector()
    index.remove(["last"])
    reindex(index, other())
    keys = [key for key, *_ in table(index, "vectors")]
    assert min(keys) > greatest
    index.add([Answer("new", "another text altogether")])
    assert index.store.last_vector() > max(keys)
    assert verify(index) == []


def test_nothing_of_the_old_model_is_left_and_the_file_is_no_larger(tmp_path: Path) -> None:
    answers = [Answer(f"a{n}", f"some words of answer number{n}") for n in range(3000)]
    encoder = ToyEncoder(128)
    with Index.create(tmp_path / "i", encoder) as index:
        index.add(answers)
    database = index.path / "answers.db"
    size = database.stat().st_size
    traces = [row.tobytes() for row in embed(encoder, [a.text for a in answers])]
    before = bytes_of(index.path)
    assert all(trace in before for trace in traces)
    with Index.open(index.path, write=True) as index:
        reindex(index, other(120, 12), batch=500)
        assert index.store.rows("PRAGMA freelist_count") == [(0,)]
    assert database.stat().st_size < size * 1.05
    after = bytes_of(index.path)
    assert not any(trace in after for trace in traces)


def test_an_empty_index_and_blank_answers(tmp_path: Path) -> None:
    with Index.create(tmp_path / "i", ToyEncoder()) as index:
        assert reindex(index, other()).passages == 0
        index.add([Answer("blank", " \n")])
        assert reindex(index, other(8, 2, "toy-3")).answers == 1
        index.add([Answer("a", "some words")])
        assert index.search(["some words"])[0][0].score == pytest.approx(1, abs=1e-3)
        index.checkpoint()
        index.add([Answer("a", "")])  # a removal, and a checkpoint without anything in it
        reindex(index, other(32, 2, "toy-4"))
        assert index.checkpoints.table.current() is None
        assert len(index.checkpoints.table.removals()) == 0
        assert index.search(["some words"]) == [[]]
        assert verify(index) == []


def test_a_reader_keeps_the_old_state(index: Index, corpus, tmp_path: Path, caplog) -> None:
    with (
        Index.open(index.path, encoder=ToyEncoder()) as begun,
        Index.open(index.path, encoder=ToyEncoder()) as idle,  # its FAISS file is not mapped yet
    ):
        expected = found(begun)
        reindex(index, other())
        assert "a reader still has the older state open" in caplog.text
        assert found(begun) == found(idle) == expected
        assert any("not erased yet" in problem for problem in verify(index))
        with Index.open(index.path, encoder=other()) as late:
            assert found(late) == fresh(tmp_path / "fresh", corpus, other())
    index.close()
    with Index.open(index.path, write=True) as again:
        assert verify(again) == []


def test_others_read_and_none_writes_while_it_embeds(index: Index) -> None:
    expected = found(index)
    seen = []

    def look(done: int, total: int) -> None:
        seen.append((done, total))
        with Index.open(index.path, encoder=ToyEncoder()) as reader:
            assert found(reader) == expected
        with pytest.raises(IndexBusy, match="being written by process"):
            Index.open(index.path, write=True)

    reindex(index, other(), batch=2, progress=look)
    assert seen[0] == (0, 9)
    assert seen[-1] == (9, 9)
    assert seen == sorted(seen)
    assert len(set(seen)) > 4


def test_a_damaged_faiss_file_is_set_aside(index: Index) -> None:
    path = index.path / "vectors-1.faiss"
    damaged = bytes(path.stat().st_size)
    path.write_bytes(damaged)
    reindex(index, other())
    assert path.with_name("vectors-1.faiss.damaged").read_bytes() == damaged
    assert [p.name for p in index.path.glob("*.faiss")] == ["vectors-2.faiss"]


def test_an_empty_batch_takes_no_vector_away(index: Index) -> None:
    with pytest.raises(ValueError, match="a batch has at least 1 item, not 0"):
        reindex(index, other(), batch=0)
    assert verify(index) == [] and index.model.fingerprint == "toy-1"


def test_a_reader_can_not_reindex(index: Index) -> None:
    with (
        Index.open(index.path) as reader,
        pytest.raises(ValueError, match="opened for reading"),
    ):
        reindex(reader, other())


def test_the_same_model_changes_nothing(index: Index, caplog) -> None:
    caplog.set_level("INFO")
    index.close()
    before = contents(index.path)
    encoder = ToyEncoder()
    with Index.open(index.path, write=True) as again:
        done = reindex(again, encoder)
    assert (done.embedded, done.reused, done.answers, encoder.texts) == (0, 0, 9, [])
    assert caplog.messages == [
        f"{index.path}: made with toy (toy-1) already; there is nothing to do"
    ]
    assert contents(index.path) == before


# A reindex that was not finished


def test_a_killed_reindex_is_resumed(index: Index, corpus, tmp_path: Path) -> None:
    first = stopped(index, other())
    assert first > 0
    index._release()
    with Index.open(index.path, write=True) as again:
        encoder, seen = other(), []
        done = reindex(again, encoder, progress=lambda *now: seen.append(now))
        assert seen[0] == (4, 9)
        assert (done.reused, done.embedded) == (first, len(encoder.texts))
        assert first + len(encoder.texts) == again.store.counts()["vectors"]
        assert found(again) == fresh(tmp_path / "fresh", corpus, other())
        assert verify(again) == []


def test_an_unfinished_reindex_is_reported_and_is_no_problem(index: Index, caplog) -> None:
    caplog.set_level("INFO")
    assert status(index)["unfinished"] is None
    expected = found(index)
    stopped(index, other())
    assert verify(index) == []
    assert "a reindex is not finished (4 answers are embedded); go on with: " in caplog.text
    assert status(index)["unfinished"] == {"model": "toy-2", "answers": 4}
    assert found(index) == expected
    with Index.open(index.path) as reader:
        assert verify(reader) == []
    assert CliRunner().invoke(main, ["status", "-i", str(index.path)]).stdout.count(
        "reindex     not finished: 4 of 8 answers embedded"
    ) == 1  # fmt: skip
    reindex(index, other())
    assert status(index)["unfinished"] is None


def test_writes_in_between_are_followed(index: Index, corpus, tmp_path: Path) -> None:
    encoder = other()
    stopped(index, encoder, after=8)  # all but the second twin
    changed = replace(corpus[0], text="Changed words of the first answer")
    marked = replace(corpus[1], meta={"score": "9"})
    ingest(index, [changed, marked, Answer("new", "Something new")], on_duplicate="keep-last")
    index.remove(["a3", "twin-1"])
    left = [changed, marked, *corpus[3:7], corpus[8], Answer("new", "Something new")]
    texts = len(encoder.texts)
    reindex(index, encoder, batch=2)
    assert found(index) == fresh(tmp_path / "fresh", left, other())
    again = set(encoder.texts[:texts]) & set(encoder.texts[texts:])
    assert again == {"alike words"}  # it went with the first twin, and came with the second
    assert verify(index) == []


@pytest.mark.parametrize("how", ["delete", "change"])
def test_a_deleted_answer_is_forgotten_there_too(index: Index, corpus, how: str) -> None:
    stopped(index, other(), after=8)
    index.store.flush_log()
    trace = embed(other(), ["Node uses one thread"]).tobytes()
    assert trace in bytes_of(index.path)
    if how == "delete":
        index.remove(["a3"])
    else:
        index.add([replace(corpus[2], text="Other words")])
        index.store.flush_log()
    assert trace not in bytes_of(index.path)
    assert index.store.rows("SELECT * FROM next_passages WHERE answer = 3") == []
    assert embed(other(), ["alike words"]).tobytes() in bytes_of(index.path)
    assert verify(index) == []


def test_a_vector_that_another_answer_has_stays(index: Index) -> None:
    stopped(index, other(), after=9, batch=9)
    vectors = Successor(index.store).counts()["vectors"]
    index.remove(["twin-1"])
    assert Successor(index.store).counts()["vectors"] == vectors
    index.remove(["twin-2"])
    assert Successor(index.store).counts()["vectors"] == vectors - 1


def test_another_model_drops_an_unfinished_reindex(index: Index, corpus, tmp_path: Path) -> None:
    stopped(index, other())
    third = other(24, 4, "toy-3")
    assert reindex(index, third).reused == 0
    assert len(third.texts) == index.store.counts()["vectors"]
    assert found(index) == fresh(tmp_path / "fresh", corpus, other(24, 4, "toy-3"))


def test_the_same_model_drops_an_unfinished_reindex(index: Index) -> None:
    expected, schema = found(index), schema_of(index)
    stopped(index, other())
    index.store.flush_log()
    trace = embed(other(), ["Node uses one thread"]).tobytes()
    assert trace in bytes_of(index.path)
    reindex(index, ToyEncoder())
    assert trace not in bytes_of(index.path)
    assert schema_of(index) == schema
    assert found(index) == expected
    index.remove(["a3"])
    assert verify(index) == []


def test_vectors_that_belong_to_no_answer_are_found(index: Index) -> None:
    stopped(index, other())
    index.store.db.execute("DROP TRIGGER next_unused")
    index.store.db.execute("DELETE FROM next_passages WHERE answer = 3")
    (problem,) = verify(index)
    assert problem.startswith("1 vectors of the unfinished reindex belong to no answer; drop it")


# What goes wrong


@pytest.mark.parametrize(("number", "what"), [(np.nan, "NaN or infinity"), (0.0, "zeros")])
def test_an_invalid_vector_is_named_by_its_answer(index: Index, number, what: str) -> None:
    expected, encoder = found(index), other()
    whole = encoder.encode

    def broken(texts, progress=None):
        rows = whole(texts)
        rows[["piece" in text for text in texts]] = number
        return rows

    encoder.encode = broken
    with pytest.raises(BadInput, match=rf"^answer 'a5': the model gave {what} for text .*; use an"):
        reindex(index, encoder)
    assert found(index) == expected
    assert verify(index) == []


FULL = """
import resource, signal, sys
from helpers.encoder import ToyEncoder
from searchkit import Index
from searchkit.core.errors import StorageFailed
from searchkit.index.upkeep.reindex import reindex
index = Index.open(sys.argv[1], write=True)
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
try:
    reindex(index, ToyEncoder(256, fingerprint="toy-2"), batch=200)
except StorageFailed as error:
    print(error)
"""


def on_a_full_disk(folder: Path, limit: int) -> str:
    """Reindex a new index with a limit on the size of files; return the error's message."""
    with Index.create(folder, ToyEncoder()) as index:
        index.add([Answer(f"a{n}", f"number{n} words") for n in range(1000)])
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(folder), str(limit)],
        capture_output=True, text=True, cwd=TESTS,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("\n") == 1
    return done.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="needs setrlimit")
@pytest.mark.parametrize("limit", [400_000, 1_500_000])  # while it embeds; at the commit
def test_a_full_disk_leaves_the_old_index_and_what_was_embedded(tmp_path, limit: int) -> None:
    said = on_a_full_disk(tmp_path / "i", limit)
    assert "make room and run the same command again: it resumes where it stopped" in said
    with Index.open(tmp_path / "i", write=True, encoder=ToyEncoder()) as index:
        assert verify(index) == []
        assert len(index.search(["number7 words"], 2000)[0]) == 1000
        before = Successor(index.store).counts()["vectors"]
        assert before % 200 == 0
        encoder = ToyEncoder(256, fingerprint="toy-2")
        assert reindex(index, encoder).reused == before == 1000 - len(encoder.texts)
        assert verify(index) == []


@pytest.mark.skipif(sys.platform == "win32", reason="needs setrlimit")
def test_a_disk_that_is_full_after_the_swap_leaves_the_new_index(tmp_path: Path) -> None:
    said = on_a_full_disk(tmp_path / "i", 2_600_000)
    assert "the index has the new model; the old vectors are erased by the next com" in said
    encoder = ToyEncoder(256, fingerprint="toy-2")
    with Index.open(tmp_path / "i", encoder=encoder) as reader:
        assert len(reader.search(["number7 words"], 2000)[0]) == 1000
        assert any("not erased yet" in problem for problem in verify(reader))
    with Index.open(tmp_path / "i", write=True, encoder=encoder) as index:
        assert verify(index) == []


# What it would take


def test_an_estimate_counts_exactly_and_changes_no_byte(index: Index, tmp_path: Path) -> None:
    index.close()
    before = contents(index.path)
    with Index.open(index.path) as reader:
        needed = estimate(reader, other())
    assert contents(index.path) == before
    shutil.copytree(index.path, tmp_path / "copy")
    with Index.open(tmp_path / "copy", write=True) as copy:
        done = reindex(copy, other())
    assert (needed.answers, needed.passages) == (done.answers, done.passages)
    assert (needed.to_embed, needed.reused) == (done.embedded, 0)
    assert 0 < needed.seconds < 60 or needed.to_embed < 50
    assert needed.disk > 0
    assert needed.free > 0


def test_an_estimate_counts_what_is_embedded_already(index: Index) -> None:
    first = stopped(index, other())
    with Index.open(index.path) as reader:
        needed = estimate(reader, other())
        third = estimate(reader, other(name="toy-3"))
        same = estimate(reader, ToyEncoder())
    assert (needed.reused, third.reused) == (first, 0)
    assert needed.to_embed + first == third.to_embed
    assert (same.to_embed, same.seconds, same.disk) == (0, 0, 0)


def test_an_estimate_embeds_a_sample_and_extrapolates(tmp_path: Path, monkeypatch) -> None:
    clock, encoder = [0.0], other()
    whole = encoder.encode

    def slow(texts, progress=None):
        clock[0] += 0.5 * len(texts)
        return whole(texts)

    encoder.encode = slow
    monkeypatch.setattr("searchkit.index.upkeep.reindex.time.perf_counter", lambda: clock[0])
    with Index.create(tmp_path / "i", ToyEncoder()) as index:
        index.add([Answer(f"a{n}", f"number{n}") for n in range(5000)])
        assert estimate(index, encoder).seconds == 2500
        assert len(encoder.texts) < 600


def test_the_disk_that_is_needed_is_about_what_is_used(tmp_path: Path) -> None:
    answers = [Answer(f"a{n}", f"some words of answer number{n}") for n in range(5000)]
    with Index.create(tmp_path / "i", ToyEncoder(128)) as index:
        index.add(answers)
    with Index.open(index.path, write=True) as index:
        encoder = other(384, 12)
        needed = estimate(index, encoder).disk
        before = size_of(index.path)
        peak = 0

        def watch(*_: object) -> None:
            nonlocal peak
            peak = max(peak, size_of(index.path))

        index.store.db.conn.set_progress_handler(watch, 2000)
        reindex(index, encoder)
        index.store.db.conn.set_progress_handler(None, 0)
    assert needed * 0.8 < peak - before < needed * 1.1  # here the swap takes most


def size_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir())


# The command, with the real model and one that is like it


def run(*arguments: object, code: int = 0) -> Result:
    result = CliRunner().invoke(main, [str(a) for a in arguments])
    assert result.exit_code == code, (result.output, result.stderr, result.exception)
    assert "Traceback" not in result.output
    assert code == 0 or result.stderr.count("\n") == 1
    return result


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy the bundled model and move its weights a little."""
    from safetensors.numpy import load_file, save_file

    folder = tmp_path_factory.mktemp("moved") / "model"
    shutil.copytree(find_model().path, folder)
    weights = load_file(folder / "model.safetensors")
    rng = np.random.default_rng(0)
    words = weights["embeddings.word_embeddings.weight"]
    words += rng.standard_normal(words.shape).astype(np.float32) * words.std() * 0.3
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    return folder


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Index a part of the demo corpus with the bundled model."""
    from searchkit.demo.corpus import DEMO_ANSWERS

    base = tmp_path_factory.mktemp("course")
    with DEMO_ANSWERS.open(encoding="utf-8", newline="") as file:
        rows = list(itertools.islice(csv.reader(file), 60))
    with (base / "quiz.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    run("ingest", base / "quiz.csv", "-i", base / "index")
    return base


@pytest.fixture
def quiz(course: Path, tmp_path: Path, tmp_path_factory, monkeypatch) -> Path:
    """Copy that index, and compile what is not the bundled model into a cache of its own."""
    cache = tmp_path_factory.getbasetemp() / "compiled"
    if not cache.exists():
        with Index.open(course / "index") as index:
            shutil.copytree(cache_folder() / (name := index.encoder.fingerprint), cache / name)
    monkeypatch.setenv("SEARCHKIT_CACHE", str(cache))
    return Path(shutil.copytree(course / "index", tmp_path / "index"))


@pytest.mark.model
def test_the_command(quiz: Path, course: Path, model: Path, tmp_path, monkeypatch) -> None:
    text, fresh = "one thread, yet it serves many clients", tmp_path / "fresh"
    before = run("query", text, "-i", quiz, "-f", "json").stdout
    exported = run("export", "-i", quiz).stdout
    monkeypatch.chdir(model.parent)
    there = ("--model", "model", "-i", quiz)
    untouched = contents(quiz)
    needed = json.loads(run("reindex", *there, "--dry-run", "-f", "json").stdout)
    table = run("reindex", *there, "--dry-run").stdout
    assert contents(quiz) == untouched
    names = [line.split()[0] for line in table.splitlines()]
    assert names == ["answers", "passages", "to", "time", "disk"]
    done = json.loads(run("reindex", *there, "-f", "json", "-q").stdout)
    assert list(done) == ["answers", "passages", "embedded", "reused", "seconds"]
    assert done["embedded"] == needed["to_embed"]
    run("ingest", course / "quiz.csv", "-i", fresh, "--model", "./model")
    monkeypatch.chdir(tmp_path)
    for folder in (quiz, fresh):  # found again, from wherever
        kept = json.loads(run("status", "-i", folder, "-f", "json").stdout)["model"]
        assert kept["name"] == str(model)
        assert find_model(kept["name"]).fingerprint == kept["fingerprint"]
    after = run("query", text, "-i", quiz, "-f", "json").stdout
    assert after == run("query", text, "-i", fresh, "-f", "json").stdout != before
    assert run("export", "-i", quiz).stdout == exported
    assert run("verify", "-i", quiz).stdout == "sound\n"
    again = run("reindex", "--model", model, "-i", quiz)
    assert "already; there is nothing to do" in again.stderr
    assert again.stderr.count("\n") == 1


@pytest.mark.model
def test_errors_are_one_line(quiz: Path, tmp_path: Path) -> None:
    nothing = run("reindex", "--model", "all-MiniLM-L6-v2", "-i", tmp_path / "no", code=1)
    assert "no index here; make one with: searchkit ingest FILE" in nothing.stderr
    (tmp_path / "bad").mkdir()
    refused = run("reindex", "--model", tmp_path / "bad", "-i", quiz, code=1)
    assert "isn't a model folder" in refused.stderr
    with Index.open(quiz, write=True):
        busy = run("reindex", "--model", tmp_path / "bad", "-i", quiz, code=75)
        assert "being written by process" in busy.stderr
    assert CliRunner().invoke(main, ["reindex", "-i", str(quiz)]).exit_code == 2
    same = run("reindex", "--model", "all-MiniLM-L6-v2", "-i", quiz, "--dry-run", "-f", "json")
    assert json.loads(same.stdout)["to_embed"] == 0
