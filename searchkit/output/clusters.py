"""Clusters as trees for a terminal, and as rows for CSV."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any, TextIO

from searchkit.clustering.records import Cluster
from searchkit.core.records import Answer
from searchkit.output.console import open_console, quote_answer, visible
from searchkit.output.search import GetAnswers

if TYPE_CHECKING:
    from rich.text import Text
    from rich.tree import Tree

    from searchkit.clustering.clusters import ClusterResult
    from searchkit.clustering.methods import Choice


EXCERPT_LENGTH = 260  # characters of an answer that a tree shows
MAX_LISTED_MEMBERS = 12  # of a cluster, besides its centre
MAX_SINGLE_ANSWERS = 20  # of a question: answers in no cluster that a tree shows
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
    """Yield a row for each answer in the clusters."""
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


def print_clusters(result: ClusterResult, get: GetAnswers, out: TextIO) -> None:
    """Print a tree for each question: the clusters with their centres, then the single answers."""
    console = open_console(out)
    if not result.clusters:
        console.print("no answer to cluster")
    for question, group in groupby(result.clusters, key=lambda cluster: cluster.question):
        console.print(_question_tree(list(group), result.choices.get(question), get))
        console.print()


def _question_tree(clusters: Sequence[Cluster], choice: Choice | None, get: GetAnswers) -> Tree:
    from rich.text import Text
    from rich.tree import Tree

    tree = Tree(_heading(clusters), guide_style="dim")
    if choice is not None:
        tree.add(Text(describe_choice(choice), style="dim"))
    groups = [cluster for cluster in clusters if cluster.kind == "cluster"]
    single_ids = [member.id for c in clusters if c.kind != "cluster" for member in c.members]
    listed_ids = single_ids[:MAX_SINGLE_ANSWERS]
    ids = [cluster.center for cluster in groups if cluster.center] + listed_ids
    answers = dict(zip(ids, get(ids), strict=True))
    for cluster in groups:
        _add_cluster(tree, cluster, answers)
    if single_ids:
        branch = tree.add(Text(f"{len(single_ids):,} alone, the odd ones to read", style="bold"))
        for answer_id in listed_ids:
            branch.add(quote_answer(answers[answer_id], EXCERPT_LENGTH))
        if (rest := len(single_ids) - MAX_SINGLE_ANSWERS) > 0:
            branch.add(Text(f"… and {rest:,} more; --format csv has all"))
    return tree


def describe_choice(choice: Choice) -> str:
    """Return a sentence on the setting that was chosen from the data, and why it was chosen."""
    tried = f"chosen, of {len(choice.tried)} tried"
    if choice.value > 1:
        return (
            f"{choice.value:g} clusters {tried}: they are set apart nearly best (quality "
            f"{choice.quality:.2f}), and of those as good they are the fewest"
        )
    return (
        f"threshold {choice.value:g} {tried}: there the answers are nearest to their own centre "
        f"and farthest from the next (separation {choice.quality:.2f}); of those nearly as good "
        f"the finest"
    )


def _heading(clusters: Sequence[Cluster]) -> Text:
    from rich.text import Text

    question = clusters[0].question
    name = "all answers" if question is None else visible(question)
    num_answers = sum(cluster.size for cluster in clusters)
    num_groups = sum(cluster.kind == "cluster" for cluster in clusters)
    noun = "cluster" if num_groups == 1 else "clusters"
    return Text.assemble((name, "bold"), f"   {num_answers:,} answers, {num_groups:,} {noun}")


def _add_cluster(tree: Tree, cluster: Cluster, answers: Mapping[str, Answer]) -> None:
    from rich.text import Text

    branch = tree.add(
        Text.assemble(
            (f"{cluster.size:,} answers", "bold"),
            "   " + visible(", ".join(cluster.keywords)),
            (f"   spread {cluster.spread:.2f}", "dim"),
        )
    )
    if cluster.center:
        branch.add(quote_answer(answers[cluster.center], EXCERPT_LENGTH))
    others = [member for member in cluster.members if member.id != cluster.center]
    names = [f"{visible(member.id)} {member.score:.2f}" for member in others[:MAX_LISTED_MEMBERS]]
    rest = len(others) - MAX_LISTED_MEMBERS
    more = f", … {rest:,} more" if rest > 0 else ""
    branch.add(Text(", ".join(names) + more, style="dim"))
