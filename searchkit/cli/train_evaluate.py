"""The commands train and evaluate."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from searchkit.cli.options import (
    MODEL_NAMES,
    command,
    device_option,
    exactly_one,
    file_encoding_option,
    folder_option,
    needs,
    option,
    option_group,
    output_options,
    sheet_option,
)
from searchkit.cli.session import (
    Output,
    check_folder_of,
    listen,
    log,
    open_folder,
    open_output,
    progress_bar,
    with_options,
    write_result,
)

if TYPE_CHECKING:
    from searchkit.encoding.devices.finding import Device
    from searchkit.encoding.encoder import Encoder
    from searchkit.evaluation.comparison import Evaluation
    from searchkit.sources.labelled import SentencePair
    from searchkit.training.settings import TrainingSettings


@dataclass(frozen=True)
class PairFiles:
    """How the files of pairs are read.

    Attributes:
        encoding: Their encoding; None to find it by their bytes.
        sheet: The sheet of a workbook.
    """

    encoding: str | None
    sheet: str | None


@dataclass(frozen=True)
class IndexedPairs:
    """Which pairs of an index to train on.

    Attributes:
        source: `graded`, `reviewed` or `clusters`; None to use no index.
        folder: The folder of the index.
        column: For `graded`, the column with the marks.
        good: The labels of good answers in that column, if marks aren't numbers.
    """

    source: str | None
    folder: Path
    column: str | None
    good: Sequence[str]


@dataclass(frozen=True)
class ModelOptions:
    """The model to train, and the files to write.

    Attributes:
        model: The model to begin with; None for the default.
        target: The folder for the trained model.
        overwrite: Whether an existing folder is replaced.
        save_held_out: The file for the held-out pairs; None to write none.
    """

    model: str | None
    target: Path
    overwrite: bool
    save_held_out: Path | None


def _settings(recipe: str, **changes: object) -> TrainingSettings:
    """Return the settings of a recipe, changed by the options that aren't None."""
    from searchkit.training.settings import with_recipe

    return with_recipe(recipe, changes)


@command()
@click.argument("files", nargs=-1, metavar="[PAIRS...]")
@option_group(
    "Models",
    option(
        "-o",
        "--output",
        "target",
        required=True,
        type=click.Path(path_type=Path),
        metavar="DIR",
        help="The folder to write the trained model to.",
    ),
    option("--overwrite", is_flag=True, help="Replace the folder if it exists."),
    option(
        "--model",
        metavar="MODEL",
        help="The model to begin with: default, or a folder or hub name of sentence-transformers.",
    ),
    option(
        "--save-held-out",
        type=click.Path(dir_okay=False, path_type=Path),
        metavar="FILE",
        help="Write the held-out pairs to this file, for searchkit evaluate --pairs FILE.",
    ),
    argument="models",
    record=ModelOptions,
)
@option_group(
    "Pairs from files", file_encoding_option, sheet_option, argument="reading", record=PairFiles
)
@option_group(
    "Pairs from an index",
    option(
        "--from-index",
        "source",
        type=click.Choice(["graded", "reviewed", "clusters"]),
        help="Make the pairs from the index: from its graded answers (--column), from the "
        "findings that were confirmed or dismissed, or from its clusters.",
    ),
    folder_option,
    option("--column", metavar="NAME", help="The column with the marks, for graded answers."),
    option(
        "--good",
        metavar="LABEL",
        multiple=True,
        help="A label of good answers in --column, if marks aren't numbers. Can be repeated.",
    ),
    argument="indexed",
    record=IndexedPairs,
)
@option_group(
    "Training",
    option(
        "--recipe",
        type=click.Choice(["default", "card"]),
        default="default",
        show_default=True,
        help="card: as published on the model's card; every pair is a positive.",
    ),
    option(
        "--loss",
        type=click.Choice(["joint", "cosent", "mnrl", "online-contrastive"]),
        help="The loss function.  [default: that of the recipe]",
    ),
    option("--epochs", type=int, help="How often each pair is seen.  [default: 2]"),
    option("--batch-size", type=int, help="Pairs in a step.  [default: 16]"),
    option("--learning-rate", type=float, help="The learning rate at the start.  [default: 5e-5]"),
    option(
        "--positive-from",
        type=float,
        help="The lowest label of a positive, for all losses but cosent.  [default: 6 of 10]",
    ),
    option("--max-label", type=float, help="The highest possible label.  [default: 10]"),
    option("--max-tokens", type=int, help="Tokens that the model reads.  [default: 128]"),
    option(
        "--held-out",
        type=float,
        help="Share of the pairs, by question, to evaluate on.  [default: 0.2]",
    ),
    option(
        "--prepare",
        type=click.Choice(["keywords"]),
        help="Reduce texts to this before the model reads them, now and whenever it is used; "
        "made for English.",
    ),
    option("--seed", type=int, help="Seed of all random choices.  [default: 42]"),
    argument="settings",
    record=_settings,
)
@output_options("table", "json", "csv", to_file=False)
@exactly_one("PAIRS", "--from-index")
@needs("--encoding", "PAIRS")
@needs("--sheet", "PAIRS")
def train(
    files: Sequence[str],
    reading: PairFiles,
    indexed: IndexedPairs,
    models: ModelOptions,
    settings: TrainingSettings,
    output: Output,
) -> None:
    """Train a model on pairs of answers, and evaluate it.

    PAIRS are files with the columns sentence_0, sentence_1, label (from 0, nothing in common, to
    10) and optionally question. Whole questions are held out, and the models before and after
    training are evaluated on them. An interrupted training continues when the command is run
    again.
    Needs: pip install 'searchkit[train]'
    """
    from searchkit.evaluation.evaluate import evaluate_pairs
    from searchkit.output.evaluation import describe_training
    from searchkit.output.files import write_csv
    from searchkit.sources.labelled import PAIR_COLUMNS
    from searchkit.training import train as training

    if (indexed.column is not None) != (indexed.source == "graded"):
        raise click.UsageError("--from-index graded and --column go together")
    say = listen(quiet=output.quiet)
    if models.save_held_out and models.target not in models.save_held_out.parents:
        check_folder_of(models.save_held_out)
    pairs = _training_pairs(files, reading, indexed, settings.max_label, quiet=output.quiet)
    with progress_bar("steps", quiet=output.quiet) as progress:
        trained = training.train(
            pairs,
            models.target,
            model=models.model,
            settings=settings,
            overwrite=models.overwrite,
            progress=progress,
        )
    for line in describe_training(trained):
        say(line)
    if models.save_held_out:
        with open_output(models.save_held_out) as out:
            write_csv(map(asdict, trained.held_out), PAIR_COLUMNS, out)
    if trained.held_out:
        with progress_bar("texts", quiet=output.quiet) as progress:
            encoders = _load_encoders([models.model, str(models.target)], say)
            evaluated = evaluate_pairs(trained.held_out, encoders, progress=progress)
        _write_evaluated(evaluated, output)


def _training_pairs(
    files: Sequence[str],
    reading: PairFiles,
    indexed: IndexedPairs,
    max_label: float,
    *,
    quiet: bool,
) -> list[SentencePair]:
    """Read the pairs from the files, or make them from the index if there are no files."""
    from searchkit.sources.labelled import read_pairs
    from searchkit.training.pairs import (
        pairs_from_clusters,
        pairs_from_decisions,
        pairs_from_grades,
    )

    if files:
        return read_pairs(
            files, max_label=max_label, encoding=reading.encoding, sheet=reading.sheet
        )
    with open_folder(indexed.folder, quiet=quiet) as index:
        if indexed.source == "reviewed":
            return pairs_from_decisions(index, max_label=max_label)
        if indexed.column is None:
            return pairs_from_clusters(index, max_label=max_label)
        return pairs_from_grades(index, indexed.column, good=indexed.good, max_label=max_label)


@dataclass(frozen=True)
class EvaluationData:
    """What models are evaluated on: exactly one of `pairs`, `corpus` and `qrels`.

    Attributes:
        pairs: Files with pairs of texts.
        corpus: Files with answers.
        qrels: A folder with a retrieval task.
        positive_from: The lowest label of a positive pair; None for 60 % of the highest.
        label_column: The column of the corpus with the labels that clusters should reproduce.
        copies: A file with known copies in the corpus.
        encoding: The encoding of the files of pairs or answers.
        sheet: The sheet of a workbook among them.
    """

    pairs: Sequence[str]
    corpus: Sequence[str]
    qrels: Path | None
    positive_from: float | None
    label_column: str | None
    copies: str | None
    encoding: str | None
    sheet: str | None


@command()
@option(
    "--model",
    "models",
    multiple=True,
    metavar="MODEL",
    help=f"{MODEL_NAMES}. Can be repeated: the others are compared with the first.  "
    "[default: default]",
)
@option_group(
    "Data",
    option(
        "--pairs",
        multiple=True,
        metavar="FILE",
        help="Evaluate on pairs of texts: columns sentence_0, sentence_1, label. Can be repeated.",
    ),
    option(
        "--corpus",
        multiple=True,
        metavar="FILE",
        help="Evaluate on answers, in a file as for ingest. Can be repeated.",
    ),
    option(
        "--qrels",
        type=click.Path(file_okay=False, path_type=Path),
        metavar="FOLDER",
        help="Evaluate retrieval: corpus.jsonl, queries.jsonl and qrels/*.tsv, as in BEIR.",
    ),
    option(
        "--positive-from",
        type=float,
        help="For --pairs: the lowest label of a positive pair.  [default: 60 % of the highest]",
    ),
    option(
        "--label-column",
        metavar="NAME",
        help="For --corpus: the column with the labels that clusters should reproduce.",
    ),
    option(
        "--copies",
        metavar="FILE",
        help="For --corpus: known copies, with the columns copy and source (ids).",
    ),
    file_encoding_option,
    sheet_option,
    argument="data",
    record=EvaluationData,
)
@option_group(
    "Confidence intervals",
    option(
        "--resamples",
        type=int,
        default=1000,
        show_default=True,
        help="Number of bootstrap resamples.",
    ),
    option(
        "--seed",
        type=int,
        default=0,
        show_default=True,
        help="Seed of the resamples and of all samples.",
    ),
)
@option_group("Computing", device_option)
@output_options("table", "json", "csv")
@exactly_one("--pairs", "--corpus", "--qrels")
@needs("--positive-from", "--pairs")
@needs("--label-column", "--corpus")
@needs("--copies", "--corpus")
def evaluate(
    models: Sequence[str],
    data: EvaluationData,
    resamples: int,
    seed: int,
    device: Device,
    output: Output,
) -> None:
    """Compare models on your own texts.

    The texts are labelled pairs, a corpus of answers, or queries with their relevant documents.
    Every figure has a 95 % confidence interval; a difference to the first model is called chance
    if its interval contains 0.
    """
    from searchkit.evaluation.evaluate import evaluate_pairs, evaluate_retrieval
    from searchkit.sources.labelled import read_pairs, read_qrels

    say = listen(quiet=output.quiet)
    encoders = _load_encoders(models or [None], say, device)
    with progress_bar("texts", quiet=output.quiet) as progress:
        drawing: dict[str, Any] = {"resamples": resamples, "seed": seed, "progress": progress}
        if data.pairs:
            pairs = read_pairs(data.pairs, max_label=None, encoding=data.encoding, sheet=data.sheet)
            evaluated = evaluate_pairs(pairs, encoders, positive_from=data.positive_from, **drawing)
        elif data.qrels is not None:
            task = read_qrels(data.qrels)
            log.info("judgements: %s", ", ".join(task.files))
            evaluated = evaluate_retrieval(
                task.corpus, task.queries, task.qrels, encoders, **drawing
            )
        else:
            evaluated = _evaluate_on_corpus(data, encoders, drawing)
    _write_evaluated(evaluated, output)


def _evaluate_on_corpus(
    data: EvaluationData, encoders: Iterator[Encoder], drawing: dict[str, Any]
) -> Evaluation:
    from searchkit.evaluation.evaluate import evaluate_corpus
    from searchkit.sources.labelled import read_copies
    from searchkit.sources.reader import read_answers

    answers = list(read_answers(data.corpus, encoding=data.encoding, sheet=data.sheet))
    copies: list[tuple[str, str]] = []
    if data.copies is not None:
        listed = read_copies([data.copies], {answer.id for answer in answers})
        copies = listed.pairs
        if listed.others:
            log.info("%s listed pairs are of a kind that is no copy", f"{listed.others:,}")
    return evaluate_corpus(
        answers, encoders, label_column=data.label_column, copies=copies, **drawing
    )


def _write_evaluated(evaluated: Evaluation, output: Output) -> None:
    from dataclasses import replace

    from searchkit.output import evaluation as writing

    missing = {figure: with_options(reason) for figure, reason in evaluated.missing.items()}
    evaluated = replace(evaluated, missing=missing)
    write_result(
        output,
        table=lambda out: writing.print_evaluation(evaluated, out),
        document=evaluated.to_record,
        records=lambda: [evaluated.to_record()],
        rows=evaluated.iter_records,
        columns=writing.COLUMNS,
    )


def _load_encoders(
    names: Sequence[str | None], say: Callable[[str], None], device: Device = "auto"
) -> Iterator[Encoder]:
    """Return an iterator that loads one model after another; all folders are checked first."""
    from searchkit.encoding.loading import load_encoder
    from searchkit.encoding.models.names import find_model

    folders = [find_model(name) for name in names]
    return (
        load_encoder(folder.name, fingerprint=folder.fingerprint, device=device, notify=say)
        for folder in folders
    )
