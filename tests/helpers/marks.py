"""An index from an export, marks written into it, and the file that comes out."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from helpers.encoder import ToyEncoder
from searchkit import Answer, Index, ingest
from searchkit.output.platforms.formats import MarksFile
from searchkit.sources.columns import Columns
from searchkit.sources.reader import read_answers

Row = dict[str, str]


def write_table(path: Path, rows: list[list[str]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    return path


@contextmanager
def index_of(*files: Path, folder: Path, text: str | None = None) -> Iterator[Index]:
    """Ingest files into a new index, or one that is there, and keep it open for writing.

    Args:
        files: The files.
        folder: The index.
        text: The column with the answers; None goes by the usual names.
    """
    is_there = folder.exists()
    with (
        Index.open(folder, write=True, encoder=ToyEncoder())
        if is_there
        else Index.create(folder, ToyEncoder()) as index
    ):
        ingest(index, read_answers(files, columns=Columns(text=text)))
        yield index


def write_marks(index: Index, marks: Mapping[str, tuple[str, str]], column: str = "mark") -> None:
    """Write a mark and a comment for the answers of each author."""
    index.update_columns(
        {
            answer.id: {column: marks[answer.author][0], "comment": marks[answer.author][1]}
            for answer in index.answers()
            if answer.author in marks
        }
    )


def rows_of(file: MarksFile) -> list[Row]:
    return list(csv.DictReader(io.StringIO(file.content.decode(), newline="")))


def marked_index(
    folder: Path, people: list[tuple[str, str, dict[str, str]]], mark: str = "7"
) -> Index:
    """Return an index of an answer by each person, (id, name, columns of the file), all marked."""
    index = Index.create(folder / "i", ToyEncoder())
    index.add([Answer(id_, f"text of {id_}", "q1", name, meta=meta) for id_, name, meta in people])
    index.update_columns({id_: {"mark": mark} for id_, _, _ in people})
    return index
