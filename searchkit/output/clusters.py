"""Clusters for people and for programs: a tree that reads like a marking scheme, records, rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any, TextIO

from searchkit.clustering.records import Cluster
from searchkit.core.records import Answer
from searchkit.output.console import one_line, open_console, visible
from searchkit.output.search import GetAnswers

if TYPE_CHECKING:
    from searchkit.clustering.clusters import ClusterResult
    from searchkit.clustering.methods import Choice


EXCERPT = 260  # characters of a centre
LISTED = 12  # members of a cluster that the tree names
SINGLES = 20  # single answers of a question that the tree shows
COLUMNS = [
    "question",
    "cluster",
    "kind",
    "size",
    "keywords",
    "center",
    "score",
    "id",
    "author",
    "text",
]


def clusters_as_rows(clusters: Sequence[Cluster], get: GetAnswers) -> Iterator[dict[str, Any]]:
    """Yield a row an answer."""
    for cluster in clusters:
        answers = get([member.id for member in cluster.members])
        for member, answer in zip(cluster.members, answers, strict=True):
            yield {
                "question": answer.question,
                "cluster": cluster.cluster,
                "kind": cluster.kind,
                "size": cluster.size,
                "keywords": ", ".join(cluster.keywords),
                "center": cluster.center,
                "score": member.score,
                "id": member.id,
                "author": answer.author,
                "text": answer.text,
            }


def print_clusters(found: ClusterResult, get: GetAnswers, out: TextIO) -> None:
    """Print a tree for each question: clusters with their centres, then what stands alone."""
    from rich.text import Text
    from rich.tree import Tree

    console = open_console(out)
    if not found.clusters:
        console.print("no answer to cluster")
    for question, group in groupby(found.clusters, key=lambda cluster: cluster.question):
        clusters = list(group)
        tree = Tree(_heading(question, clusters), guide_style="dim")
        if question in found.choices:
            tree.add(Text(describe_choice(found.choices[question]), style="dim"))
        shown = [c for c in clusters if c.kind == "cluster"]
        lone = [member.id for c in clusters if c.kind != "cluster" for member in c.members]
        wanted = [c.center for c in shown if c.center] + lone[:SINGLES]
        texts = dict(zip(wanted, get(wanted), strict=True))
        for cluster in shown:
            _add_cluster(tree, cluster, texts)
        if lone:
            branch = tree.add(Text(f"{len(lone):,} alone, the odd ones to read", style="bold"))
            for name in lone[:SINGLES]:
                branch.add(_quoted(texts[name]))
            if len(lone) > SINGLES:
                branch.add(Text(f"… and {len(lone) - SINGLES:,} more; --format csv has all"))
        console.print(tree)
        console.print()


def describe_choice(choice: Choice) -> str:
    """Return what was chosen from the data, and why."""
    number = f"{choice.value:g}"
    what = f"threshold {number}" if choice.value <= 1 else f"{number} clusters"
    return (
        f"{what} chosen, of {len(choice.tried)} tried: there the answers are nearest to their own "
        f"centre and farthest from the next (separation {choice.quality:.2f}); of those nearly as "
        f"good the finest"
    )


def _heading(question: str | None, clusters: Sequence[Cluster]) -> Any:  # noqa: ANN401
    from rich.text import Text

    name = "all answers" if question is None else visible(question)
    answers = sum(cluster.size for cluster in clusters)
    real = sum(cluster.kind == "cluster" for cluster in clusters)
    return Text.assemble(
        (name, "bold"), f"   {answers:,} answers, {real:,} {'cluster' if real == 1 else 'clusters'}"
    )


def _add_cluster(tree: Any, cluster: Cluster, texts: Mapping[str, Answer]) -> None:  # noqa: ANN401
    from rich.text import Text

    branch = tree.add(
        Text.assemble(
            (f"{cluster.size:,} answers", "bold"),
            "   " + visible(", ".join(cluster.keywords)),
            (f"   spread {cluster.spread:.2f}", "dim"),
        )
    )
    if cluster.center:
        branch.add(_quoted(texts[cluster.center]))
    others = [m for m in cluster.members if m.id != cluster.center]
    named = ", ".join(f"{visible(m.id)} {m.score:.2f}" for m in others[:LISTED])
    more = f", … {len(others) - LISTED:,} more" if len(others) > LISTED else ""
    branch.add(Text(named + more, style="dim"))


def _quoted(answer: Answer) -> Any:  # noqa: ANN401
    from rich.text import Text

    shown = one_line(answer.text, EXCERPT)
    return Text.assemble((visible(answer.label) + "  ", "dim"), f"“{shown}”")
