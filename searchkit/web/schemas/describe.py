"""The REST interface as pages for people show it: its calls and records, from OpenAPI.

Descriptions have code between backticks; types have the names of records between backticks.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple


class Call(NamedTuple):
    """An endpoint of the REST interface.

    Attributes:
        method: HTTP method in capitals.
        path: Path of the address, with the names of path parameters in braces.
        topic: What the call is about; calls of one topic stand together.
        description: What the call does.
        parameters: The parameters of the query and the path.
        body: Type of the JSON body; None if there is no body; empty if the body is a file.
        result: Type of the JSON result.
    """

    method: str
    path: str
    topic: str
    description: str
    parameters: list[Field]
    body: str | None
    result: str

    @property
    def can_be_opened(self) -> bool:
        """Whether a browser can show the result without any parameters."""
        return self.method == "GET" and not any(field.is_required for field in self.parameters)


class Field(NamedTuple):
    """A parameter of a call, or a field of a record; `default` is empty where there is none."""

    name: str
    place: str
    is_required: bool
    type: str
    default: str
    description: str


class Record(NamedTuple):
    """A JSON object that calls accept or return."""

    name: str
    description: str
    fields: list[Field]


def calls(document: dict[str, Any]) -> list[Call]:
    """Return the calls that an OpenAPI document describes, in its order."""
    return [
        _call(method.upper(), path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


def records(document: dict[str, Any]) -> list[Record]:
    """Return the records that an OpenAPI document describes, sorted by name."""
    return [
        Record(
            name,
            schema.get("description", ""),
            [
                _field(field, "", field in schema.get("required", ()), about, about)
                for field, about in schema["properties"].items()
            ],
        )
        for name, schema in sorted(document["components"]["schemas"].items())
    ]


def _call(method: str, path: str, operation: dict[str, Any]) -> Call:
    responses = operation["responses"]
    result = responses.get("200") or responses["202"]
    body = None
    if "requestBody" in operation:
        schema = operation["requestBody"]["content"].get("application/json", {}).get("schema")
        body = _type(schema) if schema else ""
    return Call(
        method,
        path,
        operation["tags"][0],
        operation["description"],
        [
            _field(
                parameter["name"],
                parameter["in"],
                parameter["required"],
                parameter["schema"],
                parameter,
            )
            for parameter in operation.get("parameters", ())
        ],
        body,
        _type(result["content"].get("application/json", {}).get("schema", {"type": "a file"})),
    )


def _field(
    name: str, place: str, is_required: bool, schema: dict[str, Any], about: dict[str, Any]
) -> Field:
    default = schema.get("default")
    if default is not None and not isinstance(default, str):
        default = json.dumps(default)
    return Field(
        name,
        place,
        is_required,
        _type(schema),
        default or "",
        about.get("description", ""),
    )


def _type(schema: dict[str, Any]) -> str:
    """Return the type that a JSON schema describes, in a few words."""
    if "$ref" in schema:
        return f"`{schema['$ref'].rpartition('/')[2]}`"
    for key, separator in [("anyOf", " or "), ("oneOf", " or "), ("prefixItems", ", ")]:
        if key in schema:
            choices = separator.join(map(_type, schema[key]))
            return f"[{choices}]" if key == "prefixItems" else choices
    if "enum" in schema:
        return ", ".join(map(str, schema["enum"]))
    if "const" in schema:
        return str(schema["const"])
    if "items" in schema:
        return f"array of {_type(schema['items'])}"
    if isinstance(schema.get("additionalProperties"), dict):
        return f"object of {_type(schema['additionalProperties'])}"
    limits = [
        f"{word} {schema[key]:,}"
        for key, word in [("minimum", "from"), ("maximum", "to")]
        if key in schema
    ]
    return " ".join([schema.get("type", "anything"), *limits])
