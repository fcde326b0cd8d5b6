"""The commands ingest and demo."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, cast

import click

from searchkit.cli.options import (
    RunnerOptions,
    command,
    file_encoding_option,
    index_option,
    messages_options,
    option,
    option_group,
    output_options,
    runner_options,
    sheet_option,
)
from searchkit.cli.query_mine import query
from searchkit.cli.session import (
    Output,
    ingest_progress,
    listen,
    load_named_encoder,
    print_result,
    with_options,
    write_record,
)
from searchkit.core.errors import BadInput, StorageFailed
from searchkit.core.progress import Progress
from searchkit.index.locations import Place, open_or_create

if TYPE_CHECKING:
    from searchkit.core.records import Answer
    from searchkit.encoding.encoder import Encoder
    from searchkit.index.incoming.records import OnDuplicate
    from searchkit.sources.columns import Reject
    from searchkit.sources.files import FileOptions


class Rejects:
    """A JSON Lines file of rows that could not be used, created when the first one is added.

    Each line is `{"source", "line", "reason", "row"}`.

    Attributes:
        path: The file.
        count: Number of rows in the file.
        unread: Number of rows that could not be read as answers, which `ingest` didn't count.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.count = 0
        self.unread = 0
        self._file: TextIO | None = None

    def add(self, reject: Reject) -> None:
        """Write a row that could not be read."""
        self.unread += 1
        self._write(reject.source, reject.line, reject.reason, reject.row)

    def add_answer(self, answer: Answer, reason: str) -> None:
        """Write an answer that could not be added."""
        row = json.dumps({"id": answer.id, "text": answer.text, **answer.meta}, ensure_ascii=False)
        self._write(answer.source, answer.line, reason, row)

    def close(self) -> None:
        """Close the file, if it was created."""
        if self._file:
            self._file.close()

    def _write(self, source: str | None, line: int | None, reason: str, row: str) -> None:
        from searchkit.output.files import json_text

        record = {"source": source, "line": line, "reason": with_options(reason), "row": row}
        try:
            if self._file is None:
                self._file = self.path.open("w", encoding="utf-8", errors="backslashreplace")
            self._file.write(json_text(record) + "\n")
        except OSError as error:
            raise StorageFailed(f"{self.path}: can't be written ({error.strerror})") from error
        self.count += 1


def _file_options(
    *,
    input_format: str | None,
    platform: str | None,
    wide: bool,
    **columns: str | None,
) -> FileOptions:
    from searchkit.sources.columns import Columns
    from searchkit.sources.files import FileOptions

    names = ("id", "text", "question", "author", "time")
    return FileOptions(
        Columns(*(columns[f"{name}_column"] for name in names), wide=wide),
        format=input_format,
        platform=platform,
    )


@dataclass(frozen=True)
class RowOptions:
    """How to treat rows that can't be added.

    Attributes:
        on_duplicate: What to do with an id that occurs twice.
        keep_going: Whether bad rows are written to a file; if not, the first one is an error.
        rejects: The file for bad rows.
    """

    on_duplicate: OnDuplicate
    keep_going: bool
    rejects: Path


@command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@index_option
@option("--model", metavar="MODEL", help="A sentence-transformers folder or hub name.")
@option_group(
    "Files",
    *(
        option(f"--{name}-column", metavar="NAME", multiple=name in ("text", "author"), help=text)
        for name, text in [
            ("id", "The column with the ids."),
            ("text", "The column with the answers; repeated, each is a question."),
            ("question", "The column with the questions."),
            ("author", "The column with the authors; first and last name, repeated, make one."),
            ("time", "The column with the times."),
        ]
    ),
    option("--wide", is_flag=True, help="A row is a person, a column a question."),
    option(
        "--as",
        "platform",
        metavar="FORMAT",
        help="The platform's export that the files are, or plain for none.  [default: recognised]",
    ),
    option(
        "--input-format",
        metavar="NAME",
        help="csv, tsv, json, jsonl, xlsx, parquet, sqlite, folder or zip.  "
        "[default: by the file's name]",
    ),
    argument="source",
    record=_file_options,
)
@option_group(
    "Tables",
    file_encoding_option,
    sheet_option,
    option("--table", metavar="NAME", help="The table of a SQLite database."),
    option(
        "--quoting",
        type=click.Choice(["standard", "none"]),
        help='Whether " encloses the cells of CSV and TSV, or is a part of the texts.  '
        "[default: by the file]",
    ),
    option(
        "--skip-rows",
        type=click.IntRange(min=0),
        metavar="N",
        help="Rows above that with the columns' names.  [default: by the file]",
    ),
    argument="tables",
)
@option_group(
    "Rows that can't be added",
    option(
        "--on-duplicate",
        type=click.Choice(["refuse", "keep-first", "keep-last", "keep-both"]),
        default="refuse",
        show_default=True,
        help="What to do with an id that occurs twice, or is another answer's; keep-both keeps the "
        "second as ID#2.",
    ),
    option("--keep-going", is_flag=True, help="Write bad rows to a file and go on."),
    option(
        "--rejects",
        type=click.Path(dir_okay=False, path_type=Path),
        default=Path("rejects.jsonl"),
        show_default=True,
        help="The file for --keep-going.",
    ),
    argument="rows",
    record=RowOptions,
)
@runner_options
@output_options("table", "json")
def ingest(
    files: Sequence[str],
    folder: Place,
    model: str | None,
    source: FileOptions,
    tables: dict[str, Any],
    rows: RowOptions,
    runner: RunnerOptions,
    output: Output,
) -> None:
    """Add the answers in files to the index, or update them.

    FILE can be CSV, TSV, JSON, JSON Lines, XLSX, Parquet, a SQLite database, a folder or zip of
    text files, or - for standard input. The columns are found by their usual names; all other
    columns are stored as well. An interrupted ingest continues when it is run again, and answers
    that haven't changed are not embedded again.
    """
    from searchkit.output.status import print_counts

    say = listen(quiet=output.quiet)
    rejects = Rejects(rows.rejects) if rows.keep_going else None
    with ingest_progress(files, quiet=output.quiet) as progress:
        answers = _read(files, replace(source, **tables), rejects, say)
        encoder = load_named_encoder(model, say)
        counts = _add(answers, folder, encoder, runner, rows.on_duplicate, rejects, progress)
    if rejects:
        rejects.close()
    write_record(output, counts, print_counts)
    if rejects and rejects.count:
        raise BadInput(f"{rejects.count} rows could not be used; they are in {rejects.path}")


def _read(
    files: Sequence[str],
    source: FileOptions,
    rejects: Rejects | None,
    say: Callable[[str], None],
) -> Iterator[Answer]:
    """Return the answers; the first is read at once, so that a bad file creates no index."""
    from searchkit.sources.reader import read_rows

    answers = read_rows(
        files,
        source,
        on_reject=rejects.add if rejects else None,
        on_skip=lambda what: say(f"skipped {what}"),
        on_layout=lambda file, layout, names: say(f"{file}: {layout.describe(names)}"),
    )
    first = list(islice(answers, 1))
    return cast("Iterator[Answer]", chain(first, answers))


def _add(
    answers: Iterator[Answer],
    place: Place,
    encoder: Encoder | None,
    runner: RunnerOptions,
    on_duplicate: OnDuplicate,
    rejects: Rejects | None,
    progress: Progress | None,
) -> dict[str, Any]:
    """Add the answers to the index; return the counts."""
    from searchkit.encoding.distributed import DistributedEncoder
    from searchkit.index.incoming.targets import Writer
    from searchkit.index.ingest import BATCH_SIZE, Choices, Ingest
    from searchkit.runners.opening import open_runner

    with (
        open_runner(runner.runner, runner.shards) as workers,
        open_or_create(place, encoder) as index,
    ):
        if not workers.is_local:
            index.use_encoder(DistributedEncoder(index.encoder, workers))
        choices = Choices(
            on_duplicate, on_reject=rejects.add_answer if rejects else None, path_of=_path_of
        )
        counts = Ingest(Writer(index), choices).read(
            answers, progress, BATCH_SIZE * workers.workers
        )
    if rejects:
        counts.read += rejects.unread
        counts.skipped += rejects.unread
    counts.warnings = [with_options(warning) for warning in counts.warnings]
    return asdict(counts)


@lru_cache(maxsize=1)
def _path_of(source: str) -> str | None:
    """Return the file that a source names, from whichever folder; None for standard input."""
    return None if source == "-" else str(Path(source).resolve())


@command()
@option(
    "-i",
    "--index",
    "folder",
    default="demo-index",
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder for the demo's index.",
)
@messages_options
@click.pass_context
def demo(ctx: click.Context, folder: Path, quiet: bool) -> None:
    """Index the demo corpus and run three queries.

    The corpus comes with searchkit: a web-programming course, 30 invented students.
    """
    from searchkit.demo.corpus import DEMO_ANSWERS, QUERIES
    from searchkit.output.console import visible

    shown = visible(str(folder))
    print_result(f"$ searchkit ingest {DEMO_ANSWERS} --index {shown}", bold=True)
    ctx.invoke(ingest, files=(str(DEMO_ANSWERS),), folder=folder, quiet=quiet)
    for text in QUERIES:
        print_result(f'\n$ searchkit query "{text}" -n 3 --index {shown}', bold=True)
        ctx.invoke(query, texts=(text,), folder=folder, k=3, quiet=quiet)
    print_result("\nWhat to try next", bold=True)
    for line in _next_steps(shown):
        print_result(f"  {line}")


def _next_steps(folder: str) -> list[str]:
    here = f"--index {folder}"
    return [
        f'searchkit query "callbacks run later" --author s07 {here}',
        f'searchkit query "promise" --mode hybrid --where "score < 5" {here}',
        f"searchkit plagiarism {here}",
        f"searchkit report -o report.html {here}",
        f"searchkit compare q16-s07 q16-s19 {here}",
        f"searchkit cluster --question q16 {here}",
        f"searchkit grade --column score --audit {here}",
        f"searchkit serve {here}                    # pip install 'searchkit[web]'",
        "searchkit ingest YOUR-ANSWERS.csv        # then: searchkit query …",
        "searchkit --help",
    ]
