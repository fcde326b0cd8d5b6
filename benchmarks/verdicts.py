"""How often the verdict on a copy is its kind: by the share of words alone, and as it is now."""

from __future__ import annotations

import csv
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from copies import Synonyms, revise, synonyms
from machine import DEMO, SHARED

from searchkit.core.records import Answer
from searchkit.plagiarism.evidence.collect import SuspectPair, collect_evidence
from searchkit.plagiarism.preparation import Embed, PreparedAnswer
from searchkit.plagiarism.records import NO_FINDING, VERDICTS, Finding
from searchkit.sources.reader import read_answers

MIN_WORDS = 30  # of an answer that is copied: a shorter one has no stretches to tell kinds by
COPIES = 5  # of each way, in each question
NEAR_COPY, LIGHT_REVISION = 0.75, 0.35  # the lowest shares of words, of the rule by share alone
# What a person does, and the steps that come near it: kind of `copies.KINDS`, and strength.
WAYS = {
    "near copy": [
        [("deletion", 0.05)],
        [("insertion", 0.1)],
        [("reorder", 0.2)],
        [("synonym", 0.05)],
    ],
    "light revision": [
        [("synonym", 0.2)],
        [("synonym", 0.4)],
        [("synonym", 0.4), ("reorder", 0.4)],
        [("synonym", 0.3), ("insertion", 0.2)],
    ],
    "heavy revision": [[("all", 0.8)], [("synonym", 0.9), ("deletion", 0.2), ("reorder", 0.8)]],
}
DEMO_KINDS = {"near": "near copy", "light": "light revision", "heavy": "heavy revision"}
COLUMNS = ("near copy", "light revision", "heavy revision", NO_FINDING)


def by_share(finding: Finding) -> str:
    """Return the verdict by the share of words in the same order alone."""
    if finding.verdict in ("identical", NO_FINDING):
        return finding.verdict
    if finding.verbatim >= NEAR_COPY:
        return "near copy"
    return "light revision" if finding.verbatim >= LIGHT_REVISION else "heavy revision"


def print_verdicts(embed: Embed) -> None:
    """Print a table of kinds and verdicts for the demo corpus and for copies of SAF's answers."""
    columns = " | ".join(COLUMNS)
    print(f"\n| kind | pairs | {columns} | by share alone: {columns} |")
    print("|---|" + "---:|" * (1 + 2 * len(COLUMNS)))
    saf = [a for a in read_answers([SHARED / "saf-train.csv"]) if not a.is_reference]
    for title, pairs in (("demo", _planted()), ("SAF", _made(saf, embed))):
        right, right_by_share, count = 0, 0, 0
        for kind, texts in pairs.items():
            findings = [_finding(*pair, embed) for pair in texts]
            verdicts = Counter(_class(finding.verdict) for finding in findings)
            shares = Counter(_class(by_share(finding)) for finding in findings)
            cells = [verdicts[name] for name in COLUMNS] + [shares[name] for name in COLUMNS]
            print(f"| {title}: {kind} | {len(texts)} | " + " | ".join(map(str, cells)) + " |")
            if kind in VERDICTS:
                right, right_by_share = right + verdicts[kind], right_by_share + shares[kind]
                count += len(texts)
        print(f"| {title}: as the kind | {count} | **{right / count:.0%}** | | | "
              f"| **{right_by_share / count:.0%}** | | | |", flush=True)  # fmt: skip


def _class(verdict: str) -> str:
    return "near copy" if verdict == "identical" else verdict


def _finding(left: str, right: str, embed: Embed) -> Finding:
    rows = embed([left, right])
    texts = [
        PreparedAnswer(Answer(str(n), text), row, [(0, len(text))], row[np.newaxis])
        for n, (text, row) in enumerate(zip((left, right), rows, strict=True))
    ]
    (finding,) = collect_evidence(
        texts, [SuspectPair(0, 1, 0.0)], question=None, leave_out=set(), embed=embed
    )
    return finding


def _planted() -> dict[str, list[tuple[str, str]]]:
    """Return the pairs that are planted in the demo corpus, by kind; prose only."""
    text_of = {answer.id: answer.text for answer in read_answers([DEMO])}
    pairs = defaultdict(list)
    with Path(DEMO.parent / "planted.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            texts = (text_of[row["source"]], text_of[row["copy"]])
            if row["kind"] in DEMO_KINDS and not any("```" in text for text in texts):
                pairs[DEMO_KINDS[row["kind"]]].append(texts)
    return {kind: pairs[kind] for kind in WAYS}


def _made(answers: Sequence[Answer], embed: Embed) -> dict[str, list[tuple[str, str]]]:
    """Return answers with copies of them, by kind, and independent answers to one question."""
    near = synonyms([answer.text for answer in answers], embed)
    by_question: dict[str | None, list[str]] = defaultdict(list)
    for answer in answers:
        if len(answer.text.split()) >= MIN_WORDS:
            by_question[answer.question].append(answer.text)
    chance = random.Random(0)
    pick: Callable[[list[str]], list[str]] = lambda texts: chance.sample(texts, 2)  # noqa: E731
    pairs: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for texts in by_question.values():
        for kind, ways in WAYS.items():
            for steps in ways:
                for _ in range(COPIES):
                    source, own = pick(texts)
                    pairs[kind].append((source, _revised(source, steps, chance, own, near)))
        for _ in range(COPIES):
            source, own = pick(texts)
            pairs["independent"].append((source, own))
    return pairs


def _revised(
    text: str, steps: Sequence[tuple[str, float]], chance: random.Random, own: str, near: Synonyms
) -> str:
    for kind, strength in steps:
        text = revise(text, kind, strength, chance, own, near)
    return text
