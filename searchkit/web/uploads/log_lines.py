"""Warnings that are logged while a file is read, for the page, whose user doesn't see the log."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

MAX_LINES = 20


class _Collector(logging.Handler):
    """Keeps the warnings of one thread, each once."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: dict[str, None] = {}
        self._thread = threading.get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        if record.thread == self._thread and len(self.lines) < MAX_LINES:
            self.lines[record.getMessage()] = None


@contextmanager
def collected_warnings() -> Iterator[dict[str, None]]:
    """Collect the warnings that this thread logs: an ordered set, of at most `MAX_LINES`."""
    log, collector = logging.getLogger("searchkit"), _Collector()
    log.addHandler(collector)
    try:
        yield collector.lines
    finally:
        log.removeHandler(collector)
