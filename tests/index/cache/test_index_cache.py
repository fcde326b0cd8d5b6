"""Sentence vectors: embedded once, forgotten with their answers, and never wrong."""

from __future__ import annotations

import multiprocessing
import sqlite3
from collections.abc import Sequence
from contextlib import closing, nullcontext
from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
import pytest
from helpers.answers import honest
from helpers.encoder import ToyEncoder

from searchkit import Answer, Index
from searchkit.core.errors import IndexDamaged
from searchkit.index.cache import database, index_cache, sentences
from searchkit.index.upkeep.reindex import reindex
from searchkit.index.upkeep.verify import verify
from searchkit.plagiarism.find import find_plagiarism

ANSWERS = [
    Answer("a", "The first of many words. The second sentence of this one! And a third, too."),
    Answer("b", "The second sentence of this one! What nobody else has written down here."),
    Answer("c", "One sentence is the whole answer"),
]
OF_A = ["The first of many words.", "The second sentence of this one!", "And a third, too."]
OF_B = [OF_A[1], "What nobody else has written down here."]
OF_C = [ANSWERS[2].text]
ALL = [*OF_A, *OF_B, *OF_C]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with Index.create(tmp_path / "i", ToyEncoder(window=30)) as index:
        index.add(ANSWERS)
    return tmp_path / "i"


def opened(folder: Path, *, write: bool = False) -> Index:
    return Index.open(folder, write=write, encoder=ToyEncoder(window=30))


def embedded(folder: Path, texts: Sequence[str] = ALL) -> list[str]:
    """Return which sentences a new reader has to embed."""
    with opened(folder) as index:
        index.sentence_vectors(texts)
        return index.encoder.texts


def kept(folder: Path) -> int:
    with closing(sqlite3.connect(folder / "cache.db")) as connection:
        return int(connection.execute("SELECT count(*) FROM sentences").fetchone()[0])


def traces(folder: Path, texts: Sequence[str]) -> list[str]:
    """Return those of the sentences of whose vector or hash a file holds a part."""
    held = b"".join(path.read_bytes() for path in folder.iterdir())
    vectors = ToyEncoder()._embed(texts).astype(np.float16)
    hashes = [sentences.passage_hash(text) for text in texts]
    return [
        text
        for text, row, sha in zip(texts, vectors, hashes, strict=True)
        if row.tobytes()[:24] in held or sha[:8] in held
    ]


def test_each_sentence_is_embedded_once_and_no_text_is_kept(folder: Path) -> None:
    assert embedded(folder) == [*OF_A, OF_B[1]]  # the third answer's is a passage of the index
    assert embedded(folder) == []
    assert b"of many words" not in (folder / "cache.db").read_bytes()
    assert traces(folder, ALL) == ALL  # so that their absence means something below


def test_vectors_are_the_same_embedded_or_kept_or_of_a_passage(folder: Path) -> None:
    with opened(folder) as index:
        first, again = index.sentence_vectors(ALL), index.sentence_vectors(ALL)
    with opened(folder) as index:
        later = index.sentence_vectors(ALL)
        assert index.sentence_vectors([]).shape == (0, 32)
    rounded = ToyEncoder()._embed(ALL).astype(np.float16).astype(np.float32)
    rounded /= np.linalg.norm(rounded, axis=1, keepdims=True)
    for rows in (first, again, later):
        assert rows.tobytes() == rounded.tobytes()


@pytest.mark.parametrize("change", ["delete", "replace"])
def test_deleting_or_replacing_an_answer_forgets_its_sentences(folder: Path, change: str) -> None:
    embedded(folder)
    with opened(folder, write=True) as index:
        if change == "delete":
            index.remove(["a"])
        else:
            index.add([replace(ANSWERS[0], text="Something else."), Answer("d", "New.")])
        assert verify(index) == []
    assert kept(folder) == 1
    assert embedded(folder, OF_B) == [OF_B[0]]  # also what another answer has, but only once
    assert embedded(folder, OF_B) == []
    if change == "delete":
        assert traces(folder, [OF_A[0], OF_A[2]]) == []


def test_columns_and_decisions_forget_nothing(folder: Path) -> None:
    embedded(folder)
    with opened(folder, write=True) as index:
        index.add([replace(ANSWERS[0], meta={"score": "3"})])
        index.update_columns({"b": {"score": "2"}})
    assert embedded(folder) == []


def test_a_random_history_leaves_nothing_of_what_is_gone(tmp_path: Path) -> None:
    random = Random(7)
    answers = honest(40, length=60)
    answers = [replace(a, text=a.text.replace(" word1", ". word1")) for a in answers]
    texts = {a.id: [a.text[s:e] for s, e in sentences.sentence_spans(a.text)] for a in answers}
    with Index.create(tmp_path / "i", ToyEncoder(window=500)) as index:
        index.add(answers)
    for _ in range(6):
        present = opened_ids(tmp_path / "i")
        with Index.open(tmp_path / "i", encoder=ToyEncoder(window=500)) as reader:
            reader.sentence_vectors([text for id_ in present for text in texts[id_]])
        gone = random.sample(present, 5)
        with Index.open(tmp_path / "i", write=True, encoder=ToyEncoder(window=500)) as index:
            index.remove(gone)
            assert verify(index) == []
        others = {text for id_ in set(present) - set(gone) for text in texts[id_]}
        lost = [text for id_ in gone for text in texts[id_] if text not in others]
        assert lost and traces(tmp_path / "i", lost) == []


def opened_ids(folder: Path) -> list[str]:
    with Index.open(folder) as index:
        return index.ids()


def test_a_reader_of_an_older_state_keeps_nothing(folder: Path) -> None:
    with opened(folder) as reader:
        with opened(folder, write=True) as index:
            index.remove(["a"])
        assert len(reader.sentence_vectors(ALL)) == len(ALL)
    assert not (folder / "cache.db").exists() or kept(folder) == 0
    assert embedded(folder, OF_B) == OF_B


def test_what_a_killed_writer_has_not_forgotten_the_next_one_drops(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedded(folder)
    with monkeypatch.context() as patched:
        patched.setattr(index_cache.IndexCache, "forgetting", lambda *_: nullcontext())
        with opened(folder, write=True) as index:
            index.remove(["a"])
            (problem,) = verify(index)
    assert problem.endswith("cache.db: 2 vectors of sentences of no answer; run: searchkit rebuild")
    with opened(folder, write=True) as index:
        assert verify(index) == []
    assert traces(folder, [OF_A[0], OF_A[2]]) == []


def test_embedding_damaged_vectors_again_leaves_nothing_of_before(folder: Path) -> None:
    embedded(folder)
    with opened(folder) as reader:
        reader.put_result(b"key", b"value")
    with closing(sqlite3.connect(folder / "answers.db")) as connection, connection:
        connection.execute("UPDATE vectors SET vector = zeroblob(64) WHERE key = 1")
    with opened(folder, write=True) as index:
        assert index.embed_damaged() == 1
        assert verify(index) == []
        assert index.get_result(b"key") is None
    assert embedded(folder) == []


def test_another_model_starts_anew(folder: Path) -> None:
    embedded(folder)
    other = ToyEncoder(16, window=30, fingerprint="toy-2")
    with Index.open(folder, write=True) as index:
        reindex(index, other)
        assert verify(index) == []
    with Index.open(folder, encoder=other) as index:
        other.texts.clear()
        assert index.sentence_vectors(ALL).shape == (6, 16)
        assert other.texts == [*OF_A, OF_B[1]]


def test_an_index_made_anew_takes_over_nothing(folder: Path) -> None:
    embedded(folder)
    (folder / "answers.db").unlink()
    with Index.create(folder, ToyEncoder(window=30)):
        assert not (folder / "cache.db").exists()


@pytest.mark.parametrize("seed", range(20))
def test_damage_is_never_a_wrong_vector(folder: Path, seed: int) -> None:
    random = Random(seed)
    embedded(folder)
    data = bytearray((folder / "cache.db").read_bytes())
    start = random.choice([0, 0, 4096, 8192, len(data) - 700]) + random.randrange(600)
    data[start : start + 3] = random.randbytes(3)
    (folder / "cache.db").write_bytes(data[: random.choice([len(data), len(data), 5000, 50, 0])])
    expected = ToyEncoder()._embed(ALL).astype(np.float16).astype(np.float32)
    with opened(folder, write=True) as index:
        problems = verify(index)
        assert all("cache.db" in line and line.endswith("rebuild") for line in problems)
        assert np.allclose(index.sentence_vectors(ALL), expected, atol=1e-3)
        index.rebuild()
        assert verify(index) == []
    embedded(folder)
    assert embedded(folder) == []


def test_verify_names_a_damaged_vector(folder: Path) -> None:
    embedded(folder)
    with closing(sqlite3.connect(folder / "cache.db")) as connection, connection:
        connection.execute("UPDATE sentences SET vector = zeroblob(64) WHERE key > 0")
    with opened(folder) as reader:
        (problem,) = verify(reader)
    assert (
        "cache.db: " in problem
        and problem.endswith(" run: searchkit rebuild")
        and "damaged vector" in problem
    )


def test_another_program_s_file_is_left_alone(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "cache.db")) as connection, connection:
        connection.execute("CREATE TABLE theirs(x)")
    before = (folder / "cache.db").read_bytes()
    assert embedded(folder) == embedded(folder) != []
    assert (folder / "cache.db").read_bytes() == before
    with opened(folder, write=True) as index:
        index.remove(["a"])
        (problem,) = verify(index)
        assert "not a cache of searchkit" in problem
        index.rebuild()
        assert verify(index) == []


def test_a_file_in_use_or_that_cannot_be_made_only_keeps_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(database._OPTIONS, "timeout", 0.05)
    embedded(folder, OF_A)
    with closing(sqlite3.connect(folder / "cache.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert embedded(folder, OF_A) == OF_A
    assert embedded(folder, OF_A) == []
    (folder / "cache.db").unlink()
    (folder / "cache.db").mkdir()
    assert embedded(folder, OF_A) == embedded(folder, OF_A) == OF_A
    monkeypatch.setattr(index_cache, "MAX_PENDING", 1)
    with opened(folder) as index:  # until it is closed they are in memory
        for _ in range(2):
            index.sentence_vectors(OF_A)
        assert index.encoder.texts == OF_A


def keep_some(folder: Path, seed: int) -> None:
    random = Random(seed)
    for _ in range(10):
        with opened(folder) as index:
            texts = random.sample(ALL, 3)
            rows = index.sentence_vectors(texts)
            assert np.allclose(rows, ToyEncoder()._embed(texts), atol=1e-2)


def test_several_processes_at_once(folder: Path) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=keep_some, args=(folder, seed)) for seed in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    with opened(folder, write=True) as index:
        assert verify(index) == []


def test_many_vectors_are_written_before_the_index_is_closed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_cache, "MAX_PENDING", 2)
    with opened(folder) as index:
        index.sentence_vectors(ALL)
        assert kept(folder) == 4


def test_plagiarism_with_everything_kept_loads_no_model(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = honest(24)
    answers[3] = replace(answers[3], text=answers[8].text)
    earlier = [replace(a, author=f"old {n}") for n, a in enumerate(honest(22, seed=1))]
    for name, some in (("new", answers), ("old", earlier)):
        with Index.create(tmp_path / name, ToyEncoder()) as index:
            index.add(some)
    with (
        Index.open(tmp_path / "new", encoder=ToyEncoder()) as index,
        Index.open(tmp_path / "old", encoder=ToyEncoder()) as against,
    ):
        first = find_plagiarism(index, against=against)
    assert (kept(tmp_path / "new"), kept(tmp_path / "old")) == (23, 22)  # each with its own
    monkeypatch.setattr("searchkit.index.base.load_encoder", lambda *_, **__: 1 / 0)
    with Index.open(tmp_path / "new") as index, Index.open(tmp_path / "old") as against:
        assert find_plagiarism(index, against=against) == first
        assert first.findings
    for name in ("new", "old"):
        with Index.open(tmp_path / name) as index:
            assert verify(index) == []


@pytest.mark.parametrize("dimension", [-1, 31])
def test_a_damaged_dimension_is_damage(folder: Path, dimension: int) -> None:
    with closing(sqlite3.connect(folder / "answers.db")) as connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'"):
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute("UPDATE model SET dimension = ?", [dimension])
        connection.commit()
    with pytest.raises(IndexDamaged), opened(folder) as index:
        index.sentence_vectors(["Nobody has written this."])
