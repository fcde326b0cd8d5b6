"""The choice between the CPU and an accelerator, with fake devices, rates and a fake clock."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from threading import Event
from unittest.mock import Mock

import numpy as np
import pytest
from helpers.encoder import ToyEncoder

from searchkit.core.arrays import Float32, unit_rows
from searchkit.core.errors import IndexMismatch, SearchkitError
from searchkit.core.progress import Counter, Progress
from searchkit.encoding.devices import gpu_encoder, offloading
from searchkit.encoding.devices.gpu_encoder import DeviceFailed, GpuEncoder
from searchkit.encoding.devices.offloading import Machine, OffloadingEncoder
from searchkit.encoding.devices.rates import Rates
from searchkit.encoding.encoder import Encoder
from searchkit.encoding.loading import load_encoder

TEXTS = ["The event loop runs callbacks.", "yes", "Streams hand on data, bit by bit. " * 40]
WORDS = " ".join(["word"] * 10)


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class TimedEncoder:
    """An encoder that takes its time, by a clock of its own; a vector tells the text's length."""

    name, fingerprint, dimension, window = "timed", "timed-1", 2, 12
    tokenizer = ToyEncoder().tokenizer

    def __init__(self, clock: Clock, tokens_per_second: float) -> None:
        self.clock, self.rate = clock, tokens_per_second
        self.texts: list[str] = []
        self.error: Exception | None = None

    def encode(self, texts: Sequence[str], progress: Progress | None = None) -> Float32:
        self.clock.now += sum(text.count(" ") + 1 for text in texts) / self.rate
        if self.error:
            raise self.error
        self.texts += texts
        counter = Counter(progress, len(texts))
        counter.advance(len(texts))
        return self.encode_queries(texts)

    def encode_queries(self, texts: Sequence[str]) -> Float32:
        rows = np.array([[len(text), 1.0] for text in texts], np.float32).reshape(-1, 2)
        return unit_rows(rows)


def at_once(start: Callable[[], Encoder | None]) -> Future[Encoder | None]:
    """Start the accelerator before anything else is done."""
    future = Future[Encoder | None]()
    try:
        future.set_result(start())
    except Exception as error:
        future.set_exception(error)
    return future


class Scene:
    """A machine with a CPU, a GPU, and an encoder that chooses between them."""

    def __init__(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, cpu: float, gpu: float,
        start: float = 10.0, is_forced: bool = False,
    ) -> None:  # fmt: skip
        self.clock, self.messages, self.starts = Clock(), list[str](), 0
        self.cpu, self.gpu = TimedEncoder(self.clock, cpu), TimedEncoder(self.clock, gpu)
        self.rates = Rates(tmp_path, "here")
        self.start_seconds = start
        monkeypatch.setattr(offloading, "has_accelerator", lambda _: True)
        monkeypatch.setattr(offloading, "find_model", lambda _: self.cpu)
        monkeypatch.setattr(offloading, "load_gpu_encoder", self.load)
        monkeypatch.setattr(offloading, "_is_torch_imported", lambda: False)
        monkeypatch.setattr(offloading, "_in_background", at_once)
        machine = Machine(self.rates, 2, self.clock)
        self.encoder = OffloadingEncoder(
            self.cpu, "cuda", None, machine, self.messages.append, is_forced=is_forced
        )

    def load(self, *_: object) -> TimedEncoder:
        self.starts += 1
        self.clock.now += self.start_seconds
        return self.gpu

    def embed(self, tokens: int) -> str:
        """Embed about so many tokens; return where that was."""
        before = len(self.cpu.texts), len(self.gpu.texts)
        texts = [WORDS] * (tokens // 10)
        vectors = self.encoder.encode(texts)
        assert vectors.shape == (len(texts), self.encoder.dimension)
        where = {
            "cpu": len(self.cpu.texts) - before[0] >= len(texts),
            "cuda": len(self.gpu.texts) > before[1],
        }
        return "+".join(name for name, is_used in where.items() if is_used)


def test_little_is_not_worth_a_choice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene(tmp_path, monkeypatch, cpu=1.0, gpu=1e9)
    assert scene.embed(1000) == "cpu"
    assert scene.messages == [] and scene.starts == 0 and scene.rates.get("cpu") is None


def test_what_the_cpu_does_sooner_than_the_gpu_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = Scene(tmp_path, monkeypatch, cpu=50_000, gpu=1e9)
    assert scene.embed(100_000) == "cpu"
    assert scene.starts == 0
    assert scene.messages == [
        "embedding on the CPU: about 100,000 tokens take 2.0 s on the CPU and 12 s on cuda, "
        "12 s of them for its start"
    ]
    assert scene.embed(100_000) == "cpu"
    assert len(scene.messages) == 1, "the same choice is said once"


def test_much_goes_to_the_gpu_and_small_batches_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = Scene(tmp_path, monkeypatch, cpu=10_000, gpu=1_000_000)
    assert scene.embed(400_000) == "cuda"
    assert scene.messages == [
        "embedding on cuda: about 400,000 tokens take 40 s on the CPU and 13 s on cuda, "
        "12 s of them for its start"
    ]
    assert scene.embed(20) == "cuda" and scene.starts == 1
    speed = scene.rates.get("cuda")
    assert speed is not None
    assert (round(speed.tokens_per_second), speed.start_seconds) == (1_000_000, 10.0)


def test_many_small_batches_are_much_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = Scene(tmp_path, monkeypatch, cpu=10_000, gpu=1_000_000)
    places = [scene.embed(40_000) for _ in range(6)]
    assert places == ["cpu"] * 3 + ["cuda"] * 3  # more than 12 s of the CPU are expected
    assert scene.starts == 1


def test_never_more_than_twice_as_long_as_on_the_cores(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for batches in range(1, 12):
        scene = Scene(tmp_path / "none", monkeypatch, cpu=10_000, gpu=1_000_000, start=12.0)
        for _ in range(batches):
            scene.embed(40_000)
        assert scene.clock.now <= 2 * batches * 40_000 / 10_000 + 1  # and the sample's second


def test_a_gpu_that_turns_out_to_be_slow_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = Scene(tmp_path, monkeypatch, cpu=10_000, gpu=2_000)
    assert scene.embed(400_000) == "cuda"
    assert scene.embed(400_000) == "cpu"
    assert [line.partition(":")[0] for line in scene.messages] == [
        "embedding on cuda",
        "embedding on the CPU",
    ]
    later = Scene(tmp_path, monkeypatch, cpu=10_000, gpu=2_000)  # another process
    assert later.embed(400_000) == "cpu" and later.starts == 0


def test_order_and_bits_are_those_of_the_device(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = Scene(tmp_path, monkeypatch, cpu=1.0, gpu=1e9)
    texts = [f"{WORDS} {n}" for n in range(3000)]
    done = list[tuple[int, int]]()
    vectors = scene.encoder.encode(texts, lambda *now: done.append(now))
    np.testing.assert_array_equal(vectors, scene.cpu.encode_queries(texts))
    assert done[-1] == (3000, 3000)
    np.testing.assert_array_equal(scene.encoder.encode([]), np.empty((0, vectors.shape[1])))
    np.testing.assert_array_equal(
        scene.encoder.encode_queries(texts[:3]), scene.cpu.encode_queries(texts[:3])
    )


@pytest.mark.parametrize("blocks", [1, 2, 5])
def test_the_cpu_goes_on_until_the_gpu_has_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, blocks: int
) -> None:
    in_background = offloading._in_background
    scene = Scene(tmp_path, monkeypatch, cpu=1.0, gpu=1e9)
    monkeypatch.setattr(offloading, "_in_background", in_background)
    monkeypatch.setattr(offloading, "TEXTS_MEANWHILE", 1000)
    texts = [f"{WORDS} {n}" for n in range(5000)]
    has_embedded, has_started = Event(), Event()
    load, encode = scene.load, scene.cpu.encode

    def loading(*_: object) -> TimedEncoder:
        assert has_embedded.wait(30)
        return load()

    def encoding(some: Sequence[str], progress: Progress | None = None) -> Float32:
        vectors = encode(some, progress)
        if len(scene.cpu.texts) >= 1000 * blocks:
            has_embedded.set()
            assert has_started.wait(30)
        return vectors

    def starting(start: Callable[[], Encoder | None]) -> Future[Encoder | None]:
        future = in_background(start)
        future.add_done_callback(lambda _: has_started.set())
        return future

    monkeypatch.setattr(offloading, "load_gpu_encoder", loading)
    monkeypatch.setattr(offloading, "_in_background", starting)
    monkeypatch.setattr(offloading, "SAMPLE_TEXTS", 1)
    scene.rates.record("cpu", 1.0)
    monkeypatch.setattr(scene.cpu, "encode", encoding)
    done = list[tuple[int, int]]()
    vectors = scene.encoder.encode(texts, lambda *now: done.append(now))
    np.testing.assert_array_equal(vectors, scene.cpu.encode_queries(texts))
    assert scene.cpu.texts == texts[: 1000 * blocks]
    assert scene.gpu.texts == texts[1000 * blocks :]
    assert done == sorted(done) and done[-1] == (5000, 5000)
    assert scene.encoder.encode(texts).shape == (5000, 2)
    assert len(scene.gpu.texts) == 5000 - 1000 * blocks + 5000 and scene.starts == 1


def test_a_lone_surrogate_can_be_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene(tmp_path, monkeypatch, cpu=1.0, gpu=1e9)
    assert len(scene.encoder.encode(["\ud800", ""])) == 2


def test_a_gpu_that_fails_leaves_it_to_the_cpu(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = Scene(tmp_path, monkeypatch, cpu=10_000, gpu=1_000_000)
    scene.gpu.error = DeviceFailed("CUDA error: unspecified launch failure")
    for _ in range(2):
        assert scene.embed(400_000) == "cpu"
    assert scene.messages[1:] == [
        "cuda failed: CUDA error: unspecified launch failure; embedding on the CPU"
    ]
    assert scene.starts == 1


def test_one_that_was_asked_for_is_always_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = Scene(tmp_path, monkeypatch, cpu=1e9, gpu=1.0, is_forced=True)
    assert scene.embed(10) == "cuda"
    assert scene.messages == []
    scene.gpu.error = DeviceFailed("CUDA out of memory")
    with pytest.raises(
        SearchkitError, match=r"^cuda failed: CUDA out of memory; embed on the CPU: `device='cpu'`$"
    ):
        scene.embed(10)


def test_a_start_that_could_not_be_measured_is_not_taken_for_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = Scene(tmp_path, monkeypatch, cpu=10_000, gpu=1e6, is_forced=True)
    monkeypatch.setattr(offloading, "_is_torch_imported", lambda: True)
    assert asked.embed(100_000) == "cuda"
    later = Scene(tmp_path, monkeypatch, cpu=10_000, gpu=1e6)
    later.rates.record("cpu", 10_000)
    assert later.embed(50_000) == "cpu", "12 s for the start, and 5 s on the CPU"
    assert later.embed(100_000) == "cuda"
    speed = later.rates.get("cuda")
    assert speed is not None and speed.start_seconds == 11.0, "the mean with what was measured"


def test_an_error_that_is_not_the_device_s_is_raised(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = Scene(tmp_path, monkeypatch, cpu=10_000, gpu=1_000_000)
    scene.gpu.error = TypeError("TextInputSequence must be str")
    with pytest.raises(TypeError, match="TextInputSequence"):
        scene.embed(400_000)


def test_another_model_under_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for is_forced in (False, True):
        scene = Scene(tmp_path, monkeypatch, cpu=10_000, gpu=1e6, is_forced=is_forced)
        monkeypatch.setattr(offloading, "find_model", lambda _: ToyEncoder(fingerprint="e" * 64))
        if is_forced:
            with pytest.raises(IndexMismatch, match="the index was made with the model"):
                scene.embed(400_000)
        else:
            assert scene.embed(400_000) == "cpu"
            assert scene.messages[1].endswith("; embedding on the CPU")


# With a real, tiny model, on torch's "cpu" in place of an accelerator.


@pytest.fixture
def model(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SEARCHKIT_CACHE", str(tmp_path / "cache"))
    return Path(shutil.copytree(tiny, tmp_path / "model"))


@pytest.fixture
def accelerated(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[list[str]], tuple[OffloadingEncoder, Encoder]]:
    """Return a function that loads the model for a fake accelerator, and for the CPU."""
    load = gpu_encoder.load_sentence_transformer
    monkeypatch.setattr(offloading, "has_accelerator", lambda _: True)
    monkeypatch.setattr("searchkit.encoding.devices.finding.has_accelerator", lambda _: True)
    monkeypatch.setattr(
        gpu_encoder,
        "load_sentence_transformer",
        lambda folder, device, *, half: load(folder, "cpu"),
    )

    def make(messages: list[str]) -> tuple[OffloadingEncoder, Encoder]:
        cpu_encoder = load_encoder(str(model), device="cpu")
        encoder = load_encoder(str(model), device="cuda", notify=messages.append)
        assert isinstance(encoder, OffloadingEncoder)
        return encoder, cpu_encoder

    return make


def test_the_accelerator_s_vectors_are_the_cpu_s(
    accelerated: Callable[[list[str]], tuple[OffloadingEncoder, Encoder]],
) -> None:
    encoder, cpu_encoder = accelerated([])
    lowest = np.sum(encoder.encode(TEXTS) * cpu_encoder.encode(TEXTS), axis=1).min()
    assert float(lowest) >= 0.9999
    assert isinstance(encoder._device_encoder, GpuEncoder)
    np.testing.assert_array_equal(encoder.encode_queries(TEXTS), cpu_encoder.encode_queries(TEXTS))


def test_half_precision_only_where_that_is_faithful(
    accelerated: Callable[[list[str]], tuple[OffloadingEncoder, Encoder]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    halves = list[bool]()
    load = gpu_encoder.load_sentence_transformer

    def loading(folder: object, device: str, *, half: bool) -> object:
        halves.append(half)
        return load(folder, device, half=half)  # type: ignore[arg-type]

    monkeypatch.setattr(gpu_encoder, "load_sentence_transformer", loading)
    for cosines, tried, is_used in (
        ([0.9999], [True], True),
        ([0.0, 0.9999], [True, False], True),
        ([0.0, 0.99], [True, False], False),
    ):
        halves.clear()
        monkeypatch.setattr(gpu_encoder, "lowest_cosine", Mock(side_effect=cosines))
        encoder, _ = accelerated([])
        if is_used:
            assert encoder.encode(TEXTS).shape == (3, 32)
            assert isinstance(encoder._device_encoder, GpuEncoder)
        else:
            with pytest.raises(SearchkitError, match="on cuda gives other vectors than the CPU; "):
                encoder.encode(TEXTS)
        assert halves == tried


def test_an_accelerator_that_torch_can_t_use(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("searchkit.encoding.loading.guess_accelerator", lambda: "cuda")
    monkeypatch.setattr(offloading, "has_accelerator", lambda _: False)
    monkeypatch.setattr(offloading, "FIRST_ESTIMATES", {"cuda": (1000, 0.0)})
    messages = list[str]()
    encoder = load_encoder(str(model), notify=messages.append)
    many = TEXTS * 1000
    assert encoder.encode(many).shape == (len(many), 32)
    assert messages[-1] == "torch can't use cuda here; embedding on the CPU"
    cached = Rates(next((model.parent / "cache").iterdir()), "").get("cpu")
    assert cached is None, "of another machine"
    assert load_encoder(str(model), device="cpu").encode(TEXTS).shape == (3, 32)
