"""The house rules that a reader relies on."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import click
import pytest
from helpers.files import ROOT

import searchkit
from searchkit.cli.app import COMMANDS, main
from searchkit.core import errors

PACKAGE = ROOT / "searchkit"
FOLDERS = sorted({path.parent for path in PACKAGE.rglob("*.py")})


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.relative_to(ROOT).as_posix())
def test_folders_are_small_and_say_what_they_are(folder: Path) -> None:
    files = [path for path in folder.glob("*.py") if path.name != "__init__.py"]
    assert len(files) <= 10
    tree = ast.parse((folder / "__init__.py").read_text("utf-8"))
    assert ast.get_docstring(tree)
    assert folder == PACKAGE or len(tree.body) == 1, "nothing but a docstring"


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: path.stem)
def test_no_file_is_long(path: Path) -> None:
    assert len(path.read_text("utf-8").splitlines()) <= 450


def test_one_file_knows_of_ray() -> None:
    knowing = [p.name for p in PACKAGE.glob("**/*.py") if "import ray" in p.read_text("utf-8")]
    assert knowing == ["ray.py"]


def test_tests_read_no_text_that_waits_to_be_drawn() -> None:
    waiting = {"inner_text", "all_inner_texts", "use_inner_text"}  # helpers.browsing has text_of
    for path in (ROOT / "tests").rglob("*.py"):
        tree = ast.walk(ast.parse(path.read_text("utf-8")))
        names = {getattr(node, "attr", getattr(node, "arg", None)) for node in tree}
        assert not names & waiting, path


def test_all_is_what_can_be_imported() -> None:
    for name in searchkit.__all__:
        assert getattr(searchkit, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        searchkit.nothing  # noqa: B018


@pytest.mark.parametrize(
    ("command", "forbidden"),
    [
        (
            "from searchkit.cli.app import COMMANDS, main; [main.load(name) for name in COMMANDS]",
            ["torch", "sklearn", "numpy", "faiss", "rich", "sqlite_utils"],
        ),
        (
            "import searchkit.index.query",
            ["torch", "sklearn", "transformers", "sentence_transformers"],
        ),
        ("import searchkit.index.ingest", ["torch", "sklearn", "transformers", "pyarrow"]),
    ],
)
def test_nothing_heavy_is_imported_early(command: str, forbidden: list[str]) -> None:
    code = f"import sys, json; {command}; print(json.dumps(list(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.split(".")[0] for name in json.loads(run.stdout)}
    assert loaded.isdisjoint(forbidden)


def commands() -> dict[str, click.Command]:
    return {name: main.load(name) for name in COMMANDS}


@pytest.mark.parametrize("name", sorted(commands()))
def test_every_command_has_help(name: str) -> None:
    command = commands()[name]
    assert command.help
    assert command.get_short_help_str(200) == COMMANDS[name][1]
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, f"{name} {parameter.name}"


def test_the_tree_of_errors_is_the_one_that_is_drawn() -> None:
    drawn = errors.__doc__ or ""
    for name, error in vars(errors).items():
        if isinstance(error, type) and issubclass(error, errors.SearchkitError):
            assert name in drawn


def test_the_changelog_names_the_version_or_is_unreleased() -> None:
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert "## Unreleased" in text or f"## {searchkit.__version__}" in text


def test_no_path_of_a_machine_and_no_registry_stands_in_the_repository() -> None:
    files = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True
    ).stdout.split()
    forbidden = ("/wor" + "k/", "/roo" + "t/", "pypi" + ".org", "pythonhosted" + ".org")
    for name in files:
        path = ROOT / name
        if path.suffix in (".py", ".md", ".toml", ".txt", ".ipynb", "") and path.is_file():
            text = path.read_text("utf-8", errors="ignore")
            assert not any(word in text for word in forbidden), name
