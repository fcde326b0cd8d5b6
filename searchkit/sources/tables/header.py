"""The row that holds the columns' names: titles of a report may stand above it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from searchkit.core.messages import Message
from searchkit.sources.header_names import HEADER_NAMES, fold_header
from searchkit.text.numbers import parse_number

Row = Sequence[str]
SAMPLE_ROWS = 100  # that are looked at
_KNOWN_NAMES = frozenset(name for names in HEADER_NAMES.values() for name in names)


@dataclass(frozen=True, slots=True)
class Header:
    """The columns' names.

    Attributes:
        position: The position of the row with them; of two rows, of the last one.
        names: The names; as they stand there, if it is one row.
        num_rows: The number of rows that they stand in.
    """

    position: int
    names: list[str]
    num_rows: int = 1


def find_header(rows: Sequence[Row]) -> int:
    """Return the position of the row with the columns' names among the first rows of a table.

    It is the first row that is no title, if it has a name for each column; otherwise the first row
    that isn't blank. A title fills at most half of the columns, from the left, or one anywhere. If
    usual names of columns follow, it may fill all but one.

    Args:
        rows: The first rows with their cells, blank ones included; a missing cell is as an empty
            one.
    """
    filled = [number for number, row in enumerate(rows) if any(map(str.strip, row))]
    header = next((n for n in filled if not _is_title(n, rows)), None)
    if header is None or header == filled[0] or not _has_names(header, rows):
        return filled[0] if filled else 0
    return header


def read_header(rows: Sequence[Row]) -> Header:
    """Return the columns' names, which may stand in two rows: labels of groups, and the columns'.

    A column of such a group is called by both, as `Task 1 Points`; that of the answers by the
    label alone, which is the question.

    Args:
        rows: As for `find_header`; not empty.
    """
    place = find_header(rows)
    for last in (place, place + 1):
        if 0 < last < len(rows) and (last == place or _is_second_row(rows[last - 1], rows[last])):
            names = _names_in_groups(rows[last - 1], rows[last])
            if names is not None:
                return Header(last, names, num_rows=2)
    return Header(place, list(rows[place]))


def header_message(source: str, line: int, num_rows: int = 1) -> Message:
    """Return the message that the columns' names aren't in the first line alone.

    Args:
        source: The file's name.
        line: The last line with names.
        num_rows: The number of these lines.
    """
    if num_rows > 1:
        template = "{source}: the columns' names are in lines {first} and {line}; "
        template += "`skip_rows=N` chooses one line"
        return Message(template, source=source, first=line - 1, line=line)
    template = (
        "{source}: the columns' names are in line {line}, and what is above it is left out; "
        "`skip_rows=N` chooses another line"
    )
    return Message(template, source=source, line=line)


def known_names(row: Row) -> int:
    """Return how many cells are usual names of columns."""
    return sum(fold_header(cell) in _KNOWN_NAMES for cell in row)


def _is_second_row(labels: Row, names: Row) -> bool:
    """Whether a row has nothing but usual names, among them those for the gaps of the row above."""
    filled = [column for column, cell in enumerate(names) if cell.strip()]
    gaps = [column for column, cell in enumerate(labels) if not cell.strip()]
    return bool(gaps) and set(gaps) <= set(filled) and known_names(names) == len(filled)


def _names_in_groups(labels: Row, names: Row) -> list[str] | None:
    """Return the columns' names by two rows; None unless they tell columns of one name apart."""
    counts = Counter(map(fold_header, names))
    found: list[str] = []
    groups: set[str] = set()
    group = ""
    for column, cell in enumerate(names):
        name = cell.strip()
        label = labels[column].strip() if column < len(labels) else ""
        group = label or group
        if not name or name == group:
            found.append(group if label else "")
            group = ""
        elif label or counts[fold_header(name)] > 1:
            groups.add(group)
            is_answer = fold_header(name) in HEADER_NAMES["text"]
            found.append(group if is_answer and group else f"{group} {name}".strip())
        else:
            found.append(name)
    is_needed = any(count > 1 and name for name, count in counts.items())
    is_usable = len(groups) > 1 and "" not in groups and len(set(found)) == len(found)
    return found if is_needed and is_usable else None


def _is_title(number: int, rows: Sequence[Row]) -> bool:
    used = _used_columns(rows[number + 1 :])
    filled = [column for column, cell in enumerate(rows[number]) if cell.strip()]
    if not used - set(filled):
        return False
    if _has_usual_names(used, rows[number + 1]):
        return True  # merged cells over groups of columns
    if known_names(rows[number]):
        return False
    if len(filled) == 1 and len(used) > 2:
        return True
    if filled != list(range(len(filled))):
        return False
    named = any(known_names(row) >= 2 for row in rows[number + 1 : SAMPLE_ROWS])
    return 2 * len(filled) <= len(used) or named


def _has_usual_names(used: set[int], row: Row) -> bool:
    """Whether a row has a name for each used column, and two of them are usual."""
    is_named = all(column < len(row) and row[column].strip() for column in used)
    return is_named and known_names(row) >= 2


def _has_names(number: int, rows: Sequence[Row]) -> bool:
    """Whether a row has a name for each column that the rows below fill."""
    names = [cell.strip() for cell in rows[number]]
    below = [row for row in rows[number + 1 :] if any(map(str.strip, row))]
    used = _used_columns(below) or set(range(len(names)))
    return (
        2 * sum(len(row) == len(names) for row in below) >= len(below)
        and all(column < len(names) and names[column] for column in used)
        and all(parse_number(name) is None for name in names)
        and (len(used) > 2 or known_names(names) > 0)
    )


def _used_columns(rows: Sequence[Row]) -> set[int]:
    """Return the columns that at least half of the first rows fill, blank rows left out."""
    filled = [
        [column for column, cell in enumerate(row) if cell.strip()] for row in rows[:SAMPLE_ROWS]
    ]
    filled = [columns for columns in filled if columns]
    counts: dict[int, int] = {}
    for columns in filled:
        for column in columns:
            counts[column] = counts.get(column, 0) + 1
    return {column for column, count in counts.items() if 2 * count >= len(filled)}
