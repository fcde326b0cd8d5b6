"""Results for people and for programs: table, JSON, JSONL, CSV."""

from __future__ import annotations

import csv
import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal, TextIO

from searchkit.types import Answer, Hit, Pair

if TYPE_CHECKING:
    from searchkit.pairs import Mined

Get = Callable[[Sequence[str]], list[Answer]]

Format = Literal["table", "json", "jsonl", "csv"]

LONGEST = 1_500  # characters of a passage that a table shows
EXCERPT = 400  # characters of each answer of a pair that a table shows
SHOWN = 100  # pairs, and groups of equal texts, that a table shows
CONTEXT = 160  # characters shown before and after a passage that doesn't stand at an end
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet takes for the start of one
_NUMBER = re.compile(r"[-+]?(\d+([.,]\d*)?|[.,]\d+)([eE][-+]?\d+)?%?")
_BIDI = set("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def hits_as_records(queries: Sequence[str], found: Sequence[Sequence[Hit]]) -> list[dict[str, Any]]:
    """Give `[{"query", "hits": [{"rank", "score", "id", …}]}]`."""
    return [
        {"query": query, "hits": [_hit_as_record(hit) for hit in hits]}
        for query, hits in zip(queries, found, strict=True)
    ]


def _hit_as_record(hit: Hit) -> dict[str, Any]:
    answer = hit.answer
    return {
        "rank": hit.rank,
        "score": hit.score,
        "id": answer.id,
        "question": answer.question,
        "author": answer.author,
        "submitted_at": answer.submitted_at,
        "text": answer.text,
        "passage": {"start": hit.passage.start, "end": hit.passage.end},
        "meta": dict(answer.meta),
    }


def answer_as_record(answer: Answer) -> dict[str, Any]:
    """Give one flat row: the fields that are known, then every other column by its name.

    A column whose name is that of a field gets `meta:` before it, so that neither is lost.
    """
    row: dict[str, Any] = {"id": answer.id}
    for name in ("question", "author", "submitted_at", "text"):
        value = getattr(answer, name)
        if value is not None:
            row[name] = value
    for name, value in answer.meta.items():
        row[f"meta:{name}" if name in Answer.__slots__ else name] = value
    return row


def export_columns(meta: Sequence[str]) -> list[str]:
    """Give the columns of an exported CSV, named as `answer_as_record` names them."""
    fields = ["id", "question", "author", "submitted_at", "text"]
    return fields + [f"meta:{name}" if name in Answer.__slots__ else name for name in meta]


def write_json(value: object, out: TextIO) -> None:
    """Write one JSON document; text beyond ASCII as it is."""
    out.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def write_jsonl(rows: Iterable[Mapping[str, Any]], out: TextIO) -> None:
    """Write one JSON object a line."""
    for row in rows:
        out.write(json.dumps(row, ensure_ascii=False) + "\n")


def write_csv(rows: Iterable[Mapping[str, Any]], columns: Sequence[str], out: TextIO) -> None:
    """Write CSV with these columns; nested values as JSON; no cell is a formula."""
    # Texts quoted, all of them: by itself csv leaves a lone CR bare, and readers end the row there.
    writer = csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    writer.writerow([_cell(name) for name in columns])
    for row in rows:
        writer.writerow([_cell(row.get(name)) for name in columns])


def _cell(value: object) -> object:
    """Quote text that a spreadsheet would run as a formula; leave numbers alone."""
    if isinstance(value, dict | list):
        value = json.dumps(value, ensure_ascii=False)
    if isinstance(value, str) and value.startswith(_FORMULA) and not _NUMBER.fullmatch(value):
        return "'" + value
    return "" if value is None else value


def flat_hits(records: Sequence[Mapping[str, Any]]) -> tuple[list[str], list[dict[str, Any]]]:
    """Give the columns and rows of hits for CSV: one row a hit, `meta` spread over columns."""
    columns = ["query", "rank", "score", "id", "question", "author", "submitted_at", "text"]
    columns += ["passage_start", "passage_end"]
    rows = []
    for record in records:
        for hit in record["hits"]:
            row = {name: hit[name] for name in columns[1:8]}
            row |= {"query": record["query"]}
            row |= {f"passage_{end}": hit["passage"][end] for end in ("start", "end")}
            row |= {f"meta:{name}": value for name, value in hit["meta"].items()}
            rows.append(row)
    extra = dict.fromkeys(name for row in rows for name in row if name not in columns)
    return [*columns, *extra], rows


def mined_as_records(mined: Mined) -> Iterator[dict[str, Any]]:
    """Give each group as `{"equal": [id, …]}`, then each pair as `{"left", "right", "score"}`."""
    yield from ({"equal": group} for group in mined.equal)
    yield from (_pair_as_record(pair) for pair in mined.pairs())


def _pair_as_record(pair: Pair) -> dict[str, Any]:
    return {"left": pair.left, "right": pair.right, "score": pair.score}


def write_mined_json(mined: Mined, out: TextIO) -> None:
    """Write `{"equal": [[id, …], …], "pairs": […]}`, a pair a line, without holding them all.

    Before them stands `recall`, if the pairs are not all.
    """
    out.write("{")
    if mined.recall:
        recall = {**asdict(mined.recall), "recall": mined.recall.share}
        out.write(f'"recall": {json.dumps(recall)},\n ')
    out.write('"equal": ' + json.dumps(mined.equal, ensure_ascii=False) + ',\n "pairs": [')
    for number, pair in enumerate(mined.pairs()):
        out.write(",\n  " if number else "\n  ")
        out.write(json.dumps(_pair_as_record(pair), ensure_ascii=False))
    out.write("\n]}\n")


MINED_COLUMNS = ["score", "kind", "question", "left", "left_author", "right", "right_author",
                 "left_text", "right_text"]  # fmt: skip


def mined_with_answers(mined: Mined, get: Get) -> Iterator[dict[str, Any]]:
    """Give a row a pair, with both answers; of a group, each with the first of it."""
    equal = (Pair(group[0], other, 1.0) for group in mined.equal for other in group[1:])
    for kind, pairs in (("equal", equal), ("alike", mined.pairs())):
        while batch := list(islice(pairs, 1_000)):
            lefts, rights = get([p.left for p in batch]), get([p.right for p in batch])
            for pair, left, right in zip(batch, lefts, rights, strict=True):
                yield {
                    **_pair_as_record(pair), "kind": kind, "question": left.question,
                    "left_author": left.author, "right_author": right.author,
                    "left_text": left.text, "right_text": right.text,
                }  # fmt: skip


def visible(text: str) -> str:
    """Give text that can do nothing to a terminal: control and bidi characters are spelled out."""
    return "".join(c if c in "\n\t" or not _acts(c) else f"<U+{ord(c):04X}>" for c in text)


def one_line(text: str, most: int) -> str:
    """Give text as one visible line, cut to so many characters."""
    line = " ".join(visible(text).split())
    return line if len(line) <= most else line[: most - 1] + "…"


def _acts(character: str) -> bool:
    return character in _BIDI or unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp")


def open_console(out: TextIO) -> Any:  # noqa: ANN401
    """Give what prints tables; to a file in a width of its own."""
    from rich.console import Console

    # A file or a pipe gets a width that a spreadsheet of the eye can hold, and no colours.
    terminal = out.isatty()
    return Console(
        file=out, highlight=False, soft_wrap=False, width=None if terminal else 110,
        force_terminal=terminal, force_jupyter=False,
    )  # fmt: skip


def print_hits(queries: Sequence[str], found: Sequence[Sequence[Hit]], out: TextIO) -> None:
    """Print a table for each query, the passage that matches marked in its text."""
    console = open_console(out)
    for number, (query, hits) in enumerate(zip(queries, found, strict=True)):
        if number:
            console.print()
        console.print(_title(query), style="bold")
        console.print(_hit_table(hits) if hits else "  no answer matches", markup=False)


def _title(query: str) -> Any:  # noqa: ANN401
    from rich.text import Text

    return Text(one_line(query, 300))


def plain_table() -> Any:  # noqa: ANN401
    """Give a table with nothing but a line under its head."""
    from rich import box
    from rich.table import Table

    return Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1), show_edge=False)


def _hit_table(hits: Sequence[Hit]) -> Any:  # noqa: ANN401
    from rich.text import Text

    table = plain_table()
    with_question = any(hit.answer.question for hit in hits)
    with_author = any(hit.answer.author for hit in hits)
    table.add_column("#", justify="right", style="dim")
    table.add_column("score", justify="right")
    table.add_column("id", overflow="fold", max_width=20)
    if with_question:
        table.add_column("question", overflow="fold", max_width=14)
    if with_author:
        table.add_column("author", overflow="fold", max_width=12)
    table.add_column("answer", overflow="fold", ratio=1)
    for hit in hits:
        cells = [str(hit.rank), f"{hit.score:.3f}", hit.answer.id]
        cells += [hit.answer.question or ""] if with_question else []
        cells += [hit.answer.author or ""] if with_author else []
        table.add_row(*(Text(visible(cell)) for cell in cells), _marked(hit))
    return table


def _marked(hit: Hit) -> Any:  # noqa: ANN401
    """Show the passage marked, in what stands around it."""
    from rich.text import Text

    text, start, end = hit.answer.text, hit.passage.start, hit.passage.end
    left, right = max(0, start - CONTEXT), min(len(text), end + CONTEXT)
    whole = start == 0 and end >= len(text.rstrip())
    shown = Text("…" if left else "", style="dim")
    shown.append(tidy(text[left:start]), style="dim")
    passage = tidy(text[start : min(end, start + LONGEST)])
    shown.append(passage, style="" if whole else "not dim bold yellow")
    if end - start > LONGEST:
        return shown.append(f" … and {end - start - LONGEST:,} characters more", style="dim")
    shown.append(tidy(text[end:right]) + ("…" if right < len(text) else ""), style="dim")
    return shown


def print_mined(mined: Mined, get: Get, out: TextIO) -> None:
    """Print the groups of equal texts, then the pairs side by side: `SHOWN` of each at most."""
    from rich.text import Text

    console = open_console(out)
    if mined.equal:
        console.print(_groups_table(mined.equal[:SHOWN], get))
        if len(mined.equal) > SHOWN:
            console.print(f"… and {len(mined.equal) - SHOWN:,} more groups; --format csv has all")
        console.print()
    pairs = list(islice(mined.pairs(), SHOWN))
    console.print(_pairs_table(pairs, get) if pairs else Text("no pair reaches the threshold"))
    if mined.kept > SHOWN:
        console.print(f"… and {mined.kept - SHOWN:,} more pairs; --format csv has all")


def _groups_table(groups: Sequence[Sequence[str]], get: Get) -> Any:  # noqa: ANN401
    from rich.text import Text

    table = plain_table()
    table.add_column("equal", justify="right")
    table.add_column("ids", overflow="fold", max_width=36)
    table.add_column("text", overflow="fold", ratio=1)
    for group, first in zip(groups, get([group[0] for group in groups]), strict=True):
        shown = ", ".join(group[:12]) + (f", … {len(group) - 12:,} more" if group[12:] else "")
        table.add_row(str(len(group)), Text(visible(shown)), _beginning(first.text))
    return table


def _pairs_table(pairs: Sequence[Pair], get: Get) -> Any:  # noqa: ANN401
    from rich.text import Text

    table = plain_table()
    table.add_column("score", justify="right")
    table.add_column("left", overflow="fold", ratio=1)
    table.add_column("right", overflow="fold", ratio=1)
    lefts, rights = get([p.left for p in pairs]), get([p.right for p in pairs])
    for pair, left, right in zip(pairs, lefts, rights, strict=True):
        sides = []
        for answer in (left, right):
            sides.append(
                Text(visible(answer.label) + "\n", style="dim").append_text(_beginning(answer.text))
            )
        table.add_row(f"{pair.score:.3f}", *sides)
    return table


def _beginning(text: str) -> Any:  # noqa: ANN401
    from rich.text import Text

    more = f" … and {len(text) - EXCERPT:,} characters more" if len(text) > EXCERPT else ""
    return Text(tidy(text[:EXCERPT]), style="not dim").append(more, style="dim")


def tidy(text: str) -> str:
    """Give text as a cell shows it: visible, without empty lines."""
    return re.sub(r"\n\s*\n+", "\n", visible(text).expandtabs(4))


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
    print_pairs(rows, out)


def print_pairs(rows: Sequence[tuple[str, str]], out: TextIO) -> None:
    """Print names and values in two columns."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    for name, value in rows:
        table.add_row(Text(name), Text(visible(value)))
    open_console(out).print(table)


def print_status(known: Mapping[str, Any], out: TextIO) -> None:
    """Print what `status` gives: an overview, then a line a question."""
    names = ("answers", "blank", "questions", "authors", "passages", "vectors")
    rows = [("index", known["index"])] + [(name, f"{known[name]:,}") for name in names]
    model = known["model"]
    rows.append(("columns", ", ".join(known["columns"]) or "none but the usual"))
    rows.append(("model", f"{model['name']} ({model['fingerprint'][:12]})"))
    rows.append(("", f"{model['dimension']} dimensions, passages of {model['window']} tokens"))
    rows += known["storage"].items() if "storage" in known else _in_the_folder(known)
    print_pairs(rows, out)
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
