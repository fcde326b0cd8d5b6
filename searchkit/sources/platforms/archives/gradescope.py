"""Gradescope's export of submissions: a folder each, and `submission_metadata.yml`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from searchkit.core.errors import BadInput, first_line
from searchkit.sources.platforms.archives.submission import Classify, Listing, Submission

METADATA = "submission_metadata.yml"


def recognize_gradescope(listing: Listing) -> Classify | None:
    """Return what says whose a file is, if there is Gradescope's list of submissions."""
    if METADATA not in listing.names:
        return None
    submissions = _submissions(listing)

    def classify(name: str) -> Submission | str:
        parts = PurePosixPath(name).parts
        if name == METADATA:
            return "the list of submissions"
        if len(parts) < 2 or parts[0] not in submissions:
            return f"not among the submissions of {METADATA}"
        entry = submissions[parts[0]]
        people = entry.get(":submitters") or []
        names = [str(person.get(":name") or person.get(":email")) for person in people]
        columns = {
            key: ", ".join(str(value) for person in people if (value := person.get(f":{key}")))
            for key in ("sid", "email")
        }
        return Submission(
            " & ".join(names) or None,
            "/".join(parts[1:]),
            listing.stem,
            str(entry[":created_at"]) if entry.get(":created_at") else None,
            {key: value for key, value in columns.items() if value},
        )

    return classify


def _submissions(listing: Listing) -> Mapping[str, Mapping[str, Any]]:
    import yaml

    try:
        entries = yaml.load(listing.read(METADATA), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        for entry in entries.values():
            for person in entry.get(":submitters") or []:
                person.get(":name")
    except (yaml.YAMLError, AttributeError, TypeError, ValueError, RecursionError) as error:
        what = f"can't be read ({first_line(error)}); export the submissions again"
        raise BadInput.at(f"{listing.source}/{METADATA}", None, what) from None
    return {str(name): entry for name, entry in entries.items()}
