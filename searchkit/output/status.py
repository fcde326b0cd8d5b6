"""The status of an index, the counts of a command and the cost of a reindex, for a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TextIO

from searchkit.core.messages import counted
from searchkit.core.records import Answer
from searchkit.output.console import one_line, open_console, visible
from searchkit.output.search import print_properties
from searchkit.sources.columns import AnswerColumns
from searchkit.text.languages.names import language_name

MAX_VALUE_LENGTH = 40  # of what a row is described by

_NO_FATES = {"read", "passages", "embedded", "seconds", "warnings"}  # of the rows of an ingest


def print_counts(counts: Mapping[str, Any], out: TextIO) -> None:
    """Print a name and a number on each line, aligned on the right."""
    rows = {name.replace("_", " "): f"{number:,}" for name, number in counts.items()}
    name_width, width = max(10, *map(len, rows)), max(map(len, rows.values()))
    for name, number in rows.items():
        out.write(f"{name:<{name_width}} {number:>{width}}\n")


def print_ingested(counts: Mapping[str, Any], out: TextIO) -> None:
    """Print in a sentence what became of the rows of an ingest, and then the warnings."""
    embedded = counts["embedded"]
    effort = f"; {counted(embedded, 'text')} embedded" if embedded else ""
    out.write(f"{describe_ingested(counts)}{effort}; {counts['seconds']:.1f} s\n")
    for warning in counts.get("warnings", ()):
        out.write(f"{visible(warning)}\n")


def describe_ingested(counts: Mapping[str, Any]) -> str:
    """Return in a sentence, without a full stop, what became of the rows of an ingest."""
    fates = [
        f"{number:,} {name.replace('_', ' ')}"
        for name, number in counts.items()
        if number and name not in _NO_FATES
    ]
    parts = f": {', '.join(fates)}" if fates else ""
    return f"{counted(counts['read'], 'row')} read{parts}"


def describe_row(row: Answer | AnswerColumns) -> str:
    """Return what a row was read as, in a line: its fields, and its columns."""
    fields: dict[str, str | None] = {"question": row.question, "author": row.author, "id": row.id}
    if isinstance(row, Answer):
        if row.has_made_id:
            del fields["id"]
        fields |= {"time": row.submitted_at, "answer": row.text}
    known = [(name, value) for name, value in (*fields.items(), *row.meta.items()) if value]
    return "; ".join(f"{name}: {one_line(value, MAX_VALUE_LENGTH)!r}" for name, value in known)


def print_estimate(estimate: Mapping[str, float], out: TextIO) -> None:
    """Print what a reindex would take: texts to embed, time and disk space."""
    rows = [(name, f"{estimate[name]:,}") for name in ("answers", "passages")]
    texts = f"{estimate['to_embed']:,} distinct texts"
    reused = f", and {estimate['reused']:,} are embedded already" if estimate["reused"] else ""
    rows.append(("to embed", texts + reused))
    rows.append(("time", f"about {_format_duration(estimate['seconds'])}"))
    disk = f"about {_format_size(int(estimate['disk']))} while it runs"
    rows.append(("disk", f"{disk}; {_format_size(int(estimate['free']))} are free"))
    print_properties(rows, out)


def print_status(status: Mapping[str, Any], out: TextIO) -> None:
    """Print the status of an index: an overview, then a line for each question."""
    names = ("answers", "blank", "questions", "authors", "passages", "vectors")
    rows = [("index", status["index"])] + [(name, f"{status[name]:,}") for name in names]
    if earlier := status["earlier_attempts"]:
        are = "is an earlier attempt" if earlier == 1 else "are earlier attempts"
        rows.append(("attempts", f"{counted(earlier, 'answer')} {are}"))
    if languages := status["languages"]:
        counts = (f"{language_name(code)} {count:,}" for code, count in languages.items())
        rows.append(("languages", ", ".join(counts)))
    model = status["model"]
    rows.append(("columns", ", ".join(status["columns"]) or "none but the usual"))
    rows.append(("model", f"{model['name']} ({model['fingerprint'][:12]})"))
    rows.append(("", f"{model['dimension']} dimensions, passages of {model['window']} tokens"))
    rows += status["storage"].items() if "storage" in status else _folder_rows(status)
    print_properties(rows, out)
    if status["questions"]:
        _print_questions(status["by_question"], out)


def _folder_rows(status: Mapping[str, Any]) -> list[tuple[str, str]]:
    checkpoint = status["checkpoint"]
    vectors = (
        f"{checkpoint['file']}, {checkpoint['vectors']:,} vectors" if checkpoint else "none yet"
    )
    changes = f"{status['tail']:,} after it, {status['removed']:,} removed"
    rows = [("checkpoint", f"{vectors}; {changes}")]
    if unfinished := status["unfinished"]:
        progress = f"{unfinished['answers']:,} of {status['answers'] - status['blank']:,} answers"
        command = f"go on with: searchkit reindex --model {unfinished['model']}"
        rows.append(("reindex", f"not finished: {progress} embedded; {command}"))
    sizes = [f"{name} {_format_size(size)}" for name, size in status["files"].items() if size]
    rows.append(("on disk", f"{_format_size(sum(status['files'].values()))}: {', '.join(sizes)}"))
    return rows


def _print_questions(rows: Sequence[Mapping[str, Any]], out: TextIO, max_rows: int = 20) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("question", overflow="fold")
    table.add_column("answers", justify="right")
    table.add_column("authors", justify="right")
    for row in rows[:max_rows]:
        name = "(none)" if row["question"] is None else visible(row["question"])
        table.add_row(Text(name), f"{row['answers']:,}", f"{row['authors']:,}")
    console = open_console(out)
    console.print()
    console.print(table)
    if len(rows) > max_rows:
        console.print(f"… and {len(rows) - max_rows:,} more questions; --format json shows all")


def _format_duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60} min"


def _format_size(num_bytes: int) -> str:
    size, units = float(num_bytes), ["bytes", "kB", "MB", "GB", "TB"]
    while size >= 1000 and len(units) > 1:
        size, units = size / 1000, units[1:]
    return f"{size:.0f} {units[0]}" if units[0] == "bytes" else f"{size:.1f} {units[0]}"
