"""Long commands show how far they are on a terminal, and nothing on a pipe."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest
from helpers.serving import make_index, toy

from searchkit import Answer
from searchkit.cli.app import main

__all__ = ["toy"]
TEXTS = [
    "The event loop runs callbacks when the stack is empty and nothing else waits for it now",
    "Middleware is a function with request response and next that ends or passes on",
    "Streams read data piece by piece so that memory stays small however large the file",
    "One thread serves many clients because waiting is left to the system underneath",
]
ANSWERS = [
    Answer(f"q-{n}", text, "q", f"s{n}", meta={"score": str(n % 3)} if n else {})
    for n, text in enumerate(TEXTS * 3)
]
COMMANDS = [
    ("answers", ["export", "-o", "OUT"]),
    ("answers", ["export", "--author", "s1", "-o", "OUT"]),
    ("reading the marks", ["export", "--as", "csv", "--marks", "score", "-o", "OUT"]),
    ("checking", ["verify"]),
    ("rebuilding", ["rebuild"]),
    ("vectors", ["mine", "-o", "OUT"]),
    ("questions", ["plagiarism", "-o", "OUT"]),
    ("questions", ["report", "-o", "PAGE"]),
    ("questions", ["cluster", "-o", "OUT"]),
    ("questions", ["grade", "--column", "score", "-o", "OUT"]),
    ("questions", ["grade", "--column", "score", "--audit", "-o", "OUT"]),
    ("folds", ["grade", "--column", "score", "--evaluate", "-o", "OUT"]),
    ("planning", ["grade", "--column", "score", "--plan", "-o", "OUT"]),
    ("grouping the answers", ["grade", "--column", "score", "--propagate", "q-1", "-o", "OUT"]),
]


class Stream(io.StringIO):
    """A stream in memory, which may claim to be a terminal."""

    def __init__(self, *, terminal: bool) -> None:
        super().__init__()
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_index(tmp_path_factory.mktemp("progress") / "index", ANSWERS)


@pytest.mark.parametrize("terminal", [True, False])
@pytest.mark.parametrize(("unit", "arguments"), COMMANDS)
def test_a_long_command_shows_how_far_it_is_on_a_terminal_alone(
    unit: str,
    arguments: list[str],
    terminal: bool,
    folder: Path,
    tmp_path: Path,
    toy: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    files = {"OUT": str(tmp_path / "out.txt"), "PAGE": str(tmp_path / "out.html")}
    given = [files.get(part, part) for part in arguments]
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", shown := Stream(terminal=terminal))
    monkeypatch.setattr(sys, "stdout", Stream(terminal=False))
    main([*given, "-i", str(folder)], standalone_mode=False)
    moves = "\x1b[" in shown.getvalue()
    assert moves == terminal, shown.getvalue()
    assert (unit in shown.getvalue()) >= terminal


def test_an_export_to_a_terminal_is_not_disturbed_by_its_progress(
    folder: Path, toy: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", shown := Stream(terminal=True))
    monkeypatch.setattr(sys, "stdout", written := Stream(terminal=True))
    main(["export", "-i", str(folder)], standalone_mode=False)
    assert shown.getvalue() == ""
    assert written.getvalue().count("\n") == len(ANSWERS)
