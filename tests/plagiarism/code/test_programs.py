"""Programs: tokens, literals and comments, with their places in the text."""

from __future__ import annotations

import time

import pytest
from helpers.programs import CLASSES
from pygments.lexers import get_lexer_by_name

from searchkit.plagiarism.code.languages import ALIASES
from searchkit.plagiarism.code.programs import read_program

JAVA = """// Print it
class A { /* twice */
    int x = 12;
    String s = "a  b ";
}
"""


def test_tokens_have_their_kinds_and_places() -> None:
    program = read_program(JAVA, "java")
    assert [token.text for token in program.tokens if token.kind == "name"] == [
        "A",
        "x",
        "String",
        "s",
    ]
    assert [token.text for token in program.tokens if token.kind == "number"] == ["12"]
    assert [token.text for token in program.tokens if token.kind == "text"] == ['"a  b "']
    for token in program.tokens:
        assert JAVA[token.start : token.end] == token.text


def test_names_and_literals_are_no_part_of_the_structure() -> None:
    other = JAVA.replace("x", "count").replace("12", "7").replace("a  b", "c")
    assert read_program(JAVA, "java").normal == read_program(other, "java").normal
    assert (
        read_program(JAVA, "java").normal
        != read_program(JAVA.replace("int", "long"), "java").normal
    )


def test_comments_are_prose() -> None:
    program = read_program(JAVA, "java")
    assert [word for word, _, _ in program.comment_words] == ["print", "it", "twice"]
    assert "comment" not in {token.kind for token in program.tokens}


def test_docstrings_are_comments_and_directives_are_not() -> None:
    program = read_program('def f():\n    """Say hello."""\n    return "hello"\n', "python")
    assert [word for word, _, _ in program.comment_words] == ["say", "hello"]
    program = read_program("#include <stdio.h>\nint main(void) { return 0; }\n", "c")
    assert not program.comment_words


def test_prose_around_fenced_code_is_compared_like_comments() -> None:
    text = f"My solution is short.\n```java\n{JAVA}```\nIt works.\n"
    program = read_program(text, "java")
    assert program.normal == read_program(JAVA, "java").normal
    assert [word for word, _, _ in program.comment_words][:4] == ["my", "solution", "is", "short"]
    assert [word for word, _, _ in program.comment_words][-2:] == ["it", "works"]


@pytest.mark.parametrize("alias", sorted(set(ALIASES.values())))
def test_every_language_has_a_lexer(alias: str) -> None:
    assert get_lexer_by_name(alias)


@pytest.mark.parametrize("ending", CLASSES)
def test_what_is_no_program_is_read_too(ending: str) -> None:
    for text in ("", " ", "\0", '"', "/*", "```", "é" * 50, "```\n```\n"):
        program = read_program(text, ALIASES[ending])
        assert all(text[token.start : token.end] == token.text for token in program.tokens)


def test_long_programs_are_read_in_pieces_at_the_ends_of_lines() -> None:
    lines = [f"value_{n} = {n}  # number {n}" for n in range(1000)]
    program = read_program("\n".join(lines), "python")
    assert len(program.tokens) == 3000
    assert len(program.comment_words) == 2000
    assert {token.kind for token in program.tokens} == {"name", "number", "mark"}


def test_many_blank_lines_take_no_time() -> None:
    text = f"int x = 1;{chr(10) * 90_000}int y = 2;\n"
    started = time.perf_counter()
    assert [token.text for token in read_program(text, "java").tokens[-2:]] == ["2", ";"]
    assert time.perf_counter() - started < 5


def test_what_follows_a_hundred_thousand_characters_is_left_out() -> None:
    text = "a = 1\n" * 20_000 + "last = 2\n"
    assert "last" not in {token.text for token in read_program(text, "python").tokens}
