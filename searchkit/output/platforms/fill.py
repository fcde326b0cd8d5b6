"""A platform's own file, filled in: its rows and columns stay, marks and comments are set.

This also reaches platforms in other languages, whose columns are found by name and place.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

from searchkit.core.errors import BadInput, first_line
from searchkit.core.identity import author_key
from searchkit.core.messages import Message, counted, listed
from searchkit.core.records import Answer
from searchkit.output.platforms import canvas, moodle, prairielearn
from searchkit.output.platforms.marks import (
    MarkedAnswer,
    MarkedAnswers,
    MarkOptions,
    left_out,
    listed_answers,
)
from searchkit.output.platforms.people import (
    EMAIL,
    ID_NUMBER,
    USERNAME,
    Person,
    by_person,
    incomplete,
)
from searchkit.output.platforms.plain import total_cell
from searchkit.output.platforms.tables import Dialect, Table, number_text
from searchkit.sources.columns import distinct_names
from searchkit.sources.decoding import buffered, encoding_of, lines
from searchkit.sources.header_names import HEADER_NAMES, fold_header
from searchkit.sources.tables.delimited import guess_delimiter
from searchkit.text.numbers import parse_number

Keys = Mapping[str, str]  # what identifies a person or a submission, the surest first
_NAMES = ("full_name", *HEADER_NAMES["author"])
_NUMBERED = re.compile(r"(.*) \(\d+\)", re.DOTALL)  # Essay (4711)
_DECIMAL = re.compile(r"-?\d+[.,]\d{1,2}")
_IN_BRACKETS = re.compile(r".+\(.+\)", re.DOTALL)  # Last modified (grade)


@dataclass(frozen=True, slots=True)
class Sheet:
    """A platform's file.

    Attributes:
        source: Its name.
        header: Its columns.
        rows: Its rows.
        dialect: How it is written.
    """

    source: str
    header: list[str]
    rows: list[list[str]]
    dialect: Dialect

    def persons(self) -> list[Person]:
        """Return each row as a person without an answer."""
        names = distinct_names(self.header)
        answers = [Answer(row[0], "", meta=dict(zip(names, row, strict=True))) for row in self.rows]
        return [Person([MarkedAnswer(answer, "", "")]) for answer in answers]

    def write(self, row: int, column: int | None, text: str) -> None:
        """Write a text into a cell, which stays as it is if the text is "" or has no column."""
        if column is not None and text:
            self.rows[row][column] = text


@dataclass(frozen=True, slots=True)
class Filling:
    """How the file of one platform is filled in.

    Attributes:
        columns: Returns the places of mark and comment (or None) in a sheet.
        keys: Returns what identifies a person.
        mark: Returns the mark of a person for the row of the sheet that is given; "" for none.
        people: Returns the people, each with the answers of one row, and the answers of nobody.
        takes_numbers: Whether the platform takes no labels.
    """

    columns: Callable[[Sheet, MarkOptions], tuple[int, int | None]]
    keys: Callable[[Person], Keys]
    mark: Callable[[Person, Person, MarkedAnswers, MarkOptions], str]
    people: Callable[[Sequence[MarkedAnswer]], tuple[list[Person], list[MarkedAnswer]]] = by_person
    takes_numbers: bool = True


def fill(path: Path, platform: str, marked: MarkedAnswers, options: MarkOptions) -> Table:
    """Return the table in a platform's file, with marks and comments.

    Args:
        path: The file.
        platform: The format's name.
        marked: The answers with their marks.
        options: What the user chose.

    Raises:
        BadInput: if it isn't a file of that platform, or the platform has none to fill in.
    """
    if platform not in FILLINGS:
        names = listed(list(FILLINGS))
        raise BadInput(Message("`fill_in` is for {names}, not {it}", names=names, it=platform))
    filling = FILLINGS[platform]
    if filling.takes_numbers or any(row.amount for row in marked.rows):
        marked.check_numbers(platform)
    sheet = read_sheet(path)
    mark_place, comment_place = filling.columns(sheet, options)
    people, unknown = filling.people(marked.rows)
    given = sheet.persons()
    matches = _match(given, people, filling.keys)
    has_commas = _has_decimal_commas(sheet)
    kept = {person for row, person in matches.items() if sheet.rows[row][mark_place].strip()}
    for row, person in matches.items():
        mark = filling.mark(person, given[row], marked, options)
        sheet.write(row, mark_place, _with_comma(mark) if has_commas else mark)
        sheet.write(row, comment_place, person.comments)
    found = set(matches.values())
    notes = _not_in_file([person for person in people if person not in found], path.name)
    notes += left_out(unknown, "they have no author")
    notes += incomplete([person for person in people if person in found - kept])
    notes += _kept([person for person in people if person in kept], path.name)
    if comment_place is None:
        notes += _comments_left_out(marked.rows, path.name)
    dialect, more = _writable(sheet)
    return Table(sheet.header, sheet.rows, notes + more, dialect=dialect)


def _not_in_file(people: Sequence[Person], file: str) -> list[str]:
    """Return a line on the marks and comments of people without a row; none if there are none."""
    rows = [row for person in people for row in person.rows if row.mark or row.comment]
    return left_out(rows, f"not in {file}")


def _kept(people: Sequence[Person], file: str) -> list[str]:
    """Return a line on the people whose mark in the file isn't replaced; none if there are none."""
    waiting = [person for person in people if not person.is_complete]
    rows = [row for person in waiting for row in person.rows if not row.mark]
    who = "1 person keeps" if len(waiting) == 1 else f"{len(waiting):,} people keep"
    what = f"{who} the mark in {file}, as none is known here: {listed_answers(rows)}"
    return [what] if waiting else []


def _has_decimal_commas(sheet: Sheet) -> bool:
    """Whether numbers have decimal commas, and none has a point."""
    cells = [cell for row in sheet.rows for cell in row if _DECIMAL.fullmatch(cell.strip())]
    return bool(cells) and all("," in cell for cell in cells)


def _with_comma(mark: str) -> str:
    return mark.replace(".", ",") if _DECIMAL.fullmatch(mark) else mark


def _writable(sheet: Sheet) -> tuple[Dialect, list[str]]:
    """Return a dialect with all of a sheet's characters, and a line if it isn't the file's own."""
    encoding = sheet.dialect.encoding
    try:
        "".join(cell for row in sheet.rows for cell in row).encode(encoding)
    except UnicodeEncodeError as error:
        if not encoding.startswith("utf"):
            missing = error.object[error.start]
            what = f"written in UTF-8, as {encoding} has no {missing!r}"
            return replace(sheet.dialect, encoding="utf-8"), [what]
    return sheet.dialect, []


def _comments_left_out(rows: Sequence[MarkedAnswer], file: str) -> list[str]:
    """Return a line on comments that have no column; none if there are none."""
    count = sum(bool(row.comment) for row in rows)
    what = f"{file} has no column for comments: {counted(count, 'comment')} left out"
    return [what] if count else []


def read_sheet(path: Path) -> Sheet:
    """Read a CSV file.

    Raises:
        BadInput: if it isn't one.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise BadInput(f"{path}: can't be read ({error.strerror})") from None
    texts = list(lines(buffered(io.BytesIO(data)), str(path), None, say=_ignore))
    encoding = encoding_of(data)
    text = data.decode(encoding, "replace")
    if re.sub(r"\r\n?", "\n", text) != "".join(texts):  # its lines seem to be in several
        encoding = "utf-8"
    line_end = "\r\n" if "\r\n" in text else "\n"
    delimiter = guess_delimiter(texts[0] if texts else "")
    reader = csv.reader(texts, delimiter=delimiter, strict=True)
    rows: list[list[str]] = []
    try:
        for row in reader:
            if rows and row and len(row) != len(rows[0]):
                what = f"{len(row)} cells, and {len(rows[0])} columns; download the file again"
                raise BadInput.at(str(path), reader.line_num, what)
            rows += [row] if any(row) else []
    except csv.Error as error:
        what = f"not CSV ({first_line(error)}); download the file again"
        raise BadInput.at(str(path), reader.line_num, what) from None
    if not rows:
        raise BadInput(f"{path}: empty; download the file again")
    dialect = Dialect(delimiter, line_end, encoding, is_guarded=False)
    return Sheet(str(path), rows[0], rows[1:], dialect)


def _ignore(_: str) -> None:
    """Say nothing of the encoding, in which the file is written again."""


def _match(
    rows: Sequence[Person], people: Sequence[Person], keys: Callable[[Person], Keys]
) -> dict[int, Person]:
    """Return the persons of rows by the rows' places: by the surest key that no others have."""
    keys_of_people = [keys(person) for person in people]
    keys_of_rows = [keys(row) for row in rows]
    people_with, rows_with = _count(keys_of_people), _count(keys_of_rows)
    by_key = {
        item: (person, own)
        for person, own in zip(people, keys_of_people, strict=True)
        for item in own.items()
        if people_with[item] == rows_with[item] == 1
    }
    found: dict[int, Person] = {}
    for row, own in enumerate(keys_of_rows):
        for person, others in (by_key[item] for item in own.items() if item in by_key):
            if not _contradict(own, others):
                found.setdefault(row, person)  # the first key is the surest
    return found


def _count(keys: Iterable[Keys]) -> Counter[tuple[str, str]]:
    """Return how many have each key."""
    return Counter(item for own in keys for item in own.items())


def _contradict(one: Keys, other: Keys) -> bool:
    """Whether the surest key that both have differs: two people of the same name."""
    shared = [name for name in one if name in other]
    return bool(shared) and one[shared[0]] != other[shared[0]]


def _keys(**values: str) -> Keys:
    return {name: value for name, value in values.items() if value}


def _name(person: Person) -> str:
    """Return a person's name for comparing: `Moss, Ada` is `ada moss`."""
    name = person.name or person.value(_NAMES)
    last, comma, first = name.partition(", ")
    return author_key(f"{first} {last}" if comma else name) or ""


# -- platforms -------------------------------------------------------------------------------------


def _moodle_columns(sheet: Sheet, _: MarkOptions) -> tuple[int, int | None]:
    folded = [fold_header(name) for name in sheet.header]
    grades = [n for n, name in enumerate(folded) if name in HEADER_NAMES["points"]]
    if not grades:
        raise BadInput.at(sheet.source, 1, f"no column Grade; there are: {listed(sheet.header)}")
    comments = [n for n, name in enumerate(folded) if name in HEADER_NAMES["comment"]]
    times = [n for n, name in enumerate(sheet.header) if _IN_BRACKETS.fullmatch(name)]
    after = times[-1] + 1 if times else len(folded)  # what follows Last modified (grade)
    place = after if after < len(folded) else next(iter(comments), None)
    return grades[0], place


def _moodle_keys(person: Person) -> Keys:
    answer = person.rows[0].answer
    identifier = moodle.participant(answer) or ("" if answer.text else answer.id)
    number = re.search(r"\d+$", identifier)
    return _keys(
        number=number[0] if number else "",
        email=person.value(EMAIL).casefold(),
        id_number=person.value(ID_NUMBER),
        username=person.value(USERNAME),
        name=_name(person),
    )


def _moodle_mark(person: Person, given: Person, marked: MarkedAnswers, options: MarkOptions) -> str:
    maximum = _moodle_maximum(given) or options.maximum
    return moodle.grade(person, maximum, is_label=bool(marked.labels))


def _moodle_maximum(given: Person) -> float | None:
    """Return the maximum in a row of a worksheet, which follows the grade."""
    cells = list(given.rows[0].answer.meta.items())
    for (name, _), (_, value) in pairwise(cells):
        if fold_header(name) in HEADER_NAMES["points"]:
            return parse_number(value)
    return None


def _canvas_columns(sheet: Sheet, options: MarkOptions) -> tuple[int, None]:
    wanted = options.assignment
    titles = {
        n: match[1] for n, name in enumerate(sheet.header) if (match := _NUMBERED.fullmatch(name))
    }
    if wanted is None:
        found = list(titles)
    else:
        same = [n for n, name in enumerate(sheet.header) if name == wanted]
        found = same or [n for n, title in titles.items() if title == wanted]
    if len(found) == 1:
        return found[0], None
    names = listed([sheet.header[n] for n in titles])
    template = (
        "{source}: which assignment are the marks for? name it, `assignment=NAME`, of: {names}"
    )
    raise BadInput(Message(template, source=sheet.source, names=names))


def _canvas_keys(person: Person) -> Keys:
    return _keys(
        id=person.value(canvas.CANVAS_ID),
        sis=person.value(canvas.SIS_ID),
        login=person.value(canvas.LOGIN),
        name=_name(person),
    )


def _canvas_mark(person: Person, _: Person, __: MarkedAnswers, options: MarkOptions) -> str:
    return number_text(total_cell(person, options.maximum))


def _prairielearn_columns(sheet: Sheet, _: MarkOptions) -> tuple[int, int | None]:
    for name in (prairielearn.SCORE, prairielearn.FEEDBACK):
        if name not in sheet.header:
            sheet.header.append(name)
            for row in sheet.rows:
                row.append("")
    return sheet.header.index(prairielearn.SCORE), sheet.header.index(prairielearn.FEEDBACK)


def _prairielearn_keys(person: Person) -> Keys:
    found = prairielearn.identity(person.rows[0].answer)
    who = found.get(prairielearn.UID) or person.value(("group_name",))
    qid = found.get(prairielearn.QID, "")
    return _keys(
        submission=found.get(prairielearn.SUBMISSION, ""),
        question=f"{qid}\0{who}" if qid and who else "",
    )


def _each_answer(rows: Sequence[MarkedAnswer]) -> tuple[list[Person], list[MarkedAnswer]]:
    """Return each answer as a person of its own, as PrairieLearn has a row for each submission."""
    return [Person([row]) for row in rows], []


def _prairielearn_mark(
    person: Person, _: Person, marked: MarkedAnswers, options: MarkOptions
) -> str:
    row = person.rows[0]
    return number_text(prairielearn.score(row, marked.marks, options.maximum))


FILLINGS: dict[str, Filling] = {
    "moodle-worksheet": Filling(_moodle_columns, _moodle_keys, _moodle_mark, takes_numbers=False),
    "canvas": Filling(_canvas_columns, _canvas_keys, _canvas_mark),
    "prairielearn": Filling(
        _prairielearn_columns, _prairielearn_keys, _prairielearn_mark, _each_answer
    ),
}
