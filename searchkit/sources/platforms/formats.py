"""The table of formats: which exports of platforms are recognised, and by what."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from searchkit.core.errors import BadInput
from searchkit.sources.columns import BadRow, Values
from searchkit.sources.layouts.layout import Layout
from searchkit.sources.platforms.tables.moodle_quiz import moodle_quiz

PLAIN = "plain"  # no platform's format
FindLayout = Callable[[Sequence[str], Sequence[Values]], Layout | None]

# By the names that `--as` takes, in the order in which they are tried.
TABLES: dict[str, FindLayout] = {
    "moodle-quiz": moodle_quiz,
}
NAMES = (PLAIN, *TABLES)


def check_platform(name: str | None) -> None:
    """Check the name of a format.

    Raises:
        BadInput: if there is none with this name.
    """
    if name is not None and name not in NAMES:
        raise BadInput(f"no format {name!r}; there are: {', '.join(NAMES)}")


def find_platform(
    names: Sequence[str], sample: Sequence[Values], platform: str | None = None
) -> Layout | None:
    """Return the layout of a platform's table; None if it is no platform's.

    Args:
        names: The table's columns.
        sample: The first rows.
        platform: The only format to try; None for all.

    Raises:
        BadRow: if it is not of that format.
    """
    if platform is None:
        found = (find_layout(names, sample) for find_layout in TABLES.values())
        return next((layout for layout in found if layout is not None), None)
    if platform not in TABLES:
        return None
    layout = TABLES[platform](names, sample)
    if layout is None:
        raise BadRow(f"the columns are not those of {platform}; leave the format out")
    return layout
