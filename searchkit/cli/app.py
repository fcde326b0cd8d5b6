"""The command line: its commands in their sections, and the handling of errors.

A command's module is imported when the command is first asked for: the options of all commands take
longer to make than a query's.
"""

from __future__ import annotations

import errno
import os
import sys
from importlib import import_module
from typing import Any

import click

from searchkit._version import __version__
from searchkit.cli.session import print_message, with_options
from searchkit.core.errors import SearchkitError
from searchkit.runners.limits import check_address_space, check_open_files

REPORT = "please report it; set SEARCHKIT_DEBUG=1 to see where"
GPU_IS_FULL = (
    "the GPU's memory is full; end other programs that use it, make --batch-size smaller, "
    "or set CUDA_VISIBLE_DEVICES= (empty)"
)
MEMORY_IS_FULL = "out of memory; end other programs, or raise the limit: ulimit -v unlimited"
_NO_MEMORY = ("failed to map segment", "cannot map zero-fill pages")  # of the loader of libraries
FILES_ARE_OPEN = "too many open files; raise the limit: ulimit -n 1024"
OPEN_FILES = 16  # that a query needs, and some
MEGABYTES = 800, 200  # address space that every command needs, and for each core
INTERRUPTED = 130  # the exit code of a program that Ctrl+C has ended

# The sections of `--help`: for each command its module in this folder and its function, and the
# first sentence of its help, which is here too so that `--help` needn't import all commands.
SECTIONS = {
    "Getting started": {"demo": ("ingest.demo", "Index the demo corpus and run three queries.")},
    "Corpus": {
        "ingest": ("ingest.ingest", "Add the answers in files to the index, or update them."),
        "export": ("upkeep.export", "Write the answers with all their columns."),
        "copy": (
            "upkeep.copy_",
            "Copy the answers of an index into another, with their vectors.",
        ),
        "delete": ("upkeep.delete", "Delete answers, and every trace of them."),
    },
    "Search": {
        "query": ("query_serve_mine.query", "Find the answers nearest to each TEXT."),
        "mine": ("query_serve_mine.mine", "Find all pairs of answers that say the same."),
    },
    "Plagiarism": {
        "plagiarism": (
            "plagiarism.plagiarism",
            "Find the pairs of answers that chance doesn't explain.",
        ),
        "compare": (
            "plagiarism.compare",
            "Show two answers side by side, and mark what they share.",
        ),
        "report": ("plagiarism.report_", "Write the findings to a single HTML page."),
        "decisions": (
            "plagiarism.decisions_",
            "List what was decided about findings, oldest decision first.",
        ),
    },
    "Groups and marks": {
        "cluster": ("cluster.cluster", "Group the answers that say the same."),
        "grade": ("grade.grade", "Suggest marks for ungraded answers from the graded ones."),
    },
    "Web": {
        "serve": ("query_serve_mine.serve", "Search, review, grade and upload in the browser.")
    },
    "Models": {
        "train": ("train_evaluate.train", "Train a model on pairs of answers, and evaluate it."),
        "evaluate": ("train_evaluate.evaluate", "Compare models on your own texts."),
        "reindex": (
            "upkeep.reindex",
            "Embed all answers again with another model, or with the same in another precision.",
        ),
    },
    "Upkeep": {
        "status": ("upkeep.status", "Show what the index contains."),
        "verify": ("upkeep.verify", "Check the whole index for damage."),
        "rebuild": ("upkeep.rebuild", "Rebuild the FAISS file and the full text."),
    },
}
COMMANDS = {name: entry for section in SECTIONS.values() for name, entry in section.items()}


class Commands(click.Group):
    """The group of all commands, which turns an error into a message and an exit code."""

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401
        """Run a command; on an error, print one line and exit with its code."""
        try:
            check_open_files(OPEN_FILES)
            check_address_space("every command", *MEGABYTES)
            return super().invoke(ctx)
        except SearchkitError as error:
            print_message(f"searchkit: {with_options(error.message, ctx)}")
            ctx.exit(error.exit_code)
        except UnicodeEncodeError as error:
            text = error.object[max(error.start - 30, 0) : error.end + 30]
            print_message(f"searchkit: {text!r} is not UTF-8; write it in UTF-8")
            ctx.exit(1)
        except click.UsageError as error:
            from searchkit.output.console import visible

            # It may quote an argument, such as a file's name.
            raise click.UsageError(visible(error.format_message()), error.ctx) from error
        except KeyboardInterrupt as interrupt:
            print_message("; ".join(["searchkit: interrupted", *map(str, interrupt.args)]))
            ctx.exit(INTERRUPTED)
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise
        except Exception as error:
            if os.environ.get("SEARCHKIT_DEBUG"):
                raise
            print_message(f"searchkit: {_explanation(error)}")
            ctx.exit(1)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands in the order of their sections."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command, importing its module; None if there is none with this name."""
        return self.load(cmd_name) if cmd_name in COMMANDS else None

    def load(self, name: str) -> click.Command:
        """Return the command with this name, importing its module at the first time."""
        if name not in self.commands:
            module, function = COMMANDS[name][0].split(".")
            self.add_command(getattr(import_module(f"searchkit.cli.{module}"), function))
        return self.commands[name]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands in their sections, with the descriptions in one column."""
        width = max(map(len, COMMANDS))
        for title, commands in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(n.ljust(width), text) for n, (_, text) in commands.items()])


def _explanation(error: Exception) -> str:
    """Return the line for an error of the system or of a library."""
    if type(error).__name__ == "OutOfMemoryError":  # torch's: importing it takes seconds
        return GPU_IS_FULL
    if isinstance(error, MemoryError) or any(text in str(error) for text in _NO_MEMORY):
        return MEMORY_IS_FULL
    match getattr(error, "errno", None):
        case errno.ENOMEM:
            return MEMORY_IS_FULL
        case errno.EMFILE | errno.ENFILE:
            return FILES_ARE_OPEN
        case errno.ENOSPC | errno.EDQUOT | errno.EFBIG | errno.EIO | errno.EBADF as code:
            name = getattr(error, "filename", None) or "standard output"
            return f"{name}: can't be written ({os.strerror(code)})"
    return f"internal error ({type(error).__name__}: {error}); {REPORT}"


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="searchkit")
def main() -> None:
    """Search a corpus of answers by meaning: offline, exact, with evidence."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
