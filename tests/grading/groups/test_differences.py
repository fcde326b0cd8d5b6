"""Differences: what sets apart answers that are otherwise alike, and what doesn't."""

from __future__ import annotations

import pytest

from searchkit.grading.groups.differences import Difference, find_differences, opposed_rows

NEGATIONS = [
    ("The bulb is connected to the battery.", "The bulb is not connected to the battery."),
    ("It is connected.", "It isn't connected."),
    ("It is connected.", "It isn\u2019t connected"),
    ("it is connected", "it isnt connected"),
    ("UDP guarantees delivery", "UDP does not guarantee delivery"),
    ("UDP guarantees delivery", "UDP never guarantees delivery"),
    ("UDP can guarantee delivery", "UDP cannot guarantee delivery"),
    ("there is a gap between them", "There is no gap between them."),
    ("It works with a battery", "It doesn't work without a battery"),
    ("Current flows", "No current flows"),
    ("the terminals are connected", "the terminals are unconnected"),
    ("the terminals are connected", "the terminals are disconnected"),
    ("The checksum is valid", "The checksum is invalid"),
    ("Yes, because the path is closed", "No, because the path is closed"),
    ("yes", "No."),
    ("True", "False"),
    ("He knows it", "He doesn't know it"),
    ("It is connected", "It is no longer connected"),
    ("It connects", "It fails to connect"),
    ("It has a gap", "It lacks a gap"),
    ("It is able to connect", "It is unable to connect"),
    ("A deadlock is possible", "A deadlock is impossible"),
    ("Both bulbs are lit", "Neither bulb is lit"),
    ("All of the packets arrive", "None of the packets arrive"),
    ("It always changes", "It rarely changes"),
    ("It is true that it blocks", "It is false that it blocks"),
    ("blocking calls", "non-blocking calls"),
    ("The array is sorted", "The array is unsorted"),
]
NUMBERS = [
    ("5 packets", "6 packets"),
    ("The header has 8 bytes", "The header has 20 bytes."),
    ("it waits 1.5 s", "it waits 2.5 s"),
    ("it costs 1,000 frames", "it costs 2,000 frames"),
    ("terminal 1 is closed", "terminal 2 is closed"),
    ("two bulbs are on", "three bulbs are on"),
    ("a 16-bit field", "a 32-bit field"),
    ("it falls by -5", "it falls by 5"),
    ("90%", "80 %"),
    ("IPv4", "IPv6"),
    ("one byte", "two bytes"),
    ("1/2", "3/4"),
    ("from 0 to 10", "from 0 to 20"),
    ("at 12:30", "at 12:45"),
    ("0x1F", "0x2F"),
    ("192.168.0.1", "192.168.0.2"),
    ("IPv4 uses 32 bits and 4 parts", "IPv4 uses 128 bits and 4 parts"),
]
UNITS = [
    ("5 ms", "5 s"),
    ("It takes 10 minutes.", "It takes 10 hours."),
    ("8 bits of data", "8 bytes of data"),
    ("3 km away", "3 m away"),
    ("a 5V source", "a 5A source"),
    ("10 m/s", "10 km/h"),
    ("100 \u03a9", "100 k\u03a9"),
    ("5 \u00b0C", "5 \u00b0F"),
    ("it costs $5", "it costs \u20ac5"),
]
FORMULAS = [
    ("O(n)", "O(n^2)"),
    ("Its time is O(n log n).", "Its time is O(log n)."),
    ("a<b", "a > b"),
    ("the loop ends when i <= n", "the loop ends when i < n"),
    ("V = I * R", "V = I / R"),
    ("x = 5", "x == 5"),
    ("n/2 swaps", "n-1 swaps"),
    ("2^n leaves", "n^2 leaves"),
    ("P(A) = 0.4", "P(A) = 0.6"),
    ("x\u00b2", "x\u00b3"),
    ("a \u2260 b", "a = b"),
    ("a \u2208 B", "a \u2209 B"),
    ("A \u222a B", "A \u2229 B"),
    ("p \u2192 q", "q -> p"),
    ("a && b", "a || b"),
    ("sin(x)", "cos(x)"),
    ("(a+b)^2", "a^2+b^2"),
    ("a - b", "b - a"),
    ("\u03a9(n)", "O(n)"),
]
CASES = [
    (kind, *pair)
    for kind, pairs in (
        ("negation", NEGATIONS),
        ("number", NUMBERS),
        ("unit", UNITS),
        ("formula", FORMULAS),
    )
    for pair in pairs
]
SAME = [
    ("it can't flow", "it cannot flow"),
    ("it isn't connected", "it is not connected"),
    ("it isn't connected", "it is unconnected"),
    ("it isn't unconnected", "it is connected"),
    ("5 ms", "0.005 s"),
    ("1,000 m", "1 km"),
    ("two bytes", "2 bytes"),
    ("0 volts", "0"),
    ("O(n\u00b2)", "O(n^2)"),
    ("O(n log n)", "O(n*log(n))"),
    ("a<b", "b > a"),
    ("2 * n swaps", "2n swaps"),
    ("O(n + m)", "O(m+n)"),
    ("O(n2)", "O(n*n)"),
    ("x < 5", "5 > x"),
    ("3/4 of it", "0.75 of it"),
    (".5", "0.5"),
    ("1e3 m", "1 km"),
    ("16 bits", "2 bytes"),
    ("five seconds", "5 s"),
    ("one of the bulbs is on", "two of the bulbs are on"),
    ("Step 1 -> Step 2", "Step 2 -> Step 1"),
    ("client/server", "server/client"),
    ("Not only UDP is fast", "UDP is fast"),
    ("1. UDP is fast 2. TCP is slow", "UDP is fast. TCP is slow"),
    ("1) it is fast", "2) it is fast"),
    ("It blocks the I/O queue", "It blocks the queue"),
    ("I understand it", "I understand it well"),
    ("It is not connected to A, and B is red.", "Water boils."),
    ("", ""),
    ("?", "!"),
]
UNLIKE = [
    ("The bulb is not connected to the battery.", "The switch is connected to a lamp in the hall."),
    ("The sender waits 5 ms for a token.", "The buffer holds 9 packets on average."),
    ("UDP is fast. UDP is not fast.", "UDP is fast"),
    ("terminal 1 is not connected to terminal 5", "terminal 2 is connected to terminal 6 and 7"),
    ("It takes 5 ms, at most 5 s", "It takes 5 s"),
]


@pytest.mark.parametrize(("kind", "left", "right"), CASES)
def test_what_sets_two_answers_apart(kind: str, left: str, right: str) -> None:
    (difference,) = find_differences([left, right])
    assert difference.kind == kind
    assert sorted(rows for _, rows in difference.versions) == [(0,), (1,)]
    for quote, (row,) in difference.versions:
        assert quote
        assert quote in (left, right)[row]
    assert [pair.tolist() for pair in opposed_rows([left, right])] != [[], []]


@pytest.mark.parametrize(("left", "right"), SAME + UNLIKE)
def test_what_sets_nothing_apart(left: str, right: str) -> None:
    assert find_differences([left, right]) == []
    assert find_differences([right, left]) == []


def test_versions_have_all_their_rows_and_the_most_frequent_is_first() -> None:
    texts = ["It takes 5 s.", "it takes 5 ms", "It takes 0.005 s", "Something else", "It takes 7 s"]
    (difference,) = find_differences(texts)
    assert difference == Difference("number", (("5 ms", (1, 2)), ("5 s", (0,)), ("7 s", (4,))))


def test_a_unit_differs_in_any_order_of_the_answers() -> None:
    (difference,) = find_differences(["It takes 0.005 s", "it takes 5 ms", "it takes 5 s"])
    assert difference == Difference("unit", (("0.005 s", (0, 1)), ("5 s", (2,))))


def test_code_claims_nothing() -> None:
    left = "```\nfor (i = 0; i < n; i++) {\n}\n```\nIt counts."
    assert find_differences([left, left.replace("<", ">").replace("0", "1")]) == []


def test_differences_between_most_answers_come_first_and_are_few() -> None:
    doors = ("gate", "lid", "door", "hatch", "valve", "window", "switch", "drawer")
    texts = [f"the {door} is open" for door in doors] + [f"the {door} isn't open" for door in doors]
    texts += ["It takes 5 s"] * 3 + ["It takes 6 s"] * 2
    differences = find_differences(texts)
    assert differences[0].versions == (("5 s", (16, 17, 18)), ("6 s", (19, 20)))
    assert len(differences) == 5


def test_many_answers_are_compared_with_all_others() -> None:
    texts = ["the bulb is on"] * 700 + ["the bulb is not on"]
    (difference,) = find_differences(texts)
    assert [len(rows) for _, rows in difference.versions] == [700, 1]


def test_nothing_and_one() -> None:
    assert find_differences([]) == find_differences(["It is not 5 s."]) == []
