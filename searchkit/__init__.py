"""searchkit: semantic search over corpora of answers, offline, exact, with evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from searchkit._version import __version__
from searchkit.types import (
    Answer,
    Cluster,
    Finding,
    Hit,
    Overlap,
    Pair,
    Passage,
    Ring,
    Suggestion,
)

if TYPE_CHECKING:
    from searchkit.audit import audit_grades
    from searchkit.clusters import cluster
    from searchkit.grades import grade
    from searchkit.index import Added, Index
    from searchkit.overlap import overlaps
    from searchkit.pairs import mine
    from searchkit.plagiarism import compare, find_plagiarism, find_plagiarism_among
    from searchkit.propagation import propagate
    from searchkit.trials import evaluate_grades
    from searchkit.where import Where

__all__ = [
    "Added",
    "Answer",
    "Cluster",
    "Finding",
    "Hit",
    "Index",
    "Overlap",
    "Pair",
    "Passage",
    "Ring",
    "Suggestion",
    "Where",
    "__version__",
    "audit_grades",
    "cluster",
    "compare",
    "evaluate_grades",
    "find_plagiarism",
    "find_plagiarism_among",
    "grade",
    "mine",
    "overlaps",
    "propagate",
]

_LAZY = {
    "Added": "searchkit.index",
    "Index": "searchkit.index",
    "Where": "searchkit.where",
    "audit_grades": "searchkit.audit",
    "cluster": "searchkit.clusters",
    "compare": "searchkit.plagiarism",
    "evaluate_grades": "searchkit.trials",
    "find_plagiarism": "searchkit.plagiarism",
    "find_plagiarism_among": "searchkit.plagiarism",
    "grade": "searchkit.grades",
    "mine": "searchkit.pairs",
    "overlaps": "searchkit.overlap",
    "propagate": "searchkit.propagation",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401
    """Import what needs NumPy, FAISS or SQLite only when it is asked for: --help stays instant."""
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_LAZY[name]), name)
