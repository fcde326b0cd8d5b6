"""Evaluation of embedding models on the user's own texts.

Every metric has a 95 % confidence interval, and every model but the first the interval of its
difference to the first on the same resamples: if that contains 0, the difference may be chance.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from searchkit.core.arrays import Float64
from searchkit.core.errors import BadInput, as_list, check_seed
from searchkit.core.messages import Message, counted
from searchkit.core.progress import Progress
from searchkit.core.records import Answer
from searchkit.encoding.encoder import Encoder
from searchkit.evaluation.bootstrap import RESAMPLES, ResampleMetrics
from searchkit.evaluation.comparison import AnyArray, Evaluation, Measurement, Units, compare_models
from searchkit.evaluation.measures import AnswerCorpus, correlation, separation
from searchkit.evaluation.retrieval import METRICS, find_ranks, query_metrics, read_gains
from searchkit.evaluation.sampling import MAX_PAIRS, cosines
from searchkit.evaluation.texts import PassageVectors, embed_texts
from searchkit.sources.labelled import SentencePair

# Lowest label of a positive pair, as a share of the largest label.
POSITIVE_SHARE = 0.6
MAX_RESAMPLES = 100_000

# -- pairs of texts with a label -------------------------------------------------------------------


def evaluate_pairs(
    pairs: Sequence[SentencePair],
    encoders: Iterable[Encoder],
    *,
    positive_from: float | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
    progress: Progress | None = None,
) -> Evaluation:
    """Measure how well cosines agree with the labels of pairs.

    The metrics are Pearson's and Spearman's correlation, and ROC AUC and average precision of the
    cosine as a score for positive pairs. The vector of a text longer than the window is the mean of
    its passages' vectors.

    Args:
        pairs: Labelled pairs; the labels may have any range.
        encoders: The models, used one after another, so that a generator may load them.
        positive_from: Lowest label of a positive pair; None for 60 % of the largest.
        resamples: Number of resamples; of questions if there are ten or more, else of pairs.
        seed: Seed of the draws.
        progress: Called for each model with the number of embedded texts and the total.

    Raises:
        BadInput: If there are no pairs, one has a blank sentence or no label, or
            `resamples` or `seed` is out of range.
    """
    _check_draws(resamples, seed)
    pairs = as_list("pairs", pairs, SentencePair)
    if not pairs:
        raise BadInput("no pairs to measure models by")
    texts = dict.fromkeys(text for pair in pairs for text in (pair.sentence_0, pair.sentence_1))
    rows = {text: n for n, text in enumerate(texts)}
    if any(not text.strip() for text in rows):
        raise BadInput("a sentence is blank; leave out its pair")
    if not np.isfinite([pair.label for pair in pairs]).all():
        raise BadInput("a label is no finite number; leave out its pair")
    left = np.array([rows[pair.sentence_0] for pair in pairs])
    right = np.array([rows[pair.sentence_1] for pair in pairs])
    labels = np.array([pair.label for pair in pairs], np.float64)
    units = Units.from_questions([pair.question for pair in pairs], "pair")
    measurements, missing = _pair_measurements(labels, units, positive_from)

    def read(encoder: Encoder) -> AnyArray:
        return cosines(embed_texts(list(rows), encoder, progress), left, right)

    return compare_models(
        encoders,
        read,
        measurements,
        measured=counted(len(pairs), "pair"),
        units=units,
        resamples=resamples,
        seed=seed,
        missing=missing,
    )


def _pair_measurements(
    labels: Float64, units: Units, positive_from: float | None
) -> tuple[list[Measurement], dict[str, str]]:
    """Return the measurements that labels allow, and why others can't be made."""
    missing: dict[str, str] = {}
    measurements: list[Measurement] = []
    if np.ptp(labels) > 0:
        measurements.append(correlation(labels, units.codes))
    else:
        missing |= dict.fromkeys(("Pearson", "Spearman"), f"all labels are {labels[0]:g}")
    names = ("AUC", "average precision")
    min_label = POSITIVE_SHARE * labels.max() if positive_from is None else positive_from
    truth = labels >= min_label - 1e-9
    if positive_from is None and labels.max() <= 0:
        missing |= dict.fromkeys(names, Message("no label is above 0; set `positive_from`"))
    elif truth.all() or not truth.any():
        subject = "all pairs have" if truth.all() else "no pair has"
        reason = Message(
            "{subject} a label of {min_label:g} or more; set `positive_from`",
            subject=subject,
            min_label=min_label,
        )
        missing |= dict.fromkeys(names, reason)
    else:
        on = f"{truth.sum():,} of {len(truth):,} pairs have a label of {min_label:g} or more"
        measurements.append(separation(names, on, truth, units.codes))
    return measurements, missing


# -- answers ---------------------------------------------------------------------------------------


def evaluate_corpus(
    answers: Iterable[Answer],
    encoders: Iterable[Encoder],
    *,
    label_column: str | None = None,
    copies: Iterable[tuple[str, str]] = (),
    max_pairs: int = MAX_PAIRS,
    resamples: int = RESAMPLES,
    seed: int = 0,
    progress: Progress | None = None,
) -> Evaluation:
    """Measure how well a model tells answers to the same question from answers to others.

    The metrics are ROC AUC and average precision of the cosine: for all pairs of answers, with
    those to the same question as positives, and for pairs of the same question, with copies as
    positives. The third is the V-measure of labels and the k-means clusters of each question's
    answers (without questions, of all answers), with as many clusters as labels.

    Args:
        answers: The answers; blank ones are left out.
        encoders: The models; see `evaluate_pairs`.
        label_column: Name of the column with the labels.
        copies: Ids of copy and source of known copies.
        max_pairs: Of more pairs, a weighted sample of this size is used.
        resamples: Number of resamples; of questions if there are ten or more, else of answers.
        seed: Seed of the draws, the samples and k-means.
        progress: See `evaluate_pairs`.

    Raises:
        BadInput: If there are no answers, no such column, no answer with the id of a copy, or
            `max_pairs`, `resamples` or `seed` is out of range.
    """
    _check_draws(resamples, seed)
    if max_pairs < 2:
        raise BadInput(Message("`max_pairs` must be 2 or more, not {number}", number=max_pairs))
    all_answers = as_list("answers", answers, Answer)
    nonblank = [answer for answer in all_answers if answer.text.strip()]
    if not nonblank:
        raise BadInput("no answers to measure models by")
    texts = list(dict.fromkeys(answer.text for answer in nonblank))
    rows = {text: n for n, text in enumerate(texts)}
    corpus = AnswerCorpus.from_answers(
        nonblank, np.array([rows[answer.text] for answer in nonblank]), max_pairs, seed
    )
    if len(nonblank) < len(all_answers):
        count = len(all_answers) - len(nonblank)
        corpus.notes.append(f"{counted(count, 'blank answer')} left out")
    measurements = corpus.same_question()
    if copy_pairs := list(copies):
        measurements += corpus.copies_apart(copy_pairs, {answer.id for answer in all_answers})
    if label_column is not None:
        measurements += corpus.clusters_and_labels(label_column)

    def read(encoder: Encoder) -> AnyArray:
        return embed_texts(texts, encoder, progress)

    names = {answer.question for answer in nonblank} - {None}
    measured = counted(len(nonblank), "answer")
    measured += f" to {counted(len(names), 'question')}" if names else ""
    return compare_models(
        encoders,
        read,
        measurements,
        measured=measured,
        units=corpus.units,
        resamples=resamples,
        seed=seed,
        missing=corpus.missing,
        notes=corpus.notes,
    )


# -- queries and documents -------------------------------------------------------------------------


def evaluate_retrieval(
    corpus: Mapping[str, str],
    queries: Mapping[str, str],
    qrels: Mapping[str, Mapping[str, float]],
    encoders: Iterable[Encoder],
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
    progress: Progress | None = None,
) -> Evaluation:
    """Measure how well queries find the documents that are relevant to them.

    The score of a document longer than the window is that of its best passage. Documents with equal
    scores rank in the order of the corpus. As in BEIR, a query doesn't find the document with its
    own id, unless it is judged relevant.

    Args:
        corpus: Ids of the documents, with their texts.
        queries: Ids of the queries, with their texts; those to which nothing is relevant are left
            out.
        qrels: Queries, their judged documents, and how relevant these are; only documents above 0
            are relevant.
        encoders: The models; see `evaluate_pairs`.
        resamples: Number of resamples of the queries.
        seed: Seed of the draws.
        progress: See `evaluate_pairs`.

    Raises:
        BadInput: If nothing is relevant to any query, a judged query or document is missing, a
            query to which something is relevant is blank, or `resamples` is below 100.
    """
    _check_draws(resamples, seed)
    rows = {name: n for n, name in enumerate(corpus)}
    gains = read_gains(rows, queries, qrels)
    asked = list(gains)
    relevant = [np.array([rows[name] for name in gains[query]]) for query in asked]
    hidden = [-1 if query in gains[query] else rows.get(query, -1) for query in asked]
    weights = [np.array(list(gains[query].values()), np.float64) for query in asked]

    def read(encoder: Encoder) -> AnyArray:
        documents = PassageVectors.embed(list(corpus.values()), encoder, progress)
        texts = [queries[query] for query in asked]
        passages = PassageVectors.embed(texts, encoder, queries=True)
        ranks = find_ranks(passages, documents, relevant, hidden)
        return np.array([query_metrics(*both) for both in zip(ranks, weights, strict=True)])

    def measure(metrics: AnyArray) -> tuple[list[float], ResampleMetrics]:
        by_query = metrics.astype(np.float64, copy=False)  # (queries, metrics)
        return by_query.mean(axis=0).tolist(), lambda counts: counts @ by_query / len(by_query)

    judged = sum(len(documents) for documents in relevant)
    on = f"{len(asked):,} queries"
    blank = sum(not text.strip() for text in corpus.values())
    notes = [f"{counted(blank, 'blank document')} can't be found"] if blank else []
    if len(asked) < len(queries):
        count = len(queries) - len(asked)
        notes.append(f"nothing is relevant to {count:,} of the queries, which are left out")
    return compare_models(
        encoders,
        read,
        [Measurement(METRICS, on, measure)],
        measured=f"{on}, {len(corpus):,} documents, {judged:,} judged relevant",
        units=Units(np.arange(len(asked)), "query"),
        resamples=resamples,
        seed=seed,
        notes=notes,
    )


def _check_draws(resamples: int, seed: int) -> None:
    if not 100 <= resamples <= MAX_RESAMPLES:
        template = "`resamples` must be {least} or more, not {resamples}"
        if resamples > MAX_RESAMPLES:
            template = "`resamples` must be {most:,} or fewer, not {resamples:,}"
        raise BadInput(Message(template, least=100, most=MAX_RESAMPLES, resamples=resamples))
    check_seed(seed)
