"""Kept results: read where nothing changed, never where anything did, and forgotten."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from helpers.answers import honest
from helpers.encoder import ToyEncoder

from searchkit import Answer, Index, Where
from searchkit.index.decisions import decide
from searchkit.index.upkeep.verify import verify
from searchkit.plagiarism import find
from searchkit.plagiarism.kept import results as cached_results
from searchkit.plagiarism.records import PlagiarismOptions, PlagiarismResult

PROGRAM = "\n".join(f"def name{n}(value):\n    return value * {n} + other{n}" for n in range(9))


def with_copies() -> list[Answer]:
    """Return answers with findings in two questions, equal texts, a ring, and programs."""
    answers = [*honest(24), *honest(24, "q2", 1)]
    for source, copy in ((3, 8), (27, 32), (40, 41)):
        answers[copy] = replace(answers[copy], text=answers[source].text)
    programs = [Answer(f"p{n}", PROGRAM + f"\n# {n}", "q3", f"s{n}") for n in range(4)]
    return [*answers, *programs]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with Index.create(tmp_path / "i", ToyEncoder(window=100)) as index:
        index.add(with_copies())
    return tmp_path / "i"


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[PlagiarismResult]:
    """Return the list of the results that are computed."""
    results: list[PlagiarismResult] = []
    compute = find._find

    def noted(*arguments: object, **options: object) -> PlagiarismResult:
        results.append(compute(*arguments, **options))
        return results[-1]

    monkeypatch.setattr(find, "_find", noted)
    return results


def run(folder: Path, options: PlagiarismOptions | None = None) -> PlagiarismResult:
    with Index.open(folder, encoder=ToyEncoder(window=100)) as index:
        return find.find_with_options(index, options or PlagiarismOptions())


def kept(folder: Path) -> int:
    with closing(sqlite3.connect(folder / "cache.db")) as connection:
        return int(connection.execute("SELECT count(*) FROM results").fetchone()[0])


def test_a_second_run_reads_the_same(folder: Path, computed: list[PlagiarismResult]) -> None:
    first, again = run(folder), run(folder)
    assert again == first == computed[0]
    assert len(computed) == 1
    assert first.findings and first.rings and first.equal and first.texts
    for one, other in zip(first.findings, again.findings, strict=True):
        assert repr(one) == repr(other)  # tuples are tuples, floats the same to the last digit


def test_a_decision_since_then_is_shown(folder: Path, computed: list[PlagiarismResult]) -> None:
    finding = run(folder).findings[0]
    with Index.open(folder, write=True) as index:
        decide(index, finding.left, finding.right, "dismissed")
    assert run(folder).decision(finding) == "dismissed"
    assert len(computed) == 1


@pytest.mark.parametrize(
    "options",
    [
        PlagiarismOptions(by="all"),
        PlagiarismOptions(where=Where(question="q2")),
        PlagiarismOptions(template="word1 word2 word3 word4"),
        PlagiarismOptions(max_expected=0.1),
        PlagiarismOptions(fdr=0.1),
        PlagiarismOptions(max_common=3),
        PlagiarismOptions(reference_was_given=True),
    ],
)
def test_other_options_are_other_results(
    folder: Path, computed: list[PlagiarismResult], options: PlagiarismOptions
) -> None:
    for _ in range(2):
        run(folder)
        run(folder, options)
    assert len(computed) == 2


CHANGES: dict[str, Callable[[Index], object]] = {
    "added": lambda index: index.add([Answer("new", "some words", "q1", "s77")]),
    "another text": lambda index: index.add([Answer("q1-001", "some words", "q1", "s1")]),
    "another author": lambda index: index.add([replace(with_copies()[3], author="else")]),
    "another prompt": lambda index: index.update_columns({"q1-001": {"prompt": "word1"}}),
    "deleted": lambda index: index.remove(["q1-001"]),
}


@pytest.mark.parametrize("change", CHANGES)
def test_any_change_of_answers_is_another_result(
    folder: Path, computed: list[PlagiarismResult], change: str
) -> None:
    run(folder)
    with Index.open(folder, write=True, encoder=ToyEncoder(window=100)) as index:
        CHANGES[change](index)
        assert verify(index) == []
    run(folder)
    assert len(computed) == 2


def test_another_program_computes_again(
    folder: Path, computed: list[PlagiarismResult], monkeypatch: pytest.MonkeyPatch
) -> None:
    run(folder)
    monkeypatch.setattr(cached_results, "_program", lambda: "a later version")
    run(folder)
    assert len(computed) == 2


def test_the_program_is_its_sources() -> None:
    assert list((cached_results._PACKAGE / "plagiarism").rglob("*.py"))
    assert all((cached_results._PACKAGE / name).is_dir() for name in cached_results._SOURCES)


def test_results_of_deleted_answers_leave_no_byte(folder: Path) -> None:
    finding = run(folder).findings[0]
    assert finding.left.encode() in (folder / "cache.db").read_bytes()
    with Index.open(folder, write=True, encoder=ToyEncoder(window=100)) as index:
        index.remove([finding.left])
        assert verify(index) == []
    held = b"".join(path.read_bytes() for path in folder.iterdir())
    assert finding.left.encode() not in held


def test_a_result_with_answers_of_another_index_is_not_kept(
    folder: Path, tmp_path: Path, computed: list[PlagiarismResult]
) -> None:
    with Index.create(tmp_path / "old", ToyEncoder(window=100)) as index:
        index.add(honest(22, seed=5))
    with Index.open(tmp_path / "old", encoder=ToyEncoder(window=100)) as against:
        for _ in range(2):
            run(folder, PlagiarismOptions(against=against))
    assert len(computed) == 2
    assert not (folder / "cache.db").exists()


@pytest.mark.parametrize("column", ["value", "checksum", "key", "revision"])
def test_a_damaged_result_is_computed_again(
    folder: Path, computed: list[PlagiarismResult], column: str
) -> None:
    first = run(folder)
    with closing(sqlite3.connect(folder / "cache.db")) as connection, connection:
        connection.execute(f"UPDATE results SET {column} = CAST('[7]' AS BLOB)")
    assert run(folder) == first
    with Index.open(folder, write=True, encoder=ToyEncoder(window=100)) as index:
        if column == "revision":
            assert "cache.db: 1 result of other answers" in verify(index)[0]
        index.rebuild()
        assert verify(index) == []


def test_of_many_results_the_latest_are_kept(folder: Path) -> None:
    with Index.open(folder) as index:
        for n in range(60):
            index.put_result(bytes([n]), b"x")
        assert index.get_result(bytes([59])) == b"x"
        assert index.get_result(bytes([9])) is None
    assert kept(folder) == 50


def test_sentences_of_several_questions_are_embedded_together(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(find, "STEP_SENTENCES", 10_000)
    with Index.open(folder, write=True, encoder=ToyEncoder(window=100)) as index:
        index.add(
            [replace(a, text=a.text.replace(" word1", ". word1")) for a in with_copies()[:48]]
        )
        index.encoder.batches = 0
        find.find_plagiarism(index)
        assert index.encoder.batches == 1
        assert not any("def " in text for text in index.encoder.texts)  # programs are compared so
