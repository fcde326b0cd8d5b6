"""What an index holds, and what a command did, for a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TextIO

from searchkit.output.console import open_console, visible
from searchkit.output.search import print_properties


def print_counts(counts: Mapping[str, float], out: TextIO) -> None:
    """Print names and numbers, the numbers under each other."""
    width = max(len(f"{number:,}") for number in counts.values())
    for name, number in counts.items():
        out.write(f"{name:<10} {number:>{width},}\n")


def print_estimate(needed: Mapping[str, float], out: TextIO) -> None:
    """Print what a reindex would take."""
    rows = [(name, f"{needed[name]:,}") for name in ("answers", "passages")]
    texts = f"{needed['to_embed']:,} distinct texts"
    reused = f", and {needed['reused']:,} are embedded already" if needed["reused"] else ""
    rows.append(("to embed", texts + reused))
    rows.append(("time", f"about {_duration(needed['seconds'])}"))
    disk = f"about {_size(int(needed['disk']))} while it runs"
    rows.append(("disk", f"{disk}; {_size(int(needed['free']))} are free"))
    print_properties(rows, out)


def print_status(known: Mapping[str, Any], out: TextIO) -> None:
    """Print what `status` gives: an overview, then a line a question."""
    names = ("answers", "blank", "questions", "authors", "passages", "vectors")
    rows = [("index", known["index"])] + [(name, f"{known[name]:,}") for name in names]
    model = known["model"]
    rows.append(("columns", ", ".join(known["columns"]) or "none but the usual"))
    rows.append(("model", f"{model['name']} ({model['fingerprint'][:12]})"))
    rows.append(("", f"{model['dimension']} dimensions, passages of {model['window']} tokens"))
    rows += known["storage"].items() if "storage" in known else _in_the_folder(known)
    print_properties(rows, out)
    if known["questions"]:
        _print_questions(known["by_question"], out)


def _in_the_folder(known: Mapping[str, Any]) -> list[tuple[str, str]]:
    checkpoint = known["checkpoint"]
    kept = f"{checkpoint['file']}, {checkpoint['vectors']:,} vectors" if checkpoint else "none yet"
    after = f"{known['tail']:,} after it, {known['removed']:,} removed"
    rows = [("checkpoint", f"{kept}; {after}")]
    if unfinished := known["unfinished"]:
        done = f"{unfinished['answers']:,} of {known['answers'] - known['blank']:,} answers"
        again = f"go on with: searchkit reindex --model {unfinished['model']}"
        rows.append(("reindex", f"not finished: {done} embedded; {again}"))
    sizes = [f"{name} {_size(size)}" for name, size in known["files"].items() if size]
    rows.append(("on disk", f"{_size(sum(known['files'].values()))}: {', '.join(sizes)}"))
    return rows


def _print_questions(rows: Sequence[Mapping[str, Any]], out: TextIO, limit: int = 20) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("question", overflow="fold")
    table.add_column("answers", justify="right")
    table.add_column("authors", justify="right")
    for row in rows[:limit]:
        name = "(none)" if row["question"] is None else visible(row["question"])
        table.add_row(Text(name), f"{row['answers']:,}", f"{row['authors']:,}")
    console = open_console(out)
    console.print()
    console.print(table)
    if len(rows) > limit:
        console.print(f"… and {len(rows) - limit:,} more questions; --format json shows all")


def _duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60} min"


def _size(count: int) -> str:
    size, units = float(count), ["bytes", "kB", "MB", "GB", "TB"]
    while size >= 1000 and len(units) > 1:
        size, units = size / 1000, units[1:]
    return f"{size:.0f} {units[0]}" if units[0] == "bytes" else f"{size:.1f} {units[0]}"
