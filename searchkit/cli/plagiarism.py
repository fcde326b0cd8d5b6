"""The commands plagiarism, compare, report and decisions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from searchkit.cli.options import (
    Function,
    PlaceType,
    RunnerOptions,
    by_option,
    command,
    comparison_filter_options,
    exactly_one,
    excludes,
    index_option,
    messages_options,
    needs,
    option,
    option_group,
    output_options,
    runner_device_option,
    runner_options,
)
from searchkit.cli.session import (
    Output,
    log,
    open_output,
    open_reader,
    open_writer,
    print_result,
    progress_bar,
    write_result,
)
from searchkit.core.errors import SearchkitError
from searchkit.core.where import Where
from searchkit.index.locations import Place, open_index
from searchkit.plagiarism.records import MAX_EXPECTED, PlagiarismOptions

if TYPE_CHECKING:
    from searchkit.core.records import Answer, By
    from searchkit.index.base import BaseIndex

template_option = option(
    "--template",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="A text that all students were given: sharing it is no evidence.",
)
reference_option = option(
    "--reference-was-given",
    is_flag=True,
    help="The students had the reference answers, too: sharing them is no evidence.",
)
encoding_option = option(
    "--encoding",
    metavar="NAME",
    help="The encoding of these texts.  [default: by their bytes]",
)
against_option = option(
    "--against",
    type=PlaceType(),
    metavar="INDEX",
    help="Also compare with the answers of this earlier index; their ids are shown as NAME:ID.",
)


sources_option = option(
    "--sources",
    type=click.Path(path_type=Path),
    multiple=True,
    metavar="FILE|FOLDER",
    help="Texts that students may have taken from, each file one, each row of a table one: pages, "
    "chapters, last year's solutions, answers by a chat-bot; can be repeated.",
)


@dataclass(frozen=True)
class FindingOptions:
    """`PlagiarismOptions` as they are given: the template and the earlier index by their paths."""

    by: By | None
    template: Path | None
    encoding: str | None
    reference_was_given: bool
    against: Place | None
    sources: tuple[Path, ...]
    max_expected: float | None
    fdr: float | None
    max_common: int | None

    @contextmanager
    def opened(self, where: Where) -> Iterator[PlagiarismOptions]:
        """Read template and sources, and open the earlier index until the end of the `with`."""
        with _open_earlier(self.against) as earlier:
            template = _read_template(self.template, self.encoding)
            yield PlagiarismOptions(
                self.by,
                where,
                template,
                earlier,
                MAX_EXPECTED if self.max_expected is None else self.max_expected,
                self.max_common,
                reference_was_given=self.reference_was_given,
                fdr=self.fdr,
                sources=_read_sources(self.sources, self.encoding),
            )


finding_options: Callable[[Function], Function] = option_group(
    "Findings",
    by_option,
    template_option,
    encoding_option,
    reference_option,
    against_option,
    sources_option,
    option(
        "--max-expected",
        type=float,
        metavar="N",
        help="Report pairs with at most this many expected by chance in their question.  "
        f"[default: {MAX_EXPECTED}]",
    ),
    option(
        "--fdr",
        type=float,
        metavar="SHARE",
        help="Report as many pairs as keep the share of those by chance, in the whole list, at "
        "most this; not with --max-expected.",
    ),
    option(
        "--max-common",
        type=int,
        metavar="N",
        help="What more than N answers to a question share is no evidence.  "
        "[default: half of them]",
    ),
    argument="options",
    record=FindingOptions,
)


@command()
@index_option
@finding_options
@runner_options
@runner_device_option
@comparison_filter_options
@output_options("table", "json", "jsonl", "csv")
@needs("--encoding", "--template", "--sources")
@excludes("--fdr", "--max-expected")
def plagiarism(
    folder: Place, options: FindingOptions, runner: RunnerOptions, where: Where, output: Output
) -> None:
    """Find the pairs of answers that chance doesn't explain.

    The pairs are by different authors, most significant first, each with the evidence. What the
    question's own text or a template says is no evidence. With --question, --author or
    --where a finding has at least one such answer. A finding is a reason to look, not a proof.
    """
    from searchkit.output.plagiarism import findings
    from searchkit.plagiarism.find import find_with_options
    from searchkit.runners.opening import open_runner

    with (
        open_reader(folder, quiet=output.quiet, where=where) as index,
        options.opened(where) as opened,
    ):
        index.use_device(runner.device)
        with (
            open_runner(runner.runner, runner.shards) as workers,
            progress_bar("questions", quiet=output.quiet) as progress,
        ):
            result = find_with_options(index, opened, runner=workers, progress=progress)
        for line in findings.describe_compared_answers(result):
            log.info(line)
        write_result(
            output,
            table=lambda out: findings.print_plagiarism(result, out),
            document=result.to_record,
            records=lambda: findings.plagiarism_as_records(result),
            rows=lambda: findings.plagiarism_as_rows(result),
            columns=findings.COLUMNS,
        )


@contextmanager
def _open_earlier(place: Place | None) -> Iterator[BaseIndex | None]:
    """Open the index of --against, if there is one."""
    if place is None:
        yield None
        return
    with open_index(place) as index:
        yield index


def _read_template(path: Path | None, encoding: str | None) -> str:
    """Return the text of --template, or "" without one."""
    if path is None:
        return ""
    from searchkit.sources.files import read_text

    return read_text(path, encoding)


def _read_sources(paths: Sequence[Path], encoding: str | None) -> tuple[Answer, ...]:
    """Return the texts of --sources."""
    if not paths:
        return ()
    from searchkit.sources.known import read_known_sources

    return tuple(read_known_sources(paths, encoding))


@command()
@click.argument("left", metavar="ID")
@click.argument("right", metavar="ID")
@index_option
@template_option
@encoding_option
@reference_option
@against_option
@output_options("table", "json")
@needs("--encoding", "--template")
def compare(
    left: str,
    right: str,
    folder: Place,
    template: Path | None,
    encoding: str | None,
    reference_was_given: bool,
    against: Place | None,
    output: Output,
) -> None:
    """Show two answers side by side, and mark what they share.

    Verbatim and reworded passages are marked differently, and the numbers are explained in words.
    """
    from searchkit.output.files import write_json
    from searchkit.output.plagiarism import findings
    from searchkit.plagiarism.compare import compare as compare_answers

    with open_reader(folder, quiet=output.quiet) as index, _open_earlier(against) as earlier:
        given = _read_template(template, encoding)
        comparison = compare_answers(
            index,
            left,
            right,
            template=given,
            reference_was_given=reference_was_given,
            against=earlier,
        )
    with open_output(output.path) as out:
        if output.format == "json":
            write_json(comparison.to_record(), out)
        else:
            findings.print_comparison(comparison, out)


@dataclass(frozen=True)
class ReportOptions:
    """What `report` writes, or which report it verifies."""

    output: Path | None
    verify: Path | None
    anonymous: bool
    parts: tuple[str, ...]


# What the manifest of a report holds, so that it can't be given once more.
MANIFEST_OPTIONS = (
    "--by",
    "--reference-was-given",
    "--max-expected",
    "--fdr",
    "--max-common",
    "--attempts",
)


@command("report")
@index_option
@option_group(
    "Report",
    option(
        "-o",
        "--output",
        type=click.Path(path_type=Path),
        metavar="FILE.html",
        help="The page to write; the same data are written to FILE.json beside it.",
    ),
    option(
        "--verify",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="Check a report, a page or JSON: whether this index still gives it with the settings "
        "in it. Give a template, an earlier index and known sources again.",
    ),
    option(
        "--anonymous",
        is_flag=True,
        help="Replace ids and all names that are known, from columns, too: author 1, answer 1, and "
        "so on. Nicknames and misspelt names can't be known.",
    ),
    option(
        "--with",
        "parts",
        type=click.Choice(("clusters",)),
        multiple=True,
        help="Add the clusters of each question: the answers that say the same.",
    ),
    argument="wanted",
    record=ReportOptions,
)
@finding_options
@comparison_filter_options
@messages_options
@needs("--encoding", "--template", "--sources")
@excludes("--fdr", "--max-expected")
@exactly_one("--output", "--verify")
@excludes("--verify", "--anonymous", "--with", *MANIFEST_OPTIONS)
def report_(
    folder: Place,
    wanted: ReportOptions,
    options: FindingOptions,
    where: Where,
    quiet: bool,
) -> None:
    """Write the findings to a single HTML page.

    Its first page counts the findings and lists the strongest; then come all of them by question
    with both answers side by side, and groups of students. It works offline and can be printed. The
    options are those of plagiarism; questions without an answer that passes the filter are left
    out.
    """
    if wanted.verify:
        return _verify_report(folder, wanted.verify, options, where, quiet=quiet)
    from searchkit.pages.reports.make import check_output, make_report
    from searchkit.pages.reports.page import report_as_page
    from searchkit.pages.reports.report_json import as_json

    assert wanted.output
    json_path = check_output(wanted.output)
    with (
        open_reader(folder, quiet=quiet, where=where) as index,
        options.opened(where) as opened,
    ):
        with progress_bar("questions", quiet=quiet) as progress:
            report = make_report(
                index,
                opened,
                anonymous=wanted.anonymous,
                with_clusters="clusters" in wanted.parts,
                progress=progress,
            )
    for path, write in ((json_path, as_json), (wanted.output, report_as_page)):
        with open_output(path) as out:
            out.write(write(report))
    log.info("%s and %s are written", wanted.output, json_path)


def _verify_report(
    folder: Place, path: Path, options: FindingOptions, where: Where, *, quiet: bool
) -> None:
    """Print whether an index gives a report; exit with 1 and what differs if not."""
    from searchkit.output.console import visible
    from searchkit.pages.reports.verify import verify_report

    with (
        open_reader(folder, quiet=quiet, where=where) as index,
        options.opened(where) as opened,
        progress_bar("questions", quiet=quiet) as progress,
    ):
        differences = verify_report(index, path, opened, progress=progress)
    for line in differences:
        print_result(visible(line))
    if differences:
        raise SearchkitError(f"{path}: {folder} gives another report")
    print_result(f"{path}: {folder} gives the same report")


@command("decisions")
@index_option
@option(
    "--import",
    "imported",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Store the decisions in this JSON file first: saved in a report, or exported here.",
)
@output_options("table", "json", "jsonl", "csv")
def decisions_(folder: Place, imported: Path | None, output: Output) -> None:
    """List what was decided about findings, oldest decision first.

    Findings are confirmed or dismissed in searchkit serve or in a report, or the student is to be
    asked, each with a note. A decision about an answer whose text has changed since is stale, and
    the pair is open again.
    """
    from searchkit.core.messages import counted
    from searchkit.index.decisions import decisions, import_decisions
    from searchkit.output.plagiarism import findings

    if imported is not None:
        with open_writer(folder, quiet=output.quiet) as index:
            log.info("%s stored", counted(import_decisions(index, imported), "decision"))
    with open_reader(folder, quiet=output.quiet) as index:
        decided = list(decisions(index).values())
    write_result(
        output,
        table=lambda out: findings.print_decisions(decided, out),
        records=lambda: map(findings.decision_as_record, decided),
        rows=lambda: map(findings.decision_as_record, decided),
        columns=findings.DECISION_COLUMNS,
    )
