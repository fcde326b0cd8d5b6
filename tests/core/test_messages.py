"""Messages that name parameters: as in Python, and with other names."""

from __future__ import annotations

import copy
import pickle

import pytest

from searchkit.core.errors import BadInput, check_choice
from searchkit.core.messages import Message, listed, with_names


def upper(parameter: str, value: str | None) -> str | None:
    return None if parameter == "unknown" else f"<{parameter.upper()} {value}>"


def test_a_message_reads_as_python_and_with_other_names() -> None:
    message = Message("`max_pairs` must be {least:,} or more; say `mode='a{n}'`", least=1000, n=2)
    assert message == "`max_pairs` must be 1,000 or more; say `mode='a2'`"
    assert with_names(message, upper) == ("<MAX_PAIRS None> must be 1,000 or more; say <MODE 'a2'>")


@pytest.mark.parametrize("text", ["`where`", "{where}", "`unknown`", "`where=1` {0} {", "}"])
def test_what_a_user_wrote_stays_as_it_is(text: str) -> None:
    message = Message("`where`: {sql} or `unknown`", sql=text)
    assert with_names(message, upper) == f"<WHERE None>: {text} or `unknown`"
    assert with_names(text, upper) == text


def test_a_message_within_a_message_is_renamed_too() -> None:
    error = BadInput.at("a.csv", 3, Message("no column {name!r} (`columns.id`)", name="`id`"))
    assert str(error) == "a.csv:3: no column '`id`' (`columns.id`)"
    assert with_names(error.message, upper) == "a.csv:3: no column '`id`' (<COLUMNS.ID None>)"
    assert (error.line, error.what) == (3, "no column '`id`' (`columns.id`)")


def test_a_value_that_is_no_choice_is_shown_beside_the_choices() -> None:
    check_choice("method", None, (None, "kmeans"))
    with pytest.raises(BadInput) as caught:
        check_choice("method", "`a`", (None, "kmeans", "hdbscan"))
    message = caught.value.message
    assert message == "`method` must be one of kmeans, hdbscan, not '`a`'"
    assert with_names(message, upper).startswith("<METHOD None> must be one of kmeans, hdbscan")


def test_an_error_keeps_its_parameters_on_the_way_from_another_process() -> None:
    error = BadInput(Message("`k` must be 1 or more, not {k!r}", k="{`k`}"))
    for other in (pickle.loads(pickle.dumps(error)), copy.deepcopy(error)):
        assert str(other) == str(error)
        assert with_names(other.message, upper) == "<K None> must be 1 or more, not '{`k`}'"


def test_an_error_without_parameters_has_its_text_as_message() -> None:
    assert (BadInput("plain `k`").message, BadInput().message) == ("plain `k`", "")
    assert with_names(BadInput("plain `k`").message, upper) == "plain `k`"


def test_a_message_is_one_line_whatever_name_it_shows() -> None:
    name = "a\nb\x1b[31m\x9b\u2028"
    shown = "a\\nb\\x1b[31m\\x9b\\u2028"
    for message in (f"no column {name}", Message("no column {name}", name=name)):
        error = BadInput(message)
        assert str(error) == f"no column {shown}"
        assert with_names(error.message, lambda *_: None) == f"no column {shown}"


def test_a_message_lists_names_only_in_part() -> None:
    assert listed([]) == "none"
    assert listed(["a", "b\nc", "x" * 70]) == "a, b\\nc, " + "x" * 60 + "…"
    assert listed([str(n) for n in range(1022)]).endswith(", 18, 19 … and 1,002 more")
