"""JSON and JSON Lines: numbers as they are written, nothing invented, nothing merged."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Any

from searchkit.columns import BadRow
from searchkit.errors import BadInput

Values = dict[str, str | None]
Bad = Callable[[int | None, str, str], None]


class _Number(str):
    """A number, as it was written: 5,000 digits stay 5,000 digits."""

    __slots__ = ()


def read_json(lines: Iterable[str], source: str, bad: Bad) -> Iterator[tuple[int, dict[str, Any]]]:
    """Give (line or place, object) of a JSON array or of JSON Lines, whichever it is.

    Raises:
        BadInput: if there is nothing in it, or an array can't be read.
    """
    stream = iter(lines)
    for number, line in enumerate(stream, 1):
        if line.strip():
            rest = chain([line], stream)
            if line.lstrip().startswith("["):
                return _array("".join(rest), source, bad)
            return _lines_or_object(rest, number, bad)
    raise BadInput(f"{source}: empty; a JSON object a line, or an array of them, is needed")


def _lines_or_object(
    lines: Iterator[str], first: int, bad: Bad
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Read an object a line; an object over several lines is no list of answers."""
    for number, line in enumerate(lines, first):
        if not line.strip():
            continue
        try:
            if number == first and line.strip() == "{":
                raise BadRow("one object over several lines; write an array of objects, or each "
                             "object in one line")  # fmt: skip
            yield number, _object(_parsed(line))
        except BadRow as error:
            bad(number, str(error), line.rstrip("\n"))


def _array(text: str, source: str, bad: Bad) -> Iterator[tuple[int, dict[str, Any]]]:
    try:
        rows = _parsed(text)
    except BadRow as error:
        raise BadInput(f"{source}: {error}") from None
    for number, row in enumerate(rows, 1):
        try:
            yield number, _object(row)
        except BadRow as error:
            bad(number, str(error), _as_json(row))


def _parsed(text: str) -> Any:  # noqa: ANN401
    try:
        return json.loads(
            text, parse_int=_Number, parse_float=_Number, parse_constant=_constant,
            object_pairs_hook=_unique,
        )  # fmt: skip
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}" if "\n" in text.strip() else (
            f"column {error.colno}")  # fmt: skip
        raise BadRow(f"not JSON ({error.msg}, {where})") from None
    except RecursionError:
        raise BadRow("nested too deeply") from None


def _constant(name: str) -> None:
    raise BadRow(f"{name} is not JSON; write null or a number")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for n, name in enumerate(names) if name in names[:n])
        raise BadRow(f"the name {twice!r} comes twice in one object")
    return values


def _object(row: Any) -> dict[str, Any]:  # noqa: ANN401
    if not isinstance(row, dict):
        raise BadRow(f"{_kind(row)} where an object is needed")
    return row


def as_values(row: dict[str, Any], text_column: str) -> Values:
    """Give the values as text: numbers as written, nested ones as JSON, null as None.

    Raises:
        BadRow: if the text is not a string, or a string holds half a character.
    """
    text = row[text_column]
    if not isinstance(text, str) or isinstance(text, _Number):
        raise BadRow(f"the text (column {text_column!r}) is {_kind(text)}; a string is needed")
    values = {name: _text(value) for name, value in row.items()}
    for name, value in values.items():
        check_characters(name, value or "")
    return values


def check_characters(name: str, value: str) -> None:
    """Refuse half a surrogate pair, which no file and no database can hold."""
    try:
        value.encode()
        name.encode()
    except UnicodeEncodeError as error:
        code = ord(error.object[error.start])
        raise BadRow(f"a lone surrogate U+{code:04X} in column {name!r}; replace it") from None


def _text(value: Any) -> str | None:  # noqa: ANN401
    return value if value is None or isinstance(value, str) else _as_json(value)


def _as_json(value: Any) -> str:  # noqa: ANN401
    """Write JSON with numbers as they were read."""
    if isinstance(value, _Number):
        return str(value)
    if isinstance(value, dict):
        inner = (f"{_as_json(str(name))}: {_as_json(item)}" for name, item in value.items())
        return "{" + ", ".join(inner) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_as_json, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def _kind(value: Any) -> str:  # noqa: ANN401
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, _Number):
        return "a number"
    return (
        "an object"
        if isinstance(value, dict)
        else "an array"
        if isinstance(value, list)
        else ("a string")
    )
