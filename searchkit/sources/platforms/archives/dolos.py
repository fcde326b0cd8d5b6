"""Dolos' zip: source files, and `info.csv` with `filename`, `full_name`, `label`, `created_at`."""

from __future__ import annotations

import csv
import io

from searchkit.core.errors import BadInput, first_line
from searchkit.sources.platforms.archives.submission import Classify, Listing, Submission

LIST_NAME = "info.csv"


def recognize_dolos(listing: Listing) -> Classify | None:
    """Return what says whose a file is, if there is a list as Dolos reads it."""
    if LIST_NAME not in listing.names:
        return None
    try:
        text = listing.read(LIST_NAME).decode("utf-8-sig")
        rows = list(csv.DictReader(io.StringIO(text, newline="")))
    except (UnicodeDecodeError, csv.Error) as error:
        what = f"can't be read ({first_line(error)}); save it as CSV in UTF-8"
        raise BadInput.at(f"{listing.source}/{LIST_NAME}", None, what) from None
    if not rows or "filename" not in rows[0]:
        return None
    by_name = {str(row["filename"]).strip(): row for row in rows}

    def classify(name: str) -> Submission | str:
        if name == LIST_NAME:
            return "the list of files"
        row = by_name.get(name) or by_name.get(name.rpartition("/")[2])
        if row is None:
            return f"not in {LIST_NAME}"
        columns = {key: value for key, value in row.items() if key and value}
        columns.pop("filename")
        author = columns.pop("full_name", None)
        return Submission(author, name, listing.stem, columns.pop("created_at", None), columns)

    return classify
