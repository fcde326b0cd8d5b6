"""What the folders around files are: authors, questions, or neither; proposed from their names."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal

from searchkit.sources.documents.formats import is_code
from searchkit.sources.platforms.archives.submission import VERSION, Submission

FolderRole = Literal["author", "question", "none"]
MIN_SHARE = 0.6  # of the names that must be those of questions or people
MIN_FOLDERS = 3  # of one file each, for the folders to be people without names of people

_QUESTION = re.compile(
    r"(?:(?:q|question|task|problem|ex|exercise|part|hw|homework|assignment|essay|quiz|test|exam|lab"
    r"|week|ps|pset|sheet|chapter|item|project|aufgabe|aufg|frage|teil|übung|uebung|blatt|woche|kapitel|klausur"
    r"|exercice|devoir|partie|ejercicio|pregunta|tarea|parte|esercizio|domanda|compito|exercício"
    r"|exercicio|questão|questao|pergunta|tarefa|opdracht|vraag|oefening|deel)"
    r"[ _.-]*(?:\d+[ _.-]?\d*|[a-h])?[ _.-]?[a-h]?|\d{1,3}[ _.-]?[a-h]?)",
    re.IGNORECASE,
)
_PERSON = re.compile(
    r"[^\W\d_][\w '\u2019.-]*_\d{3,}(?:_.*)?"  # as platforms write them
    r"|(?:[^\W\d_][\w'\u2019.-]+,? )+[^\W\d_][\w'\u2019.-]*"
    r"|[^\W\d_]+[._-][^\W\d_]+"
    r"|[^@\s]+@[^@\s]+"
    r"|[a-z]{0,3}\d{5,}"
    r"|(?:s|st|stud|student|studierende|p|participant|u|user|g|group|gruppe|team)[ _-]?\d+",
    re.IGNORECASE,
)
_NO_NAME = re.compile(
    r"(?:my|the|final|meine?|mon|mi)?[ _-]?(?:answers?|solutions?|submissions?|text|document|main"
    r"|index|readme|licen[cs]e|copying|untitled|file|code|report|essay|homework|onlinetext|antwort|lösung|loesung|abgabe"
    r"|dokument|réponse|reponse|respuesta|risposta|resposta|antwoord)[ _-]?\(?\d*\)?",
    re.IGNORECASE,
)
_VERSION = re.compile(
    r"(?:version|revision|rev|attempt|try|versuch|fassung|tentative|intento|versión|tentativo|poging)"
    r"[ _.-]?\d+\b.*",
    re.IGNORECASE,
)
_OTHER_ROLE: dict[FolderRole | None, FolderRole] = {"author": "question", "question": "author"}
_PROJECT = frozenset("src source lib test tests bin doc docs code main java com org app".split())


@dataclass(frozen=True, slots=True)
class FolderRoles:
    """What the folders of files are.

    Attributes:
        top: A folder around everything, which says nothing, with its slash; or "".
        levels: The roles of the first folders of a path below it.
        affixes: What all authors' files or folders begin and end with: `hw1-` or `_essay`. It is
            the question if it is called as one with a number.
    """

    top: str
    levels: tuple[FolderRole, ...]
    affixes: tuple[str, str] = ("", "")

    @property
    def question(self) -> str | None:
        """The question that the affixes name."""
        names = (affix.strip(" _-") for affix in self.affixes)
        return next((name for name in names if _is_numbered_question(name)), None)

    def submission(self, name: str) -> Submission:
        """Return whose file has a path, and for which question."""
        *folders, file = PurePosixPath(name.removeprefix(self.top)).parts
        found: defaultdict[FolderRole, list[str]] = defaultdict(list)
        for role, folder in zip(self.levels, folders, strict=False):
            found[role].append(folder)
        author = "/".join(map(self._without_affixes, found["author"])) or None
        question = "/".join(found["question"]) or self.question
        stem = PurePosixPath(file).stem
        if author is None and not _NO_NAME.fullmatch(stem):
            if not _QUESTION.fullmatch(stem):
                author = self._without_affixes(stem)
            elif question is None:
                question = stem
        version = next(filter(_VERSION.fullmatch, folders[len(self.levels) :]), None)
        return Submission(author, file, question, columns={VERSION: version} if version else {})

    def _without_affixes(self, name: str) -> str:
        start, end = self.affixes
        return name.removeprefix(start).removesuffix(end).strip()

    def describe(self) -> str:
        """Return in a line what the folders are, and how to change it."""
        roles = [role for role in self.levels if role != "none"]
        folders = f"folders: {', in it '.join(roles) or 'not used'}"
        return folders if "author" in roles else f"{folders}; author: the file's name"


def find_roles(
    names: Sequence[str], first: FolderRole | None = None, zips: Collection[str] = ()
) -> FolderRoles:
    """Propose what the folders of files are.

    Args:
        names: The paths of the files.
        first: The role of the first folder; None proposes it.
        zips: The folders that were zips: what somebody handed in.
    """
    top = "" if first else _top_folder(names)
    paths = [PurePosixPath(name.removeprefix(top)).parts for name in names]
    outer, inner = _folders(paths, 0), _folders(paths, 1)
    inner_kind = _kind(inner)
    role = first or _kind(outer) or _OTHER_ROLE.get(inner_kind)
    if role is None and outer and {f"{top}{name}" for name in outer} <= set(zips):
        role = "author"
    levels = _levels(role or _role_by_files(paths), inner_kind, paths)
    if "author" in levels:
        folders = _folders(paths, levels.index("author"))
        return FolderRoles(top, levels, _affixes(sorted(folders), min_letters=2))
    return FolderRoles(top, levels, _affixes([PurePosixPath(path[-1]).stem for path in paths]))


def _folders(paths: Sequence[tuple[str, ...]], level: int) -> set[str]:
    """Return the names of the folders at a level; those at level 0 are the first ones of paths."""
    return {path[level] for path in paths if len(path) > level + 1}


def _levels(
    role: FolderRole, inner_kind: FolderRole | None, paths: Sequence[tuple[str, ...]]
) -> tuple[FolderRole, ...]:
    """Return the roles of the first folders of paths.

    Args:
        role: The role of the first ones.
        inner_kind: What the names of the second ones are; None if they can be either.
        paths: The parts of the files' paths. If each file has one more folder below those of
            questions, that is its author; one around all of those is not.
    """
    levels: tuple[FolderRole, ...] = (role, inner_kind) if inner_kind == "question" else (role,)
    if role == "question" and _is_around_people(paths, len(levels)):
        levels = (*levels, "none")
    has_authors = role == "question" and all(len(path) > len(levels) + 1 for path in paths)
    return (*levels, "author") if has_authors else levels


def _is_around_people(paths: Sequence[tuple[str, ...]], level: int) -> bool:
    """Whether the folders at a level have one name, and those in them look like several people."""
    inner = _folders(paths, level + 1)
    return (
        len(_folders(paths, level)) == 1
        and all(len(path) > level + 2 for path in paths)
        and len(inner) >= MIN_FOLDERS
        and _PROJECT.isdisjoint(map(str.lower, inner))
        and _kind(inner) != "question"
    )


def _affixes(stems: Sequence[str], min_letters: int = 1) -> tuple[str, str]:
    """Return what all names of files or folders begin and end with, up to a `_` or `-`.

    It is "" where fewer than three would be left, or one of them with fewer letters.
    """
    start = _common_start(stems)
    end = _common_start([stem[::-1] for stem in stems])[::-1]
    start = start[: max(start.rfind("_"), start.rfind("-")) + 1]
    end = end[min((at for mark in "_-" if (at := end.find(mark)) >= 0), default=len(end)) :]
    left = {stem.removeprefix(start).removesuffix(end) for stem in stems}
    is_usable = len(left) >= MIN_FOLDERS and all(
        sum(map(str.isalpha, name)) >= min_letters for name in left
    )
    return (start, end) if is_usable else ("", "")


def _common_start(texts: Sequence[str]) -> str:
    """Return what all texts begin with: what the first and the last one in their order do."""
    first, last = min(texts, default=""), max(texts, default="")
    differing = (n for n, (x, y) in enumerate(zip(first, last, strict=False)) if x != y)
    return first[: next(differing, len(first))]


def _top_folder(names: Sequence[str]) -> str:
    """Return the folder around everything, if there are others in it; "" else."""
    paths = [PurePosixPath(name).parts for name in names]
    tops = {path[0] for path in paths}
    is_around = len(tops) == 1 and all(len(path) > 1 for path in paths)
    has_folders = sum(len(path) > 2 for path in paths) >= MIN_SHARE * len(paths)
    top = tops.pop() if is_around and has_folders else ""
    kind = _kind([top]) if top else "none"
    is_outer = kind == "author" and _kind(_folders(paths, 1)) == "author"
    return f"{top}/" if kind is None or (is_outer and _is_around_people(paths, 0)) else ""


def _is_numbered_question(name: str) -> bool:
    return _QUESTION.fullmatch(name) is not None and any(map(str.isdigit, name))


def _kind(names: Iterable[str]) -> FolderRole | None:
    """Return what most names are; None if they can be either."""
    unique = set(names)
    if not unique:
        return None
    if sum(bool(_QUESTION.fullmatch(name)) for name in unique) >= MIN_SHARE * len(unique):
        return "question"
    if sum(bool(_PERSON.fullmatch(name)) for name in unique) >= MIN_SHARE * len(unique):
        return "author"
    return None


def _role_by_files(paths: Sequence[tuple[str, ...]]) -> FolderRole:
    """Return what the first folder is by the files in it, as its name doesn't say it.

    Folders of projects and many of one file each are people; so are those in which the same names
    come again that are no names of people, and more folders of programs than each has files: a
    class hands in more than a student does. Folders of files are questions otherwise.
    """
    if any(path[1].lower() in _PROJECT for path in paths if len(path) > 2):
        return "author"
    files: defaultdict[str, list[str]] = defaultdict(list)
    for path in paths:
        if len(path) > 1:
            files[path[0]].append(PurePosixPath(path[-1]).stem)
    if not files:
        return "none"
    if len(files) >= MIN_FOLDERS and all(len(stems) == 1 for stems in files.values()):
        return "author"
    num_code = sum(is_code(path[-1]) for path in paths)
    most_files = max(len(set(stems)) for stems in files.values())
    if num_code >= MIN_SHARE * len(paths) and len(files) > most_files:
        return "author"
    shared = set.intersection(*map(set, files.values())) if len(files) > 1 else set()
    if any(_QUESTION.fullmatch(stem) or _NO_NAME.fullmatch(stem) for stem in shared):
        return "author"
    return "question"
