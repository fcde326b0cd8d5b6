"""How fast a model has been on the devices of this machine; kept with the compiled model."""

from __future__ import annotations

import json
import math
import os
import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

FILE = "rates.json"
# A measurement that differs by less than this share isn't written.
NOTABLE_CHANGE = 0.1


@dataclass(frozen=True, slots=True)
class Speed:
    """How fast a model is on a device.

    Attributes:
        tokens_per_second: Tokens that are embedded in a second, once it is started.
        start_seconds: What loading the model there takes in a new process.
    """

    tokens_per_second: float
    start_seconds: float = 0.0


class Rates:
    """The speeds that were measured, by device; a mean that gives the last one half the weight."""

    def __init__(self, folder: Path, machine: str) -> None:
        """Read what is known.

        Args:
            folder: The folder of the compiled model. Nothing is kept if there is none.
            machine: What speeds are valid for: processor, cores and threads.
        """
        self._folder = folder
        self._machine = machine
        self._speeds = _speeds(_read(folder).get(machine))

    def get(self, device: str) -> Speed | None:
        """Return a device's speed; None if it was never measured."""
        return self._speeds.get(device)

    def record(
        self, device: str, tokens_per_second: float, start_seconds: float | None = None
    ) -> None:
        """Take in a measurement, and keep it if that is possible.

        Args:
            device: The device.
            tokens_per_second: Tokens that were embedded in a second.
            start_seconds: What the start took, if it was measured.
        """
        known = self._speeds.get(device)
        if known is None:
            speed = Speed(tokens_per_second, start_seconds or 0.0)
        else:
            # Seconds are averaged: the mean of the rates would believe the faster one.
            rate = 2 / (1 / known.tokens_per_second + 1 / tokens_per_second)
            start = known.start_seconds
            if start_seconds is not None:
                start = (start + start_seconds) / 2 if start else start_seconds
            speed = Speed(rate, start)
        self._speeds[device] = speed
        if known is None or _differs(known, speed):
            self._write()

    def _write(self) -> None:
        """Write the file anew, with what other kinds of machines have left there."""
        machines = _read(self._folder)
        machines[self._machine] = {name: asdict(speed) for name, speed in self._speeds.items()}
        staging = self._folder / f".{FILE}-{os.getpid()}-{uuid.uuid4().hex}"
        with suppress(OSError):  # without the file, the next process measures again
            try:
                staging.write_text(json.dumps(machines, indent=2), encoding="utf-8")
                staging.replace(self._folder / FILE)
            finally:
                staging.unlink(missing_ok=True)


def _read(folder: Path) -> dict[str, Any]:
    """Return the file's content; empty if there is none, or it is damaged."""
    try:
        content = json.loads((folder / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _speeds(devices: object) -> dict[str, Speed]:
    """Return the speeds of a machine, without those that can't be true."""
    speeds = {}
    for name, values in devices.items() if isinstance(devices, Mapping) else ():
        with suppress(AttributeError, TypeError, ValueError, OverflowError):
            speed = Speed(**{key: float(value) for key, value in values.items()})
            is_finite = all(map(math.isfinite, (speed.tokens_per_second, speed.start_seconds)))
            if is_finite and speed.tokens_per_second > 0 and speed.start_seconds >= 0:
                speeds[name] = speed
    return speeds


def _differs(known: Speed, new: Speed) -> bool:
    pairs = zip((asdict(known).values()), asdict(new).values(), strict=True)
    return any(abs(a - b) > NOTABLE_CHANGE * max(a, b) for a, b in pairs)
