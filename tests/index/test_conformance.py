"""Every backend behaves alike: the folder, a file of Milvus Lite, and a Milvus server."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from helpers.encoder import ToyEncoder
from helpers.oracles import ranked_by_brute_force
from helpers.vectors import unit

from searchkit import Index
from searchkit.clustering.clusters import cluster
from searchkit.core.errors import BadInput, IndexMismatch, IndexNotFound, NotFound
from searchkit.core.records import Answer
from searchkit.core.where import Where
from searchkit.demo.corpus import DEMO_ANSWERS, QUERIES
from searchkit.encoding.loading import load_encoder
from searchkit.grading.promise.plan import plan_grading
from searchkit.grading.suggest import grade
from searchkit.index.base import BaseIndex
from searchkit.index.ingest import ingest
from searchkit.index.locations import Place, open_index, open_or_create
from searchkit.index.query import query
from searchkit.index.upkeep.copying import copy
from searchkit.index.upkeep.status import status
from searchkit.index.upkeep.verify import verify
from searchkit.mining.pairs import mine
from searchkit.plagiarism.find import find_plagiarism
from searchkit.sources.reader import read_answers


@pytest.fixture(params=["folder", "lite", "server"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    if request.param == "folder":
        yield tmp_path / "index"
    elif request.param == "lite":
        yield f"milvus+lite:{tmp_path / 'index.db'}"
    else:
        from pymilvus import MilvusClient

        started = request.getfixturevalue("server")
        name = f"c{uuid.uuid4().hex}"
        yield f"milvus+{started.address}/{name}"
        client = MilvusClient(started.address)
        client.drop_collection(name)
        client.close()


@pytest.fixture
def index(place: Place, encoder: ToyEncoder, answers: list[Answer]) -> Iterator[BaseIndex]:
    made = open_or_create(place, encoder)
    made.add(answers)
    yield made
    made._release()


@pytest.fixture
def folder(tmp_path: Path, answers: list[Answer]) -> Iterator[Index]:
    """Return the index that the others are compared with."""
    made = Index.create(tmp_path / "reference", ToyEncoder())
    made.add(answers)
    yield made
    made._release()


@pytest.mark.parametrize("k", [1, 3, 5, 6, 10**9])
def test_search_equals_brute_force(index, answers, encoder, k: int) -> None:
    (hits,) = index.search(["the event loop runs callbacks"], k)
    expected = ranked_by_brute_force(answers, encoder, "the event loop runs callbacks")[:k]
    assert [h.answer.id for h in hits] == [i for _, i in expected]
    assert [h.score for h in hits] == pytest.approx([s for s, _ in expected], abs=2e-6)


@pytest.mark.parametrize(
    "where",
    [
        Where(),
        Where(question="q2"),
        Where(question="q1", author="cy"),
        Where(author=""),
        Where(question="Q2 ", author=" CY"),
        Where(question=""),
        Where(sql="score >= 3"),
        Where(question="q1", sql="score > 0 AND author <> 'cy'"),
    ],
)
def test_contents_and_hits_equal_those_of_a_folder(index, folder, where) -> None:
    queries = ["the event loop", "streams " * 40, "runs callbacks", "unlike any other"]
    more = [Answer(f"n{n}", f"answer number{n} about the event loop", None) for n in range(20)]
    for one in (index, folder):
        one.add(more)
    assert index.ids(where) == folder.ids(where)
    assert list(index.answers(where)) == list(folder.answers(where))
    assert len(index) == len(folder)
    assert index.counts() == folder.counts()
    assert index.by_question() == folder.by_question()
    assert index.columns() == folder.columns()
    for k in (1, 4, 50):
        ours, theirs = index.search(queries, k, where), folder.search(queries, k, where)
        assert ours == theirs
        assert index.search_words(queries, k, where) == folder.search_words(queries, k, where)
        hybrid = query(index, queries, k, "hybrid", where)
        assert hybrid == query(folder, queries, k, "hybrid", where)
        assert index.search_like("n3", k, where) == folder.search_like("n3", k, where)
    ours, theirs = index.passage_vectors(where), folder.passage_vectors(where)
    assert (ours.ids, ours.questions) == (theirs.ids, theirs.questions)
    for mine_, its in zip(ours.rows, theirs.rows, strict=True):
        assert np.array_equal(ours.vectors[list(mine_)], theirs.vectors[list(its)])
    for (a, ours), (b, theirs) in zip(
        index.iter_vectors(where), folder.iter_vectors(where), strict=True
    ):
        assert a == b
        assert np.array_equal(ours, theirs)
    assert verify(index) == []


def test_scores_equal_those_of_a_folder_to_the_last_place(place, tmp_path) -> None:
    encoder = ToyEncoder(dimension=384)  # sums of so many products depend on their order
    rng = np.random.default_rng(0)
    answers = [
        Answer(f"a{n}", " ".join(f"w{word}" for word in rng.integers(0, 99, 20)), f"q{n % 3}")
        for n in range(300)
    ]
    with (
        open_or_create(place, encoder) as index,
        open_or_create(tmp_path / "other", encoder) as folder,
    ):
        queries = list(unit(20, 384))
        for one in (index, folder):
            one.add(answers)
        for where in (Where(), Where(question="q1"), Where(sql="id > 'a2'")):
            for k in (5, 100):
                ours, theirs = (one.search_vectors(queries, k, where) for one in (index, folder))
                assert ours == theirs


def test_equal_texts_are_embedded_once_and_tie_by_id(index, encoder) -> None:
    done = index.add([Answer(f"same{n}", "I do not know", "q9") for n in (3, 1, 2)])
    assert (done.added, done.passages, done.embedded) == (3, 3, 1)
    done = index.add([Answer("same0", "I do not know", "q8")])
    assert (done.added, done.embedded) == (1, 0)
    (hits,) = index.search(["I do not know"], 3)
    assert [h.answer.id for h in hits] == ["same0", "same1", "same2"]


def test_only_changed_answers_are_written(index, encoder, answers) -> None:
    before = len(encoder.texts)
    assert index.add(answers).unchanged == len(answers)
    changed = [
        replace(answers[0], text="now it says something new"),
        replace(answers[1], meta={"score": "9", "Note": "é"}),
        replace(answers[2], question="q7", author=None),
        replace(answers[3], text=""),
        replace(answers[5], text="no longer blank"),
    ]
    done = index.add(changed)
    assert (done.added, done.updated, done.unchanged, done.embedded) == (0, 5, 0, 2)
    assert len(encoder.texts) == before + 2
    assert list(index.answers()) == [*changed[:4], answers[4], changed[4]]
    assert index.get(["a3", "a1"]) == [changed[2], changed[0]]
    assert index.search(["now it says something new"], 1)[0][0].answer == changed[0]
    assert index.ids(Where(question="q7")) == ["a3"]
    assert index.ids(Where(question="q1", author="cy")) == []
    assert "a4" not in {h.answer.id for h in index.search(["middleware"], 50)[0]}
    assert index.columns() == ["score", "Note"]
    assert verify(index) == []


def test_columns_are_updated_without_embedding(index, encoder, answers) -> None:
    before = len(encoder.texts)
    assert (
        index.update_columns({"a1": {"SCORE": "4"}, "a2": {"note": None}, "a6": {"mark": "b"}}) == 2
    )
    assert dict(index.get(["a1"])[0].columns) == {"score": "4"}
    assert dict(index.get(["a6"])[0].columns) == {"score": "5", "mark": "b"}
    assert index.ids(Where(sql="mark = 'b'")) == ["a6"]
    assert len(encoder.texts) == before
    assert [answer.id for answer in index.answers()] == [answer.id for answer in answers]
    with pytest.raises(NotFound, match="no answer 'x'"):
        index.update_columns({"x": {"score": "5"}})


def test_deleted_answers_are_gone(index) -> None:
    index.add([Answer("long", "many words " * 200, "q1")])
    assert index.remove(["long", "a1"]) == 2
    assert index.get_existing(["long", "a1", "a2"]).keys() == {"a2"}
    assert "a1" not in {h.answer.id for h in index.search(["event loop"], 50)[0]}
    assert index.search_words(["many"], 5) == [[]]
    with pytest.raises(NotFound, match=r"no answer 'a1' in .*; there are a2"):
        index.remove(["a2", "a1"])
    assert len(index) == 5
    assert verify(index) == []


@pytest.mark.parametrize("wrong", ["12", [1], [None]])
def test_one_text_and_numbers_are_no_list_of_texts(index, wrong) -> None:
    index.add([Answer("1", "one"), Answer("2", "two")])
    for use in (index.remove, index.get, index.search, partial(query, index, mode="lexical")):
        with pytest.raises(TypeError, match=r"takes a list, not one str|item 1 is .*, which is no"):
            use(wrong)
    assert {"1", "2"} <= set(index.ids())


def test_a_mark_that_is_no_text_deletes_none(index) -> None:
    index.update_columns({"a1": {"mark": "3"}})
    with pytest.raises(TypeError, match="item 1 is 0, which is no str"):
        index.update_columns({"a1": {"mark": 0}})
    assert index.get(["a1"])[0].value("mark") == "3"


@pytest.mark.parametrize("mode", ["semantic", "lexical", "hybrid"])
def test_a_number_of_numpy_is_a_number_of_hits(index, mode) -> None:
    (hits,) = query(index, ["event loop"], np.int64(1), mode)
    assert len(hits) == 1


ODD = ['"', "\\", "'; drop", "a\nb", "\t", "é\0è", "𝔘𝔫𝔦", "%_*", '" or part >= 0 or "', "{}[]()"]


def test_odd_names_and_long_texts_are_kept(index, place) -> None:
    odd = [
        Answer(
            f"id {name}",
            f"text {name} x",
            f"q{name}",
            name,
            name,
            name,
            3,
            {f"{n} {name.strip(chr(0))[:1]}": name},
        )
        for n, name in enumerate(ODD)
    ]
    odd.append(
        Answer("i" * 70_000, "é𝔘" * 70_000, "q" * 70_000, "a" * 70_000, meta={"m": "é" * 99})
    )
    index.add(odd)
    index.close()
    with open_index(place, encoder=ToyEncoder()) as again:
        assert again.get([answer.id for answer in odd]) == odd
        for answer in odd:
            assert again.ids(Where(question=answer.question)) == [answer.id]
            assert again.ids(Where(author=answer.author)) == [answer.id]
            (hits,) = again.search([answer.text[:500]], 9, Where(author=answer.author))
            assert [hit.answer for hit in hits] == [answer]


def test_writes_of_another_client_are_seen_after_opening(index, place) -> None:
    index.add([Answer("new", "an answer of just now")])
    index.close()
    with open_index(place, encoder=ToyEncoder()) as again:
        assert again.search(["an answer of just now"], 1)[0][0].answer.id == "new"
        with pytest.raises(ValueError, match="write=True"):
            again.add([])


def test_another_model_no_index_and_a_second_create_are_refused(index, place, tmp_path) -> None:
    index.close()
    with pytest.raises(IndexMismatch, match=r"made with toy .toy-1.*not with toy .toy-2"):
        open_index(place, encoder=ToyEncoder(fingerprint="toy-2"))
    nowhere = (
        tmp_path / "none"
        if isinstance(place, Path)
        else place.replace(".db", "2.db") + ("" if place.endswith(".db") else "x")
    )
    with pytest.raises(IndexNotFound, match="no index here"):
        open_index(nowhere)
    assert not Path(str(nowhere).removeprefix("milvus+lite:")).exists()


@pytest.mark.parametrize("bad", [np.nan, np.inf, 0.0])
def test_an_invalid_vector_is_refused_before_it_is_written(index, encoder, bad) -> None:
    encode = encoder.encode
    encoder.encode = lambda texts, progress=None: encode(texts) * bad
    with pytest.raises(BadInput, match=r"the model gave (NaN|zeros)"):
        index.add([Answer("bad", "a text that fails")])
    assert index.get_existing(["bad"]) == {}
    with pytest.raises(BadInput, match="NaN"):
        index.search_vectors([np.full(32, np.nan, np.float32)])


def test_vectors_of_another_dimension_are_refused_before_they_are_written(index, encoder) -> None:
    encoder.encode = lambda texts, progress=None: np.ones((len(texts), 16), np.float32)
    with pytest.raises(
        ValueError, match=r"toy: its vectors have the shape \(1, 16\), not \(1, 32\)"
    ):
        index.add([Answer("bad", "a text that is new")])
    assert index.get_existing(["bad"]) == {} and verify(index) == []


def test_a_copy_is_complete_and_embeds_nothing(index, folder, place, tmp_path) -> None:
    index.add([Answer("long", "many words and more " * 99, "q1", meta={"score": "7"})])
    target = Index.create(tmp_path / "copy", ToyEncoder())
    done = copy(index, target, batch=3)
    assert (done.read, done.added, done.embedded) == (7, 7, 0)
    assert copy(index, target).unchanged == 7
    assert list(target.answers()) == list(index.answers())
    for ours, theirs in zip(target.iter_stored(), index.iter_stored(), strict=True):
        assert (ours.answer, ours.passages) == (theirs.answer, theirs.passages)
        assert ours.vectors.tobytes() == theirs.vectors.tobytes()
    assert verify(target) == []
    for name in ("a1", "a2"):
        target.update_columns({name: {"score": "8"}})
    assert copy(target, index).updated == 2  # and back
    assert list(target.answers()) == list(index.answers())
    with pytest.raises(BadInput, match="into itself"):
        copy(index, index)
    other = Index.create(tmp_path / "other", ToyEncoder(fingerprint="toy-2"))
    with pytest.raises(IndexMismatch, match=r"toy-2.*toy-1"):
        copy(index, other)
    target.close()
    other.close()


def test_status_shows_how_the_index_is_stored(index) -> None:
    known = status(index)
    assert (known["answers"], known["columns"]) == (6, ["score"])
    assert ("storage" in known) != ("files" in known)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory, remembered: None) -> Iterator[Index]:
    """Ingest the demo corpus into a folder, with the real model."""
    with Index.create(tmp_path_factory.mktemp("demo") / "index", load_encoder()) as made:
        ingest(made, read_answers([DEMO_ANSWERS]))
        yield made


def demo_results(index: BaseIndex) -> dict[str, object]:
    """Return what each use of an index gives."""
    pairs = mine(index)
    return {
        "hits": [
            query(index, QUERIES, 10, mode, where)
            for where in (
                Where(),
                Where(question="q03"),
                Where(author="s07"),
                Where(sql="score < 5"),
            )
            for mode in ("semantic", "lexical", "hybrid")
        ],
        "equal": pairs.equal,
        "pairs": list(pairs.pairs()),
        "findings": find_plagiarism(index).findings,
        "clusters": cluster(index).clusters,
        "suggestions": grade(index, "score").suggestions,
        "plan": plan_grading(index, "points").to_record(),
    }


@pytest.fixture(scope="module")
def wanted(demo: Index) -> dict[str, object]:
    return demo_results(demo)


@pytest.mark.model
def test_the_demo_corpus_gives_the_same_hits_pairs_findings_clusters_and_marks(
    demo, wanted, place
) -> None:
    with open_or_create(place, demo.encoder) as index:
        copied = copy(demo, index)
        assert (copied.added, copied.embedded) == (len(demo), 0)
        found = demo_results(index)
        for name, result in wanted.items():
            assert found[name] == result, name
        assert verify(index) == []


def test_answers_are_found_by_question_and_author(index: BaseIndex) -> None:
    index.add([Answer("x", "one two", "q9", " Ann LEE"), Answer("y", "three", None, None)])
    slots = [("q9", "ann lee"), ("q9", "nobody"), (None, None)]
    found = index.find_slots(slots)
    assert [a.id for a in found["q9", "ann lee"]] == ["x"]
    assert "y" in [a.id for a in found[None, None]]
    assert ("q9", "nobody") not in found
