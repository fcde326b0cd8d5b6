"""Each notebook runs from top to bottom, and shows what it shows in the repository."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from helpers.files import ROOT
from nbclient import NotebookClient

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
ALL_PAIRS = "pairs = pairs_from_grades(index, COLUMN)"  # training on a quarter of them is enough
REMEMBER = """import sys
sys.path.append({tests!r})
from helpers.remembering import remember
remember({file!r})
"""  # run before the others: all notebooks embed the demo corpus


def kinds_of_output(notebook: nbformat.NotebookNode) -> list[set[str]]:
    """Return what each cell of code shows, without the warnings that libraries write to stderr."""
    return [
        {out.output_type for out in cell.outputs if out.get("name") != "stderr"}
        for cell in notebook.cells
        if cell.cell_type == "code"
    ]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # Jupyter's own, about its event loop
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_run(path: Path, tmp_path: Path, memory_file: Path) -> None:
    kept = nbformat.read(path, as_version=4)
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        cell.source = cell.source.replace(ALL_PAIRS, f"{ALL_PAIRS}[::4]")
    remembering = REMEMBER.format(tests=str(ROOT / "tests"), file=str(memory_file))
    notebook.cells.insert(0, nbformat.v4.new_code_cell(remembering))
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    assert not notebook.cells.pop(0).outputs
    assert kinds_of_output(notebook) == kinds_of_output(kept)
    assert sum(map(bool, kinds_of_output(kept))) > 3
