"""An encoder that chooses between the CPU and an accelerator by the work that there is."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock

import numpy as np

from searchkit.core.arrays import Float32
from searchkit.core.errors import IndexMismatch, ModelRefused, SearchkitError
from searchkit.core.messages import Message
from searchkit.core.progress import Progress, after
from searchkit.encoding.devices.finding import Accelerator, has_accelerator
from searchkit.encoding.devices.gpu_encoder import DeviceFailed, load_gpu_encoder
from searchkit.encoding.devices.rates import Rates, Speed
from searchkit.encoding.encoder import Encoder, Notify
from searchkit.encoding.models.names import find_model
from searchkit.encoding.torch_encoder import model_mismatch
from searchkit.text.passages import well_formed

# Fewer tokens are embedded without a choice, on the CPU if the accelerator isn't in use, and are
# not measured.
MIN_TOKENS = 20_000
# Texts in which tokens are counted, and with about how many of their tokens the CPU is measured.
SAMPLE_TEXTS, SAMPLE_TOKENS = 256, 8_192
# Texts that the CPU embeds before it is asked again whether the accelerator has started.
TEXTS_MEANWHILE = 512
# What an accelerator is taken for until it has been measured: how many of this machine's cores it
# is as fast as, and the seconds that its start takes.
FIRST_ESTIMATES: dict[Accelerator, tuple[int, float]] = {"cuda": (100, 12.0), "mps": (10, 8.0)}


@dataclass(frozen=True, slots=True)
class Machine:
    """What the choice depends on beside the texts.

    Attributes:
        rates: What was measured on this machine.
        cores: Number of cores on which the CPU's encoder computes.
        clock: Returns seconds.
    """

    rates: Rates
    cores: int
    clock: Callable[[], float] = time.perf_counter


class OffloadingEncoder:
    """An encoder that embeds on an accelerator what is done sooner there, its start included.

    How much is to come is not known: as much again is expected as there was so far. torch takes
    seconds to start, and is loaded when the accelerator is used for the first time; until then the
    CPU goes on, unless the accelerator was asked for. Queries are always embedded on the CPU.
    """

    def __init__(
        self,
        cpu_encoder: Encoder,
        device: Accelerator,
        model_name: str | None,
        machine: Machine,
        notify: Notify,
        *,
        is_forced: bool = False,
    ) -> None:
        """Initialize the encoder.

        Args:
            cpu_encoder: The model on the CPU.
            device: The accelerator.
            model_name: The model's name, as `find_model` takes it.
            machine: What was measured, and with what.
            notify: Receives which device is used and why, and what doesn't work as it should.
            is_forced: Whether everything is embedded on the accelerator.
        """
        self.name = cpu_encoder.name
        self.fingerprint = cpu_encoder.fingerprint
        self.dimension = cpu_encoder.dimension
        self.window = cpu_encoder.window
        self.tokenizer = cpu_encoder.tokenizer
        self._cpu_encoder = cpu_encoder
        self._device = device
        self._model_name = model_name
        self._rates, self._cores, self._clock = machine.rates, machine.cores, machine.clock
        self._notify = notify
        self._is_forced = is_forced
        self._device_encoder: Encoder | None = None
        self._starting: Future[Encoder | None] | None = None
        self._start_seconds: float | None = None
        self._uses_device = False  # the last choice
        self._has_chosen = False
        self._is_refused = False  # whether the accelerator can't be used
        self._tokens_before = 0
        self._lock = Lock()  # one thread at a time chooses, and starts the accelerator

    def encode(self, texts: Sequence[str], progress: Progress | None = None) -> Float32:
        """Embed documents; see `Encoder.encode`.

        Raises:
            SearchkitError: If the accelerator was asked for and fails; else the CPU goes on.
        """
        if not texts:
            return self._cpu_encoder.encode(texts, progress)
        tokens, sample = self._estimate_tokens(texts)
        with self._lock:
            self._choose(tokens, sample)
            starting = self._starting if self._uses_device else None
        parts = list[Float32]()
        if starting and not self._is_forced:
            parts = self._encode_meanwhile(starting, texts, progress)
        done = sum(map(len, parts))
        if rest := texts[done:]:
            if starting:
                self._finish_start(starting)
            tokens = tokens * len(rest) // len(texts)
            parts.append(self._encode_chosen(rest, tokens, after(progress, done, len(texts))))
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def encode_queries(self, texts: Sequence[str]) -> Float32:
        """Embed queries; see `Encoder.encode_queries`."""
        return self._cpu_encoder.encode_queries(texts)

    def _encode_meanwhile(
        self,
        starting: Future[Encoder | None],
        texts: Sequence[str],
        progress: Progress | None,
    ) -> list[Float32]:
        """Return the vectors of the texts that the CPU embeds until the accelerator has started."""
        parts = list[Float32]()
        for start in range(0, len(texts), TEXTS_MEANWHILE):
            if starting.done():
                break
            block = texts[start : start + TEXTS_MEANWHILE]
            parts.append(self._cpu_encoder.encode(block, after(progress, start, len(texts))))
        return parts

    def _finish_start(self, starting: Future[Encoder | None]) -> None:
        """Wait for the accelerator; if it can't be used, say why."""
        try:
            encoder = starting.result()
        except (DeviceFailed, ModelRefused, IndexMismatch) as error:
            self._refuse(str(error), error)
            return
        with self._lock:
            if not self._is_refused:
                self._device_encoder, self._starting = encoder, None

    def _encode_chosen(
        self, texts: Sequence[str], tokens: int, progress: Progress | None
    ) -> Float32:
        """Embed texts on the device that was chosen, or on the CPU if that fails."""
        encoder = self._device_encoder if self._uses_device else None
        if encoder:
            try:
                return self._encode(encoder, texts, tokens, progress)
            except DeviceFailed as error:
                self._refuse(str(error), error)
        return self._encode(self._cpu_encoder, texts, tokens, progress)

    def _encode(
        self, encoder: Encoder, texts: Sequence[str], tokens: int, progress: Progress | None
    ) -> Float32:
        """Embed texts, and measure how long it takes."""
        started = self._clock()
        vectors = encoder.encode(texts, progress)
        seconds = self._clock() - started
        if tokens >= MIN_TOKENS and seconds > 0:
            self._record(encoder is self._cpu_encoder, tokens / seconds)
        return vectors

    def _record(self, is_cpu: bool, tokens_per_second: float) -> None:
        """Keep a measurement, and that of the accelerator's start if it wasn't kept before."""
        if is_cpu:
            self._rates.record("cpu", tokens_per_second)
            return
        start = self._start_seconds
        if start is None and self._rates.get(self._device) is None:
            start = FIRST_ESTIMATES[self._device][1]  # torch was imported before
        self._rates.record(self._device, tokens_per_second, start)
        self._start_seconds = None

    def _estimate_tokens(self, texts: Sequence[str]) -> tuple[int, list[str]]:
        """Return about how many tokens the network will see, and the texts that were counted."""
        sample = [well_formed(text) for text in texts[:: -(-len(texts) // SAMPLE_TEXTS)]]
        counts = [len(encoding) for encoding in self.tokenizer.encode_batch_fast(sample)]
        mean = sum(min(count, self.window) for count in counts) / len(counts)
        return round(mean * len(texts)), sample[: max(1, round(SAMPLE_TOKENS / max(1, mean)))]

    def _choose(self, tokens: int, sample: Sequence[str]) -> None:
        """Choose the device for so many tokens; begin to start the accelerator if it is needed."""
        self._tokens_before += tokens
        if self._is_refused:
            return
        if self._is_forced:
            self._uses_device = True
        elif self._tokens_before >= MIN_TOKENS:
            self._choose_sooner(self._tokens_before, sample)
        if self._uses_device and not self._device_encoder and not self._starting:
            self._starting = _in_background(self._start)

    def _choose_sooner(self, expected: int, sample: Sequence[str]) -> None:
        """Choose where so many tokens are embedded sooner, and say so if that is new."""
        on_cpu = self._rates.get("cpu") or self._measure_cpu(sample)
        on_device = self._rates.get(self._device) or self._first_estimate(on_cpu)
        start = 0.0 if self._device_encoder or self._starting else on_device.start_seconds
        seconds = expected / on_cpu.tokens_per_second
        device_seconds = start + expected / on_device.tokens_per_second
        uses_device = device_seconds < seconds
        if uses_device != self._uses_device or not self._has_chosen:
            with_start = f", {_rounded(start)} s of them for its start" if start else ""
            self._notify(
                f"embedding on {self._device if uses_device else 'the CPU'}: about {expected:,} "
                f"tokens take {_rounded(seconds)} s on the CPU and {_rounded(device_seconds)} s on "
                f"{self._device}{with_start}"
            )
        self._uses_device, self._has_chosen = uses_device, True

    def _measure_cpu(self, sample: Sequence[str]) -> Speed:
        """Return how fast the CPU embeds a sample, the second time."""
        tokens, _ = self._estimate_tokens(sample)
        self._cpu_encoder.encode(sample)
        started = self._clock()
        self._cpu_encoder.encode(sample)
        self._rates.record("cpu", tokens / max(self._clock() - started, 1e-3))
        return self._rates.get("cpu") or Speed(1.0)

    def _first_estimate(self, on_cpu: Speed) -> Speed:
        cores, start_seconds = FIRST_ESTIMATES[self._device]
        return Speed(on_cpu.tokens_per_second / self._cores * cores, start_seconds)

    def _start(self) -> Encoder | None:
        """Load the model on the accelerator; None if it can't be used, which is said."""
        is_new = not _is_torch_imported()
        started = self._clock()
        if not has_accelerator(self._device):
            self._refuse(f"torch can't use {self._device} here")
            return None
        folder = find_model(self._model_name)
        if folder.fingerprint != self.fingerprint:
            raise model_mismatch(folder, self.fingerprint)
        encoder = load_gpu_encoder(self._cpu_encoder, folder, self._device)
        if encoder is None:
            self._refuse(f"{folder.name}: torch on {self._device} gives other vectors than the CPU")
        self._start_seconds = self._clock() - started if is_new else None
        return encoder

    def _refuse(self, reason: str, error: Exception | None = None) -> None:
        """Embed on the CPU from now on, and say why.

        Raises:
            SearchkitError: If the accelerator was asked for.
        """
        if isinstance(error, DeviceFailed):
            reason = f"{self._device} failed: {reason}"
        if self._is_forced:
            if isinstance(error, SearchkitError):
                raise error
            raise SearchkitError(
                Message("{reason}; embed on the CPU: `device='cpu'`", reason=reason)
            ) from error
        self._is_refused, self._uses_device = True, False
        self._device_encoder = self._starting = None
        self._notify(f"{reason}; embedding on the CPU")


def _in_background(start: Callable[[], Encoder | None]) -> Future[Encoder | None]:
    """Call a function in a thread."""
    executor = ThreadPoolExecutor(1, "accelerator")
    try:
        return executor.submit(start)
    finally:
        executor.shutdown(wait=False)


def _is_torch_imported() -> bool:
    return "torch" in sys.modules


def _rounded(seconds: float) -> str:
    """Return seconds for a message."""
    return f"{seconds:,.0f}" if seconds >= 10 else f"{seconds:.1f}"
