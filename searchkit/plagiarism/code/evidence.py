"""Evidence: what a person can read in two programs that are much alike, and the verdict."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from searchkit.core.messages import counted, printable
from searchkit.plagiarism.code.comparison import ComparedPrograms
from searchkit.plagiarism.code.features import Feature, of_text, words_of
from searchkit.plagiarism.code.programs import Program
from searchkit.plagiarism.overlap import TokenRun, coverage, shared_runs
from searchkit.plagiarism.records import NO_FINDING, Overlap

# The lowest shares of the shorter program's tokens that stand in the other in the same order.
NEAR_COPY = 0.75
LIGHT_REVISION = 0.35
MIN_INFORMATION = 1.5  # nats of a text, number or name that is told as rare: one program in five
MAX_RARE_SHOWN = 3
MAX_QUOTED = 60  # characters of a text


def runs_of_code(left: Program, right: Program) -> list[TokenRun]:
    """Return the longest runs of tokens that are the same but for names and literals."""
    return shared_runs(left.code, right.code)


def passages_of(left: Program, right: Program, runs: Sequence[TokenRun]) -> tuple[Overlap, ...]:
    """Return the runs of code, and those of comments, in the order of the left program."""
    prose = shared_runs(left.prose, right.prose)
    passages = [
        Overlap(one.span(run.left, run.length), other.span(run.right, run.length), "verbatim", 1.0)
        for one, other, of_both in ((left.code, right.code, runs), (left.prose, right.prose, prose))
        for run in of_both
    ]
    return tuple(sorted(passages, key=lambda passage: (passage.left, passage.right)))


def share_of_code(left: Program, right: Program, runs: Sequence[TokenRun]) -> float:
    """Return the share of the shorter program's tokens that are in the runs, 0 to 1."""
    return min(1.0, coverage(runs, left.code, right.code))


def verdict_of(left: Program, right: Program, share: float) -> str:
    """Return the verdict on two programs.

    Args:
        left: One program.
        right: The other.
        share: From `share_of_code`.
    """
    if _written(left) == _written(right):
        return "identical"
    if share >= NEAR_COPY:
        return "near copy"
    if share >= LIGHT_REVISION:
        return "light revision"
    return "heavy revision" if share else NO_FINDING


def reason_of(
    compared: ComparedPrograms, left: int, right: int, runs: Sequence[TokenRun], share: float
) -> str:
    """Return a sentence or two that describe what two programs have in common.

    Args:
        compared: All programs.
        left: The number of one program.
        right: The number of the other.
        runs: From `runs_of_code`.
        share: From `share_of_code`.
    """
    one, other = compared.programs[left], compared.programs[right]
    clauses = [_same_code(one, other, runs, share), *_same_comments(one, other)]
    rare = _rare_texts(compared, left, right)
    more = f" Both have {_listed(rare)}, which hardly any other program has." if rare else ""
    return "; ".join(clauses) + "." + more


def _written(program: Program) -> list[str]:
    return [token.text for token in program.tokens]


def _same_code(left: Program, right: Program, runs: Sequence[TokenRun], share: float) -> str:
    shorter = min(len(left.tokens), len(right.tokens))
    renamed = _count_renamed(left, right, runs)
    if _written(left) == _written(right):
        same = left.text.split() == right.text.split()
        return f"The same program, {counted(shorter, 'token')}" + (
            "" if same else ", but for comments and white space"
        )
    if left.normal == right.normal:
        what = counted(renamed, "name") if renamed else "literals"
        verb = "renaming" if renamed else "changing"
        return f"The same after {verb} {what}, {counted(shorter, 'token')}"
    longest = max((run.length for run in runs), default=0)
    also = f" after renaming {counted(renamed, 'name')}" if renamed else ""
    return (
        f"{share:.0%} of the shorter program's {counted(shorter, 'token')} stand in the other in "
        f"the same order{also}, the longest stretch {longest:,}"
    )


def _count_renamed(left: Program, right: Program, runs: Sequence[TokenRun]) -> int:
    """Count the names of the left program that have another name in the right one's same place."""
    renamed = set()
    for run in runs:
        for n in range(run.length):
            one, other = left.tokens[run.left + n], right.tokens[run.right + n]
            if one.kind == other.kind == "name" and one.text != other.text:
                renamed.add(one.text)
    return len(renamed)


def _same_comments(left: Program, right: Program) -> Iterator[str]:
    """Yield how many comments of two words or more are the same word for word."""
    one, other = (
        {words for span in program.comments if len(words := _words_of(program, span)) > 1}
        for program in (left, right)
    )
    if same := len(one & other):
        verb = "is" if same == 1 else "are"
        yield f"{counted(same, 'comment')} {verb} the same word for word"


def _words_of(program: Program, span: tuple[int, int]) -> tuple[str, ...]:
    return tuple(word for word, start, _ in program.comment_words if span[0] <= start < span[1])


def _rare_texts(compared: ComparedPrograms, left: int, right: int) -> list[str]:
    """Return the rarest texts, numbers and names that both have, as they are written."""
    rare: dict[str, float] = {}
    for name in ("literals", "names"):
        for feature, information in compared.channels[name].rarest(left, right):
            if information >= MIN_INFORMATION:
                written = _as_written(compared.programs[left], feature)
                rare[written] = max(information, rare.get(written, 0.0))
    whole = [text for text in rare if not any(text != other and text in other for other in rare)]
    return sorted(whole, key=lambda text: -rare[text])[:MAX_RARE_SHOWN]


def _as_written(program: Program, feature: Feature) -> str:
    """Return the token that a feature comes from, and how often it stands there if that counts."""
    kind, *_, value = feature
    if kind in ("number", "name"):
        return str(value)
    texts = (token.text for token in program.tokens if token.kind == "text")
    if kind == "times":
        text = next(text for text in texts if words_of(text) == feature[1])
        return f"{_shortened(text)} {value} times" if value != 1 else _shortened(text)
    return _shortened(next(text for text in texts if feature in of_text(text)))


def _shortened(text: str) -> str:
    return printable(text if len(text) <= MAX_QUOTED else text[:MAX_QUOTED] + "…")


def _listed(texts: Sequence[str]) -> str:
    *others, last = texts
    return f"{', '.join(others)} and {last}" if others else last
