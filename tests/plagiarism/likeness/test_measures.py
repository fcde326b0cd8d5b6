"""Likeness: every measure equals what its definition says, pair by pair, in plain Python."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from searchkit.core.arrays import centred
from searchkit.plagiarism.likeness.measures import (
    MIN_SHARED_SEQUENCES,
    MIN_SHARED_SHARE,
    UNSEEN_ANSWERS,
    Background,
    LexicalLikeness,
    SentenceLikeness,
    SequenceMatrix,
    answer_weights,
    find_near_duplicates,
)
from searchkit.text.words import split_words

VOCABULARY = [f"w{n}" for n in range(60)]


def corpus(n: int = 24, length: int = 25) -> list[str]:
    rng = np.random.default_rng(0)
    return [" ".join(rng.choice(VOCABULARY[: 10 + i], length)) for i in range(n)]


def trigrams(text: str) -> set[tuple[str, ...]]:
    words = text.split()
    return {tuple(words[i : i + 3]) for i in range(len(words) - 2)}


def every_pair(n: int) -> tuple[np.ndarray, np.ndarray]:
    return np.triu_indices(n, 1)


def test_lexical_likeness_equals_its_definition() -> None:
    texts, others = corpus(), [" ".join(VOCABULARY[i : i + 30]) for i in range(20)]
    words = [split_words(text) for text in texts]
    background = Background.of([*words, *(split_words(text) for text in others)])
    counts = np.random.default_rng(1).uniform(0.2, 2, len(texts))
    matrix = SequenceMatrix(words, "long")
    i, j = every_pair(len(texts))
    found = LexicalLikeness(matrix, counts, background, (6, counts)).likeness(i, j)

    frequency = Counter()
    for text, count in zip(texts, counts, strict=True):
        frequency.update(dict.fromkeys(trigrams(text), count))
    everywhere = Counter(g for text in [*texts, *others] for g in trigrams(text))

    def weight(gram: tuple[str, ...]) -> float:
        if frequency[gram] > 6:
            return 0
        elsewhere = max(0, everywhere[gram] - frequency[gram])
        prior = (elsewhere + 0.5) / (len(texts) + 20 - counts.sum() + UNSEEN_ANSWERS)
        return -np.log(min(1, (max(0, frequency[gram] - 2) + prior) / (counts.sum() - 1)))

    total = [sum(map(weight, trigrams(text))) for text in texts]
    for a, b, value in zip(i, j, found, strict=True):
        shared = sum(map(weight, trigrams(texts[a]) & trigrams(texts[b])))
        expected = shared / max(1e-9, np.sqrt(np.sqrt(total[a] * total[b])))
        assert value == pytest.approx(expected, rel=1e-3, abs=1e-6)


def test_boilerplate_counts_for_nothing() -> None:
    words = [split_words(text) for text in ("a b c d e f", "a b c d x y", "q r s t u v")]
    boilerplate = np.unique(SequenceMatrix(words[:1], "long").known)
    matrix = SequenceMatrix(words, "long", boilerplate)
    lexical = LexicalLikeness(matrix, np.ones(3), Background.of(words))
    assert lexical.likeness(np.array([0]), np.array([1]))[0] == 0


def test_texts_without_sequences_are_alike_in_nothing() -> None:
    words = [split_words(text) for text in ("", "one", "one two")]
    lexical = LexicalLikeness(SequenceMatrix(words, "long"), np.ones(3), Background.of(words))
    assert lexical.likeness(*every_pair(3)).tolist() == [0, 0, 0]
    assert find_near_duplicates(SequenceMatrix(words, "long")).nnz == 0


def test_near_duplicates_share_many_sequences_and_count_as_one() -> None:
    page = " ".join(VOCABULARY[:40])
    texts = [page, page + " and more", "so " + page, " ".join(VOCABULARY[40:]), "too short"]
    matrix = SequenceMatrix([split_words(text) for text in texts], "long")
    near = find_near_duplicates(matrix).toarray()
    for a, one in enumerate(texts):
        for b, other in enumerate(texts):
            shared = len(trigrams(one) & trigrams(other))
            least = MIN_SHARED_SHARE * min(len(trigrams(one)), len(trigrams(other)))
            assert near[a, b] == (shared >= MIN_SHARED_SEQUENCES and shared >= least)
    assert answer_weights(find_near_duplicates(matrix), np.ones(5)).tolist() == pytest.approx(
        [1 / 3] * 3 + [1, 1]
    )
    copies = np.array([5, 1, 1, 1, 7])  # of the short one seven, which are seven
    assert answer_weights(find_near_duplicates(matrix), copies).tolist() == pytest.approx(
        [5 / 7, 1 / 7, 1 / 7, 1, 7]
    )


def test_sharing_counts_pairs_with_rare_sequences() -> None:
    texts = corpus(30)
    matrix = SequenceMatrix([split_words(text) for text in texts], "long")
    frequency = Counter(g for text in texts for g in trigrams(text))
    expected = {}
    for a, b in zip(*every_pair(len(texts)), strict=True):
        rare = {g for g in trigrams(texts[a]) & trigrams(texts[b]) if frequency[g] <= 3}
        if len(rare) >= 2:
            expected[int(a), int(b)] = len(rare)
    found = {
        (int(a), int(b)): int(count)
        for block in matrix.sharing(2, max_texts=3)
        for a, b, count in zip(*block, strict=True)
    }
    assert found == expected
    assert found


def test_centred_rows_are_relative_to_a_weighted_mean() -> None:
    rng = np.random.default_rng(2)
    rows = rng.standard_normal((9, 5)).astype(np.float32)
    counts = rng.uniform(0.1, 1, 9)
    expected = rows - (counts @ rows) / counts.sum()
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(centred(rows, counts), expected, atol=1e-6)
    assert not centred(np.ones((8, 4), np.float32), np.ones(8)).any()  # all are the mean


def unit(rng: np.random.Generator, n: int) -> np.ndarray:
    rows = rng.standard_normal((n, 6)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_sentence_likeness_equals_its_definition() -> None:
    from scipy import sparse

    rng = np.random.default_rng(3)
    n = 12
    sentences = [unit(rng, int(rng.integers(1, 5))) for _ in range(n)]
    lengths = [rng.integers(3, 20, len(s)).astype(np.float32) for s in sentences]
    among = np.array([0, 1, 2, 3, 5, 6, 8, 9, 11])
    related = np.zeros((n, n))
    related[0, 1] = related[1, 0] = related[2, 5] = related[5, 2] = 1
    near = sparse.csr_matrix(related)
    i, j = every_pair(n)
    found = SentenceLikeness(sentences, lengths, among, near).likeness(i, j)

    def one_way(a: int, b: int) -> float:
        ahead = []
        for row in sentences[a]:
            rivals = sorted(
                (float((sentences[c] @ row).max()) for c in among
                 if c not in (a, b) and not related[a, c]),
                reverse=True,
            )[:3]  # fmt: skip
            ahead.append(max(0.0, float((sentences[b] @ row).max()) - np.mean(rivals)))
        return float(np.average(ahead, weights=lengths[a]))

    for a, b, value in zip(i, j, found, strict=True):
        assert value == pytest.approx((one_way(a, b) + one_way(b, a)) / 2, abs=1e-5), (a, b)


def test_too_few_answers_say_nothing_of_meaning() -> None:
    from scipy import sparse

    rng = np.random.default_rng(4)
    sentences = [unit(rng, 2) for _ in range(4)]
    lengths = [np.ones(2, np.float32)] * 4
    meaning = SentenceLikeness(sentences, lengths, np.arange(4), sparse.csr_matrix((4, 4)))
    assert not meaning.likeness(*every_pair(4)).any()
    all_near = sparse.csr_matrix(np.ones((8, 8)))
    sentences = [unit(rng, 1) for _ in range(8)]
    meaning = SentenceLikeness(sentences, [np.ones(1, np.float32)] * 8, np.arange(8), all_near)
    assert not meaning.likeness(*every_pair(8)).any()  # nobody is left to be a rival


def test_what_a_reference_answer_says_is_less_rare() -> None:
    words = [split_words(text) for text in ("a b c d e", "a b c d x", "k l m n o")]
    alone, referred = (
        LexicalLikeness(
            SequenceMatrix(words, "long"), np.ones(3), Background.of(words), references=references
        ).likeness(np.array([0]), np.array([1]))[0]
        for references in ((), [split_words("here a b c d stand")])
    )
    assert 0 < referred < 0.9 * alone
