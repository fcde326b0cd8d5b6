"""Features: each by hand or by its definition, with references and without."""

from __future__ import annotations

import numpy as np
import pytest
from helpers.encoder import ToyEncoder

from searchkit.grading.learning.features import (
    FEATURES,
    compute_features,
    relative_features,
)
from searchkit.grading.learning.words import character_ngrams
from searchkit.text.words import split_words

COSINE, HAS, KEEPS, LENGTH, LONGER = range(5)
HAS_PAIRS, KEEPS_PAIRS, HAS_NGRAMS, KEEPS_NGRAMS, HAS_NUMBERS, KEEPS_NUMBERS = range(5, 11)
ASKED, TYPICAL, DENIES, DENIES_OTHERWISE = range(11, 15)


def measured(
    texts: list[str], questions: list[int] | None = None, models: int = 0, prompt: str = ""
) -> np.ndarray:
    """Measure texts, the last so many of which are reference answers."""
    return compute_features(
        [split_words(text) for text in texts],
        ToyEncoder().encode(texts),
        character_ngrams(texts),
        np.array(questions or [0] * len(texts), np.int64),
        np.arange(len(texts)) >= len(texts) - models,
        [prompt] * len(texts),
    )


def weight(word: str, texts: list[str]) -> float:
    return float(np.log1p(len(texts) / sum(word in text.split() for text in texts)))


def cosine(one: str, other: str) -> float:
    return float(np.dot(*ToyEncoder().encode([one, other])))


def test_a_text_equal_to_a_reference_has_all_of_it() -> None:
    texts = ["the stack is empty", "no idea", "a queue of tasks", "the stack is empty"]
    found = measured(texts, models=2)
    assert found.shape == (4, len(FEATURES))
    length = np.log1p(4)
    assert found[0, :5] == pytest.approx([1, 1, 1, length, 0], abs=1e-6)
    assert found[0, 5:9] == pytest.approx([1, 1, 1, 1])
    assert found[3] == pytest.approx(found[0])
    assert found[1, [HAS, KEEPS]].tolist() == [0, 0]
    assert found[1, LENGTH] == pytest.approx(np.log1p(2))
    assert found[1, LONGER] == pytest.approx(np.log1p(2) - length)


def test_shares_go_both_ways_and_rare_words_weigh_more() -> None:
    texts = ["the stack", "the loop loop", "the of", "the stack of tasks"]
    found = measured(texts, models=1)
    the, stack, of, tasks, loop = (
        weight(word, texts) for word in "the stack of tasks loop".split()
    )
    assert the < stack < loop
    total = the + stack + of + tasks
    assert found[:3, HAS] == pytest.approx(np.array([the + stack, the, the + of]) / total)
    assert found[:3, KEEPS] == pytest.approx([1, the / (the + loop), 1])
    assert found[1, LENGTH] == pytest.approx(np.log1p(3))  # a repeated word is as long


def test_of_several_references_the_best_one_counts_for_each_feature() -> None:
    texts = ["red green", "red green blue pink", "red"]
    found = measured(texts, models=2)
    near, far = cosine("red green", "red"), cosine("red green", "red green blue pink")
    assert found[0, COSINE] == pytest.approx(max(near, far), abs=1e-6)
    assert found[0, HAS] == 1  # all of the short one
    assert found[0, KEEPS] == 1  # all is in the long one
    assert found[0, LONGER] == pytest.approx(np.log1p(2) - (np.log1p(4) + np.log1p(1)) / 2)


def test_references_of_other_questions_are_nothing_to_it() -> None:
    texts = ["same words here", "other things there", "same words here"]
    found = measured(texts, [0, 1, 1], models=1)
    assert found[1, HAS] == 0
    assert found[0, [HAS, KEEPS, LONGER]] == pytest.approx([1, 1, 0])  # it is its own usual one
    alike = measured(texts, [0, 0, 1], models=1)
    assert alike[0, COSINE] < 0.99


def test_without_references_the_usual_answer_stands_for_one() -> None:
    texts = ["red blue", "red blue", "blue red", "red pink pink gold"]
    found = measured(texts)
    vectors = ToyEncoder().encode(texts).astype(np.float64)
    middle = vectors.mean(axis=0) / np.linalg.norm(vectors.mean(axis=0))
    assert found[:, COSINE] == pytest.approx(vectors @ middle, abs=1e-6)
    red, blue, pink, gold = (weight(word, texts) for word in "red blue pink gold".split())
    assert found[:, HAS] == pytest.approx([1, 1, 1, red / (red + blue)])
    assert found[:, KEEPS] == pytest.approx([1, 1, 1, red / (red + pink + gold)])
    assert found[:, LONGER] == pytest.approx([0, 0, 0, np.log1p(4) - np.log1p(2)])


@pytest.mark.parametrize("models", [0, 1])
def test_answers_without_a_word_have_nothing(models: int) -> None:
    found = measured(["", "?!", "red blue", "red blue", "red blue"], models=models)
    assert found[:2, [HAS, KEEPS, LENGTH]].tolist() == [[0, 0, 0]] * 2
    assert found[:2, LONGER] == pytest.approx(-np.log1p(2))
    assert found[0, COSINE] == 0
    assert found[2, [HAS, KEEPS]].tolist() == [1, 1]


@pytest.mark.parametrize("models", [0, 1, 2])
def test_only_empty_answers_are_no_trouble(models: int) -> None:
    assert measured(["", ""], models=models).tolist() == [[0] * len(FEATURES)] * 2
    assert measured([]).shape == (0, len(FEATURES))


def test_each_row_is_that_of_its_answer_in_any_order() -> None:
    texts = ["red blue", "gold red", "blue", "pink red blue", "gold pink", "red"]
    questions, references = np.array([0, 1, 0, 1, 2, 2]), np.array([0, 0, 1, 0, 0, 0], bool)
    words, vectors = [split_words(text) for text in texts], ToyEncoder().encode(texts)
    ngrams, prompts = character_ngrams(texts), [""] * len(texts)
    found = compute_features(words, vectors, ngrams, questions, references, prompts)
    order = np.array([4, 2, 0, 5, 3, 1])
    again = compute_features(
        [words[n] for n in order],
        vectors[order],
        ngrams[order],
        questions[order],
        references[order],
        prompts,
    )
    np.testing.assert_allclose(again, found[order], atol=1e-6)
    assert len(np.unique(found.round(6), axis=0)) == len(texts)


def test_pairs_of_words_ngrams_and_numbers_are_shared_both_ways() -> None:
    found = measured(["red blue gold", "blue red", "port 80 or 443", "red blue port 80"], models=1)
    assert found[0, HAS_PAIRS] < found[0, KEEPS_PAIRS] == pytest.approx(0.5, abs=0.2)
    assert found[1, [HAS_PAIRS, KEEPS_PAIRS]].tolist() == [0, 0]  # the same words the other way
    assert found[1, HAS_NGRAMS] > 0
    assert found[2, HAS_NUMBERS] == 1 and 0 < found[2, KEEPS_NUMBERS] < 1
    assert found[0, [HAS_NUMBERS, KEEPS_NUMBERS]].tolist() == [0, 0]
    misspelt = measured(["conections", "colour", "connections"], models=1)
    assert misspelt[0, HAS] == 0 and misspelt[0, HAS_NGRAMS] > 0.4 > misspelt[1, HAS_NGRAMS]


@pytest.mark.parametrize(
    "text", ["it isn't on", "it is not on", "it isn\u2019t on", "das geht nicht"]
)
def test_what_denies_something_is_told_from_what_does_not(text: str) -> None:
    found = measured([text, "it is on", "knot", "it is on"], models=1)
    assert found[:3, DENIES].tolist() == [1, 0, 0]
    assert found[:3, DENIES_OTHERWISE].tolist() == [1, 0, 0]
    assert measured([text, text, text, "it is on"])[:, DENIES_OTHERWISE].tolist() == [0, 0, 0, 1]


def test_what_only_repeats_the_question_is_seen() -> None:
    texts = ["the stack grows", "a queue", "the stack"]
    found = measured(texts, prompt="How does the stack grow?")
    assert 0 < found[0, ASKED] < found[2, ASKED] == 1 and found[1, ASKED] == 0
    assert not measured(texts)[:, ASKED].any()


def test_relative_features_compare_with_the_other_answers_to_the_question() -> None:
    features = np.array([[1.0, 5], [3, 5], [100, 5], [7, 1], [2, 9]])
    questions, references = np.array([0, 0, 0, 1, 0]), np.array([0, 0, 1, 0, 0], bool)
    found = relative_features(features, questions, references)
    own = features[[0, 1, 4]]
    expected = (features - own.mean(axis=0)) / (own.std(axis=0) + 1e-6)
    np.testing.assert_allclose(found[[0, 1, 4]], expected[[0, 1, 4]])
    assert found[2].tolist() == [3, pytest.approx(expected[2, 1])] and found[3].tolist() == [0, 0]
