"""Results of QTI 2.x: for each person `assessmentResult`, with an `itemResult` a question.

    <assessmentResult><context sourcedId/>
      <itemResult identifier datestamp sessionStatus>
        <responseVariable identifier cardinality baseType>
          <candidateResponse><value/></candidateResponse></responseVariable>
        <outcomeVariable identifier="SCORE"><value/></outcomeVariable></itemResult>
    </assessmentResult>

Answers are the responses that are strings; choices, numbers and the like are none.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from searchkit.core.records import REFERENCE
from searchkit.sources.columns import Values
from searchkit.sources.layouts.layout import Layout
from searchkit.sources.platforms.nested.elements import Event, XmlFormat
from searchkit.sources.platforms.nested.rows import Row, nested_layout

_DEFAULT_RESPONSE = "RESPONSE"  # the usual identifier of an item's only response


def _read_rows(events: Iterator[Event]) -> Iterator[Row]:
    author = None
    references: set[tuple[str | None, str]] = set()
    for event in events:
        if event.kind == "start" and event.name == "assessmentResult":
            author = None
        elif event.kind == "end" and event.name == "context":
            author = event.attribute("sourcedId", "sourcedID")
        elif event.kind == "end" and event.name == "itemResult":
            shared = _shared_values(event)
            for response in event.element.iterchildren("{*}responseVariable"):
                if not _is_text(response):
                    continue
                question = _question(event, response)
                correct = _text(response, "correctResponse")
                if correct and (question, correct) not in references:
                    references.add((question, correct))
                    values = dict.fromkeys(shared) | {"text": correct, "question": question}
                    yield response.sourceline, values | {"author": REFERENCE}
                values = {"text": _text(response, "candidateResponse"), "question": question}
                yield response.sourceline, shared | values | {"author": author}


def _shared_values(item: Event) -> Values:
    """Return what is the same for all responses to an item."""
    outcomes = {
        (outcome.get("identifier") or "").upper(): _values(outcome)
        for outcome in item.element.iterchildren("{*}outcomeVariable")
    }
    comments = item.element.iterchildren("{*}candidateComment")
    return {
        "text": None,
        "question": None,
        "author": None,
        "submitted_at": item.attribute("datestamp"),
        "score": outcomes.get("SCORE"),
        "max_score": outcomes.get("MAXSCORE"),
        "status": item.attribute("sessionStatus"),
        "candidate_comment": "\n".join("".join(c.itertext()) for c in comments) or None,
    }


def _is_text(response: Any) -> bool:  # noqa: ANN401
    kind = response.get("baseType")
    if response.get("cardinality") == "record":
        return any(value.get("baseType") == "string" for value in response.iterfind(".//{*}value"))
    return kind in (None, "string")


def _question(item: Event, response: Any) -> str | None:  # noqa: ANN401
    """Return the item's identifier, with the response's behind it if it has a name of its own."""
    name, part = item.attribute("identifier"), response.get("identifier")
    return "/".join(n for n in (name, part) if n and n != _DEFAULT_RESPONSE) or None


def _text(response: Any, name: str) -> str:  # noqa: ANN401
    return next(map(_values, response.iterchildren(f"{{*}}{name}")), None) or ""


def _values(variable: Any) -> str | None:  # noqa: ANN401
    """Return the values of a variable, one a line; None if there are none."""
    values = variable.iterchildren("{*}value")
    texts = (
        "".join(value.itertext()).strip()
        for value in values
        if value.get("baseType") in (None, "string")
    )
    return "\n".join(filter(None, texts)) or None


def _find_layout(names: Collection[str]) -> Layout:
    return nested_layout("QTI results", names)


QTI_RESULTS = XmlFormat(
    roots=("assessmentResult", "assessmentResults"),
    held=("context", "itemResult"),
    read_rows=_read_rows,
    find_layout=_find_layout,
)
