"""An exported CSV that was edited in a spreadsheet comes back as the same answers."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from helpers.encoder import ToyEncoder
from hypothesis import given
from hypothesis import strategies as st

from searchkit import Answer, Index, read_answers
from searchkit.cli.app import main
from searchkit.index.decisions import counting, decide, decisions, take_back
from searchkit.index.ingest import ingest
from searchkit.output.platforms.formats import marks_file
from searchkit.sources.tables.exported import guarded, unguarded

ANSWERS = [
    Answer("=1", "- first point\n- second", "+ or -?", "@ann"),
    Answer("2", "= 5 m/s", "+ or -?", "O'Hara", meta={"=sum": "-x"}),
    Answer("3", "'=quoted", "'quoted' question", "'t Hooft"),
]


@given(st.text(st.sampled_from("'=+-@\t\r1.5eA ½"), max_size=6))
def test_every_text_is_restored_and_formulas_are_guarded(text: str) -> None:
    written = guarded(text)
    assert unguarded(written) == text
    is_number = text.lstrip("+-").replace(".", "").isdecimal()
    if text[:1] in tuple("=+-@\t\r") and "A" in text and not is_number:
        assert written == "'" + text


@pytest.mark.parametrize("mark", ["+", "-", "++", "+/-", "-1", "+1.5"])
def test_marks_that_are_no_formula_stay_as_they_are(mark: str) -> None:
    assert guarded(mark) == unguarded(mark) == mark


@pytest.mark.parametrize("options", [["--as", "csv"], ["--format", "csv"]])
def test_an_export_changes_nothing_but_what_was_edited(tmp_path: Path, options: list[str]) -> None:
    path = tmp_path / "out.csv"
    with Index.create(tmp_path / "i", ToyEncoder()) as index:
        index.add(ANSWERS)
        decide(index, "=1", "2", "confirmed")
    run = CliRunner().invoke(
        main, ["export", "--index", str(index.path), *options, "-o", str(path)]
    )
    assert run.exit_code == 0
    path.write_text(path.read_text("utf-8").replace("-x", "-y"), "utf-8")
    with Index.open(index.path, write=True, encoder=ToyEncoder()) as index:
        done = ingest(index, read_answers([path]))
        assert (done.added, done.embedded) == (0, 0)
        texts = [(a.id, a.text, a.question, a.author) for a in index.answers()]
        assert texts == [(a.id, a.text, a.question, a.author) for a in ANSWERS]
        assert index.get(["2"])[0].meta["=sum"] == "-y"
        assert list(counting(decisions(index))) == [("2", "=1")]


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_what_an_export_computes_becomes_no_column_of_answers(
    tmp_path: Path, form: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / f"out.{form}"
    with Index.create(tmp_path / "i", ToyEncoder()) as index:
        own = Answer("1", "one", "q", "ann", meta={"attempt": "draft"})
        index.add([own, Answer("2", "two", "q", "ann"), Answer("3", "one", "q", "bob")])
        decide(index, "1", "3", "confirmed", "the same slip")
        path.write_bytes(marks_file(index, form).content)
        assert ingest(index, read_answers([path])).added == 0
        assert caplog.messages == [
            f"{path}: left out, as an export computes it: attempt (2), decisions"
        ]
        assert [dict(answer.meta) for answer in index.answers()] == [own.meta, {}, {}]
        take_back(index)
        assert b"confirmed" not in marks_file(index, "csv").content


def test_an_apostrophe_in_another_file_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "other.csv"
    path.write_text("id,text,author\n1,'-- said he,ann\n", "utf-8")
    assert [answer.text for answer in read_answers([path])] == ["'-- said he"]
