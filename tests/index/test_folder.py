"""An index in a folder keeps and finds answers, and erases those that are removed."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from helpers.encoder import ToyEncoder
from helpers.oracles import ranked_by_brute_force
from hypothesis import given, settings
from hypothesis import strategies as st

from searchkit import Index
from searchkit.core.errors import BadInput, IndexBusy, IndexDamaged, IndexMismatch, IndexNotFound
from searchkit.core.records import Answer
from searchkit.core.where import Where
from searchkit.index.upkeep.status import status
from searchkit.index.upkeep.verify import verify
from searchkit.mining.pairs import mine


@pytest.fixture
def index(tmp_path: Path, encoder: ToyEncoder, answers: list[Answer]) -> Index:
    made = Index.create(tmp_path / "index", encoder)
    made.add(answers)
    yield made
    made._release()


@pytest.mark.parametrize("k", [1, 3, 5, 6, 10**9])
def test_search_equals_brute_force(index, answers, encoder, k: int) -> None:
    (hits,) = index.search(["the event loop runs callbacks"], k)
    expected = ranked_by_brute_force(answers, encoder, "the event loop runs callbacks")[:k]
    assert [h.answer.id for h in hits] == [i for _, i in expected]
    assert [h.score for h in hits] == pytest.approx([s for s, _ in expected], abs=2e-6)
    assert [h.rank for h in hits] == list(range(1, len(hits) + 1))


def test_queries_together_find_what_each_finds_alone(index) -> None:
    queries = ["the event loop", "streams " * 40, "runs callbacks", "unlike any other"]
    for where in (Where(), Where(question="q1"), Where(sql="0")):
        for k in (1, 2, 50):
            together = index.search(queries, k, where)
            assert together == [index.search([query], k, where)[0] for query in queries]
    assert index.search([], 3) == []


def test_search_like_finds_the_nearest_answers_without_the_answer_itself(index, encoder) -> None:
    index.add([
        Answer("long", "the event loop runs callbacks " + "and so on and on " * 30, "q1"),
        Answer("twin", "the event loop runs callbacks " + "and so on and on " * 30, "q2"),
    ])  # fmt: skip
    first, *others = index.search_like("long", 3)
    assert (first.answer.id, first.rank) == ("twin", 1)
    assert first.score == pytest.approx(1, abs=1e-3)  # rows are rounded to float16
    assert [hit.rank for hit in others] == [2, 3]
    assert "long" not in {hit.answer.id for hit in index.search_like("long", 50)}
    assert {h.answer.question for h in index.search_like("long", 50, Where(question="q1"))} == {
        "q1"
    }
    index.add([Answer("blank", "  ")])
    assert index.search_like("blank") == []
    with pytest.raises(BadInput, match="no answer 'nobody'"):
        index.search_like("nobody")


def test_a_long_answer_is_found_by_any_of_its_passages(index, encoder) -> None:
    words = [f"word{n}" for n in range(100)]
    index.add([Answer("long", " ".join(words))])
    for near in ("word3 word4 word5", "word90 word91 word92"):
        ((hit,),) = index.search([near], 1)
        assert hit.answer.id == "long"
        assert near.split()[1] in hit.answer.text[hit.passage.start : hit.passage.end]


def test_a_long_query_is_searched_by_every_passage(index) -> None:
    query = " ".join(f"noise{n}" for n in range(40)) + " Node uses one thread"
    ((hit,),) = index.search([query], 1)
    assert hit.answer.id == "a3"


def test_k_hits_come_back_though_the_best_passages_belong_to_one_answer(index) -> None:
    index.add([Answer("many", " ".join(["alpha beta gamma"] * 60))])
    index.add([Answer(f"other{n}", f"alpha other{n}") for n in range(4)])
    (hits,) = index.search(["alpha beta gamma"], 5)
    assert len(hits) == 5
    assert len({h.answer.id for h in hits}) == 5


def test_equal_texts_share_a_vector_and_tie_by_id(index, encoder) -> None:
    before = len(encoder.texts)
    done = index.add([Answer(f"same{n}", "I do not know", "q9") for n in (3, 1, 2)])
    assert (done.added, done.passages, done.embedded) == (3, 3, 1)
    assert len(encoder.texts) == before + 1
    (hits,) = index.search(["I do not know"], 2)
    assert [h.answer.id for h in hits] == ["same1", "same2"]


def test_nfc_and_nfd_share_a_vector_and_keep_their_text(index) -> None:
    done = index.add([Answer("nfc", "caf\u00e9"), Answer("nfd", "cafe\u0301")])
    assert done.embedded == 1
    assert [a.text for a in index.get(["nfc", "nfd"])] == ["caf\u00e9", "cafe\u0301"]


@pytest.mark.parametrize(
    ("where", "ids"),
    [
        (Where(question="q2"), {"a4", "a5"}),
        (Where(author="ann"), {"a1", "a4"}),
        (Where(question="q1", author="cy"), {"a3"}),
        (Where(sql="score >= 3"), {"a4", "a5"}),
        (Where(sql="score > 0 AND author <> 'cy'"), {"a2", "a4", "a5"}),
        (Where(sql="author = 'nobody'"), set()),
    ],
)
def test_filters_are_applied_before_the_search(index, where: Where, ids: set[str]) -> None:
    (hits,) = index.search(["thread"], 5, where)
    assert {h.answer.id for h in hits} == ids
    (words,) = index.search_words(["the is a node streams function callbacks"], 9, where)
    assert {h.answer.id for h in words} <= ids


def test_a_shared_vector_is_found_only_for_the_allowed_answer(index) -> None:
    index.add([Answer("x1", "equal text", author="eve"), Answer("x2", "equal text", author="mal")])
    (hits,) = index.search(["equal text"], 5, Where(author="mal"))
    assert [h.answer.id for h in hits] == ["x2"]


def test_blank_answers_are_kept_but_never_found(index) -> None:
    assert index.get(["a6"])[0].text == ""
    index.add([Answer("blank", " \n\t ")])
    assert index.get(["blank"])[0].text == " \n\t "
    assert {"a6", "blank"}.isdisjoint(h.answer.id for h in index.search(["x"], 99)[0])
    assert index.store.counts()["blank"] == 2


def test_words_of_a_query_are_plain_words(index) -> None:
    index.add([Answer("op", 'NEAR the "quoted" AND * star NOT this')])
    for query in (
        '"quoted"',
        "*",
        "NEAR(",
        "\udcff half",
        "AND OR NOT",
        'a"b',
        "text:star",
        "^star",
        "a\0b",
        "-",
        "()",
    ):
        index.search_words([query], 3)
    assert index.search_words(['"QUOTED'], 3)[0][0].answer.id == "op"
    assert index.search_words(["callback"], 1)[0][0].answer.id in ("a1", "a2")
    assert index.search_words(["zebra"], 3) == [[]]


def test_adding_again_embeds_nothing(index, answers, encoder) -> None:
    before = list(encoder.texts)
    done = index.add(answers)
    assert (done.added, done.updated, done.unchanged, done.embedded) == (0, 0, 6, 0)
    assert encoder.texts == before


def test_a_changed_text_replaces_the_old_one(index, encoder) -> None:
    index.search(["thread"], 1)  # vectors are loaded, and must follow
    done = index.add([Answer("a3", "Completely new words", "q1", "cy")])
    assert (done.added, done.updated, done.embedded) == (0, 1, 1)
    assert index.search(["Completely new words"], 1)[0][0].answer.id == "a3"
    assert all(h.score < 0.9 for h in index.search(["Node uses one thread"], 9)[0])
    assert verify(index) == []


def test_a_changed_mark_embeds_nothing(index, answers, encoder) -> None:
    before = len(encoder.texts)
    done = index.add([replace(answers[0], meta={"score": "9", "late": "yes"})])
    assert (done.updated, done.embedded, len(encoder.texts)) == (1, 0, before)
    assert index.get(["a1"])[0].meta == {"score": "9", "late": "yes"}
    assert [a.id for a in index.answers(Where(sql="late = 'yes' and score = 9"))] == ["a1"]


def test_an_index_is_the_same_after_reopening(index, answers, encoder, tmp_path: Path) -> None:
    expected = index.search(["event loop"], 9)
    index.close()
    with Index.open(tmp_path / "index", encoder=encoder) as again:
        assert again.search(["event loop"], 9) == expected
        assert [replace(a, source=None) for a in again.answers()] == answers
        assert len(again) == 6
        assert (tmp_path / "index" / "vectors-1.faiss").exists()


def test_the_tail_is_searched_beside_the_checkpoint(index, encoder, tmp_path: Path) -> None:
    index.checkpoint()
    index.add([Answer("tail", "brand new tail answer")])
    index.add([Answer("a1", "changed after the checkpoint", "q1", "ann")])
    index.close()
    with Index.open(tmp_path / "index", encoder=encoder) as again:
        assert again.checkpoints.table.current().count == 5
        assert again.search(["brand new tail answer"], 1)[0][0].answer.id == "tail"
        assert (
            again.search(["The event loop runs callbacks when the stack is empty"], 1)[0][0].score
            < 0.99
        )
        assert verify(again) == []


def test_a_reader_sees_one_state(index, encoder, tmp_path: Path) -> None:
    with Index.open(tmp_path / "index", encoder=encoder) as reader:
        index.add([Answer("later", "something later")])
        assert len(reader) == 6
        assert "later" not in {h.answer.id for h in reader.search(["something later"], 9)[0]}
    with Index.open(tmp_path / "index", encoder=encoder) as reader:
        assert len(reader) == 7


def bytes_of(folder: Path) -> bytes:
    return b"".join(p.read_bytes() for p in sorted(folder.iterdir()))


def test_removing_erases_every_byte(index, encoder, tmp_path: Path) -> None:
    secret = "zanzibar quixotic xylophone"
    index.add([Answer("secret", secret, "q1", "eve", meta={"note": "vermilion"})])
    index.checkpoint()
    vector = encoder._embed([secret]).astype(np.float16).tobytes()
    index.store.flush_log()
    assert b"zanzibar" in bytes_of(index.path)
    assert vector[:40] in bytes_of(index.path)
    assert index.remove(["secret"]) == 1
    for trace in (b"zanzibar", b"quixotic", b"xylophon", b"vermilion", vector[:40]):
        assert trace not in bytes_of(index.path)
    assert verify(index) == []
    assert len(index) == 6


def test_removing_while_a_reader_is_open_is_finished_later(index, encoder, caplog) -> None:
    index.add([Answer("secret", "zanzibar")])
    with Index.open(index.path, encoder=encoder) as reader:
        index.remove(["secret"])
        assert "a reader still has the older state open" in caplog.text
        assert any("not erased yet" in p for p in verify(index))
        assert "secret" in {h.answer.id for h in reader.search(["zanzibar"], 3)[0]}
    index.close()
    with Index.open(index.path, write=True, encoder=encoder) as again:
        assert verify(again) == []
    assert b"zanzibar" not in bytes_of(index.path)


def test_removing_an_unknown_answer_removes_nothing(index) -> None:
    with pytest.raises(BadInput, match=r"no answer 'nope' in .*; there are a"):
        index.remove(["a1", "nope"])
    assert len(index) == 6


def test_a_second_writer_is_refused_and_the_first_is_named(index, tmp_path: Path) -> None:
    with pytest.raises(IndexBusy, match=r"being written by process \d+, since"):
        Index.open(tmp_path / "index", write=True)
    code = "import sys; from searchkit import Index; Index.open(sys.argv[1], write=True)"
    run = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "index")], capture_output=True, text=True
    )
    assert "IndexBusy" in run.stderr


def test_another_model_is_refused(index, tmp_path: Path) -> None:
    index.close()
    other = ToyEncoder()
    other.fingerprint, other.name = "another-model-fingerprint", "other"
    with pytest.raises(
        IndexMismatch, match=r"made with toy \(toy-1\), not with other \(another-mod"
    ):
        Index.open(tmp_path / "index", encoder=other)


def test_there_must_be_an_index(tmp_path: Path) -> None:
    with pytest.raises(IndexNotFound, match="no index here; make one with: searchkit ingest FILE"):
        Index.open(tmp_path / "nothing")
    assert not (tmp_path / "nothing").exists()


def test_create_does_not_overwrite(index, tmp_path: Path, encoder) -> None:
    index.close()
    with pytest.raises(BadInput, match="there is an index already"):
        Index.create(tmp_path / "index", encoder)


@pytest.mark.parametrize("name", ["answers.db"])
def test_a_damaged_database_stops_and_stays(index, tmp_path: Path, encoder, name: str) -> None:
    index.close()
    path = tmp_path / "index" / name
    damaged = b"not a database at all, but long enough" * 200
    path.write_bytes(damaged)
    for write in (False, True):
        with pytest.raises(IndexDamaged, match="damaged"):
            Index.open(tmp_path / "index", write=write, encoder=encoder)
    assert path.read_bytes() == damaged


def test_a_newer_format_is_refused(index, tmp_path: Path) -> None:
    index.store.db.execute("PRAGMA user_version = 99")
    index.close()
    with pytest.raises(IndexMismatch, match="format 99, made by a newer searchkit"):
        Index.open(tmp_path / "index")


def test_another_program_s_database_is_refused(tmp_path: Path) -> None:
    import sqlite3

    (tmp_path / "i").mkdir()
    with sqlite3.connect(tmp_path / "i" / "answers.db") as db:
        db.execute("CREATE TABLE x(y)")
    with pytest.raises(IndexDamaged, match="not a searchkit database; nothing was changed"):
        Index.open(tmp_path / "i")


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ([Answer("", "x")], "blank id"),
        ([Answer("a", "x"), Answer("a", "y")], "'a' comes twice"),
        ([Answer("a", "x\ud800")], r"lone surrogate U\+D800"),
        ([Answer("a", "x", meta={"m": "\udfff"})], r"lone surrogate U\+DFFF"),
        ([Answer("a", "x", meta={"m\0": "y"})], "column 'm.x00' has a NUL in its name"),
    ],
)
def test_answers_that_cannot_be_kept_are_named(index, bad, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        index.add([Answer("fine", "fine"), *bad])
    assert len(index) == 6


@pytest.mark.parametrize(
    ("number", "message"),
    [(np.nan, "NaN or infinity"), (np.inf, "NaN or infinity"), (0.0, "zeros")],
)
def test_an_invalid_vector_is_refused_with_its_text(index, encoder, number, message) -> None:
    def broken(texts, progress=None):
        return np.full((len(texts), encoder.dimension), number, np.float32)

    encoder.encode = broken
    with pytest.raises(
        BadInput, match=rf"the model gave {message} for text 1 of 1 \('bad words'\)"
    ):
        index.add([Answer("b", "bad words")])
    assert len(index) == 6


@pytest.mark.parametrize("k", [0, -1])
def test_k_below_one_is_refused(index, k: int) -> None:
    for search in (index.search, index.search_words):
        with pytest.raises(BadInput, match=f"must be at least 1, not {k}"):
            search(["x"], k)


@pytest.mark.parametrize("query", ["", "  \n"])
def test_a_blank_query_is_refused(index, query: str) -> None:
    with pytest.raises(BadInput, match="the query is blank"):
        index.search([query])


def test_an_empty_index_and_one_answer(tmp_path: Path, encoder) -> None:
    with Index.create(tmp_path / "i", encoder) as index:
        assert index.search(["x"], 3) == [[]]
        assert index.search_words(["x"], 3) == [[]]
        index.add([Answer("one", "x")])
        assert [h.answer.id for h in index.search(["x"], 3)[0]] == ["one"]
    assert index.add is not None


def test_a_writer_is_required_to_write(index, tmp_path: Path, encoder) -> None:
    with (
        Index.open(tmp_path / "index", encoder=encoder) as reader,
        pytest.raises(ValueError, match="opened for reading"),
    ):
        reader.add([])


def test_decisions_need_a_writer_too(index, tmp_path: Path) -> None:
    with Index.open(tmp_path / "index") as reader:
        for write in (partial(reader.add_decisions, []), partial(reader.remove_decisions, None)):
            with pytest.raises(ValueError, match="opened for reading"):
                write()


@pytest.mark.parametrize("use", [len, status, mine, lambda i: i.search_words(["loop"], 1)])
def test_a_closed_index_is_not_damaged(tmp_path: Path, encoder, use) -> None:
    with Index.create(tmp_path / "i", encoder) as index:
        index.add([Answer("a", "the loop runs")])
    with pytest.raises(ValueError, match="i: Cannot operate on a closed database"):
        use(index)


def test_nul_and_control_characters_are_kept(index) -> None:
    text = "a\0b\x1b[31m \u202e word"
    index.add([Answer("odd", text, meta={"odd name\"'": "x\0y"})])
    (got,) = index.get(["odd"])
    assert got.text == text
    assert got.meta == {"odd name\"'": "x\0y"}
    assert index.search_words(["word"], 5)[0]
    assert verify(index) == []


def test_100_000_equal_answers_are_one_vector(tmp_path: Path, encoder) -> None:
    with Index.create(tmp_path / "i", encoder) as index:
        index.add([Answer(f"{n:06}", "I don't know") for n in range(100_000)])
        (hits,) = index.search(["I don't know"], 3)
        assert [h.answer.id for h in hits] == ["000000", "000001", "000002"]
        assert index.store.counts()["vectors"] == 1


texts = st.text(st.sampled_from("ab é\n"), max_size=12)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("rstuv"), st.one_of(st.none(), texts)), max_size=12))
def test_any_history_equals_a_clean_build(tmp_path_factory, history) -> None:
    folder = tmp_path_factory.mktemp("history")
    expected: dict[str, str] = {}
    with Index.create(folder / "lived", ToyEncoder()) as lived:
        for id_, text in history:
            if text is not None:
                lived.add([Answer(id_, text)])
                expected[id_] = text
            elif id_ in expected:
                lived.remove([id_])
                del expected[id_]
            else:
                lived.checkpoint()
        assert verify(lived) == []
        assert {a.id: a.text for a in lived.answers()} == expected
        with Index.create(folder / "clean", ToyEncoder()) as clean:
            clean.add([Answer(i, t) for i, t in expected.items()])
            assert lived.search(["a b"], 9) == clean.search(["a b"], 9)
            assert lived.search_words(["a b ab"], 9) == clean.search_words(["a b ab"], 9)
