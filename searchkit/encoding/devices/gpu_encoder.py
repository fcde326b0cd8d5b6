"""A compiled model's counterpart on a GPU, and what keeps the GPU busy.

Two threads work ahead of it: one tokenizes, one fills the input tensors and copies them to the GPU.
This thread launches batches, and takes their vectors while the GPU computes the next ones.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

from searchkit.core.arrays import Float32, Intp
from searchkit.core.errors import first_line
from searchkit.encoding.batch_encoder import Batch, BatchEncoder, Block
from searchkit.encoding.compiling import MIN_COSINE, PROBE_TEXTS, lowest_cosine
from searchkit.encoding.devices.ahead import run_ahead
from searchkit.encoding.encoder import Encoder
from searchkit.encoding.models.folder import ModelFolder
from searchkit.encoding.openvino_encoder import CompiledEncoder
from searchkit.encoding.torch_encoder import (
    TorchEncoder,
    load_sentence_transformer,
    without_cudnn_attention,
)

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer
    from torch import Tensor


# Widths to which texts are padded; few, as every new shape costs, and longer ones are rounded up to
# a multiple of the last.
WIDTHS = (16, 32, 48, 64, 96, 128, 192, 256, 384, 512)
# Tokens in a batch: many, as each launch costs (measured, see docs/figures/gpu.md).
GPU_BATCH_TOKENS = 262_144
# Blocks of tokens and batches on the GPU that may wait, and batches whose vectors are awaited.
BLOCKS_AHEAD, BATCHES_AHEAD, LAUNCHED = 1, 4, 2


class DeviceFailed(Exception):
    """What torch says about a device that failed."""


class GpuEncoder(BatchEncoder):
    """A compiled model's counterpart on a GPU, run by torch.

    There the last digits of a text's vector may depend on the texts that it is embedded with.
    """

    batch_tokens = GPU_BATCH_TOKENS

    def __init__(self, encoder: CompiledEncoder, model: SentenceTransformer) -> None:
        """Initialize the encoder.

        Args:
            encoder: The model on the CPU.
            model: The same model on the GPU.
        """
        super().__init__(encoder.config, encoder.tokenizer)
        self._model = model

    def _ahead(self, blocks: Generator[Block]) -> Generator[Block]:
        return run_ahead(blocks, BLOCKS_AHEAD)

    def _padded_width(self, tokens: int) -> int:
        width = next((width for width in WIDTHS if tokens <= width), 0)
        width = width or -(-tokens // WIDTHS[-1]) * WIDTHS[-1]
        return max(tokens, min(width, self.config.max_tokens))

    def _infer(self, batches: Generator[Batch]) -> Generator[tuple[Intp, Float32]]:
        """Yield the vectors of each batch, while the next ones are computed.

        Raises:
            DeviceFailed: If the GPU fails, or one text is too much for its memory.
        """
        launched: deque[tuple[Intp, Callable[[], Float32]]] = deque()
        with closing(run_ahead(self._copied(batches), BATCHES_AHEAD)) as copied:
            for rows, features in copied:
                launched.append((rows, self._launch(features)))
                if len(launched) > LAUNCHED:
                    rows, fetch = launched.popleft()
                    yield rows, fetch()
            for rows, fetch in launched:
                yield rows, fetch()

    def _copied(self, batches: Generator[Batch]) -> Generator[tuple[Intp, dict[str, Tensor]]]:
        """Yield each batch with its tensors on the GPU, to which they may still be on the way."""
        import torch

        device = self._model.device
        is_cuda = device.type == "cuda"
        with closing(batches):
            for rows, tensors in batches:
                with _device_errors():
                    on_host = [torch.from_numpy(tensor) for tensor in tensors]
                    if is_cuda:  # only from pinned memory the copy doesn't wait
                        on_host = [tensor.pin_memory() for tensor in on_host]
                    features = {
                        name: tensor.to(device, non_blocking=is_cuda)
                        for name, tensor in zip(self.config.inputs, on_host, strict=True)
                    }
                yield rows, features

    def _launch(self, features: dict[str, Tensor]) -> Callable[[], Float32]:
        """Start a batch; return the function that waits for its vectors."""
        import torch

        with _device_errors(), torch.inference_mode(), without_cudnn_attention():
            embedding = self._embedding(features).float()
            if embedding.device.type != "cuda":
                return lambda: _to_numpy(embedding)
            # Not `.cpu()`, which would wait for the batches that were launched meanwhile.
            vectors = embedding.to("cpu", non_blocking=True)
            cuda: Any = torch.cuda
            done = cuda.Event()
            done.record()
        return lambda: _to_numpy(vectors, done.synchronize)

    def _embedding(self, features: dict[str, Tensor]) -> Tensor:
        """Return the vectors of a batch, computed by halves if they are too much for the memory."""
        import torch

        try:
            embedding: Tensor = self._model({**features, "modality": "text"})["sentence_embedding"]
            return embedding
        except torch.OutOfMemoryError:
            count = len(next(iter(features.values())))
            if count == 1:
                raise
        # Outside of `except`, whose traceback keeps the tensors of the attempt.
        torch.cuda.empty_cache()
        self.batch_tokens = max(1, self.batch_tokens // 2)
        halves = (slice(0, count // 2), slice(count // 2, count))
        parts = [{name: tensor[half] for name, tensor in features.items()} for half in halves]
        return torch.cat([self._embedding(part) for part in parts])


def load_gpu_encoder(cpu_encoder: Encoder, folder: ModelFolder, device: str) -> Encoder | None:
    """Load a model on an accelerator, in half precision or, if its error is too large, in single.

    Args:
        cpu_encoder: The model on the CPU.
        folder: The model's folder.
        device: The accelerator, as torch names it.

    Returns:
        The encoder; None if its vectors differ from those of the CPU.

    Raises:
        ModelRefused: If sentence-transformers can't load the model.
        DeviceFailed: If the accelerator fails.
    """
    expected = cpu_encoder.encode(PROBE_TEXTS)
    min_cosine = 1 - 2 * (1 - MIN_COSINE)  # twice the error of one: the CPU's may be as large
    for half in (True, False):
        model = load_sentence_transformer(folder, device, half=half)
        encoder: Encoder = (
            GpuEncoder(cpu_encoder, model)
            if isinstance(cpu_encoder, CompiledEncoder)
            else TorchEncoder(folder, model)
        )
        if lowest_cosine(encoder.encode, expected) >= min_cosine:
            return encoder
    return None


@contextmanager
def _device_errors() -> Iterator[None]:
    """Turn the errors of torch into `DeviceFailed`."""
    try:
        yield
    except RuntimeError as error:
        raise DeviceFailed(first_line(error)) from error


def _to_numpy(vectors: Tensor, wait: Callable[[], None] | None = None) -> Float32:
    with _device_errors():
        if wait:
            wait()
        array: Float32 = vectors.cpu().numpy()
        return array
