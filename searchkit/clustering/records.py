"""What clustering returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from searchkit.core.results import Record


@dataclass(frozen=True, slots=True)
class Member(Record):
    """An answer in a cluster.

    Attributes:
        id: The answer's id.
        score: Its cosine with the cluster's centre; 0 for noise.
    """

    id: str
    score: float


@dataclass(frozen=True, slots=True)
class Cluster(Record):
    """Answers that say the same.

    Attributes:
        cluster: The cluster's number within its question, from 1, largest first.
        question: The question that its members answer; None if all answers were clustered at once.
        kind: `cluster`; `single`: one answer that is like no other; `noise`: all answers that the
            method puts into no cluster.
        center: The id of its most typical answer; None for noise.
        keywords: The words that distinguish it from the question's other clusters, best first.
        spread: 1 minus the mean score of its members.
        members: Its answers, nearest to the centre first.
    """

    cluster: int
    question: str | None
    kind: str
    center: str | None
    keywords: tuple[str, ...]
    spread: float
    members: tuple[Member, ...]

    @property
    def size(self) -> int:
        """The number of its answers."""
        return len(self.members)

    def to_record(self) -> dict[str, Any]:
        """Return the fields by name, and the size."""
        return {
            "cluster": self.cluster,
            "question": self.question,
            "kind": self.kind,
            "size": self.size,
            "keywords": list(self.keywords),
            "center": self.center,
            "spread": self.spread,
            "members": [{"id": member.id, "score": member.score} for member in self.members],
        }
