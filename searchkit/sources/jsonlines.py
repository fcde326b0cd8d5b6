"""JSON and JSON Lines: numbers as they are written, nothing invented, nothing merged."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Any

from searchkit.core.errors import BadInput
from searchkit.sources.columns import BadRow

Values = dict[str, str | None]
Bad = Callable[[int | None, str, str], None]
_SPACE = re.compile(r"[ \t\r\n]*")
_TOO_DEEP = "nested too deeply"


class _Number(str):
    """A number, as it was written: 5,000 digits stay 5,000 digits."""

    __slots__ = ()


def read_json(lines: Iterable[str], source: str, bad: Bad) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield (line or place, object) of a JSON array or of JSON Lines, whichever it is.

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
                raise BadRow(
                    "one object over several lines; write an array of objects, or each "
                    "object in one line"
                )
            yield number, _object(_parsed(line))
        except BadRow as error:
            bad(number, error.reason, line.rstrip("\n"))


def _array(text: str, source: str, bad: Bad) -> Iterator[tuple[int, dict[str, Any]]]:
    """Read an array element by element, so that a bad one doesn't spoil the others."""
    number, at = 0, _after_space(text, text.index("[") + 1)
    more = not text.startswith("]", at)
    while more:
        number += 1
        row, end = _element(text, at, source)
        if isinstance(row, BadRow):
            bad(number, str(row), text[at:end])
        else:
            yield number, row
        at = _after_space(text, end)
        more = text.startswith(",", at)
        at = _after_space(text, at + 1) if more else at
    if not text.startswith("]", at):
        raise _not_json("a comma or the array's end is missing", text, at, source)
    if (rest := _after_space(text, at + 1)) < len(text):
        raise _not_json("something comes after the array's end", text, rest, source)


def _element(text: str, at: int, source: str) -> tuple[dict[str, Any] | BadRow, int]:
    """Return the object that begins there, or what is wrong with it, and where it ends."""
    try:
        row, end = _STRICT.raw_decode(text, at)
        return _object(row), end
    except BadRow as error:
        bad = error
    except json.JSONDecodeError as error:
        raise _not_json(error.msg, text, error.pos, source) from None
    except RecursionError:
        raise _not_json(_TOO_DEEP, text, at, source) from None
    try:
        return bad, _LENIENT.raw_decode(text, at)[1]
    except json.JSONDecodeError as error:
        raise _not_json(error.msg, text, error.pos, source) from None
    except RecursionError:
        raise _not_json(_TOO_DEEP, text, at, source) from None


def _after_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _not_json(what: str, text: str, at: int, source: str) -> BadInput:
    line = text.count("\n", 0, at) + 1
    column = at - text.rfind("\n", 0, at)
    return BadInput.at(source, line, f"not JSON ({what}, column {column}); mend or export it anew")


def _parsed(text: str) -> Any:  # noqa: ANN401
    try:
        return _STRICT.decode(text)
    except json.JSONDecodeError as error:
        raise BadRow(f"not JSON ({error.msg}, column {error.colno}); mend or remove it") from None
    except RecursionError:
        raise BadRow(_TOO_DEEP) from None


def _constant(name: str) -> None:
    raise BadRow(f"{name} is not JSON; write null or a number")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for n, name in enumerate(names) if name in names[:n])
        raise BadRow(f"the name {twice!r} comes twice in one object")
    return values


_STRICT = json.JSONDecoder(
    parse_int=_Number, parse_float=_Number, parse_constant=_constant, object_pairs_hook=_unique
)
_LENIENT = json.JSONDecoder(parse_int=_Number)  # only to find where an element ends


def _object(row: Any) -> dict[str, Any]:  # noqa: ANN401
    if not isinstance(row, dict):
        raise BadRow(f"{_kind(row)} where an object is needed")
    return row


def as_values(row: dict[str, Any], text_column: str) -> Values:
    """Return the values as text: numbers as written, nested ones as JSON, null as None.

    Raises:
        BadRow: if the text is not a string, or a string holds half a character.
    """
    text = row[text_column]
    if not isinstance(text, str) or isinstance(text, _Number):
        hint = ""
        if isinstance(text, list):
            hint = "; if it is the list of answers, make it the whole file"
        raise BadRow(
            f"the text (column {text_column!r}) is {_kind(text)}; a string is needed{hint}"
        )
    try:
        values = {name: _text(value) for name, value in row.items()}
    except RecursionError:
        raise BadRow(_TOO_DEEP) from None
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
    if isinstance(value, str):
        return value.replace("\r\n", "\n").replace("\r", "\n") if "\r" in value else value
    return None if value is None else as_json(value)


def as_json(value: Any) -> str:  # noqa: ANN401
    """Write JSON with numbers as they were read."""
    if isinstance(value, _Number):
        return str(value)
    if isinstance(value, dict):
        inner = (f"{as_json(str(name))}: {as_json(item)}" for name, item in value.items())
        return "{" + ", ".join(inner) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(as_json, value)) + "]"
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
