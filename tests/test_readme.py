"""What the README shows is true."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")


@pytest.mark.model
def test_the_python_example_runs(tmp_path: Path, monkeypatch, capsys) -> None:
    (block,) = re.findall(r"```python\n(.*?)```", README, re.S)
    (tmp_path / "example.py").write_text(block)
    monkeypatch.chdir(tmp_path)
    runpy.run_path(str(tmp_path / "example.py"))
    assert capsys.readouterr().out.startswith("1 0.")


def test_every_file_of_the_package_is_in_the_map() -> None:
    (tree,) = re.findall(r"## What is where\n\n```\n(.*?)```", README, re.S)
    for path in (ROOT / "searchkit").glob("*.py"):
        if not path.stem.startswith("_"):
            assert path.name in tree, f"{path.name} is not in the README's map"


def test_every_option_of_the_readme_exists() -> None:
    from searchkit.cli import main

    known = {name for command in main.commands.values() for p in command.params for name in p.opts}
    for option in set(re.findall(r"`(--[a-z-]+)", README)) - {"--help"}:
        assert option in known, option
