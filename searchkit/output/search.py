"""Hits, answers and mined pairs as tables, records and rows for CSV."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import islice
from typing import TYPE_CHECKING, Any, TextIO

from searchkit.core.messages import counted
from searchkit.core.records import FILE_FIELDS, Answer, Hit
from searchkit.output.console import excerpt, one_line, open_console, plain_table, tidy, visible
from searchkit.output.files import json_text

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

    from searchkit.mining.pairs import MiningResult, Pair

GetAnswers = Callable[[Sequence[str]], list[Answer]]
"""Returns the answers with some ids, in the order of the ids."""

MAX_PASSAGE_LENGTH = 1_500  # characters of a passage that a table shows
MAX_ROWS = 100  # of a table of pairs, and of one of groups of equal texts
MAX_LISTED_IDS = 12  # of a group of equal texts
MAX_QUERY_LENGTH = 300  # characters of a query above its table
CONTEXT_LENGTH = 160  # characters shown before and after a passage
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
    fields = ["id", "question", "author", "submitted_at", "text"]
    return fields + [f"meta:{name}" if name in FILE_FIELDS else name for name in meta]


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


def print_hits(queries: Sequence[str], hits: Sequence[Sequence[Hit]], out: TextIO) -> None:
    """Print a table of the hits of each query, with the matching passage marked in its text."""
    from rich.text import Text

    console = open_console(out)
    for number, (query, query_hits) in enumerate(zip(queries, hits, strict=True)):
        if number:
            console.print()
        console.print(Text(one_line(query, MAX_QUERY_LENGTH)), style="bold")
        table = _hits_table(query_hits) if query_hits else "  no answer matches"
        console.print(table, markup=False)


def _hits_table(hits: Sequence[Hit]) -> Table:
    from rich.text import Text

    table = plain_table()
    has_question = any(hit.answer.question for hit in hits)
    has_author = any(hit.answer.author for hit in hits)
    table.add_column("#", justify="right", style="dim")
    table.add_column("score", justify="right")
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
        table.add_row(*(Text(visible(cell)) for cell in cells), _mark_passage(hit))
    return table


def _mark_passage(hit: Hit) -> Text:
    """Return the hit's passage, marked, with the text around it."""
    from rich.text import Text

    text, start, end = hit.answer.text, hit.passage.start, hit.passage.end
    left, right = max(0, start - CONTEXT_LENGTH), min(len(text), end + CONTEXT_LENGTH)
    is_whole_text = start == 0 and end >= len(text.rstrip())
    marked = Text("…" if left else "", style="dim")
    marked.append(tidy(text[left:start]), style="dim")
    passage = tidy(text[start : min(end, start + MAX_PASSAGE_LENGTH)])
    marked.append(passage, style="" if is_whole_text else "not dim bold yellow")
    if (rest := end - start - MAX_PASSAGE_LENGTH) > 0:
        return marked.append(f" … and {rest:,} characters more", style="dim")
    return marked.append(tidy(text[end:right]) + ("…" if right < len(text) else ""), style="dim")


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
    table.add_column("score", justify="right")
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
