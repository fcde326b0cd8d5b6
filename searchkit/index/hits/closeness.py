"""Whether a hit is close to its query, or no nearer than anything is to an unrelated query.

How near the nearest answer comes to a query that has nothing to do with the corpus depends on the
model, on the number of answers and on their topic. So it is measured: short queries about many
topics are searched for in the index, and the score of each one's nearest answer is taken.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from searchkit.core.records import Hit
from searchkit.index.base import BaseIndex

UNRELATED_QUERIES = (
    "how to bake sourdough bread",
    "football world cup final",
    "train a puppy not to bite",
    "flight delayed by heavy snow",
    "guitar chords for beginners",
    "medieval castle in Scotland",
    "lower back pain exercises",
    "recipe for tomato soup",
    "interest rate of a mortgage",
    "the moons of Jupiter",
    "wedding dress",
    "planting roses in spring",
    "election of a president",
    "used car with low mileage",
    "painting by Rembrandt",
    "symptoms of the flu",
    "stock market crash",
    "tide tables for fishermen",
    "winter tyres",
    "opera house tickets",
    "mountain hut with a view",
    "volcano erupts near a village",
    "chess opening for black",
    "knitting a scarf",
    "The cat slept on the sofa all afternoon.",
    "My grandmother came to this country by ship.",
    "They painted the kitchen yellow last summer.",
    "The river froze, and children skated on it.",
    "We missed the bus and walked home in the rain.",
    "She sells honey and cheese at the market.",
    "The dentist told me to come back next week.",
    "He plays the violin in an orchestra.",
)
DEVIATIONS = 2.0  # above the median of these queries; a few of them may belong to the corpus
_SIGMA = 1.4826  # standard deviations in a median absolute deviation of a normal distribution


def with_closeness(index: BaseIndex, results: Sequence[Sequence[Hit]]) -> list[list[Hit]]:
    """Return the hits of semantic searches, each with whether it is close."""
    threshold = close_score(index)
    return [[replace(hit, is_close=hit.score >= threshold) for hit in hits] for hits in results]


def close_score(index: BaseIndex) -> float:
    """Return the score from which on an answer is close to a query.

    It is computed once for the texts of an index, and kept there; marks don't change it.
    """
    vectors_key = index.vectors_key()
    record = ["close score", UNRELATED_QUERIES, DEVIATIONS]
    key = vectors_key and hashlib.sha256(vectors_key + json.dumps(record).encode()).digest()
    kept = index.get_result(key) if key else None
    if kept is not None:
        return float(kept)
    score = _compute(index)
    if key:
        index.put_result(key, repr(score).encode())
    return score


def _compute(index: BaseIndex) -> float:
    scores = index.nearest_scores(index.query_vectors(UNRELATED_QUERIES))
    if not len(scores):
        return -1.0
    median = np.median(scores)
    return float(median + DEVIATIONS * _SIGMA * np.median(np.abs(scores - median)))
