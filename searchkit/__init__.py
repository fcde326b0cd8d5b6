"""searchkit: semantic search over corpora of answers, offline, exact, with evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from searchkit._version import __version__
from searchkit.types import Answer, Finding, Hit, Overlap, Pair, Passage, Ring

if TYPE_CHECKING:
    from searchkit.index import Added, Index
    from searchkit.overlap import overlaps
    from searchkit.pairs import mine
    from searchkit.plagiarism import compare, find_plagiarism, find_plagiarism_among
    from searchkit.where import Where

__all__ = [
    "Added",
    "Answer",
    "Finding",
    "Hit",
    "Index",
    "Overlap",
    "Pair",
    "Passage",
    "Ring",
    "Where",
    "__version__",
    "compare",
    "find_plagiarism",
    "find_plagiarism_among",
    "mine",
    "overlaps",
]

_LAZY = {
    "Added": "searchkit.index",
    "Index": "searchkit.index",
    "Where": "searchkit.where",
    "compare": "searchkit.plagiarism",
    "find_plagiarism": "searchkit.plagiarism",
    "find_plagiarism_among": "searchkit.plagiarism",
    "mine": "searchkit.pairs",
    "overlaps": "searchkit.overlap",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401
    """Import what needs NumPy, FAISS or SQLite only when it is asked for: --help stays instant."""
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_LAZY[name]), name)
