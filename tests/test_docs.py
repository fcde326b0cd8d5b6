"""What the README shows is true."""

from __future__ import annotations

import itertools
import re
import runpy
import shlex
from pathlib import Path
from types import SimpleNamespace

import pytest
from helpers.files import ROOT

README = (ROOT / "README.md").read_text("utf-8")


@pytest.mark.model
def test_the_python_example_runs(tmp_path: Path, monkeypatch, capsys) -> None:
    (block,) = re.findall(r"```python\n(.*?)```", README, re.S)
    (tmp_path / "example.py").write_text(block)
    monkeypatch.chdir(tmp_path)
    runpy.run_path(str(tmp_path / "example.py"))
    assert capsys.readouterr().out.startswith("1 0.")


@pytest.mark.model
def test_the_console_examples_are_real(tmp_path: Path, monkeypatch) -> None:
    from click.testing import CliRunner

    from searchkit.cli.app import main

    clock = itertools.count(0, 2.065)  # the seconds that the README shows: columns are as wide
    monkeypatch.setattr("searchkit.index.ingest.time", SimpleNamespace(perf_counter=clock.__next__))
    monkeypatch.setenv("SEARCHKIT_INDEX", str(tmp_path / "index"))
    monkeypatch.chdir(ROOT)
    for block in re.findall(r"```console\n(.*?)```", README, re.S):
        for shown in re.split(r"^\$ ", block, flags=re.M)[1:]:
            command, _, output = shown.partition("\n")
            result = CliRunner().invoke(main, shlex.split(command)[1:])
            assert result.exit_code == 0, (command, result.stderr)
            assert _steady(result.stdout) == _steady(output), command


def _steady(output: str) -> str:
    """Leave out what differs between machines: seconds, the third decimal of a score, margins."""
    output = re.sub(r'(seconds"?:? +)[\d.]+', r"\1", output)
    return re.sub(r" +$", "", re.sub(r"(0\.\d\d)\d", r"\1", output), flags=re.M)


def test_every_file_of_the_package_is_in_the_map() -> None:
    (tree,) = re.findall(r"## What is where\n\n```\n(.*?)```", README, re.S)
    for path in (ROOT / "searchkit").glob("*.py"):
        if not path.stem.startswith("_"):
            assert path.name in tree, f"{path.name} is not in the README's map"


def test_every_option_of_the_readme_exists() -> None:
    from searchkit.cli.app import main

    known = {name for command in main.commands.values() for p in command.params for name in p.opts}
    for option in set(re.findall(r"`(--[a-z-]+)", README)) - {"--help"}:
        assert option in known, option
