"""Moodle's assignment zip: `Ada Moss_51001_assignsubmission_file/essay.pdf`, or without folders.

Names are `Participant_51001` where marking is blind, and a group's where groups hand in. The zip is
called `{course}-{assignment}-{number}.zip`.
"""

from __future__ import annotations

import re

from searchkit.sources.platforms.archives.submission import (
    Classify,
    Listing,
    Submission,
    unique_authors,
)

_NAME = re.compile(
    r"(?P<name>[^/]+?)_(?P<number>\d+)_assign(?P<part>submission|feedback)_(?P<type>[a-z]+)(?:_?/|_)"
    r"(?P<file>.+)",
    re.DOTALL,
)
_ZIP = re.compile(r"[^-]+-(?P<assignment>.+)-\d+", re.DOTALL)
_BLIND = "Participant"  # translated in other languages, where the number stays needed, too


def recognize_moodle(listing: Listing) -> Classify | None:
    """Return what says whose a file is, if the names are those of Moodle."""
    matches = listing.matches(_NAME)
    if matches is None:
        return None
    zip_name = _ZIP.fullmatch(listing.stem or "")
    question = zip_name["assignment"] if zip_name else listing.stem
    authors = unique_authors((match["name"], match["number"]) for match in matches.values())

    def classify(name: str) -> Submission | str:
        match = matches.get(name)
        if match is None:
            return "not named as Moodle names submissions"
        if match["part"] == "feedback":
            return "a teacher's feedback"
        author = authors[match["name"], match["number"]]
        if match["name"] == _BLIND:
            author = f"{_BLIND} {match['number']}"
        columns = {"participant": match["number"]}
        return Submission(author, match["file"], question, columns=columns)

    return classify
