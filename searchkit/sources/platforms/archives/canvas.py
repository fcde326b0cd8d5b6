"""Canvas' submissions zip: `mossada_LATE_1001_7001_essay.pdf`, `mossada_1001_text.html`."""

from __future__ import annotations

import re

from searchkit.sources.platforms.archives.submission import (
    Classify,
    Listing,
    Submission,
    unique_authors,
)

_NAME = re.compile(
    r"(?P<name>(?P<anon>anon(?=_))|[^/_\W]+)(?P<late>_LATE)?_"
    r"(?P<user>(?(anon)[^/_\W]+|\d{2,}))_"
    r"(?:(?P<attachment>\d{2,})_(?P<file>.+)|(?P<type>text|link)\.html)",
    re.DOTALL,
)
_DOWNLOAD = "submissions"  # the zip's name, which doesn't say the assignment


def recognize_canvas(listing: Listing) -> Classify | None:
    """Return what says whose a file is, if the names are those of Canvas."""
    matches = listing.matches(_NAME)
    if matches is None:
        return None
    question = listing.stem if listing.stem != _DOWNLOAD else None
    people = [(match["name"], match["user"]) for match in matches.values()]
    authors = unique_authors(people)

    def classify(name: str) -> Submission | str:
        match = matches.get(name)
        if match is None:
            return "not named as Canvas names submissions"
        if match["type"] == "link":
            return "a link to a page, no answer"
        author = authors[match["name"], match["user"]]
        if match["name"] == "anon":
            author = f"anon {match['user']}"
        columns = {"user": match["user"]} | ({"late": "yes"} if match["late"] else {})
        return Submission(author, match["file"] or "text.html", question, columns=columns)

    return classify
