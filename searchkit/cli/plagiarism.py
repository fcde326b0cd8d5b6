"""The commands plagiarism, compare, report and decisions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from searchkit.cli.options import (
    against_option,
    by_option,
    filter_options,
    format_option,
    index_option,
    max_common_option,
    max_expected_option,
    output_option,
    quiet_option,
    runner_options,
    template_option,
)
from searchkit.cli.session import (
    log,
    make_filter,
    open_output,
    open_reader,
    progress_bar,
    write_result,
)
from searchkit.index.locations import Place, open_index

if TYPE_CHECKING:
    from searchkit.index.base import BaseIndex


@click.command()
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
    folder: Place,
    by: Any,  # noqa: ANN401
    template: Path | None,
    against: Place | None,
    max_expected: float,
    max_common: int | None,
    question: str | None,
    author: str | None,
    sql: str | None,
    form: str,
    output: Path | None,
    quiet: bool,
    runner: str | None,
    shards: Path | None,
) -> None:
    """Find the pairs of answers that chance doesn't explain.

    By different authors, most surprising first, each with what a person can read in it. What the
    question, a reference answer or a template says counts for nothing. With --question, --author or
    --where a finding has at least one such answer. A finding is a reason to look, not a proof.
    """
    from searchkit.output import findings
    from searchkit.plagiarism.find import find_plagiarism
    from searchkit.runners.opening import open_runner

    with open_reader(folder, quiet=quiet) as index, _earlier(against) as before:
        with (
            open_runner(runner, shards) as workers,
            progress_bar("questions", quiet=quiet) as advance,
        ):
            found = find_plagiarism(
                index,
                by=by,
                where=make_filter(question, author, sql),
                template=_template(template),
                against=before,
                max_expected=max_expected,
                max_common=max_common,
                runner=workers,
                progress=advance,
            )
        for line in findings.what_was_compared(found):
            log.info(line)
        write_result(
            form,
            output,
            table=lambda out: findings.print_plagiarism(found, out),
            whole=found.to_record,
            records=lambda: findings.plagiarism_as_lines(found),
            rows=lambda: findings.plagiarism_as_rows(found),
            columns=findings.COLUMNS,
        )


@contextmanager
def _earlier(place: Place | None) -> Iterator[BaseIndex | None]:
    if place is None:
        yield None
        return
    with open_index(place) as index:
        yield index


def _template(path: Path | None) -> str:
    if path is None:
        return ""
    from searchkit.sources.reader import read_text

    return read_text(path)


@click.command()
@click.argument("left", metavar="ID")
@click.argument("right", metavar="ID")
@index_option
@template_option
@against_option
@format_option("table", "json")
@output_option
@quiet_option
def compare(
    left: str,
    right: str,
    folder: Place,
    template: Path | None,
    against: Place | None,
    form: str,
    output: Path | None,
    quiet: bool,
) -> None:
    """Put two answers side by side, and mark what they share.

    Verbatim passages and reworded ones are marked differently, and the numbers said in words.
    """
    from searchkit.output import findings
    from searchkit.output.files import write_json
    from searchkit.plagiarism.find import compare as run

    with open_reader(folder, quiet=quiet) as index, _earlier(against) as before:
        compared = run(index, left, right, template=_template(template), against=before)
    with open_output(output) as out:
        if form == "json":
            write_json(compared.to_record(), out)
        else:
            findings.print_comparison(compared, out)


@click.command("report")
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(path_type=Path),
    metavar="FILE.html",
    help="The page to write; the same as FILE.json beside it.",
)
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
    output: Path,
    anonymous: bool,
    folder: Place,
    by: Any,  # noqa: ANN401
    template: Path | None,
    against: Place | None,
    max_expected: float,
    max_common: int | None,
    question: str | None,
    author: str | None,
    sql: str | None,
    quiet: bool,
) -> None:
    """Write what was found into one page that opens anywhere.

    Findings by question with both answers side by side, the scores of each question, rings of
    authors and clusters. The page loads nothing and prints well. The options are those of
    plagiarism; questions without an answer that passes the filter are left out.
    """
    from searchkit.pages.report import check_output, make_report, report_as_page
    from searchkit.pages.report_json import as_json

    beside = check_output(output)
    with open_reader(folder, quiet=quiet) as index, _earlier(against) as before:
        with progress_bar("questions", quiet=quiet) as advance:
            made = make_report(
                index,
                by=by,
                where=make_filter(question, author, sql),
                template=_template(template),
                against=before,
                max_expected=max_expected,
                max_common=max_common,
                anonymous=anonymous,
                progress=advance,
            )
    for path, write in ((beside, as_json), (output, report_as_page)):
        with open_output(path) as out:
            out.write(write(made))
    log.info("%s and %s are written", output, beside)


@click.command(name="decisions")
@index_option
@format_option("table", "json", "jsonl", "csv")
@output_option
@quiet_option
def decisions_(folder: Place, form: str, output: Path | None, quiet: bool) -> None:
    """List what was decided about findings, in the order of deciding.

    Confirmed or dismissed in searchkit serve, with the reason; a decision about an answer whose
    text has changed since is stale, and the pair is open again.
    """
    from searchkit.index.decisions import decisions
    from searchkit.output import findings

    with open_reader(folder, quiet=quiet) as index:
        found = list(decisions(index).values())
    write_result(
        form,
        output,
        table=lambda out: findings.print_decisions(found, out),
        records=lambda: map(findings.decision_as_record, found),
        rows=lambda: map(findings.decision_as_record, found),
        columns=findings.DECISION_COLUMNS,
    )
