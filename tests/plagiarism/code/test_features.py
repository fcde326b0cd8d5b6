"""Features: what two programs can share, channel by channel."""

from __future__ import annotations

import numpy as np
from helpers.programs import CLASSES, with_names

from searchkit.plagiarism.code.features import (
    CHANNELS,
    STRUCTURE_LENGTH,
    WINDOW,
    boilerplate,
    literals,
    names,
    structure,
    winnow,
)
from searchkit.plagiarism.code.programs import Program, read_program


def program(text: str) -> Program:
    return read_program(text, "python")


def test_renaming_changes_names_only() -> None:
    python = CLASSES["py"]
    one = program(python.honest[0])
    other = program(with_names(python.honest[0], {"limit": "k", "item": "pair"}))
    changed = {name for name, read in CHANNELS.items() if read(one) != read(other)}
    assert changed == {"names"}


def test_every_channel_sees_its_own_change() -> None:
    text = 'x = 1  # the first one\nprint("It is", x)\n'
    changes = {
        "literals": text.replace("1", "2"),
        "names": text.replace("x", "y"),
        "comments": text.replace("first", "second"),
        "layout": text.replace(" = ", "="),
    }
    for channel, other in changes.items():
        read = {name for name, r in CHANNELS.items() if r(program(text)) != r(program(other))}
        assert read == {channel}


def test_capitals_and_repetitions_of_a_text_are_features() -> None:
    once, twice = program('print("Hello you")'), program('print("Hello you")\nprint("Hello you")')
    assert literals(twice) - literals(once) == {("times", ("hello", "you"), 2)}
    other = program('print("Hello You")')
    assert {feature[0] for feature in literals(other) ^ literals(once)} == {"capitals"}


def test_winnowing_chooses_the_lowest_of_each_window() -> None:
    hashes = np.random.default_rng(0).integers(0, 50, 200).astype(np.uint64)
    chosen = set(winnow(hashes).tolist())
    for n in range(len(hashes) - WINDOW + 1):
        window = hashes[n : n + WINDOW]
        inside = [k for k in range(n, n + WINDOW) if k in chosen]
        assert inside and min(hashes[inside]) == window.min()
    assert winnow(hashes[:0]).tolist() == []
    assert winnow(hashes[:2]).tolist() in ([0], [1], [0, 1])


def test_an_equal_run_of_tokens_is_always_seen() -> None:
    run = " ".join(f"[a, {'b' if n % 3 else 'b, b'}] +" for n in range(4)) + " c"
    one, other = program(f"x = {run}\n"), program(f"def f(q):\n    return g({run} - 1)\n")
    shared = STRUCTURE_LENGTH + WINDOW - 1
    assert len(program(run).tokens) >= shared
    assert structure(one) & structure(other)


def test_what_was_handed_out_is_boilerplate() -> None:
    template = 'def main():\n    print("Enter a number:")\n'
    given = boilerplate([template, "Print the text Well done at the end"], [program(template)])
    assert names(program(template)) <= given["names"]
    assert ("text", "well", "done") in given["literals"]
    assert literals(program('print("Enter a number:")')) <= given["literals"]
