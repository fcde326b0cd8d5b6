"""Labelled texts from files: pairs with a label, lists of known copies, retrieval judgements."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from searchkit.core.errors import BadInput
from searchkit.core.messages import Message, listed
from searchkit.core.records import Answer
from searchkit.sources.columns import Columns, fold_name
from searchkit.sources.files import FileOptions
from searchkit.sources.reader import STDIN, read_files
from searchkit.text.numbers import Amount, parse_amount, parse_number

# Values of a list's column `kind` for pairs that are listed but are no copies.
NO_COPY_KINDS = frozenset({"honest", "inconsistent-mark"})
MAX_LABEL = 10.0
PAIR_COLUMNS = ["question", "sentence_0", "sentence_1", "label"]


# -- rows with prescribed columns ------------------------------------------------------------------


def read_columns(
    paths: Sequence[str | Path],
    text: str,
    others: Sequence[str],
    *,
    encoding: str | None = None,
    sheet: str | None = None,
) -> list[tuple[Answer, list[str]]]:
    """Read several columns of files by their names, in upper or lower case.

    Args:
        paths: As for `read_answers`.
        text: The column that becomes each answer's text.
        others: The other columns.
        encoding: As for `read_answers`.
        sheet: As for `read_answers`.

    Returns:
        For each row its answer and its values in `others`; "" for an empty cell. Never empty.

    Raises:
        BadInput: as `read_answers`; also if a file lacks one of the columns, or there are no rows.
    """
    options = FileOptions(Columns(text=text, fixed=True), encoding, sheet)
    answers = list(read_files(paths, options))
    rows: list[tuple[Answer, list[str]]] = []
    for _, group in groupby(answers, key=lambda answer: answer.source):
        file_answers = list(group)
        names = [_find_column(file_answers, text, name) for name in others]
        rows += [(answer, [answer.meta.get(name, "") for name in names]) for answer in file_answers]
    return rows


def _find_column(answers: Sequence[Answer], text: str, name: str) -> str:
    """Return the spelling of a column's name in one file.

    An answer's `meta` lacks the columns that are empty in its row: all answers are looked through.
    """
    names = list(dict.fromkeys(column for answer in answers for column in answer.meta))
    if name in names:
        return name
    similar = [column for column in names if fold_name(column) == fold_name(name)]
    if len(similar) == 1:
        return similar[0]
    fields = ("question", "author", "submitted_at")
    names += [field for field in fields if any(getattr(answer, field) for answer in answers)]
    reason = (
        f"no column {name!r} with anything in it; there are: {listed([text, *names])}; rename the "
        "one that is meant"
    )
    raise _error_at(answers[0], reason)


def _error_at(answer: Answer, reason: str) -> BadInput:
    return BadInput.at(answer.source or STDIN, answer.line, reason)


# -- copies ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Copies:
    """Which answers are copies of which.

    Attributes:
        pairs: The ids of copy and source, each pair once.
        others: Number of rows of a kind in `NO_COPY_KINDS`.
    """

    pairs: list[tuple[str, str]]
    others: int


def read_copies(paths: Sequence[str | Path], ids: Set[str]) -> Copies:
    """Read a list of copies.

    The columns `copy` and `source` hold ids; a column `kind` may say that a pair is no copy.

    Args:
        paths: Files of any format that `read_answers` reads.
        ids: The ids of all answers.

    Raises:
        BadInput: for a missing column, an unknown id, or an answer that is its own source.
    """
    pairs: dict[tuple[str, str], None] = {}
    others = 0
    for answer, (source,) in read_columns(paths, "copy", ["source"]):
        if answer.value("kind").strip().lower() in NO_COPY_KINDS:
            others += 1
            continue
        copy, source = answer.text.strip(), source.strip()
        for id in (copy, source):
            if id not in ids:
                raise _error_at(answer, f"no answer {id!r}")
        if copy == source:
            raise _error_at(answer, f"{copy!r} is no copy of itself")
        pairs[copy, source] = None
    return Copies(list(pairs), others)


# -- retrieval -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Retrieval:
    """A test collection: documents, queries, and relevance judgements.

    Attributes:
        corpus: Document id to its title and text.
        queries: Query id to its text.
        qrels: Query id to document id to relevance: 1 or more is relevant, 0 is not.
        files: The paths of the files with the judgements.
    """

    corpus: dict[str, str]
    queries: dict[str, str]
    qrels: dict[str, dict[str, float]]
    files: list[str]


def read_qrels(folder: str | Path) -> Retrieval:
    """Read a test collection in the layout of BEIR (Thakur et al., 2021).

    The folder holds `corpus.jsonl` (_id, title, text), `queries.jsonl` (_id, text) and the
    judgements (query-id, corpus-id, score): `qrels/test.tsv`, or else all of `qrels/*.tsv`, or else
    `qrels.tsv`. Of several judgements of a query and a document the highest counts.

    Raises:
        BadInput: for a missing file or column, an id that occurs twice, or a judgement of an
            unknown query or document.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise BadInput(f"{folder}: no such folder; it needs corpus.jsonl, queries.jsonl and qrels")
    corpus, queries = _texts(folder, "corpus.jsonl"), _texts(folder, "queries.jsonl")
    qrels: dict[str, dict[str, float]] = {}
    files = _qrels_files(folder)
    for row, (document, score) in read_columns(files, "query-id", ["corpus-id", "score"]):
        query = row.text
        gain = parse_number(score)
        reason = None
        if gain is None:
            reason = f"the score {score[:40]!r} is no number"
        elif query not in queries:
            reason = f"no query {query!r} in queries.jsonl"
        elif document not in corpus:
            reason = f"no document {document!r} in corpus.jsonl"
        if reason:
            raise _error_at(row, reason)
        judgements = qrels.setdefault(query, {})
        judgements[document] = max(gain or 0.0, judgements.get(document, 0.0))
    return Retrieval(corpus, queries, qrels, [str(path) for path in files])


def _qrels_files(folder: Path) -> list[Path]:
    files = sorted((folder / "qrels").glob("*.tsv"))
    if not files and (folder / "qrels.tsv").exists():
        files = [folder / "qrels.tsv"]
    if not files:
        raise BadInput(f"{folder}: no qrels/*.tsv and no qrels.tsv in it")
    return [path for path in files if path.stem == "test"] or files


def _texts(folder: Path, name: str) -> dict[str, str]:
    """Return id to text of `corpus.jsonl` or `queries.jsonl`, which may be gzipped."""
    path = next((p for p in (folder / name, folder / f"{name}.gz") if p.exists()), None)
    if path is None:
        raise BadInput(f"{folder}: no {name} in it")
    texts: dict[str, str] = {}
    for row in read_files([path], FileOptions(Columns(id="_id", text="text", fixed=True))):
        if row.id in texts:
            raise BadInput.at(str(path), row.line, f"the _id {row.id!r} comes twice")
        texts[row.id] = f"{row.value('title')} {row.text}".strip()
    return texts


# -- sentence pairs --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SentencePair:
    """Two texts and the similarity of their meanings, for training and evaluating a model.

    Attributes:
        sentence_0: The first text.
        sentence_1: The second text.
        label: The similarity: the higher, the more similar.
        question: The question that both texts answer; None if it isn't known.
    """

    sentence_0: str
    sentence_1: str
    label: float
    question: str | None = None


def read_pairs(
    paths: Sequence[str | Path],
    *,
    max_label: float | None = MAX_LABEL,
    encoding: str | None = None,
    sheet: str | None = None,
) -> list[SentencePair]:
    """Read sentence pairs: columns `sentence_0`, `sentence_1`, `label` and, optionally, `question`.

    A label such as 7/10 or 75 % is that share of the highest label.

    Args:
        paths: Files of any format that `read_answers` reads.
        max_label: The highest label, inclusive, where the lowest is 0; None allows any number, and
            leaves 7/10 as 7.
        encoding: As for `read_answers`.
        sheet: As for `read_answers`.

    Returns:
        The pairs, in the order of the files; at least one.

    Raises:
        BadInput: `file:line: what; what to do`, for a missing column, a blank sentence, or a label
            that can't be used.
    """
    if max_label is not None and not 0 < max_label < float("inf"):
        raise BadInput(
            Message("`max_label` must be a number above 0, not {number}", number=max_label)
        )
    rows = read_columns(
        paths, "sentence_0", ["sentence_1", "label"], encoding=encoding, sheet=sheet
    )
    pairs: list[SentencePair] = []
    totals: set[float] = set()
    for answer, (other, label) in rows:
        amount = parse_amount(label)
        reason = _blank_reason(answer.text, other) or _label_reason(label, amount, max_label)
        totals |= {amount.out_of} if amount and amount.out_of else set()
        if max_label is None and len(totals) > 1:
            first, other_total = sorted(totals)
            reason = (
                f"the label {label[:40]!r} and one above it are out of {first:g} and "
                f"{other_total:g}; write all of them out of the same"
            )
        if reason or amount is None:
            raise _error_at(answer, reason or label)
        pairs.append(SentencePair(answer.text, other, _scaled(amount, max_label), answer.question))
    return pairs


def _blank_reason(*sentences: str) -> str | None:
    """Return a message if one of the sentences is blank."""
    for number, sentence in enumerate(sentences):
        if not sentence.strip():
            return f"sentence_{number} is blank; leave out the row"
    return None


def _label_reason(label: str, amount: Amount | None, max_label: float | None) -> str | None:
    """Return a message if a label can't be used."""
    if amount is None:
        if not label.strip():
            return "the label is blank; write a number, or leave out the row"
        highest = "" if max_label is None else f" from 0, nothing in common, to {max_label:g}"
        return f"the label {label[:40]!r} is no number; write one{highest}"
    if max_label is not None and not 0 <= _scaled(amount, max_label) <= max_label:
        return Message(
            "the label {label} is not between 0 and {max_label:g} (`max_label`)",
            label=label.strip()[:40] if amount.out_of else f"{amount.value:g}",
            max_label=max_label,
        )
    return None


def _scaled(amount: Amount, max_label: float | None) -> float:
    """Return a label, as a share of the highest one if it says what it is out of."""
    if max_label is None or amount.out_of is None:
        return amount.value
    return round(amount.value / amount.out_of * max_label, 6)
