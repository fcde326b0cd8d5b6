"""Equal answers: what several authors wrote word for word, shown whatever chance explains."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from searchkit.core.messages import counted
from searchkit.plagiarism.evidence.verdicts import MIN_IDENTICAL, same_words
from searchkit.plagiarism.preparation import Boilerplate, PreparedAnswer, QuestionAnswers
from searchkit.plagiarism.records import EqualGroup, Finding

COMMON_SHARE = 0.1  # of a question's authors who wrote the same words, which then are common
MIN_COMMON_AUTHORS = 3  # two authors are a pair, in however small a class

Information = Callable[[QuestionAnswers, Sequence[PreparedAnswer]], float]
"""Returns the information of the words of equal answers to a question, in nats."""


def find_equal(
    groups: Iterable[QuestionAnswers],
    findings: Sequence[Finding],
    *,
    wanted: set[str] | None = None,
    information: Information | None = None,
) -> list[EqualGroup]:
    """Find the answers by different authors to one question that have the same words.

    Case, punctuation, hidden characters and names in code make no difference.

    Args:
        groups: The answers to each question.
        findings: Of all questions.
        wanted: Ids: a group has at least one of these answers. None: all answers.
        information: Computes the groups' information; None: it is unknown.

    Returns:
        Those that are common last, of the others the one with most information or words first.
    """
    rights: dict[str, list[str]] = defaultdict(list)  # of the findings, by their left answer
    for finding in findings:
        rights[finding.left].append(finding.right)
    found: list[EqualGroup] = []
    for group in groups:
        texts = (*group.texts, *group.short)
        class_size = len({_author(text) for text in texts if not text.is_earlier})
        for members in _members(texts, group.boilerplate, wanted):
            nats = information(group, members) if information else None
            found.append(_equal_group(group, members, class_size, nats, rights))
    return sorted(found, key=_by_weight)


def _by_weight(group: EqualGroup) -> tuple[object, ...]:
    return group.is_common, -(group.nats or 0), -group.words, group.question or "", group.answers


def _members(
    answers: Iterable[PreparedAnswer], boilerplate: Boilerplate, wanted: set[str] | None
) -> Iterator[list[PreparedAnswer]]:
    """Yield the answers of each group, one for an author, the one that counts if it is there."""
    same: dict[bytes, list[PreparedAnswer]] = defaultdict(list)
    for text in answers:
        same[text.words.hashes.tobytes()].append(text)
    for texts in same.values():
        if len(texts) < 2 or not (wanted is None or any(t.answer.id in wanted for t in texts)):
            continue
        texts.sort(key=lambda text: (text.is_earlier, text.is_draft, text.answer.id))
        by_author: dict[object, PreparedAnswer] = {}
        for text in texts:
            by_author.setdefault(_author(text), text)
        is_group = len(by_author) > 1 and not texts[0].is_earlier
        if is_group and boilerplate.count_own_words(texts[0]) >= MIN_IDENTICAL:
            yield list(by_author.values())


def _author(text: PreparedAnswer) -> tuple[bool, str]:
    """Return what tells authors apart; answers without an author are by different ones."""
    return (True, text.author) if text.author is not None else (False, text.answer.id)


def _equal_group(
    group: QuestionAnswers,
    members: Sequence[PreparedAnswer],
    class_size: int,
    nats: float | None,
    rights: Mapping[str, Sequence[str]],
) -> EqualGroup:
    count = sum(not text.is_earlier for text in members)
    is_common = count >= max(MIN_COMMON_AUTHORS, COMMON_SHARE * class_size)
    ids = [text.answer.id for text in members]
    inside = set(ids)
    words = group.boilerplate.count_own_words(members[0])
    return EqualGroup(
        question=group.question,
        answers=tuple(ids),
        authors=tuple(text.answer.author for text in members),
        words=words,
        nats=None if nats is None else round(nats, 1),
        share=round(count / class_size, 6),
        is_common=is_common,
        findings=tuple(
            (left, right) for left in ids for right in rights.get(left, ()) if right in inside
        ),
        reason=_reason(members, words, count, class_size),
        remarks=tuple(remark for text in members for remark in text.remarks()),
    )


def _reason(members: Sequence[PreparedAnswer], words: int, count: int, class_size: int) -> str:
    earlier = len(members) - count
    and_earlier = f" and {counted(earlier, 'earlier one')}" if earlier else ""
    return (
        f"{same_words(members, words)}, by {count:,} of {counted(class_size, 'author')}"
        f"{and_earlier}."
    )
