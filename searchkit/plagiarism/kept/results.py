"""Cached results: the findings of a corpus, read again while nothing that they depend on changes.

They depend on the answers, the model, the options, and on the program: its version, and the sources
of the folders that decide what is found.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from dataclasses import asdict, is_dataclass, replace
from functools import cache
from itertools import repeat
from pathlib import Path
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

from searchkit import _version
from searchkit.core.results import Results
from searchkit.index.base import BaseIndex
from searchkit.index.records import Decision
from searchkit.plagiarism.records import PlagiarismOptions, PlagiarismResult

_PACKAGE = Path(__file__).parents[2]
_SOURCES = ("plagiarism", "text", "core")  # folders whose files decide what is found


def result_key(
    index: BaseIndex, options: PlagiarismOptions, wanted: Collection[str] | None
) -> bytes | None:
    """Return a hash of everything that a result depends on; None if it isn't kept.

    A result with answers of another index isn't kept, since this one isn't told when they are
    deleted there.

    Args:
        index: Of the answers.
        options: How they are compared.
        wanted: The ids that follow from the options' filter; None for all.
    """
    ids = None if wanted is None else sorted(wanted)
    return cache_key(index, options.against, options, ids)


def read_cached(index: BaseIndex, key: bytes | None) -> PlagiarismResult | None:
    """Return the result that is kept under a key, without decisions; None if there is none."""
    value = index.get_result(key) if key else None
    if value is None:
        return None
    result: PlagiarismResult = _restored(PlagiarismResult, json.loads(value))
    ids = {id_ for finding in result.findings for id_ in (finding.left, finding.right)}
    ids.update(id_ for group in result.equal for id_ in group.answers)
    ids.update(finding.answer for finding in result.sources)
    return replace(result, texts={answer.id: answer for answer in index.get(sorted(ids))})


def write_cached(index: BaseIndex, key: bytes | None, result: PlagiarismResult) -> None:
    """Keep a result under a key, without texts and decisions."""
    if key:
        record = asdict(replace(result, texts={}, decisions={}, known_sources={}))
        index.put_result(key, json.dumps(record).encode())


def cache_key(index: BaseIndex, against: BaseIndex | None, *parts: object) -> bytes | None:
    """Return a hash of answers, program and what else a result depends on; None if not kept."""
    answers = index.answers_key()
    if answers is None or against is not None:
        return None
    return hashlib.sha256(repr((answers, _program(), *parts)).encode()).digest()


@cache
def _program() -> str:
    """Return a hash of the program's version and sources."""
    digest = hashlib.sha256(_version.__version__.encode())
    for folder in _SOURCES:
        for path in sorted((_PACKAGE / folder).rglob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()


def _restored(kind: Any, value: Any) -> Any:  # noqa: ANN401
    """Return what a JSON value was made of.

    Args:
        kind: Its type: a dataclass, list, dict, tuple, or what JSON has; None may stand for any.
        value: From `json.loads`.
    """
    arguments = get_args(kind)
    if get_origin(kind) is UnionType:  # only of a type and None
        kind = arguments[0]
        arguments = get_args(kind)
    if value is None:
        return None
    if is_dataclass(kind) and isinstance(kind, type):
        kinds = get_type_hints(kind, localns={"Decision": Decision})
        return kind(**{name: _restored(kinds[name], item) for name, item in value.items()})
    if get_origin(kind) is tuple:
        each = repeat(arguments[0]) if arguments[-1] is Ellipsis else arguments
        return tuple(_restored(*pair) for pair in zip(each, value, strict=False))
    if get_origin(kind) in (list, Results):
        return get_origin(kind)(_restored(arguments[0], item) for item in value)
    return value
