"""The rows of the table of findings: filters, order, counts; against plain loops over findings."""

from __future__ import annotations

from itertools import pairwise

import pytest
from pydantic import ValidationError

from searchkit import Answer
from searchkit.core.results import Results
from searchkit.index.records import Decision, DecisionStatus
from searchkit.pages.pseudonyms import Pseudonyms
from searchkit.plagiarism.records import Finding, PlagiarismResult
from searchkit.web.review.filters import ReviewAddress
from searchkit.web.review.rows import findings_table

TIMES = ["2025-03-02T10:00", "2025-03-01T23:00-05:00", "", "3 March 2025, 4:00 PM"]


def finding(n: int, question: str | None, verdict: str, expected: float | None) -> Finding:
    return Finding(
        left=f"a{n}",
        right=f"b{n}",
        question=question,
        verdict=verdict,
        score=0.9,
        semantic=0.9,
        verbatim=0.5,
        expected=expected,
        passages=(),
        reason="",
    )


def answers(n: int, question: str | None) -> list[Answer]:
    return [
        Answer(f"a{n}", f"Text {n} of a LOOP", question, f"s{n % 3}", submitted_at=TIMES[n % 4]),
        Answer(f"b{n}", "and Straße", question, "S0" if n else None, submitted_at=TIMES[0]),
    ]


@pytest.fixture
def result() -> PlagiarismResult:
    """Return eight findings in four questions, one without a name, and three decisions."""
    questions = ["q2", "q10", "q1", None]
    verdicts = ["identical", "near copy", "light revision"]
    findings = [
        finding(n, questions[n % 4], verdicts[n % 3], None if n == 7 else 1e-5 * 7**n)
        for n in range(8)
    ]
    statuses: list[DecisionStatus] = ["confirmed", "asked", "dismissed"]
    decisions = {
        (f"a{n}", f"b{n}"): Decision(n + 1, f"a{n}", f"b{n}", status, f"note {n}", "2025-03-04")
        for n, status in enumerate(statuses)
    }
    texts = {one.id: one for n in range(8) for one in answers(n, questions[n % 4])}
    return PlagiarismResult(
        findings=Results(findings),
        rings=Results([]),
        answers=16,
        short=0,
        pairs=100,
        questions=4,
        pooled=[],
        by_passages=False,
        texts=texts,
        decisions=decisions,
    )


def listed(result: PlagiarismResult, **address: str) -> list[int]:
    table = findings_table(result, ReviewAddress(**address), None)
    return [row.number for row in table.rows if row.number in table.listed]


def test_every_filter_lists_what_has_it_and_all_of_them_together(result: PlagiarismResult) -> None:
    assert listed(result) == [1, 2, 3, 4, 5, 6, 7, 8]
    assert listed(result, question="q2") == [1, 5]
    assert listed(result, question="") == [4, 8]  # those without a question
    assert listed(result, verdict="identical, near copy") == [1, 2, 4, 5, 7, 8]
    assert listed(result, show="open") == [4, 5, 6, 7, 8]
    assert listed(result, show="asked,dismissed") == [2, 3]
    assert listed(result, show="all") == listed(result)
    assert listed(result, author="s1") == [2, 5, 8]
    assert listed(result, author="s1", show="open", verdict="near copy") == [5, 8]


def test_an_author_is_found_in_any_spelling_and_has_one_option(result: PlagiarismResult) -> None:
    table = findings_table(result, ReviewAddress(author="S0"), None)
    assert table.authors == [("b0", 1), ("s0", 8), ("s1", 3), ("s2", 2)]
    assert listed(result, author="S0") == listed(result, author="s0") == [1, 2, 3, 4, 5, 6, 7, 8]


@pytest.mark.parametrize(
    ("text", "numbers"),
    [("loop", [1, 2, 3, 4, 5, 6, 7, 8]), ("TEXT 4", [5]), ("strasse q10", [2, 6]),
     ("note", [1, 2, 3]), ("note b2", [3]), ("b6", [7]), ("zebra", []), ("  ", [*range(1, 9)])],
)  # fmt: skip
def test_words_are_looked_for_in_answers_names_and_notes(
    result: PlagiarismResult, text: str, numbers: list[int]
) -> None:
    assert listed(result, text=text) == numbers


def test_columns_sort_both_ways_and_equal_ones_stay_in_order(result: PlagiarismResult) -> None:
    assert listed(result, sort="-strength") == [8, 7, 6, 5, 4, 3, 2, 1]
    assert listed(result, sort="question") == [4, 8, 3, 7, 1, 5, 2, 6]
    assert listed(result, sort="verdict") == [1, 4, 7, 2, 5, 8, 3, 6]
    assert listed(result, sort="-verdict") == [3, 6, 2, 5, 8, 1, 4, 7]
    assert listed(result, sort="decision") == [4, 5, 6, 7, 8, 1, 2, 3]
    assert listed(result, sort="time") == [1, 2, 5, 6, 4, 8, 3, 7]  # unknown ones last
    assert listed(result, sort="-time") == [4, 8, 1, 2, 5, 6, 3, 7]
    rows = findings_table(result, ReviewAddress(sort="author"), None).rows
    order = ["b0", "s0", "s1", "s2"]
    keys = [sorted(map(order.index, row.authors)) for row in rows]
    assert all(one <= other for one, other in pairwise(keys))


def test_counts_of_verdicts_follow_the_other_filters(result: PlagiarismResult) -> None:
    table = findings_table(result, ReviewAddress(show="open", verdict="identical"), None)
    assert table.verdicts == {"identical": 2, "near copy": 2, "light revision": 1}
    assert table.decisions == {"open": 5, "confirmed": 1, "asked": 1, "dismissed": 1}
    assert table.questions == [("", 2), ("q1", 2), ("q2", 2), ("q10", 2)]


def test_the_first_to_decide_is_the_first_open_one_of_the_list(result: PlagiarismResult) -> None:
    def first(**address: str) -> int:
        row = findings_table(result, ReviewAddress(**address), None).first_to_decide()
        return row.number if row else 0

    assert first() == 4
    assert first(sort="-strength") == 8
    assert first(show="asked") == 2  # none is open
    assert first(text="zebra") == 0


def test_rows_of_hidden_names_have_no_name_and_are_filtered_by_pseudonyms(
    result: PlagiarismResult,
) -> None:
    names = Pseudonyms(result.texts.values(), replace=True)
    rows = findings_table(result, ReviewAddress(), names).rows
    assert {name for row in rows for name in row.authors} == {
        "answer 2", "author 1", "author 2", "author 3",
    }  # fmt: skip
    alias = rows[1].authors[0]
    table = findings_table(result, ReviewAddress(author=alias), names)
    assert table.listed == {2, 5, 8}


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [("show", "magic", "no 'magic'"), ("verdict", "identical,magic", "no 'magic'"),
     ("sort", "--time", "pattern"), ("sort", "mark", "pattern"), ("view", "map", "list"),
     ("text", "x" * 1_001, "1000")],
)  # fmt: skip
def test_what_no_address_says_is_refused(field: str, value: str, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        ReviewAddress(**{field: value})
