"""Rows inside nested values: a list of answers in one row, and the list of rows in a document."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

from searchkit.core.errors import BadInput
from searchkit.core.messages import Message, listed
from searchkit.sources.columns import distinct_names
from searchkit.sources.header_names import HEADER_NAMES, fold_header
from searchkit.sources.layouts.sample import SAMPLE_LENGTH, SAMPLE_ROWS, peek
from searchkit.sources.layouts.wide import is_headed_as_question

Row = tuple[int, dict[str, Any]]  # line or position, and values by column
_Place = tuple[str, list[Any], bool]  # path, the values there, and whether a list leads to them
MAX_DEPTH = 4  # of objects in which a list of rows is looked for
MAX_LOOKED_AT = 20  # rows of a list, for one with an answer
_NESTED = frozenset((dict, list))
_TEXT_NAMES = frozenset(HEADER_NAMES["text"])
_PLURALS = frozenset(
    "texts answers responses submissions essays antworten reponses textes respuestas textos "
    "respostas risposte testi antwoorden teksten".split()
)
_LIST_NAMES = _TEXT_NAMES | _PLURALS
# What a question's own text may be called, beside the list of its answers.
_WORDINGS = frozenset(
    "text content body inhalt texte contenu texto contenido conteudo testo contenuto tekst "
    "inhoud".split()
)
_ID_NAMES = frozenset(HEADER_NAMES["id"])
_QUESTION_NAMES = frozenset((*HEADER_NAMES["question"], *HEADER_NAMES["prompt"]))
# The most telling name first; `oid` and `date` are those of MongoDB.
_OBJECT_NAMES = "name full_name display_name username login title id email oid date".split()
STATEMENT_NAMES = frozenset({"actor", "verb", "object"})  # of xAPI, with the answer deeper in it


def exploded(rows: Iterator[Row], columns: Sequence[str] = ()) -> Iterator[Row]:
    """Yield a row for each answer in a list of answers, with the other values of its row.

    The list holds texts, or objects, whose names then become columns. The id of a row with several
    texts gets `/1`, `/2` … behind it, unless the objects have ids. In place of a list there may be
    one object, or answers by their questions: `{"q1": "text", "q2": "text"}`. A row with a text
    beside the list of its answers is a question, as one in the first rows shows.

    Args:
        rows: The rows.
        columns: The columns with the answers; none are those with the usual names, in rows without
            a text there.
    """
    sample, rows = peek(rows, SAMPLE_ROWS, SAMPLE_LENGTH)
    has_questions = not columns and any(_has_wording(row) for _, row in sample)
    for number_and_row in rows:
        line, row = number_and_row
        if has_questions:
            row = _as_question(row)
            number_and_row = line, row
        name = _list_column(row, columns) if has_nested(row) else None
        if name is None:
            yield number_and_row
        else:
            is_named = bool(columns)
            yield from ((line, answer) for answer in _answers(row, name, is_named=is_named))


def has_nested(row: dict[str, Any]) -> bool:
    """Whether a value is a list or an object; nearly all rows have none."""
    return not _NESTED.isdisjoint(map(type, row.values()))


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
    return next((name for name in lists if _items_in(row, name, columns) is not None), None)


def _items_in(
    row: dict[str, Any], name: str, columns: Sequence[str] | bool = ()
) -> list[Any] | None:
    """Return the texts or objects in a column; None if it holds none."""
    value = row[name]
    if isinstance(value, dict):
        if has_text(value):
            return [value]
        if columns or fold_header(name) in _PLURALS:
            return _items_by_key(value) or _items(value)
    return _items(value)


def _items_by_key(value: dict[str, Any]) -> list[Any] | None:
    """Return answers that stand by their questions, or by their ids if they name questions."""
    items = {key: item for key, item in value.items() if item is not None}
    if all(type(item) is str for item in items.values()):
        return [{"question": key, "answer": text} for key, text in items.items()]
    if not all(isinstance(item, dict) and has_text(item) for item in items.values()):
        return None
    is_named = all(_has_usual(item, _QUESTION_NAMES) for item in items.values())
    return [{"id" if is_named else "question": key, **item} for key, item in items.items()]


def _has_wording(row: dict[str, Any]) -> bool:
    """Whether a row is a question: its only text may be a question's, and it has answers."""
    name = _answers_column(row)
    texts = [n for n, v in row.items() if isinstance(v, str) and fold_header(n) in _TEXT_NAMES]
    items = _items_in(row, name) if name is not None else None
    is_wording = len(texts) == 1 and fold_header(texts[0]) in _WORDINGS
    return is_wording and any(isinstance(item, str) or has_text(item) for item in items or ())


def _answers_column(row: dict[str, Any]) -> str | None:
    """Return the column that holds several answers, whether there are any; None without one."""
    lists = (name for name, value in row.items() if isinstance(value, list | dict))
    return next((name for name in lists if fold_header(name) in _PLURALS), None)


def _as_question(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row with its text as that of a question, called by its id if it has one."""
    if _answers_column(row) is None:
        return row
    is_named = _has_usual(row, _QUESTION_NAMES)
    id_ = next((name for name in row if fold_header(name) in _ID_NAMES), None)
    names = {id_: "question"} if id_ and not is_named else {}
    is_named = is_named or bool(names)
    for name in row:
        if fold_header(name) in _WORDINGS:
            names[name] = "question text" if is_named else "question"
    return {names.get(name, name): value for name, value in row.items()}


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


def _has_usual(names: Iterable[str], usual_names: Collection[str]) -> bool:
    """Whether one of the names is a usual one."""
    return any(fold_header(name) in usual_names for name in names)


def _answers(row: dict[str, Any], name: str, *, is_named: bool) -> Iterator[dict[str, Any]]:
    """Yield a row for each item of the list in a column.

    Args:
        row: The row with the list.
        name: The column with the list.
        is_named: Whether the user named the column: its name is that of the texts then.
    """
    items = _items_in(row, name, is_named) or []
    id_column = next((n for n in row if fold_header(n) in _ID_NAMES), None)
    for number, item in enumerate(items, 1):
        outer = dict(row)
        if id_column and len(items) > 1:
            outer[id_column] = f"{row[id_column]}/{number}"
        if not isinstance(item, dict):
            yield _with_text(outer, name, item, is_named=is_named)
            continue
        if is_named:
            item = {name if fold_header(n) in _TEXT_NAMES else n: v for n, v in item.items()}
        yield _with_object(row if _has_usual(item, _ID_NAMES) else outer, name, item)


def _with_text(row: dict[str, Any], name: str, text: str, *, is_named: bool) -> dict[str, Any]:
    """Return a row with a text in place of the list in a column.

    The column becomes `answer`, unless the user named it or its name is a usual one for texts.
    """
    if is_named or fold_header(name) in _TEXT_NAMES:
        return {**row, name: text}
    return {**_without(row, name), "answer": text}


def _with_object(row: dict[str, Any], name: str, item: dict[str, Any]) -> dict[str, Any]:
    """Return the values of an object, and of its row but for the list in a column.

    The object's values keep their names, and the row's get a number where both have one.
    """
    outer = _without(row, name)
    outer_names = distinct_names([*item, *outer])[len(item) :]
    return {**item, **dict(zip(outer_names, outer.values(), strict=True))}


def _without(row: dict[str, Any], name: str) -> dict[str, Any]:
    return {column: value for column, value in row.items() if column != name}


def follow(value: object, path: str, source: str) -> list[Any]:
    """Return what stands at a path such as `data.items`; lists on the way are gone through.

    What is there gets the question of the objects around it, if it has none. An object in an item
    of a list gets all values of the item: a submission's text may stand in an object of its own.

    Raises:
        BadInput: if there is nothing there; names the lists that there are.
    """
    found, has_value, is_item = [value], True, False
    for name in path.split("."):
        objects = [item for item in _flat(found) if isinstance(item, dict) and name in item]
        has_value = bool(objects)
        found = []
        for item in objects:
            if is_item and isinstance(item[name], dict):
                found.append(_with_object(item, name, item[name]))
            else:
                found += [_with_question(inner, item) for inner in _flat([item[name]])]
        is_item = is_item or any(isinstance(item[name], list) for item in objects)
    if not has_value:
        template = "{source}: nothing at `records={path}`; there are: {paths}"
        paths = listed(list(_record_lists(value)))
        raise BadInput(Message(template, source=source, path=path, paths=paths))
    return found


def _flat(values: Sequence[Any]) -> list[Any]:
    """Return values, with the items of a list in place of the list."""
    return [item for value in values for item in (value if isinstance(value, list) else [value])]


def _with_question(value: Any, outer: dict[str, Any]) -> Any:  # noqa: ANN401
    """Return an object with the question of the one around it; any other value as it is."""
    if not isinstance(value, dict):
        return value
    question = {
        name: text
        for name, text in outer.items()
        if isinstance(text, str) and fold_header(name) in _QUESTION_NAMES
    }
    return {**question, **value} if question else value


def find_records(
    document: dict[str, Any], source: str, columns: Sequence[str], say: Callable[[str], None]
) -> list[Any] | None:
    """Return the rows in a document; None if there are none.

    They are those of the only list of objects with answers, or of the only list of objects; or the
    document is a table as pandas writes it.

    Raises:
        BadInput: if there are several such lists.
    """
    if (table := _pandas_rows(document)) is not None:
        return table
    lists = _record_lists(document)
    with_answers = [
        path
        for path, rows in lists.items()
        if any(is_row(row, columns) for row in rows[:MAX_LOOKED_AT])
    ]
    paths = _outermost(with_answers or list(lists))
    if len(paths) > 1 and all(map(is_headed_as_question, paths)):
        template = "{source}: the rows are those of {paths}, each a question"
        say(Message(template, source=source, paths=listed(paths)))
        return [{"question": path, **row} for path in paths for row in lists[path]]
    if len(paths) > 1:
        template = "{source}: several lists of objects; choose one with `records=PATH`: {paths}"
        raise BadInput(Message(template, source=source, paths=listed(paths)))
    for path in paths:
        template = "{source}: the rows are those of {path}; `records=PATH` chooses others"
        say(Message(template, source=source, path=path))
        return follow(document, path, source)
    return None


def _outermost(paths: Sequence[str]) -> list[str]:
    """Return the paths that don't lead through another one."""
    outermost: list[str] = []
    for prefix in sorted(f"{path}." for path in paths):  # what leads through a path follows it
        if not outermost or not prefix.startswith(outermost[-1]):
            outermost.append(prefix)
    wanted = set(outermost)
    return [path for path in paths if f"{path}." in wanted]


def _record_lists(value: object) -> dict[str, list[dict[str, Any]]]:
    """Return the objects in the lists in a value, by the lists' paths, outer ones first."""
    lists: dict[str, list[dict[str, Any]]] = {}
    level: list[_Place] = [("", [value], False)]
    for _ in range(MAX_DEPTH + 1):
        following: list[_Place] = []
        for path, values, is_list in level:
            objects = [item for item in values if isinstance(item, dict)]
            if is_list and objects:
                lists[path] = objects
            following += _places_in(objects, path, is_list=is_list)
        level = following
    return lists


def _places_in(objects: Sequence[dict[str, Any]], path: str, *, is_list: bool) -> Iterator[_Place]:
    """Yield the places of the lists and objects in objects, which stand in one place themselves."""
    for name in dict.fromkeys(chain.from_iterable(objects)):
        values = [v for item in objects if isinstance(v := item.get(name), list | dict)]
        if values:
            has_list = is_list or any(isinstance(value, list) for value in values)
            yield f"{path}.{name}" if path else name, _flat(values), has_list


def _pandas_rows(document: dict[str, Any]) -> list[dict[str, Any]] | None:
    """Return the rows of a table as `DataFrame.to_json` writes it; None for any other document."""
    names, data = document.get("columns"), document.get("data")
    if isinstance(names, list) and isinstance(data, list) and all(type(n) is str for n in names):
        return _rows_of_split(names, data)
    values = list(document.values())
    if not all(isinstance(value, dict) and value.keys() == values[0].keys() for value in values):
        return None
    if _has_usual(document, _TEXT_NAMES):  # orient="columns"
        return [{name: document[name][key] for name in document} for key in values[0]]
    return _rows_of_index(document)


def _rows_of_split(names: Sequence[str], data: Sequence[Any]) -> list[dict[str, Any]] | None:
    """Return the rows of a table written with `orient="split"`; None if it isn't one."""
    if not all(isinstance(row, list) and len(row) == len(names) for row in data):
        return None
    return [dict(zip(distinct_names(names), row, strict=True)) for row in data]


def _rows_of_index(document: dict[str, dict[str, Any]]) -> list[dict[str, Any]] | None:
    """Return the rows of a table written with `orient="index"`; None if it isn't one.

    The index becomes the id, unless it only counts the rows or they have ids.
    """
    rows = list(document.values())
    if len(rows) < 2 or not has_text(rows[0]):
        return None
    is_numbered = list(document) == list(map(str, range(len(rows))))
    if is_numbered or _has_usual(rows[0], _ID_NAMES):
        return rows
    return [{"id": key, **row} for key, row in document.items()]


def with_object_names(row: dict[str, Any], columns: Collection[str | None]) -> dict[str, Any]:
    """Return a row with what objects in some columns are called, such as the name of a `user`."""
    return {n: _object_name(v) if n in columns else v for n, v in row.items()}


def _object_name(value: Any) -> Any:  # noqa: ANN401
    """Return the name, or else the id or the like, of an object; any other value as it is."""
    if not isinstance(value, dict):
        return value
    texts = {fold_header(name): text for name, text in value.items() if isinstance(text, str)}
    return next((text for name in _OBJECT_NAMES if (text := texts.get(name))), value)
