"""Forms: a row a person, a column a question, whose header is the question's text."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from searchkit.sources.columns import Values
from searchkit.sources.header_names import HEADER_NAMES, columns_by_header, fold_header
from searchkit.sources.layouts.layout import Layout, header_text
from searchkit.sources.layouts.people import asks_for_person, person_of_form
from searchkit.sources.layouts.wide import (
    propose_questions,
    wide_question,
    with_unique_names,
    without_choices,
)

# Takes a header and the question's before it; returns the word for points or feedback, if it is
# such a column of that question, or else None.
KindWord = Callable[[str, str], str | None]
_KINDS = ("points", "feedback")
_NOT_OF_FORMS = frozenset((*HEADER_NAMES["text"], *HEADER_NAMES["question"]))


def has_answer_columns(names: Sequence[str]) -> bool:
    """Whether a column is called answer, question or the like, so that a row is an answer."""
    return not _NOT_OF_FORMS.isdisjoint(columns_by_header(tuple(names)))


def form_layout(
    names: Sequence[str], sample: Sequence[Values], kind_word: KindWord, title: str
) -> Layout | None:
    """Return the layout of a form's answers; None if no column looks like a question.

    Args:
        names: The columns, without those of the form itself, such as the time.
        sample: The first rows.
        kind_word: Finds the points and the feedback that follow a question.
        title: What kind of file it is.
    """
    own = _own_columns(names, kind_word)
    followed = {name for name in own if own[name]}
    asked = [name for name in names if name in own and not asks_for_person(name)]
    # What comes before the first one with points in a quiz is about the person or the whole quiz.
    first = next((place for place, name in enumerate(asked) if name in followed), 0)
    asked = asked[first:]
    proposed = followed.union(propose_questions(asked, sample))
    texts = without_choices([name for name in asked if name in proposed], sample)
    if not texts:
        return None
    questions = with_unique_names(wide_question(name, own[name]) for name in texts)
    person = person_of_form([name for name in names if name in own], sample)
    return replace(person, questions=questions, title=title)


def labelled_form(labels: Mapping[str, str], sample: Sequence[Values], title: str) -> Layout | None:
    """Return the layout of a form whose questions' texts aren't the columns' names, or None.

    Args:
        labels: The texts by column, each one once.
        sample: The first rows.
        title: What kind of file it is.
    """
    labelled = [{label: row.get(name) for name, label in labels.items()} for row in sample]
    layout = form_layout(list(labels.values()), labelled, lambda *_: None, title)
    if layout is None:
        return None
    columns = {label: name for name, label in labels.items()}
    return replace(
        layout,
        questions=tuple(replace(q, text=columns[q.text or ""]) for q in layout.questions),
        author=tuple(columns[label] for label in layout.author),
        identity=tuple(columns[label] for label in layout.identity),
    )


def _own_columns(names: Sequence[str], kind_word: KindWord) -> dict[str, Mapping[str, str]]:
    """Return the columns that stand alone, each with the points and feedback that follow it."""
    own: dict[str, dict[str, str]] = {}
    question = ""
    for name in names:
        word = kind_word(header_text(name), header_text(question)) if question else None
        if word is None:
            question = name
            own[name] = {}
        else:
            own[question][name] = _kind(word, len(own[question]))
    return dict(own)


def _kind(word: str, place: int) -> str:
    """Return `points` or `feedback`, by a word for it or else by the column's place."""
    folded = fold_header(word)
    if folded in HEADER_NAMES["points"]:
        return "points"
    return "feedback" if folded in HEADER_NAMES["comment"] else _KINDS[min(place, 1)]
