"""How much of a list of findings is by chance, in corpora drawn from judged questions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from searchkit.plagiarism.rates import JudgedQuestions
from searchkit.plagiarism.records import MAX_EXPECTED

CORPORA = 2000  # that are drawn
QUESTIONS = 20  # of each of them
RATES = (0.05, 0.1, 0.2, 0.5)
NO_LIMIT = 1.0


@dataclass
class Listed:
    """The `expected` of a question's findings up to `NO_LIMIT`, and which are no planted copies."""

    pairs: int
    expected: NDArray[np.float64]
    is_false: NDArray[np.bool_]


def print_head() -> None:
    """Print the head of the table of `print_rates`."""
    columns = " | ".join(f"false findings at `--fdr {rate:g}`" for rate in RATES)
    print(
        f"\n| questions with copies | {columns} | false at `expected` 0.05 | by chance, as said |"
    )
    print("|---|" + "---:|" * (len(RATES) + 2))


def print_rates(share: float, honest_ones: Sequence[Listed], copied_ones: Sequence[Listed]) -> None:
    """Print the mean share of false findings in drawn corpora, with the drawing's 95 % interval.

    Args:
        share: The share of a corpus's questions that have copies.
        honest_ones: Questions without copies.
        copied_ones: The same questions with copies.
    """
    chance = np.random.default_rng(0)
    false_shares, by_chance = [], []
    count = min(QUESTIONS, len(honest_ones))
    for _ in range(CORPORA):
        chosen = chance.choice(len(honest_ones), count, replace=False)
        has_copies = chance.random(count) < share
        drawn = [
            (copied_ones if copied else honest_ones)[n]
            for n, copied in zip(chosen.tolist(), has_copies.tolist(), strict=True)
        ]
        expected = np.concatenate([one.expected for one in drawn])
        order = np.argsort(expected, kind="stable")
        is_false = np.concatenate([one.is_false for one in drawn])[order]
        judged = JudgedQuestions(count, sum(one.pairs for one in drawn))
        q_values = judged.q_values(expected[order])
        false_shares.append(
            [float(is_false[q_values <= rate].sum() / max(1, (q_values <= rate).sum()))
             for rate in RATES]
        )  # fmt: skip
        by_chance.append(int(is_false[expected[order] <= MAX_EXPECTED].sum()))
    means = np.mean(false_shares, axis=0)
    errors = 2 * np.std(false_shares, axis=0) / np.sqrt(CORPORA)
    cells = [f"{mean:.3f} ± {error:.3f}" for mean, error in zip(means, errors, strict=True)]
    print(f"| {share:.0%} | " + " | ".join(cells)
          + f" | {np.mean(by_chance):.2f} | {count * MAX_EXPECTED:.2f} |", flush=True)  # fmt: skip
