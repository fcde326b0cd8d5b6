"""Labelled texts from files: pairs with a label, lists of known copies, retrieval judgements."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from pathlib import Path

from searchkit.core.errors import BadInput
from searchkit.core.records import Answer
from searchkit.core.wording import Message, read_number
from searchkit.sources.columns import Columns
from searchkit.sources.reader import fixed_columns, read_answers, read_columns

# What a column `kind` calls pairs that are listed, but are no copies.
NO_COPIES = frozenset({"honest", "inconsistent-mark"})
# -- copies ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Copies:
    """Which answers are copies of which.

    Attributes:
        pairs: (copy, source) ids, each pair once.
        others: How many rows are of a kind that is no copy.
    """

    pairs: list[tuple[str, str]]
    others: int


def read_copies(paths: Sequence[str | Path], ids: Set[str]) -> Copies:
    """Read a list of copies: columns `copy` and `source`, ids; and `kind`, if there is one.

    Args:
        paths: Files of any format that `read_answers` reads.
        ids: Of the answers that there are.

    Raises:
        BadInput: for a missing column, an id that isn't there, or an answer copied from itself.
    """
    pairs: dict[tuple[str, str], None] = {}
    others = 0
    for answer, (source,) in read_columns(paths, "copy", ["source"]):
        if answer.meta.get("kind", "").strip().lower() in NO_COPIES:
            others += 1
            continue
        copy, source = answer.text.strip(), source.strip()
        for name in (copy, source):
            if name not in ids:
                raise BadInput.at(answer.source or "-", answer.line, f"no answer {name!r}")
        if copy == source:
            raise BadInput.at(answer.source or "-", answer.line, f"{copy!r} is no copy of itself")
        pairs[copy, source] = None
    return Copies(list(pairs), others)


# -- retrieval -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Retrieval:
    """Queries, documents, and which of them are relevant to which.

    Attributes:
        corpus: Document to its text; a title stands before it.
        queries: Query to its text.
        qrels: Query to documents to how relevant each is: 1, or more; 0 is not.
        files: The files with the judgements.
    """

    corpus: dict[str, str]
    queries: dict[str, str]
    qrels: dict[str, dict[str, float]]
    files: list[str]


def read_qrels(folder: str | Path) -> Retrieval:
    """Read a folder as BEIR lays it out (Thakur et al., 2021).

    `corpus.jsonl` (_id, title, text), `queries.jsonl` (_id, text), and `qrels/test.tsv`, or else
    all of `qrels/*.tsv`, or `qrels.tsv` (query-id, corpus-id, score).

    Raises:
        BadInput: for a missing file or column, an id that comes twice, or a judgement of a query
            or document that isn't there.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise BadInput(f"{folder}: no such folder; it needs corpus.jsonl, queries.jsonl and qrels")
    corpus, queries = _texts(folder, "corpus.jsonl"), _texts(folder, "queries.jsonl")
    qrels: dict[str, dict[str, float]] = {}
    files = _qrels(folder)
    for row, (document, score) in read_columns(files, "query-id", ["corpus-id", "score"]):
        query = row.text
        gain = read_number(score)
        reason = None
        if gain is None:
            reason = f"the score {score[:40]!r} is no number"
        elif query not in queries:
            reason = f"no query {query!r} in queries.jsonl"
        elif document not in corpus:
            reason = f"no document {document!r} in corpus.jsonl"
        if reason:
            raise BadInput.at(row.source or "-", row.line, reason)
        judged = qrels.setdefault(query, {})
        judged[document] = max(gain or 0.0, judged.get(document, 0.0))
    return Retrieval(corpus, queries, qrels, [str(path) for path in files])


def _qrels(folder: Path) -> list[Path]:
    found = sorted((folder / "qrels").glob("*.tsv"))
    test = [path for path in found if path.stem == "test"]
    if not found and (folder / "qrels.tsv").exists():
        found = [folder / "qrels.tsv"]
    if not found:
        raise BadInput(f"{folder}: no qrels/*.tsv and no qrels.tsv in it")
    return test or found


def _texts(folder: Path, name: str) -> dict[str, str]:
    path = next((p for p in (folder / name, folder / f"{name}.gz") if p.exists()), None)
    if path is None:
        raise BadInput(f"{folder}: no {name} in it")
    texts: dict[str, str] = {}
    for row in _rows(path):
        if row.id in texts:
            raise BadInput.at(str(path), row.line, f"the _id {row.id!r} comes twice")
        texts[row.id] = f"{row.meta.get('title', '')} {row.text}".strip()
    if not texts:
        raise BadInput(f"{path}: no rows in it")
    return texts


def _rows(path: Path) -> Iterator[Answer]:
    with fixed_columns():
        yield from read_answers([path], columns=Columns(id="_id", text="text"))


MAX_LABEL = 10.0
COLUMNS = ["question", "sentence_0", "sentence_1", "label"]


def read_pairs(
    paths: Sequence[str | Path],
    *,
    max_label: float | None = MAX_LABEL,
    encoding: str | None = None,
    sheet: str | None = None,
) -> list[SentencePair]:
    """Read pairs: columns `sentence_0`, `sentence_1`, `label`, and `question` if there is one.

    Args:
        paths: Files of any format that `read_answers` reads.
        max_label: Labels are numbers from 0 to this; None: any numbers.
        encoding: Of text files.
        sheet: Which sheet of a workbook.

    Returns:
        The pairs, in the order of the files; never none.

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
    for answer, (other, label) in rows:
        reason = _blank(answer.text, other) or _unusable(label, max_label)
        if reason:
            raise BadInput.at(answer.source or "-", answer.line, reason)
        number = read_number(label) or 0.0
        pairs.append(SentencePair(answer.text, other, number, answer.question))
    return pairs


def _blank(*sentences: str) -> str | None:
    """Say which sentence is blank, if one is."""
    for number, sentence in enumerate(sentences):
        if not sentence.strip():
            return f"sentence_{number} is blank; leave out the row"
    return None


def _unusable(label: str, most: float | None) -> str | None:
    """Say why a label can't be used, if it can't."""
    number = read_number(label)
    if number is None:
        if not label.strip():
            return "the label is blank; write a number, or leave out the row"
        return f"the label {label[:40]!r} is no number"
    if most is not None and not 0 <= number <= most:
        return Message(
            "the label {label:g} is not between 0 and {most:g} (`max_label`)",
            label=number,
            most=most,
        )
    return None


@dataclass(frozen=True, slots=True)
class SentencePair:
    """Two texts, and how near their meanings are: what a model is trained on and measured by.

    Attributes:
        sentence_0: One text.
        sentence_1: The other.
        label: The higher, the nearer.
        question: The question that both answer, or None.
    """

    sentence_0: str
    sentence_1: str
    label: float
    question: str | None = None
