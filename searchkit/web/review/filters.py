"""What the address of the review page says: which findings are listed, and in which order."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, BaseModel, Field

from searchkit.index.records import DecisionStatus
from searchkit.plagiarism.records import VERDICTS

SortColumn = Literal["strength", "question", "verdict", "author", "time", "decision"]
MAX_TEXT_LENGTH = 1_000  # characters that are searched for


def _check_names(allowed: tuple[str, ...]) -> AfterValidator:
    """Return a check that a field holds nothing but these names, with commas between."""

    def check(text: str) -> str:
        if unknown := sorted(_names(text) - set(allowed)):
            raise ValueError(f"there is no {unknown[0]!r}; there are {', '.join(allowed)}, all")
        return text

    return AfterValidator(check)


def _names(text: str) -> set[str]:
    """Return names with commas between; `all` is the same as none."""
    return {part.strip() for part in text.split(",")} - {"", "all"}


class ReviewAddress(BaseModel):
    """The fields of the review page's address; each narrows the list, or says what is shown.

    Attributes:
        question: Only findings in this question; empty: in none.
        author: Only findings with an answer by this author.
        verdict: Only findings with one of these verdicts, with commas between; empty: with any.
        show: Only findings about which this was decided, likewise.
        text: Only findings in which each of these words occurs.
        sort: The column that the list is sorted by; with a minus before it, the last one first.
        left: The left answer of the finding that is shown, if it isn't the first one to decide.
        right: Its right answer.
        view: Where there is no room for both: the list, or the finding.
    """

    question: str | None = None
    author: str | None = None
    verdict: Annotated[str, _check_names(tuple(VERDICTS))] = ""
    show: Annotated[str, _check_names(get_args(DecisionStatus))] = ""
    text: Annotated[str, Field(max_length=MAX_TEXT_LENGTH)] = ""
    sort: Annotated[str, Field(pattern=f"^-?({'|'.join(get_args(SortColumn))})$")] = "strength"
    left: str | None = None
    right: str | None = None
    view: Literal["list", "finding"] = "finding"

    @property
    def verdicts(self) -> set[str]:
        """The verdicts of which findings are listed; empty: any."""
        return _names(self.verdict)

    @property
    def decisions(self) -> set[str]:
        """The decisions about which findings are listed; empty: any."""
        return _names(self.show)
