"""Evaluation: how good models are for one's own texts, side by side, and what of it is chance.

Every figure comes with the interval that holds it in 95 % of resamples, and every later model with
its difference to the first on the same resamples: where that interval holds 0, the difference is
noise.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from searchkit.core.errors import BadInput
from searchkit.core.progress import Progress
from searchkit.core.records import Answer
from searchkit.core.wording import counted
from searchkit.encoding.encoder import Encoder
from searchkit.evaluation.bootstrap import RESAMPLES, Measure
from searchkit.evaluation.comparison import Evaluation, Part, Units, compare_models
from searchkit.evaluation.measures import Answers, correlation, separation
from searchkit.evaluation.retrieval import FIGURES, figures_of, find_ranks, read_gains
from searchkit.evaluation.sampling import MAX_PAIRS, cosines
from searchkit.evaluation.texts import PassageVectors, embed_texts
from searchkit.sources.labelled import SentencePair

POSITIVE = 0.6  # of the largest label: from there a pair counts as positive
Array = NDArray[Any]

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
    """Measure how cosines go with labels.

    Pearson and Spearman, and by ROC AUC and average precision how well the cosine sets pairs with
    a high label apart from the others. A text longer than the window is the mean of its passages.

    Args:
        pairs: Their labels are numbers of any range.
        encoders: One after another, so that a generator may load them so.
        positive_from: The least label of a positive pair; None: 60 % of the largest.
        resamples: How many are drawn; of questions, if ten or more are known, else of pairs.
        seed: Of the draws.
        progress: Called for each model with how many texts are embedded, and of how many.

    Raises:
        BadInput: if there are no pairs, one has a blank sentence, or a number is out of range.
    """
    _check_resamples(resamples)
    if not pairs:
        raise BadInput("no pairs to measure models by")
    rows = {
        text: n
        for n, text in enumerate(
            dict.fromkeys(text for pair in pairs for text in (pair.sentence_0, pair.sentence_1))
        )
    }
    if any(not text.strip() for text in rows):
        raise BadInput("a sentence is blank; leave out its pair")
    left = np.array([rows[pair.sentence_0] for pair in pairs])
    right = np.array([rows[pair.sentence_1] for pair in pairs])
    labels = np.array([pair.label for pair in pairs], np.float64)
    units = Units.of([pair.question for pair in pairs], "pair")
    missing: dict[str, str] = {}
    parts: list[Part] = []
    if np.ptp(labels) > 0:
        parts.append(correlation(labels, units.codes))
    else:
        missing |= dict.fromkeys(("Pearson", "Spearman"), f"all labels are {labels[0]:g}")
    names = ("AUC", "average precision")
    least = POSITIVE * labels.max() if positive_from is None else positive_from
    truth = labels >= least - 1e-9
    if positive_from is None and labels.max() <= 0:
        missing |= dict.fromkeys(names, "no label is above 0; set --positive-from")
    elif truth.all() or not truth.any():
        which = "all pairs have" if truth.all() else "no pair has"
        why = f"{which} a label of {least:g} or more; set --positive-from"
        missing |= dict.fromkeys(names, why)
    else:
        on = f"{truth.sum():,} of {len(truth):,} pairs have a label of {least:g} or more"
        parts.append(separation(names, on, truth, units.codes))

    def read(encoder: Encoder) -> Array:
        return cosines(embed_texts(list(rows), encoder, progress), left, right)

    return compare_models(
        encoders,
        read,
        parts,
        measured=f"{len(pairs):,} pairs",
        units=units,
        resamples=resamples,
        seed=seed,
        missing=missing,
    )


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
    """Measure how well answers to one question are told from those to others.

    By ROC AUC and average precision over pairs of answers, whole ones as the mean of their
    passages; of copies in the same way among the pairs of their questions; and by V-measure how
    near the k-means clusters of each question's answers (or of all, without questions) come to
    labels, with as many clusters as labels.

    Args:
        answers: Blank ones are left out.
        encoders: As for `evaluate_pairs`.
        label_column: The column with the labels.
        copies: (copy, source) ids.
        max_pairs: So many pairs are looked at; of more a sample, which counts as many.
        resamples: How many are drawn; of questions, if there are ten or more, else of answers.
        seed: Of the draws, the samples and k-means.
        progress: As for `evaluate_pairs`.

    Raises:
        BadInput: if there are no answers, no such column, or no answer with an id of a copy.
    """
    _check_resamples(resamples)
    given = list(answers)
    some = [answer for answer in given if answer.text.strip()]
    if not some:
        raise BadInput("no answers to measure models by")
    texts = list(dict.fromkeys(answer.text for answer in some))
    place = {text: n for n, text in enumerate(texts)}
    corpus = Answers.of(some, np.array([place[answer.text] for answer in some]), max_pairs, seed)
    if len(some) < len(given):
        corpus.notes.append(f"{counted(len(given) - len(some), 'blank answer')} left out")
    parts = corpus.same_question()
    if listed := list(copies):
        parts += corpus.copied(listed, {answer.id for answer in given})
    if label_column is not None:
        parts += corpus.grouped(label_column)

    def read(encoder: Encoder) -> Array:
        return embed_texts(texts, encoder, progress)

    names = {answer.question for answer in some} - {None}
    measured = f"{len(some):,} answers" + (f" to {len(names):,} questions" if names else "")
    return compare_models(
        encoders,
        read,
        parts,
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

    A document longer than the window scores as its best passage. Equal scores rank in the order of
    the corpus. As in BEIR a query doesn't find the document that has its own id, unless that is
    relevant to it.

    Args:
        corpus: Document to its text.
        queries: Query to its text; those to which nothing is relevant are left out.
        qrels: Query to documents to how relevant each is; what is not above 0 is not.
        encoders: As for `evaluate_pairs`.
        resamples: How many are drawn, of queries.
        seed: Of the draws.
        progress: As for `evaluate_pairs`.

    Raises:
        BadInput: if there is nothing relevant to any query, a judged query or document isn't
            there, or such a query is blank.
    """
    _check_resamples(resamples)
    row = {name: n for n, name in enumerate(corpus)}
    gains = read_gains(row, queries, qrels)
    asked = list(gains)
    wanted = [np.array([row[name] for name in gains[query]]) for query in asked]
    hidden = [-1 if query in gains[query] else row.get(query, -1) for query in asked]
    weights = [np.array(list(gains[query].values()), np.float64) for query in asked]

    def read(encoder: Encoder) -> Array:
        documents = PassageVectors.of(list(corpus.values()), encoder, progress)
        texts = [queries[query] for query in asked]
        found = find_ranks(
            PassageVectors.of(texts, encoder, queries=True), documents, wanted, hidden
        )
        return np.array([figures_of(*both) for both in zip(found, weights, strict=True)])

    def of(figures: Array) -> tuple[list[float], Measure]:
        each = figures.astype(np.float64, copy=False)
        return each.mean(axis=0).tolist(), lambda counts: counts @ each / len(each)

    relevant = sum(len(rows) for rows in wanted)
    on = f"{len(asked):,} queries"
    blank = sum(not text.strip() for text in corpus.values())
    notes = [f"{counted(blank, 'blank document')} can't be found"] if blank else []
    if len(asked) < len(queries):
        count = len(queries) - len(asked)
        notes.append(f"nothing is relevant to {count:,} of the queries, which are left out")
    return compare_models(
        encoders,
        read,
        [Part(FIGURES, on, of)],
        measured=f"{on}, {len(corpus):,} documents, {relevant:,} judged relevant",
        units=Units(np.arange(len(asked)), "query"),
        resamples=resamples,
        seed=seed,
        notes=notes,
    )


def _check_resamples(resamples: int) -> None:
    if resamples < 100:
        raise BadInput(f"--resamples must be 100 or more, not {resamples}")
