"""What two answers share word for word, in nats."""

from __future__ import annotations

import numpy as np
import pytest

from searchkit.core.arrays import Float32
from searchkit.plagiarism.likeness.measures import Background
from searchkit.plagiarism.verbatim import runs
from searchkit.plagiarism.verbatim.language_model import MAX_NATS, LanguageModel
from searchkit.plagiarism.verbatim.runs import RunFinder
from searchkit.text.words import split_words

STOCK = "the event loop runs one callback at a time"
OWN = (
    "while grandmother peels potatoes nobody else may touch that knife in her kitchen",
    "because seventeen green bottles hang on some wall until one accidentally falls",
    "our neighbour paints fences slowly yet every Saturday another colour appears there",
    "sailors tie knots before storms since afterwards wet ropes never come undone",
)


def model_of(*texts: str) -> LanguageModel:
    words = [split_words(text) for text in texts]
    weights = np.ones(len(texts))
    return LanguageModel(words, weights.astype(np.int64), weights, Background.of(words))


def shared(left: str, right: str, *others: str) -> float:
    model = model_of(left, right, *others)
    left_out = np.zeros((1, 2 + len(others)), np.float32)
    left_out[0, :2] = 1
    return shared_information(model, left_out)


def shared_information(model: LanguageModel, left_out: Float32, *, is_given: bool = False) -> float:
    """Return what the first two texts of a model share."""
    given = [np.full(len(numbers), is_given) for numbers in model.triples]
    found = RunFinder(model.triples, given).common_words(
        0, np.array([1]), model.information(0, left_out)
    )
    return sum(common.shared_information() for _, common in found)


def test_a_stock_phrase_gives_less_than_words_that_nobody_else_wrote() -> None:
    others = [f"{STOCK} and {own}" for own in OWN[1:]]
    stock = shared(f"{STOCK} {OWN[0]}", f"so {STOCK} he said", *others)
    own = shared(f"{STOCK} {OWN[0]}", f"well {OWN[0]} she said", *others)
    assert own > 30
    assert stock < own / 3


def test_nothing_is_shared_where_no_three_words_are() -> None:
    assert shared(OWN[0], OWN[1]) == 0
    assert shared(OWN[0], "grandmother peels apples and nobody else sings") == 0


def test_a_replaced_word_costs_little() -> None:
    whole = shared(OWN[0], OWN[0])
    revised = shared(OWN[0], OWN[0].replace("touch", "hold").replace("knife", "blade"))
    scattered = shared(OWN[0], " ".join(sorted(OWN[0].split())))
    assert 0.5 * whole < revised < whole
    assert scattered < whole / 4


def test_moved_sentences_are_several_chains() -> None:
    left = f"{OWN[0]}. {OWN[1]}."
    right = f"{OWN[1]}. {OWN[2]}. {OWN[0]}."
    assert shared(left, right) > 0.8 * (shared(OWN[0], OWN[0]) + shared(OWN[1], OWN[1])) - 4


def test_both_sides_give_the_same_places() -> None:
    assert shared(f"{OWN[0]} {OWN[3]}", OWN[3]) == pytest.approx(
        shared(OWN[3], f"{OWN[0]} {OWN[3]}"), rel=0.1
    )


def test_given_text_and_code_give_nothing() -> None:
    model = model_of(OWN[0], OWN[0])
    left_out = np.ones((1, 2), np.float32)
    assert shared_information(model, left_out) > 0
    assert shared_information(model, left_out, is_given=True) == 0
    code = "for (let i = 0; i < n; i++) {\n  total += prices[i];\n  count = count + 1;\n}"
    assert shared(f"{OWN[0]}\n{code}", f"{OWN[1]}\n{code}") == 0


def test_copies_that_are_left_out_make_nothing_common() -> None:
    model = model_of(OWN[0], OWN[0], OWN[0], OWN[1], OWN[2], OWN[3])
    few, all_copies = np.zeros((2, 6), np.float32)
    few[:2], all_copies[:3] = 1, 1
    information = model.information(0, np.stack([few, all_copies]))
    assert information[1, 2].sum() > information[0, 2].sum()
    assert (information <= MAX_NATS).all()
    assert (information > 0).all()


def test_a_calculation_gives_little() -> None:
    """Whoever computes the same thing writes the same numbers."""
    steps = "1 - p x 0 = 1 - 0 6 5 = 0 92 and so 3 0 4 3 0 6 2 is 0 23 in the end of 5"
    words = f"{OWN[2]} {OWN[3]}"  # fewer
    calculated = shared(f"{OWN[0]} {steps}", f"{OWN[1]} {steps}")
    assert 0 < calculated < shared(f"{OWN[0]} {words}", f"{OWN[1]} {words}") / 2


@pytest.mark.parametrize("seed", range(8))
def test_runs_that_are_dropped_are_in_no_chain_that_pays(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(seed)
    pieces = [" ".join(rng.choice(" ".join(OWN).split(), rng.integers(3, 9))) for _ in range(12)]
    texts = [" and so ".join(rng.choice(pieces, 9)) for _ in range(2)]
    model = model_of(*texts, *OWN)
    left_out = np.zeros((1, 6), np.float32)
    left_out[0, :2] = 1
    kept = shared_information(model, left_out)
    monkeypatch.setattr(runs, "_may_pay", lambda rows, *_: np.ones(len(rows), bool))
    assert kept == pytest.approx(shared_information(model, left_out), abs=1)  # of equal chains
