"""Clusters of an index: every answer in one, equal texts together, a reader can see why."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import pytest
from helpers.encoder import ToyEncoder
from helpers.runners import PackingLoop

from searchkit import Answer, Index, Where
from searchkit.clustering.clusters import cluster
from searchkit.clustering.keywords import KeywordText, cluster_keywords
from searchkit.clustering.methods import CLUSTER_METHODS
from searchkit.core.errors import BadInput
from searchkit.output.clusters import print_clusters
from searchkit.text.words import split_words

LOOP = "The event loop runs the callbacks of finished operations one after the other"
STREAM = "A stream hands on a big file in small chunks so that memory stays flat"


def answers() -> list[Answer]:
    rows = [
        (f"l{n}", f"{LOOP} and {word}", "q1") for n, word in enumerate("then now so it".split())
    ]
    rows += [(f"s{n}", f"{STREAM} {word}", "q1") for n, word in enumerate(["indeed", "always"])]
    rows += [("odd", "PHP forever", "q1"), ("e1", "No idea", "q1"), ("e2", "No idea", "q1")]
    rows += [("blank", " ", "q1"), ("other", LOOP, "q2")]
    return [Answer(i, text, question, f"by-{i}") for i, text, question in rows]


def made(path: Path, rows: Sequence[Answer]) -> Index:
    with Index.create(path / "i", ToyEncoder(window=40)) as index:
        index.add(rows)
    return Index.open(path / "i", encoder=ToyEncoder(window=40))


def ids(clusters) -> list[list[str]]:
    return [sorted(member.id for member in c.members) for c in clusters]


def test_communities_of_a_question(tmp_path: Path) -> None:
    with made(tmp_path, answers()) as index:
        found = cluster(index, threshold=0.7)
        assert ids(found.clusters) == [
            ["l0", "l1", "l2", "l3"], ["e1", "e2"], ["s0", "s1"], ["odd"], ["other"],
        ]  # fmt: skip
        assert [c.kind for c in found.clusters] == ["cluster"] * 3 + ["single"] * 2
        assert [c.cluster for c in found.clusters] == [1, 2, 3, 4, 1]
        first = found.clusters[0]
        assert first.center in ids([first])[0]
        assert first.members[0].id == first.center and first.members[0].score == 1
        assert {"loop", "callbacks"} & set(first.keywords)
        assert (found.answers, found.blank, found.choices) == (10, 1, {})


@pytest.mark.parametrize("method", CLUSTER_METHODS)
def test_every_answer_is_in_one_cluster_and_equal_texts_together(method, tmp_path: Path) -> None:
    with made(tmp_path, answers()) as index:
        found = cluster(index, method=method, by="all")
        members = [member.id for c in found.clusters for member in c.members]
        assert sorted(members) == sorted(a.id for a in answers() if a.id != "blank")
        assert sum({"e1", "e2"} <= set(group) for group in ids(found.clusters)) == 1
        assert cluster(index, method=method, by="all") == found  # the same again
        lone = [n for n, c in enumerate(found.clusters) if c.kind != "cluster"]
        assert lone == list(range(len(found.clusters) - len(lone), len(found.clusters)))


def test_what_was_chosen_is_told(tmp_path: Path) -> None:
    with made(tmp_path, answers()) as index:
        found = cluster(index, where=Where(question="q1"))
        assert list(found.choices) == ["q1"]
        out = io.StringIO()
        print_clusters(found, index.get, out)
    shown = out.getvalue()
    assert "q1   9 answers" in shown and "chosen, of 23 tried" in shown
    assert "1 alone, the odd ones to read" in shown and "“PHP forever”" in shown


def test_nothing_to_cluster(tmp_path: Path) -> None:
    with made(tmp_path, [Answer("blank", "")]) as index:
        found = cluster(index)
        assert (found.clusters, found.blank) == ([], 1)
        out = io.StringIO()
        print_clusters(found, index.get, out)
    assert out.getvalue() == "no answer to cluster\n"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"threshold": 2.0}, "a threshold is a cosine, from -1 to 1, not 2"),
        ({"threshold": float("nan")}, "a threshold is a cosine"),
        ({"method": "k-means", "k": 0}, "`k` must be 1 or more, not 0"),
        ({"k": 3}, "k 3 goes with the method k-means, not with communities"),
        ({"method": "hdbscan", "threshold": 0.5}, "threshold 0.5 goes with the method communities"),
        ({"min_size": 1}, "`min_size` must be 2 or more, not 1"),
        ({"seed": 2**40}, "`seed` must be from 0 to 2147483647, not 1099511627776"),
        ({"by": "questions"}, "`by` must be one of question, all, not 'questions'"),
        ({"method": "magic"}, "`method` must be one of communities, k-means, hdbscan, not 'magic'"),
    ],
)
def test_bad_numbers(options, message: str, tmp_path: Path) -> None:
    with made(tmp_path, answers()) as index, pytest.raises(BadInput, match=message):
        cluster(index, **options)


def test_the_largest_seed_is_one(tmp_path: Path) -> None:
    with made(tmp_path, answers()) as index:
        assert cluster(index, method="k-means", k=2, seed=2**31 - 1).clusters


def test_keywords_set_apart_and_leave_out_what_says_nothing() -> None:
    texts = [["the loop runs callbacks 42", "loop again"], ["the stream runs chunks", "of chunks"]]
    found = cluster_keywords(
        [[KeywordText(t, split_words(t)) for t in cluster] for cluster in texts], max_keywords=2
    )
    assert found == [("loop", "callbacks"), ("chunks", "stream")]
    assert all("the" not in words and "42" not in words for words in found)
    assert cluster_keywords([[KeywordText("the of", split_words("the of"))], []]) == [(), ()]


@pytest.mark.parametrize("method", CLUSTER_METHODS)
@pytest.mark.parametrize("by", ["question", "all"])
def test_a_runner_finds_the_same(tmp_path: Path, method, by) -> None:
    (tmp_path / "shards").mkdir()
    with made(tmp_path, answers()) as index:
        found = cluster(index, by=by, method=method, runner=PackingLoop(tmp_path / "shards"))
        assert found == cluster(index, by=by, method=method) and found.clusters
    assert not list((tmp_path / "shards").iterdir())
