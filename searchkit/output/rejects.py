"""Rows that could not be used, in a file that can be corrected."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

from searchkit.core.errors import BadInput, StorageFailed
from searchkit.core.messages import counted
from searchkit.core.records import Answer
from searchkit.output.files import json_text
from searchkit.sources.columns import Reject


class Rejects:
    """A JSON Lines file of rows that could not be used, created when the first one is added.

    Each line is `{"source", "line", "reason", "row"}`.

    Attributes:
        path: The file; None only counts the rows.
        count: Number of rows.
        unread: Number of rows that could not be read as answers, which `ingest` didn't count.
        first: Where the first one stands, and what is wrong with it.

    Args:
        path: The file, or None.
        reason_text: Returns a reason with the names that the user knows.
    """

    def __init__(self, path: Path | None, reason_text: Callable[[str], str] = str) -> None:
        self.path = path
        self._reason_text = reason_text
        self.count = 0
        self.unread = 0
        self.first = ""
        self._file: TextIO | None = None

    def add(self, reject: Reject) -> None:
        """Add a row that could not be read."""
        self.unread += 1
        self._add(reject.source, reject.line, reject.reason, reject.row)

    def add_answer(self, answer: Answer, reason: str) -> None:
        """Add an answer that could not be added."""
        row = json.dumps({"id": answer.id, "text": answer.text, **answer.meta}, ensure_ascii=False)
        self._add(answer.source, answer.line, reason, row)

    def check(self) -> None:
        """Close the file, and check that there was none.

        Raises:
            BadInput: if there was one.
        """
        if self._file:
            self._file.close()
        if self.count:
            where = f"they are in {self.path}" if self.path else f"the first is {self.first}"
            raise BadInput(f"{counted(self.count, 'row')} could not be used; {where}")

    def _add(self, source: str | None, line: int | None, reason: str, row: str) -> None:
        reason = self._reason_text(reason)
        if not self.count and source is not None:
            self.first = BadInput.at(source, line, reason).message
        self.count += 1
        if self.path is not None:
            self._write(self.path, {"source": source, "line": line, "reason": reason, "row": row})

    def _write(self, path: Path, record: dict[str, Any]) -> None:
        try:
            if self._file is None:
                self._file = path.open("w", encoding="utf-8", errors="backslashreplace")
            self._file.write(json_text(record) + "\n")
        except OSError as error:
            raise StorageFailed(f"{path}: can't be written ({error.strerror})") from error
