"""Options that several commands have."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from searchkit.core.errors import BadInput
from searchkit.index.locations import Place, place_of

Command = TypeVar("Command", bound=Callable[..., Any])


def _options(*options: Callable[[Any], Any]) -> Callable[[Command], Command]:
    def add(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return add


class PlaceType(click.ParamType[Place]):
    """A folder, or an address of Milvus."""

    name = "place"

    def convert(self, value: Any, param: Any, ctx: Any) -> Place:  # noqa: ANN401
        """Return the folder as a path, or the address as it was written."""
        place = place_of(str(value))
        if isinstance(place, str):
            return place
        folder = click.Path(file_okay=False, path_type=Path)
        return folder.convert(place, param, ctx)


class _Folder(PlaceType):
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
    "-i",
    "--index",
    "folder",
    envvar="SEARCHKIT_INDEX",
    default="index",
    show_default=True,
    show_envvar=True,
    type=PlaceType(),
    metavar="INDEX",
    help="The index: a folder, or milvus+http://HOST:19530/CORPUS, or a Milvus Lite FILE.db.",
)
folder_option = click.option(
    "-i",
    "--index",
    "folder",
    envvar="SEARCHKIT_INDEX",
    default="index",
    show_default=True,
    show_envvar=True,
    type=_Folder(),
    metavar="DIRECTORY",
    help="The index's folder.",
)
by_option = click.option(
    "--by",
    type=click.Choice(["question", "all"]),
    help="Within each question (the default where there are questions), or over all.",
)
quiet_option = click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors.")
output_option = click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write to this file, not to the terminal.",
)
runner_options = _options(
    click.option(
        "--runner",
        metavar="ray[://HOST:PORT]",
        help="Work on all cores of this machine, or on those of a cluster (searchkit[ray]).",
    ),
    click.option(
        "--shards",
        type=click.Path(file_okay=False, path_type=Path),
        metavar="DIRECTORY",
        help="A folder that all machines of --runner reach, for what they work on.",
    ),
)


def format_option(*formats: str, default: str = "table") -> Callable[[Any], Any]:
    """Build --format with the formats that a command has."""
    return click.option(
        "-f",
        "--format",
        "form",
        type=click.Choice(formats),
        default=default,
        show_default=True,
        help="How to write the result.",
    )


column_options = _options(
    *(
        click.option(f"--{name}-column", metavar="NAME", help=f"Which column holds the {what}.")
        for name, what in [
            ("id", "ids"),
            ("text", "answers"),
            ("question", "questions"),
            ("author", "authors"),
            ("time", "times"),
        ]
    ),
)
filter_options = _options(
    click.option("--question", help="Only answers to this question ('' for none)."),
    click.option("--author", help="Only answers by this author ('' for none)."),
    click.option(
        "--where",
        "sql",
        metavar="SQL",
        help="Only answers for which this expression holds, over id, text, question, author, "
        "submitted_at and every other column by its name: \"score >= 5 AND author <> 's07'\".",
    ),
)
template_option = click.option(
    "--template",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Text that was handed out, and may stand in every answer.",
)
against_option = click.option(
    "--against",
    type=PlaceType(),
    metavar="INDEX",
    help="An index of earlier answers, to compare with; their ids are shown as NAME:ID.",
)

max_expected_option = click.option(
    "--max-expected",
    type=float,
    default=0.05,
    show_default=True,
    help="Give the pairs of which one expects at most so many by chance, in their question.",
)
max_common_option = click.option(
    "--max-common",
    type=int,
    metavar="N",
    help="What more than N answers to a question share is no evidence.  [default: half of them]",
)
