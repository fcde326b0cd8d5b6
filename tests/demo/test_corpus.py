"""The demo corpus is what its description says, and what is planted in it is there."""

from __future__ import annotations

import csv
import re
from collections import Counter
from datetime import datetime
from pathlib import Path

import pytest

from searchkit import Index
from searchkit.demo.corpus import (
    DEMO_ANSWERS,
    DEMO_LANGUAGES,
    DEMO_PLANTED,
    DEMO_TRANSLATIONS,
)
from searchkit.index.ingest import ingest
from searchkit.sources.reader import read_answers
from searchkit.text.languages.identification import identify_language

KINDS = {"exact", "near", "light", "heavy", "mosaic", "honest", "inconsistent-mark"}
LANGUAGES = ("de", "es", "fr")
COPIES = KINDS - {"honest", "inconsistent-mark"}


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def answers() -> dict[str, dict[str, str]]:
    return {row["id"]: row for row in rows(DEMO_ANSWERS)}


@pytest.fixture(scope="module")
def planted() -> list[dict[str, str]]:
    return rows(DEMO_PLANTED)


def test_size_and_lengths(answers) -> None:
    students = [row for row in answers.values() if row["author"] != "reference"]
    assert len(rows(DEMO_ANSWERS)) == len(answers)
    assert len({row["question"] for row in students}) >= 15
    assert len(students) >= 400
    assert {row["author"] for row in students} == {f"s{n:02}" for n in range(1, 31)}
    words = sorted(len(row["answer"].split()) for row in students)
    assert words[0] <= 2
    assert 25 <= words[len(words) // 2] <= 60
    assert words[-8] > 250
    assert any("```" in row["answer"] for row in students)


def test_marks_times_and_references(answers) -> None:
    for row in answers.values():
        assert 0 <= float(row["score"]) <= 10
        assert datetime.fromisoformat(row["submitted_at"]).year == 2025
    references = [row["question"] for row in answers.values() if row["author"] == "reference"]
    assert sorted(references) == sorted({row["question"] for row in answers.values()})
    prompts = {(row["question"], row["prompt"]) for row in answers.values()}
    assert len(prompts) == len(references)


def test_what_is_planted_exists(answers, planted) -> None:
    assert {row["kind"] for row in planted} == KINDS
    for row in planted:
        copy, source = answers[row["copy"]], answers[row["source"]]
        assert copy["question"] == source["question"] == row["question"]
        assert copy["author"] != source["author"]
    mosaics = Counter(row["copy"] for row in planted if row["kind"] == "mosaic")
    assert all(sources >= 2 for sources in mosaics.values())
    assert sum(row["kind"] in COPIES for row in planted) >= 50


def test_copies_are_as_near_as_they_claim(answers, planted) -> None:
    shared: dict[str, list[float]] = {kind: [] for kind in KINDS}
    for row in planted:
        pair = [trigrams(answers[row[side]]["answer"]) for side in ("copy", "source")]
        shared[row["kind"]].append(len(pair[0] & pair[1]) / max(1, len(pair[0] | pair[1])))
        if row["kind"] == "exact":
            assert answers[row["copy"]]["answer"] == answers[row["source"]]["answer"]
    mean = {kind: sum(values) / len(values) for kind, values in shared.items()}
    assert mean["exact"] == 1 > mean["near"] > mean["light"] > mean["heavy"]


def trigrams(text: str) -> set[tuple[str, ...]]:
    words = re.findall(r"\w+", text.lower())
    return set(zip(words, words[1:], words[2:], strict=False))


def test_inconsistent_marks_differ_by_three(answers, planted) -> None:
    pairs = [row for row in planted if row["kind"] == "inconsistent-mark"]
    assert len(pairs) >= 8
    for row in pairs:
        marks = [float(answers[row[side]]["score"]) for side in ("copy", "source")]
        assert abs(marks[0] - marks[1]) >= 3


def test_honest_answers_share_no_long_run_of_words(answers, planted) -> None:
    linked = {frozenset((row["copy"], row["source"])) for row in planted}
    runs: dict[tuple[str, ...], set[str]] = {}
    for answer_id, row in answers.items():
        words = re.findall(r"\w+", row["answer"].lower())
        for n in range(len(words) - 9):
            runs.setdefault(tuple(words[n : n + 10]), set()).add(answer_id)
    for run, ids in runs.items():
        for left in ids:
            for right in ids - {left}:
                assert frozenset((left, right)) in linked, (left, right, run)


def test_answers_in_other_languages(answers) -> None:
    others = rows(DEMO_LANGUAGES)
    assert list(others[0]) == list(rows(DEMO_ANSWERS)[0])
    assert not {row["id"] for row in others} & answers.keys()
    assert Counter(row["author"][:2] for row in others) == dict.fromkeys(LANGUAGES, 80)
    prompts = {row["question"]: row["prompt"] for row in answers.values()}
    for row in others:
        assert row["prompt"] == prompts[row["question"]]
        assert datetime.fromisoformat(row["submitted_at"]).year == 2025
        assert 0 <= float(row["score"]) <= 10
        told = identify_language(row["answer"])
        assert told == row["author"][:2] or (told == "und" and len(row["answer"].split()) < 8)


def test_what_is_translated(answers, planted) -> None:
    others = {row["id"]: row for row in rows(DEMO_LANGUAGES)}
    translations = rows(DEMO_TRANSLATIONS)
    kinds = Counter((row["language"], row["kind"]) for row in translations)
    assert kinds == {
        (code, kind): 20 for code in ("de", "es", "fr") for kind in ("faithful", "loose")
    }
    assert len({row["source"] for row in translations}) == 60
    copied = {row[side] for row in planted if row["kind"] in COPIES for side in ("copy", "source")}
    for row in translations:
        copy, source = others.pop(row["copy"]), answers[row["source"]]
        assert copy["question"] == source["question"] == row["question"]
        assert copy["submitted_at"] > source["submitted_at"]
        assert copy["author"].startswith(row["language"]) and source["id"] not in copied
    assert len(others) == 120


@pytest.mark.model
def test_a_copy_is_among_the_nearest_answers_of_its_source(
    tmp_path: Path, answers, planted, remembered: None
) -> None:
    with Index.create(tmp_path / "i") as index:
        ingest(index, read_answers([DEMO_ANSWERS]))
        assert len(index) == len(answers)
        pairs = [row for row in planted if row["kind"] in ("exact", "near", "light")]
        sources = [answers[row["source"]]["answer"] for row in pairs]
        rankings = index.search(sources, 10)
    is_found = [
        row["copy"] in [hit.answer.id for hit in hits]
        for row, hits in zip(pairs, rankings, strict=True)
    ]
    assert sum(is_found) >= 0.95 * len(is_found)
