"""The multilingual model's network in OpenVINO, from the weights of its package.

Three convolutions over a token's neighbourhood (2, 3 and 5 tokens) follow its embedding; these are
added up over the text, and a small network makes a vector of the sum. That the vectors are those of
the package's own code, `encoder.py` checks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from searchkit.encoding.openvino_runtime import openvino

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from openvino import Model, Node

Weights = Mapping[str, "NDArray[Any]"]
DIMENSION = 512  # of embeddings and vectors
_CHUNKS = 17  # a token's embedding is in the table of its id modulo this
_WINDOWS = {2: 0, 3: 1, 5: 2}  # tokens of each convolution, and how many of them come before


def build_network(weights: Weights) -> Model:
    """Return the network: `input_ids` and `attention_mask` `(n, t)` in, vectors `(n, 512)` out.

    Args:
        weights: The arrays of the package's file, by name.
    """
    runtime = openvino()
    import openvino.opset13 as op

    ids, mask = (
        op.parameter(runtime.PartialShape([-1, -1]), np.int64, name)
        for name in ("input_ids", "attention_mask")
    )
    layers = _Layers(weights, op)
    present = op.unsqueeze(op.convert(mask, "f32"), np.int64(2))
    features = layers.normalized(layers.features(ids, present), "ln_g", "ln_b") * present
    length = op.reduce_sum(present, np.array([1]), keep_dims=False)
    total = op.reduce_sum(features, np.array([1]), keep_dims=False)
    mean = (layers.dense(total, "cnn_W") + length * weights["cnn_b"]) / op.sqrt(length)
    for tensor, name in ((ids, "input_ids"), (mask, "attention_mask")):
        tensor.output(0).set_names({name})
    return runtime.Model([layers.vector(mean)], [ids, mask], "multilingual")


class _Layers:
    """The parts of the network, with OpenVINO's operations `op`."""

    def __init__(self, weights: Weights, op: Any) -> None:  # noqa: ANN401
        self.weights = weights
        self.op = op
        self.epsilon = np.float32(weights["eps"])

    def dense(self, x: Node, name: str) -> Node:
        """Return the product with a matrix."""
        return self.op.matmul(x, self.op.constant(self.weights[name]), False, False)

    def normalized(self, x: Node, gamma: str, beta: str) -> Node:
        """Return layer normalization; the parameters are of the three windows if named so."""
        normal = self.op.mvn(x, np.array([2]), True, float(self.epsilon), "inside_sqrt")
        return normal * self._all(gamma) + self._all(beta)

    def features(self, ids: Node, present: Node) -> Node:
        """Return the features `(n, t, 1280)` of tokens: their embeddings, and the convolutions."""
        op = self.op
        embedded = self.embedded(ids)
        projected = op.matmul(embedded, op.constant(self._all("proj{}")), False, False)
        projected = self.normalized(projected + self._all("proj_b{}"), "ln_g{}", "ln_b{}")
        parts = op.split(projected * present, np.int64(2), len(_WINDOWS)).outputs()
        convolved = []
        for (tokens, before), part in zip(_WINDOWS.items(), parts, strict=True):
            x = op.multiply(self.convolved(part, f"1_{tokens}", tokens, before), present)
            convolved.append(self.convolved(x, f"2_{tokens}", tokens, before))
        return op.concat([embedded, *convolved], 2)

    def embedded(self, ids: Node) -> Node:
        """Return the embeddings of tokens, which are kept in 8 bit."""
        op, weights = self.op, self.weights
        table = np.stack([weights[f"q{n + 1}"] for n in range(_CHUNKS)], axis=1)
        table = table.reshape(-1, DIMENSION)
        rows = np.arange(len(table)) % _CHUNKS
        codes = op.convert(op.gather(op.constant(table), ids, np.int64(0)), "f32")
        scale, low = (
            op.unsqueeze(op.gather(op.constant(weights[name][rows]), ids, np.int64(0)), np.int64(2))
            for name in ("scale", "lo")
        )
        return codes * scale + low

    def convolved(self, x: Any, name: str, tokens: int, before: int) -> Node:  # noqa: ANN401
        """Return `x` plus a convolution of it, over `tokens` tokens; beside the text are zeros."""
        op = self.op
        kernel = self.weights[f"w{name}"].reshape(tokens, -1, self.weights[f"b{name}"].shape[0])
        channels_first = op.constant(np.array([0, 2, 1]))
        signal = op.transpose(x, channels_first)
        after = tokens - 1 - before
        kernels = np.ascontiguousarray(kernel.transpose(2, 1, 0))
        sums = op.convolution(signal, op.constant(kernels), [1], [before], [after], [1])
        return op.add(op.relu(op.transpose(sums, channels_first) + self.weights[f"b{name}"]), x)

    def vector(self, mean: Node) -> Node:
        """Return the vectors of sums; encoders divide them by their lengths."""
        op = self.op
        y0 = op.relu(self.dense(mean, "d0"))
        y1 = op.relu(self.dense(mean, "p1") + self.dense(y0, "d1"))
        y2 = op.relu(self.dense(y1, "d2"))
        return op.tanh(self.dense(y1, "p3") + self.dense(y2, "d3"))

    def _all(self, name: str) -> NDArray[Any]:
        """Return an array; those of the three windows beside each other if it is named so."""
        if "{}" not in name:
            return self.weights[name]
        return np.concatenate([self.weights[name.format(n)] for n in _WINDOWS], axis=-1)
