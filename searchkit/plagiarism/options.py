"""The options of plagiarism finding, which travel together."""

from __future__ import annotations

from dataclasses import dataclass

from searchkit.core.errors import BadInput
from searchkit.core.records import By
from searchkit.core.where import EVERYTHING, Where
from searchkit.core.wording import Message
from searchkit.index.base import BaseIndex

MAX_EXPECTED = 0.05


@dataclass(frozen=True, slots=True)
class PlagiarismOptions:
    """What is compared, and what counts as a finding.

    Attributes:
        by: `question`: within each question; `all`: over all answers. None: within questions if
            there are any.
        where: A finding has at least one answer that passes this filter; it is judged against all
            answers to its question.
        template: Text that was handed out, and may be in every answer.
        against: An index of earlier answers, made with the same model. They are compared with the
            new ones, but not with each other.
        max_expected: Upper bound of `expected` for a pair to be reported.
        max_common: The number of answers to a question above which a sequence of words that they
            share is no evidence; None: half of the answers, at least 5.

    Raises:
        BadInput: if a number is out of range.
    """

    by: By | None = None
    where: Where = EVERYTHING
    template: str = ""
    against: BaseIndex | None = None
    max_expected: float = MAX_EXPECTED
    max_common: int | None = None

    def __post_init__(self) -> None:
        if not self.max_expected >= 0:
            raise BadInput(
                Message("`max_expected` must be 0 or more, not {number}", number=self.max_expected)
            )
        if self.max_common is not None and self.max_common < 2:
            raise BadInput(
                Message("`max_common` must be 2 or more, not {number}", number=self.max_common)
            )
