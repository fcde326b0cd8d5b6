"""Files that say what belongs together: the folder of BEIR, and lists of copies."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from searchkit.core.errors import BadInput
from searchkit.demo.corpus import DEMO_ANSWERS, DEMO_PLANTED
from searchkit.sources.labelled import read_copies, read_qrels
from searchkit.sources.reader import read_answers

CORPUS = [
    {"_id": "d1", "title": "Loop", "text": "It runs callbacks.", "metadata": {"url": "x"}},
    {"_id": "d2", "title": "", "text": "No title."},
    {"_id": "d3", "text": "None at all."},
]
QUERIES = [{"_id": "1", "text": "what runs callbacks"}, {"_id": "2", "text": "title"}]
QRELS = "query-id\tcorpus-id\tscore\n1\td1\t2\n1\td2\t0\n2\td2\t1\n"


def beir(folder: Path, corpus=CORPUS, queries=QUERIES, qrels: str = QRELS) -> Path:
    (folder / "qrels").mkdir(parents=True)
    for name, rows in (("corpus", corpus), ("queries", queries)):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "qrels" / "test.tsv").write_text(qrels)
    return folder


def test_the_folder_of_beir(tmp_path: Path) -> None:
    found = read_qrels(beir(tmp_path))
    assert found.corpus == {"d1": "Loop It runs callbacks.", "d2": "No title.",
                            "d3": "None at all."}  # fmt: skip
    assert found.queries == {"1": "what runs callbacks", "2": "title"}
    assert found.qrels == {"1": {"d1": 2.0, "d2": 0.0}, "2": {"d2": 1.0}}
    assert found.files == [str(tmp_path / "qrels" / "test.tsv")]


def test_which_judgements_are_read(tmp_path: Path) -> None:
    folder = beir(tmp_path)
    (folder / "qrels" / "train.tsv").write_text(QRELS.replace("2\td2\t1", "2\td3\t1"))
    assert len(read_qrels(folder).files) == 1  # the test split is for testing
    (folder / "qrels" / "test.tsv").rename(folder / "qrels" / "dev.tsv")
    found = read_qrels(folder)
    assert [Path(file).name for file in found.files] == ["dev.tsv", "train.tsv"]
    assert found.qrels["2"] == {"d2": 1.0, "d3": 1.0}
    for file in (folder / "qrels").iterdir():
        file.rename(folder / "qrels.tsv")
    assert len(read_qrels(folder).files) == 1


def test_a_document_that_is_judged_twice_is_as_relevant_as_it_was_ever_called(tmp_path) -> None:
    found = read_qrels(beir(tmp_path, qrels=QRELS + "1\td1\t1\n1\td2\t3\n"))
    assert found.qrels["1"] == {"d1": 2.0, "d2": 3.0}


def test_packed_files(tmp_path: Path) -> None:
    folder = beir(tmp_path)
    whole = (folder / "corpus.jsonl").read_bytes()
    (folder / "corpus.jsonl.gz").write_bytes(gzip.compress(whole))
    (folder / "corpus.jsonl").unlink()
    assert len(read_qrels(folder).corpus) == 3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"qrels": QRELS + "2\td9\t1\n"}, "test.tsv:5: no document 'd9' in corpus.jsonl"),
        ({"qrels": QRELS + "9\td1\t1\n"}, "test.tsv:5: no query '9' in queries.jsonl"),
        ({"qrels": QRELS + "1\td3\thigh\n"}, "test.tsv:5: the score 'high' is no number"),
        (
            {"qrels": "1\t0\td1\t2\n3\t0\td1\t1\n"},
            "test.tsv:2: no column 'query-id'; there are: 1, 0",
        ),
        ({"qrels": "query-id\tscore\n1\t1\n"}, "no column 'corpus-id' with anything in it; there"),
        ({"qrels": "query-id\tcorpus-id\tscore\n"}, "test.tsv: no rows in it"),
        ({"corpus": [*CORPUS, CORPUS[0]]}, "corpus.jsonl:4: the _id 'd1' comes twice"),
        (
            {"corpus": [{"name": "d1", "text": "x"}]},
            "corpus.jsonl:1: no column '_id'; there",
        ),
        ({"queries": [{"_id": "1"}]}, "queries.jsonl:1: no column 'text'; there are: _id"),
        ({"corpus": []}, "corpus.jsonl: .*(empty|no rows)"),
    ],
)
def test_what_cannot_be_used_is_named(tmp_path: Path, change: dict, message: str) -> None:
    with pytest.raises(BadInput, match=message) as error:
        read_qrels(beir(tmp_path, **change))
    assert "-column)" not in str(error.value)


@pytest.mark.parametrize("name", ["corpus.jsonl", "queries.jsonl", "qrels/test.tsv"])
def test_a_file_that_is_missing(tmp_path: Path, name: str) -> None:
    (beir(tmp_path) / name).unlink()
    with pytest.raises(BadInput, match=rf"no {name[:5]}"):
        read_qrels(tmp_path)
    with pytest.raises(BadInput, match="nowhere: no such folder"):
        read_qrels(tmp_path / "nowhere")


def test_the_copies_of_the_demo() -> None:
    ids = {answer.id for answer in read_answers([DEMO_ANSWERS])}
    found = read_copies([DEMO_PLANTED], ids)
    assert len(found.pairs) == 69 and found.others == 28
    assert ("q01-s21", "q01-s02") in found.pairs
    assert ("q01-s08", "q01-s15") not in found.pairs  # an honest pair


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("copy,source\na,b\na,x\n", "c.csv:3: no answer 'x'"),
        ("copy,source\nx,b\n", "c.csv:2: no answer 'x'"),
        ("copy,source\na,a\n", "c.csv:2: 'a' is no copy of itself"),
        ("copy,from\na,b\n", "c.csv:2: no column 'source' with anything in it; there are: copy, f"),
        ("who,source\na,b\n", "c.csv:2: no column 'copy'; there are: who, source"),
    ],
)
def test_copies_that_cannot_be_used(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "c.csv"
    file.write_text(text)
    with pytest.raises(BadInput, match=message):
        read_copies([file], {"a", "b"})


def test_kinds_and_pairs_that_come_twice(tmp_path: Path) -> None:
    file = tmp_path / "c.csv"
    file.write_text("copy,source,kind\na,b,my own kind\na,b,near\nb,c,Honest\na,c,\n")
    found = read_copies([file], {"a", "b", "c"})
    assert found.pairs == [("a", "b"), ("a", "c")] and found.others == 1
