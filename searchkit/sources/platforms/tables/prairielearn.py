"""Submissions of PrairieLearn, to be marked by hand: a row a submission.

`submitted_answer` is JSON: an entry a field of the question, and files in Base64. The columns
`score_perc` and `feedback` are filled in and uploaded again.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence

from searchkit.sources.columns import BadRow, Values
from searchkit.sources.header_names import columns_by_header
from searchkit.sources.layouts.layout import Layout, Question
from searchkit.sources.platforms.json_cells import joined_texts, read_json_cell

_TEXT = "submitted_answer"
_SIGNS = frozenset({"params", "true_answer", "submission_id", "score_perc"})


def prairielearn(names: Sequence[str], _: Sequence[Values]) -> Layout | None:
    """Return the layout of submissions."""
    columns = columns_by_header(tuple(names))
    question = columns.get("qid") or columns.get("question")
    if _TEXT not in columns or question is None or not _SIGNS & columns.keys():
        return None
    author = _first(columns, "uid", "group_name", "uin")
    return Layout(
        (Question(columns[_TEXT]),),
        id=columns.get("submission_id"),
        question=question,
        author=() if author is None else (author,),
        submitted_at=_first(columns, "submission_date", "submitted_at", "date"),
        title="PrairieLearn submissions",
        read_text=_read_answer,
    )


def _first(columns: Mapping[str, str], *names: str) -> str | None:
    return next((columns[name] for name in names if name in columns), None)


def _read_answer(text: str) -> str:
    answer = read_json_cell(text, _TEXT)
    if not isinstance(answer, dict):
        return text
    fields = {name: value for name, value in answer.items() if not name.startswith("_")}
    texts = [str(value) for value in fields.values() if isinstance(value, str | int | float)]
    return joined_texts([*texts, *_files(answer.get("_files"))], _TEXT)


def _files(files: object) -> Iterator[str]:
    """Yield the texts of the files of a submission; binary ones are left out."""
    for file in files if isinstance(files, list) else ():
        contents = file.get("contents") if isinstance(file, dict) else None
        if not isinstance(contents, str):
            continue
        try:
            text = base64.b64decode(contents, validate=True).decode()
        except UnicodeDecodeError:
            continue
        except ValueError:
            raise BadRow(f"a file in column {_TEXT!r} is not Base64; export it again") from None
        if "\0" not in text:
            yield text
