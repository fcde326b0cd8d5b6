"""The library's messages in the names of the web's fields."""

from __future__ import annotations

from searchkit.core.messages import with_names


def with_fields(message: str) -> str:
    """Return a message of the library with its parameters as the web calls their fields."""
    return with_names(message, _field_text)


def _field_text(parameter: str, value: str | None) -> str:
    field = parameter.removeprefix("columns.")
    return f"`{field}`" if value is None else f"`{field}={value}`".replace("'", "")
