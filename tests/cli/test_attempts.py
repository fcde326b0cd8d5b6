"""`--attempts` says which of an author's answers to a question count; `status` counts others."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from searchkit import Answer, Index
from searchkit.cli.app import main

pytestmark = pytest.mark.model


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("attempts") / "i"
    text = "The event loop runs callbacks when the call stack is empty"
    with Index.create(path) as index:
        index.add(
            [
                Answer("1", text, "q1", "ann", "2025-08-01T10:00"),
                Answer("2", f"{text}, I think", "q1", "Ann ", "2025-08-02T10:00"),
                Answer("3", f"{text}, one says", "q1", "bob"),
            ]
        )
    return path


def run(*arguments: object) -> str:
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert result.exit_code == 0, (result.output, result.stderr)
    return result.stdout


@pytest.mark.parametrize(
    ("options", "pairs"),
    [
        ([], [("2", "3")]),
        (["--attempts", "latest"], [("2", "3")]),
        (["--attempts", "first"], [("1", "3")]),
        (["--attempts", "all"], [("1", "2"), ("1", "3"), ("2", "3")]),
    ],
)
def test_mine_compares_the_attempts_that_count(
    folder: Path, options: list[str], pairs: list[tuple[str, str]]
) -> None:
    lines = run("mine", "-i", folder, "--threshold", "0.5", "-f", "jsonl", *options).splitlines()
    found = [json.loads(line) for line in lines]
    assert sorted((pair["left"], pair["right"]) for pair in found) == pairs


def test_cluster_leaves_earlier_attempts_out(folder: Path) -> None:
    clusters = json.loads(run("cluster", "-i", folder, "-f", "json"))
    assert {member["id"] for found in clusters for member in found["members"]} == {"2", "3"}


def test_status_counts_the_earlier_attempts(folder: Path) -> None:
    assert "attempts    1 answer is an earlier attempt" in run("status", "-i", folder)
    assert json.loads(run("status", "-i", folder, "-f", "json"))["earlier_attempts"] == 1
