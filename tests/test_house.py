"""The house rules that a reader relies on."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import click
import pytest

import searchkit
from searchkit import errors
from searchkit.cli import main

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "searchkit"

# Imports go downward only: a module may import from layers above it in this list, and its own.
LAYERS = [
    {"_version", "types", "errors", "database", "preparation", "batching"},
    {
        "where",
        "schema",
        "lock",
        "vectors",
        "mining",
        "shards",
        "runners",
        "rayrunner",
        "shardmining",
        "partitions",
        "cpu",
        "passages",
        "modelfolder",
        "columns",
        "textlines",
        "folding",
        "surprise",
        "rings",
        "clustering",
        "maps",
        "grading",
        "calibration",
        "metrics",
        "resampling",
        "contrasts",
        "distribution",
        "marks",
    },
    {"models", "store", "delimited", "jsonfiles", "sheets", "folders"},
    {"tables", "modelcache", "compiling", "compiled", "accelerated", "checkpoint", "successor"},
    {"encoder", "sources", "words"},
    {
        "likeness",
        "overlap",
        "keywords",
        "traits",
        "sentencepairs",
        "judgements",
        "embedded",
        "farencoder",
    },
    {"evidence"},
    {"detection", "sharddetection", "retrieval", "sidebyside"},
    {"yardsticks"},
    {"evaluation"},
    {"cutting"},
    {"anyindex"},
    {"milvusrows"},
    {"milvusclient"},
    {"milvuschecks"},
    {"index", "milvus"},
    {"locations"},
    {"graded", "decisions"},
    {
        "ingest",
        "copying",
        "reindex",
        "query",
        "pairs",
        "plagiarism",
        "clusters",
        "verify",
        "status",
        "rejects",
    },
    {"grades", "trials", "audit", "propagation", "trainingpairs"},
    {"training", "trainer", "modelcard"},
    {"report", "demo"},
    {"findings", "outlines", "gradebook", "scoreboard", "pseudonyms", "pages"},
    {"views"},
    {"htmlreport"},
    {"served"},
    {"uploads"},
    {"guard", "webapi"},
    {"connection"},
    {"webpages"},
    {"web"},
    {"cli"},
    {"__init__", "__main__"},
]


def layer(module: str) -> int:
    return next(n for n, modules in enumerate(LAYERS) if module in modules)


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("searchkit"):
            inner = (node.module or "").split(".")[1:]
            found |= {inner[0]} if inner else {alias.name for alias in node.names}
    return found


@pytest.mark.parametrize("path", sorted(PACKAGE.glob("*.py")), ids=lambda path: path.stem)
def test_layers_import_only_downward(path: Path) -> None:
    names = {p.stem for p in PACKAGE.glob("*.py")} | {"demo", "pages"}
    for module in imports(path) & names:
        assert layer(module) <= layer(path.stem), f"{path.name} imports {module}"


def test_one_file_knows_of_ray() -> None:
    knowing = [p.name for p in PACKAGE.glob("**/*.py") if "import ray" in p.read_text("utf-8")]
    assert knowing == ["rayrunner.py"]


def test_all_is_what_can_be_imported() -> None:
    for name in searchkit.__all__:
        assert getattr(searchkit, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        searchkit.nothing  # noqa: B018


@pytest.mark.parametrize(
    ("command", "forbidden"),
    [
        ("import searchkit.cli", ["torch", "sklearn", "numpy", "faiss", "rich", "sqlite_utils"]),
        ("import searchkit.query", ["torch", "sklearn", "transformers", "sentence_transformers"]),
        ("import searchkit.ingest", ["torch", "sklearn", "transformers", "pyarrow"]),
    ],
)
def test_nothing_heavy_is_imported_early(command: str, forbidden: list[str]) -> None:
    code = f"import sys, json; {command}; print(json.dumps(list(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.split(".")[0] for name in json.loads(run.stdout)}
    assert loaded.isdisjoint(forbidden)


def commands() -> dict[str, click.Command]:
    return main.commands


@pytest.mark.parametrize("name", sorted(commands()))
def test_every_command_has_help_and_stands_in_the_readme(name: str) -> None:
    command = commands()[name]
    assert command.help
    assert f"searchkit {name}" in (ROOT / "README.md").read_text("utf-8")
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
