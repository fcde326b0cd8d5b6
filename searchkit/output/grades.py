"""Suggested marks, their cross-validation, audits and propagations as trees, tables and rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any, TextIO

from searchkit.core.messages import counted
from searchkit.grading.marks import mark_text
from searchkit.grading.records import Conflict, Mark, Outlier, Propagation, Suggestion
from searchkit.output.console import one_line, open_console, plain_table, quote_answer, visible
from searchkit.output.search import GetAnswers

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.tree import Tree

    from searchkit.grading.audit import Audit
    from searchkit.grading.evaluate import CrossValidation, GradingEvaluation, ItemAccuracy
    from searchkit.grading.learning.grader import Candidate
    from searchkit.grading.marks import Marks
    from searchkit.grading.suggest import GradingResult


EXCERPT_LENGTH = 200  # characters of an answer that a table shows
MAX_ROWS = 30  # of each table of an audit
MAX_LISTED_ANSWERS = 12  # of a propagation, in each branch of its tree
MAX_LABELS = 8  # of a scale, that a line lists
LABEL_LENGTH = 30  # characters of such a label
COLUMNS = ["question", "id", "author", "suggested", "range", "confidence", "neighbours", "text"]
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
METRIC_NAMES = {
    "pearson": "Pearson",
    "rmse": "RMSE",
    "qwk": "QWK",
    "accuracy": "accuracy",
    "macro_f1": "macro F1",
    "right": "right",
}
EVALUATION_COLUMNS = ["unseen", "answers", "questions", "marks", *METRIC_NAMES]
PROPAGATION_COLUMNS = ["question", "center", "id", "author", "mark", "would_get", "text"]

# -- suggestions -----------------------------------------------------------------------------------


def suggestions_as_rows(result: GradingResult, get: GetAnswers) -> Iterator[dict[str, Any]]:
    """Yield a row for each suggestion, with the answer."""
    answers = get([suggestion.id for suggestion in result.suggestions])
    for suggestion, answer in zip(result.suggestions, answers, strict=True):
        yield {
            "question": suggestion.question,
            "id": suggestion.id,
            "author": answer.author,
            "suggested": suggestion.suggested,
            "range": _range_text(suggestion),
            "confidence": suggestion.confidence,
            "neighbours": _list_neighbours(suggestion),
            "text": answer.text,
        }


def print_suggestions(result: GradingResult, get: GetAnswers, out: TextIO) -> None:
    """Print a tree for each question: the most confident first, answers without a mark last."""
    console = open_console(out)
    if not result.suggestions:
        console.print("no ungraded answer to suggest a mark for")
    for question, group in groupby(result.suggestions, key=lambda item: item.question):
        console.print(_suggestions_tree(question, list(group), get))
        console.print()


def _suggestions_tree(question: str | None, suggestions: list[Suggestion], get: GetAnswers) -> Tree:
    from rich.text import Text
    from rich.tree import Tree

    suggestions.sort(key=lambda item: (item.suggested is None, -item.confidence, item.id))
    num_suggested = sum(suggestion.suggested is not None for suggestion in suggestions)
    heading = Text(visible("all answers" if question is None else question), style="bold")
    heading.append(f"   {num_suggested:,} of {len(suggestions):,} suggested", style="not bold")
    tree = Tree(heading, guide_style="dim")
    answers = get([suggestion.id for suggestion in suggestions])
    for suggestion, answer in zip(suggestions, answers, strict=True):
        mark = suggestion.suggested
        line = Text.assemble(
            (
                f"{'yours' if mark is None else visible(mark_text(mark)):<5} ",
                "dim" if mark is None else "bold",
            ),
            f"{suggestion.confidence:.2f}  ",
            (f"{span}  " if (span := _range_text(suggestion)) else "", "dim"),
        )
        branch = tree.add(line.append_text(quote_answer(answer, EXCERPT_LENGTH)))
        branch.add(Text(visible(_list_neighbours(suggestion)), style="dim"))
    return tree


def _range_text(suggestion: Suggestion) -> str:
    """Return where the grader's mark lies, such as `6 to 9`; nothing where that is unknown."""
    if suggestion.labels is not None:
        return visible(" or ".join(suggestion.labels))
    if suggestion.low is None or suggestion.high is None:
        return ""
    ends = dict.fromkeys((mark_text(suggestion.low), mark_text(suggestion.high)))
    return " to ".join(ends)


def _list_neighbours(suggestion: Suggestion) -> str:
    """Return the graded answers that a suggestion rests on, with marks and scores."""
    return ", ".join(
        f"{neighbour.id} {'reference' if neighbour.mark is None else mark_text(neighbour.mark)} "
        f"({neighbour.score:.2f})"
        for neighbour in suggestion.neighbours
    )


def describe_learning(result: GradingResult) -> Iterator[str]:
    """Yield lines on what the suggestions were learned from, and which answers got none."""
    marks = result.marks
    from_earlier = f", {result.earlier:,} of them from earlier indexes" if result.earlier else ""
    yield (
        f"{marks.column}: {_describe_marks(marks)}{from_earlier}; {describe_method(result.method)}"
    )
    correct = _describe_correct(marks, result.tolerance)
    yield f"confidence: how often a suggestion like it was {correct}"
    if result.blank:
        yield f"no mark suggested for {counted(result.blank, 'blank answer')}"
    for question, count in list(result.unknown.items())[:5]:
        name = "the answers without a question" if question is None else f"question {question}"
        yield (
            f"no mark suggested for {counted(count, 'answer')} to {name}: fewer than 5 of its "
            f"answers are graded, and too few other questions"
        )


def describe_method(candidate: Candidate | None) -> str:
    """Return the method by which marks were learned; None: from other questions only."""
    if candidate is None:
        return "learned from other questions only, by length and likeness to reference answers"
    method = {
        "linear": "a linear model on the vectors",
        "words": "a model of vectors, words and likeness to the references",
        "neighbours": f"the nearest {counted(int(candidate.size), 'graded answer')}",
    }[candidate.method]
    shared = ", over what all questions teach" if candidate.shared else ""
    return f"learned mostly by {method}{shared} (weighed by cross-validation)"


def _describe_marks(marks: Marks) -> str:
    """Return the number of graded answers and the scale of their marks."""
    scale = f"marks from {mark_text(marks.scale[0])} to {mark_text(marks.scale[-1])}"
    if marks.kind == "labels":
        labels = [one_line(str(label), LABEL_LENGTH) for label in marks.scale[:MAX_LABELS]]
        rest = len(marks.scale) - MAX_LABELS
        scale = "labels " + ", ".join(labels) + (f" and {rest:,} more" if rest > 0 else "")
    return f"{counted(int(marks.graded.sum()), 'graded answer')}, {scale}"


def _describe_correct(marks: Marks, tolerance: float) -> str:
    """Return when a suggestion counts as right."""
    if marks.kind == "labels" or not tolerance:
        return "the grader's own"
    less = ", and in proportion where a question gives fewer points" if marks.in_proportion else ""
    return f"within {mark_text(tolerance)} of the grader's mark{less}"


# -- cross-validation ------------------------------------------------------------------------------


def print_evaluation(evaluation: GradingEvaluation, out: TextIO) -> None:
    """Print the metrics and the coverage of each cross-validation as two tables."""
    from rich.text import Text

    console = open_console(out)
    marks = evaluation.marks
    console.print(Text(visible(f"{marks.column}: {_describe_marks(marks)}")), soft_wrap=True)
    correct = _describe_correct(marks, evaluation.tolerance)
    console.print(Text(f"{describe_method(evaluation.method)}; right is {correct}"), soft_wrap=True)
    for validation in evaluation.cross_validations:
        console.print()
        console.print(Text(_describe_held_out(validation), style="bold"))
        console.print(_metrics_table(validation))
        console.print()
        console.print(_coverage_table(validation))
        error = validation.calibration_error
        line = f"confidence and share right differ by {error:.2f} on the mean"
        console.print(Text(line, style="dim"))
    if evaluation.rubric:
        console.print()
        console.print(Text("Items of rubrics, on unseen answers to the question", style="bold"))
        console.print(_items_table(evaluation.rubric))


def _items_table(items: Sequence[ItemAccuracy]) -> Table:
    from rich.text import Text

    table = plain_table()
    table.add_column("question", overflow="fold", max_width=14)
    table.add_column("item", overflow="fold", ratio=1)
    for name in ("answers", "right", "the more frequent tick"):
        table.add_column(name, justify="right")
    for item in items:
        texts = [Text(visible(text)) for text in (item.question or "", item.item)]
        shares = ["too few" if s is None else f"{s:.0%}" for s in (item.accuracy, item.majority)]
        table.add_row(*texts, f"{item.answers:,}", *shares)
    return table


def _describe_held_out(validation: CrossValidation) -> str:
    answers = counted(validation.answers, "answer")
    questions = counted(validation.questions, "question")
    if validation.unseen == "answers":
        start = "Unseen answers: others to the same question were graded"
    else:
        start = "Unseen questions: nothing of the same question was graded"
    return f"{start} ({answers} in {questions})"


def _metrics_table(validation: CrossValidation) -> Table:
    table = plain_table()
    table.add_column("marks")
    names = [name for name in METRIC_NAMES if name in validation.scores[0].figures]
    for name in names:
        table.add_column(METRIC_NAMES[name], justify="right")
    for number, score in enumerate(validation.scores):
        cells = [_format_metric(name, score.figures[name]) for name in names]
        table.add_row(score.name, *cells, style="" if number else "bold")
    return table


def _format_metric(name: str, value: float) -> str:
    return f"{value:.0%}" if name == "right" else f"{value:.3f}"


def _coverage_table(validation: CrossValidation) -> Table:
    table = plain_table()
    table.add_column("confidence at least", justify="right")
    table.add_column("answers", justify="right")
    table.add_column("right", justify="right")
    for row in validation.coverage:
        right = f"{row.right:.0%}" if row.answers else ""
        table.add_row(f"{row.confidence:g}", f"{row.answers:.0%}", right)
    return table


# -- audit -----------------------------------------------------------------------------------------


def audit_as_rows(audit: Audit, get: GetAnswers) -> Iterator[dict[str, Any]]:
    """Yield a row for each conflicting pair, then for each outlying mark, with the answers."""
    for conflict in audit.conflicts:
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
    for outlier in audit.outliers:
        (answer,) = get([outlier.id])
        yield {
            "kind": "mark",
            "question": outlier.question,
            "worst": outlier.surprise,
            "id": outlier.id,
            "author": answer.author,
            "mark": outlier.mark,
            "other_mark": outlier.expected,
            "cluster": outlier.cluster_mark,
            "text": answer.text,
        }


def print_audit(audit: Audit, get: GetAnswers, out: TextIO) -> None:
    """Print the worst conflicting pairs side by side, then the worst outlying marks."""
    from rich.text import Text

    console = open_console(out)
    heading = "Near-equal answers with different marks, worst first"
    console.print(Text(heading, style="bold"))
    console.print(_conflicts_table(audit.conflicts[:MAX_ROWS], get) if audit.conflicts else "none")
    _print_rest(console, len(audit.conflicts) - MAX_ROWS)
    console.print()
    heading = "Marks that stand out from those of like answers, worst first"
    console.print(Text(heading, style="bold"))
    console.print(_outliers_table(audit.outliers[:MAX_ROWS], get) if audit.outliers else "none")
    _print_rest(console, len(audit.outliers) - MAX_ROWS)


def _conflicts_table(conflicts: Sequence[Conflict], get: GetAnswers) -> Table:
    from rich.text import Text

    table = plain_table()
    table.add_column("alike", justify="right")
    for _ in range(2):
        table.add_column("mark", justify="right", style="bold")
        table.add_column("answer", overflow="fold", ratio=1)
    for conflict in conflicts:
        cells = []
        answers = get([conflict.left, conflict.right])
        for mark, answer in zip(conflict.marks, answers, strict=True):
            cells += [Text(visible(mark_text(mark))), quote_answer(answer, EXCERPT_LENGTH)]
        table.add_row(f"{conflict.score:.2f}", *cells)
    return table


def _outliers_table(outliers: Sequence[Outlier], get: GetAnswers) -> Table:
    from rich.text import Text

    table = plain_table()
    table.add_column("mark", justify="right", style="bold")
    table.add_column("expected", justify="right")
    table.add_column("its cluster", justify="right")
    table.add_column("answer", overflow="fold", ratio=1)
    answers = get([outlier.id for outlier in outliers])
    for outlier, answer in zip(outliers, answers, strict=True):
        cluster = ""
        if outlier.cluster_mark is not None:
            cluster = f"{mark_text(outlier.cluster_mark)} ({outlier.others})"
        cells = (mark_text(outlier.mark), mark_text(outlier.expected), cluster)
        quotation = quote_answer(answer, EXCERPT_LENGTH)
        table.add_row(*(Text(visible(cell)) for cell in cells), quotation)
    return table


def _print_rest(console: Console, count: int) -> None:
    if count > 0:
        console.print(f"… and {count:,} more; --format csv has all")


def describe_audit(audit: Audit) -> str:
    """Return a line on which marks and how many near-equal pairs were compared."""
    return (
        f"{audit.marks.column}: {_describe_marks(audit.marks)}; {audit.pairs:,} near-equal pairs, "
        f"{len(audit.conflicts):,} of them with different marks"
    )


# -- propagation -----------------------------------------------------------------------------------


def propagations_as_rows(
    propagations: Sequence[Propagation], get: GetAnswers, column: str
) -> Iterator[dict[str, Any]]:
    """Yield a row for each answer of each cluster.

    A row holds `mark`, the answer's mark in `column`, and `would_get`, the mark that it would get.
    """
    for propagation in propagations:
        ids = [
            propagation.id,
            *propagation.recipients,
            *propagation.agreeing,
            *(answer_id for answer_id, _ in propagation.differing),
        ]
        for answer in get(ids):
            would_get = answer.id == propagation.id or answer.id in propagation.recipients
            yield {
                "question": propagation.question,
                "center": propagation.id,
                "id": answer.id,
                "author": answer.author,
                "mark": answer.value(column) or None,
                "would_get": propagation.mark if would_get else None,
                "text": answer.text,
            }


def print_propagations(propagations: Sequence[Propagation], get: GetAnswers, out: TextIO) -> None:
    """Print a tree for each propagated mark: the answers that would get it, and the other ones."""
    console = open_console(out)
    for propagation in propagations:
        console.print(_propagation_tree(propagation, get))
        console.print()


def _propagation_tree(propagation: Propagation, get: GetAnswers) -> Tree:
    from rich.text import Text
    from rich.tree import Tree

    (answer,) = get([propagation.id])
    heading = Text(visible(mark_text(propagation.mark)) + "  ", style="bold")
    tree = Tree(heading.append_text(quote_answer(answer, EXCERPT_LENGTH)), guide_style="dim")
    cluster = propagation.cluster
    keywords = visible(", ".join(cluster.keywords))
    tree.add(Text(f"{cluster.size:,} answers say the same   {keywords}", style="dim"))
    num_recipients = len(propagation.recipients)
    branch = tree.add(Text(f"{num_recipients:,} without a mark would get it", style="bold"))
    scores = {member.id: member.score for member in cluster.members}
    for answer in get(list(propagation.recipients[:MAX_LISTED_ANSWERS])):
        line = Text(f"{scores[answer.id]:.2f}  ")
        branch.add(line.append_text(quote_answer(answer, EXCERPT_LENGTH)))
    if num_recipients > MAX_LISTED_ANSWERS:
        rest = num_recipients - MAX_LISTED_ANSWERS
        branch.add(f"… and {rest:,} more; --format csv has all")
    if num_agreeing := len(propagation.agreeing):
        verb = "has" if num_agreeing == 1 else "have"
        tree.add(f"{num_agreeing:,} {verb} it, or one as near as makes no difference")
    if propagation.differing:
        _add_differing(tree, propagation.differing, get)
    return tree


def _add_differing(tree: Tree, differing: Sequence[tuple[str, Mark]], get: GetAnswers) -> None:
    """Add a branch with the answers that have another mark."""
    from rich.text import Text

    verb = "has" if len(differing) == 1 else "have"
    branch = tree.add(Text(f"{len(differing):,} {verb} another mark", style="bold"))
    listed = differing[:MAX_LISTED_ANSWERS]
    answers = get([answer_id for answer_id, _ in listed])
    for (_, mark), answer in zip(listed, answers, strict=True):
        line = Text(visible(mark_text(mark)) + "  ")
        branch.add(line.append_text(quote_answer(answer, EXCERPT_LENGTH)))
