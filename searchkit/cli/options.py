"""Options in groups and with constraints, and the groups that several commands share.

A group of options has its own section in `--help`. A group with a `record` passes its values to the
command as one object: `filter_options` passes `where: Where`, and not three arguments. Two groups
can make one object: `table_options` sets the part of `source` that concerns tables.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast, get_args

import click

from searchkit.cli.session import Output
from searchkit.core.errors import BadInput
from searchkit.core.where import Attempts, Where
from searchkit.encoding.devices.finding import DEVICES, Device
from searchkit.encoding.encoder import PRECISIONS, Precision
from searchkit.index.locations import Place, place_of

if TYPE_CHECKING:
    from searchkit.sources.files import FileOptions

Function = TypeVar("Function", bound=Callable[..., object])
Decorator = Callable[[Callable[..., object]], Callable[..., object]]


class Option(click.Option):
    """An option in a section of `--help`.

    Attributes:
        section: The title of the section.
    """

    section = "Options"


class Command(click.Command):
    """A command whose `--help` shows the options in sections."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the sections in the order of their first options; `--help` is in the last."""
        sections: dict[str, list[tuple[str, str]]] = {}
        section = Option.section
        for param in self.get_params(ctx):
            section = param.section if isinstance(param, Option) else section
            record = param.get_help_record(ctx)
            if record and isinstance(param, click.Option):  # arguments are in the usage line
                sections.setdefault(section, []).append(record)
        # One width for all sections, so that the descriptions are in one column.
        width = min(30, max(len(names) for rows in sections.values() for names, _ in rows))
        for section, rows in sections.items():
            with formatter.section(section):
                formatter.write_dl([(names.ljust(width), text) for names, text in rows])


command = partial(click.command, cls=Command)
option = partial(click.option, cls=Option)


def option_group(
    section: str,
    *options: Decorator,
    argument: str = "",
    record: Callable[..., object] = dict,
) -> Callable[[Function], Function]:
    """Return a decorator that adds options to a command, in their own section of `--help`.

    Args:
        section: The title of the section.
        options: The options, made with `option`.
        argument: The name of the command's argument that gets all values of the group; "" to pass
            each value as its own argument.
        record: Makes that argument; called with the values as keyword arguments. If a group above
            has made the argument already, that comes first, and `record` adds to it.
    """

    def decorate(function: Function) -> Function:
        names: set[str] = set()  # two flags can set one parameter

        @wraps(function)
        def collected(*args: object, **values: object) -> object:
            if argument:
                own = {name: values.pop(name) for name in names}
                made_above = [values[argument]] if argument in values else []
                values[argument] = record(*made_above, **own)
            return function(*args, **values)

        before = len(getattr(collected, "__click_params__", []))
        for add in reversed(options):
            add(collected)
        for param in getattr(collected, "__click_params__", [])[before:]:
            param.section = section
            names.add(param.name)
        return cast(Function, collected)

    return decorate


def exactly_one(*names: str) -> Callable[[Function], Function]:
    """Return a decorator that requires exactly one of the options."""
    return _constraint(
        names, lambda given: "" if len(given) == 1 else f"give exactly one of {_either(names)}"
    )


def at_least_one(*names: str) -> Callable[[Function], Function]:
    """Return a decorator that requires at least one of the options."""
    return _constraint(names, lambda given: "" if given else f"give {_either(names)}")


def excludes(name: str, *others: str) -> Callable[[Function], Function]:
    """Return a decorator that refuses an option together with any of the others."""
    return _constraint(
        (name, *others),
        lambda given: (
            f"{name} can't be used with {given[1]}" if name in given and given[1:] else ""
        ),
    )


def needs(name: str, *others: str) -> Callable[[Function], Function]:
    """Return a decorator that refuses an option without one of the others."""
    return _constraint(
        (name, *others),
        lambda given: f"{name} goes with {_either(others)}" if given == [name] else "",
    )


def _constraint(
    names: tuple[str, ...], message: Callable[[list[str]], str]
) -> Callable[[Function], Function]:
    """Return a decorator that raises UsageError if `message` returns a text.

    `message` is called with those of the names that were given. Names are written as in `--help`:
    `--where`, or `ID` for an argument.
    """

    def decorate(function: Function) -> Function:
        @wraps(function)
        def checked(*args: object, **values: object) -> object:
            ctx = click.get_current_context()
            if text := message([name for name in names if _is_given(ctx, name)]):
                raise click.UsageError(text, ctx)
            return function(*args, **values)

        return cast(Function, checked)

    return decorate


def _is_given(ctx: click.Context, name: str) -> bool:
    for param in ctx.command.params:
        if name in param.opts or (param.metavar or "").strip("[].") == name:
            value = ctx.params[param.name or ""]
            if isinstance(param, click.Option) and isinstance(param.flag_value, str):
                return bool(value == param.flag_value)
            return value is not None and value is not False and value != ()
    raise ValueError(f"{ctx.info_name} has no {name}")


def _either(names: tuple[str, ...]) -> str:
    return " or ".join(filter(None, (", ".join(names[:-1]), names[-1])))


class PlaceType(click.ParamType[Place, object]):
    """A folder, or an address of Milvus."""

    name = "place"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Place:
        """Return the folder as a path, or the address as it was written."""
        place = place_of(str(value))
        if isinstance(place, str):
            return place
        folder: click.Path[Path] = click.Path(file_okay=False, path_type=Path)
        return folder.convert(place, param, ctx)


class _FolderType(PlaceType):
    """A folder; the error for a Milvus address names the command that copies it into a folder."""

    name = "directory"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Place:
        place = super().convert(value, param, ctx)
        if isinstance(place, str):
            name = ctx.info_name if ctx else self.name
            raise BadInput(
                f"{place}: {name} takes a folder; make one: searchkit copy {place} FOLDER"
            )
        return place


_index = partial(
    option,
    "-i",
    "--index",
    "folder",
    envvar="SEARCHKIT_INDEX",
    default="index",
    show_default=True,
    show_envvar=True,
)
index_option = _index(
    type=PlaceType(),
    metavar="INDEX",
    help="The index: a folder, or milvus+http://HOST:19530/CORPUS, or a Milvus Lite FILE.db.",
)
folder_option = _index(type=_FolderType(), metavar="DIRECTORY", help="The index's folder.")
by_option = option(
    "--by",
    type=click.Choice(["question", "all"]),
    help="Work within each question (the default if there are questions), or over all answers.",
)


@dataclass(frozen=True)
class ModelOptions:
    """The model that a command names; None where the index decides.

    Attributes:
        name: The name; see `load_encoder`.
        precision: How it is computed; see `load_encoder`.
    """

    name: str | None
    precision: Precision | None


@dataclass(frozen=True)
class RunnerOptions:
    """Where a command computes.

    Attributes:
        runner: None for this process, `ray` for all cores of this machine, or `ray://HOST:PORT`
            for a cluster.
        shards: A folder that all machines of the cluster can access.
        device: Where documents are embedded; see `load_encoder`.
    """

    runner: str | None
    shards: Path | None
    device: Device = "auto"


runner_options = option_group(
    "Computing",
    option(
        "--runner",
        metavar="ray[://HOST:PORT]",
        help="Use all cores of this machine, or those of a cluster (needs searchkit[ray]).",
    ),
    option(
        "--shards",
        type=click.Path(file_okay=False, path_type=Path),
        metavar="DIRECTORY",
        help="A folder for the runner's files that all its machines can access.",
    ),
    argument="runner",
    record=RunnerOptions,
)
device_option = option(
    "--device",
    type=click.Choice(DEVICES),
    default="auto",
    show_default=True,
    help="Where texts are embedded; auto takes a GPU where that is sooner, its start included.",
)
MODEL_NAMES = "default, multilingual, or a folder or hub name of sentence-transformers"
model_options = option_group(
    "Model",
    option(
        "--model",
        "name",
        metavar="MODEL",
        help=f"{MODEL_NAMES}.",
    ),
    option(
        "--precision",
        type=click.Choice(PRECISIONS),
        help="fast embeds with 8-bit integers on CPUs that gain from it; an index keeps its own.  "
        "[default: exact]",
    ),
    argument="model",
    record=ModelOptions,
)
runner_device_option = option_group(  # below `runner_options`
    "Computing", device_option, argument="runner", record=replace
)
_FILTERS = (
    option("--question", help="Only answers to this question ('' for none)."),
    option("--author", help="Only answers by this author ('' for none)."),
    option(
        "--where",
        "sql",
        metavar="SQL",
        help="Only answers for which this SQL expression is true. It can use id, text, question, "
        "author, submitted_at and every other column: \"score >= 5 AND author <> 's07'\".",
    ),
)
filter_options = option_group("Filter", *_FILTERS, argument="where", record=Where)
comparison_filter_options = option_group(
    "Filter",
    *_FILTERS,
    option(
        "--attempts",
        type=click.Choice(get_args(Attempts)),
        help="Which answers count where an author has several to a question.  [default: latest]",
    ),
    argument="where",
    record=Where,
)
quiet_option = option("-q", "--quiet", is_flag=True, help="Print errors only.")
messages_options = option_group("Output", quiet_option)
file_encoding_option = option(
    "--encoding",
    metavar="NAME",
    help="The files' encoding.  [default: by their bytes]",
)
sheet_option = option("--sheet", metavar="NAME", help="The sheet of a workbook.")


def _with_table_options(
    source: FileOptions, *, encoding: Sequence[str], **options: object
) -> FileOptions:
    """Return how files are read, tables as well; `FILE=NAME` is the encoding of one file."""
    pairs = [text.rpartition("=") for text in encoding]
    for_all = [name for file, _, name in pairs if not file]
    tables: dict[str, Any] = {
        **options,
        "encoding": for_all[-1] if for_all else None,
        "encodings": {file: name for file, _, name in pairs if file},
    }
    return replace(source, **tables)


table_options = option_group(  # below a group that makes `source`, how files are read
    "Tables",
    option(
        "--encoding",
        multiple=True,
        metavar="[FILE=]NAME",
        help="The encoding of the files, or of one.  [default: by its bytes]",
    ),
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
    option(
        "--records",
        metavar="PATH",
        help="Where the rows are in a JSON document, such as data.items.  [default: by the file]",
    ),
    option(
        "--question-from",
        type=click.Choice(["filename"]),
        help="Take each table's name as the question of its answers.",
    ),
    argument="source",
    record=_with_table_options,
)


def output_options(
    *formats: str, default: str = "table", to_file: bool = True
) -> Callable[[Function], Function]:
    """Return the options for the format and the file of a result; they are passed as `output`.

    Args:
        formats: The formats that the command can write.
        default: The format without `--format`.
        to_file: Whether the command has `--output`.
    """

    def as_output(form: str, quiet: bool, output: Path | None = None) -> Output:
        return Output(form, output, quiet)

    format_option = option(
        "-f",
        "--format",
        "form",
        type=click.Choice(formats),
        default=default,
        show_default=True,
        help="The format of the result.",
    )
    file_option = option(
        "-o",
        "--output",
        type=click.Path(dir_okay=False, path_type=Path),
        help="Write the result to this file.  [default: standard output]",
    )
    options = (format_option, file_option) if to_file else (format_option,)
    return option_group("Output", *options, quiet_option, argument="output", record=as_output)
