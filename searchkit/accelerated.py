"""The compiled encoder's tokens, through torch on an accelerator.

sentence-transformers by itself keeps a GPU waiting, while lists of tokens become tensors.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from searchkit.compiled import CompiledEncoder

Rows = NDArray[np.intp]


class AcceleratedEncoder(CompiledEncoder):
    """The same model on a GPU.

    There a text's vector may differ in its last digits with what it is embedded beside.
    """

    batch_tokens = 65_536

    def __init__(self, encoder: CompiledEncoder, model: Any) -> None:  # noqa: ANN401
        """Take a model for the CPU, and the same as a `SentenceTransformer` where it shall run."""
        super().__init__(encoder.recipe, encoder.tokenizer, None)
        self._model = model

    def _infer(
        self, batches: Iterator[tuple[Rows, list[NDArray[np.int64]]]]
    ) -> Iterator[tuple[Rows, NDArray[np.float32]]]:
        """Run the batches, one ahead: the next is prepared while the GPU works on this one."""
        running: tuple[Rows, Any] | None = None
        for rows, tensors in batches:
            previous, running = running, (rows, self._start(tensors))
            if previous:
                yield previous[0], previous[1].float().cpu().numpy()
        if running:
            yield running[0], running[1].float().cpu().numpy()

    def _start(self, tensors: list[NDArray[np.int64]]) -> Any:  # noqa: ANN401
        import torch

        with torch.inference_mode():
            features = {
                name: torch.from_numpy(tensor).to(self._model.device)
                for name, tensor in zip(self.recipe.inputs, tensors, strict=True)
            }
            return self._model({**features, "modality": "text"})["sentence_embedding"]
