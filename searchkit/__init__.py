"""searchkit: semantic search over corpora of answers, offline, exact, with evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from searchkit._version import __version__
from searchkit.types import Answer, Hit, Pair, Passage

if TYPE_CHECKING:
    from searchkit.index import Added, Index
    from searchkit.where import Where

__all__ = ["Added", "Answer", "Hit", "Index", "Pair", "Passage", "Where", "__version__"]

_LAZY = {"Added": "searchkit.index", "Index": "searchkit.index", "Where": "searchkit.where"}


def __getattr__(name: str) -> Any:  # noqa: ANN401
    """Import what needs NumPy, FAISS or SQLite only when it is asked for: --help stays instant."""
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_LAZY[name]), name)
