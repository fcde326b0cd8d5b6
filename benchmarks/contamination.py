"""Classes in which a share of the students has copied, so that copies are no exception.

Of a class of 8 to 200 answers to one question none, or a share of 10 to 70 %, copies: one source,
several sources, or in chains, each in one of three degrees (near, light, heavy). Every class is
judged by itself, with the words of its whole corpus. In a class of eight chance can't be judged:
what is shown there counts, though it has no number.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from copies import Synonyms, revise

from searchkit.plagiarism.preparation import PreparedAnswer, QuestionAnswers
from searchkit.plagiarism.records import Finding

SIZES = (8, 20, 60, 200)
SHARES = (0.0, 0.1, 0.3, 0.5, 0.7)
WAYS = ("one source", "several sources", "chains")
DEGREES = ("near", "light", "heavy")
MAX_QUESTIONS = 6  # of a corpus, for each size; three of 200 answers
Pair = frozenset[str]
Rewrite = Callable[[PreparedAnswer, str], PreparedAnswer]


@dataclass(frozen=True)
class CopiedClass:
    """A class with copies.

    Attributes:
        group: The answers.
        share: The share of them that are copies.
        planted: The degree of each copy, by the ids of it and of what it was copied from.
        related: The pairs of answers that have a source in common.
    """

    group: QuestionAnswers
    share: float
    planted: dict[Pair, str]
    related: set[Pair]


def degraded(source: str, own: str, degree: str, chance: random.Random, near: Synonyms) -> str:
    """Return a copy of a text in one of three degrees."""
    if degree == "near":
        return revise(source, "deletion", 0.15, chance, own, near)
    if degree == "light":
        copy = revise(source, "synonym", 0.4, chance, own, near)
        return revise(copy, "reorder", 0.4, chance, own, near)
    return revise(source, "all", 0.6, chance, own, near)


def copied_class(
    group: QuestionAnswers, size: int, share: float, way: str, near: Synonyms, rewrite: Rewrite
) -> CopiedClass:
    """Let a share of `size` answers to a question be copies of the longest ones."""
    chance = random.Random(f"{group.question}{size}{share}{way}")
    texts = sorted(chance.sample(group.texts, size), key=lambda text: -len(text.words))
    copies = round(share * size)
    sources = 1 if way == "one source" else max(1, copies // 4)
    families = [[n] for n in range(sources)]
    planted: dict[Pair, str] = {}
    for copier in range(sources, min(size, sources + copies)):
        family = families[copier % sources]
        source = texts[family[-1] if way == "chains" else family[0]]
        degree = chance.choice(DEGREES)
        own = texts[copier].answer.text
        copy = degraded(source.answer.text, own, degree, chance, near)
        texts[copier] = rewrite(texts[copier], copy)
        planted[frozenset((source.answer.id, texts[copier].answer.id))] = degree
        family.append(copier)
    related = {
        frozenset((texts[i].answer.id, texts[j].answer.id))
        for family in families
        for i in family
        for j in family
        if i != j
    }
    return CopiedClass(replace(group, texts=texts), share, planted, related)


def copied_classes(
    groups: Sequence[QuestionAnswers], near: Synonyms, rewrite: Rewrite
) -> Iterator[tuple[int, CopiedClass]]:
    """Yield the classes made of a corpus, with their sizes."""
    for size in SIZES:
        large = [group for group in groups if len(group.texts) >= size]
        for group in large[: MAX_QUESTIONS // 2 if size == SIZES[-1] else MAX_QUESTIONS]:
            for share in SHARES:
                for way in WAYS[:1] if share == 0 else WAYS:
                    yield size, copied_class(group, size, share, way, near, rewrite)


def print_contamination(
    name: str,
    groups: Sequence[QuestionAnswers],
    near: Synonyms,
    rewrite: Rewrite,
    find: Callable[[QuestionAnswers], list[Finding]],
) -> None:
    """Print the recall of copies by degree, and how many classes have other findings."""
    hits: dict[tuple[int, float, str], list[bool]] = defaultdict(list)
    others: dict[tuple[int, float], list[int]] = defaultdict(list)
    for size, made in copied_classes(groups, near, rewrite):
        found = {frozenset((finding.left, finding.right)) for finding in find(made.group)}
        for pair, degree in made.planted.items():
            hits[size, made.share, degree].append(pair in found)
        others[size, made.share].append(len(found - made.related))
    print(f"\n| {name}: answers | copies | near | light | heavy | classes | with other findings |")
    print("|---:|---:|---:|---:|---:|---:|---:|")
    for (size, share), counts in others.items():
        recalls = [hits[size, share, degree] for degree in DEGREES]
        cells = [f"{sum(r) / len(r):.2f}" if r else "" for r in recalls]
        print(f"| {size} | {share:.0%} | {' | '.join(cells)} | {len(counts)} | "
              f"{sum(count > 0 for count in counts)} |", flush=True)  # fmt: skip
