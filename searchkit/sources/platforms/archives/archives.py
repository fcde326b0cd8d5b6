"""The table of zips and folders that platforms make."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from searchkit.core.errors import BadInput
from searchkit.core.messages import listed
from searchkit.sources.platforms.archives.blackboard import recognize_blackboard
from searchkit.sources.platforms.archives.brightspace import recognize_brightspace
from searchkit.sources.platforms.archives.canvas import recognize_canvas
from searchkit.sources.platforms.archives.dolos import recognize_dolos
from searchkit.sources.platforms.archives.gradescope import recognize_gradescope
from searchkit.sources.platforms.archives.moodle import recognize_moodle
from searchkit.sources.platforms.archives.submission import Classify, Listing, Submission


@dataclass(frozen=True, slots=True)
class Archive:
    """A kind of folder or zip.

    Attributes:
        title: What users call it.
        recognize: Returns what says whose a file is; None if the names are not those of its kind.
    """

    title: str
    recognize: Callable[[Listing], Classify | None]


# By the names that `--as` takes, in the order in which they are tried.
ARCHIVES = {
    "moodle-assignment": Archive("Moodle assignment", recognize_moodle),
    "blackboard-assignment": Archive("Blackboard assignment", recognize_blackboard),
    "brightspace-assignment": Archive("Brightspace assignment", recognize_brightspace),
    "gradescope-submissions": Archive("Gradescope submissions", recognize_gradescope),
    "dolos": Archive("Dolos data set", recognize_dolos),
    # Last, as its names say least.
    "canvas-submissions": Archive("Canvas submissions", recognize_canvas),
}


def recognize_archive(listing: Listing, platform: str | None) -> tuple[str, Classify] | None:
    """Return the title of a platform's folder or zip, and what says whose a file is.

    Args:
        listing: The folder or zip. One folder around everything is looked through.
        platform: One of `ARCHIVES`; None tries all of them.

    Raises:
        BadInput: if it is not of the platform that was asked for.
    """
    top = _top_folder(listing)
    for archive in [ARCHIVES[platform]] if platform else ARCHIVES.values():
        for prefix in dict.fromkeys(("", top)):
            if classify := archive.recognize(_below(listing, prefix)):
                return archive.title, _with_prefix(classify, prefix)
    if platform:
        what = f"not named as in a {platform} export; its names: {listed(listing.names[:5])}"
        raise BadInput.at(listing.source, None, what)
    return None


def _top_folder(listing: Listing) -> str:
    """Return the folder around everything with its slash; "" if there is none."""
    tops = {name.partition("/")[::2] for name in listing.names}
    folders = {folder for folder, below in tops if below}
    return f"{folders.pop()}/" if len(folders) == 1 and all(below for _, below in tops) else ""


def _below(listing: Listing, prefix: str) -> Listing:
    names = [name.removeprefix(prefix) for name in listing.names]
    return replace(listing, names=names, read=lambda name: listing.read(prefix + name))


def _with_prefix(classify: Classify, prefix: str) -> Classify:
    def classify_below(name: str) -> Submission | str:
        return classify(name.removeprefix(prefix))

    return classify_below
