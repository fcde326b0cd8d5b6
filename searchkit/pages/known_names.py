"""The names of people that an index knows: those of authors, and in columns, folders and questions.

What counts as a column with names is decided by the column's name. Nicknames, misspelt names, and
names of people who wrote no answer are not known.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache

from searchkit.core.identity import author_key
from searchkit.core.records import Answer
from searchkit.sources.header_names import HEADER_NAMES, fold_header
from searchkit.text.folding import fold
from searchkit.text.mentions import NameForm, Rule, name_words

SOMEBODY = "somebody"  # the pseudonym for a part of a name that several authors share
MIN_NUMBER_LENGTH = 5  # digits of a name that is a number: 7 and 2026 are mostly other numbers
MIN_JOINED_LENGTH = 6  # letters of first and last name in one word
_FIELDS = ("author", "first_name", "last_name", "email")
_COLUMNS = {name for field in _FIELDS for name in HEADER_NAMES[field]} | {
    *("login", "login_id", "sis_login_id", "sis_user_id", "sis_id", "account", "net_id", "netid"),
    *("sid", "uid", "orcid", "nickname", "initials", "matriculation_number", "matriculation_no"),
    *("student_no", "owner", "submitter", "submitted_by", "author_name", "id_number"),
    *("members", "member", "group_members", "phone", "phone_number", "telefon", "telephone"),
}
# Moodle names folders and files of an assignment after people.
_MOODLE_NAME = re.compile(r"(?:^|/)([^/]+?)_\d+_assignsubmission_")
_PARTICLES = frozenset(
    "van von der den dem des de da di do dos du del della la le les el al bin ibn ben zu zur zum "
    "und and the jr sr dr prof mr mrs ms phd msc bsc".split()
)
_GENERIC = frozenset(
    "author user student pupil participant learner person anonymous group team member candidate "
    "teilnehmer nutzer gast guest test demo name answer question".split()
)
# Names that are common words, too, in the languages of most courses.
_EVERYDAY = frozenset(
    "may will an mark rose grace hope faith joy bill art frank grant jack june april august summer "
    "autumn dawn eve ray rich rob pat sue chase chance dean duke earl king prince cook hunter long "
    "short young old small little strong wise brown white black green gray grey gold silver stone "
    "wood woods hill field fields lake rivers brook banks bridge church hall park street west east "
    "north south day knight love sharp swift best bright noble major page price case chapter link "
    "root branch path chain block key lock max min as at be by do ed go he if in is it me my no of "
    "on or so to up us we ok man boy miss star sun sky bird wolf fox lamb cross power pool cloud "
    "ruby perl pascal pearl iris lily violet daisy olive ivy holly heather ginger amber crystal "
    "jade lang kurz klein gross stark koch bauer richter vogel sommer winter herbst mann frei "
    "ernst gut neu alt wert zeit stein berg bach wald".split()
)


@dataclass
class _Person:
    """A person's pseudonym, and the spellings of the names that are known."""

    alias: str
    names: dict[str, None] = field(default_factory=dict)


class KnownNames:
    """Collects the names of people, each with one pseudonym: `author 1`, `author 2` and so on."""

    def __init__(self) -> None:
        self._people: dict[str, _Person] = {}  # by the name as it is compared
        self._columns: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))

    def add(self, answer: Answer) -> None:
        """Add the names that an answer has, but for those in its text."""
        if answer.is_reference:
            return
        values = [
            (column, value.strip())
            for column, value in answer.columns.items()
            if value.strip() and holds_names(column)
        ]
        owner = answer.author or (values[0][1] if values else None)
        for column, value in values:
            self._columns[column][value].add(author_key(owner) or "")
        if owner:
            self._person(owner)
        for place in (answer.question, answer.id, answer.source):
            for match in _MOODLE_NAME.finditer(place) if place and "_assign" in place else ():
                self._person(match[1])

    def _person(self, name: str) -> _Person:
        key = author_key(name) or ""
        person = self._people.setdefault(key, _Person(f"author {len(self._people) + 1}"))
        person.names[name.strip()] = None
        return person

    def alias(self, name: str) -> str | None:
        """Return a person's pseudonym; None if the person isn't known."""
        person = self._people.get(author_key(name) or "")
        return person.alias if person else None

    def aliases(self) -> dict[str, str]:
        """Return the first spelling of each person's name by the pseudonym."""
        return {person.alias: next(iter(person.names)) for person in self._people.values()}

    def forms(self) -> Iterator[NameForm]:
        """Yield the ways to write the names: whole names, and their parts."""
        self._add_columns()
        aliases: dict[str, set[str]] = defaultdict(set)  # of the people with a name or a part
        for person in self._people.values():
            for name in person.names:
                for text in (*_whole_names(name), *_parts(name)):
                    aliases[text].add(person.alias)
        most = max(3, len(self._people) // 2)  # a word that more of them have is no name
        for text, owners in aliases.items():
            if len(owners) <= most and (rule := _rule_of(text)):
                yield NameForm(text, next(iter(owners)) if len(owners) == 1 else SOMEBODY, rule)

    def _add_columns(self) -> None:
        """Add the values of columns to the people whose answers have them."""
        for values in self._columns.values():
            if len(values) == 1 and len(next(iter(values.values()))) > 1:
                continue  # the same for all: the name of a course, or of a task
            for value, owners in values.items():
                for owner in owners:
                    self._people[owner].names[value] = None
        self._columns.clear()


@cache
def holds_names(column: str) -> bool:
    """Whether a column's name says that it holds names of people."""
    folded = fold_header(column)
    return folded in _COLUMNS or re.sub(r"_?\d+$", "", folded) in _COLUMNS


def _whole_names(name: str) -> Iterator[str]:
    """Yield a name, and the local part of an e-mail address; first and last name in one word."""
    yield name
    local, at, _ = name.partition("@")
    if at and " " not in name:
        yield local
    words = local.split() if not at else re.split(r"[._-]+", local)
    if len(words) > 1 and name.isprintable():
        for pair in ((words[0], words[-1]), (words[-1], words[0])):
            joined = "".join(word.strip(",;.") for word in pair)
            if len(joined) >= MIN_JOINED_LENGTH and joined.isalpha():
                yield joined


def _parts(name: str) -> Iterable[str]:
    """Return the words of a name that has several; an e-mail address is a name without its end."""
    local, at, _ = name.partition("@")
    words = re.findall(r"[^\W\d_]+" if at else r"[^\W_]+", fold(local).text)
    return words if len(words) > 1 else []


def _rule_of(name: str) -> Rule | None:
    """Return where a name counts as mentioned; None for one that can't be told from other words."""
    words = name_words(name)
    joined = "".join(words)
    if not joined or (joined.isdigit() and len(joined) < MIN_NUMBER_LENGTH) or len(joined) == 1:
        return None
    if len(words) > 1:
        return "any case"
    if joined in _PARTICLES or joined in _GENERIC:
        return None
    if joined in _EVERYDAY:
        return "everyday"
    return "capital" if len(joined) == 2 else "any case"
