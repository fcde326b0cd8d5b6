"""The shared model: what the marks of all questions teach about one of them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from searchkit.core.arrays import Float64
from searchkit.grading.learning.features import PLAIN_FEATURES
from searchkit.grading.learning.inputs import Examples, Inputs

MIN_GRADED_QUESTIONS = 3  # that the shared model needs
SHARED_STRENGTH = 10.0  # of the shared model's ridge on standardised features


class SharedModel:
    """The model of all questions: a ridge regression of the targets on the features.

    Whether it takes the plain features only, or all of them and how they compare with those of the
    question's other answers, is chosen by leaving out one question at a time.

    Attributes:
        is_usable: Whether there are enough graded questions.
    """

    def __init__(self, examples: Examples) -> None:
        self.examples = examples
        questions = np.unique(examples.questions)
        self.is_usable = len(questions) >= MIN_GRADED_QUESTIONS
        fits = [_FeatureRidge(examples, select) for select in (plain_features, _all_features)]
        self._fit = fits[0]
        if self.is_usable:
            self._fit = min(fits, key=lambda fit: fit.loss())

    def zeros(self, count: int) -> Float64:
        """Return estimates of zero, `(count, c)`."""
        return np.zeros((count, self.examples.targets.shape[1]))

    def estimate_examples(self) -> Float64:
        """Estimate every example from the other questions; `(n, c)`, zeros if not usable."""
        return (
            self._fit.estimate_examples()
            if self.is_usable
            else self.zeros(len(self.examples.targets))
        )

    def estimate(self, question: int, inputs: Inputs) -> Float64:
        """Estimate answers to a question from the other questions; zeros if not usable."""
        return self._fit.estimate(question, inputs) if self.is_usable else self.zeros(len(inputs))


class _FeatureRidge:
    """A ridge regression on some features that can leave out any question."""

    def __init__(self, examples: Examples, select: Callable[[Inputs], Float64]) -> None:
        self._examples, self._select = examples, select
        features = select(examples.inputs)
        self._center = features.mean(axis=0)
        self._deviation = features.std(axis=0) + 1e-9
        self._design = self._design_matrix(features)
        self._gram = self._design.T @ self._design
        self._products = self._design.T @ examples.targets
        self._weights: dict[int, Float64] = {}

    def estimate_examples(self) -> Float64:
        """Estimate every example from the other questions; `(n, c)`."""
        values = np.empty_like(self._examples.targets)
        for question in np.unique(self._examples.questions).tolist():
            rows = self._examples.questions == question
            values[rows] = self._design[rows] @ self._weights_without(question)
        return values

    def loss(self) -> float:
        """Return the mean squared error of these estimates."""
        return float(np.mean((self.estimate_examples() - self._examples.targets) ** 2))

    def estimate(self, question: int, inputs: Inputs) -> Float64:
        """Estimate answers to a question from the other questions; `(m, c)`."""
        return self._design_matrix(self._select(inputs)) @ self._weights_without(question)

    def _design_matrix(self, features: Float64) -> Float64:
        # Clipped, since a linear model must not be extrapolated: an answer ten times as long as
        # the others is not ten times better.
        scaled = np.clip((features - self._center) / self._deviation, -3, 3)
        return np.column_stack([scaled, np.ones(len(scaled))])

    def _weights_without(self, question: int) -> Float64:
        if question not in self._weights:
            rows = self._examples.questions == question
            own = self._design[rows]
            gram = self._gram - own.T @ own
            products = self._products - own.T @ self._examples.targets[rows]
            penalty = np.full(len(gram), SHARED_STRENGTH)
            penalty[-1] = 1e-6
            self._weights[question] = np.linalg.solve(gram + np.diag(penalty), products)
        return self._weights[question]


def plain_features(inputs: Inputs) -> Float64:
    """Return `(n, p)` the features that need few questions to learn from."""
    return np.hstack([inputs.features[:, : len(PLAIN_FEATURES)], inputs.cohorts])


def _all_features(inputs: Inputs) -> Float64:
    return np.hstack([inputs.features, inputs.relative, inputs.cohorts])
