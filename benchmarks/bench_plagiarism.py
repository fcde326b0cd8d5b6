"""Plagiarism: what is found, and how often wrongly: `python benchmarks/bench_plagiarism.py [PART]`.

Parts: `honest` (SemEval-2013 and SAF), `demo` (what is planted there), `copies` (made of SAF's
answers, by kind and strength), `class` (half or more of a class copies one answer), `contamination`
(the same by size, share and way), `code` (Java programs by level), `fdr` (the share of a list that
is by chance), `verdicts` (how often they are the kind of a copy), `time`. Against two measures
alone: the cosine of the whole answers, and containment (shared word trigrams, of the shorter
answer's). Each of these gets the threshold at which it flags as many questions of SemEval-2013 and
SAF as searchkit does.
"""

from __future__ import annotations

import csv
import json
import random
import resource
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import copied_programs
import numpy as np
from contamination import DEGREES, degraded, print_contamination
from copies import KINDS, STRENGTHS, Synonyms, revise, synonyms
from discovery_rates import NO_LIMIT, Listed, print_head, print_rates
from machine import DEMO, ROOT, SHARED, heading
from numpy.typing import NDArray
from verdicts import print_verdicts

from searchkit.core.arrays import unit_rows
from searchkit.encoding.encoder import Encoder
from searchkit.encoding.loading import load_encoder
from searchkit.plagiarism.detector import Detector, PairSignificance
from searchkit.plagiarism.likeness.measures import Background
from searchkit.plagiarism.preparation import (
    PreparedAnswer,
    QuestionAnswers,
    embed_answers,
    group_by_question,
)
from searchkit.plagiarism.records import Finding
from searchkit.sources.reader import read_answers
from searchkit.text.words import Words, sequences

Values = NDArray[np.float64]
MEASURES = ("searchkit", "cosine", "containment")
PARTS = ("honest", "demo", "copies", "class", "contamination", "code", "fdr", "verdicts", "time")
MIN_CLASS = 6  # answers to a question in which copies are planted for `fdr`


class Embedding:
    """Embeds each sentence once for all parts."""

    def __init__(self, encoder: Encoder) -> None:
        self.encoder = encoder
        self._known: dict[str, NDArray[np.float32]] = {}

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Give unit vectors."""
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        if new:
            self._known.update(zip(new, unit_rows(self.encoder.encode(new), new), strict=True))
        return np.stack([self._known[text] for text in texts])


@dataclass
class Corpus:
    """The answers of a file, by question."""

    groups: list[QuestionAnswers]
    background: Background

    @classmethod
    def read(cls, path: Path, encoder: Encoder) -> Corpus:
        """Read, cut and embed."""
        texts = embed_answers(list(read_answers([path])), encoder)
        groups = group_by_question(texts, "question", "")
        return cls(groups, Background.of([text.words for text in texts]))


@dataclass
class Looked:
    """Every pair of a question, by three measures, and what searchkit finds there."""

    judged: PairSignificance
    scores: dict[str, Values]
    found: set[tuple[int, int]]

    def at(self, pairs: set[tuple[int, int]]) -> NDArray[np.bool_]:
        """Say which of the judged pairs are among these."""
        both = zip(self.judged.left.tolist(), self.judged.right.tolist(), strict=True)
        return np.array([pair in pairs for pair in both], bool)


def find_all(detector: Detector, groups: Sequence[QuestionAnswers]) -> list[Finding]:
    """Return the findings of all questions."""
    findings = []
    for group in groups:
        if group.is_small:
            detector.set_aside(group)
        else:
            findings += detector.find(group)
    return findings + detector.find_set_aside()


def look(group: QuestionAnswers, background: Background, embed: Embedding) -> Looked:
    """Judge a question's pairs."""
    detector = Detector(embed, background, max_expected=0.05)
    judged = detector.judge(group)
    findings = find_all(detector, [group])
    number = {text.answer.id: n for n, text in enumerate(group.texts)}
    vectors = np.stack([text.vector for text in group.texts])
    scores = {
        "searchkit": -np.log(np.maximum(judged.expected, 1e-300)),
        "cosine": np.einsum("pd,pd->p", vectors[judged.left], vectors[judged.right]),
        "containment": containment(group.texts, judged),
    }
    found = {(number[f.left], number[f.right]) for f in findings}
    return Looked(judged, scores, found)


def containment(texts: Sequence[PreparedAnswer], judged: PairSignificance) -> Values:
    """Give the share of the shorter answer's distinct word trigrams that stand in the other."""
    grams = [trigrams(text.words) for text in texts]
    return np.array([
        len(grams[i] & grams[j]) / max(1, min(len(grams[i]), len(grams[j])))
        for i, j in zip(judged.left.tolist(), judged.right.tolist(), strict=True)
    ])  # fmt: skip


def trigrams(words: Words) -> set[int]:
    """Give the hashes of the distinct sequences of three."""
    return set(sequences(words, (3, 3))[0].tolist())


def area(positive: Values, negative: Values) -> float:
    """Give the area under the ROC curve."""
    order = np.sort(negative)
    below = np.searchsorted(order, positive, "left") + np.searchsorted(order, positive, "right")
    return float(below.mean() / 2 / len(order))


# -- honest answers, and the thresholds of the others -----------------------------------------


def same_person(finding: Finding) -> bool:
    """Say whether SemEval's ids name the same subject twice."""
    left, right = (i.rsplit(".", 1)[0] for i in (finding.left, finding.right))
    return left == right and ".sbj" in left


def honest(encoder: Encoder, embed: Embedding, *, table: bool = True) -> dict[str, float]:
    """Print how many questions of honest answers are flagged; give the others' thresholds."""
    flagged, best = 0, {"cosine": [], "containment": []}
    if table:
        print("| corpus | questions | with a finding | findings | without second tries |")
        print("|---|---:|---:|---:|---:|")
    for name in ("semeval2013-train.csv", "saf-train.csv"):
        corpus = Corpus.read(SHARED / name, encoder)
        detector = Detector(embed, corpus.background, max_expected=0.05)
        compared = [group for group in corpus.groups if group.count_pairs()]
        for group in compared:
            looked = look(group, corpus.background, embed)
            for measure, values in best.items():
                values.append(float(looked.scores[measure].max()))
        findings = find_all(detector, compared)
        questions = {f.question for f in findings}
        others = {f.question for f in findings if not same_person(f)}
        flagged += len(questions)
        if table:
            print(f"| {name} | {len(compared)} | {len(questions)} | {len(findings)} | "
                  f"{len(others)} |")  # fmt: skip
    return {name: sorted(values)[-flagged] for name, values in best.items()}


# -- copies --------------------------------------------------------------------------------------


def rows_of(
    title: str, looks: Sequence[tuple[Looked, set[tuple[int, int]], set[tuple[int, int]]]],
    thresholds: dict[str, float],
) -> None:  # fmt: skip
    """Print AUC and recall of planted pairs; each look has planted pairs, and pairs left out."""
    cells = []
    for measure in MEASURES:
        areas, hits, count = [], 0, 0
        for looked, planted, left_out in looks:
            ours, rest = looked.at(planted), ~looked.at(planted | left_out)
            values = looked.scores[measure]
            if ours.any() and rest.any():
                areas.append(area(values[ours], values[rest]))
            if measure == "searchkit":
                hits += len(planted & looked.found)
            else:
                hits += int((values[ours] >= thresholds[measure]).sum())
            count += int(ours.sum())
        cells += [f"{np.mean(areas):.3f}", f"{hits / max(1, count):.2f}"]
    print(f"| {title} | {count} | " + " | ".join(cells) + " |", flush=True)


def head(what: str) -> None:
    """Print the head of a table."""
    both = " | ".join(f"{name}, AUC | recall" for name in MEASURES)
    print(f"\n| {what} | pairs | {both} |\n|---|" + "---:|" * 7)


def demo(encoder: Encoder, embed: Embedding, thresholds: dict[str, float]) -> None:
    """Print what is found of the copies planted in the demo corpus."""
    corpus = Corpus.read(DEMO, encoder)
    kinds: dict[str, set[frozenset[str]]] = defaultdict(set)
    with (DEMO.parent / "planted.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            kinds[row["kind"]].add(frozenset((row["copy"], row["source"])))
    planted = set().union(*(pairs for kind, pairs in kinds.items() if kind != "honest"))
    looks = [(group, look(group, corpus.background, embed)) for group in corpus.groups]
    head("demo corpus")

    def numbered(group: QuestionAnswers, pairs: set[frozenset[str]]) -> set[tuple[int, int]]:
        ids = [text.answer.id for text in group.texts]
        return {
            (min(a, b), max(a, b))
            for a, b in (sorted(ids.index(i) for i in p) for p in pairs if p <= set(ids))
        }

    for kind in ("exact", "near", "light", "mosaic", "heavy", "honest"):
        rows = [
            (looked, numbered(group, kinds[kind]), numbered(group, planted))
            for group, looked in looks
        ]
        title = "honest look-alikes" if kind == "honest" else kind
        rows_of(title, [row for row in rows if row[1]], thresholds)


def copies(encoder: Encoder, embed: Embedding, thresholds: dict[str, float]) -> None:
    """Print what is found of copies made of SAF's answers: four in each question."""
    corpus = Corpus.read(SHARED / "saf-train.csv", encoder)
    near = synonyms([t.answer.text for g in corpus.groups for t in g.texts], embed)
    head("kind and strength")
    for kind in KINDS:
        for strength in STRENGTHS:
            looks = []
            for group in corpus.groups:
                chance = random.Random(f"{kind}{strength}{group.question}")
                order = list(range(len(group.texts)))
                chance.shuffle(order)
                texts, planted = list(group.texts), set()
                for source, copier in zip(order[:8:2], order[1:8:2], strict=True):
                    text = texts[source].answer.text
                    own = texts[copier].answer.text
                    copy = revise(text, kind, strength, chance, own, near)
                    texts[copier] = rewritten(texts[copier], copy, embed)
                    planted.add((min(source, copier), max(source, copier)))
                changed = replace(group, texts=texts)
                looks.append((look(changed, corpus.background, embed), planted, set()))
            rows_of(f"{kind} {strength}", looks, thresholds)


def rewritten(text: PreparedAnswer, new: str, embed: Embedding) -> PreparedAnswer:
    """Let the author of an answer have written another text."""
    vectors = embed([new])
    return PreparedAnswer(replace(text.answer, text=new), vectors[0], [(0, len(new))], vectors)


def crowd(encoder: Encoder, embed: Embedding, thresholds: dict[str, float]) -> None:
    """Print what is found where half of twenty, or 70 %, copy the same answer, in three degrees."""
    corpus = Corpus.read(SHARED / "saf-train.csv", encoder)
    near = synonyms([t.answer.text for g in corpus.groups for t in g.texts], embed)
    for title, ends in {"half of a class": (5, 9, 12), "70 % of a class": (6, 11, 15)}.items():
        looks: dict[str, list[tuple[Looked, set[tuple[int, int]], set[tuple[int, int]]]]] = {
            degree: [] for degree in DEGREES
        }
        for group in corpus.groups:
            chance = random.Random(
                f"{group.question}{title[:4]}" if "%" in title else group.question
            )
            texts = chance.sample(group.texts, 20)
            texts.sort(key=lambda text: -len(text.words))
            source = texts[0].answer.text
            members = dict(zip(DEGREES, map(range, (1, *ends[:2]), ends), strict=True))
            for degree, numbers in members.items():
                for n in numbers:
                    copy = degraded(source, texts[n].answer.text, degree, chance, near)
                    texts[n] = rewritten(texts[n], copy, embed)
            looked = look(replace(group, texts=texts), corpus.background, embed)
            among = {(i, j) for i in range(ends[-1]) for j in range(i + 1, ends[-1])}
            for degree, numbers in members.items():
                looks[degree].append((looked, {(0, n) for n in numbers}, among))
        head(f"{title}, one source")
        for degree, rows in looks.items():
            rows_of(degree, rows, thresholds)


def contamination(encoder: Encoder, embed: Embedding, thresholds: dict[str, float]) -> None:
    """Print what is found in classes of which a share has copied; see `contamination`."""
    paths = {"SAF": SHARED / "saf-train.csv", "SemEval": SHARED / "semeval2013-train.csv"}
    for name, path in (paths | {"demo": DEMO}).items():
        corpus = Corpus.read(path, encoder)
        near = synonyms([t.answer.text for g in corpus.groups for t in g.texts], embed)

        def find(
            group: QuestionAnswers, background: Background = corpus.background
        ) -> list[Finding]:
            return find_all(Detector(embed, background, max_expected=0.05), [group])

        print_contamination(
            name, corpus.groups, near, lambda t, new: rewritten(t, new, embed), find
        )


# -- the share of a list that is by chance ---------------------------------------------------------


def rates(encoder: Encoder, embed: Embedding, thresholds: dict[str, float]) -> None:
    """Print how much of a list is by chance in corpora drawn from SemEval-2013's questions."""
    corpus = Corpus.read(SHARED / "semeval2013-train.csv", encoder)
    groups = [group for group in corpus.groups if group.count_answers() >= MIN_CLASS]
    honest_ones = listed(groups, {}, corpus.background, embed)
    near = synonyms([t.answer.text for g in groups for t in g.texts], embed)
    changed, planted = [], {}
    for group in groups:
        texts, planted[group.question] = with_copies(group, near, embed)
        changed.append(replace(group, texts=texts))
    copied_ones = listed(changed, planted, corpus.background, embed)
    print_head()
    for share in (0.0, 0.1, 0.5):
        print_rates(share, honest_ones, copied_ones)


def with_copies(
    group: QuestionAnswers, near: Synonyms, embed: Embedding
) -> tuple[list[PreparedAnswer], set[frozenset[str]]]:
    """Let two answers be light or heavy revisions of two others."""
    chance = random.Random(f"rates{group.question}")
    texts, planted = list(group.texts), set()
    order = chance.sample(range(len(texts)), 4)
    for source, copier, strength in ((*order[:2], 0.2), (*order[2:], 0.4)):
        own = texts[copier].answer.text
        copy = revise(texts[source].answer.text, "all", strength, chance, own, near)
        texts[copier] = rewritten(texts[copier], copy, embed)
        planted.add(frozenset((texts[source].answer.id, texts[copier].answer.id)))
    return texts, planted


def listed(
    groups: Sequence[QuestionAnswers], planted: dict[str | None, set[frozenset[str]]],
    background: Background, embed: Embedding,
) -> list[Listed]:  # fmt: skip
    """Judge questions; second attempts of SemEval's subjects are left out."""
    detector = Detector(embed, background, max_expected=NO_LIMIT)
    found: dict[str | None, list[tuple[float, bool]]] = defaultdict(list)
    for finding in find_all(detector, groups):
        pair = frozenset((finding.left, finding.right))
        if finding.expected is not None and not same_person(finding):
            is_false = pair not in planted.get(finding.question, set())
            found[finding.question].append((finding.expected, is_false))
    return [
        Listed(
            group.count_pairs(),
            np.array([e for e, _ in found[group.question]]),
            np.array([f for _, f in found[group.question]], bool),
        )
        for group in groups
    ]


def timing() -> None:
    """Print seconds and memory of the whole command, on SemEval-2013 and on alpaca if indexed.

    `searchkit ingest ../shared/data/alpaca-answers.jsonl.gz -i .bench/corpora/alpaca` takes hours.
    """
    command = [sys.executable, "-m", "searchkit"]
    print("\n| index | answers compared | `plagiarism`, whole process | peak memory |")
    print("|---|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "index"
        source = SHARED / "semeval2013-train.csv"
        subprocess.run([*command, "ingest", "-q", "-i", folder, source], check=True,
                       stdout=subprocess.DEVNULL)  # fmt: skip
        for index in (folder, ROOT / ".bench" / "corpora" / "alpaca"):
            if not index.exists():
                continue
            script = (
                "import json, sys, time, resource; started = time.perf_counter()\n"
                "from searchkit import Index, find_plagiarism\n"
                "with Index.open(sys.argv[1]) as index: found = find_plagiarism(index)\n"
                "peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20\n"
                "print(json.dumps([found.answers, time.perf_counter() - started, peak]))"
            )
            run = subprocess.run([sys.executable, "-c", script, index], check=True,
                                 capture_output=True, text=True)  # fmt: skip
            answers, seconds, peak = json.loads(run.stdout)
            name = "SemEval-2013" if index == folder else "alpaca-answers"
            print(f"| {name} | {answers:,} | {seconds:.1f} s | {peak:.2f} GiB |", flush=True)


def main(parts: Sequence[str]) -> None:
    """Print the tables."""
    if not SHARED.is_dir():
        raise SystemExit("needs the real corpora in ../shared/data, which are not here")
    print(heading() + "\n")
    encoder = load_encoder()
    embed = Embedding(encoder)
    thresholds = honest(encoder, embed, table="honest" in parts)
    print("\nthresholds at that rate: " + ", ".join(f"{k} {v:.3f}" for k, v in thresholds.items()))
    for part, run in {
        "demo": demo,
        "copies": copies,
        "class": crowd,
        "contamination": contamination,
        "fdr": rates,
    }.items():
        if part in parts:
            run(encoder, embed, thresholds)
    if "code" in parts:
        copied_programs.code()
    if "verdicts" in parts:
        print_verdicts(embed)
    if "time" in parts:
        timing()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"\npeak memory of this script {peak:.2f} GiB")


if __name__ == "__main__":
    main(sys.argv[1:] or PARTS)
