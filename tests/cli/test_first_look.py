"""What an ingest tells before and after it: what the columns were taken for, and odd corpora."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from searchkit.cli.app import main

WIDE = (
    "First name,Last name,What is a loop?,Why does it end?\n"
    "Ada,Moss,It runs the callbacks that wait,There is no work left for it\n"
    "Ben,Reed,A queue of functions to be called,Nobody calls it any more\n"
    "Cleo,Pike,Some code that is run again,Because the condition is false\n"
    "Dan,Lark,It takes the next event from a queue,When the process is ended\n"
)


def dry_run(path: Path, *options: str) -> list[str]:
    index = path.parent / "index"
    command = ["ingest", str(path), "--dry-run", "-i", str(index), *options]
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 0, result.output
    assert not index.exists()
    return result.output.splitlines()


def test_a_dry_run_tells_the_columns_and_shows_three_rows(tmp_path: Path) -> None:
    path = tmp_path / "quiz.csv"
    path.write_text(WIDE)
    lines = dry_run(path, "--wide")
    assert lines[0] == (
        f"searchkit: {path}: 2 questions, answers: What is a loop?, Why does it end?; author: "
        "First name + Last name; other columns: First name, Last name"
    )
    examples = [line for line in lines if line.startswith("searchkit: for example ")]
    assert len(examples) == 3
    assert examples[1] == (
        "searchkit: for example question: 'What is a loop?'; author: 'Ben Reed'; answer: 'A queue "
        "of functions to be called'; First name: 'Ben'; Last name: 'Reed'; prompt: 'What is a "
        "loop?'"
    )
    assert any(" 8 added;" in line for line in lines)


def test_where_every_question_has_one_author_an_ingest_says_so(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("question,author,answer\nAda Moss,1,It loops\nBen Reed,2,It ends\n")
    assert dry_run(path)[-1].startswith("each of the 2 questions has only one author")
    path.write_text("question,author,answer\nq1,Ada Moss,It loops\nq1,Ben Reed,It ends\n")
    assert "only one author" not in dry_run(path)[-1]
