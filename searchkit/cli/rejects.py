"""Rows that could not be used, kept in a file beside the reason, so that nothing is lost."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from searchkit.core.errors import StorageFailed

if TYPE_CHECKING:
    from searchkit.core.records import Answer
    from searchkit.sources.columns import Reject


class Rejects:
    """A JSONL file of `{"source", "line", "reason", "row"}`; made when the first row comes.

    Attributes:
        count: Rows in the file.
        unread: Those of them that were no answers, so that nobody else has counted them.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.count = 0
        self.unread = 0
        self._file: TextIO | None = None

    def add(self, reject: Reject) -> None:
        """Keep a row that could not be read."""
        self.unread += 1
        self._write(reject.source, reject.line, reject.reason, reject.row)

    def add_answer(self, answer: Answer, reason: str) -> None:
        """Keep an answer that could not be taken."""
        row = json.dumps({"id": answer.id, "text": answer.text, **answer.meta}, ensure_ascii=False)
        self._write(answer.source, answer.line, reason, row)

    def close(self) -> None:
        """Close the file, if there is one."""
        if self._file:
            self._file.close()

    def _write(self, source: str | None, line: int | None, reason: str, row: str) -> None:
        kept = {"source": source, "line": line, "reason": reason, "row": row}
        try:
            if self._file is None:
                self._file = self.path.open("w", encoding="utf-8", errors="backslashreplace")
            self._file.write(json.dumps(kept, ensure_ascii=False) + "\n")
        except OSError as error:
            raise StorageFailed(f"{self.path}: can't be written ({error.strerror})") from error
        self.count += 1
