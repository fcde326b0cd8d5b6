"""An encoder whose work is done by a runner's workers: each loads the model once and keeps it.

It is a model like any other to the index, whose one writer stays the one that writes.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from searchkit.core.arrays import Float32
from searchkit.core.progress import Counter, Progress
from searchkit.encoding.encoder import Encoder
from searchkit.encoding.loading import load_encoder
from searchkit.encoding.openvino_runtime import use_one_thread
from searchkit.encoding.torch_encoder import MIN_OFFLOAD_TEXTS
from searchkit.runners.base import Runner
from searchkit.runners.files import read_array, read_texts, write_array, write_texts

BLOCK = 512  # texts of a task: seconds on a core
GPU_BLOCK = max(4_096, MIN_OFFLOAD_TEXTS)  # of a GPU, which fewer don't wake
FEW = 64  # texts that are embedded here: sending them takes longer


class DistributedEncoder:
    """The same vectors as of the model itself, made elsewhere where they are many.

    A compiled model gives a text the same vector whatever it is embedded with; so does this.
    """

    def __init__(self, encoder: Encoder, runner: Runner) -> None:
        """Take the model, which cuts texts here, and the workers, which load it by its name.

        Args:
            encoder: Its `name` must be found on every worker's machine.
            runner: Its folder takes texts and vectors until they are read.
        """
        self.name = encoder.name
        self.fingerprint = encoder.fingerprint
        self.dimension = encoder.dimension
        self.window = encoder.window
        self.tokenizer = encoder.tokenizer
        self._here = encoder
        self._folder = runner.folder
        self._block = GPU_BLOCK if runner.gpus else BLOCK
        load = partial(load_worker_encoder, encoder.name, encoder.fingerprint)
        self._workers = runner.pool(load, gpu=True)

    def encode(self, texts: Sequence[str], progress: Progress | None = None) -> Float32:
        """Embed documents; see `Encoder.encode`.

        Raises:
            IndexMismatch: if a worker's model of that name is another one.
            RunnerFailed: if workers keep dying.
        """
        if len(texts) < FEW:
            return self._here.encode(texts, progress)
        order = sorted(range(len(texts)), key=lambda n: -len(texts[n]))  # the long ones first
        vectors = np.empty((len(texts), self.dimension), np.float32)
        counter = Counter(progress, len(texts))
        with tempfile.TemporaryDirectory(prefix="embed-", dir=self._folder) as folder:
            blocks = [order[at : at + self._block] for at in range(0, len(order), self._block)]
            tasks = [str(Path(folder) / f"{number}") for number in range(len(blocks))]
            for task, block in zip(tasks, blocks, strict=True):
                write_texts(Path(f"{task}.parquet"), [texts[n] for n in block])
            for task, block in zip(self._workers.run(embed_block, tasks), blocks, strict=True):
                vectors[block] = read_array(Path(task))
                counter.advance(len(block))
        return vectors

    def encode_queries(self, texts: Sequence[str]) -> Float32:
        """Embed queries, here."""
        return self._here.encode_queries(texts)


def load_worker_encoder(name: str, fingerprint: str) -> Encoder:
    """Load a model for one worker, which is one core or has a GPU; refuse another model."""
    use_one_thread()
    return load_encoder(name, fingerprint=fingerprint)


def embed_block(encoder: Encoder, task: str) -> str:
    """Embed the texts of a file; the task of a worker. Gives the file of their vectors."""
    path = Path(f"{task}.npy")
    write_array(path, encoder.encode(read_texts(Path(f"{task}.parquet"))))
    return str(path)
