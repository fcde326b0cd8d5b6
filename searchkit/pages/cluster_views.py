"""Clusters as the templates display them; pure functions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from searchkit.clustering.records import Cluster
from searchkit.core.messages import counted
from searchkit.core.records import Answer
from searchkit.pages.pseudonyms import Pseudonyms
from searchkit.pages.segments import Name, answer_name, question_name
from searchkit.pages.views import SideView, side_view


@dataclass(frozen=True, slots=True)
class MemberView:
    """A member of a cluster, and its cosine with the cluster's centre."""

    answer: Name
    score: float


@dataclass(frozen=True, slots=True)
class ClusterView:
    """A cluster as it is displayed.

    Attributes:
        number: Its number within its question.
        anchor: The id of its element in the page; empty if it has none.
        question: Its question; its text is empty if there is none.
        kind: `cluster`, `single` or `noise`.
        heading: Its size in words.
        size: Number of its members.
        spread: 1 minus the mean score of its members.
        keywords: Words that distinguish it; names of people are left out, or have an alias.
        center: Its most typical answer; None for noise.
        members: All members, nearest to the centre first.
    """

    number: int
    anchor: str
    question: Name
    kind: str
    heading: str
    size: int
    spread: float
    keywords: list[Name]
    center: SideView | None
    members: list[MemberView]


def cluster_view(
    cluster: Cluster,
    center: Answer | None,
    *,
    anchor: str = "",
    names: Pseudonyms | None = None,
) -> ClusterView:
    """Return the view of a cluster.

    Args:
        cluster: The cluster.
        center: Its most typical answer; None for noise.
        anchor: The id of its element in the page, if it has one.
        names: Pseudonyms, if names can be hidden.
    """
    size = counted(cluster.size, "answer")
    heading = {"single": "Alone", "noise": f"{size} in no cluster"}.get(cluster.kind, size)
    return ClusterView(
        number=cluster.cluster,
        anchor=anchor,
        question=question_name(cluster.question, names),
        kind=cluster.kind,
        heading=heading,
        size=cluster.size,
        spread=cluster.spread,
        keywords=list(_keywords(cluster, names)),
        center=side_view(center, (), names) if center else None,
        members=[MemberView(answer_name(m.id, names), m.score) for m in cluster.members],
    )


def _keywords(cluster: Cluster, names: Pseudonyms | None) -> Iterator[Name]:
    for word in cluster.keywords:
        if not names or not names.mentions(f"{word} {word.capitalize()}"):
            yield Name(word)
        elif not names.replace:
            yield Name(word, "a name")
