"""Brightspace's assignment zip: `120-4711 - Ada Moss - May 3, 2025 1000 AM/essay.pdf`.

A folder is an attempt; the number is that of the submission and the person.
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
    r"\d+-(?P<person>\d+) ?- ?(?P<name>[^/]+?) ?- (?P<time>[^/]*\d[^/]*)/(?P<file>.+)", re.DOTALL
)


def recognize_brightspace(listing: Listing) -> Classify | None:
    """Return what says whose a file is, if the names are those of Brightspace."""
    matches = listing.matches(_NAME)
    if matches is None:
        return None
    authors = unique_authors((match["name"], match["person"]) for match in matches.values())

    def classify(name: str) -> Submission | str:
        match = matches.get(name)
        if match is None:
            return "not named as Brightspace names submissions"
        author = authors[match["name"], match["person"]]
        return Submission(author, match["file"], listing.stem, match["time"])

    return classify
