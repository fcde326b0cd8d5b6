"""The command line: parse, call, write. No logic, and nothing heavy imported early."""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, TypeVar, cast

import click

from searchkit._version import __version__
from searchkit.errors import BadInput, IndexBusy, MissingExtra, SearchkitError, StorageFailed
from searchkit.locations import Place, open_index, open_or_create, place_of
from searchkit.rejects import Rejects

if TYPE_CHECKING:
    from searchkit.anyindex import AnyIndex
    from searchkit.encoder import Encoder
    from searchkit.index import Index
    from searchkit.sidebyside import Evaluated
    from searchkit.types import Answer, Mark, SentencePair
    from searchkit.where import Where

log = logging.getLogger("searchkit")

Command = TypeVar("Command", bound=Callable[..., Any])

REPORT_US = "set SEARCHKIT_DEBUG=1 to see where, and report it"
WITHOUT_GPU = (
    "end what else uses it, make --batch-size smaller, or set CUDA_VISIBLE_DEVICES= (empty)"
)


class _Boundary(click.Group):
    """The one place that turns an error into a line and an exit code."""

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401
        """Run a command; 1 for what the user can mend, 75 for busy, never a traceback."""
        try:
            return super().invoke(ctx)
        except SearchkitError as error:
            _say(f"searchkit: {error}")
            ctx.exit(error.exit_code)
        except UnicodeEncodeError as error:
            _say(f"searchkit: {error.object!r} is not UTF-8; write it in UTF-8")
            ctx.exit(1)
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise
        except Exception as error:
            if os.environ.get("SEARCHKIT_DEBUG"):
                raise
            if type(error).__name__ == "OutOfMemoryError":  # torch's: importing it takes seconds
                _say(f"searchkit: the GPU's memory is full; {WITHOUT_GPU}")
                ctx.exit(1)
            _say(f"searchkit: a mistake of ours ({type(error).__name__}: {error}); {REPORT_US}")
            ctx.exit(1)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Give the commands in the order in which a newcomer needs them."""
        return list(self.commands)


def _say(line: str) -> None:
    from searchkit.report import visible

    click.echo(visible(" ".join(line.split("\n"))), err=True)


@click.group(cls=_Boundary, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="searchkit")
def main() -> None:
    """Search a corpus of answers by meaning: offline, exact, with evidence."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


# -- options that several commands have ------------------------------------------------------------


def _options(*options: Callable[[Any], Any]) -> Callable[[Command], Command]:
    def add(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return add


class _Place(click.ParamType[Place]):
    """A folder, or an address of Milvus."""

    name = "place"

    def convert(self, value: Any, param: Any, ctx: Any) -> Place:  # noqa: ANN401
        place = place_of(str(value))
        if isinstance(place, str):
            return place
        folder = click.Path(file_okay=False, path_type=Path)
        return folder.convert(place, param, ctx)


class _Folder(_Place):
    """A folder; what is in Milvus is refused in words."""

    name = "directory"

    def convert(self, value: Any, param: Any, ctx: Any) -> Place:  # noqa: ANN401
        place = super().convert(value, param, ctx)
        if isinstance(place, str):
            raise BadInput(
                f"{place}: {ctx.info_name} takes a folder; make one: searchkit copy {place} FOLDER"
            )
        return place


index_option = click.option(
    "-i", "--index", "folder", envvar="SEARCHKIT_INDEX", default="index", show_default=True,
    show_envvar=True, type=_Place(), metavar="INDEX",
    help="The index: a folder, or milvus+http://HOST:19530/CORPUS, or a Milvus Lite FILE.db.",
)  # fmt: skip
folder_option = click.option(
    "-i", "--index", "folder", envvar="SEARCHKIT_INDEX", default="index", show_default=True,
    show_envvar=True, type=_Folder(), metavar="DIRECTORY", help="The index's folder.",
)  # fmt: skip
by_option = click.option(
    "--by", type=click.Choice(["question", "all"]),
    help="Within each question (the default where there are questions), or over all.",
)  # fmt: skip
quiet_option = click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors.")
output_option = click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path),
    help="Write to this file, not to the terminal.",
)  # fmt: skip

runner_options = _options(
    click.option(
        "--runner", metavar="ray[://HOST:PORT]",
        help="Work on all cores of this machine, or on those of a cluster (searchkit[ray]).",
    ),
    click.option(
        "--shards", type=click.Path(file_okay=False, path_type=Path), metavar="DIRECTORY",
        help="A folder that all machines of --runner reach, for what they work on.",
    ),
)  # fmt: skip


def format_option(*formats: str, default: str = "table") -> Callable[[Any], Any]:
    """Build --format with the formats that a command has."""
    return click.option(
        "-f", "--format", "form", type=click.Choice(formats), default=default, show_default=True,
        help="How to write the result.",
    )  # fmt: skip


column_options = _options(
    *(
        click.option(f"--{name}-column", metavar="NAME", help=f"Which column holds the {what}.")
        for name, what in [
            ("id", "ids"), ("text", "answers"), ("question", "questions"),
            ("author", "authors"), ("time", "times"),
        ]
    ),
)  # fmt: skip
filter_options = _options(
    click.option("--question", help="Only answers to this question ('' for none)."),
    click.option("--author", help="Only answers by this author ('' for none)."),
    click.option(
        "--where", "sql", metavar="SQL",
        help="Only answers for which this expression holds, over id, text, question, author, "
        "submitted_at and every other column by its name: \"score >= 5 AND author <> 's07'\".",
    ),
)  # fmt: skip


def _where(question: str | None, author: str | None, sql: str | None) -> Where:
    from searchkit.where import Where

    return Where(question, author, sql)


class _Talk(logging.Handler):
    """What the library has to say goes to stderr, a line each."""

    def emit(self, record: logging.LogRecord) -> None:
        _say(f"searchkit: {record.getMessage()}")


def _listen(*, quiet: bool) -> Callable[[str], None]:
    """Let the library's messages through; give the function that takes a command's own."""
    log.handlers[:] = [_Talk()]
    log.propagate = False
    log.setLevel(logging.ERROR if quiet else logging.INFO)
    return log.info


@contextmanager
def _reading(place: Place, *, quiet: bool) -> Iterator[AnyIndex]:
    _listen(quiet=quiet)
    with open_index(place) as index:
        yield index


@contextmanager
def _writing(place: Place, *, quiet: bool) -> Iterator[AnyIndex]:
    _listen(quiet=quiet)
    with open_index(place, write=True) as index:
        yield index


@contextmanager
def _in_folder(folder: Path, *, quiet: bool, write: bool = False) -> Iterator[Index]:
    """Open what only a folder can be used for."""
    from searchkit.index import Index

    _listen(quiet=quiet)
    with Index.open(folder, write=write) as index:
        yield index


@contextmanager
def _out(path: Path | None) -> Iterator[TextIO]:
    """Give where results go: stdout, or a file that appears only when it is complete."""
    try:
        if path is None:
            yield sys.stdout
            sys.stdout.flush()  # while an error can still be told
            return
        whole = path.is_file() or not path.exists()  # never replace a device or a pipe
        with click.open_file(str(path), "w", encoding="utf-8", atomic=whole) as file:
            yield cast(TextIO, file)
    except BrokenPipeError:
        raise
    except OSError as error:
        name = path or "standard output"
        raise StorageFailed(f"{name}: can't be written ({error.strerror})") from error


def _write_out(
    form: str, output: Path | None, *, table: Callable[[TextIO], None],
    records: Callable[[], Iterable[dict[str, Any]]], rows: Callable[[], Iterable[dict[str, Any]]],
    columns: Sequence[str], whole: Callable[[], Any] | None = None,
) -> None:  # fmt: skip
    """Write a result in the form that was asked for; JSON is a list of the records, or `whole`."""
    from searchkit import report

    with _out(output) as out:
        if form == "json":
            report.write_json(whole() if whole else list(records()), out)
        elif form == "jsonl":
            report.write_jsonl(records(), out)
        elif form == "csv":
            report.write_csv(rows(), columns, out)
        else:
            table(out)


# -- commands --------------------------------------------------------------------------------------


@main.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@index_option
@column_options
@click.option("--encoding", metavar="NAME", help="The files' encoding; by mark or UTF-8.")
@click.option("--sheet", metavar="NAME", help="Which sheet of a workbook.")
@click.option("--table", metavar="NAME", help="Which table of a SQLite database.")
@click.option(
    "--input-format", metavar="NAME",
    help="csv, tsv, json, jsonl, xlsx, parquet, sqlite, folder or zip; by the name if not said.",
)  # fmt: skip
@click.option("--model", metavar="MODEL", help="A sentence-transformers folder or hub name.")
@click.option(
    "--on-duplicate", type=click.Choice(["refuse", "keep-first", "keep-last"]), default="refuse",
    show_default=True, help="What to do when an id comes twice.",
)  # fmt: skip
@click.option("--keep-going", is_flag=True, help="Put bad rows into a file and go on.")
@click.option(
    "--rejects", type=click.Path(dir_okay=False, path_type=Path), default=Path("rejects.jsonl"),
    show_default=True, help="Where --keep-going puts bad rows.",
)  # fmt: skip
@runner_options
@format_option("table", "json")
@output_option
@quiet_option
def ingest(folder: Place, form: str, output: Path | None, quiet: bool, **options: Any) -> None:  # noqa: ANN401
    """Add answers of files, or update them.

    FILE may be - for standard input. CSV, TSV, JSON, JSON Lines, XLSX, Parquet, a SQLite table,
    folders and zips of text files. The columns are found by their usual names; every other column
    is kept. A killed ingest goes on when it is run again, and the same file again embeds nothing.
    """
    from searchkit import report

    say = _listen(quiet=quiet)
    rejects = Rejects(options["rejects"]) if options["keep_going"] else None
    with _progress(options["files"], quiet=quiet) as progress:
        done = _ingested(folder, options, rejects, progress, say)
    if rejects:
        rejects.close()
    with _out(output) as out:
        if form == "json":
            report.write_json(done, out)
        else:
            report.print_counts(done, out)
    if rejects and rejects.count:
        raise BadInput(f"{rejects.count} rows could not be used; they are in {rejects.path}")


def _ingested(
    place: Place, options: dict[str, Any], rejects: Rejects | None,
    progress: Callable[[int], None], say: Callable[[str], None],
) -> dict[str, Any]:  # fmt: skip
    from dataclasses import asdict

    from searchkit.farencoder import FarEncoder
    from searchkit.ingest import BATCH
    from searchkit.ingest import ingest as run
    from searchkit.runners import open_runner
    from searchkit.sources import Columns, read_answers

    columns = Columns(*(options[f"{name}_column"] for name in
                        ("id", "text", "question", "author", "time")))  # fmt: skip
    answers = read_answers(
        options["files"], columns=columns, format=options["input_format"],
        encoding=options["encoding"], sheet=options["sheet"], table=options["table"],
        on_reject=rejects.add if rejects else None, on_skip=lambda what: say(f"skipped {what}"),
    )  # fmt: skip
    answers = _begun(answers)
    encoder = _encoder(options["model"], say)
    with (
        open_runner(options["runner"], options["shards"]) as workers,
        open_or_create(place, encoder) as index,
    ):
        if workers:
            index.embed_with(FarEncoder(index.encoder, workers))
        done = run(
            index, answers, on_duplicate=options["on_duplicate"],
            on_reject=rejects.add_answer if rejects else None, progress=progress,
            batch=BATCH * (workers.workers if workers else 1),
        )  # fmt: skip
    if rejects:
        done.read += rejects.unread
        done.skipped += rejects.unread
    return asdict(done)


def _begun(answers: Iterator[Answer]) -> Iterator[Answer]:
    """Read the first answer, so that a file that can't be used makes no index."""
    first = list(islice(answers, 1))
    return chain(first, answers)


def _encoder(name: str | None, say: Callable[[str], None]) -> Encoder | None:
    """Load the model that the user named; None leaves it to the index."""
    from searchkit.encoder import load_encoder

    return load_encoder(name, notify=say) if name else None


@contextmanager
def _progress(files: Sequence[str], *, quiet: bool) -> Iterator[Callable[[int], None]]:
    """Show a bar with a rate on stderr, if it is a terminal."""
    if quiet or not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich import progress as rich
    from rich.console import Console

    from searchkit.sources import count_rows

    counts = [count_rows(file) for file in files]
    total = None if None in counts else sum(count or 0 for count in counts)
    columns = (
        rich.TextColumn("{task.description}"),
        rich.BarColumn(),
        rich.MofNCompleteColumn(),
        rich.TextColumn("{task.fields[rate]}"),
        rich.TimeRemainingColumn(),
    )
    with rich.Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("answers", total=total, rate="")

        def advance(count: int) -> None:
            bar.advance(task, count)
            speed = bar.tasks[0].speed
            bar.update(task, rate=f"{speed:,.0f}/s" if speed else "")

        yield advance


@contextmanager
def _bar(what: str, *, quiet: bool) -> Iterator[Callable[[int, int], None] | None]:
    """Show a bar on stderr, if it is a terminal; told how many are done, and of how many."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich import progress as rich
    from rich.console import Console

    columns = (rich.TextColumn(what), rich.BarColumn(), rich.MofNCompleteColumn(),
               rich.TimeRemainingColumn())  # fmt: skip
    with rich.Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what)
        yield lambda done, total: bar.update(task, completed=done, total=total)


@main.command()
@click.argument("texts", nargs=-1, metavar="TEXT...")
@index_option
@click.option("-n", "--number", "k", type=int, default=5, show_default=True, help="How many hits.")
@click.option(
    "-m", "--mode", type=click.Choice(["semantic", "lexical", "hybrid"]), default="semantic",
    show_default=True, help="By meaning, by words, or by both.",
)  # fmt: skip
@filter_options
@format_option("table", "json", "jsonl", "csv")
@output_option
@quiet_option
def query(
    texts: Sequence[str], folder: Place, k: int, mode: Any, question: str | None,  # noqa: ANN401
    author: str | None, sql: str | None, form: str, output: Path | None, quiet: bool,
) -> None:  # fmt: skip
    """Find the nearest answers to each TEXT.

    With - or no TEXT, every line of standard input is a query.
    """
    from searchkit import report
    from searchkit.query import query as run

    texts = _queries(texts)
    with _reading(folder, quiet=quiet) as index:
        where = _where(question, author, sql)
        found = run(index, texts, k, mode, where)
        if not any(found) and next(index.answers(where), None) is None:
            log.info("no answer passes the filter")
    with _out(output) as out:
        if form == "table":
            report.print_hits(texts, found, out)
            return
        records = report.hits_as_records(texts, found)
        if form == "json":
            report.write_json(records, out)
        elif form == "jsonl":
            report.write_jsonl(records, out)
        else:
            columns, rows = report.flat_hits(records)
            report.write_csv(rows, columns, out)


def _queries(texts: Sequence[str]) -> list[str]:
    if texts and texts != ("-",):
        return list(texts)
    from searchkit.textlines import buffered, lines

    if not texts and sys.stdin.isatty():
        raise click.UsageError("give a TEXT, or pipe queries in, one a line")
    found = [line.strip() for line in lines(buffered(sys.stdin.buffer), "-", None)]
    if not any(found):
        raise BadInput("no query: give a TEXT, or lines on standard input")
    return [line for line in found if line]


@main.command()
@index_option
@click.option(
    "-t", "--threshold", type=float, default=0.8, show_default=True,
    help="The least cosine of a pair, inclusive.",
)  # fmt: skip
@by_option
@click.option("--max-pairs", type=int, help="Give the best so many, and say how many more.")
@click.option(
    "--partitions", type=int, metavar="K",
    help="Not exact: seek pairs within K cells only, for millions of answers; the recall is told.",
)  # fmt: skip
@runner_options
@filter_options
@format_option("table", "json", "jsonl", "csv")
@output_option
@quiet_option
def mine(
    folder: Place, threshold: float, by: Any, max_pairs: int | None, question: str | None,  # noqa: ANN401
    author: str | None, sql: str | None, form: str, output: Path | None, quiet: bool,
    runner: str | None, shards: Path | None, partitions: int | None,
) -> None:  # fmt: skip
    """Find all pairs of answers that say the same.

    Every pair whose best passages score at least the threshold, exactly; answers with equal texts
    are one, and are listed as a group.
    """
    from searchkit import report
    from searchkit.pairs import mine as run
    from searchkit.runners import open_runner

    with _reading(folder, quiet=quiet) as index:
        where = _where(question, author, sql)
        with open_runner(runner, shards) as workers, _bar("vectors", quiet=quiet) as advance:
            mined = run(
                index, threshold, by=by, where=where, max_pairs=max_pairs, runner=workers,
                partitions=partitions, progress=advance,
            )  # fmt: skip
        if mined.recall:
            log.warning("%s", mined.recall)
        with _out(output) as out:
            if form == "json":
                report.write_mined_json(mined, out)
            elif form == "jsonl":
                report.write_jsonl(report.mined_as_records(mined), out)
            elif form == "csv":
                rows = report.mined_with_answers(mined, index.get)
                report.write_csv(rows, report.MINED_COLUMNS, out)
            else:
                report.print_mined(mined, index.get, out)
        if mined.kept < mined.total:
            left_out = mined.total - mined.kept
            log.info(
                "%s pairs more reach the threshold; --max-pairs left them out", f"{left_out:,}"
            )


template_option = click.option(
    "--template", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
    help="Text that was handed out, and may stand in every answer.",
)  # fmt: skip
against_option = click.option(
    "--against", type=_Place(), metavar="INDEX",
    help="An index of earlier answers, to compare with; their ids are shown as NAME:ID.",
)  # fmt: skip


max_expected_option = click.option(
    "--max-expected", type=float, default=0.05, show_default=True,
    help="Give the pairs of which one expects at most so many by chance, in their question.",
)  # fmt: skip
max_common_option = click.option(
    "--max-common", type=int, metavar="N",
    help="What more than N answers to a question share is no evidence.  [default: half of them]",
)  # fmt: skip


@main.command()
@index_option
@by_option
@template_option
@against_option
@max_expected_option
@max_common_option
@runner_options
@filter_options
@format_option("table", "json", "jsonl", "csv")
@output_option
@quiet_option
def plagiarism(
    folder: Place, by: Any, template: Path | None, against: Place | None,  # noqa: ANN401
    max_expected: float, max_common: int | None, question: str | None, author: str | None,
    sql: str | None, form: str, output: Path | None, quiet: bool, runner: str | None,
    shards: Path | None,
) -> None:  # fmt: skip
    """Find the pairs of answers that chance doesn't explain.

    By different authors, most surprising first, each with what a person can read in it. What the
    question, a reference answer or a template says counts for nothing. With --question, --author or
    --where a finding has at least one such answer. A finding is a reason to look, not a proof.
    """
    from searchkit import findings
    from searchkit.plagiarism import find_plagiarism
    from searchkit.runners import open_runner

    with _reading(folder, quiet=quiet) as index, _earlier(against) as before:
        with open_runner(runner, shards) as workers, _bar("questions", quiet=quiet) as advance:
            found = find_plagiarism(
                index, by=by, where=_where(question, author, sql), template=_template(template),
                against=before, max_expected=max_expected, max_common=max_common,
                runner=workers, progress=advance,
            )  # fmt: skip
        for line in findings.what_was_compared(found):
            log.info(line)
        _write_out(
            form, output,
            table=lambda out: findings.print_plagiarism(found, out),
            whole=lambda: findings.plagiarism_as_record(found),
            records=lambda: findings.plagiarism_as_lines(found),
            rows=lambda: findings.plagiarism_as_rows(found),
            columns=findings.COLUMNS,
        )  # fmt: skip


@contextmanager
def _earlier(place: Place | None) -> Iterator[AnyIndex | None]:
    if place is None:
        yield None
        return
    with open_index(place) as index:
        yield index


def _template(path: Path | None) -> str:
    if path is None:
        return ""
    from searchkit.sources import read_text

    return read_text(path)


@main.command()
@click.argument("left", metavar="ID")
@click.argument("right", metavar="ID")
@index_option
@template_option
@against_option
@format_option("table", "json")
@output_option
@quiet_option
def compare(
    left: str, right: str, folder: Place, template: Path | None, against: Place | None, form: str,
    output: Path | None, quiet: bool,
) -> None:  # fmt: skip
    """Put two answers side by side, and mark what they share.

    Verbatim passages and reworded ones are marked differently, and the numbers said in words.
    """
    from searchkit import findings, report
    from searchkit.plagiarism import compare as run

    with _reading(folder, quiet=quiet) as index, _earlier(against) as before:
        compared = run(index, left, right, template=_template(template), against=before)
    with _out(output) as out:
        if form == "json":
            report.write_json(findings.comparison_as_record(compared), out)
        else:
            findings.print_comparison(compared, out)


@main.command("report")
@click.option(
    "-o", "--output", required=True, type=click.Path(path_type=Path), metavar="FILE.html",
    help="The page to write; the same as FILE.json beside it.",
)  # fmt: skip
@click.option(
    "--anonymous", is_flag=True, help="Leave names and ids out: author 1, answer 1, and so on."
)
@index_option
@by_option
@template_option
@against_option
@max_expected_option
@max_common_option
@filter_options
@quiet_option
def report_(
    output: Path, anonymous: bool, folder: Place, by: Any, template: Path | None,  # noqa: ANN401
    against: Place | None, max_expected: float, max_common: int | None, question: str | None,
    author: str | None, sql: str | None, quiet: bool,
) -> None:  # fmt: skip
    """Write what was found into one page that opens anywhere.

    Findings by question with both answers side by side, the scores of each question, rings of
    authors and clusters. The page loads nothing and prints well. The options are those of
    plagiarism; questions without an answer that passes the filter are left out.
    """
    from searchkit import htmlreport

    beside = htmlreport.check_output(output)
    with _reading(folder, quiet=quiet) as index, _earlier(against) as before:
        with _bar("questions", quiet=quiet) as advance:
            made = htmlreport.make_report(
                index, by=by, where=_where(question, author, sql), template=_template(template),
                against=before, max_expected=max_expected, max_common=max_common,
                anonymous=anonymous, progress=advance,
            )  # fmt: skip
    for path, write in ((beside, htmlreport.as_json), (output, htmlreport.report_as_page)):
        with _out(path) as out:
            out.write(write(made))
    log.info("%s and %s are written", output, beside)


@main.command(name="decisions")
@index_option
@format_option("table", "json", "jsonl", "csv")
@output_option
@quiet_option
def decisions_(folder: Place, form: str, output: Path | None, quiet: bool) -> None:
    """List what was decided about findings, in the order of deciding.

    Confirmed or dismissed in searchkit serve, with the reason; a decision about an answer whose
    text has changed since is stale, and the pair is open again.
    """
    from searchkit import findings
    from searchkit.decisions import decisions

    with _reading(folder, quiet=quiet) as index:
        found = list(decisions(index).values())
    _write_out(
        form, output,
        table=lambda out: findings.print_decisions(found, out),
        records=lambda: map(findings.decision_as_record, found),
        rows=lambda: map(findings.decision_as_record, found),
        columns=findings.DECISION_COLUMNS,
    )  # fmt: skip


class _Threshold(click.ParamType[float | None]):
    """A cosine, or `auto`, which is None."""

    name = "number|auto"

    def convert(self, value: Any, param: Any, ctx: Any) -> float | None:  # noqa: ANN401
        return None if value in (None, "auto") else click.FLOAT.convert(value, param, ctx)


@main.command()
@index_option
@click.option(
    "-m", "--method", type=click.Choice(["communities", "k-means", "hdbscan"]),
    default="communities", show_default=True,
    help="Around the densest answers; into k; or dense regions, the others being noise.",
)  # fmt: skip
@by_option
@click.option(
    "-t", "--threshold", type=_Threshold(), default="auto", show_default=True,
    help="Of communities: the least cosine of an answer with its centre; auto: from the data.",
)  # fmt: skip
@click.option("-k", type=int, help="Of k-means: how many clusters; from the data if not said.")
@click.option(
    "--min-size", type=int, default=3, show_default=True,
    help="Of hdbscan: answers of a cluster, at least.",
)  # fmt: skip
@click.option(
    "--plot", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
    help="Draw the answers on a plane, too: .png, .svg, .pdf or .html (searchkit[plot]).",
)  # fmt: skip
@runner_options
@filter_options
@format_option("table", "json", "jsonl", "csv")
@output_option
@quiet_option
def cluster(
    folder: Place, method: Any, by: Any, threshold: float | None, k: int | None,  # noqa: ANN401
    min_size: int, plot: Path | None, question: str | None, author: str | None, sql: str | None,
    form: str, output: Path | None, quiet: bool, runner: str | None, shards: Path | None,
) -> None:  # fmt: skip
    """Group the answers that say the same.

    Each group with its most typical answer and the words that set it apart; what stands alone is
    listed last.
    """
    from searchkit import maps, outlines
    from searchkit.clusters import cluster as run
    from searchkit.clusters import draw_map
    from searchkit.runners import open_runner

    if plot:
        maps.check_suffix(plot)
    with _reading(folder, quiet=quiet) as index:
        where = _where(question, author, sql)
        with open_runner(runner, shards) as workers, _bar("questions", quiet=quiet) as advance:
            found = run(
                index, by=by, method=method, threshold=threshold, k=k, min_size=min_size,
                where=where, runner=workers, progress=advance,
            )  # fmt: skip
        if found.blank:
            log.info("%s blank answers are in no cluster", f"{found.blank:,}")
        if plot:
            draw_map(index, found, plot, where=where)
            log.info("%s is drawn", plot)
        _write_out(
            form, output,
            table=lambda out: outlines.print_clusters(found, index.get, out),
            records=lambda: map(outlines.cluster_as_record, found.clusters),
            rows=lambda: outlines.clusters_as_rows(found.clusters, index.get),
            columns=outlines.COLUMNS,
        )  # fmt: skip


class _Said(click.ParamType[tuple[str, str | None]]):
    """An id, or an id and a mark."""

    name = "id[=mark]"

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[str, str | None]:  # noqa: ANN401
        if isinstance(value, tuple):
            return value
        name, is_said, mark = value.rpartition("=")
        return (name, mark.strip()) if is_said else (value, None)


@main.command()
@index_option
@click.option("--column", metavar="NAME", required=True, help="The column with the marks.")
@click.option(
    "--as", "kind", type=click.Choice(["numbers", "labels"]),
    help="What the marks are.  [default: numbers, if all of them are]",
)  # fmt: skip
@click.option("--evaluate", "mode", flag_value="evaluate", help="Measure it on held-out answers.")
@click.option("--audit", "mode", flag_value="audit", help="Look for marks that don't go together.")
@click.option(
    "--propagate", "said", type=_Said(), multiple=True, metavar="ID[=MARK]",
    help="Show what the mark of this answer would give those that say the same; repeatable.",
)  # fmt: skip
@click.option(
    "--min-confidence", type=float,
    help="Suggest nothing that is less likely to be right.  [default: 0.5]",
)  # fmt: skip
@click.option(
    "--tolerance", type=float,
    help="A number so near to the grader's is right.  [default: a tenth of the range]",
)  # fmt: skip
@click.option(
    "-t", "--threshold", type=float,
    help="Of --audit: how alike near-equal answers are (0.8); of --propagate: of the clusters.",
)  # fmt: skip
@click.option("--write", metavar="NAME", help="Write the marks into this column of the index.")
@click.option("--overwrite", is_flag=True, help="Replace what these answers have in that column.")
@filter_options
@format_option("table", "json", "jsonl", "csv")
@output_option
@quiet_option
def grade(
    folder: Place, column: str, mode: str | None, said: Sequence[tuple[str, str | None]],
    write: str | None, overwrite: bool, question: str | None, author: str | None,
    sql: str | None, form: str, output: Path | None, quiet: bool, **options: Any,  # noqa: ANN401
) -> None:  # fmt: skip
    """Suggest marks for ungraded answers from the graded ones.

    Each with a confidence, and the nearest graded answers as reasons; below --min-confidence it is
    left to you. Nothing is written without --write, and never into the column with your marks.
    """
    if mode and said:
        raise click.UsageError(f"--{mode} and --propagate are two things; say one")
    if write and mode:
        raise click.UsageError(f"--{mode} gives no marks to --write")
    if overwrite and not write:
        raise click.UsageError("--overwrite goes with --write")
    if options["min_confidence"] is not None and (mode or said):
        raise click.UsageError("--min-confidence is for suggested marks")
    if options["threshold"] is not None and mode != "audit" and not said:
        raise click.UsageError("--threshold is for --audit and --propagate")
    where = _where(question, author, sql)
    if said and not where.is_empty():
        raise click.UsageError("--propagate names its answers; leave the filter out")
    with _writing(folder, quiet=quiet) if write else _reading(folder, quiet=quiet) as index:
        if mode == "evaluate":
            _evaluated(index, column, where, form, output, options, quiet=quiet)
        elif mode == "audit":
            _audited(index, column, where, form, output, options, quiet=quiet)
        else:
            marks = (
                _propagated(index, column, dict(said), form, output, options)
                if said
                else _suggested(index, column, where, form, output, options, quiet=quiet)
            )
            if write:
                _write_marks(index, write, marks, column, overwrite=overwrite)


def _suggested(
    index: AnyIndex, column: str, where: Where, form: str, output: Path | None,
    options: dict[str, Any], *, quiet: bool,
) -> dict[str, Mark | None]:  # fmt: skip
    from searchkit import gradebook
    from searchkit.grades import MIN_CONFIDENCE
    from searchkit.grades import grade as run

    least = options["min_confidence"]
    with _bar("questions", quiet=quiet) as advance:
        found = run(
            index, column, kind=options["kind"],
            min_confidence=MIN_CONFIDENCE if least is None else least,
            tolerance=options["tolerance"], where=where, progress=advance,
        )  # fmt: skip
    for line in gradebook.what_was_learned(found):
        log.info(line)
    _write_out(
        form, output,
        table=lambda out: gradebook.print_suggestions(found, index.get, out),
        records=lambda: map(gradebook.suggestion_as_record, found.suggestions),
        rows=lambda: gradebook.suggestions_as_rows(found, index.get),
        columns=gradebook.COLUMNS,
    )  # fmt: skip
    return {one.id: one.suggested for one in found.suggestions}


def _propagated(
    index: AnyIndex, column: str, said: dict[str, str | None], form: str, output: Path | None,
    options: dict[str, Any],
) -> dict[str, Mark | None]:  # fmt: skip
    from searchkit import gradebook
    from searchkit.propagation import propagate

    spreads = propagate(
        index, column, said, kind=options["kind"], threshold=options["threshold"],
        tolerance=options["tolerance"],
    )  # fmt: skip
    _write_out(
        form, output,
        table=lambda out: gradebook.print_spreads(spreads, index.get, out),
        records=lambda: map(gradebook.spread_as_record, spreads),
        rows=lambda: gradebook.spreads_as_rows(spreads, index.get, column),
        columns=gradebook.SPREAD_COLUMNS,
    )  # fmt: skip
    return {name: spread.mark for spread in spreads for name in (spread.id, *spread.given)}


def _evaluated(
    index: AnyIndex, column: str, where: Where, form: str, output: Path | None,
    options: dict[str, Any], *, quiet: bool,
) -> None:  # fmt: skip
    from searchkit import gradebook
    from searchkit.trials import evaluate_grades

    with _bar("folds", quiet=quiet) as advance:
        found = evaluate_grades(
            index, column, kind=options["kind"], tolerance=options["tolerance"], where=where,
            progress=advance,
        )  # fmt: skip
    _write_out(
        form, output,
        table=lambda out: gradebook.print_evaluation(found, out),
        whole=lambda: gradebook.evaluation_as_record(found),
        records=lambda: gradebook.evaluation_as_record(found)["trials"],
        rows=lambda: gradebook.evaluation_as_rows(found),
        columns=gradebook.EVALUATION_COLUMNS,
    )  # fmt: skip


def _audited(
    index: AnyIndex, column: str, where: Where, form: str, output: Path | None,
    options: dict[str, Any], *, quiet: bool,
) -> None:  # fmt: skip
    from searchkit import gradebook
    from searchkit.audit import NEAR, audit_grades

    threshold = NEAR if options["threshold"] is None else options["threshold"]
    with _bar("questions", quiet=quiet) as advance:
        found = audit_grades(
            index, column, kind=options["kind"], threshold=threshold,
            tolerance=options["tolerance"], where=where, progress=advance,
        )  # fmt: skip
    log.info(gradebook.what_was_audited(found))
    _write_out(
        form, output,
        table=lambda out: gradebook.print_audit(found, index.get, out),
        records=lambda: gradebook.audit_as_records(found),
        rows=lambda: gradebook.audit_as_rows(found, index.get),
        columns=gradebook.AUDIT_COLUMNS,
    )  # fmt: skip


def _write_marks(
    index: AnyIndex, column: str, marks: dict[str, Mark | None], beside: str, *, overwrite: bool
) -> None:
    from searchkit.evidence import counted
    from searchkit.grades import write_marks

    written = write_marks(index, column, marks, beside=beside, overwrite=overwrite)
    log.info("%s written into %s", counted(written, "mark"), column)


@main.command()
@folder_option
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True,
              help="The port to listen on; 0 takes a free one.")  # fmt: skip
@click.option(
    "--host", metavar="ADDRESS",
    help="Listen on this address, which other machines may reach (0.0.0.0: all); they need the "
    "token that is in the address which is printed.  [default: this machine alone]",
)  # fmt: skip
@click.option("--no-open", is_flag=True, help="Don't open the browser.")
@click.option(
    "--max-upload", type=click.IntRange(min=1), default=200, show_default=True, metavar="MB",
    help="The largest file that a page may send.",
)  # fmt: skip
@quiet_option
def serve(
    folder: Path, port: int, host: str | None, no_open: bool, max_upload: int, quiet: bool
) -> None:
    """Open the index in a browser: search, review, grade by groups, upload.

    A web application on this machine alone, with the same over REST. Needs searchkit[web].
    """
    say = _listen(quiet=quiet)
    try:
        from searchkit.web import serve as run
    except ImportError as error:
        raise MissingExtra(f"serve needs {error.name}; run: pip install 'searchkit[web]'") from None
    run(
        folder, host=host, port=port, most_bytes=max_upload * 1_000_000,
        open_browser=not no_open, say=say,
    )  # fmt: skip


@main.command()
@click.argument("files", nargs=-1, metavar="[PAIRS...]")
@click.option(
    "-o", "--output", "target", required=True, type=click.Path(path_type=Path), metavar="DIR",
    help="The model folder to make.",
)  # fmt: skip
@click.option(
    "--from-index", "source", type=click.Choice(["graded", "reviewed", "clusters"]),
    help="Make the pairs from the index: its graded answers (--column), the findings that were "
    "confirmed or dismissed, or its clusters.",
)  # fmt: skip
@folder_option
@click.option("--column", metavar="NAME", help="The column with the marks, for graded answers.")
@click.option(
    "--good", metavar="LABEL", multiple=True,
    help="Which labels of --column are good answers, where they aren't numbers; repeatable.",
)  # fmt: skip
@click.option("--model", metavar="MODEL", help="What to begin with: a folder or a hub name.")
@click.option(
    "--recipe", type=click.Choice(["default", "card"]), default="default", show_default=True,
    help="card: the published one, in which every pair is a positive.",
)  # fmt: skip
@click.option("--loss", type=click.Choice(["joint", "cosent", "mnrl", "online-contrastive"]),
              help="What is learned from a pair.  [default: by the recipe]")  # fmt: skip
@click.option("--epochs", type=int, help="How often each pair is seen.  [default: 2]")
@click.option("--batch-size", type=int, help="Pairs in a step.  [default: 16]")
@click.option("--learning-rate", type=float, help="At the beginning.  [default: 5e-5]")
@click.option(
    "--positive-from", type=float,
    help="The least label of a positive, for all losses but cosent.  [default: 6 of 10]",
)  # fmt: skip
@click.option("--max-label", type=float, help="The greatest label there can be.  [default: 10]")
@click.option("--max-tokens", type=int, help="Tokens that the model reads.  [default: 128]")
@click.option("--held-out", type=float,
              help="Share of the pairs, by question, to measure with.  [default: 0.2]")  # fmt: skip
@click.option("--prepare", type=click.Choice(["keywords"]),
              help="Let the model read texts in this form, now and always.")  # fmt: skip
@click.option("--seed", type=int, help="Of all that is drawn by lot.  [default: 42]")
@click.option(
    "--save-held-out", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
    help="Write the pairs that were held out, for: searchkit evaluate --pairs FILE",
)  # fmt: skip
@click.option("--overwrite", is_flag=True, help="Replace the folder if it is there.")
@format_option("table", "json", "csv")
@quiet_option
def train(
    files: Sequence[str], target: Path, source: str | None, folder: Path, column: str | None,
    good: Sequence[str], model: str | None, recipe: str, save_held_out: Path | None,
    overwrite: bool, form: str, quiet: bool, **options: Any,  # noqa: ANN401
) -> None:  # fmt: skip
    """Train a model on pairs of answers, and measure what that gave.

    PAIRS are files with the columns sentence_0, sentence_1, label (0: nothing in common, to 10)
    and, if there is one, question. Whole questions are held out, and both models measured on them.
    A killed training goes on when the command is run again. Needs: pip install 'searchkit[train]'
    """
    from dataclasses import asdict

    from searchkit import report, scoreboard
    from searchkit.evaluation import evaluate_pairs
    from searchkit.sentencepairs import COLUMNS
    from searchkit.training import train as run
    from searchkit.training import with_recipe

    if bool(files) == bool(source):
        raise click.UsageError("name files with pairs, or say --from-index; one of them")
    if (column is not None) != (source == "graded"):
        raise click.UsageError("--from-index graded and --column go together")
    say = _listen(quiet=quiet)
    settings = with_recipe(recipe, options)
    pairs = _pairs(files, source, folder, column, good, settings.max_label, quiet=quiet)
    with _bar("steps", quiet=quiet) as advance:
        trained = run(
            pairs,
            target,
            model=None if model == "default" else model,
            settings=settings,
            overwrite=overwrite,
            progress=advance,
        )
    for line in scoreboard.what_was_trained(trained):
        say(line)
    if save_held_out:
        with _out(save_held_out) as out:
            report.write_csv(map(asdict, trained.held_out), COLUMNS, out)
    if trained.held_out:
        with _bar("texts", quiet=quiet) as advance:
            encoders = _encoders([model or "default", str(target)], say)
            found = evaluate_pairs(trained.held_out, encoders, progress=advance)
        _write_evaluated(found, form, None)


def _pairs(
    files: Sequence[str], source: str | None, folder: Path, column: str | None,
    good: Sequence[str], max_label: float, *, quiet: bool,
) -> list[SentencePair]:  # fmt: skip
    from searchkit.sentencepairs import read_pairs
    from searchkit.trainingpairs import pairs_of_clusters, pairs_of_decisions, pairs_of_graded

    if files:
        return read_pairs(files, max_label=max_label)
    with _in_folder(folder, quiet=quiet) as index:
        if source == "reviewed":
            return pairs_of_decisions(index, max_label=max_label)
        if column is None:
            return pairs_of_clusters(index, max_label=max_label)
        return pairs_of_graded(index, column, good=good, max_label=max_label)


@main.command()
@click.option(
    "--pairs", multiple=True, metavar="FILE",
    help="Measure on pairs of texts: columns sentence_0, sentence_1, label; repeatable.",
)  # fmt: skip
@click.option(
    "--corpus", multiple=True, metavar="FILE",
    help="Measure on answers, as ingest reads them; repeatable.",
)  # fmt: skip
@click.option(
    "--qrels", type=click.Path(file_okay=False, path_type=Path), metavar="FOLDER",
    help="Measure retrieval: corpus.jsonl, queries.jsonl and qrels/*.tsv, as BEIR has them.",
)  # fmt: skip
@click.option(
    "--model", "models", multiple=True, metavar="MODEL",
    help="A model as for ingest, or default; repeatable, compared with the first.",
)  # fmt: skip
@click.option(
    "--positive-from", type=float,
    help="Of --pairs: the least label of a positive pair.  [default: 60 % of the largest]",
)  # fmt: skip
@click.option(
    "--label-column", metavar="NAME", help="Of --corpus: labels that clusters should come to."
)
@click.option(
    "--copies", metavar="FILE", help="Of --corpus: known copies, columns copy and source (ids)."
)
@click.option("--encoding", metavar="NAME", help="The files' encoding; by mark or UTF-8.")
@click.option("--sheet", metavar="NAME", help="Which sheet of a workbook.")
@click.option(
    "--resamples", type=int, default=1000, show_default=True, help="How many for the intervals."
)
@click.option("--seed", type=int, default=0, show_default=True, help="Of resamples and samples.")
@format_option("table", "json", "csv")
@output_option
@quiet_option
def evaluate(
    pairs: Sequence[str], corpus: Sequence[str], qrels: Path | None, models: Sequence[str],
    form: str, output: Path | None, quiet: bool, **options: Any,  # noqa: ANN401
) -> None:  # fmt: skip
    """Measure models on texts of yours, side by side.

    On pairs with a label, on a corpus of answers, or on queries with their relevant documents.
    Every figure has the interval that holds it in 95 % of resamples; a difference to the first
    model whose interval holds 0 is called chance.
    """
    if (bool(pairs), bool(corpus), qrels is not None).count(True) != 1:
        raise click.UsageError("say what to measure on: --pairs, --corpus or --qrels, one of them")
    if options["positive_from"] is not None and not pairs:
        raise click.UsageError("--positive-from goes with --pairs")
    for name in ("label_column", "copies"):
        if options[name] is not None and not corpus:
            raise click.UsageError(f"--{name.replace('_', '-')} goes with --corpus")
    say = _listen(quiet=quiet)
    found = _measured(pairs, corpus, qrels, _encoders(models or ["default"], say), options, quiet)
    _write_evaluated(found, form, output)


def _write_evaluated(found: Evaluated, form: str, output: Path | None) -> None:
    from searchkit import scoreboard

    _write_out(
        form, output,
        table=lambda out: scoreboard.print_evaluated(found, out),
        whole=lambda: scoreboard.evaluated_as_record(found),
        records=lambda: [scoreboard.evaluated_as_record(found)],
        rows=lambda: scoreboard.evaluated_as_rows(found),
        columns=scoreboard.COLUMNS,
    )  # fmt: skip


def _encoders(names: Sequence[str], say: Callable[[str], None]) -> Iterator[Encoder]:
    """Load one model after another; all of them are looked at first."""
    from searchkit.encoder import load_encoder
    from searchkit.models import find_model

    folders = [find_model(None if name == "default" else name) for name in names]
    return (
        load_encoder(folder.name, fingerprint=folder.fingerprint, notify=say) for folder in folders
    )


def _measured(
    pairs: Sequence[str], corpus: Sequence[str], qrels: Path | None, encoders: Iterator[Encoder],
    options: dict[str, Any], quiet: bool,
) -> Evaluated:  # fmt: skip
    from searchkit import evaluation as run
    from searchkit.judgements import read_copies, read_qrels
    from searchkit.sentencepairs import read_pairs
    from searchkit.sources import read_answers

    files = {name: options[name] for name in ("encoding", "sheet")}
    drawn = {name: options[name] for name in ("resamples", "seed")}
    with _bar("texts", quiet=quiet) as advance:
        if pairs:
            read = read_pairs(pairs, max_label=None, **files)
            least = options["positive_from"]
            return run.evaluate_pairs(
                read, encoders, positive_from=least, progress=advance, **drawn
            )  # fmt: skip
        if qrels is not None:
            judged = read_qrels(qrels)
            log.info("judgements: %s", ", ".join(judged.files))
            return run.evaluate_retrieval(
                judged.corpus, judged.queries, judged.qrels, encoders, progress=advance, **drawn
            )
        answers = list(read_answers(corpus, **files))
        copies: list[tuple[str, str]] = []
        if options["copies"] is not None:
            listed = read_copies([options["copies"]], {answer.id for answer in answers})
            copies = listed.pairs
            if listed.others:
                log.info("%s listed pairs are of a kind that is no copy", f"{listed.others:,}")
        return run.evaluate_corpus(
            answers, encoders, label_column=options["label_column"], copies=copies,
            progress=advance, **drawn,
        )  # fmt: skip


@main.command()
@index_option
@format_option("table", "json")
@output_option
@quiet_option
def status(folder: Place, form: str, output: Path | None, quiet: bool) -> None:
    """Show what the index holds.

    Counts, questions, authors, model, sizes on disk, checkpoint and tail.
    """
    from searchkit import report
    from searchkit.status import status as run

    with _reading(folder, quiet=quiet) as index, _out(output) as out:
        known = run(index)
        if form == "json":
            report.write_json(known, out)
        else:
            report.print_status(known, out)


@main.command()
@index_option
@format_option("table", "json")
@output_option
@quiet_option
def verify(folder: Place, form: str, output: Path | None, quiet: bool) -> None:
    """Check everything that can be checked.

    Pages and references of the database, every text against the hash it was embedded with and the
    passages it was cut into, the vectors, the FAISS file bit for bit, the full text, and that
    nothing deleted is left. Exit code 1 if anything is wrong.
    """
    from searchkit import report
    from searchkit.verify import verify as run

    with _checking(folder, quiet=quiet) as index:
        problems = run(index)
    with _out(output) as out:
        if form == "json":
            report.write_json({"sound": not problems, "problems": problems}, out)
        else:
            out.write("".join(f"{report.visible(line)}\n" for line in problems or ["sound"]))
    if problems:
        raise SearchkitError(f"{folder}: {len(problems)} problems")


@contextmanager
def _checking(place: Place, *, quiet: bool) -> Iterator[AnyIndex]:
    """Open for writing, which checking the full text needs, or else for reading."""
    say = _listen(quiet=quiet)
    try:
        index = open_index(place, write=True)
    except (IndexBusy, StorageFailed) as error:
        if isinstance(place, str):
            raise
        say(f"the full text is not checked: {error}")
        index = open_index(place)
    with index:
        yield index


@main.command()
@index_option
@quiet_option
def rebuild(folder: Place, quiet: bool) -> None:
    """Make the FAISS file and the full text anew.

    From the database alone, without the model. A damaged FAISS file is set aside, not deleted.
    """
    with _writing(folder, quiet=quiet) as index:
        index.rebuild()
        held = index.counts()
        click.echo(f"rebuilt {held['vectors']:,} vectors of {held['answers']:,} answers")


@main.command()
@click.option(
    "--model", "name", required=True, metavar="MODEL",
    help="A sentence-transformers folder or hub name.",
)  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Say what it would take, and change nothing.")
@folder_option
@format_option("table", "json")
@output_option
@quiet_option
def reindex(
    name: str, dry_run: bool, folder: Path, form: str, output: Path | None, quiet: bool
) -> None:
    """Embed every answer anew with another model.

    Beside the old vectors, which serve until the new ones are swapped in at once. A killed reindex
    goes on when the same command is run again; --model with the index's own model drops it.
    """
    from dataclasses import asdict

    from searchkit import report
    from searchkit.encoder import load_encoder
    from searchkit.reindex import estimate
    from searchkit.reindex import reindex as run

    show = report.print_estimate if dry_run else report.print_counts
    with _in_folder(folder, quiet=quiet, write=not dry_run) as index:
        encoder = load_encoder(name, notify=log.info)
        with _bar("answers", quiet=quiet or dry_run) as advance:
            done = asdict(
                estimate(index, encoder) if dry_run
                else run(index, encoder, progress=advance)
            )  # fmt: skip
    with _out(output) as out:
        if form == "json":
            report.write_json(done, out)
        else:
            show(done, out)


@main.command()
@click.argument("ids", nargs=-1, metavar="ID...")
@filter_options
@click.option("-y", "--yes", is_flag=True, help="Don't ask.")
@index_option
@format_option("table", "json")
@quiet_option
def delete(
    ids: Sequence[str], question: str | None, author: str | None, sql: str | None, yes: bool,
    folder: Place, form: str, quiet: bool,
) -> None:  # fmt: skip
    """Delete answers and forget every byte of them.

    Chosen by ID, or by a filter.
    """
    where = _where(question, author, sql)
    if not ids and where.is_empty():
        raise click.UsageError("name the answers: by ID, --question, --author or --where")
    if ids and not where.is_empty():
        raise click.UsageError("give either IDs or a filter, not both")
    with _writing(folder, quiet=quiet) as index:
        chosen = list(dict.fromkeys(ids)) or [answer.id for answer in index.answers(where)]
        if chosen and not yes and sys.stdin.isatty():
            click.confirm(f"Delete {len(chosen):,} answers for good?", abort=True, err=True)
        deleted = index.remove(chosen)
    click.echo(json.dumps({"deleted": deleted}) if form == "json" else f"deleted {deleted:,}")


@main.command()
@index_option
@filter_options
@format_option("jsonl", "json", "csv", default="jsonl")
@output_option
@quiet_option
def export(
    folder: Place, question: str | None, author: str | None, sql: str | None, form: str,
    output: Path | None, quiet: bool,
) -> None:  # fmt: skip
    """Write the answers with all their columns.

    `ingest` reads the JSON Lines back just so; in CSV a text that a spreadsheet would run as a
    formula gets a ' before it.
    """
    from searchkit import report

    where = _where(question, author, sql)
    with _reading(folder, quiet=quiet) as index, _out(output) as out:
        rows = (report.answer_as_record(answer) for answer in index.answers(where))
        if form == "jsonl":
            report.write_jsonl(rows, out)
        elif form == "json":
            report.write_json(list(rows), out)
        else:
            report.write_csv(rows, report.export_columns(index.columns()), out)


@main.command("copy")
@click.argument("source", metavar="FROM", type=_Place())
@click.argument("target", metavar="TO", type=_Place())
@format_option("table", "json")
@output_option
@quiet_option
def copy_(source: Place, target: Place, form: str, output: Path | None, quiet: bool) -> None:
    """Copy the answers of an index into another, with their vectors.

    FROM and TO are folders or Milvus (see --index); TO is made if it isn't there. Nothing is
    embedded. A killed copy goes on when it is run again. Decisions about findings are not copied.
    """
    from dataclasses import asdict

    from searchkit import report
    from searchkit.copying import copy

    with (
        _reading(source, quiet=quiet) as index,
        open_or_create(target, index.encoder) as other,
        _bar("answers", quiet=quiet) as advance,
    ):
        done = asdict(copy(index, other, progress=advance))
    with _out(output) as out:
        if form == "json":
            report.write_json(done, out)
        else:
            report.print_counts(done, out)


@main.command()
@click.option(
    "-i", "--index", "folder", default="demo-index", show_default=True,
    type=click.Path(file_okay=False, path_type=Path), help="Where to put the demo's index.",
)  # fmt: skip
@quiet_option
@click.pass_context
def demo(ctx: click.Context, folder: Path, quiet: bool) -> None:
    """Index the demo corpus and run three queries.

    The corpus comes with searchkit: a web-programming course, 30 invented students.
    """
    from searchkit.demo import ANSWERS, QUERIES

    click.secho(f"$ searchkit ingest {ANSWERS} --index {folder}", bold=True)
    ctx.invoke(ingest, files=(str(ANSWERS),), folder=folder, quiet=quiet)
    for text in QUERIES:
        click.secho(f'\n$ searchkit query "{text}" -n 3 --index {folder}', bold=True)
        ctx.invoke(query, texts=(text,), folder=folder, k=3, quiet=quiet)
    click.secho("\nWhat to try next", bold=True)
    for line in _next_steps(folder):
        click.echo(f"  {line}")


def _next_steps(folder: Path) -> list[str]:
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
