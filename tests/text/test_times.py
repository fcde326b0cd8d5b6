"""Times are read as files and platforms write them, and nothing else is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from searchkit.text.times import read_times, time_apart_in_words, time_in_words

AT = datetime(2025, 8, 7, 17, 53)


@pytest.mark.parametrize(
    "text",
    [
        "2025-08-07T17:53",
        "7 August 2025  5:53 PM",
        "Thursday, 7 August 2025, 5:53 PM",
        "7. August 2025, 17:53",
        "Donnerstag, 7. August 2025, 17:53 Uhr",
        "7 août 2025, 17:53",
        "7 de agosto de 2025, 17:53",
        "7 agosto 2025, 17:53",
        "07.08.2025 17:53",
        "2025/08/07 5:53 PM",
        "Aug 7, 2025 5:53 p.m.",
    ],
)
def test_spellings_of_platforms(text: str) -> None:
    assert read_times([text]) == [AT]


def test_zones() -> None:
    assert read_times(["2025-08-07 17:53:20 UTC"]) == [datetime(2025, 8, 7, 17, 53, 20, tzinfo=UTC)]
    east = timezone(timedelta(hours=2))
    assert read_times(["2025/08/07 5:11:03 PM GMT+2"]) == [
        datetime(2025, 8, 7, 17, 11, 3, tzinfo=east)
    ]
    assert read_times(["2025-08-07 17:53:00 UTC", "7 August 2025 5:53 PM"]) == [AT, AT]


@pytest.mark.parametrize(
    "text",
    ["", None, "8/7/2025 17:53", "31.02.2025", "7 Foo 2025", "7 August 2025 15:53 PM", "soon",
     "7 August 2025 and more", "2025-08-07 17:53 UTC+99"],
)  # fmt: skip
def test_what_is_no_time(text: str | None) -> None:
    assert read_times([text]) is None
    assert read_times(["2025-08-07", text]) is None


def test_midnight_and_noon() -> None:
    assert read_times(["7 August 2025 12:05 AM", "7 August 2025 12:05 PM"]) == [
        datetime(2025, 8, 7, 0, 5),
        datetime(2025, 8, 7, 12, 5),
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("2025-08-30T18:33:20", "30 Aug 2025, 18:33"),
        (" 7 August 2025  5:53 PM ", "7 Aug 2025, 17:53"),
        ("2025-08-30", "30 Aug 2025"),
        ("20250830", "30 Aug 2025"),
        ("07.08.2025", "7 Aug 2025"),
        ("2025-08-30T00:00", "30 Aug 2025, 00:00"),
        ("2025-08-30T18:33:20Z", "30 Aug 2025, 18:33 UTC"),
        ("2025-08-30 18:33+02:00", "30 Aug 2025, 18:33 UTC+2"),
        ("2025-08-30 18:33-03:30", "30 Aug 2025, 18:33 UTC-3:30"),
        ("2025-08-30 18:33-00:30", "30 Aug 2025, 18:33 UTC-0:30"),
        ("week 3, in class", "week 3, in class"),
        ("8/7/2025", "8/7/2025"),
    ],
)
def test_a_time_in_words(text: str, words: str) -> None:
    assert time_in_words(text) == words


@pytest.mark.parametrize(
    ("text", "other", "words"),
    [
        ("2025-08-30T18:33", "2025-09-01T09:40", "1 day 15 h earlier"),
        ("2025-09-01T09:33", "2025-08-30T09:33", "2 days later"),
        ("2025-08-30T18:33", "2025-08-30T16:13", "2 h 20 min later"),
        ("2025-08-30T18:33:10", "2025-08-30T18:34:10", "1 min earlier"),
        ("2025-08-30T18:33:10", "2025-08-30T18:33:40", "30 s earlier"),
        ("2025-08-30T18:33", "2025-08-30 18:33:00", "at the same time"),
        ("2025-08-30T18:33+02:00", "2025-08-30T17:33Z", "1 h earlier"),
        ("2025-08-30T18:33+02:00", "2025-08-30T17:33", ""),
        ("2025-08-30", "2025-09-01T09:40", "2 days earlier"),
        ("2025-08-30", "30.08.2025 18:33", "the same day"),
        ("2025-08-30", "in class", ""),
        ("", "2025-08-30", ""),
    ],
)
def test_how_much_earlier_or_later(text: str, other: str, words: str) -> None:
    assert time_apart_in_words(text, other) == words
