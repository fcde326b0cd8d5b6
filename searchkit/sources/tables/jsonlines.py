"""JSON and JSON Lines, read strictly: numbers keep their spelling, names are unique."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Any

from searchkit.core.errors import BadInput
from searchkit.sources.columns import BadRow, RejectRow, Values, repeated_name
from searchkit.sources.decoding import MAX_LINE_BYTES
from searchkit.sources.files import MAX_DOCUMENT_BYTES, NothingFound, limited
from searchkit.sources.tables.nested import find_records, follow, is_row

Row = tuple[int, dict[str, Any]]  # line or position, and values by column
log = logging.getLogger("searchkit")
_SPACE = re.compile(r"[ \t\r\n]*")
_NEXT_ARRAY = re.compile(r"\]\s*,\s*\[\s*")  # from the end of an inner array on
_TOO_DEEP = "nested too deeply"


class _Number(str):
    """A number in its own spelling, so that no digit is lost."""

    __slots__ = ()


def read_json(
    lines: Iterable[str],
    source: str,
    reject: RejectRow,
    records: str | None = None,
    columns: Sequence[str] = (),
    say: Callable[[str], None] = log.warning,
) -> Iterator[Row]:
    """Yield the objects of a JSON array, of JSON Lines, or of a list in one object.

    An object comes with its line, or in an array with its position; both from 1. `reject` is called
    with each element or line that is not an object that can be used.

    Args:
        lines: The lines with their ends.
        source: The file's name for errors.
        reject: Called with the line or position, the reason and the text of a bad row.
        records: The path of the rows in an object, such as `data.items`; None finds out.
        columns: The names of the columns with the answers; none are the usual ones.
        say: Called with a message about where the rows of an object were found.

    Raises:
        BadInput: if the text is empty, the rest of an array can't be read, or it isn't clear which
            list of an object holds the rows.
    """
    stream = iter(lines)
    number, line = next(((n, t) for n, t in enumerate(stream, 1) if t.strip()), (0, ""))
    if not number:
        raise NothingFound(f"{source}: empty; a JSON object a line, or an array of them, is needed")
    advice = "write an object a line instead"
    rest = chain([line], stream)
    objects: Iterator[Row]
    if line.lstrip().startswith("["):
        text = "".join(limited(rest, MAX_DOCUMENT_BYTES, source, advice))
        objects, is_one = _array(text, source, reject), False
    elif line.lstrip().startswith("{") and line.rstrip().endswith(("{", "[", ",", ":")):
        text = "".join(limited(rest, MAX_DOCUMENT_BYTES, source, advice))
        first = _parse_objects(text, source, number)
        objects, is_one = iter(first), len(first) == 1
    else:
        objects = _objects(rest, number, reject)
        first = list(islice(objects, 2))
        objects, is_one = chain(first, objects), len(first) == 1
    if records is not None:
        yield from _all_at(objects, records, source, reject)
    elif is_one and not is_row(first[0][1], columns):
        found = find_records(first[0][1], source, columns, say)
        yield from objects if found is None else _rows_of(found, reject)
    else:
        yield from objects


def _objects(lines: Iterator[str], first: int, reject: RejectRow) -> Iterator[Row]:
    """Yield the object of each line that is not blank, with its line; `first` is the first's."""
    for number, line in enumerate(lines, first):
        if not line.strip():
            continue
        try:
            yield number, _object(_parse(line))
        except BadRow as error:
            reject(number, error.reason, line.rstrip("\n"))


def _parse_objects(text: str, source: str, first: int) -> list[Row]:
    """Return the objects of a text, each over several lines, with their first lines."""
    rows: list[Row] = []
    start = _skip_space(text, 0)
    while start < len(text):
        row, end = _element(text, start, source)
        line = text.count("\n", 0, start) + first
        if isinstance(row, BadRow):
            raise BadInput.at(source, line, row.reason)
        rows.append((line, row))
        start = _skip_space(text, end)
    return rows


def _all_at(rows: Iterator[Row], path: str, source: str, reject: RejectRow) -> Iterator[Row]:
    """Yield the rows at a path in each object."""
    for _, row in rows:
        yield from _rows_of(follow(row, path, source), reject)


def _rows_of(items: list[Any], reject: RejectRow) -> Iterator[Row]:
    """Yield the objects of a list with their positions, and reject what is none."""
    for number, item in enumerate(items, 1):
        try:
            yield number, _object(item)
        except BadRow as error:
            reject(number, error.reason, as_json(item))


def _array(text: str, source: str, reject: RejectRow) -> Iterator[Row]:
    """Yield the objects of an array with their positions; read one by one, to reject one alone.

    The rows may be in arrays inside it, as Moodle writes them: `[[{"question1": …}]]`.
    """
    start = _skip_space(text, text.index("[") + 1)
    number, depth = 0, 1
    if text.startswith("[", start):
        depth, start = 2, _skip_space(text, start + 1)
        while text.startswith("]", start) and (following := _next_array(text, start)):
            start = following
    has_more = not text.startswith("]", start)
    while has_more:
        number += 1
        row, end = _element(text, start, source)
        if isinstance(row, BadRow):
            reject(number, row.reason, text[start:end])
        else:
            yield number, row
        start = _skip_space(text, end)
        has_more = text.startswith(",", start)
        start = _skip_space(text, start + 1) if has_more else start
        while depth == 2 and not has_more and (following := _next_array(text, start)):
            has_more, start = not text.startswith("]", following), following
    for _ in range(depth):
        if not text.startswith("]", start):
            raise _not_json("a comma or the array's end is missing", text, start, source)
        start = _skip_space(text, start + 1)
    if start < len(text):
        raise _not_json("something comes after the array's end", text, start, source)


def _next_array(text: str, end: int) -> int | None:
    """Return where the first element of the next inner array is; None if there is none."""
    match = _NEXT_ARRAY.match(text, end)
    return match.end() if match else None


def _element(text: str, start: int, source: str) -> tuple[dict[str, Any] | BadRow, int]:
    """Return the object that begins at `start`, or what is wrong with it; and where it ends."""
    try:
        row, end = _STRICT.raw_decode(text, start)
        return _object(row), end
    except BadRow as error:
        bad_row = error
    except json.JSONDecodeError as error:
        raise _not_json(error.msg, text, error.pos, source) from None
    except RecursionError:
        raise _not_json(_TOO_DEEP, text, start, source) from None
    try:
        return bad_row, _LENIENT.raw_decode(text, start)[1]
    except json.JSONDecodeError as error:
        raise _not_json(error.msg, text, error.pos, source) from None
    except RecursionError:
        raise _not_json(_TOO_DEEP, text, start, source) from None


def _skip_space(text: str, start: int) -> int:
    """Return the position of the first character from `start` on that is not white space."""
    space = _SPACE.match(text, start)
    return space.end() if space else start


def _not_json(what: str, text: str, position: int, source: str) -> BadInput:
    line = text.count("\n", 0, position) + 1
    column = position - text.rfind("\n", 0, position)
    return BadInput.at(
        source, line, f"not JSON ({what}, column {column}); correct it or export it again"
    )


def _parse(text: str) -> object:
    if len(text) > MAX_LINE_BYTES:
        raise BadRow(f"longer than {MAX_LINE_BYTES:,} characters; split it")
    try:
        return _STRICT.decode(text)
    except json.JSONDecodeError as error:
        raise BadRow(
            f"not JSON ({error.msg}, column {error.colno}); correct or remove it"
        ) from None
    except RecursionError:
        raise BadRow(_TOO_DEEP) from None


def _refuse_constant(name: str) -> None:
    raise BadRow(f"{name} is not JSON; write null or a number")


def _unique_names(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        repeated = repeated_name(name for name, _ in pairs)
        raise BadRow(f"the name {repeated!r} comes twice in one object")
    return values


_STRICT = json.JSONDecoder(
    parse_int=_Number,
    parse_float=_Number,
    parse_constant=_refuse_constant,
    object_pairs_hook=_unique_names,
)
_LENIENT = json.JSONDecoder(parse_int=_Number)  # finds the end of an element that is bad


def _object(row: object) -> dict[str, Any]:
    if not isinstance(row, dict):
        raise BadRow(f"{_kind(row)} where an object is needed")
    return row


def as_values(row: dict[str, Any], text_columns: Sequence[str]) -> Values:
    """Return the values as text: numbers in their own spelling, nested ones as JSON, null as None.

    Raises:
        BadRow: if a text is not a string, or a string holds a lone surrogate.
    """
    for name in text_columns:
        _check_text(name, row[name])
    try:
        values = {name: _text(value) for name, value in row.items()}
    except RecursionError:
        raise BadRow(_TOO_DEEP) from None
    for name, value in values.items():
        check_characters(name, value or "")
    return values


def _check_text(name: str, text: object) -> None:
    if not isinstance(text, str) or isinstance(text, _Number):
        hint = ""
        if isinstance(text, list):
            hint = "; it may hold texts or objects, not both"
        raise BadRow(f"the text (column {name!r}) is {_kind(text)}; a string is needed{hint}")


def check_characters(name: str, value: str) -> None:
    """Raise BadRow for a lone surrogate, which can't be stored as UTF-8."""
    try:
        value.encode()
        name.encode()
    except UnicodeEncodeError as error:
        code = ord(error.object[error.start])
        raise BadRow(f"a lone surrogate U+{code:04X} in column {name!r}; replace it") from None


def _text(value: object) -> str | None:
    if isinstance(value, str):
        return value.replace("\r\n", "\n").replace("\r", "\n") if "\r" in value else value
    return None if value is None else as_json(value)


def as_json(value: object) -> str:
    """Return a value as JSON, its numbers in the spelling in which they were read."""
    if isinstance(value, _Number):
        return str(value)
    if isinstance(value, dict):
        if all(type(item) is str for item in value.values()):
            return json.dumps(value, ensure_ascii=False)
        inner = (f"{as_json(str(name))}: {as_json(item)}" for name, item in value.items())
        return "{" + ", ".join(inner) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(as_json, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def row_text(row: dict[str, Any]) -> str:
    """Return a rejected row as text."""
    try:
        return as_json(row)
    except TypeError:  # bytes
        return str(row)
    except RecursionError:
        return str(list(row))


def _kind(value: object) -> str:
    """Return what a value is, for a message."""
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, _Number):
        return "a number"
    if isinstance(value, dict):
        return "an object"
    return "an array" if isinstance(value, list) else "a string"
