"""Pseudonyms for authors, answers and questions, and the places where a text mentions them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property

from searchkit.core.identity import author_key
from searchkit.core.records import REFERENCE, Answer
from searchkit.pages.known_names import SOMEBODY, KnownNames
from searchkit.text.mentions import Mention, MentionFinder, NameForm, replace_mentions

MIN_ID_LENGTH = 3  # characters of an id that is looked for in texts: `7` or `a` may be words


class Pseudonyms:
    """Pseudonyms: always the same for an author (`author 1`) and for an answer (`answer 1`).

    Both are numbered in the order of `answers`. An author called `reference` keeps that name. The
    name of a question stays, but for names of people in it.

    Args:
        answers: All answers whose ids or authors may be displayed, in the order of display.
        replace: Whether pseudonyms replace the names; if not, pages can display either.
    """

    def __init__(self, answers: Iterable[Answer], *, replace: bool = False) -> None:
        self.replace = replace
        self.answers: dict[str, str] = {}
        self._known = KnownNames()
        self._questions: dict[str, None] = {}
        for answer in answers:
            self.answers.setdefault(answer.id, f"answer {len(self.answers) + 1}")
            self._known.add(answer)
            if answer.question:
                self._questions[answer.question] = None

    def author(self, name: str) -> str:
        """Return an author's pseudonym."""
        if author_key(name) == REFERENCE:
            return REFERENCE
        return self._known.alias(name) or SOMEBODY

    def answer(self, name: str) -> str:
        """Return an answer's pseudonym."""
        return self.answers.get(name, "an answer")

    def question(self, name: str) -> str:
        """Return a question's name with pseudonyms in the place of people's names."""
        return self.questions[name] if name in self.questions else self._without_people(name)

    @cached_property
    def questions(self) -> dict[str, str]:
        """The name of each question as it is displayed; two questions have two names."""
        shown: dict[str, str] = {}
        taken: dict[str, int] = {}
        for name in self._questions:
            text = self._without_people(name)
            taken[text] = taken.get(text, 0) + 1
            shown[name] = text if taken[text] == 1 else f"{text} ({taken[text]})"
        return shown

    @cached_property
    def originals(self) -> Mapping[str, Mapping[str, str]]:
        """What each pseudonym stands for, under `answer`, `question` and `author`."""
        return {
            "answer": {alias: name for name, alias in self.answers.items()},
            "question": {alias: name for name, alias in self.questions.items()},
            "author": self._known.aliases(),
        }

    def mentions(self, text: str) -> list[Mention]:
        """Return the mentions of people and answers in the text of an answer, in order.

        They are whole words; see `text.mentions.Rule`. Ids count exactly as they are written. Ids
        shorter than `MIN_ID_LENGTH`, and those made only of digits, are not recognised.
        """
        return self._finder_for_texts.find(text)

    def mentions_in_message(self, message: str) -> list[Mention]:
        """Return the same for a message of searchkit, in which ids of any kind are recognised."""
        return self._finder_for_messages.find(message)

    def replace_in_text(self, text: str) -> str:
        """Return the text of an answer with pseudonyms in the place of names."""
        return replace_mentions(text, self.mentions(text))

    def replace_in_message(self, message: str) -> str:
        """Return a message of searchkit with pseudonyms in the place of names."""
        return replace_mentions(message, self.mentions_in_message(message))

    def _without_people(self, text: str) -> str:
        return replace_mentions(text, self._finder_of_people.find(text))

    @cached_property
    def _people(self) -> list[NameForm]:
        return list(self._known.forms())

    @cached_property
    def _finder_of_people(self) -> MentionFinder:
        return MentionFinder(self._people)

    @cached_property
    def _finder_for_texts(self) -> MentionFinder:
        ids = (
            NameForm(name, alias, "exact")
            for name, alias in self.answers.items()
            if len(name) >= MIN_ID_LENGTH and not name.isdigit()
        )
        return MentionFinder([*ids, *self._people])

    @cached_property
    def _finder_for_messages(self) -> MentionFinder:
        ids = (NameForm(name, alias, "exact") for name, alias in self.answers.items())
        return MentionFinder([*ids, *self._people])
