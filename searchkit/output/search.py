"""Results for people and for programs: table, JSON, JSONL, CSV."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import islice
from typing import TYPE_CHECKING, Any, TextIO

from searchkit.core.records import Answer, Hit
from searchkit.mining.pairs import Pair
from searchkit.output.console import excerpt, one_line, open_console, plain_table, tidy, visible

if TYPE_CHECKING:
    from searchkit.mining.pairs import MiningResult

GetAnswers = Callable[[Sequence[str]], list[Answer]]
LONGEST = 1_500  # characters of a passage that a table shows
SHOWN = 100  # pairs, and groups of equal texts, that a table shows
CONTEXT = 160  # characters shown before and after a passage that doesn't stand at an end


def hits_as_records(queries: Sequence[str], found: Sequence[Sequence[Hit]]) -> list[dict[str, Any]]:
    """Return `[{"query", "hits": [{"rank", "score", "id", …}]}]`."""
    return [
        {"query": query, "hits": [hit.to_record() for hit in hits]}
        for query, hits in zip(queries, found, strict=True)
    ]


def answer_as_record(answer: Answer) -> dict[str, Any]:
    """Return one flat row: the fields that are known, then every other column by its name.

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
    """Return the columns of an exported CSV, named as `answer_as_record` names them."""
    fields = ["id", "question", "author", "submitted_at", "text"]
    return fields + [f"meta:{name}" if name in Answer.__slots__ else name for name in meta]


def hits_as_rows(records: Sequence[Mapping[str, Any]]) -> tuple[list[str], list[dict[str, Any]]]:
    """Return the columns and rows of hits for CSV: one row a hit, `meta` spread over columns."""
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


def mining_as_records(mined: MiningResult) -> Iterator[dict[str, Any]]:
    """Yield each group as `{"equal": [id, …]}`, then each pair as `{"left", "right", "score"}`."""
    yield from ({"equal": group} for group in mined.equal)
    yield from mined.iter_records()


def write_mining_json(mined: MiningResult, out: TextIO) -> None:
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
        out.write(json.dumps(pair.to_record(), ensure_ascii=False))
    out.write("\n]}\n")


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


def mining_as_rows(mined: MiningResult, get: GetAnswers) -> Iterator[dict[str, Any]]:
    """Yield a row a pair, with both answers; of a group, each with the first of it."""
    equal = (Pair(group[0], other, 1.0) for group in mined.equal for other in group[1:])
    for kind, pairs in (("equal", equal), ("alike", mined.pairs())):
        while batch := list(islice(pairs, 1_000)):
            lefts, rights = get([p.left for p in batch]), get([p.right for p in batch])
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


def print_mining(mined: MiningResult, get: GetAnswers, out: TextIO) -> None:
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
    if mined.returned > SHOWN:
        console.print(f"… and {mined.returned - SHOWN:,} more pairs; --format csv has all")


def _groups_table(groups: Sequence[Sequence[str]], get: GetAnswers) -> Any:  # noqa: ANN401
    from rich.text import Text

    table = plain_table()
    table.add_column("equal", justify="right")
    table.add_column("ids", overflow="fold", max_width=36)
    table.add_column("text", overflow="fold", ratio=1)
    for group, first in zip(groups, get([group[0] for group in groups]), strict=True):
        shown = ", ".join(group[:12]) + (f", … {len(group) - 12:,} more" if group[12:] else "")
        table.add_row(str(len(group)), Text(visible(shown)), excerpt(first.text))
    return table


def _pairs_table(pairs: Sequence[Pair], get: GetAnswers) -> Any:  # noqa: ANN401
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
                Text(visible(answer.label) + "\n", style="dim").append_text(excerpt(answer.text))
            )
        table.add_row(f"{pair.score:.3f}", *sides)
    return table


def print_properties(rows: Sequence[tuple[str, str]], out: TextIO) -> None:
    """Print names and values in two columns."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    for name, value in rows:
        table.add_row(Text(name), Text(visible(value)))
    open_console(out).print(table)
