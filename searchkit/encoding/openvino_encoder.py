"""The compiled encoder: a sentence-transformers model as one OpenVINO network for the CPU.

Embedding with it needs numpy, tokenizers and OpenVINO, but neither torch nor transformers;
`cache.py` keeps compiled models on the disk.
"""

from __future__ import annotations

import io
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from searchkit.core.arrays import Float32, Intp
from searchkit.encoding.batch_encoder import Batch, BatchEncoder, EncoderConfig
from searchkit.encoding.openvino_runtime import half_precisions, infer_in_turn, openvino_core

if TYPE_CHECKING:
    from openvino import CompiledModel, Model
    from tokenizers import Tokenizer


# The precision of a network with 8-bit weights. Each group of components of an activation gets a
# scale of its own while it is computed, on CPUs with VNNI; others compute in single precision.
INT8 = "int8"
ACTIVATION_GROUP = 32


class CompiledEncoder(BatchEncoder):
    """An encoder on OpenVINO; equal texts get equal vectors, whatever they are embedded with."""

    def __init__(self, config: EncoderConfig, tokenizer: Tokenizer, network: CompiledModel) -> None:
        super().__init__(config, tokenizer)
        self._network = network

    def with_preparation(self, preparation: str) -> CompiledEncoder:
        """Return the same encoder for texts that are prepared first, by one of `PREPARATIONS`."""
        config = replace(self.config, prepare=preparation)
        return CompiledEncoder(config, self.tokenizer, self._network)

    def _infer(self, batches: Generator[Batch]) -> Generator[tuple[Intp, Float32]]:
        for rows, request in infer_in_turn(self._network, batches):
            vectors: Float32 = np.array(request.get_output_tensor(0).data, np.float32)
            yield rows, vectors


def load_network(network: Model | Path, precision: str, blob: bytes | None = None) -> CompiledModel:
    """Prepare a network for inference on this CPU, with as many streams as suit it.

    Cores that compute one small batch together spin while they wait for each other: a stream for
    each core takes a third less computing for queries, and the bits are the same.

    Args:
        network: An OpenVINO network, or the path of its .xml file with the .bin file beside it.
        precision: "bf16", "f16", "f32", or "int8" for a network with 8-bit weights; "f32" is
            taken instead of a half precision in which this CPU doesn't compute.
        blob: The result of `export_model` on the same CPU; needs `network` to be a path, and halves
            the loading time.
    """
    hint = precision if precision in half_precisions() else "f32"
    group = ACTIVATION_GROUP if precision == INT8 else 0
    settings = {"INFERENCE_PRECISION_HINT": hint, "PERFORMANCE_HINT": "THROUGHPUT"}
    settings["DYNAMIC_QUANTIZATION_GROUP_SIZE"] = str(group)
    settings["CACHE_MODE"] = "OPTIMIZE_SIZE"  # a blob without the weights, which the .bin file has
    if blob is None:
        return openvino_core().compile_model(network, "CPU", settings)
    settings["WEIGHTS_PATH"] = str(Path(network).with_suffix(".bin"))
    return openvino_core().import_model(io.BytesIO(blob), "CPU", settings)
