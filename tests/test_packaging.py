"""An installed searchkit has every file that its folder has here."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from helpers.files import ROOT

SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
DATA = SETTINGS["tool"]["setuptools"]["package-data"]
PACKAGE = ROOT / "searchkit"
FILES = [
    path.relative_to(ROOT)
    for path in sorted(PACKAGE.rglob("*"))
    if path.is_file() and path.suffix not in (".py", ".pyc")
]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.as_posix())
def test_every_file_that_is_no_python_is_package_data(path: Path) -> None:
    packages = (folder for folder in path.parents if (ROOT / folder / "__init__.py").is_file())
    package = next(packages)  # the nearest: setuptools takes patterns from there
    patterns = DATA.get(".".join(package.parts), [])
    assert any(ROOT / path in (ROOT / package).glob(pattern) for pattern in patterns)


@pytest.mark.parametrize("package", sorted(DATA))
def test_no_pattern_of_package_data_is_in_vain(package: str) -> None:
    folder = ROOT.joinpath(*package.split("."))
    assert all(any(folder.glob(pattern)) for pattern in DATA[package])
