"""What to do next with a corpus, by what is open."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from searchkit.core.messages import counted
from searchkit.grading.marking.progress import Progress
from searchkit.web.pages.corpus.overview import FindingCounts
from searchkit.web.rendering import link

MAX_STEPS = 3  # that are shown


@dataclass(frozen=True, slots=True)
class Step:
    """Something to do next.

    Attributes:
        title: What to do, as a sentence without a full stop.
        text: Why, or what there is.
        label: What the link says.
        address: Where it leads.
    """

    title: str
    text: str
    label: str
    address: str


@dataclass(frozen=True, slots=True)
class OpenWork:
    """What is open.

    Attributes:
        findings: How many findings there are, so far.
        progress: How far each question is graded, by the name under which it is displayed; None
            while that is being counted.
    """

    findings: FindingCounts
    progress: Mapping[str, Progress] | None

    @property
    def to_grade(self) -> list[str]:
        """The questions with answers that have no mark: first those that were begun."""
        progress = self.progress or {}
        left = [name for name, one in progress.items() if one.graded < one.answers]
        return sorted(left, key=lambda name: not progress[name].graded)

    @property
    def unmarked(self) -> int:
        """The number of answers without a mark."""
        return sum(one.answers - one.graded for one in (self.progress or {}).values())

    def next_steps(self) -> list[Step]:
        """Return what to do next, the most useful first."""
        return list(islice(self._steps(), MAX_STEPS))

    def _steps(self) -> Iterator[Step]:
        findings, progress = self.findings, self.progress
        if findings.open:
            so_far = "" if findings.are_all else " so far"
            yield Step(
                f"Review {counted(findings.open, 'finding')}{so_far}",
                "Pairs of answers with more in common than chance explains; read both side by side "
                "and decide.",
                "Review",
                "/review",
            )
        if findings.asked:
            yield Step(
                f"Ask about {counted(findings.asked, 'finding')}",
                "You noted these to ask the students first; decide when you have heard them.",
                "Show them",
                link("/review", show="asked"),
            )
        if progress and (left := self.to_grade):
            name = left[0] or "the answers"
            text = (
                f"{counted(progress[left[0]].answers - progress[left[0]].graded, 'answer')} "
                "without a mark, in groups that say the same."
            )
            yield Step(f"Grade {name}", text, "Grade", link("/grade", question=left[0]))
        if not findings.are_all and not findings.open:
            yield Step(
                "Copies are being looked for",
                "What is found can be reviewed at once.",
                "See how far",
                "/review",
            )
        if findings.are_all and findings.total and not findings.open:
            yield Step(
                "Save the report",
                f"{findings.confirmed:,} of {counted(findings.total, 'finding')} confirmed. One "
                "file, with or without names, for those who decide.",
                "Report",
                "/report",
            )
        if progress and not self.to_grade:
            yield Step(
                "Save the marks",
                "Each answer has a mark. As a table, with all columns.",
                "Marks as CSV",
                link("/api/marks", **{"as": "csv"}),
            )
        yield Step(
            "Add answers or marks",
            "Another file: more answers, later attempts, or marks for the answers that are here.",
            "Upload",
            "/upload",
        )
        yield Step(
            "Read the answers to a question",
            "As a map, in groups, or one by one.",
            "Questions",
            "/questions",
        )
        yield Step(
            "Find an answer",
            "By what it means, or by its words; by question, author or column.",
            "Search",
            "/search",
        )
