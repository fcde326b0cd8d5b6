"""Blackboard's assignment zip: `Essay_am123_attempt_2026-01-31-10-00-00_essay.pdf`.

A `.txt` for each attempt names the author and the assignment, and holds what was typed.
"""

from __future__ import annotations

import re

from searchkit.sources.platforms.archives.submission import Classify, Listing, Submission
from searchkit.text.html import as_plain_text

_NAME = re.compile(
    r"(?:[^/]*/)?(?P<assignment>[^/]+)_(?P<user>[^/_]+)_attempt_"
    r"(?P<time>\d{4}-\d\d-\d\d-\d\d-\d\d-\d\d)(?:_(?P<file>.+)|\.txt)",
    re.DOTALL,
)
_AUTHOR = re.compile(r"^Name: *(?P<name>.*\S) *\((?P<user>[^()]*)\) *\r?$", re.MULTILINE)
_ASSIGNMENT = re.compile(r"^Assignment: *(?P<name>.*\S) *\r?$", re.MULTILINE)
_FIELD = re.compile(
    r"^Submission Field: *(?:<br>)?(?P<text>.*?)(?=^(?:Comments|Files): *\r?$|\Z)",
    re.MULTILINE | re.DOTALL,
)
_NOTHING_TYPED = "There is no student submission text data for this assignment"


def recognize_blackboard(listing: Listing) -> Classify | None:
    """Return what says whose a file is, if the names are those of Blackboard."""
    matches = listing.matches(_NAME)
    if matches is None:
        return None
    authors: dict[str, str] = {}
    assignment = None
    for name, match in matches.items():
        if match["file"] is None:
            text = listing.read(name).decode("utf-8", "replace")
            if found := _AUTHOR.search(text):
                authors[match["user"]] = found["name"]
            if found := _ASSIGNMENT.search(text):
                assignment = found["name"]

    def classify(name: str) -> Submission | str:
        match = matches.get(name)
        if match is None:
            return "not named as Blackboard names submissions"
        user = match["user"]
        author = authors.get(user, user)
        if author != user and sum(other == author for other in authors.values()) > 1:
            author = f"{author} ({user})"
        day, time = match["time"][:10], match["time"][11:].replace("-", ":")
        return Submission(
            author,
            match["file"] or "text.txt",
            assignment or match["assignment"],
            f"{day} {time}",
            {"user": user},
            None if match["file"] else _typed_text,
        )

    return classify


def _typed_text(text: str) -> str:
    """Return what the student typed, of a `.txt` of an attempt; "" if that was nothing."""
    field = _FIELD.search(text)
    typed = field["text"].strip() if field else ""
    return "" if typed.startswith(_NOTHING_TYPED) else as_plain_text(typed)[0]
