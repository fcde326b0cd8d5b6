"""Rows inside nested values: a list of answers in one row, and the list of rows in a document."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from searchkit.core.errors import BadInput
from searchkit.core.messages import Message, listed
from searchkit.sources.columns import distinct_names
from searchkit.sources.header_names import HEADER_NAMES, fold_header

Row = tuple[int, dict[str, Any]]  # line or position, and values by column
MAX_DEPTH = 4  # of objects in which a list of rows is looked for
_TEXT_NAMES = frozenset(HEADER_NAMES["text"])
_LIST_NAMES = _TEXT_NAMES | frozenset(
    "texts answers responses submissions essays antworten reponses textes respuestas textos "
    "respostas risposte testi antwoorden teksten".split()
)
_ID_NAMES = frozenset(HEADER_NAMES["id"])
STATEMENT_NAMES = frozenset({"actor", "verb", "object"})  # of xAPI, with the answer deeper in it


def exploded(rows: Iterator[Row], columns: Sequence[str] = ()) -> Iterator[Row]:
    """Yield a row for each answer in a list of answers, with the other values of its row.

    The list holds texts, or objects, whose names then become columns. The id of a row with several
    texts gets `/1`, `/2` … behind it, unless the objects have ids.

    Args:
        rows: The rows.
        columns: The columns with the answers; none are those with the usual names, in rows without
            a text there.
    """
    for line, row in rows:
        name = _list_column(row, columns)
        if name is None:
            yield line, row
        else:
            is_named = bool(columns)
            yield from ((line, answer) for answer in _answers(row, name, is_named=is_named))


def _list_column(row: dict[str, Any], columns: Sequence[str]) -> str | None:
    """Return the column that holds a list of texts or objects; None if there is none."""
    lists = [name for name, value in row.items() if isinstance(value, list | dict)]
    if not lists:
        return None
    if columns:
        wanted = {fold_header(name) for name in columns}
        lists = [name for name in lists if fold_header(name) in wanted]
    elif has_text(row):
        return None
    else:
        lists = [name for name in lists if fold_header(name) in _LIST_NAMES]
    return next((name for name in lists if _items(row[name]) is not None), None)


def has_text(row: dict[str, Any]) -> bool:
    """Whether a column with a usual name for texts holds one."""
    return any(isinstance(v, str) and fold_header(n) in _TEXT_NAMES for n, v in row.items())


def is_row(row: dict[str, Any], columns: Sequence[str]) -> bool:
    """Whether an object has a text, or a list of answers; `columns` are those with the answers."""
    is_named = any(name in row for name in columns)
    is_statement = row.keys() >= STATEMENT_NAMES
    return is_named or is_statement or has_text(row) or _list_column(row, ()) is not None


def _items(value: object) -> list[Any] | None:
    """Return the texts or objects of a list; None for any other value.

    An object of lists of the same length is a list of objects, as columnar formats write it.
    """
    if isinstance(value, dict):
        lists = list(value.values())
        if not lists or not all(isinstance(v, list) and len(v) == len(lists[0]) for v in lists):
            return None
        value = [dict(zip(value, items, strict=True)) for items in zip(*lists, strict=True)]
    if not isinstance(value, list):
        return None
    items = [item for item in value if item is not None]
    is_uniform = all(type(item) is dict for item in items) or all(
        type(item) is str for item in items
    )
    return items if is_uniform else None


def _answers(row: dict[str, Any], name: str, *, is_named: bool) -> Iterator[dict[str, Any]]:
    """Yield a row for each item of a list; in a column that the user named, texts get its name."""
    items = _items(row[name]) or []
    id_column = next((n for n in row if fold_header(n) in _ID_NAMES), None)
    for number, item in enumerate(items, 1):
        answer = dict(row)
        if id_column and len(items) > 1:
            answer[id_column] = f"{answer[id_column]}/{number}"
        if not isinstance(item, dict):
            yield {**answer, name: item}
            continue
        if is_named:
            item = {name if fold_header(n) in _TEXT_NAMES else n: v for n, v in item.items()}
        if any(fold_header(n) in _ID_NAMES for n in item) and id_column:
            answer[id_column] = row[id_column]
        del answer[name]
        # The values of the answer keep their names, and the row's get a number where both have one.
        outer = distinct_names([*item, *answer])[len(item) :]
        yield {**item, **dict(zip(outer, answer.values(), strict=True))}


def follow(value: object, path: str, source: str) -> list[Any]:
    """Return what stands at a path such as `data.items`; lists on the way are gone through.

    Raises:
        BadInput: if there is nothing there; names the lists that there are.
    """
    values = [value]
    for name in path.split("."):
        flat = [item for v in values for item in (v if isinstance(v, list) else [v])]
        values = [item[name] for item in flat if isinstance(item, dict) and name in item]
    rows = [item for v in values for item in (v if isinstance(v, list) else [v])]
    if not values:
        template = "{source}: nothing at `records={path}`; there are: {paths}"
        paths = listed(list(_record_lists(value)))
        raise BadInput(Message(template, source=source, path=path, paths=paths))
    return rows


def find_records(
    document: dict[str, Any], source: str, say: Callable[[str], None]
) -> list[Any] | None:
    """Return the only list of objects in a document; None if there is none.

    Raises:
        BadInput: if there are several.
    """
    lists = _record_lists(document)
    if len(lists) > 1:
        template = "{source}: several lists of objects; choose one with `records=PATH`: {paths}"
        raise BadInput(Message(template, source=source, paths=listed(list(lists))))
    for path, rows in lists.items():
        template = "{source}: the rows are those of {path}; `records=PATH` chooses others"
        say(Message(template, source=source, path=path))
        return rows
    return None


def _record_lists(value: object, path: str = "", depth: int = 0) -> dict[str, list[Any]]:
    """Return the lists of objects in an object, by their paths."""
    if isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
        return {path: value}
    lists: dict[str, list[Any]] = {}
    if isinstance(value, dict) and depth < MAX_DEPTH:
        for name, item in value.items():
            lists |= _record_lists(item, f"{path}.{name}" if path else name, depth + 1)
    return lists
