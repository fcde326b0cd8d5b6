"""Hits, answers and mined pairs as tables, records and rows for CSV."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import islice
from typing import TYPE_CHECKING, Any, TextIO

from searchkit.core.messages import counted
from searchkit.core.records import FILE_FIELDS, Answer, Hit, Span
from searchkit.output.console import (
    excerpt,
    excerpt_bounds,
    one_line,
    open_console,
    plain_table,
    styled,
    visible,
)
from searchkit.output.files import json_text
from searchkit.sources.tables.exported import EXPORTED_FIELDS

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from searchkit.index.query import Mode
    from searchkit.mining.pairs import MiningResult, Pair

GetAnswers = Callable[[Sequence[str]], list[Answer]]
"""Returns the answers with some ids, in the order of the ids."""

MAX_ANSWER_LENGTH = 700  # characters of an answer that a table of hits shows
MIN_TABLE_WIDTH = 60  # columns of a window that shows hits as a table
SCORE_NAMES: dict[Mode, str] = {"semantic": "similarity", "lexical": "BM25", "hybrid": "fused"}
MAX_ROWS = 100  # of a table of pairs, and of one of groups of equal texts
MAX_LISTED_IDS = 12  # of a group of equal texts
MAX_QUERY_LENGTH = 300  # characters of a query above its table
MINING_COLUMNS = [
    "score",
    "kind",
    "question",
    "left",
    "left_author",
    "right",
    "right_author",
    "left_text",
    "right_text",
]


def hits_as_records(queries: Sequence[str], hits: Sequence[Sequence[Hit]]) -> list[dict[str, Any]]:
    """Return `{"query", "hits": [{"rank", "score", "id", …}, …]}` for each query."""
    return [
        {"query": query, "hits": [hit.to_record() for hit in query_hits]}
        for query, query_hits in zip(queries, hits, strict=True)
    ]


def answer_as_record(answer: Answer) -> dict[str, Any]:
    """Return a flat row: the fields that are not None, then every other column by its name.

    A column with the name of a field gets the prefix `meta:`, so that neither is lost.
    """
    row: dict[str, Any] = {"id": answer.id}
    for name in ("question", "author", "submitted_at", "text"):
        value = getattr(answer, name)
        if value is not None:
            row[name] = value
    for name, value in answer.columns.items():
        row[f"meta:{name}" if name in FILE_FIELDS else name] = value
    return row


def export_columns(meta: Sequence[str]) -> list[str]:
    """Return the columns of an exported CSV, with the names that `answer_as_record` gives them."""
    others = [f"meta:{name}" if name in FILE_FIELDS else name for name in meta]
    return [*EXPORTED_FIELDS, *others]


def hits_as_rows(records: Sequence[Mapping[str, Any]]) -> tuple[list[str], list[dict[str, Any]]]:
    """Return columns and rows for CSV.

    Args:
        records: What `hits_as_records` returns.

    Returns:
        The columns, and a row for each hit, with a column `meta:NAME` for each key of its `meta`.
    """
    columns = ["query", "rank", "score", "id", "question", "author", "submitted_at", "text"]
    columns += ["passage_start", "passage_end"]
    rows = []
    for record in records:
        for hit in record["hits"]:
            row = {name: hit[name] for name in columns[1:8]}
            row |= {"query": record["query"]}
            row |= {f"passage_{edge}": hit["passage"][edge] for edge in ("start", "end")}
            row |= {f"meta:{name}": value for name, value in hit["meta"].items()}
            rows.append(row)
    extra = dict.fromkeys(name for row in rows for name in row if name not in columns)
    return [*columns, *extra], rows


def mining_as_records(mined: MiningResult) -> Iterator[dict[str, Any]]:
    """Yield each group as `{"equal": [id, …]}`, then each pair as `{"left", "right", "score"}`."""
    yield from ({"equal": group} for group in mined.equal)
    yield from mined.iter_records()


def write_mining_json(mined: MiningResult, out: TextIO) -> None:
    """Write `{"equal": [[id, …], …], "pairs": […]}`, with a pair on each line.

    The pairs are written as they are read, without holding them all in memory. The object begins
    with `recall` if some pairs may be missing.
    """
    out.write("{")
    if mined.recall:
        recall = {**asdict(mined.recall), "recall": mined.recall.share}
        out.write(f'"recall": {json_text(recall)},\n ')
    out.write('"equal": ' + json_text(mined.equal) + ',\n "pairs": [')
    for number, pair in enumerate(mined.pairs()):
        out.write(",\n  " if number else "\n  ")
        out.write(json_text(pair.to_record()))
    out.write("\n]}\n")


def mining_as_rows(mined: MiningResult, get: GetAnswers) -> Iterator[dict[str, Any]]:
    """Yield a row for each pair, with both answers.

    A group of equal texts becomes the pairs of its first answer with each other one.
    """
    from searchkit.mining.pairs import Pair

    equal = (Pair(group[0], other, 1.0) for group in mined.equal for other in group[1:])
    for kind, pairs in (("equal", equal), ("alike", mined.pairs())):
        while batch := list(islice(pairs, 1_000)):
            lefts, rights = get([pair.left for pair in batch]), get([pair.right for pair in batch])
            for pair, left, right in zip(batch, lefts, rights, strict=True):
                yield {
                    **pair.to_record(),
                    "kind": kind,
                    "question": left.question,
                    "left_author": left.author,
                    "right_author": right.author,
                    "left_text": left.text,
                    "right_text": right.text,
                }


def print_hits(
    queries: Sequence[str],
    hits: Sequence[Sequence[Hit]],
    out: TextIO,
    mode: Mode = "semantic",
    *,
    whole: bool = False,
) -> None:
    """Print the hits of each query, with the best sentence or the words found in bold.

    They are a table, or in a narrow window one below the other.

    Args:
        queries: What was looked for.
        hits: What was found, for each of the queries.
        out: Where to print.
        mode: What the scores are.
        whole: Whether to print long answers in full.
    """
    from rich.text import Text

    console = open_console(out)
    print_rows = _print_list if console.width < MIN_TABLE_WIDTH else _print_table
    for number, (query, query_hits) in enumerate(zip(queries, hits, strict=True)):
        if number:
            console.print()
        console.print(Text(one_line(query, MAX_QUERY_LENGTH)), style="bold")
        if not query_hits:
            console.print("  no answer matches")
        close = count_close(query_hits)
        if close:
            print_rows(console, query_hits[:close], mode, whole)
        if close < len(query_hits):
            console.print(Text(not_close_line(close)), style="yellow")
            print_rows(console, query_hits[close:], mode, whole)


def count_close(hits: Sequence[Hit]) -> int:
    """Return the number of hits down to the last one that is close to the query."""
    return max((n for n, hit in enumerate(hits, 1) if hit.is_close), default=0)


def not_close_line(close: int) -> str:
    """Return the line above the hits that aren't close, after so many that are."""
    which = "Less close:" if close else "Nothing close:"
    return f"{which} a search for something unrelated would come as near to some answers here."


def _print_table(console: Console, hits: Sequence[Hit], mode: Mode, whole: bool) -> None:
    from rich.text import Text

    table = plain_table()
    has_question = any(hit.answer.question for hit in hits)
    has_author = any(hit.answer.author for hit in hits)
    table.add_column("#", justify="right", style="dim")
    table.add_column(SCORE_NAMES[mode], justify="right")
    table.add_column("id", overflow="fold", max_width=20)
    if has_question:
        table.add_column("question", overflow="fold", max_width=14)
    if has_author:
        table.add_column("author", overflow="fold", max_width=12)
    table.add_column("answer", overflow="fold", ratio=1)
    for hit in hits:
        cells = [str(hit.rank), f"{hit.score:.3f}", hit.answer.id]
        cells += [hit.answer.question or ""] if has_question else []
        cells += [hit.answer.author or ""] if has_author else []
        table.add_row(*(Text(visible(cell)) for cell in cells), _marked_answer(hit, whole))
    console.print(table, markup=False)


def _print_list(console: Console, hits: Sequence[Hit], mode: Mode, whole: bool) -> None:
    from rich.text import Text

    for hit in hits:
        about = [f"{SCORE_NAMES[mode]} {hit.score:.3f}", hit.answer.label, hit.answer.question]
        line = " · ".join(visible(part) for part in about if part)
        console.print(Text(f"{hit.rank}  {line}"), style="dim")
        console.print(_marked_answer(hit, whole))


def _marked_answer(hit: Hit, whole: bool) -> Text:
    """Return the answer's text around what matches best, which is in bold."""
    from rich.text import Text

    text, spans = hit.answer.text, hit_spans(hit)
    start, end = (0, len(text)) if whole else excerpt_bounds(text, spans, MAX_ANSWER_LENGTH)
    marked = Text("… " if start else "")
    marked.append_text(styled(text, (start, end), spans))
    if rest := start + len(text) - end:
        marked.append(f" … and {counted(rest, 'character')} more", style="dim")
    return marked


def hit_spans(hit: Hit) -> list[Span]:
    """Return what to mark in a hit, in order: its best sentence and the words found.

    A best sentence that is the whole text isn't marked. Where nothing is known it is the passage.
    """
    parts = list(hit.best or (() if hit.words else ((hit.passage.start, hit.passage.end),)))
    text = hit.answer.text
    parts = [(a, b) for a, b in parts if text[:a].strip() or text[b:].strip()]
    words = [(a, b) for a, b in hit.words if not any(x <= a and b <= y for x, y in parts)]
    return sorted([*parts, *words])


def print_mining(mined: MiningResult, get: GetAnswers, out: TextIO) -> None:
    """Print the groups of equal texts, then the pairs side by side; at most `MAX_ROWS` of each."""
    from rich.text import Text

    console = open_console(out)
    if mined.equal:
        console.print(_groups_table(mined.equal[:MAX_ROWS], get))
        if len(mined.equal) > MAX_ROWS:
            console.print(
                f"… and {len(mined.equal) - MAX_ROWS:,} more groups; --format csv has all"
            )
        console.print()
    pairs = list(islice(mined.pairs(), MAX_ROWS))
    if mined.total and not mined.returned:
        console.print(f"{counted(mined.total, 'pair')} found, and none listed")
    else:
        console.print(_pairs_table(pairs, get) if pairs else Text("no pair reaches the threshold"))
    if mined.returned > MAX_ROWS:
        console.print(f"… and {mined.returned - MAX_ROWS:,} more pairs; --format csv has all")


def _groups_table(groups: Sequence[Sequence[str]], get: GetAnswers) -> Table:
    from rich.text import Text

    table = plain_table()
    table.add_column("equal", justify="right")
    table.add_column("ids", overflow="fold", max_width=36)
    table.add_column("text", overflow="fold", ratio=1)
    answers = get([group[0] for group in groups])
    for group, answer in zip(groups, answers, strict=True):
        rest = len(group) - MAX_LISTED_IDS
        ids = ", ".join(group[:MAX_LISTED_IDS]) + (f", … {rest:,} more" if rest > 0 else "")
        table.add_row(str(len(group)), Text(visible(ids)), excerpt(answer.text))
    return table


def _pairs_table(pairs: Sequence[Pair], get: GetAnswers) -> Table:
    from rich.text import Text

    table = plain_table()
    table.add_column("similarity", justify="right")
    table.add_column("left", overflow="fold", ratio=1)
    table.add_column("right", overflow="fold", ratio=1)
    lefts, rights = get([pair.left for pair in pairs]), get([pair.right for pair in pairs])
    for pair, left, right in zip(pairs, lefts, rights, strict=True):
        cells = [
            Text(visible(answer.label) + "\n", style="dim").append_text(excerpt(answer.text))
            for answer in (left, right)
        ]
        table.add_row(f"{pair.score:.3f}", *cells)
    return table


def print_properties(rows: Sequence[tuple[str, str]], out: TextIO) -> None:
    """Print a name and a value in each row."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    for name, value in rows:
        table.add_row(Text(name), Text(visible(value)))
    open_console(out).print(table)
