"""Suggested marks, trials and audits for people and for programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any, TextIO

from searchkit.core.records import Answer
from searchkit.core.wording import counted
from searchkit.grading.marks import mark_text
from searchkit.grading.records import Conflict, Outlier, Propagation, Suggestion
from searchkit.output.console import one_line, open_console, plain_table, visible
from searchkit.output.search import GetAnswers

if TYPE_CHECKING:
    from searchkit.grading.audit import Audit
    from searchkit.grading.evaluate import CrossValidation, GradingEvaluation
    from searchkit.grading.grader import Candidate
    from searchkit.grading.marks import Marks
    from searchkit.grading.suggest import GradingResult


EXCERPT = 200  # characters of an answer that a table shows
SHOWN = 30  # of each list that a table shows
NAMED = 12  # answers of a group that a tree shows
LABELS, LABEL = 8, 30  # labels that a line names, and characters of each
COLUMNS = ["question", "id", "author", "suggested", "confidence", "neighbours", "text"]
AUDIT_COLUMNS = [
    "kind",
    "question",
    "worst",
    "id",
    "author",
    "mark",
    "other",
    "other_author",
    "other_mark",
    "score",
    "cluster",
    "text",
    "other_text",
]
FIGURES = {
    "pearson": "Pearson",
    "rmse": "RMSE",
    "qwk": "QWK",
    "accuracy": "accuracy",
    "macro_f1": "macro F1",
    "right": "right",
}
EVALUATION_COLUMNS = ["unseen", "answers", "questions", "marks", *FIGURES]
PROPAGATION_COLUMNS = ["question", "center", "id", "author", "mark", "would_get", "text"]
# -- suggestions -----------------------------------------------------------------------------------


def suggestions_as_rows(found: GradingResult, get: GetAnswers) -> Iterator[dict[str, Any]]:
    """Yield a row a suggestion, with the answer."""
    answers = get([one.id for one in found.suggestions])
    for one, answer in zip(found.suggestions, answers, strict=True):
        yield {
            "question": one.question,
            "id": one.id,
            "author": answer.author,
            "suggested": one.suggested,
            "confidence": one.confidence,
            "neighbours": _reasons(one),
            "text": answer.text,
        }


def print_suggestions(found: GradingResult, get: GetAnswers, out: TextIO) -> None:
    """Print a tree for each question: the surest first, and last what is left to the teacher."""
    from rich.text import Text
    from rich.tree import Tree

    console = open_console(out)
    if not found.suggestions:
        console.print("no ungraded answer to suggest a mark for")
    for question, group in groupby(found.suggestions, key=lambda one: one.question):
        some = sorted(group, key=lambda one: (one.suggested is None, -one.confidence, one.id))
        answers = get([one.id for one in some])
        made = sum(one.suggested is not None for one in some)
        head = Text(visible("all answers" if question is None else question), style="bold")
        tree = Tree(
            head.append(f"   {made:,} of {len(some):,} suggested", style="not bold"),
            guide_style="dim",
        )
        for one, answer in zip(some, answers, strict=True):
            mark = "yours" if one.suggested is None else visible(mark_text(one.suggested))
            line = Text.assemble(
                (f"{mark:<5} ", "dim" if one.suggested is None else "bold"),
                f"{one.confidence:.2f}  ",
            )
            branch = tree.add(line.append_text(_quoted(answer)))
            branch.add(Text(visible(_reasons(one)), style="dim"))
        console.print(tree)
        console.print()


def _reasons(one: Suggestion) -> str:
    return ", ".join(
        f"{n.id} {'reference' if n.mark is None else mark_text(n.mark)} ({n.score:.2f})"
        for n in one.neighbours
    )


def describe_learning(found: GradingResult) -> Iterator[str]:
    """Say what the suggestions rest on, and what got none."""
    yield f"{found.marks.column}: {_basis(found.marks)}; {describe_method(found.method)}"
    yield f"confidence: how often a suggestion like it was {_right(found.marks, found.tolerance)}"
    if found.blank:
        yield f"no mark suggested for {counted(found.blank, 'blank answer')}"
    for question, count in list(found.unknown.items())[:5]:
        name = "the answers without a question" if question is None else f"question {question}"
        yield (
            f"no mark suggested for {counted(count, 'answer')} to {name}: fewer than 5 of its "
            f"answers are graded, and too few other questions"
        )


def describe_method(chosen: Candidate | None) -> str:
    """Return how marks were learned."""
    if chosen is None:
        return "learned from other questions only, by length and likeness to reference answers"
    way = "a linear model on the vectors"
    if chosen.method == "neighbours":
        way = f"the nearest {counted(int(chosen.size), 'graded answer')}"
    over = ", over what all questions teach" if chosen.shared else ""
    return f"learned by {way}{over} (best of what was tried in cross-validation)"


def _basis(marks: Marks) -> str:
    scale = f"marks from {mark_text(marks.scale[0])} to {mark_text(marks.scale[-1])}"
    if marks.kind == "labels":
        named = [one_line(str(label), LABEL) for label in marks.scale[:LABELS]]
        more = f" and {len(marks.scale) - LABELS:,} more" if len(marks.scale) > LABELS else ""
        scale = "labels " + ", ".join(named) + more
    return f"{counted(int(marks.graded.sum()), 'graded answer')}, {scale}"


def _right(marks: Marks, tolerance: float) -> str:
    if marks.kind == "labels" or not tolerance:
        return "the grader's own"
    return f"within {mark_text(tolerance)} of the grader's mark"


# -- trials ----------------------------------------------------------------------------------------


def print_evaluation(found: GradingEvaluation, out: TextIO) -> None:
    """Print a table of figures and one of coverage for each validation."""
    from rich.text import Text

    console = open_console(out)
    console.print(Text(visible(f"{found.marks.column}: {_basis(found.marks)}")), soft_wrap=True)
    console.print(
        Text(f"{describe_method(found.method)}; right is {_right(found.marks, found.tolerance)}"),
        soft_wrap=True,
    )
    for validation in found.cross_validations:
        console.print()
        console.print(Text(_held_out_heading(validation), style="bold"))
        console.print(_figures_table(validation))
        console.print()
        console.print(_coverage_table(validation))
        error = validation.calibration_error
        console.print(
            Text(
                f"confidence and share right differ by {error:.2f} on the mean",
                style="dim",
            )
        )


def _held_out_heading(validation: CrossValidation) -> str:
    count = (
        f"{counted(validation.answers, 'answer')} in {counted(validation.questions, 'question')}"
    )
    if validation.unseen == "answers":
        return f"Unseen answers: others to the same question were graded ({count})"
    return f"Unseen questions: nothing of the same question was graded ({count})"


def _figures_table(validation: CrossValidation) -> Any:  # noqa: ANN401
    table = plain_table()
    table.add_column("marks")
    names = [name for name in FIGURES if name in validation.scores[0].figures]
    for name in names:
        table.add_column(FIGURES[name], justify="right")
    for score in validation.scores:
        cells = [_figure(name, score.figures[name]) for name in names]
        table.add_row(score.name, *cells, style="bold" if score is validation.scores[0] else "")
    return table


def _figure(name: str, value: float) -> str:
    return f"{value:.0%}" if name == "right" else f"{value:.3f}"


def _coverage_table(validation: CrossValidation) -> Any:  # noqa: ANN401
    table = plain_table()
    table.add_column("confidence at least", justify="right")
    table.add_column("answers", justify="right")
    table.add_column("right", justify="right")
    for row in validation.coverage:
        right = f"{row.right:.0%}" if row.answers else ""
        table.add_row(f"{row.confidence:g}", f"{row.answers:.0%}", right)
    return table


# -- audit -----------------------------------------------------------------------------------------


def audit_as_rows(found: Audit, get: GetAnswers) -> Iterator[dict[str, Any]]:
    """Yield a row a pair and a row a mark, with the answers."""
    for conflict in found.conflicts:
        left, right = get([conflict.left, conflict.right])
        yield {
            "kind": "pair",
            "question": conflict.question,
            "worst": conflict.steepness,
            "id": left.id,
            "author": left.author,
            "mark": conflict.marks[0],
            "other": right.id,
            "other_author": right.author,
            "other_mark": conflict.marks[1],
            "score": conflict.score,
            "text": left.text,
            "other_text": right.text,
        }
    for one in found.outliers:
        (answer,) = get([one.id])
        yield {
            "kind": "mark",
            "question": one.question,
            "worst": one.surprise,
            "id": one.id,
            "author": answer.author,
            "mark": one.mark,
            "other_mark": one.expected,
            "cluster": one.cluster_mark,
            "text": answer.text,
        }


def print_audit(found: Audit, get: GetAnswers, out: TextIO) -> None:
    """Print the worst pairs side by side, then the marks that stand out."""
    from rich.text import Text

    console = open_console(out)
    console.print(Text("Near-equal answers with different marks, worst first", style="bold"))
    console.print(_conflicts_table(found.conflicts[:SHOWN], get) if found.conflicts else "none")
    _say_more(console, len(found.conflicts) - SHOWN)
    console.print()
    head = "Marks that stand out from those of like answers, worst first"
    console.print(Text(head, style="bold"))
    console.print(_outliers_table(found.outliers[:SHOWN], get) if found.outliers else "none")
    _say_more(console, len(found.outliers) - SHOWN)


def _conflicts_table(conflicts: Sequence[Conflict], get: GetAnswers) -> Any:  # noqa: ANN401
    from rich.text import Text

    table = plain_table()
    table.add_column("alike", justify="right")
    for _ in range(2):
        table.add_column("mark", justify="right", style="bold")
        table.add_column("answer", overflow="fold", ratio=1)
    for conflict in conflicts:
        left, right = get([conflict.left, conflict.right])
        one, other = (Text(visible(mark_text(mark))) for mark in conflict.marks)
        table.add_row(f"{conflict.score:.2f}", one, _quoted(left), other, _quoted(right))
    return table


def _outliers_table(outliers: Sequence[Outlier], get: GetAnswers) -> Any:  # noqa: ANN401
    from rich.text import Text

    table = plain_table()
    table.add_column("mark", justify="right", style="bold")
    table.add_column("expected", justify="right")
    table.add_column("its cluster", justify="right")
    table.add_column("answer", overflow="fold", ratio=1)
    for one, answer in zip(outliers, get([one.id for one in outliers]), strict=True):
        cluster = (
            "" if one.cluster_mark is None else f"{mark_text(one.cluster_mark)} ({one.others})"
        )
        cells = (mark_text(one.mark), mark_text(one.expected), cluster)
        table.add_row(*(Text(visible(cell)) for cell in cells), _quoted(answer))
    return table


def _say_more(console: Any, count: int) -> None:  # noqa: ANN401
    if count > 0:
        console.print(f"… and {count:,} more; --format csv has all")


def describe_audit(found: Audit) -> str:
    """Return what was looked at."""
    return (
        f"{found.marks.column}: {_basis(found.marks)}; {found.pairs:,} near-equal pairs, "
        f"{len(found.conflicts):,} of them with different marks"
    )


# -- propagation -----------------------------------------------------------------------------------


def propagations_as_rows(
    propagations: Sequence[Propagation], get: GetAnswers, column: str
) -> Iterator[dict[str, Any]]:
    """Yield a row an answer of each cluster: its own mark, and what it would get."""
    for propagation in propagations:
        named = [
            propagation.id,
            *propagation.recipients,
            *propagation.agreeing,
            *(name for name, _ in propagation.differing),
        ]
        for answer in get(named):
            gets = answer.id == propagation.id or answer.id in propagation.recipients
            yield {
                "question": propagation.question,
                "center": propagation.id,
                "id": answer.id,
                "author": answer.author,
                "mark": answer.meta.get(column),
                "would_get": propagation.mark if gets else None,
                "text": answer.text,
            }


def print_propagations(propagations: Sequence[Propagation], get: GetAnswers, out: TextIO) -> None:
    """Print a tree for each mark that was given."""
    from rich.text import Text
    from rich.tree import Tree

    console = open_console(out)
    for propagation in propagations:
        (answer,) = get([propagation.id])
        head = Text(visible(mark_text(propagation.mark)) + "  ", style="bold")
        tree = Tree(head.append_text(_quoted(answer)), guide_style="dim")
        words = visible(", ".join(propagation.cluster.keywords))
        tree.add(Text(f"{propagation.cluster.size:,} answers say the same   {words}", style="dim"))
        branch = tree.add(
            Text(f"{len(propagation.recipients):,} without a mark would get it", style="bold")
        )
        scores = {member.id: member.score for member in propagation.cluster.members}
        for member in get(list(propagation.recipients[:NAMED])):
            branch.add(Text(f"{scores[member.id]:.2f}  ").append_text(_quoted(member)))
        if len(propagation.recipients) > NAMED:
            branch.add(f"… and {len(propagation.recipients) - NAMED:,} more; --format csv has all")
        if propagation.agreeing:
            verb = "has" if len(propagation.agreeing) == 1 else "have"
            tree.add(
                f"{len(propagation.agreeing):,} {verb} it, or one as near as makes no difference"
            )
        if propagation.differing:
            verb = "has" if len(propagation.differing) == 1 else "have"
            branch = tree.add(
                Text(f"{len(propagation.differing):,} {verb} another mark", style="bold")
            )
            members = get([name for name, _ in propagation.differing[:NAMED]])
            for (_, mark), member in zip(propagation.differing, members, strict=False):
                branch.add(Text(visible(mark_text(mark)) + "  ").append_text(_quoted(member)))
        console.print(tree)
        console.print()


def _quoted(answer: Answer) -> Any:  # noqa: ANN401
    from rich.text import Text

    shown = one_line(answer.text, EXCERPT)
    return Text.assemble((visible(answer.label) + "  ", "dim"), f"“{shown}”")
