"""Likeness of programs: equal to its definition in plain Python, and what chance makes of it."""

from __future__ import annotations

import math
from collections import Counter
from itertools import combinations

import numpy as np
import pytest

from searchkit.plagiarism.code.likeness import UNSEEN, UNSEEN_ELSE, Channel, shares
from searchkit.plagiarism.code.significance import (
    CLASS_SHARE,
    TYPICAL_TAILS,
    ProgramNull,
    ProgramTail,
)
from searchkit.plagiarism.likeness.significance import MIN_UNRELATED


def features() -> list[frozenset[tuple[object, ...]]]:
    rng = np.random.default_rng(0)
    return [
        frozenset(("at", int(rng.integers(6)), int(rng.integers(4))) for _ in range(8))
        for _ in range(12)
    ]


def plain_likeness(sets: list[frozenset[tuple[object, ...]]], i: int, j: int) -> float:
    frequency = Counter(feature for s in sets for feature in s)
    at_place = Counter(place for s in sets for place in {feature[:-1] for feature in s})

    def information(feature: tuple[object, ...], without: int) -> float:
        made = frequency[feature] - without
        chose = max(at_place[feature[:-1]] - without, made)
        return -math.log((made + UNSEEN) / (chose + UNSEEN + UNSEEN_ELSE))

    shared = sum(information(feature, 2) for feature in sets[i] & sets[j])
    apart = sum(information(feature, 1) for feature in sets[i] ^ sets[j]) / 2
    return max(shared, 0) / math.sqrt(1 + max(shared, 0) + apart)


def test_likeness_is_its_definition() -> None:
    sets = features()
    channel = Channel.of(sets, np.arange(len(sets)), frozenset())
    (block,) = channel.likeness()
    expected = [plain_likeness(sets, i, j) for i, j in combinations(range(len(sets)), 2)]
    assert block[2] == pytest.approx(expected, abs=1e-6)
    assert list(zip(*(side.tolist() for side in block[:2]), strict=True)) == list(
        combinations(range(len(sets)), 2)
    )


def test_drafts_of_one_author_count_once() -> None:
    sets = features()
    alone = Channel.of(sets, np.arange(len(sets)), frozenset())
    again = Channel.of([*sets, sets[0]], np.array([*range(len(sets)), 0]), frozenset())
    rarity = dict(zip(again.features, again.rarity, strict=True))
    assert [rarity[feature] for feature in alone.features] == pytest.approx(alone.rarity)


def test_left_out_features_count_for_nothing() -> None:
    sets = features()
    left_out = sets[0] | sets[1]
    channel = Channel.of(sets, np.arange(len(sets)), left_out)
    (block,) = channel.likeness()
    assert block[2][0] == 0
    assert not left_out & set(channel.features)


def test_shares() -> None:
    sets = [frozenset({1, 2, 3, 4}), frozenset({3, 4}), frozenset[object]()]
    assert shares(sets, of_both=True)[0, 1] == 0.5
    assert shares(sets, of_both=False)[0, 1] == 1
    assert np.isnan(shares(sets, of_both=True)[2, 2])
    assert shares(sets, of_both=True)[0, 2] == 0


def test_the_less_significant_of_both_tails_counts() -> None:
    typical = TYPICAL_TAILS["literals"]
    low = ProgramTail.fit(np.zeros(100), typical)
    high = ProgramTail.fit(np.linspace(0, 4, 100), typical)
    values = np.array([0.0, 1.0, 2.0, 4.0])
    assert (high.p_value(values) >= low.p_value(values)).all()
    assert high.p_value(np.array([high.start]))[0] == pytest.approx(CLASS_SHARE)
    assert (np.diff(low.p_value(values)) <= 0).all()
    assert ProgramTail.fit(np.empty(0), typical).p_value(values).max() <= 1


def test_chance_is_not_judged_from_few_pairs() -> None:
    likeness = {name: np.zeros(40) for name in TYPICAL_TAILS}
    used = np.ones(40, bool)
    alike = np.zeros(40, bool)
    assert ProgramNull.fit(likeness, alike, used).can_judge
    alike[: 40 - MIN_UNRELATED + 1] = True
    null = ProgramNull.fit(likeness, alike, used)
    assert not null.can_judge
    assert null.reason == "only 29 pairs of programs are not alike"


def test_programs_that_are_all_alike_are_told() -> None:
    likeness = {name: np.zeros(100) for name in TYPICAL_TAILS}
    alike = np.arange(100) < 40
    null = ProgramNull.fit(likeness, alike, np.ones(100, bool))
    assert null.can_judge and null.alike
    assert null.reason == "the programs are short or much alike, 40% of the pairs nearly the same"
