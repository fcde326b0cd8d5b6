"""The commands ingest and demo."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import lru_cache, partial
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING

import click

from searchkit.cli.options import (
    ModelOptions,
    RunnerOptions,
    command,
    index_option,
    messages_options,
    model_options,
    option,
    option_group,
    output_options,
    runner_device_option,
    runner_options,
    table_options,
)
from searchkit.cli.query_serve_mine import query
from searchkit.cli.session import (
    Output,
    ingest_progress,
    listen,
    load_named_encoder,
    print_result,
    with_options,
    write_record,
)
from searchkit.core.errors import BadInput, IndexNotFound
from searchkit.core.messages import Message, counted
from searchkit.core.records import Answer
from searchkit.index.locations import Place, open_index, open_or_create

if TYPE_CHECKING:
    from searchkit.index.incoming.records import OnDuplicate, PathOf
    from searchkit.index.incoming.targets import Target
    from searchkit.index.ingest import Ingest, Row
    from searchkit.output.rejects import Rejects
    from searchkit.sources.columns import Reject
    from searchkit.sources.files import FileOptions
    from searchkit.sources.folders.roles import FolderRole


MAX_SHOWN_IDS = 10  # of the answers that are removed
SHOWN_ROWS = 3  # by a dry run
MAX_PEEKED = 1000  # answers among which these are looked for; a row of a wide table has many


def _file_options(
    *,
    input_format: str | None,
    platform: str | None,
    wide: bool,
    folder_is: FolderRole | None,
    suffix: Sequence[str],
    **columns: str | None,
) -> FileOptions:
    from searchkit.sources.columns import Columns
    from searchkit.sources.files import FileOptions

    names = ("id", "text", "question", "author", "time")
    return FileOptions(
        Columns(*(columns[f"{name}_column"] for name in names), wide=wide),
        format=input_format,
        platform=platform,
        folder_is=folder_is,
        suffixes=tuple(f".{name.lstrip('.').lower()}" for name in suffix),
    )


@dataclass(frozen=True)
class RowOptions:
    """What becomes of rows, and of answers that have none any more.

    Attributes:
        on_duplicate: What to do with an id that occurs twice.
        language: The code of the answers' language; None to identify it.
        allow_empty: Whether an empty cell empties a stored text.
        sync: Whether answers that the files no longer have are removed.
        dry_run: Whether nothing is written.
        keep_going: Whether bad rows are written to a file; if not, the first one is an error.
        rejects: The file for bad rows.
    """

    on_duplicate: OnDuplicate
    language: str | None
    allow_empty: bool
    sync: bool
    dry_run: bool
    keep_going: bool
    rejects: Path

    def with_language(self, answers: Iterator[Row]) -> Iterator[Row]:
        """Return the rows, whose answers have the language that was named.

        Raises:
            BadInput: if there is none with that code.
        """
        from searchkit.text.languages.names import NAMES

        code = self.language and self.language.lower()
        if code is None:
            return answers
        if code not in NAMES:
            raise BadInput(
                f"--language {self.language}: no language; give one of {', '.join(NAMES)}"
            )
        return (replace(a, language=code) if isinstance(a, Answer) else a for a in answers)

    def open_rejects(self) -> Rejects | None:
        """Return what takes bad rows; None if the first one is an error."""
        from searchkit.output.rejects import Rejects

        if self.dry_run:
            return Rejects(None, with_options)
        return Rejects(self.rejects, with_options) if self.keep_going else None


@command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@index_option
@model_options
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
        help="csv, tsv, json, jsonl, xlsx, parquet, sqlite, xml, folder, zip or document.  "
        "[default: by the file's name]",
    ),
    option(
        "--folder-is",
        type=click.Choice(["author", "question", "none"]),
        help="What the folders around texts and documents are.  [default: by their names]",
    ),
    option(
        "--suffix",
        metavar=".NAME",
        multiple=True,
        help="One more ending of texts in folders, such as .hs.",
    ),
    argument="source",
    record=_file_options,
)
@table_options
@option_group(
    "Rows",
    option(
        "--on-duplicate",
        type=click.Choice(["refuse", "keep-first", "keep-last", "keep-both"]),
        default="refuse",
        show_default=True,
        help="What to do with an id that occurs twice, or is another answer's; keep-both keeps the "
        "second as ID#2.",
    ),
    option(
        "--language",
        metavar="CODE",
        help="The language of the answers, such as de.  [default: by their texts]",
    ),
    option("--allow-empty", is_flag=True, help="Let an empty cell empty a stored text or column."),
    option("--sync", is_flag=True, help="Remove the answers that the files no longer have."),
    option("--dry-run", is_flag=True, help="Show what would happen, and write nothing."),
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
@runner_device_option
@output_options("table", "json")
def ingest(
    files: Sequence[str],
    folder: Place,
    model: ModelOptions,
    source: FileOptions,
    rows: RowOptions,
    runner: RunnerOptions,
    output: Output,
) -> None:
    """Add the answers in files to the index, or update them.

    FILE can be CSV, TSV, JSON, JSON Lines, XLSX, Parquet, a SQLite database, a folder or zip of
    documents and text files, a document, or - for standard input. The columns are found by their
    usual names; all other columns are stored as well. An interrupted ingest continues when it is
    run again, and answers that haven't changed are not embedded again.
    """
    from searchkit.output.status import print_ingested
    from searchkit.sources.reader import STDIN

    if rows.sync and STDIN in files:
        raise BadInput(Message("standard input can't be synced; name files, or leave out `sync`"))
    say = listen(quiet=output.quiet)
    rejects = rows.open_rejects()
    with ingest_progress(files, quiet=output.quiet) as progress:
        on_reject = rejects.add if rejects else _refuse if rows.sync else None
        path_of = lru_cache(maxsize=1)(partial(_path_of, part=source.sheet or source.table))
        answers = rows.with_language(_read(files, source, on_reject, say))
        if rows.dry_run:
            answers = _show_first(answers, say)
        with _open_target(folder, model, runner, say, dry_run=rows.dry_run) as (target, batch):
            run = _begin(target, rows, rejects, path_of)
            counts = run.read(answers, progress, batch)
            if rows.sync:
                _sync(run, filter(None, map(path_of, files)), rejects, say, dry_run=rows.dry_run)
    if rejects:
        counts.read += rejects.unread
        counts.skipped += rejects.unread
    counts.warnings = [with_options(warning) for warning in counts.warnings]
    write_record(output, asdict(counts), print_ingested)
    if rejects:
        rejects.check()


def _read(
    files: Sequence[str],
    source: FileOptions,
    on_reject: Callable[[Reject], None] | None,
    say: Callable[[str], None],
) -> Iterator[Row]:
    """Return the rows; the first is read at once, so that a bad file creates no index."""
    from searchkit.sources.reader import read_rows

    answers = read_rows(
        files,
        source,
        on_reject=on_reject,
        on_skip=lambda what: say(f"skipped {what}"),
        on_layout=lambda file, layout, names: say(f"{file}: {layout.describe(names)}"),
        allow_marks=True,
    )
    first = list(islice(answers, 1))
    return chain(first, answers)


def _show_first(rows: Iterator[Row], say: Callable[[str], None]) -> Iterator[Row]:
    """Print the first answer of each of the first three rows or files; return all rows."""
    from searchkit.output.status import describe_row

    first = list(islice(rows, MAX_PEEKED))
    shown = {(row.source, row.line): row for row in reversed(first)}
    for place in list(dict.fromkeys((row.source, row.line) for row in first))[:SHOWN_ROWS]:
        say(f"for example {describe_row(shown[place])}")
    return chain(first, rows)


def _refuse(row: Reject) -> None:
    """Raise for what can't be read: a damaged document is left out, but must not be removed."""
    raise BadInput.at(row.source, row.line, row.reason)


@contextmanager
def _open_target(
    place: Place,
    model: ModelOptions,
    runner: RunnerOptions,
    say: Callable[[str], None],
    *,
    dry_run: bool,
) -> Iterator[tuple[Target, int]]:
    """Open or create the index; yield what takes the rows, and how many at once."""
    from searchkit.encoding.devices.finding import check_device
    from searchkit.encoding.distributed import DistributedEncoder
    from searchkit.index.incoming.targets import Rehearsal, Writer
    from searchkit.index.ingest import BATCH_SIZE
    from searchkit.runners.opening import open_runner

    if dry_run:
        try:
            with open_index(place) as index:
                yield Rehearsal(index), BATCH_SIZE
        except IndexNotFound:
            yield Rehearsal(None), BATCH_SIZE
        return
    device = runner.device if runner.runner is None else "cpu"  # of this process
    check_device(device)  # before an index is created
    encoder = load_named_encoder(model.name, model.precision, say, device)
    with (
        open_runner(runner.runner, runner.shards) as workers,
        open_or_create(place, encoder) as index,
    ):
        if device != "auto" and encoder is None:
            index.use_device(device)
        if not workers.is_local:
            distributed = DistributedEncoder(index.encoder, workers, device=runner.device)
            index.use_encoder(distributed)
        yield Writer(index), BATCH_SIZE * workers.workers


def _begin(target: Target, rows: RowOptions, rejects: Rejects | None, path_of: PathOf) -> Ingest:
    from searchkit.index.ingest import Choices, Ingest

    choices = Choices(
        rows.on_duplicate,
        allow_empty=rows.allow_empty,
        on_reject=rejects.add_answer if rejects else None,
        path_of=path_of,
    )
    return Ingest(target, choices)


def _sync(
    run: Ingest,
    paths: Iterable[str],
    rejects: Rejects | None,
    say: Callable[[str], None],
    *,
    dry_run: bool,
) -> None:
    """Remove the answers that the files no longer have, unless some rows could not be used."""
    if rejects and rejects.count:
        run.report.warnings.append("nothing is removed, as some rows could not be used")
        return
    missing = run.find_missing(paths)
    if missing:
        shown = ", ".join(missing[:MAX_SHOWN_IDS]) + (" …" if missing[MAX_SHOWN_IDS:] else "")
        would = "would remove" if dry_run else "removing"
        say(f"{would} {counted(len(missing), 'answer')} that the files no longer have: {shown}")
    run.remove(missing)


def _path_of(source: str, part: str | None) -> str | None:
    """Return the file that a source names, from whichever folder; None for standard input.

    Args:
        source: A file, as it was written.
        part: The sheet or table of the file that is read, if one is chosen.
    """
    if source == "-":
        return None
    path = str(Path(source).resolve())
    return f"{path} ({part})" if part else path


@command()
@option(
    "-i",
    "--index",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder for the demo's index.  [default: demo-index; demo-languages with --languages]",
)
@option(
    "--languages",
    is_flag=True,
    help="Add answers in German, Spanish and French, with the model `multilingual`.",
)
@messages_options
@click.pass_context
def demo(ctx: click.Context, folder: Path | None, languages: bool, quiet: bool) -> None:
    """Index the demo corpus and run three queries.

    The corpus comes with searchkit: a web-programming course, 30 invented students. With
    --languages, 24 more answer in German, Spanish and French; some of them translated a fellow
    student's answer.
    """
    from searchkit.demo import corpus
    from searchkit.encoding.models.names import MULTILINGUAL
    from searchkit.output.console import visible

    folder = folder or Path("demo-languages" if languages else "demo-index")
    shown = visible(str(folder))
    files = [str(corpus.DEMO_ANSWERS), *([str(corpus.DEMO_LANGUAGES)] if languages else [])]
    model = MULTILINGUAL if languages else None
    named = f" --model {model}" if model else ""
    print_result(f"$ searchkit ingest {' '.join(files)}{named} --index {shown}", bold=True)
    ctx.invoke(ingest, files=files, folder=folder, name=model, quiet=quiet)
    for text in corpus.QUERIES_IN_LANGUAGES if languages else corpus.QUERIES:
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
