"""Other languages: the multilingual model beside the default one, and languages identified.

Retrieval of translations, copies across languages in the demo corpus, findings, marks and clusters
of English answers with both models, their throughput on short and long texts, and the languages
that texts are taken for. Prints Markdown tables.

    python benchmarks/bench_languages.py [--texts 2000] [--runs 3]
"""

from __future__ import annotations

import argparse
import csv
import random
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import combinations, permutations
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from bench_clustering import agreement as clustering_agreement
from machine import corpus, heading, texts

from searchkit import Index, evaluate_grades, find_plagiarism, ingest, read_answers
from searchkit.clustering.features import cluster_features
from searchkit.clustering.methods import k_means
from searchkit.core.arrays import Bool, Float32, Float64, Int64, unit_rows
from searchkit.demo.corpus import DEMO_ANSWERS, DEMO_LANGUAGES, DEMO_PLANTED, DEMO_TRANSLATIONS
from searchkit.encoding.encoder import Encoder
from searchkit.encoding.loading import load_encoder
from searchkit.encoding.openvino_encoder import CompiledEncoder
from searchkit.plagiarism.across.detector import AcrossDetector
from searchkit.plagiarism.across.likeness import MeaningLikeness
from searchkit.plagiarism.across.significance import AcrossNull
from searchkit.plagiarism.cohorts import read_cohorts
from searchkit.plagiarism.find import find_plagiarism_among
from searchkit.plagiarism.preparation import (
    PreparedAnswer,
    embed_in,
    embed_with,
    group_by_question,
)
from searchkit.plagiarism.records import MAX_EXPECTED
from searchkit.text.languages.identification import identify_languages
from searchkit.text.languages.names import UNKNOWN
from searchkit.text.words import sentence_spans

SENTENCES = Path(__file__).with_name("sentences.tsv")  # the same in several languages, by hand
LANGUAGES = ("en", "de", "es", "fr")
MIN_WORDS = 8
KINDS = ("faithful", "loose", "siblings", "honest")
NO_LIMIT = 1e9
DRAWS = 80  # of independent answers, for each number of them
SAME_WORDS = 0.5  # of the sequences of the shorter answer: such pairs are copies


def main(count: int = 2000, runs: int = 3) -> None:
    """Print all tables.

    Args:
        count: Short answers to embed; of long ones a sixth of that.
        runs: Of each model, in turn; the best counts.
    """
    print(f"{heading()}\n")
    models = [load_encoder(device="cpu"), load_encoder("multilingual", device="cpu")]
    print("| model | recall@1 of a translation | lowest | translations | other pairs, 99 % below |")
    print("|---|---|---|---|---|")
    for model in models:
        print(retrieval(model), flush=True)
    print("\n| demo in four languages | faithful | loose | two of one source | honest |")
    print("|---|---|---|---|---|")
    for line in copies(models[1]):
        print(line, flush=True)
    columns = "pairs | with a finding | p < 0.001 | p < 0.0001"
    print(f"\n| independent answers | draws | {columns} | without copies: {columns} |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for name, file in (("SAF", "saf-train.csv"), ("SemEval", "semeval2013-train.csv")):
        for line in chance(models[1], name, file):
            print(line, flush=True)
    print(f"\n| in English | {' | '.join(model.name for model in models)} |\n|---|---|---|")
    for name, measure in {
        "findings in the demo corpus: planted, others": findings,
        "SAF's marks: Pearson, right": marks,
        "SemEval's answers by question: accuracy, NMI, ARI": questions,
        "SemEval's labels in a question: accuracy, NMI, ARI": labels,
    }.items():
        print(row_of(name, [measure(model) for model in models]), flush=True)
    print("\n| texts | " + " | ".join(f"{m.name} ({precision(m)})" for m in models) + " |")
    print("|---|---|---|")
    corpora = {"SemEval, short": ("semeval2013-train.csv", 1), "SAF, long": ("saf-train.csv", 6)}
    for name, (file, share) in corpora.items():
        answers = sorted(set(texts(file)))
        chosen = random.Random(0).sample(answers, min(count // share, len(answers)))
        rates = throughput(models, chosen, runs)
        print(f"| {name} | {' | '.join(f'{rate:.0f}/s' for rate in rates)} |", flush=True)
    print("\n| texts | number | told | wrong | per second |\n|---|---|---|---|---|")
    for row in identification():
        print(row, flush=True)


def sentences() -> list[list[str]]:
    """Return the sentences, each in all of `LANGUAGES`."""
    with SENTENCES.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [[row[language] for language in LANGUAGES] for row in rows]


def retrieval(model: Encoder) -> str:
    """Search each sentence in every other language, and return a line of the table."""
    by_language = [model.encode(column) for column in zip(*sentences(), strict=True)]
    recalls, same, other = [], [], []
    for queries, documents in permutations(by_language, 2):
        scores = queries @ documents.T
        right = np.eye(len(scores), dtype=bool)
        recalls.append(float((scores.argmax(axis=1) == right.argmax(axis=1)).mean()))
        same += scores[right].tolist()
        other += scores[~right].tolist()
    translations = f"{np.min(same):.2f} to {np.max(same):.2f}"
    return (
        f"| {model.name} | {np.mean(recalls):.3f} | {np.min(recalls):.3f} | {translations} "
        f"| {np.quantile(other, 0.99):.2f} |"
    )


def copies(model: Encoder) -> Iterator[str]:
    """Yield the lines of the table on translated answers in the demo corpus."""
    with DEMO_TRANSLATIONS.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    kinds = {frozenset((row["copy"], row["source"])): row["kind"] for row in rows}
    for one, other in combinations(rows, 2):
        if one["source"] == other["source"]:
            kinds[frozenset((one["copy"], other["copy"]))] = "siblings"
    with TemporaryDirectory() as folder, Index.create(Path(folder) / "i", encoder=model) as index:
        ingest(index, read_answers([DEMO_ANSWERS, DEMO_LANGUAGES]))
        answers = read_cohorts(index, None)
        recalled = recall_of_sources(answers, rows)
        yield row_of(
            "recall@1 of the source", [recalled["faithful"], recalled["loose"], None, None]
        )
        detector = AcrossDetector(
            model.name, embed_in(index, None, answers), embed_with(lambda: model), NO_LIMIT
        )
        expected: dict[str, list[float]] = {kind: [] for kind in KINDS}
        for group in group_by_question(answers, "question", ""):
            for left, right, value in detector.suspects(group):
                pair = frozenset((group.texts[left].answer.id, group.texts[right].answer.id))
                expected[kinds.get(pair, "honest")].append(value)
        for by in ("question", "all"):
            found = Counter(
                kinds.get(frozenset((finding.left, finding.right)), "honest")
                for finding in find_plagiarism(index, by=by).findings
                if finding.verdict == "translated"
            )
            counts = [f"{found[kind]} of {len(expected[kind]):,}" for kind in KINDS]
            yield row_of(f"found, --by {by}", counts)
    honest = expected.pop("honest")
    areas = [area_under_curve(values, honest) for values in expected.values()]
    yield row_of("AUC", [*areas, None])


def recall_of_sources(
    answers: Sequence[PreparedAnswer], rows: Sequence[dict[str, str]]
) -> dict[str, float]:
    """Return the share of translations whose nearest English answer is their source, by kind."""
    english = [answer for answer in answers if answer.language == "en"]
    matrix = np.stack([answer.vector for answer in english])
    vector_of = {answer.answer.id: answer.vector for answer in answers}
    hits: dict[str, list[bool]] = defaultdict(list)
    for row in rows:
        nearest = english[int((matrix @ vector_of[row["copy"]]).argmax())]
        hits[row["kind"]].append(nearest.answer.id == row["source"])
    return {kind: float(np.mean(values)) for kind, values in hits.items()}


def area_under_curve(copied: Sequence[float], honest: Sequence[float]) -> float:
    """Return the probability that a copy has a lower `expected` than an honest pair."""
    ordered = np.sort(honest)
    higher = len(ordered) - np.searchsorted(ordered, copied, side="right")
    equal = np.searchsorted(ordered, copied, side="right") - np.searchsorted(ordered, copied)
    return float((higher + equal / 2).mean() / len(ordered))


def row_of(name: str, values: Sequence[float | str | None]) -> str:
    """Return a line of a table."""
    cells = ["" if v is None else v if isinstance(v, str) else f"{v:.3f}" for v in values]
    return f"| {' | '.join([name, *cells])} |"


def chance(model: Encoder, name: str, file: str) -> Iterator[str]:
    """Yield how often independent answers, a part as if in another language, have a finding.

    That is by the default bound, and before evidence is asked for: of all pairs, and without those
    that share half of their sequences of three words and so are copies.
    """
    asked: dict[str, list[str]] = defaultdict(list)
    with corpus(file).open(encoding="utf-8", newline="") as rows:
        for row in csv.DictReader(rows):
            if row["author"] != "reference" and len(row["answer"].split()) >= 10:
                asked[row["question"]].append(row["answer"])
    rng = random.Random(0)
    for sizes in ((2, 22), (6, 14), (10, 10), (20, 40)):
        pools = [sorted(set(answers)) for answers in asked.values()]
        pools = [pool for pool in pools if len(pool) >= sum(sizes)]
        drawn = [
            p_values(model, rng.sample(rng.choice(pools), sum(sizes)), sizes)
            for _ in range(DRAWS if pools else 0)
        ]
        if not drawn:
            continue
        label = f"{name}, {sizes[0]} and {sizes[1]}"
        without = [(values[is_apart], pairs, is_apart) for values, pairs, is_apart in drawn]
        yield row_of(label, [str(len(drawn)), *tail(drawn), *tail(without)])


def tail(drawn: Sequence[tuple[Float64, int, Bool]]) -> list[float | str]:
    """Return the number of pairs, the share of draws with a finding, and of low p-values.

    Args:
        drawn: Of each draw the p-values, the number of pairs that `expected` counts, and which
            pairs are apart.
    """
    values = np.concatenate([found for found, *_ in drawn])
    share = np.mean([found.min(initial=1) * pairs <= MAX_EXPECTED for found, pairs, _ in drawn])
    low = [f"{(values < p).sum()} of {p * len(values):.0f}" for p in (1e-3, 1e-4)]
    return [f"{len(values):,}", float(share), *low]


def p_values(
    model: Encoder, answers: Sequence[str], sizes: tuple[int, int]
) -> tuple[Float64, int, Bool]:
    """Return the p-values of pairs in two languages, their number, and which don't share words."""
    spans = [sentence_spans(text) for text in answers]
    rows = [
        sentence_rows(model, tuple(text[start:end] for start, end in own))
        for text, own in zip(answers, spans, strict=True)
    ]
    lengths = [
        np.array([max(1, len(text[start:end].split())) for start, end in own], np.float64)
        for text, own in zip(answers, spans, strict=True)
    ]
    codes = np.repeat(np.arange(2), sizes)
    likeness = MeaningLikeness(rows, lengths, codes, np.arange(len(answers)))
    left, right = np.array(np.triu_indices(len(answers), 1))
    is_judged = codes[left] != codes[right]
    is_judged &= likeness.has_rivals[left] | likeness.has_rivals[right]
    left, right = left[is_judged], right[is_judged]
    values = likeness.measure(left, right)
    found = AcrossNull.fit(values, len(answers)).p_value(values)
    words = [text.lower().split() for text in answers]
    sequences = [set(zip(own, own[1:], own[2:], strict=False)) for own in words]
    is_apart = [
        len(sequences[i] & sequences[j]) < SAME_WORDS * min(len(sequences[i]), len(sequences[j]))
        for i, j in zip(left, right, strict=True)
    ]
    return found, len(left), np.array(is_apart, bool)


@cache
def sentence_rows(model: Encoder, own: tuple[str, ...]) -> Float32:
    """Return the vectors of an answer's sentences."""
    return unit_rows(model.encode(own), own)


def findings(model: Encoder) -> str:
    """Return how many pairs of the demo corpus in English are found: planted copies, and others."""
    with DEMO_PLANTED.open(encoding="utf-8", newline="") as file:
        planted = {
            frozenset((row["copy"], row["source"])): row["kind"] for row in csv.DictReader(file)
        }
    found = find_plagiarism_among(list(read_answers([DEMO_ANSWERS])), model).findings
    kinds = [planted.get(frozenset((finding.left, finding.right))) for finding in found]
    honest = sum(kind in (None, "honest") for kind in kinds)
    return f"{len(kinds) - honest}, {honest}"


def marks(model: Encoder) -> str:
    """Return the agreement of suggested marks with those of SAF, on answers that weren't seen."""
    with TemporaryDirectory() as folder, Index.create(Path(folder) / "i", encoder=model) as index:
        ingest(index, read_answers([corpus("saf-train.csv")]))
        result = evaluate_grades(index, "score").cross_validations[0]
    figures = result.scores[0].figures
    return f"{figures['pearson']:.3f}, {figures['right']:.3f}"


@cache
def semeval(model: Encoder) -> tuple[Float32, list[str], list[str], list[str]]:
    """Return the vectors, texts, questions and labels of SemEval's answers by students."""
    with corpus("semeval2013-train.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row.get("label") not in (None, "reference")]
    answers = [row["answer"] for row in rows]
    vectors = unit_rows(model.encode(answers), answers)
    return vectors, answers, [row["question"] for row in rows], [row["label"] for row in rows]


def questions(model: Encoder) -> str:
    """Return how well as many clusters as there are questions agree with these."""
    vectors, answers, asked, _ = semeval(model)
    classes = np.unique(asked, return_inverse=True)[1]
    return listed(agreement(vectors, answers, classes))


def labels(model: Encoder) -> str:
    """Return how well clusters of a question's answers agree with labels, on the mean."""
    vectors, answers, asked, labelled = semeval(model)
    numbers = np.unique(labelled, return_inverse=True)[1]
    measured = []
    for question in sorted(set(asked)):
        rows = np.flatnonzero(np.array(asked) == question)
        classes = np.unique(numbers[rows], return_inverse=True)[1]
        if classes.max():
            measured.append(agreement(vectors[rows], [answers[n] for n in rows], classes))
    return listed(np.mean(measured, axis=0))


def agreement(rows: Float32, answers: Sequence[str], classes: Int64) -> Float64:
    """Return the agreement of as many clusters by k-means as there are classes with these."""
    k = int(classes.max()) + 1
    found = k_means(rows, k, features=cluster_features(rows, answers)).labels
    return np.array(clustering_agreement(classes, found))


def listed(figures: Sequence[float] | Float64) -> str:
    """Return figures with three digits."""
    return ", ".join(f"{figure:.3f}" for figure in figures)


def throughput(models: Sequence[Encoder], answers: list[str], runs: int) -> list[float]:
    """Return the texts a second of each model; the models run in turn."""
    best = [0.0] * len(models)
    for _ in range(runs):
        for number, model in enumerate(models):
            started = time.perf_counter()
            model.encode(answers)
            best[number] = max(best[number], len(answers) / (time.perf_counter() - started))
    return best


def precision(model: Encoder) -> str:
    """Return the precision in which a model computes."""
    return model.config.precision if isinstance(model, CompiledEncoder) else "not compiled"


def identification() -> Iterator[str]:
    """Yield a line for each set of texts whose language is known, of `MIN_WORDS` words and more."""
    windows = [
        (language, " ".join(words[start : start + MIN_WORDS]))
        for row in sentences()
        for language, text in zip(LANGUAGES, row, strict=True)
        for words in [text.split()]
        for start in range(len(words) - MIN_WORDS + 1)
    ]
    sets = {
        f"stretches of {MIN_WORDS} words, {', '.join(LANGUAGES)}": windows,
        "SAF": [("en", text) for text in texts("saf-train.csv")],
        "SemEval": [("en", text) for text in texts("semeval2013-train.csv")],
    }
    identify_languages(["The first call loads the identifier."])
    for name, labelled in sets.items():
        long = [(language, text) for language, text in labelled if len(text.split()) >= MIN_WORDS]
        started = time.perf_counter()
        found = identify_languages([text for _, text in long])
        rate = len(long) / (time.perf_counter() - started)
        told = sum(language not in (None, UNKNOWN) for language in found)
        right = sum(language == known for language, (known, _) in zip(found, long, strict=True))
        shares = f"{told / len(long):.3f} | {(told - right) / len(long):.4f}"
        yield f"| {name} | {len(long):,} | {shares} | {rate:,.0f} |"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=int, default=2000, help="short answers to embed (2000)")
    parser.add_argument("--runs", type=int, default=3, help="runs of each model (3)")
    options = parser.parse_args()
    main(options.texts, options.runs)
