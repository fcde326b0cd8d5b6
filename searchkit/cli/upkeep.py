"""The commands status, verify, rebuild, reindex, delete, export and copy."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click

from searchkit.cli.options import (
    ModelOptions,
    PlaceType,
    at_least_one,
    command,
    device_option,
    excludes,
    filter_options,
    folder_option,
    index_option,
    messages_options,
    model_options,
    needs,
    option,
    option_group,
    output_options,
)
from searchkit.cli.session import (
    Output,
    listen,
    log,
    open_folder,
    open_output,
    open_reader,
    open_writer,
    print_result,
    progress_bar,
    spinner,
    write_bytes,
    write_record,
)
from searchkit.core.errors import IndexBusy, SearchkitError, StorageFailed
from searchkit.core.messages import Message, counted
from searchkit.core.progress import Counter
from searchkit.core.where import EVERYTHING, Attempts, Where
from searchkit.index.locations import Place, open_index, open_or_create

if TYPE_CHECKING:
    from searchkit.encoding.devices.finding import Device
    from searchkit.index.base import BaseIndex
    from searchkit.output.platforms.formats import MarksFormat


@command()
@index_option
@output_options("table", "json")
def status(folder: Place, output: Output) -> None:
    """Show what the index contains.

    This includes counts, questions, authors, the model, sizes on disk, checkpoint and tail.
    """
    from searchkit.index.upkeep import status as upkeep
    from searchkit.output.status import print_status

    with open_reader(folder, quiet=output.quiet) as index:
        write_record(output, upkeep.status(index), print_status)


@command()
@index_option
@output_options("table", "json")
def verify(folder: Place, output: Output) -> None:
    """Check the whole index for damage.

    Checks the pages of the database, the checksum of every row, every text against its hash and its
    passages, the vectors, the FAISS file bit for bit, the full text, that no acknowledged change is
    lost, and that nothing deleted is left. The exit code is 1 if anything is wrong. An index of an
    older format is upgraded first.
    """
    from searchkit.index.upkeep import verify as upkeep
    from searchkit.output.console import visible
    from searchkit.output.files import write_json

    with (
        _open_to_verify(folder, quiet=output.quiet) as index,
        spinner("checking", quiet=output.quiet),
    ):
        problems = upkeep.verify(index)
    with open_output(output.path) as out:
        if output.format == "json":
            write_json({"sound": not problems, "problems": problems}, out)
        else:
            out.write("".join(f"{visible(line)}\n" for line in problems or ["sound"]))
    if problems:
        raise SearchkitError(f"{folder}: {counted(len(problems), 'problem')}")


@contextmanager
def _open_to_verify(place: Place, *, quiet: bool) -> Iterator[BaseIndex]:
    """Open an index for writing, to check the full text too, or for reading if that fails."""
    say = listen(quiet=quiet)
    try:
        index = open_index(place, write=True)
    except (IndexBusy, StorageFailed) as error:
        if isinstance(place, str):
            raise
        say(Message("the full text is not checked: {error}", error=error.message))
        index = open_index(place)
    with index:
        yield index


@command()
@index_option
@messages_options
def rebuild(folder: Place, quiet: bool) -> None:
    """Rebuild the FAISS file and the full text.

    Uses only the database, and not the model. A damaged FAISS file is set aside, not deleted. What
    can't be mended like this is listed as by `verify`, and the exit code is then 1.
    """
    from searchkit.index.upkeep import verify as upkeep
    from searchkit.index.upkeep.folder_checks import SET_ASIDE
    from searchkit.output.console import visible

    with open_writer(folder, quiet=quiet) as index, spinner("rebuilding", quiet=quiet):
        index.rebuild()
        counts = index.counts()
        problems = [line for line in upkeep.verify(index) if SET_ASIDE not in line]
    print_result(f"rebuilt {counts['vectors']:,} vectors of {counts['answers']:,} answers")
    if problems:
        print_result("\n".join(map(visible, problems)))
        raise SearchkitError(f"{folder}: {counted(len(problems), 'problem')} left")


@command()
@model_options
@option(
    "--damaged", is_flag=True, help="Embed again, with the index's model, only what is damaged."
)
@option(
    "--dry-run", is_flag=True, help="Show the time and space it would take, and change nothing."
)
@folder_option
@option_group("Computing", device_option)
@output_options("table", "json")
@at_least_one("--model", "--precision", "--damaged")
@excludes("--damaged", "--model", "--precision", "--dry-run")
def reindex(
    model: ModelOptions,
    damaged: bool,
    dry_run: bool,
    folder: Path,
    device: Device,
    output: Output,
) -> None:
    """Embed all answers again with another model, or with the same in another precision.

    The old vectors stay in use until the new ones are complete. An interrupted reindex continues
    when the same command is run again; --model with the index's present model cancels it.
    """
    from searchkit.encoding.encoder import exact_fingerprint
    from searchkit.encoding.loading import load_encoder, load_fast_encoder
    from searchkit.index.upkeep import reindex as upkeep
    from searchkit.output.status import print_counts, print_estimate

    with open_folder(folder, quiet=output.quiet, write=not dry_run) as index:
        if damaged:
            index.use_device(device)
            write_record(output, {"embedded": index.embed_damaged()}, print_counts)
            return
        own = index.model if model.name is None else None
        name = own.name if own else model.name
        fingerprint = exact_fingerprint(own.fingerprint) if own else None
        if model.precision == "fast":
            encoder = load_fast_encoder(name, fingerprint, device, log.info)
        else:
            encoder = load_encoder(name, fingerprint=fingerprint, device=device, notify=log.info)
        with progress_bar("answers", quiet=output.quiet or dry_run) as progress:
            result = asdict(
                upkeep.estimate(index, encoder)
                if dry_run
                else upkeep.reindex(index, encoder, progress=progress)
            )
    write_record(output, result, print_estimate if dry_run else print_counts)


@command()
@click.argument("ids", nargs=-1, metavar="ID...")
@index_option
@filter_options
@option("--damaged", is_flag=True, help="Delete the answers that `verify` reports as damaged.")
@option("-y", "--yes", is_flag=True, help="Don't ask for confirmation.")
@output_options("table", "json", to_file=False)
@at_least_one("ID", "--question", "--author", "--where", "--damaged")
@excludes("ID", "--question", "--author", "--where", "--damaged")
@excludes("--damaged", "--question", "--author", "--where")
def delete(
    ids: Sequence[str], folder: Place, where: Where, damaged: bool, yes: bool, output: Output
) -> None:
    """Delete answers, and every trace of them.

    The answers are selected by ID or by a filter.
    """
    with open_writer(folder, quiet=output.quiet, where=where) as index:
        if damaged:
            chosen = index.damaged_ids()
        else:
            chosen = list(dict.fromkeys(ids)) or [answer.id for answer in index.answers(where)]
        if chosen and not yes and sys.stdin.isatty():
            click.confirm(f"Delete {len(chosen):,} answers for good?", abort=True, err=True)
        deleted = index.remove_damaged() if damaged else index.remove(chosen)
    as_json = output.format == "json"
    print_result(json.dumps({"deleted": deleted}) if as_json else f"deleted {deleted:,}")


@dataclass(frozen=True)
class MarksTask:
    """Which marks are written for which platform.

    Attributes:
        platform: The format; None writes answers.
        attempts: Which of an author's answers to a question; None leaves it to the format.
        fill_in: The platform's own file, in which marks are filled in; None makes one.
        options: The fields of `MarkOptions`.
    """

    platform: MarksFormat | None
    attempts: Attempts | None
    fill_in: Path | None
    options: dict[str, Any]


@command()
@index_option
@filter_options
@option_group(
    "Marks for a platform",
    option(
        "--as",
        "platform",
        type=click.Choice(
            ["moodle-worksheet", "canvas", "prairielearn", "nbgrader", "csv", "xlsx"]
        ),
        help="Write marks and comments as this platform takes them, or as a plain table with the "
        "review decisions, instead of --format.",
    ),
    option(
        "--marks", metavar="NAME", help="The column with the marks.  [default: the written one]"
    ),
    option(
        "--comments",
        metavar="NAME",
        help="The column with the comments.  [default: the written one]",
    ),
    option("--assignment", metavar="NAME", help="The assignment, as the platform names it."),
    option(
        "--maximum",
        type=click.FloatRange(min=0, min_open=True),
        metavar="POINTS",
        help="What the assignment gives at most; needed to turn per cent into points and back.",
    ),
    option(
        "--per",
        type=click.Choice(["answer", "student"]),
        default=None,
        help="A row an answer, or a row a student with a column a question.  [default: answer]",
    ),
    option(
        "--attempts",
        type=click.Choice(get_args(Attempts)),
        help="Which of an author's answers to a question.  [default: all; with --as the latest, "
        "where a row is a person]",
    ),
    option(
        "--fill-in",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        metavar="FILE",
        help="The platform's own file (worksheet, gradebook): its rows and columns stay, in any "
        "language, and marks are filled in.",
    ),
    argument="marks",
    record=lambda platform, per, attempts, fill_in, **names: MarksTask(
        platform, attempts, fill_in, {"per": per or "answer", **names}
    ),
)
@option(
    "--history",
    is_flag=True,
    help="Write what was changed while grading in the browser: who, when, what, and each value "
    "before and after; of --question, or of all.",
)
@output_options("jsonl", "json", "csv", default="jsonl")
@excludes("--history", "--as", "--author", "--where", "--attempts")
@needs("--marks", "--as")
@needs("--comments", "--as")
@needs("--assignment", "--as")
@needs("--maximum", "--as")
@needs("--per", "--as")
@needs("--fill-in", "--as")
def export(folder: Place, where: Where, marks: MarksTask, output: Output, *, history: bool) -> None:
    """Write the answers with all their columns.

    With --as, their marks and comments as a platform takes them back.

    `ingest` reads the JSON Lines back unchanged. In CSV, a text that a spreadsheet would take for a
    formula is prefixed with '.
    """
    where = replace(where, attempts=marks.attempts)
    with open_reader(folder, quiet=output.quiet, where=where) as index:
        if history:
            _export_history(index, where, output)
        elif marks.platform is None:
            _export_answers(index, where, output)
        else:
            _export_marks(index, marks.platform, marks, where, output)


def _export_answers(index: BaseIndex, where: Where, output: Output) -> None:
    from searchkit.output.files import write_csv, write_json, write_jsonl
    from searchkit.output.search import answer_as_record, export_columns

    total = len(index) if where == EVERYTHING else 0
    is_shown = output.path is not None or not sys.stdout.isatty()
    with (
        open_output(output.path) as out,
        progress_bar("answers", quiet=output.quiet or not is_shown) as progress,
    ):
        counter = Counter(progress, total)
        records = (_counting(answer_as_record(answer), counter) for answer in index.answers(where))
        if output.format == "jsonl":
            write_jsonl(records, out)
        elif output.format == "json":
            write_json(list(records), out)
        else:
            write_csv(records, export_columns(index.columns()), out)


def _counting(record: dict[str, Any], counter: Counter) -> dict[str, Any]:
    counter.advance()
    return record


def _export_history(index: BaseIndex, where: Where, output: Output) -> None:
    from searchkit.grading.marking.changes import need_history
    from searchkit.output.files import write_csv, write_json, write_jsonl
    from searchkit.output.history import HISTORY_COLUMNS, change_as_record, changes_as_rows

    changes = need_history(index).changes(index.resolve(where).question)
    with open_output(output.path) as out:
        if output.format == "csv":
            write_csv(changes_as_rows(changes), HISTORY_COLUMNS, out)
        elif output.format == "json":
            write_json([change_as_record(change) for change in changes], out)
        else:
            write_jsonl(map(change_as_record, changes), out)
    if not changes:
        log.info("nothing was changed in the browser yet")


def _export_marks(
    index: BaseIndex, platform: MarksFormat, task: MarksTask, where: Where, output: Output
) -> None:
    from searchkit.output.platforms.formats import marks_file
    from searchkit.output.platforms.marks import MarkOptions

    with spinner("reading the marks", quiet=output.quiet):
        file = marks_file(index, platform, MarkOptions(**task.options), where, task.fill_in)
    write_bytes(output.path, file.content)
    for note in file.notes:
        log.info(note)


@command("copy")
@click.argument("source", metavar="FROM", type=PlaceType())
@click.argument("target", metavar="TO", type=PlaceType())
@output_options("table", "json")
def copy_(source: Place, target: Place, output: Output) -> None:
    """Copy the answers of an index into another, with their vectors.

    FROM and TO are folders or Milvus addresses (see --index of query); TO is created if it doesn't
    exist. Nothing is embedded. An interrupted copy continues when it is run again. The history of
    grading is copied for questions that have none in TO; decisions about findings are not copied.
    """
    from searchkit.index.upkeep.copying import copy
    from searchkit.output.status import print_ingested

    with (
        open_reader(source, quiet=output.quiet) as index,
        open_or_create(target, index.encoder) as other,
        progress_bar("answers", quiet=output.quiet) as progress,
    ):
        counts = asdict(copy(index, other, progress=progress))
    write_record(output, counts, print_ingested)
