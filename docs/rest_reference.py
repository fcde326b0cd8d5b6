"""The reference of the REST interface in Markdown, from its OpenAPI schema."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from fastapi import FastAPI

from searchkit.web.api import api

Schema = dict[str, Any]


def rest_reference() -> str:
    """Return a section for each group of endpoints, and one for the objects that they exchange."""
    app = FastAPI()
    app.include_router(api)
    schema = app.openapi()
    endpoints = [
        (path, method, endpoint)
        for path, methods in schema["paths"].items()
        for method, endpoint in methods.items()
    ]
    lines: list[str] = []
    for tag, group in groupby(sorted(endpoints, key=_tag), key=_tag):
        lines += [f"## {tag.capitalize()}", ""]
        for path, method, endpoint in group:
            lines += [f"### {method.upper()} {path}", "", *_endpoint(endpoint), ""]
    lines += ["## Objects", ""]
    for name, component in sorted(schema["components"]["schemas"].items()):
        if not name.startswith(("HTTPValidationError", "ValidationError")):
            lines += [f"### {name}", "", *_object(component), ""]
    return "\n".join(lines)


def _tag(endpoint: tuple[str, str, Schema]) -> str:
    return endpoint[2].get("tags", ["other"])[0]


def _endpoint(endpoint: Schema) -> Iterator[str]:
    yield endpoint.get("description", endpoint.get("summary", "")).strip()
    parameters = [
        (p["name"], _type(p["schema"]), p.get("description", ""), p["required"])
        for p in endpoint.get("parameters", [])
    ]
    if parameters:
        yield from ("", *_table("parameter", parameters))
    for media, content in endpoint.get("requestBody", {}).get("content", {}).items():
        yield from ("", f"Body: {_type(content.get('schema', {}))} (`{media}`)")
    for status, response in endpoint["responses"].items():
        if status.startswith("2"):
            kinds = [_type(content["schema"]) for content in response.get("content", {}).values()]
            yield from ("", f"{status}: {', '.join(kinds) or response['description']}")


def _object(component: Schema) -> Iterator[str]:
    if text := component.get("description", "").strip():
        yield from (text, "")
    required = component.get("required", [])
    yield from _table(
        "field",
        [
            (name, _type(field), field.get("description", ""), name in required)
            for name, field in component.get("properties", {}).items()
        ],
    )


def _table(what: str, rows: list[tuple[str, str, str, bool]]) -> Iterator[str]:
    if rows:
        yield from (f"| {what} | type | |", "|---|---|---|")
    for name, kind, text, required in rows:
        text = " ".join(text.split()).replace("|", "\\|")
        text = f"{text} Required." if required else text
        yield f"| `{name}` | {kind} | {text} |"


def _type(schema: Schema) -> str:
    """Return a schema's type in Markdown: a word, or a link to an object's section."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[-1]
        return f"[{name}](#{name.lower()})"
    for choice in ("anyOf", "oneOf", "allOf"):
        if choice in schema:
            return " or ".join(_type(option) for option in schema[choice])
    if "enum" in schema or "const" in schema:
        values = schema.get("enum", [schema.get("const")])
        text = ", ".join(f"`{value}`" for value in values)
    elif schema.get("type") == "array":
        items = schema.get("prefixItems") or [schema.get("items", {})]
        text = f"array of {', '.join(_type(item) for item in items)}"
    else:
        text = schema.get("type", "any")
    return f"{text}, default `{schema['default']}`" if "default" in schema else text
