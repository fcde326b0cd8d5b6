"""Known sources: texts that students may have taken from, each file one, or each row of a table."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from searchkit.core.errors import BadInput, as_list
from searchkit.core.messages import path_text
from searchkit.core.records import Answer
from searchkit.sources.documents.formats import is_text, suffix_of
from searchkit.sources.files import ENDINGS, FileOptions, NothingFound, is_folder
from searchkit.sources.folders.members import folder_members
from searchkit.sources.reader import read_files

log = logging.getLogger("searchkit")


def read_known_sources(paths: Sequence[str | Path], encoding: str | None = None) -> list[Answer]:
    """Return the texts of files, and of the files in folders, as known sources.

    A file has its name for an id, in a folder its path there; a row of a table has the row's own.
    Ids that are used twice are followed by a number.

    Args:
        paths: Texts, documents, tables, and folders of them.
        encoding: The encoding of text files; None takes that which the bytes show.

    Raises:
        BadInput: if a path can't be read, or holds no text.
    """
    options = FileOptions(encoding=encoding)
    several = as_list("paths", paths, (str, Path))
    found = [source for path in several for source in _read_path(Path(path), options)]
    seen: Counter[str] = Counter()
    sources = []
    for source in found:
        seen[source.id] += 1
        number = seen[source.id]
        sources.append(source if number == 1 else replace(source, id=f"{source.id} {number}"))
    return sources


def _read_path(path: Path, options: FileOptions) -> list[Answer]:
    """Return the sources of a file or folder; in a folder, files without text are left out."""
    if not is_folder(path):
        return list(_read_file(path, path.name, options))
    sources: list[Answer] = []
    for member in folder_members(path, log.warning):
        inner = path / member.name
        if not is_text(inner.name) and suffix_of(inner.name) not in ENDINGS:
            log.warning("%s: neither a text nor a table; left out", path_text(inner))
            continue
        try:
            sources += _read_file(inner, member.name, options)
        except NothingFound as error:
            log.warning("%s", error)
    if not sources:
        raise NothingFound(f"{path_text(path)}: no file in it that holds a text")
    return sources


def _read_file(path: Path, name: str, options: FileOptions) -> Iterator[Answer]:
    """Yield the sources of a file.

    Args:
        path: The file.
        name: What the source is called, if the file is one.
        options: How it is read.
    """
    answers = [answer for answer in read_files([path], options) if answer.text.strip()]
    if not answers:
        raise NothingFound(f"{path_text(path)}: no text in it")
    if is_text(path.name) and len(answers) == 1:
        yield replace(answers[0], id=name)
        return
    for answer in answers:
        yield replace(answer, id=f"{name}:{answer.id}" if answer.has_made_id else answer.id)


def check_known_sources(sources: Sequence[Answer]) -> None:
    """Check that every source has a text, and an id of its own.

    Raises:
        BadInput: if one has none.
    """
    for source in sources:
        if not source.text.strip():
            raise BadInput(f"source {source.id!r}: no text in it")
    twice = [id_ for id_, count in Counter(source.id for source in sources).items() if count > 1]
    if twice:
        raise BadInput(f"source {twice[0]!r}: the id of two sources; rename one")
