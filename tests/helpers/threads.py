"""A system that starts no more threads."""

from __future__ import annotations

import threading
from itertools import count

import pytest


def refuse_threads(monkeypatch: pytest.MonkeyPatch, after: int = 0) -> None:
    """Let no thread be started but the first `after`, as the system does at its limit."""
    started, start = count(), threading.Thread.start

    def limited(thread: threading.Thread) -> None:
        if next(started) >= after:
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", limited)
