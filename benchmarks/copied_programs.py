"""What is found of copied programs, by level of disguise: the part `code` of bench_plagiarism.

IRPlag's original and independent programs are a class; one copy at a time is put into it. Beside
searchkit, plain containment of sequences of five tokens is measured: with names and literals as
they are written, and without.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random

import numpy as np
from machine import SHARED, heading
from numpy.typing import NDArray

from searchkit.core.records import Answer
from searchkit.plagiarism.code.comparison import ComparedPrograms
from searchkit.plagiarism.code.detector import find_in_code, judge_code
from searchkit.plagiarism.code.programs import Program
from searchkit.plagiarism.preparation import PreparedAnswer, QuestionAnswers, make_group

Values = NDArray[np.float64]
FILE = "irplag-java-01-03.jsonl"
MAX_EXPECTED = 0.05
TRIALS = 5  # classes of which four fifths copied, for each exercise and choice of levels
HONEST, COPIES = 3, 12  # programs in such a class, beside the original


@dataclass
class Exercise:
    """The programs of an exercise."""

    original: PreparedAnswer
    independent: list[PreparedAnswer]
    copies: list[tuple[str, PreparedAnswer]]  # level of disguise, program

    def honest(self) -> list[PreparedAnswer]:
        """Give the original and the independent programs."""
        return [self.original, *self.independent]


def read_exercises() -> dict[str, Exercise]:
    """Read IRPlag; programs need no sentence vectors."""
    exercises: dict[str, Exercise] = {}
    rows = [json.loads(line) for line in (SHARED / FILE).read_text(encoding="utf-8").splitlines()]
    for row in sorted(rows, key=lambda row: row["kind"] != "original"):
        answer = Answer(row["id"], row["answer"], question=row["question"], author=row["id"])
        vector = np.zeros(1, np.float32)
        text = PreparedAnswer(answer, vector, [(0, len(answer.text))], vector[None])
        if row["kind"] == "original":
            exercises[row["question"]] = Exercise(text, [], [])
        elif row["level"]:
            exercises[row["question"]].copies.append((row["level"], text))
        else:
            exercises[row["question"]].independent.append(text)
    return exercises


def area(positive: float, negative: Values) -> float:
    """Give the share of negative values below a positive one; equal ones count half."""
    return float((negative < positive).mean() + (negative == positive).mean() / 2)


def containment(programs: Sequence[Program], tokens: Callable[[Program], list[str]]) -> Values:
    """Give the share of the smaller program's sequences of five tokens, `(n, n)`."""
    grams = []
    for program in programs:
        words = tokens(program)
        grams.append({tuple(words[n : n + 5]) for n in range(len(words) - 4)})
    return np.array([[len(a & b) / max(1, min(len(a), len(b))) for b in grams] for a in grams])


def scores(group: QuestionAnswers) -> tuple[NDArray[np.bool_], dict[str, Values]]:
    """Give which pairs are of the original and the copy, and every pair's value by measure."""
    left, right, _, expected = judge_code(group)
    programs = ComparedPrograms(group).programs
    names = [text.answer.id for text in group.texts]
    is_one = np.array(["original" in name or "/L" in name for name in names])
    written = containment(programs, lambda p: [token.text for token in p.tokens])
    normal = containment(programs, lambda p: p.normal)
    return is_one[left] & is_one[right], {
        "searchkit": -np.log(expected),
        "tokens": written[left, right],
        "tokens without names": normal[left, right],
    }


def one_copy(exercises: dict[str, Exercise]) -> None:
    """Print AUC and recall by level, and how many independent programs are reported."""
    rows: dict[str, list[list[float]]] = defaultdict(list)
    reported = 0
    for exercise in exercises.values():
        for level, copy in exercise.copies:
            group = make_group(None, [*exercise.honest(), copy], "")
            planted, values = scores(group)
            findings = [f for f in find_in_code(group, MAX_EXPECTED) if f.expected is not None]
            ids = {exercise.original.answer.id, copy.answer.id}
            reported += sum({f.left, f.right} != ids for f in findings)
            found = any({f.left, f.right} == ids for f in findings)
            areas = [area(v[planted][0], v[~planted]) for v in values.values()]
            rows[level].append([found, *areas])
    print("| one copy a class | pairs | recall | AUC | 5-grams, AUC | without names, AUC |")
    print("|---|---:|---:|---:|---:|---:|")
    for level, of_level in sorted(rows.items()):
        cells = " | ".join(f"{value:.2f}" if n == 0 else f"{value:.3f}"
                           for n, value in enumerate(np.mean(of_level, axis=0)))  # fmt: skip
        print(f"| {level} | {len(of_level)} | {cells} |")
    count = sum(len(of_level) for of_level in rows.values())
    print(f"\nindependent programs reported in these {count} classes: {reported}", flush=True)


def honest_classes(exercises: dict[str, Exercise]) -> None:
    """Print how many classes of independent programs have a finding, whole ones and samples."""
    print("\n| independent programs alone | classes | with a finding | lowest `expected` |")
    print("|---|---:|---:|---:|")
    chance = Random(0)
    for size in (16, 12, 9):
        lowest = []
        for exercise in exercises.values():
            for _ in range(1 if size == 16 else 20):
                group = make_group(None, chance.sample(exercise.honest(), size), "")
                lowest.append(float(judge_code(group)[3].min()))
        flagged = sum(value <= MAX_EXPECTED for value in lowest)
        print(f"| {size} of 16 | {len(lowest)} | {flagged} | {min(lowest):.2g} |", flush=True)


def samples(exercise: Exercise, levels: str) -> Iterator[tuple[set[str], QuestionAnswers]]:
    """Yield classes of which four fifths copied the original, and the ids of who copied."""
    chance = Random(levels)
    of_levels = [text for level, text in exercise.copies if level in levels]
    for _ in range(TRIALS):
        copies = chance.sample(of_levels, min(COPIES, len(of_levels)))
        texts = [exercise.original, *copies, *chance.sample(exercise.independent, HONEST)]
        yield {text.answer.id for text in copies}, make_group(None, texts, "")


def crowds(exercises: dict[str, Exercise]) -> None:
    """Print how many are shown where four fifths copied, judged or ranked."""
    print("\n| four fifths copied, levels | copiers shown | independent, shown | with a number |")
    print("|---|---:|---:|---:|")
    for levels in ("L1", "L1 L2 L3", "L1 L2 L3 L4 L5 L6"):
        counts = np.zeros(5)
        for exercise in exercises.values():
            for copiers, group in samples(exercise, levels):
                findings = find_in_code(group, MAX_EXPECTED)
                shown = {i for f in findings for i in (f.left, f.right)}
                judged = {i for f in findings if f.expected is not None for i in (f.left, f.right)}
                others = {exercise.original.answer.id} | copiers
                counts += (len(copiers), len(shown & copiers), HONEST, len(shown - others),
                           len(judged - others))  # fmt: skip
        print(f"| {levels} | {counts[1] / counts[0]:.2f} | {counts[3] / counts[2]:.2f} "
              f"| {counts[4] / counts[2]:.2f} |", flush=True)  # fmt: skip


def code() -> None:
    """Print all tables."""
    exercises = read_exercises()
    one_copy(exercises)
    honest_classes(exercises)
    crowds(exercises)


if __name__ == "__main__":
    print(heading() + "\n")
    code()
