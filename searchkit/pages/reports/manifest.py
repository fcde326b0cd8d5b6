"""The manifest of a report: from what it was made, so that it can be checked against an index.

It names every answer with the SHA-256 of its text. A report without names has hashes only of what
it shows: whoever guesses a name in a text, or a short text, could confirm the guess by any hash of
the original, salted or not, as the salt would have to be in the file as well.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from searchkit.core.errors import BadInput
from searchkit.core.records import Answer, By
from searchkit.index.base import BaseIndex
from searchkit.output.files import json_text
from searchkit.pages.pseudonyms import Pseudonyms
from searchkit.pages.reports.versions import versions
from searchkit.plagiarism.records import PlagiarismOptions, PlagiarismResult

FORMAT = 1
LEFT_OUT = "given, left out here"  # of a setting that may name people
COUNTS = ("answers", "blank", "questions", "authors")
SETTINGS: dict[str, tuple[type, ...]] = {
    "by": (str,),
    "question": (str, type(None)),
    "author": (str, type(None)),
    "where": (str, type(None)),
    "attempts": (str, type(None)),
    "max_expected": (int, float),
    "fdr": (int, float, type(None)),
    "max_common": (int, type(None)),
    "reference_was_given": (bool,),
    "template": (str, type(None)),
    "against": (str, type(None)),
    "sources": (str, type(None)),
}
"""The types of the settings in a manifest; those of the last three are hashes of texts."""
# The manifest in a page, and the hash in it of the file without the manifest.
_ELEMENT = re.compile(
    r'(<script type="application/json" id="manifest">)(.*?)(</script>)', re.DOTALL
)


def make_manifest(
    index: BaseIndex,
    options: PlagiarismOptions,
    by: By,
    result: PlagiarismResult,
    names: Pseudonyms,
    *,
    status: dict[str, Any],
    covered: set[str | None],
) -> dict[str, Any]:
    """Return the manifest of a report, without the hash of the file.

    Args:
        index: The index that it is made from.
        options: The options of the search for plagiarism.
        by: What `options.by` stands for.
        result: The findings.
        names: The names; those of an anonymous report replace them.
        status: What the index holds.
        covered: The questions of the report.
    """
    hide = names.replace
    if hide:
        shown = {names.answer(a.id): names.replace_in_text(a.text) for a in result.texts.values()}
    else:
        answers = (a for a in index.answers() if by == "all" or a.question in covered)
        shown = {answer.id: answer.text for answer in answers}
    return {
        "format": FORMAT,
        "anonymous": hide,
        "model": status["model"]["fingerprint"],
        "versions": versions(),
        "counts": {name: status[name] for name in COUNTS},
        "settings": _settings(options, by, names),
        "findings": [
            {
                "left": names.answer(f.left) if hide else f.left,
                "right": names.answer(f.right) if hide else f.right,
                "verdict": f.verdict,
                "expected": f.expected and float(f"{f.expected:.3g}"),
            }
            for f in result.findings
        ],
        "answers": {name: text_hash(text) for name, text in sorted(shown.items())},
    }


def text_hash(text: str) -> str:
    """Return the SHA-256 of a text in UTF-8, in hexadecimal digits."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _settings(options: PlagiarismOptions, by: By, names: Pseudonyms) -> dict[str, Any]:
    where, against, hide = options.where, options.against, names.replace
    question = where.question
    if hide and question and names.question(question) != question:
        question = LEFT_OUT
    texts = {
        "template": options.template and text_hash(options.template),
        "against": _hash_of_all(against.answers()) if against else None,
        "sources": _hash_of_all(options.sources) if options.sources else None,
    }
    return {
        "by": by,
        "question": question,
        "author": LEFT_OUT if hide and where.author is not None else where.author,
        "where": LEFT_OUT if hide and where.sql is not None else where.sql,
        "attempts": where.attempts,
        "max_expected": options.max_expected,
        "fdr": options.fdr,
        "max_common": options.max_common,
        "reference_was_given": options.reference_was_given,
        **{name: (LEFT_OUT if hide else text) if text else None for name, text in texts.items()},
    }


def _hash_of_all(answers: Iterable[Answer]) -> str:
    return text_hash(json.dumps(sorted((answer.id, answer.text) for answer in answers)))


# -- in a file -------------------------------------------------------------------------------------


def page_with_manifest(page: str, manifest: dict[str, Any]) -> str:
    """Return a page with a manifest in its empty element, and in that the hash of the page."""
    text = json_text(manifest | {"content": text_hash(page)}).replace("<", "\\u003c")
    return _ELEMENT.sub(lambda match: match[1] + text + match[3], page, count=1)


def record_with_manifest(record: dict[str, Any], manifest: dict[str, Any]) -> dict[str, Any]:
    """Return the record of a report with its manifest, and in that the hash of the record."""
    return record | {"manifest": manifest | {"content": text_hash(json_text(record))}}


def read_manifest(path: Path) -> tuple[dict[str, Any], bool]:
    """Return the manifest of a report, a page or JSON, and whether the rest is as it was written.

    Raises:
        BadInput: if the file can't be read, or has no manifest of a report.
    """
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is not UTF-8"
        raise BadInput(f"{path}: can't be read ({reason})") from error
    element = None
    try:
        if element := _ELEMENT.search(text):
            manifest = json.loads(element[2])
            content = text_hash(_ELEMENT.sub(r"\1\3", text, count=1))
        else:
            record = json.loads(text)
            manifest = record.pop("manifest")
            content = text_hash(json_text(record))
        _check(manifest)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise BadInput(
            f"{path}: has no manifest of a report; name a file that searchkit report wrote"
        ) from error
    return manifest, manifest.get("content") == content


def _check(manifest: dict[str, Any]) -> None:
    """Raise an error of Python if a manifest isn't one, or of a later format."""
    settings = manifest["settings"]
    is_valid = (
        manifest["format"] == FORMAT
        and all(isinstance(settings[name], types) for name, types in SETTINGS.items())
        and settings["by"] in ("question", "all")
        and settings["attempts"] in (None, "latest", "first", "all")
        and isinstance(manifest["anonymous"], bool)
        and isinstance(manifest["model"], str)
        and all(isinstance(sha, str) for sha in manifest["answers"].values())
        and all(isinstance(manifest["counts"][name], int) for name in COUNTS)
        and isinstance(manifest["versions"], dict)
        and all(
            isinstance(finding[name], str)
            for finding in manifest["findings"]
            for name in ("left", "right", "verdict")
        )
        and all(isinstance(f["expected"], (int, float, type(None))) for f in manifest["findings"])
    )
    if not is_valid:
        raise ValueError("not a manifest")
