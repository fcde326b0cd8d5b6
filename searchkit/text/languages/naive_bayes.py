"""py3langid's classifier for many texts at once.

The package walks a text byte by byte in Python. Here all texts take each step together, in NumPy.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from py3langid.langid import MODEL_FILE, LanguageIdentifier

from searchkit.core.arrays import Float32, Intp

# Texts that are classified together: bounds the memory.
BATCH_TEXTS = 512


class LanguageClassifier:
    """A naive Bayes classifier over the byte sequences that an automaton finds in a text.

    Source: M. Lui and T. Baldwin, "langid.py: An Off-the-shelf Language Identification Tool",
    ACL 2012; the model is py3langid's.
    """

    def __init__(self, languages: Iterable[str]) -> None:
        """Load the model.

        Args:
            languages: Codes of the languages that are told apart.
        """
        model = LanguageIdentifier.from_model_file(MODEL_FILE)
        model.set_languages(list(languages))
        self._languages = list(dict.fromkeys(model.nb_classes))
        self._members = np.array(  # (classes, languages): some languages have two classes
            [[name == language for language in self._languages] for name in model.nb_classes],
            np.float64,
        )
        self._log_likelihoods = model.nb_ptc  # (features, classes), float16
        self._log_priors: Float32 = model.nb_pc
        self._next_states = np.frombuffer(model.tk_nextmove, np.dtype(model.tk_nextmove.typecode))
        self._rows = np.asarray(model.tk_row, np.intp) << 8  # where the next states of each begin
        self._features = np.asarray(model.tk_output, np.intp)  # of each state; -1 if it has none

    def classify_all(self, texts: Sequence[str]) -> Iterator[tuple[str, float]]:
        """Yield the language of each text, and the probability that it is this one."""
        for start in range(0, len(texts), BATCH_TEXTS):
            encoded = [_encode(text) for text in texts[start : start + BATCH_TEXTS]]
            scores = self._scores(encoded)
            lengths = np.array([max(1, len(text)) for text in encoded], np.float32)
            # The package's temperature, which keeps probabilities comparable between lengths.
            scores /= np.sqrt(lengths)[:, None]
            scores = np.exp(scores - scores.max(axis=1, keepdims=True))
            scores /= scores.sum(axis=1, keepdims=True)
            sums = scores @ self._members
            best = sums.argmax(axis=1)
            for number, probability in zip(best.tolist(), sums.max(axis=1).tolist(), strict=True):
                yield self._languages[number], probability

    def _scores(self, texts: Sequence[bytes]) -> Float32:
        """Return the unnormalized log probability of each class, `(texts, classes)`."""
        scores = np.zeros((len(texts), len(self._log_priors)), np.float32)
        rows, features = self._occurrences(texts)
        places, counts = _count(rows * len(self._log_likelihoods) + features)
        rows, features = np.divmod(places, len(self._log_likelihoods))
        parts = self._log_likelihoods[features] * np.log1p(counts)[:, None]
        begins = np.flatnonzero(np.diff(rows, prepend=-1))
        if len(begins):  # of a text without features nothing is known
            scores[rows[begins]] = np.add.reduceat(parts, begins) + self._log_priors
        return scores

    def _occurrences(self, texts: Sequence[bytes]) -> tuple[Intp, Intp]:
        """Return each feature that occurs, as often as it does, and the row of its text."""
        lengths = np.array([len(text) for text in texts], np.intp)
        order = np.argsort(-lengths, kind="stable")
        width = int(lengths.max(initial=0))
        matrix = np.zeros((len(texts), width), np.uint8)
        for place, row in enumerate(order):
            matrix[place, : lengths[row]] = np.frombuffer(texts[row], np.uint8)
        states = np.zeros(len(texts), np.intp)
        found = np.full((width, len(texts)), -1, np.intp)
        running = np.searchsorted(-lengths[order], -np.arange(width))  # texts longer than a step
        for step, count in enumerate(running):
            states[:count] = self._next_states[self._rows[states[:count]] + matrix[:count, step]]
            found[step, :count] = self._features[states[:count]]
        steps, places = np.nonzero(found >= 0)
        return order[places], found[steps, places]


def _count(numbers: Intp) -> tuple[Intp, Float32]:
    """Return the different numbers, ascending, and how often each occurs."""
    ordered = np.sort(numbers)
    begins = np.flatnonzero(np.diff(ordered, prepend=-1))
    return ordered[begins], np.diff(begins, append=len(ordered)).astype(np.float32)


def _encode(text: str) -> bytes:
    """Return the bytes that are walked: capitals alone say nothing."""
    text = text.lower() if text.isupper() else text
    return unicodedata.normalize("NFC", text).encode(errors="surrogatepass")
