"""Results as records, as a pandas table, and as HTML in a notebook.

A finding, a hit or a mark is a `Record`, and a list of them is `Results`. The result of a whole
operation is a `Table`: it has records and also counts or settings.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, SupportsIndex, TypeVar, overload

from searchkit.core.errors import MissingExtra

if TYPE_CHECKING:
    import pandas

HTML_ROWS = 20
HTML_CELL_LENGTH = 200  # characters


@dataclass(frozen=True, slots=True)
class Record:
    """One result: a dataclass that can be written as a JSON object."""

    def to_record(self) -> dict[str, Any]:
        """Return the fields by name, as in the JSON of the command line."""
        return asdict(self, dict_factory=_with_lists)


def _with_lists(fields: Iterable[tuple[str, object]]) -> dict[str, Any]:
    return {name: _tuples_to_lists(value) for name, value in fields}


def _tuples_to_lists(value: object) -> object:
    """Return the value with lists instead of tuples, also nested ones, as in JSON."""
    return [_tuples_to_lists(item) for item in value] if isinstance(value, list | tuple) else value


R = TypeVar("R", bound=Record)


class Table(ABC):
    """A result that consists of records."""

    __slots__ = ()

    @abstractmethod
    def iter_records(self) -> Iterator[dict[str, Any]]:
        """Yield the records in order; their keys are those of the command line's JSON."""

    def to_records(self) -> list[dict[str, Any]]:
        """Return all records as dictionaries."""
        return list(self.iter_records())

    def to_frame(self) -> pandas.DataFrame:
        """Return the records as a pandas table, one row each.

        Raises:
            MissingExtra: if pandas isn't installed.
        """
        try:
            import pandas
        except ImportError:
            raise MissingExtra("to_frame needs pandas; run: pip install pandas") from None
        return pandas.DataFrame(self.to_records())

    def _repr_html_(self) -> str:
        """Return the first records as an HTML table, which notebooks show."""
        return html_table(self.iter_records())


class Results(list[R], Table):
    """A list of records; slices of it are `Results`, too."""

    __slots__ = ()

    def iter_records(self) -> Iterator[dict[str, Any]]:
        """Yield each item as a dictionary."""
        return (item.to_record() for item in self)

    @overload
    def __getitem__(self, key: SupportsIndex) -> R: ...
    @overload
    def __getitem__(self, key: slice) -> Results[R]: ...
    def __getitem__(self, key: SupportsIndex | slice) -> R | Results[R]:
        """Return an item, or a slice as `Results`."""
        if isinstance(key, slice):
            return Results(super().__getitem__(key))
        return super().__getitem__(key)


def html_table(records: Iterable[Mapping[str, object]], max_rows: int = HTML_ROWS) -> str:
    """Return an HTML table with a column for each key; texts are escaped.

    Args:
        records: The rows; a row that lacks a key has an empty cell in that column.
        max_rows: Maximum number of rows; a line below the table says if there are more.
    """
    rows = list(islice(records, max_rows + 1))
    shown = rows[:max_rows]
    columns = list(dict.fromkeys(name for row in shown for name in row))
    if not columns:
        return "<p>no results</p>"
    from html import escape  # not needed where nothing is shown in a notebook

    head = "".join(f"<th>{escape(name)}</th>" for name in columns)
    body = "".join(
        "<tr>" + "".join(f"<td>{_html_cell(row.get(name))}</td>" for name in columns) + "</tr>"
        for row in shown
    )
    more = f"<p>first {max_rows} rows; to_frame() has all</p>" if len(rows) > max_rows else ""
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}"


def _html_cell(value: object) -> str:
    text = _cell_text(value)
    if len(text) > HTML_CELL_LENGTH:
        text = text[: HTML_CELL_LENGTH - 1] + "…"
    from html import escape

    return escape(text)


def _cell_text(value: object) -> str:
    """Return a value on one line: numbers to four digits, nested values separated by commas."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_cell_text(item)}" for name, item in value.items())
    if isinstance(value, list | tuple):
        nested = any(isinstance(item, Mapping) for item in value)
        return ("; " if nested else ", ").join(_cell_text(item) for item in value)
    return str(value)
