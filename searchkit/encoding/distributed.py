"""An encoder whose texts are embedded by a runner's workers, each with a model of its own.

An index uses it like any other encoder, and still has one process that writes.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from searchkit.core.arrays import Float32
from searchkit.core.progress import Counter, Progress
from searchkit.encoding.devices.finding import Device
from searchkit.encoding.encoder import Encoder
from searchkit.encoding.loading import load_encoder
from searchkit.encoding.openvino_runtime import use_one_thread
from searchkit.runners.base import Runner
from searchkit.runners.files import read_array, read_texts, write_array, write_texts

# Texts in one task: some seconds of work for one core.
TASK_TEXTS = 512
# Texts in one task for a GPU: enough to fill some of its batches.
GPU_TASK_TEXTS = 4_096
# Fewer texts are embedded in this process, which is faster than sending them to workers.
MIN_REMOTE_TEXTS = 64


class DistributedEncoder:
    """An encoder with the same vectors as another, which workers compute where texts are many.

    The vectors are equal because a compiled model embeds a text independently of its neighbours.
    """

    def __init__(
        self,
        encoder: Encoder,
        runner: Runner,
        *,
        device: Device = "auto",
        task_texts: int | None = None,
    ) -> None:
        """Start the pool of workers.

        Args:
            encoder: The model in this process. Each worker loads the model of the same name, which
                must exist on its machine.
            runner: The runner that has the workers; its folder holds texts and vectors in transit.
            device: Where the workers embed; see `load_encoder`.
            task_texts: Number of texts in one task; by default it depends on the workers' hardware.
        """
        self.name = encoder.name
        self.fingerprint = encoder.fingerprint
        self.dimension = encoder.dimension
        self.window = encoder.window
        self.tokenizer = encoder.tokenizer
        self._local_encoder = encoder
        self._folder = runner.folder
        self._task_texts = task_texts or (GPU_TASK_TEXTS if runner.gpus else TASK_TEXTS)
        load = partial(load_worker_encoder, encoder.name, encoder.fingerprint, device=device)
        self._workers = runner.pool(load, gpu=True)

    def encode(self, texts: Sequence[str], progress: Progress | None = None) -> Float32:
        """Embed documents; see `Encoder.encode`.

        Raises:
            IndexMismatch: If a worker's model of that name has another fingerprint.
            RunnerFailed: If workers keep dying.
        """
        if len(texts) < MIN_REMOTE_TEXTS:
            return self._local_encoder.encode(texts, progress)
        order = sorted(range(len(texts)), key=lambda row: -len(texts[row]))  # longest first
        vectors = np.empty((len(texts), self.dimension), np.float32)
        counter = Counter(progress, len(texts))
        step = self._task_texts
        blocks = [order[start : start + step] for start in range(0, len(order), step)]
        with tempfile.TemporaryDirectory(prefix="embed-", dir=self._folder) as folder:
            tasks = [str(Path(folder) / f"{number}") for number in range(len(blocks))]
            for task, rows in zip(tasks, blocks, strict=True):
                write_texts(Path(f"{task}.parquet"), [texts[row] for row in rows])
            for file, rows in zip(self._workers.run(embed_block, tasks), blocks, strict=True):
                vectors[rows] = read_array(Path(file))
                counter.advance(len(rows))
        return vectors

    def encode_queries(self, texts: Sequence[str]) -> Float32:
        """Embed queries in this process; see `Encoder.encode_queries`."""
        return self._local_encoder.encode_queries(texts)


def load_worker_encoder(name: str, fingerprint: str, device: Device = "auto") -> Encoder:
    """Load the model of one worker, which has one core or a GPU.

    Raises:
        IndexMismatch: If the model of that name has another fingerprint.
    """
    use_one_thread()
    return load_encoder(name, fingerprint=fingerprint, device=device)


def embed_block(encoder: Encoder, task: str) -> str:
    """Embed the texts of one task in a worker.

    Args:
        encoder: The worker's model.
        task: Path of the file of texts, without its suffix.

    Returns:
        Path of the file of vectors.
    """
    path = Path(f"{task}.npy")
    write_array(path, encoder.encode(read_texts(Path(f"{task}.parquet"))))
    return str(path)
