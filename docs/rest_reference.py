"""The reference of the REST interface in Markdown, from its OpenAPI document."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby
from operator import attrgetter

from fastapi import FastAPI

from searchkit.web.app import REST
from searchkit.web.schemas.describe import Call, Field, Record, calls, records


def rest_reference() -> str:
    """Return a section for each topic of calls, and one for the records that they exchange."""
    app = FastAPI()
    for router in REST:
        app.include_router(router)
    document = app.openapi()
    by_topic = attrgetter("topic")
    lines: list[str] = []
    for topic, group in groupby(sorted(calls(document), key=by_topic), key=by_topic):
        lines += [f"## {topic.capitalize()}", ""]
        for call in group:
            lines += _call(call)
    lines += ["## Records", ""]
    for record in records(document):
        lines += _record(record)
    return "\n".join(lines)


def _call(call: Call) -> Iterator[str]:
    yield from (f"### {call.method} {call.path}", "", call.description, "")
    yield from _table("parameter", call.parameters)
    body = "" if call.body is None else f"Body: {_with_links(call.body or 'the file itself')}. "
    yield from (f"{body}Returns {_with_links(call.result)}.", "")


def _record(record: Record) -> Iterator[str]:
    yield from (f"### {record.name}", "", record.description, "")
    yield from _table("field", record.fields)


def _table(heading: str, fields: list[Field]) -> Iterator[str]:
    if not fields:
        return
    yield from (f"| {heading} | type | |", "|---|---|---|")
    for field in fields:
        kind = _with_links(field.type)
        kind += f", default `{field.default}`" if field.default else ""
        text = " ".join(field.description.split())
        text = f"{text} Required." if field.is_required else text
        yield (
            "| "
            + " | ".join(
                cell.replace("|", "\\|") for cell in (f"`{field.name}`", kind, text.strip())
            )
            + " |"
        )
    yield ""


def _with_links(text: str) -> str:
    """Return a type in Markdown: names of records link to their sections."""
    return re.sub(r"`([^`]+)`", lambda name: f"[{name[1]}](#{name[1].lower()})", text)
