"""The commands train and evaluate."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from searchkit.cli.options import folder_option, format_option, output_option, quiet_option
from searchkit.cli.session import listen, log, open_folder, open_output, progress_bar, write_result

if TYPE_CHECKING:
    from searchkit.encoding.encoder import Encoder
    from searchkit.evaluation.comparison import Evaluation
    from searchkit.sources.labelled import SentencePair


@click.command()
@click.argument("files", nargs=-1, metavar="[PAIRS...]")
@click.option(
    "-o",
    "--output",
    "target",
    required=True,
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="The model folder to make.",
)
@click.option(
    "--from-index",
    "source",
    type=click.Choice(["graded", "reviewed", "clusters"]),
    help="Make the pairs from the index: its graded answers (--column), the findings that were "
    "confirmed or dismissed, or its clusters.",
)
@folder_option
@click.option("--column", metavar="NAME", help="The column with the marks, for graded answers.")
@click.option(
    "--good",
    metavar="LABEL",
    multiple=True,
    help="Which labels of --column are good answers, where they aren't numbers; repeatable.",
)
@click.option("--model", metavar="MODEL", help="What to begin with: a folder or a hub name.")
@click.option(
    "--recipe",
    type=click.Choice(["default", "card"]),
    default="default",
    show_default=True,
    help="card: the published one, in which every pair is a positive.",
)
@click.option(
    "--loss",
    type=click.Choice(["joint", "cosent", "mnrl", "online-contrastive"]),
    help="What is learned from a pair.  [default: by the recipe]",
)
@click.option("--epochs", type=int, help="How often each pair is seen.  [default: 2]")
@click.option("--batch-size", type=int, help="Pairs in a step.  [default: 16]")
@click.option("--learning-rate", type=float, help="At the beginning.  [default: 5e-5]")
@click.option(
    "--positive-from",
    type=float,
    help="The least label of a positive, for all losses but cosent.  [default: 6 of 10]",
)
@click.option("--max-label", type=float, help="The greatest label there can be.  [default: 10]")
@click.option("--max-tokens", type=int, help="Tokens that the model reads.  [default: 128]")
@click.option(
    "--held-out",
    type=float,
    help="Share of the pairs, by question, to measure with.  [default: 0.2]",
)
@click.option(
    "--prepare",
    type=click.Choice(["keywords"]),
    help="Let the model read texts in this form, now and always.",
)
@click.option("--seed", type=int, help="Of all that is drawn by lot.  [default: 42]")
@click.option(
    "--save-held-out",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write the pairs that were held out, for: searchkit evaluate --pairs FILE",
)
@click.option("--overwrite", is_flag=True, help="Replace the folder if it is there.")
@format_option("table", "json", "csv")
@quiet_option
def train(
    files: Sequence[str],
    target: Path,
    source: str | None,
    folder: Path,
    column: str | None,
    good: Sequence[str],
    model: str | None,
    recipe: str,
    save_held_out: Path | None,
    overwrite: bool,
    form: str,
    quiet: bool,
    **options: Any,  # noqa: ANN401
) -> None:
    """Train a model on pairs of answers, and measure what that gave.

    PAIRS are files with the columns sentence_0, sentence_1, label (0: nothing in common, to 10)
    and, if there is one, question. Whole questions are held out, and both models measured on them.
    A killed training goes on when the command is run again. Needs: pip install 'searchkit[train]'
    """
    from dataclasses import asdict

    from searchkit.evaluation.evaluate import evaluate_pairs
    from searchkit.output.evaluation import what_was_trained
    from searchkit.output.files import write_csv
    from searchkit.sources.labelled import COLUMNS
    from searchkit.training.settings import with_recipe
    from searchkit.training.train import train as run

    if bool(files) == bool(source):
        raise click.UsageError("name files with pairs, or say --from-index; one of them")
    if (column is not None) != (source == "graded"):
        raise click.UsageError("--from-index graded and --column go together")
    say = listen(quiet=quiet)
    settings = with_recipe(recipe, options)
    pairs = _pairs(files, source, folder, column, good, settings.max_label, quiet=quiet)
    with progress_bar("steps", quiet=quiet) as advance:
        trained = run(
            pairs,
            target,
            model=None if model == "default" else model,
            settings=settings,
            overwrite=overwrite,
            progress=advance,
        )
    for line in what_was_trained(trained):
        say(line)
    if save_held_out:
        with open_output(save_held_out) as out:
            write_csv(map(asdict, trained.held_out), COLUMNS, out)
    if trained.held_out:
        with progress_bar("texts", quiet=quiet) as advance:
            encoders = _encoders([model or "default", str(target)], say)
            found = evaluate_pairs(trained.held_out, encoders, progress=advance)
        _write_evaluated(found, form, None)


def _pairs(
    files: Sequence[str],
    source: str | None,
    folder: Path,
    column: str | None,
    good: Sequence[str],
    max_label: float,
    *,
    quiet: bool,
) -> list[SentencePair]:
    from searchkit.sources.labelled import read_pairs
    from searchkit.training.pairs import (
        pairs_from_clusters,
        pairs_from_decisions,
        pairs_from_grades,
    )

    if files:
        return read_pairs(files, max_label=max_label)
    with open_folder(folder, quiet=quiet) as index:
        if source == "reviewed":
            return pairs_from_decisions(index, max_label=max_label)
        if column is None:
            return pairs_from_clusters(index, max_label=max_label)
        return pairs_from_grades(index, column, good=good, max_label=max_label)


@click.command()
@click.option(
    "--pairs",
    multiple=True,
    metavar="FILE",
    help="Measure on pairs of texts: columns sentence_0, sentence_1, label; repeatable.",
)
@click.option(
    "--corpus",
    multiple=True,
    metavar="FILE",
    help="Measure on answers, as ingest reads them; repeatable.",
)
@click.option(
    "--qrels",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Measure retrieval: corpus.jsonl, queries.jsonl and qrels/*.tsv, as BEIR has them.",
)
@click.option(
    "--model",
    "models",
    multiple=True,
    metavar="MODEL",
    help="A model as for ingest, or default; repeatable, compared with the first.",
)
@click.option(
    "--positive-from",
    type=float,
    help="Of --pairs: the least label of a positive pair.  [default: 60 % of the largest]",
)
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
    pairs: Sequence[str],
    corpus: Sequence[str],
    qrels: Path | None,
    models: Sequence[str],
    form: str,
    output: Path | None,
    quiet: bool,
    **options: Any,  # noqa: ANN401
) -> None:
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
    say = listen(quiet=quiet)
    found = _measured(pairs, corpus, qrels, _encoders(models or ["default"], say), options, quiet)
    _write_evaluated(found, form, output)


def _write_evaluated(found: Evaluation, form: str, output: Path | None) -> None:
    from searchkit.output.evaluation import (
        COLUMNS,
        print_evaluated,
    )

    write_result(
        form,
        output,
        table=lambda out: print_evaluated(found, out),
        whole=found.to_record,
        records=lambda: [found.to_record()],
        rows=found.iter_records,
        columns=COLUMNS,
    )


def _encoders(names: Sequence[str], say: Callable[[str], None]) -> Iterator[Encoder]:
    """Load one model after another; all of them are looked at first."""
    from searchkit.encoding.loading import load_encoder
    from searchkit.encoding.model_folder import find_model

    folders = [find_model(None if name == "default" else name) for name in names]
    return (
        load_encoder(folder.name, fingerprint=folder.fingerprint, notify=say) for folder in folders
    )


def _measured(
    pairs: Sequence[str],
    corpus: Sequence[str],
    qrels: Path | None,
    encoders: Iterator[Encoder],
    options: dict[str, Any],
    quiet: bool,
) -> Evaluation:
    from searchkit.evaluation.evaluate import evaluate_corpus, evaluate_pairs, evaluate_retrieval
    from searchkit.sources.labelled import read_copies, read_pairs, read_qrels
    from searchkit.sources.reader import read_answers

    files = {name: options[name] for name in ("encoding", "sheet")}
    drawn = {name: options[name] for name in ("resamples", "seed")}
    with progress_bar("texts", quiet=quiet) as advance:
        if pairs:
            read = read_pairs(pairs, max_label=None, **files)
            least = options["positive_from"]
            return evaluate_pairs(read, encoders, positive_from=least, progress=advance, **drawn)
        if qrels is not None:
            judged = read_qrels(qrels)
            log.info("judgements: %s", ", ".join(judged.files))
            return evaluate_retrieval(
                judged.corpus, judged.queries, judged.qrels, encoders, progress=advance, **drawn
            )
        answers = list(read_answers(corpus, **files))
        copies: list[tuple[str, str]] = []
        if options["copies"] is not None:
            listed = read_copies([options["copies"]], {answer.id for answer in answers})
            copies = listed.pairs
            if listed.others:
                log.info("%s listed pairs are of a kind that is no copy", f"{listed.others:,}")
        return evaluate_corpus(
            answers,
            encoders,
            label_column=options["label_column"],
            copies=copies,
            progress=advance,
            **drawn,
        )
