"""The command line: its commands in their sections, and the handling of errors."""

from __future__ import annotations

import os
import sys
from typing import Any

import click

from searchkit._version import __version__
from searchkit.cli.cluster import cluster
from searchkit.cli.grade import grade
from searchkit.cli.ingest import demo, ingest
from searchkit.cli.plagiarism import compare, decisions_, plagiarism, report_
from searchkit.cli.query_mine import mine, query
from searchkit.cli.session import print_message, with_options
from searchkit.cli.train_evaluate import evaluate, train
from searchkit.cli.upkeep import copy_, delete, export, rebuild, reindex, serve, status, verify
from searchkit.core.errors import SearchkitError

REPORT = "please report it; set SEARCHKIT_DEBUG=1 to see where"
GPU_IS_FULL = (
    "the GPU's memory is full; end other programs that use it, make --batch-size smaller, "
    "or set CUDA_VISIBLE_DEVICES= (empty)"
)


class _Boundary(click.Group):
    """The group of all commands, which turns an error into a message and an exit code."""

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401
        """Run a command; on an error, print one line and exit with its code."""
        try:
            return super().invoke(ctx)
        except SearchkitError as error:
            print_message(f"searchkit: {with_options(error.message, ctx)}")
            ctx.exit(error.exit_code)
        except UnicodeEncodeError as error:
            print_message(f"searchkit: {error.object!r} is not UTF-8; write it in UTF-8")
            ctx.exit(1)
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise
        except Exception as error:
            if os.environ.get("SEARCHKIT_DEBUG"):
                raise
            if type(error).__name__ == "OutOfMemoryError":  # torch's: importing it takes seconds
                print_message(f"searchkit: {GPU_IS_FULL}")
                ctx.exit(1)
            print_message(f"searchkit: internal error ({type(error).__name__}: {error}); {REPORT}")
            ctx.exit(1)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order of their sections."""
        return list(self.commands)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands in their sections, with the descriptions in one column."""
        width = max(map(len, self.commands))
        limit = formatter.width - width - 4  # as `write_dl` indents and separates
        for title, commands in SECTIONS.items():
            rows = [(command.name or "", command.get_short_help_str(limit)) for command in commands]
            with formatter.section(title):
                formatter.write_dl([(name.ljust(width), text) for name, text in rows])


SECTIONS: dict[str, list[click.Command]] = {
    "Getting started": [demo],
    "Corpus": [ingest, export, copy_, delete],
    "Search": [query, mine],
    "Plagiarism": [plagiarism, compare, report_, decisions_],
    "Groups and marks": [cluster, grade],
    "Web": [serve],
    "Models": [train, evaluate, reindex],
    "Upkeep": [status, verify, rebuild],
}


@click.group(cls=_Boundary, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="searchkit")
def main() -> None:
    """Search a corpus of answers by meaning: offline, exact, with evidence."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


for section in SECTIONS.values():
    for command in section:
        main.add_command(command)
