"""Models side by side: figures as brute force gives them, and verdicts that are right."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import pytest
from helpers.encoder import ToyEncoder
from scipy.stats import pearsonr, spearmanr
from sklearn.metrics import average_precision_score, roc_auc_score, v_measure_score

from searchkit import Answer
from searchkit.clustering.methods import k_means
from searchkit.core.errors import BadInput
from searchkit.evaluation import sampling
from searchkit.evaluation.comparison import Evaluation, MetricComparison
from searchkit.evaluation.evaluate import evaluate_corpus, evaluate_pairs, evaluate_retrieval
from searchkit.evaluation.retrieval import find_ranks
from searchkit.evaluation.sampling import QuestionPairs
from searchkit.evaluation.texts import PassageVectors, embed_texts
from searchkit.sources.labelled import SentencePair

WORDS = [f"w{n}" for n in range(60)]


class Noisy(ToyEncoder):
    """A toy encoder whose vectors are off by chance, by so much."""

    def __init__(self, noise: float, seed: int = 0, window: int = 12) -> None:
        super().__init__(64, window)
        self.noise, self.seed = noise, seed
        self.name = f"noisy {noise:g} {seed}"

    def _embed(self, texts: Sequence[str]) -> np.ndarray:
        vectors = super()._embed(texts)
        for row, text in zip(vectors, texts, strict=True):
            seed = hashlib.sha256(f"{self.seed} {text}".encode()).digest()[:8]
            error = np.random.default_rng(int.from_bytes(seed, "big")).standard_normal(64)
            row += self.noise * error / np.linalg.norm(error)
            row /= np.linalg.norm(row)
        return vectors


def made_pairs(count: int = 200, questions: int = 20, seed: int = 0) -> list[SentencePair]:
    """Give pairs that share as many of their ten words as their label says."""
    rng = np.random.default_rng(seed)
    pairs = []
    for n in range(count):
        label = int(rng.integers(0, 11))
        words = rng.permutation(WORDS)
        one, other = words[:10], [*words[:label], *words[10 : 20 - label]]
        question = f"q{n % questions}" if questions else None
        pairs.append(SentencePair(" ".join(one), " ".join(other), float(label), question))
    return pairs


def made_answers(questions: int = 12, each: int = 6, seed: int = 0) -> list[Answer]:
    """Give answers of which half of the words are their question's."""
    rng = np.random.default_rng(seed)
    answers = []
    for q in range(questions):
        topic = rng.permutation(WORDS)[:5]
        for n in range(each):
            own = rng.permutation(WORDS)[:5]
            half = "good" if n % 2 else "bad"
            text = " ".join([*topic, *own, half, half, half])
            answers.append(Answer(f"q{q}-{n}", text, f"q{q}", f"s{n}", meta={"verdict": half}))
    return answers


def figure(found: Evaluation, name: str) -> MetricComparison:
    return next(figure for figure in found.metrics if figure.name == name)


def verdicts(found: Evaluation) -> dict[str, str | None]:
    return {figure.name: figure.results[-1].verdict for figure in found.metrics}


# -- pairs -----------------------------------------------------------------------------------------


def test_pairs_as_scipy_and_scikit_learn_measure_them() -> None:
    pairs, encoder = made_pairs(), Noisy(0.3)
    found = evaluate_pairs(pairs, [encoder])
    scores = [
        round(float(encoder._embed([p.sentence_0])[0] @ encoder._embed([p.sentence_1])[0]), 6)
        for p in pairs
    ]
    labels = np.array([pair.label for pair in pairs])
    expected = {
        "Pearson": pearsonr(labels, scores).statistic,
        "Spearman": spearmanr(labels, scores).statistic,
        "AUC": roc_auc_score(labels >= 6, scores),
        "average precision": average_precision_score(labels >= 6, scores),
    }
    assert [figure.name for figure in found.metrics] == list(expected)
    for name, value in expected.items():
        (result,) = figure(found, name).results
        assert result.estimate.value == pytest.approx(value, abs=1e-5)
        assert result.estimate.low < result.estimate.value < result.estimate.high
        assert result.difference is None and result.verdict is None
    assert (
        figure(found, "AUC").on == f"{(labels >= 6).sum()} of 200 pairs have a label of 6 or more"
    )
    assert (found.unit, found.units, found.models) == ("question", 20, ("noisy 0.3 0",))
    assert not found.missing and not found.notes


def test_each_text_is_embedded_once_a_model_and_progress_is_told() -> None:
    pairs = [*made_pairs(30), *made_pairs(30)]
    texts = {text for pair in pairs for text in (pair.sentence_0, pair.sentence_1)}
    told: list[tuple[int, int]] = []

    class Telling(ToyEncoder):
        def encode(self, texts: Sequence[str], progress=None) -> np.ndarray:
            progress(10, len(texts))
            progress(len(texts), len(texts))
            return super().encode(texts)

    encoders = [Telling(), Telling()]
    evaluate_pairs(pairs, encoders, progress=lambda *some: told.append(some))
    for encoder in encoders:
        assert sorted(encoder.texts) == sorted(texts)
    assert told == [(10, len(texts)), (len(texts), len(texts))] * 2


def test_the_better_model_is_called_better_and_the_worse_one_worse() -> None:
    pairs = made_pairs()
    assert set(verdicts(evaluate_pairs(pairs, [Noisy(2), Noisy(0.1)])).values()) == {"better"}
    assert set(verdicts(evaluate_pairs(pairs, [Noisy(0.1), Noisy(2)])).values()) == {"worse"}


def test_models_that_differ_by_chance_are_said_to() -> None:
    found = evaluate_pairs(made_pairs(), [Noisy(0.4, 1), Noisy(0.4, 2), Noisy(0.4, 1)])
    assert set(verdicts(found).values()) == {"within chance"}
    for one in found.metrics:
        _, other, same = one.results
        assert other.verdict == "within chance" and other.difference.value != 0
        assert other.difference.low < 0 < other.difference.high
        assert (same.difference.low, same.difference.value, same.difference.high) == (0, 0, 0)
        assert other.difference.value == other.estimate.value - one.results[0].estimate.value


def test_few_differences_between_equal_models_are_called_real() -> None:
    """Of twenty pairs of equally good models about one may be told apart at 95 %."""
    wrong = sum(
        verdicts(evaluate_pairs(
            made_pairs(120, 0, seed), [Noisy(0.8, seed), Noisy(0.8, seed + 100)], resamples=300
        ))["Pearson"] != "within chance"
        for seed in range(20)
    )  # fmt: skip
    assert wrong <= 4


def test_a_paired_difference_is_known_better_than_either_figure() -> None:
    (one,) = evaluate_pairs(made_pairs(), [Noisy(0.3, 1), Noisy(0.35, 1)]).metrics[:1]
    _, other = one.results
    width = other.estimate.high - other.estimate.low
    assert other.difference.high - other.difference.low < 0.6 * width


def test_questions_are_drawn_where_they_are_known() -> None:
    assert evaluate_pairs(made_pairs(60, 0), [ToyEncoder()]).unit == "pair"
    few = evaluate_pairs(made_pairs(60, 9), [ToyEncoder()])
    assert (few.unit, few.units) == ("pair", 60)
    assert few.notes[0].startswith("9 questions are too few to resample: pairs are drawn")
    some = [*made_pairs(50, 10), *made_pairs(7, 0, 5)]
    assert evaluate_pairs(some, [ToyEncoder()]).units == 17
    # Pairs that say the same thing twenty times are no more than one question.
    copies = [pair for pair in made_pairs(20, 20) for _ in range(20)]
    wide = evaluate_pairs(copies, [Noisy(0.8)]).metrics[0].results[0].estimate
    loose = [SentencePair(p.sentence_0, p.sentence_1, p.label) for p in copies]
    tight = evaluate_pairs(loose, [Noisy(0.8)]).metrics[0].results[0].estimate
    assert wide.value == tight.value and wide.high - wide.low > 3 * (tight.high - tight.low)


def test_too_few_to_resample() -> None:
    found = evaluate_pairs(made_pairs(8, 0), [Noisy(2), Noisy(0.1)])
    assert set(verdicts(found).values()) == {"too few to tell"}
    assert found.metrics[0].results[0].estimate.low is None
    assert found.notes == ("8 are too few to resample: no intervals, and no verdicts",)


@pytest.mark.parametrize(
    ("labels", "least", "missing"),
    [
        ([3, 3, 3], None, {"Pearson": "all labels are 3", "AUC": "all pairs have a label of 1.8"}),
        ([1, 2, 3], 0, {"AUC": "all pairs have a label of 0 or more; set `positive_from`"}),
        ([1, 2, 3], 9, {"average precision": "no pair has a label of 9 or more"}),
        ([-1, -2, 0], None, {"AUC": "no label is above 0; set `positive_from`"}),
        ([-1, -2, 0], -1, {}),
    ],
)
def test_what_labels_cannot_give_is_said(labels, least, missing) -> None:
    pairs = [SentencePair(f"a{n}", f"b{n} a{n}", float(v)) for n, v in enumerate(labels)]
    found = evaluate_pairs(pairs, [ToyEncoder()], positive_from=least)
    for name, why in missing.items():
        assert found.missing[name].startswith(why)
    given = {figure.name for figure in found.metrics}
    assert given | set(found.missing) == {"Pearson", "Spearman", "AUC", "average precision"}
    assert given.isdisjoint(found.missing)
    assert bool(found.missing) == bool(missing)


def test_a_model_is_not_asked_if_there_is_nothing_to_give() -> None:
    encoder = ToyEncoder()
    found = evaluate_pairs([SentencePair("a", "b", 1.0)], [encoder])
    assert len(found.missing) == 4 and not found.metrics and not encoder.batches


def test_long_sentences_are_whole() -> None:
    long = " ".join(WORDS[:30])
    pairs = [SentencePair(long, f"{long} x{n}", float(n)) for n in range(3)]
    encoder = ToyEncoder(window=12)
    evaluate_pairs(pairs, [encoder])
    assert max(len(text.split()) for text in encoder.texts) <= 12
    assert set(WORDS[:30]) <= {word for text in encoder.texts for word in text.split()}


def test_pairs_that_cannot_be_measured() -> None:
    with pytest.raises(BadInput, match="no pairs"):
        evaluate_pairs([], [ToyEncoder()])
    with pytest.raises(BadInput, match="blank"):
        evaluate_pairs([SentencePair("a", " ", 1.0)], [ToyEncoder()])
    with pytest.raises(BadInput, match="`resamples` must be 100 or more, not 5"):
        evaluate_pairs(made_pairs(), [ToyEncoder()], resamples=5)
    with pytest.raises(BadInput, match="`resamples` must be 100,000 or fewer, not 10,000,000,000"):
        evaluate_pairs(made_pairs(), [ToyEncoder()], resamples=10**10)
    for seed in (-1, 1 << 31):
        with pytest.raises(BadInput, match=f"`seed` must be from 0 to 2147483647, not {seed}"):
            evaluate_corpus([Answer("a", "b")], [ToyEncoder()], seed=seed)
    for count, measured in ((1, "1 answer to 1 question"), (2, "2 answers to 1 question")):
        answers = [Answer(f"a{n}", f"text {n}", "q1") for n in range(count)]
        assert evaluate_corpus(answers, [ToyEncoder()]).measured == measured
    with pytest.raises(BadInput, match="`max_pairs` must be 2 or more, not 0"):
        evaluate_corpus([Answer("a", "b")], [ToyEncoder()], max_pairs=0)
    with pytest.raises(TypeError, match=r"`pairs`: item 1 is .*, which is no SentencePair"):
        evaluate_pairs([("a", "b", 1.0)], [ToyEncoder()])
    nameless = [SentencePair("a", "b", float("nan"))]
    with pytest.raises(BadInput, match="a label is no finite number; leave out its pair"):
        evaluate_pairs(nameless, [ToyEncoder()])
    with pytest.raises(ValueError, match="no encoder"):
        evaluate_pairs(made_pairs(), [])


def test_the_seed_makes_the_intervals() -> None:
    pairs, encoder = made_pairs(), Noisy(0.3)
    assert evaluate_pairs(pairs, [encoder]) == evaluate_pairs(pairs, [encoder])
    one, other = (evaluate_pairs(pairs, [encoder], seed=seed).metrics[0] for seed in (0, 1))
    assert one.results[0].estimate.value == other.results[0].estimate.value
    assert one.results[0].estimate.low != other.results[0].estimate.low


# -- answers ---------------------------------------------------------------------------------------


def all_scores(answers: list[Answer], encoder: ToyEncoder) -> tuple[np.ndarray, np.ndarray]:
    vectors = embed_texts([answer.text for answer in answers], encoder, None)
    left, right = np.triu_indices(len(answers), 1)
    return np.column_stack([left, right]), np.einsum("pd,pd->p", vectors[left], vectors[right])


def test_same_question_as_brute_force() -> None:
    answers, encoder = made_answers(), Noisy(0.3, window=40)
    answers = [*answers, Answer("blank", " ", "q1"), Answer("loose", "w1 w2")]
    found = evaluate_corpus(answers, [encoder])
    known = [answer for answer in answers if answer.question and answer.text.strip()]
    pairs, scores = all_scores(known, encoder)
    same = np.array([known[a].question == known[b].question for a, b in pairs])
    auc = figure(found, "same question: AUC")
    assert auc.results[0].estimate.value == pytest.approx(roc_auc_score(same, scores), abs=1e-4)
    assert figure(found, "same question: average precision").results[0].estimate.value == (
        pytest.approx(average_precision_score(same, scores), abs=1e-3)
    )
    assert auc.on == "180 pairs of one question, 2,376 pairs of two"
    assert found.unit == "question" and found.measured == "73 answers to 12 questions"
    assert set(found.notes) == {"1 blank answer left out", "1 answer without a question"}


def test_verdicts_on_answers() -> None:
    answers = made_answers()
    better = evaluate_corpus(answers, [Noisy(2), Noisy(0.1)], label_column="verdict")
    assert set(verdicts(better).values()) == {"better"} and len(better.metrics) == 3
    chance = evaluate_corpus(answers, [Noisy(0.5, 1), Noisy(0.5, 2)], label_column="verdict")
    assert set(verdicts(chance).values()) == {"within chance"}


def test_of_many_pairs_a_sample_is_taken_and_weighed() -> None:
    answers, encoder = made_answers(30, 10), Noisy(0.5, window=40)
    whole, part = (evaluate_corpus(answers, [encoder], max_pairs=most) for most in (10**6, 20_000))
    assert "sample" not in whole.metrics[0].on
    assert part.metrics[0].on == (
        "1,350 pairs of one question, 43,500 pairs of two (a sample of 10,000)"
    )
    for one, other in zip(whole.metrics, part.metrics, strict=True):
        a, b = one.results[0].estimate, other.results[0].estimate
        assert a.value != b.value and a.value == pytest.approx(b.value, abs=0.02)
        assert (a.low, a.high) == pytest.approx((b.low, b.high), abs=0.03)


def test_copies_as_brute_force() -> None:
    answers, encoder = made_answers(), Noisy(0.3, window=40)
    copies = [("q1-0", "q1-3"), ("q1-3", "q1-0"), ("q2-1", "q2-5"), ("q1-1", "q2-1")]
    found = evaluate_corpus(answers, [encoder], copies=copies)
    known = [answer for answer in answers if answer.question in ("q1", "q2")]
    pairs, scores = all_scores(known, encoder)
    ids = [{known[a].id, known[b].id} for a, b in pairs]
    inside = np.array([known[a].question == known[b].question for a, b in pairs])
    truth = np.array([pair in ({"q1-0", "q1-3"}, {"q2-1", "q2-5"}) for pair in ids])[inside]
    auc = figure(found, "copies: AUC")
    assert auc.results[0].estimate.value == pytest.approx(roc_auc_score(truth, scores[inside]))
    assert figure(found, "copies: average precision").results[0].estimate.value == pytest.approx(
        average_precision_score(truth, scores[inside])
    )
    assert auc.on == "2 pairs that are copies, 28 pairs else of their questions"
    assert found.notes == ("2 of the copies left out: blank, of two questions or listed twice",)


def test_copies_that_cannot_be_measured() -> None:
    answers = [*made_answers(), Answer("blank", "", "q1")]
    with pytest.raises(BadInput, match="no answer 'nobody', which is listed among the copies"):
        evaluate_corpus(answers, [ToyEncoder()], copies=[("q1-0", "nobody")])
    found = evaluate_corpus(answers, [ToyEncoder()], copies=[("q1-0", "blank")])
    assert found.missing["copies: AUC"] == "no two answers to one question are copies"
    two = [Answer("a", "w1", "q"), Answer("b", "w1 w2", "q"), Answer("c", "w3", "r")]
    found = evaluate_corpus(two, [ToyEncoder()], copies=[("a", "b")])
    assert found.missing["copies: AUC"] == "their questions have no other pairs"
    twice = [*answers, answers[0]]
    with pytest.raises(BadInput, match="two answers have the same id"):
        evaluate_corpus(twice, [ToyEncoder()], copies=[("q1-0", "q1-1")])


def test_v_measure_within_questions_and_over_all() -> None:
    answers, encoder = made_answers()[3:], Noisy(0.3, window=40)  # the first question has three
    labels = [answer.meta["verdict"] for answer in answers]
    vectors = embed_texts([answer.text for answer in answers], encoder, None)

    def of(rows: np.ndarray) -> float:
        found = k_means(vectors[rows], 2, seed=0).labels
        return float(v_measure_score([labels[n] for n in rows], found))

    found = evaluate_corpus(answers, [encoder], label_column="verdict")
    groups = [np.arange(3), *(np.arange(start, start + 6) for start in range(3, 69, 6))]
    expected = sum(of(rows) * len(rows) for rows in groups) / 69
    one = figure(found, "V-measure, verdict")
    assert one.results[0].estimate.value == pytest.approx(expected)
    assert one.on == "69 answers in 12 questions"
    loose = [Answer(answer.id, answer.text, meta=answer.meta) for answer in answers]
    found = evaluate_corpus(loose, [encoder], label_column="verdict")
    assert figure(found, "V-measure, verdict").results[0].estimate.value == pytest.approx(
        of(np.arange(69))
    )
    assert found.unit == "answer" and set(found.missing.values()) == {"no answer has a question"}


@pytest.mark.parametrize(
    ("questions", "why"),
    [
        (["q"] * 12, "all answers are to one question"),
        ([None] * 12, "no answer has a question"),
        ([f"q{n}" for n in range(12)], "no question has two answers"),
    ],
)
def test_what_the_questions_cannot_give_is_said_and_the_rest_given(questions, why) -> None:
    answers = [
        Answer(f"a{n}", f"w{n} w{n % 3}", question, meta={"label": f"l{n % 2}"})
        for n, question in enumerate(questions)
    ]
    found = evaluate_corpus(answers, [ToyEncoder()], label_column="label")
    assert found.missing["same question: AUC"] == why
    alone = why.startswith("no question has")
    assert ("V-measure, label" in found.missing) == alone == (not found.metrics)


def test_answers_that_cannot_be_measured() -> None:
    with pytest.raises(BadInput, match="no answers to measure"):
        evaluate_corpus([Answer("a", " ")], [ToyEncoder()])
    with pytest.raises(BadInput, match="no column 'nothing'; there are verdict"):
        evaluate_corpus(made_answers(), [ToyEncoder()], label_column="nothing")


@pytest.mark.parametrize("seed", range(3))
def test_pairs_of_one_and_of_two_questions_are_all_of_them(seed: int) -> None:
    questions = np.random.default_rng(seed).integers(0, 5, 23)
    contrast = QuestionPairs(questions)
    everything = {(a, b) for a in range(23) for b in range(a + 1, 23)}
    one, two = contrast.same_question(), contrast.different_questions()
    same = {(a, b) for a, b in everything if questions[a] == questions[b]}
    assert sorted(zip(one.left.tolist(), one.right.tolist(), strict=True)) == sorted(same)
    others = sorted(zip(two.left.tolist(), two.right.tolist(), strict=True))
    assert others == sorted(everything - same)
    assert (one.weights == 1).all() and not one.is_sampled and not two.is_sampled


def test_a_sample_of_pairs_is_uniform() -> None:
    questions = np.array([0, 1, 0, 2, 1, 1, 2, 3])
    contrast = QuestionPairs(questions)
    for draw, every in (
        (contrast.same_question, contrast.same_question()),
        (contrast.different_questions, contrast.different_questions()),
    ):
        most = every.total - 1
        drawn = [draw(most) for _ in range(2000)]
        assert drawn[0].is_sampled and drawn[0].weights.sum() == pytest.approx(every.total)
        codes = np.concatenate([pairs.left * 8 + pairs.right for pairs in drawn])
        counts = np.bincount(codes, minlength=64)
        assert set(np.flatnonzero(counts)) == set(every.left * 8 + every.right)
        share = counts[counts > 0] * every.total / counts.sum()
        assert share == pytest.approx(1, abs=0.15)


def test_cosines_in_blocks() -> None:
    vectors = ToyEncoder()._embed(WORDS)
    left, right = np.triu_indices(60, 1)
    whole = sampling.cosines(vectors, left, right)
    assert whole == pytest.approx((vectors @ vectors.T)[left, right], abs=1e-5)
    assert (sampling.cosines(vectors, left, right, block_pairs=7) == whole).all()


# -- queries and documents -------------------------------------------------------------------------


def made_search(
    queries: int = 40, documents: int = 150, seed: int = 0
) -> tuple[dict[str, str], dict[str, str], dict[str, dict[str, float]]]:
    """Give documents of thirty words, queries of six words of one or two of them, and which."""
    rng = np.random.default_rng(seed)
    words = [f"v{n}" for n in range(400)]
    corpus = {f"d{n}": " ".join(rng.choice(words, 30)) for n in range(documents)}
    asked, qrels = {}, {}
    for n in range(queries):
        both = rng.choice(documents, 2, replace=False)
        start = int(rng.integers(0, 25))
        parts = [corpus[f"d{d}"].split()[start : start + 4] for d in both]
        asked[f"q{n}"] = " ".join([*parts[0], *parts[1][:2]])
        qrels[f"q{n}"] = {f"d{n}": 0.0, f"d{both[0]}": 2.0, f"d{both[1]}": 1.0}
    return corpus, asked, qrels


def by_hand(corpus, queries, qrels, encoder) -> np.ndarray:
    """Rank all documents by their best passage of twelve words, and walk down the list."""
    rows = []
    parts = {
        name: [" ".join(text.split()[n : n + 10]) for n in range(0, 30, 10)]
        for name, text in corpus.items()
    }
    names = list(corpus)
    vectors = np.stack([encoder._embed(parts[name]) for name in names])
    for query, text in queries.items():
        scores = (vectors @ encoder._embed([text])[0]).max(axis=1).round(6)
        order = [names[n] for n in np.argsort(-scores, kind="stable")]
        gains = np.array([qrels[query].get(name, 0.0) for name in order])
        hits = gains > 0
        places = np.flatnonzero(hits) + 1
        ideal = np.sort(gains)[::-1][:10]
        discount = np.log2(np.arange(10) + 2)
        rows.append([
            *(hits[:k].sum() / hits.sum() for k in (1, 10, 100)),
            1 / places[0] if places[0] <= 10 else 0,
            (gains[:10] / discount).sum() / (ideal / discount).sum(),
            np.mean([hits[:n].mean() for n in places]),
        ])  # fmt: skip
    return np.mean(rows, axis=0)


def test_retrieval_as_walking_down_the_list() -> None:
    corpus, queries, qrels = made_search()
    encoder = Noisy(0.5, window=10)
    found = evaluate_retrieval(corpus, queries, qrels, [encoder])
    expected = by_hand(corpus, queries, qrels, encoder)
    assert [figure.results[0].estimate.value for figure in found.metrics] == pytest.approx(expected)
    assert 0.2 < expected[0] < expected[1] < expected[2] < 1  # so that the test can fail
    assert (found.unit, found.units) == ("query", 40)
    assert len(encoder.texts) == len(set(encoder.texts)) and encoder.batches == 1


def test_ranks_in_blocks() -> None:
    corpus, queries, _ = made_search()
    encoder = Noisy(0.5, window=10)
    documents = PassageVectors.embed(list(corpus.values()), encoder)
    asked = PassageVectors.embed(list(queries.values()), encoder, queries=True)
    relevant = [np.arange(n % 3, len(corpus), 7) for n in range(len(queries))]
    hidden = [n % 5 - 1 for n in range(len(queries))]
    whole = find_ranks(asked, documents, relevant, hidden)
    in_blocks = find_ranks(asked, documents, relevant, hidden, block_scores=1)
    assert [ranks.tolist() for ranks in in_blocks] == [ranks.tolist() for ranks in whole]


def test_verdicts_on_retrieval() -> None:
    search = made_search()
    found = verdicts(evaluate_retrieval(*search, [Noisy(2), Noisy(0.1)]))
    assert found["nDCG@10"] == found["MAP"] == found["recall@10"] == "better"
    found = verdicts(evaluate_retrieval(*search, [Noisy(0.4, 1), Noisy(0.4, 2)]))
    assert found["nDCG@10"] == found["MAP"] == "within chance"


def values(found: Evaluation) -> dict[str, float]:
    return {figure.name: figure.results[0].estimate.value for figure in found.metrics}


def test_ties_rank_in_the_order_of_the_corpus_and_blank_documents_last() -> None:
    corpus = {"blank": "", "a": "w1", "b": "w1", "c": "w2"}
    for wanted, rank in (("a", 1), ("b", 2), ("c", 3), ("blank", 4)):
        found = evaluate_retrieval(corpus, {"q": "w1"}, {"q": {wanted: 1}}, [ToyEncoder()])
        assert values(found)["MRR@10"] == 1 / rank
    assert "1 blank document can't be found" in found.notes


def test_a_query_does_not_find_itself_unless_it_is_relevant() -> None:
    corpus = {"x": "w1 w2", "a": "w1 w3"}
    found = evaluate_retrieval(corpus, {"x": "w1 w2"}, {"x": {"a": 1}}, [ToyEncoder()])
    assert values(found)["recall@1"] == 1
    found = evaluate_retrieval(corpus, {"x": "w1 w2"}, {"x": {"x": 1, "a": 1}}, [ToyEncoder()])
    assert values(found)["MRR@10"] == 1 and values(found)["recall@1"] == 0.5


def test_a_long_query_is_searched_by_its_passages() -> None:
    corpus = {"near": "w1 w2 w3 w4 w5 w6", "far": "w7 w8 x1 x2 x3 x4"}
    query = "w7 w8 w9 w10 w11 w12 w1 w2 w3 w4 w5 w6"
    found = evaluate_retrieval(corpus, {"q": query}, {"q": {"near": 1}}, [ToyEncoder(window=6)])
    assert values(found)["recall@1"] == 1


def test_queries_that_cannot_be_measured() -> None:
    corpus, queries = {"d": "w1", "e": "w2"}, {"q": "w1", "r": "w2", "s": " "}
    found = evaluate_retrieval(corpus, queries, {"q": {"d": 1}, "r": {"e": 0}}, [ToyEncoder()])
    assert found.units == 1 and set(found.notes) == {
        "nothing is relevant to 2 of the queries, which are left out",
        "1 is too few to resample: no intervals, and no verdicts",
    }
    for qrels, message in [
        ({"q": {"x": 1}}, "qrels name the document 'x', which is not in the corpus"),
        ({"x": {"d": 1}}, "qrels name the query 'x', which is not among the queries"),
        ({"q": {"d": 0}}, "no document is relevant to any query"),
        ({"s": {"d": 1}}, "the query 's' is blank"),
    ]:
        with pytest.raises(BadInput, match=message):
            evaluate_retrieval(corpus, queries, qrels, [ToyEncoder()])
