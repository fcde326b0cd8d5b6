"""Findings are legible without colour and harmless to a terminal; no number is too precise."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest

from searchkit import Answer
from searchkit.core.results import Results
from searchkit.output.plagiarism.chance import chance_facts, exact_chance, expected_in_words
from searchkit.output.plagiarism.findings import (
    COLUMNS,
    describe_compared_answers,
    plagiarism_as_records,
    plagiarism_as_rows,
    print_comparison,
    print_plagiarism,
)
from searchkit.plagiarism.records import (
    NO_FINDING,
    Comparison,
    EqualGroup,
    Finding,
    Overlap,
    PlagiarismResult,
    Ring,
)

LEFT = Answer("l", "Alpha beta gamma delta. The loop waits.", "q", "ann", "2025-01-02")
RIGHT = Answer(
    "r", "It waits, the loop.\nAlpha beta gamma delta.", "q", "<b>\x1b[31m", "2025-01-01"
)
PASSAGES = (
    Overlap((0, 22), (20, 42), "verbatim", 1.0),
    Overlap((24, 39), (0, 19), "reworded", 0.8),
)


def finding(verdict: str = "near copy", expected: float | None = 0.001) -> Finding:
    return Finding("l", "r", "q", verdict, 0.9, 0.95, 0.8, expected, PASSAGES, "80% is the same.",
                   ("r hides something",), "r")  # fmt: skip


def print_compared(verdict: str = "near copy", expected: float | None = 0.001) -> str:
    out = io.StringIO()
    print_comparison(Comparison(finding(verdict, expected), LEFT, RIGHT, 300), out)
    return out.getvalue()


def listed(
    findings: list[Finding], rings: list[Ring], equal: list[EqualGroup] | None = None
) -> PlagiarismResult:
    texts = {"l": LEFT, "r": RIGHT}
    groups = Results(equal or [])
    return PlagiarismResult(
        Results(findings),
        Results(rings),
        9,
        0,
        36,
        1,
        [],
        False,
        texts,
        by_chance=0.05,
        equal=groups,
    )


def printed(result: PlagiarismResult) -> str:
    out = io.StringIO()
    print_plagiarism(result, out)
    return out.getvalue()


def print_listed(*results: list[object]) -> str:
    return printed(listed(*results))


def test_passages_are_marked_by_brackets_with_the_same_number() -> None:
    text = print_compared()
    for mark in ("[1 Alpha beta gamma delta]", "{2 The loop waits.}", "{2 It waits, the loop.}"):
        assert text.replace("\n", " ").count(mark) >= 1
    assert text.count("[1 Alpha") == 2
    assert "Near copy: 80% is the same." in text
    assert "r was handed in first; that does not say who copied." in text
    assert "Note: r hides something." in text


def test_a_comparison_begins_with_the_question_and_has_times_that_can_be_compared() -> None:
    left = replace(LEFT, submitted_at="2025-08-30T18:33", meta={"prompt": "Why does\na loop wait?"})
    right = replace(RIGHT, submitted_at="2025-09-01T09:40")
    out = io.StringIO()
    print_comparison(Comparison(finding(), left, right, 300), out)
    lines = [line.rstrip() for line in out.getvalue().splitlines()]
    assert lines[:3] == ["q", "Why does a loop wait?", ""]
    assert "30 Aug 2025, 18:33" in lines[4] and "1 Sep 2025, 09:40 · 1 day 15 h later" in lines[4]
    assert "Similarity of the whole answers 0.90" in out.getvalue()
    nothing = replace(finding(NO_FINDING, 12.3), passages=())
    out = io.StringIO()
    print_comparison(Comparison(nothing, left, right, 300), out)
    assert "handed in first" not in out.getvalue()


@pytest.mark.parametrize(
    ("languages", "are_named"),
    [(("en", "de"), True), (("en", "und"), False), (("en", None), False), (("en", "en"), False)],
)
def test_languages_are_named_only_where_both_are_known(languages, are_named) -> None:
    left, right = (
        replace(answer, language=language)
        for answer, language in zip((LEFT, RIGHT), languages, strict=True)
    )
    only_reworded = replace(finding(), passages=finding().passages[1:])
    out = io.StringIO()
    print_comparison(Comparison(only_reworded, left, right, 300), out)
    assert ("l · ann · English" in out.getvalue()) == are_named
    assert ("the same in the other language" in out.getvalue()) == are_named


def test_answers_no_more_alike_than_others_are_called_no_finding() -> None:
    text = print_compared(NO_FINDING, 12.3)
    assert "No finding, since so much is no evidence here: 80% is the same." in text
    assert "By chance, 12 pairs as much alike come up in such a question." in text


@pytest.mark.parametrize(
    ("expected", "sentence"),
    [
        (3.0, "By chance, 3 pairs as much alike come up in such a question."),
        (0.05, "By chance, one such pair comes up in 20 questions like this."),
        (0.00012, "By chance, one such pair comes up in 8,300 questions like this."),
        (1e-12, "By chance, not one such pair comes up in a million questions like this."),
        (0, "By chance, not one such pair comes up in a million questions like this."),
    ],
)
def test_expected_is_explained_in_a_sentence(expected: float, sentence: str) -> None:
    assert expected_in_words(expected) == sentence


@pytest.mark.parametrize(
    ("expected", "facts"),
    [
        (1 / 360_000, ["very strong", "1 in 360,000"]),
        (0.0001, ["strong", "1 in 10,000"]),
        (0.00012, ["strong", "1 in 8,300"]),
        (0.001, ["moderate", "1 in 1,000"]),
        (0.0099, ["moderate", "1 in 100"]),
        (0.01, ["weak", "1 in 100"]),
        (0.7, ["weak", "1 in 1.4"]),
        (12.3, ["weak", "12 expected by chance"]),
        (1e-12, ["very strong", "less than 1 in 1,000,000"]),
        (0, ["very strong", "less than 1 in 1,000,000"]),
        (None, ["can't be judged"]),
    ],
)
def test_a_teacher_reads_odds_and_one_of_four_strengths(
    expected: float | None, facts: list[str]
) -> None:
    assert chance_facts(finding(expected=expected)) == facts


def test_what_is_no_finding_has_odds_and_no_strength() -> None:
    no_finding = replace(finding(expected=0.7), verdict=NO_FINDING)
    assert chance_facts(no_finding) == ["1 in 1.4"]


def test_numbers_stand_behind_the_words() -> None:
    judged = replace(finding(expected=1 / 360_000), q_value=0.000312)
    assert chance_facts(judged) == ["very strong", "1 in 360,000"]
    assert exact_chance(judged) == "expected 2.78e-06, q-value 0.000312"
    assert exact_chance(finding()) == "expected 0.001"
    assert exact_chance(finding(expected=None)) == ""


def test_the_table_quotes_evidence_and_ends_with_a_caution() -> None:
    reason = "ann and bob share passages in 2 questions."
    ring = Ring(("ann", "bob"), ("q", "q2"), (("l", "r"),), 1e-9, reason)
    text = print_listed([finding(expected=1e-9)], [ring])
    assert (
        "less than 1 in 1,000,000" in text
        and "very strong" in text
        and "“Alpha beta gamma delta”" in text
        and reason in text
    )
    assert "\x1b" not in text and "<U+001B>" in text
    assert "Each is a reason to look, not a proof" in text
    assert "no pair is more alike than chance explains" in print_listed([], [])


def test_a_long_table_of_findings_is_cut_with_a_note() -> None:
    assert "… and 10 more; --format csv has all" in print_listed([finding()] * 60, [])


def test_findings_that_chance_cannot_be_judged_of_are_listed_last_under_their_own_heading() -> None:
    reason = "chance can't be judged: only 12 unrelated pairs"
    unjudged = replace(finding(), expected=None, remarks=(reason,))
    ring = Ring(("ann", "bob"), ("q", "q2"), (("l", "r"),), None)
    result = listed([finding(), unjudged], [ring])
    text = printed(result)
    before, after = text.split("Chance can't be judged here")
    assert (
        "1 finding where chance can be judged; by chance alone there would be about 0.05." in before
    )
    assert "strength" in before and "1 in 1,000" in before and reason not in before
    below, rings = after.split("Groups of students")
    assert reason in below and "strength" not in below and "2   near copy" in below
    assert "can't be judged" in rings
    (line,) = (line for line in describe_compared_answers(result) if "judged" in line)
    assert line.startswith("chance can't be judged in 1 question: these pairs are listed last")
    pooled = list(describe_compared_answers(replace(result, pooled=["q", "q2"])))
    assert not [line for line in pooled if "judged together" in line]  # where nothing is judged
    rows = list(plagiarism_as_rows(result))
    assert [row["expected"] for row in rows] == [0.001, None]
    assert {"expected", "q_value"} < set(COLUMNS)
    assert "Chance can't be judged here" in printed(listed([unjudged], []))
    assert "Chance can't" not in printed(listed([finding()], []))


def test_a_comparison_that_chance_cannot_be_judged_of_has_no_number() -> None:
    text = print_compared(expected=None)
    assert "Chance can't be judged here." in text and text.count("be judged") == 1


def equal_group(*findings: tuple[str, str], is_common: bool = False) -> EqualGroup:
    reason = "Word for word the same, 9 words, by 2 of 9 authors."
    authors = ("ann", "<b>")
    return EqualGroup(
        "q", ("l", "r"), authors, 9, 41.5, 0.2, is_common, findings, reason, ("r hides it",)
    )


def test_equal_answers_are_listed_where_there_is_no_finding() -> None:
    text = print_listed([], [], [equal_group(is_common=True)])
    assert "no pair is more alike than chance explains" in text
    assert "Word for word the same, 9 words, by 2 of 9 authors. Common: a tenth" in text
    assert "“Alpha beta gamma delta. The loop waits.”" in text and "r hides it" in text
    assert " 42 " not in text and "nats" not in text  # which nobody reads; JSON has it
    assert "Each is a reason to look, not a proof" in text


def test_equal_answers_that_are_findings_are_not_listed_again() -> None:
    text = print_listed([finding("identical")], [], [equal_group(("l", "r"))])
    assert "Word for word the same, 9 words" not in text
    assert "1 group of equal answers is among the findings" in text


def test_a_group_with_a_pair_that_is_a_finding_says_so() -> None:
    group = replace(equal_group(("l", "r")), answers=("l", "r", "s"), authors=("a", "b", "c"))
    result = listed([finding("identical")], [], [group])
    result.texts["s"] = replace(LEFT, id="s")
    assert "1 pair of them also above, as a finding" in printed(result)


def test_equal_answers_are_records_and_rows_of_their_own() -> None:
    result = listed([finding()], [], [equal_group()])
    assert list(plagiarism_as_records(result))[1]["answers"] == ["l", "r"]
    found, equal = plagiarism_as_rows(result)
    assert (found["kind"], equal["kind"]) == ("finding", "equal answers")
    assert (equal["left"], equal["right"], equal["verdict"]) == ("l", "r", "identical")
    assert "expected" not in equal and equal["decision"] == "open"
    known = listed([finding()], [], [equal_group(("l", "r"))])
    assert [row["kind"] for row in plagiarism_as_rows(known)] == ["finding"]


GERMAN = Answer(
    "l", "Der Stapel ist leer. Die Schleife wartet auf das nächste Ereignis, bis eins kommt.", "q",
    "ann", language="de",
)  # fmt: skip
ENGLISH = Answer(
    "r", "The loop waits for the next event until there is one. The stack is empty.", "q", "bob",
    language="en",
)  # fmt: skip
TRANSLATED = replace(
    finding("translated"),
    passages=(
        Overlap((0, 20), (54, 73), "reworded", 0.8),
        Overlap((21, 82), (0, 53), "reworded", 0.8),
    ),
)


def test_a_translation_is_quoted_from_both_sides() -> None:
    result = replace(listed([TRANSLATED], []), texts={"l": GERMAN, "r": ENGLISH})
    shown = " ".join(printed(result).split())
    for side in (
        "German: “Der Stapel ist leer.”",
        "English: “The stack is empty.”",
        "English: “The loop waits for the next event until there is one.”",
    ):
        assert side in shown
    assert shown.index("German: “Der") < shown.index("English: “The stack is")


def test_two_languages_stand_above_the_answers_that_are_compared() -> None:
    for verdict in ("translated", NO_FINDING):
        out = io.StringIO()
        compared = replace(TRANSLATED, verdict=verdict)
        print_comparison(Comparison(compared, GERMAN, ENGLISH, 300), out)
        shown = out.getvalue()
        assert "l · ann · German" in shown
        assert "r · bob · English" in shown
        assert "{1 …} the same in the other language" in shown
    assert "German" not in print_compared()


def test_a_narrow_terminal_leaves_room_for_the_evidence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("searchkit.output.console.FILE_WIDTH", 80)
    result = replace(listed([TRANSLATED], []), texts={"l": GERMAN, "r": ENGLISH})
    lines = printed(result).splitlines()
    table = lines[[line.split()[:3] == ["#", "verdict", "answers"] for line in lines].index(True) :]
    assert 80 - table[0].index("evidence") >= 38
    assert max(map(len, lines)) <= 80
    assert " ".join(table[2].split()[:2]) == "1 translated"


def test_a_sentence_is_one_line_of_a_file() -> None:
    reason = "word " * 40 + "end."
    out = io.StringIO()
    print_comparison(Comparison(replace(TRANSLATED, reason=reason), GERMAN, ENGLISH, 300), out)
    assert f"Translated: {reason}" in out.getvalue().splitlines()
