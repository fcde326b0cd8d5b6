"""xAPI statements: who answered which activity with what, as learning record stores export them.

A statement has `actor`, `verb`, `object` with the activity, and `result`. Answers are the responses
to activities of the types `fill-in` and `long-fill-in`, and other texts in `result.response`, but
not those to `choice`, `numeric` and the like.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from searchkit.core.records import REFERENCE
from searchkit.sources.columns import BadRow, RejectRow
from searchkit.sources.layouts.layout import Layout
from searchkit.sources.platforms.nested.rows import QuestionNames, nested_layout, with_id
from searchkit.sources.tables.jsonlines import as_json
from searchkit.sources.tables.nested import STATEMENT_NAMES

LIST = "statements"  # the name of the list in an object around them
_FILL_IN = ("fill-in", "long-fill-in")
_TEXT_TYPES = (*_FILL_IN, "other", None)
_COLUMNS = (
    "text question author account submitted_at score max_score success prompt activity".split()
)
_GAP = "[,]"  # between the answers to several gaps
_HINTS = re.compile(r"(?:\{(?:lang|case_matters|order_matters)=[\w-]*\})+")


def is_xapi(sample: Sequence[Mapping[str, Any]]) -> bool:
    """Whether half of the first objects of a JSON file are statements, or hold lists of them."""
    statements = (
        row.keys() >= STATEMENT_NAMES or isinstance(row.get(LIST), list) for row in sample
    )
    return bool(sample) and 2 * sum(statements) >= len(sample)


def read_xapi(
    objects: Iterator[tuple[int, dict[str, Any]]], reject: RejectRow
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the answers in statements, and the correct ones as answers of `reference`.

    Args:
        objects: The statements, or objects with a list of them, each with its line or position.
        reject: Called with each statement that can't be used.
    """
    names = QuestionNames()
    for line, found in objects:
        statements = found.get(LIST)
        for statement in statements if isinstance(statements, list) else [found]:
            try:
                rows = list(_rows(statement, names))
            except BadRow as error:
                reject(line, error.reason, _shown(statement))
            else:
                yield from ((line, row) for row in rows)


def _rows(statement: object, names: QuestionNames) -> Iterator[dict[str, Any]]:
    """Yield the answer in a statement, if there is one, after the correct ones if they are new."""
    if not isinstance(statement, dict):
        raise BadRow("no object where an xAPI statement is needed; export it again")
    activity, result = _part(statement, "object"), _part(statement, "result")
    definition, score = _part(activity, "definition"), _part(result, "score")
    response, kind = result.get("response"), definition.get("interactionType")
    is_gap = kind in _FILL_IN
    if not isinstance(response, str) or kind not in _TEXT_TYPES:
        return
    if not is_gap and type(response) is not str:  # but a number in its own spelling
        return
    key = _string(activity.get("id")) or ""
    prompt = _in_language(definition.get("description")) or _in_language(definition.get("name"))
    is_new = key not in names
    shared = dict.fromkeys(_COLUMNS) | {
        "question": names.name(key, prompt),
        "prompt": prompt,
        "activity": key or None,
    }
    patterns = definition.get("correctResponsesPattern")
    if is_new and kind in _FILL_IN and isinstance(patterns, list):
        for number, pattern in enumerate(filter(None, map(_string, patterns)), 1):
            correct = {"text": _response_text(pattern), "author": REFERENCE}
            yield with_id(f"{key}#{REFERENCE}-{number}", shared | correct)
    author, account = _actor(_part(statement, "actor"))
    answer = {
        "text": _response_text(response) if is_gap else response,
        "author": author,
        "account": account,
        "submitted_at": statement.get("timestamp") or statement.get("stored"),
        "score": score.get("raw", score.get("scaled")),
        "max_score": score.get("max"),
        "success": result.get("success"),
    }
    yield with_id(_string(statement.get("id")), shared | answer)


def _part(value: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return an object in an object; an empty one if there is none."""
    part = value.get(name)
    return part if isinstance(part, dict) else {}


def _string(value: object) -> str | None:
    """Return a text without the white space around it; None if it is blank or no text."""
    return value.strip() or None if isinstance(value, str) else None


def _in_language(texts: object) -> str | None:
    """Return a text out of a map from languages to texts: the English one, or else the first."""
    if not isinstance(texts, dict):
        return _string(texts)
    english = [text for language, text in texts.items() if language.lower().startswith("en")]
    return next(filter(None, map(_string, (*english, *texts.values()))), None)


def _actor(actor: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Return the name of a person or group, and what tells people of this name apart."""
    mail = (_string(actor.get("mbox")) or "").removeprefix("mailto:")
    account = (
        _string(_part(actor, "account").get("name"))
        or mail
        or _string(actor.get("openid"))
        or _string(actor.get("mbox_sha1sum"))
    )
    return _string(actor.get("name")) or account or _members(actor), account


def _members(group: Mapping[str, Any]) -> str | None:
    members = group.get("member")
    people = members if isinstance(members, list) else []
    names = (_actor(person)[0] for person in people if isinstance(person, dict))
    return ", ".join(filter(None, names)) or None


def _response_text(response: str) -> str:
    """Return a response without hints for comparing it, a gap's answer a line."""
    return "\n".join(_HINTS.sub("", part, count=1) for part in response.split(_GAP))


def _shown(statement: object) -> str:
    try:
        return as_json(statement)
    except RecursionError:
        return ""


def xapi_layout(names: Collection[str]) -> Layout:
    """Return the layout of rows that were taken out of statements."""
    return nested_layout("xAPI statements", names, identity=("account",))
