"""Languages: what is a program, and in which language it is."""

from __future__ import annotations

import pytest
from helpers.answers import honest
from helpers.programs import CLASSES

from searchkit.core.records import Answer
from searchkit.plagiarism.code.languages import (
    ALIASES,
    are_programs,
    guess_language,
    is_program,
    language_of,
)

PROSE = (
    "A stack is a list from which the last element is taken first.\n"
    "It can be used for brackets: each opening one is pushed, and\n"
    "each closing one needs its partner; if there is none, the text\n"
    "is not balanced.\n\n"
    "For example, in (a[b]) the inner ones are closed first.\n"
)


@pytest.mark.parametrize("ending", CLASSES)
def test_programs_are_recognized_and_their_language_guessed(ending: str) -> None:
    answers = [Answer(author, text) for author, text in CLASSES[ending].texts().items()]
    assert are_programs(answers)
    assert language_of(answers) == ALIASES[ending]


def test_prose_is_no_program() -> None:
    assert not is_program(Answer("a", PROSE))
    assert not are_programs(honest(30))


def test_a_few_programs_among_prose_are_no_question_of_programs() -> None:
    programs = [Answer(f"p{n}", CLASSES["py"].honest[n]) for n in range(3)]
    prose = [Answer(f"a{n}", PROSE) for n in range(3)]
    assert not are_programs([*programs, *prose])
    assert not are_programs([])


def test_prose_with_a_line_of_code_is_no_program() -> None:
    assert not is_program(Answer("a", f"{PROSE}```\nstack.pop()\n```\n"))


def test_the_name_of_the_file_goes_before_what_is_written() -> None:
    answer = Answer("a", "x", source="exercise/ada/main.HS")
    assert is_program(answer)
    assert language_of([answer]) == "haskell"
    assert not is_program(Answer("a", PROSE, source="answers.csv"))


def test_the_tag_of_a_fence_goes_before_a_guess() -> None:
    text = f"```c++\n{CLASSES['py'].honest[0]}```\n"
    assert is_program(Answer("a", text))
    assert language_of([Answer("a", text)]) == "cpp"
    assert language_of([Answer("a", text.replace("c++", "nonsense"))]) == "python"


def test_the_language_of_most_files_counts() -> None:
    names = ["a.py", "b.py", "c.c"]
    assert language_of([Answer(name, "x", source=name) for name in names]) == "python"


def test_a_text_without_any_mark_is_read_as_a_language_with_braces() -> None:
    assert guess_language(["??"]) == "java"
