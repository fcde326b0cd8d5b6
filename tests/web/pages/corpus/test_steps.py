"""What to do next: three cards, by what is open."""

from __future__ import annotations

import pytest

from searchkit.grading.marking.progress import Progress
from searchkit.web.pages.corpus.overview import FindingCounts
from searchkit.web.pages.corpus.steps import MAX_STEPS, OpenWork

DONE, BEGUN, UNTOUCHED = Progress(9, 9, 0), Progress(9, 4, 0), Progress(9, 0, 0)
NONE_FOUND = FindingCounts(0, 0, 0, 0)
NONE_YET = FindingCounts(0, 0, 0, 0, are_all=False)
DECIDED = FindingCounts(5, 0, 0, 2)


@pytest.mark.parametrize(
    ("findings", "progress", "titles"),
    [
        (NONE_YET, None, ["Copies are being looked for", "Add answers or marks"]),
        (NONE_YET, {"q1": BEGUN}, ["Grade q1", "Copies are being looked for"]),
        (FindingCounts(9, 1, 0, 8, are_all=False), None,
         ["Review 1 finding so far", "Add answers or marks"]),
        (FindingCounts(9, 0, 0, 9, are_all=False), None,
         ["Copies are being looked for", "Add answers or marks"]),
        (FindingCounts(9, 1, 0, 0), None, ["Review 1 finding", "Add answers or marks"]),
        (FindingCounts(9, 4, 2, 1), {"q1": DONE, "q2": UNTOUCHED, "q3": BEGUN},
         ["Review 4 findings", "Ask about 2 findings", "Grade q3"]),
        (FindingCounts(9, 0, 1, 8), {"q1": DONE}, ["Ask about 1 finding", "Save the report"]),
        (NONE_FOUND, {"q1": UNTOUCHED, "q2": UNTOUCHED}, ["Grade q1", "Add answers or marks"]),
        (DECIDED, {"q1": DONE}, ["Save the report", "Save the marks", "Add answers or marks"]),
        (NONE_FOUND, {"q1": DONE}, ["Save the marks", "Add answers or marks"]),
        (NONE_FOUND, {"": UNTOUCHED}, ["Grade the answers", "Add answers or marks"]),
        (NONE_FOUND, {}, ["Add answers or marks"]),
    ],
)  # fmt: skip
def test_the_steps_follow_from_what_is_open(
    findings: FindingCounts, progress: dict[str, Progress] | None, titles: list[str]
) -> None:
    steps = OpenWork(findings, progress).next_steps()
    assert [step.title for step in steps][: len(titles)] == titles
    assert len(steps) == MAX_STEPS
    assert len({step.address for step in steps}) == MAX_STEPS


def test_an_address_quotes_a_question() -> None:
    (step, *_) = OpenWork(NONE_FOUND, {"a & b": BEGUN}).next_steps()
    assert step.address == "/grade?question=a+%26+b"
