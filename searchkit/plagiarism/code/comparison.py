"""Comparison: the programs of a question, each pair with its likeness and its significance."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from searchkit.core.arrays import Bool, Float64, Int64
from searchkit.plagiarism.code.features import (
    CHANNELS,
    boilerplate,
    literals,
    token_sequences,
)
from searchkit.plagiarism.code.languages import language_of
from searchkit.plagiarism.code.likeness import Channel, shares
from searchkit.plagiarism.code.programs import read_program
from searchkit.plagiarism.code.significance import ALIKE, ProgramNull
from searchkit.plagiarism.preparation import QuestionAnswers


class ComparedPrograms:
    """The programs of a question, compared with each other.

    Attributes:
        programs: Each answer as a program.
        channels: What they share, by channel.
        given: What all authors were given, by channel.
        left: `(p,)` the number of a program, of each pair that may be a finding.
        right: `(p,)` the number of the other, higher.
        likeness: `(p,)` of each pair, by channel.
        score: `(p,)` the mean of two shares, 0 to 1: of the literals of both, and of the shorter's
            short sequences of tokens, that are the same.
        alike: `(p,)` whether both shares are high.
    """

    def __init__(self, group: QuestionAnswers, always: tuple[int, int] | None = None) -> None:
        """Read the programs, and measure all pairs.

        Args:
            group: The answers.
            always: A pair, by number, that is measured whoever wrote the two.
        """
        answers = [text.answer for text in group.texts]
        language = language_of(answers)
        handed_out = group.boilerplate.texts
        self.programs = [read_program(answer.text, language) for answer in answers]
        given = [read_program(text, language) for text in handed_out]
        self.given = boilerplate(handed_out, given)
        self._given_sequences = frozenset[int]().union(*map(token_sequences, given))
        authors = _author_numbers([text.author for text in group.texts])
        self.channels = {
            name: Channel.of(
                [read(program) for program in self.programs], authors, self.given[name]
            )
            for name, read in CHANNELS.items()
        }
        is_draft = np.array([text.is_draft for text in group.texts], bool)
        is_earlier = np.array([text.is_earlier for text in group.texts], bool)
        i, j = np.triu_indices(len(answers), 1)
        allowed = (authors[i] != authors[j]) & ~(is_earlier[i] & is_earlier[j])
        allowed |= (i == always[0]) & (j == always[1]) if always else False
        self.left, self.right = i[allowed].astype(np.int64), j[allowed].astype(np.int64)
        self.likeness = {
            name: _of_pairs(channel, allowed) for name, channel in self.channels.items()
        }
        shares_ = np.stack([part[self.left, self.right] for part in self._shares()])  # (2, p)
        self.score: Float64 = np.nan_to_num(_mean(shares_)).round(6)
        self.alike: Bool = np.nan_to_num(np.fmin(*shares_)) >= ALIKE
        self._counts: Bool = ~(is_draft[self.left] | is_draft[self.right])

    def _shares(self) -> tuple[Float64, Float64]:
        """Return `(n, n)` the share of literals, and that of sequences, that two programs share."""
        texts = [literals(program) - self.given["literals"] for program in self.programs]
        sequences = [token_sequences(program) - self._given_sequences for program in self.programs]
        return shares(texts, of_both=True), shares(sequences, of_both=False)

    @cached_property
    def null(self) -> ProgramNull:
        """The distribution of the likeness of independent programs."""
        return ProgramNull.fit(self.likeness, self.alike, self._counts)

    @cached_property
    def p_value(self) -> Float64:
        """`(p,)` the probability that an independent pair is as much alike as each pair."""
        return self.null.p_value(self.likeness)


def _mean(parts: Float64) -> Float64:
    """Return `(p,)` the mean of the shares `(2, p)` that are known."""
    known = (~np.isnan(parts)).sum(axis=0)
    mean: Float64 = np.nansum(parts, axis=0) / np.maximum(known, 1)
    return mean


def _of_pairs(channel: Channel, allowed: Bool) -> Float64:
    """Return the likeness of the allowed pairs, in the order of `np.triu_indices`."""
    return np.concatenate([np.empty(0), *(values for *_, values in channel.likeness())])[allowed]


def _author_numbers(names: Sequence[str | None]) -> Int64:
    """Return a number for each author; each unknown one has a number of their own."""
    number_of: dict[object, int] = {}
    keys = [n if name is None else name for n, name in enumerate(names)]
    return np.array([number_of.setdefault(key, len(number_of)) for key in keys], np.int64)
