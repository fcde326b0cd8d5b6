"""Handouts: files of a task that everybody's folder has, such as the README of a repository."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import PurePosixPath

from searchkit.core.errors import BadInput
from searchkit.core.identity import author_key
from searchkit.sources.folders.members import Member
from searchkit.sources.platforms.archives.submission import Submission

# Copied programs are what is looked for, and so only these names count.
_NAMES = frozenset("readme license licence copying contributing code_of_conduct".split())
_BADGE = re.compile(rb"^.*classroom\.github\.com/.*$", re.MULTILINE)  # differs in each repository
MIN_AUTHORS, MIN_SHARE = 3, 0.75  # who have the same text, of all with such a file


def find_handouts(found: Sequence[tuple[Member, Submission]]) -> dict[str, int]:
    """Return the files that most people have alike, by path, and how many people have each.

    What somebody has changed, or has alone, is no handout: it may be the answer.

    Args:
        found: The files of a folder, and whose each is.
    """
    num_files = Counter(author_key(submission.author) for _, submission in found)
    by_name: defaultdict[str, list[tuple[Member, str]]] = defaultdict(list)
    for member, submission in found:
        author = author_key(submission.author)
        path = PurePosixPath(submission.file.casefold())
        if author and path.stem in _NAMES:
            by_name[path.name].append((member, author))
    handouts: dict[str, int] = {}
    for files in by_name.values():
        users: defaultdict[bytes, set[str]] = defaultdict(set)
        texts = {member.name: _text(member) for member, _ in files}
        for member, author in files:
            users[texts[member.name]].add(author)
        num_authors = len({author for _, author in files})
        for member, author in files:
            alike = len(users[texts[member.name]])
            is_common = alike >= max(MIN_AUTHORS, MIN_SHARE * num_authors)
            if is_common and num_files[author] > 1:
                handouts[member.name] = alike
    return handouts


def _text(member: Member) -> bytes:
    """Return a file's words; its name where it can't be read, which is unlike all others."""
    try:
        return b" ".join(_BADGE.sub(b"", member.read()).split())
    except BadInput:
        return member.name.encode()
