"""Which answers are written in two languages, and which languages a model can compare."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from searchkit.core.arrays import Bool, Int64
from searchkit.core.messages import counted
from searchkit.encoding.models.names import MULTILINGUAL
from searchkit.index.incoming.languages import KNOWN_LANGUAGES
from searchkit.plagiarism.across.significance import MIN_PAIRS
from searchkit.plagiarism.preparation import PreparedAnswer, QuestionAnswers
from searchkit.text.languages.function_words import function_words
from searchkit.text.languages.names import NAMES, UNKNOWN, language_name
from searchkit.text.words import distinct_sequences

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

NOT_TOLD = -1
# Texts that share such a part of the shorter one's sequences of three words of prose are compared
# word for word, whatever their languages: they are mixed, or were taken for another one. But where
# not nearly all are the same, and hardly a function word is among them, these are names.
SAME_WORDS, SAME_NAMES = 0.6, 0.9
MIN_FUNCTION_WORDS = 0.3  # of the words that are in both; of an answer's it is 0.4 to 0.6, mostly
_PROSE_ONLY = (3, 1 << 30)  # words, and tokens of code, of which no text has so many
MAX_SHOWN_LANGUAGES = 4
BLOCK_PAIRS = 100_000  # whose words are compared at a time


def languages_of(model: str) -> frozenset[str] | None:
    """Return the codes of the languages that a model knows, by its name; None if that is unknown.

    A model whose own name says that it is multilingual is taken to know all of them.
    """
    known = KNOWN_LANGUAGES.get(model)
    if known is None and MULTILINGUAL in Path(model).name.lower():
        return frozenset(NAMES)
    return known


class AnswerLanguages:
    """Tells which of a question's answers are written in two languages.

    Attributes:
        codes: `(n,)` a number for the language of each answer; `NOT_TOLD` where it isn't known.
    """

    def __init__(
        self, texts: Sequence[PreparedAnswer], known: Collection[str] | None = None
    ) -> None:
        """Number the languages.

        Args:
            texts: The answers.
            known: The languages that the model knows. None: which these are is unknown, and no
                answers are told apart by their languages.
        """
        told = [None if known is None else text.language for text in texts]
        numbers = {name: n for n, name in enumerate(sorted({*told} - {None, UNKNOWN}, key=str))}
        self.codes = np.array([numbers.get(name, NOT_TOLD) for name in told], np.int64)
        self._texts = texts
        self.are_mixed = len(numbers) > 1

    def differ(self, left: Int64, right: Int64) -> Bool:
        """Return `(p,)` whether answers, by their numbers, are written in two languages."""
        one, other = self.codes[left], self.codes[right]
        differ: Bool = (one != other) & (one != NOT_TOLD) & (other != NOT_TOLD)
        places = np.flatnonzero(differ)
        if len(places):
            differ[places] = ~self._share_words(left[places], right[places])
        return differ

    def _share_words(self, left: Int64, right: Int64) -> Bool:
        """Return `(p,)` whether answers are for the most part the same words, not names alone."""
        sizes = np.diff(self._sequences.indptr)
        shorter = np.maximum(np.minimum(sizes[left], sizes[right]), 1)
        shared = np.zeros(len(left))
        for at in range(0, len(left), BLOCK_PAIRS):
            part = slice(at, at + BLOCK_PAIRS)
            both = self._sequences[left[part]].multiply(self._sequences[right[part]])
            shared[part] = both.sum(axis=1).A1
        share: Bool = shared >= SAME_WORDS * shorter
        for n in np.flatnonzero(share & (shared < SAME_NAMES * shorter)).tolist():
            share[n] = self._share_prose(int(left[n]), int(right[n]))
        return share

    def _share_prose(self, left: int, right: int) -> bool:
        """Whether the words that are in both are prose; True if no function words are known."""
        known = [function_words(self._texts[n].language) for n in (left, right)]
        same = self._words[left] & self._words[right]
        prose = same & (known[0] | known[1])
        return not all(known) or len(prose) >= MIN_FUNCTION_WORDS * len(same)

    @cached_property
    def _words(self) -> list[frozenset[str]]:
        """The different words of each answer."""
        return [frozenset(text.words.tokens) for text in self._texts]

    @cached_property
    def _sequences(self) -> csr_matrix:
        """`(n, s)` sparse, 1 where an answer holds a sequence of three words of prose."""
        from scipy import sparse

        rows, hashes = distinct_sequences([text.words for text in self._texts], _PROSE_ONLY)
        known, columns = np.unique(hashes, return_inverse=True)
        shape = (len(self._texts), max(1, len(known)))
        return sparse.csr_matrix((np.ones(len(rows), np.float32), (rows, columns)), shape)


@dataclass(frozen=True, slots=True)
class PairsAcross:
    """The pairs of answers in two languages.

    Attributes:
        model: The name of the model.
        answers: The number of answers in each language, of the questions with such pairs.
        judged: The number of pairs that are judged, of each question that has any.
        unjudged: The number of all others.
    """

    model: str
    answers: Counter[str]
    judged: dict[str | None, int]
    unjudged: int

    @classmethod
    def count(cls, groups: Sequence[QuestionAnswers], model: str) -> PairsAcross:
        """Count them, but for drafts.

        Args:
            groups: The answers to each question, without those that are programs.
            model: The name of the model. If its languages are unknown, none are told apart.
        """
        known = languages_of(model)
        answers: Counter[str] = Counter()
        judged: dict[str | None, int] = {}
        unjudged = 0
        for group in groups if known else ():
            told = Counter(text.language or UNKNOWN for text in group.texts if not text.is_draft)
            del told[UNKNOWN]
            if len(told) < 2:
                continue
            answers.update(told)
            compared = _count_pairs(n for code, n in told.items() if code in (known or ()))
            if compared >= MIN_PAIRS:
                judged[group.question] = compared
            else:
                compared = 0
            unjudged += _count_pairs(told.values()) - compared
        return cls(model, answers, judged, unjudged)

    def describe(self) -> str:
        """Return a line on them; empty if there are none."""
        if not self.answers:
            return ""
        names = [f"{language_name(code)} {n:,}" for code, n in self.answers.most_common()]
        if len(names) > MAX_SHOWN_LANGUAGES:
            names[MAX_SHOWN_LANGUAGES:] = ["…"]
        pairs = counted(sum(self.judged.values()) + self.unjudged, "pair")
        line = f"{pairs} in two languages ({', '.join(names)})"
        known = languages_of(self.model) or ()
        if len(known) == 1:
            (only,) = known
            more = f"one that knows more: searchkit reindex --model {MULTILINGUAL}"
            return f"{line}, not judged: {self.model} knows {language_name(only)} only; {more}"
        if not self.unjudged:
            return f"{line}, judged by their meaning alone"
        unknown = f"a language that {self.model} doesn't know"
        why = f"fewer than {MIN_PAIRS} in their question, or {unknown}"
        share = f"; {self.unjudged:,} of them" if self.judged else ","
        return f"{line}{share} not judged: {why}"


def _count_pairs(numbers: Iterable[int]) -> int:
    """Return the number of pairs in two languages, from the number of answers in each."""
    counts = list(numbers)
    return (sum(counts) ** 2 - sum(n**2 for n in counts)) // 2
