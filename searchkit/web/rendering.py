"""What all pages share: templates, the frame around a page, hidden names, "not yet" and errors."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlencode

from fastapi import HTTPException, Request
from fastapi.responses import FileResponse, HTMLResponse, Response
from markupsafe import Markup, escape

from searchkit._version import __version__
from searchkit.core.errors import MissingExtra, SearchkitError
from searchkit.core.identity import author_key
from searchkit.core.records import Answer
from searchkit.pages.environment import environment
from searchkit.pages.known_names import holds_names
from searchkit.pages.pseudonyms import Pseudonyms
from searchkit.pages.segments import TextRun, text_runs
from searchkit.web.index_pool import IndexPool, pool_of
from searchkit.web.job_progress import JobProgress, progress_of
from searchkit.web.jobs import Job
from searchkit.web.static import kept_address

if TYPE_CHECKING:
    from jinja2 import Environment

NameKind = Literal["answer", "question", "author"]
NAME_FIELDS: dict[str, NameKind] = {  # fields of a page's address that hold names
    "id": "answer",
    "left": "answer",
    "right": "answer",
    "name": "question",
    "question": "question",
    "author": "author",
    "other": "author",
}
_PSEUDONYM = re.compile(r"\b(?:answer|author) \d+\b|\bsomebody\b")
MAX_MAP_TEXT = 300  # characters of an answer on the map
MAX_MAP_VALUE = 40  # characters of a column's value on the map; longer ones are no categories
PSEUDONYMS_TIMEOUT = 60.0  # seconds that a page waits for pseudonyms; it can't be shown without


def link(path: str, **parameters: object) -> str:
    """Return an address with its query parameters; those that are None are left out."""
    query = {name: value for name, value in parameters.items() if value is not None}
    return path + ("?" + urlencode(query) if query else "")


def script_json(value: object) -> Markup:
    """Return a value as JSON that is safe inside a `<script>` element, whatever texts it holds."""
    return Markup(json.dumps(value).replace("<", "\\u003c").replace("&", "\\u0026"))


def with_code(text: str, code: str = r"<code>\1</code>") -> Markup:
    """Return a text as HTML, with the parts between backticks as code."""
    return Markup(re.sub(r"`([^`]+)`", code, str(escape(text))))


def with_links(text: str) -> Markup:
    """Return a text as HTML, with the names between backticks as code that links to them."""
    return with_code(text, r'<a href="#\1"><code>\1</code></a>')


@cache
def _templates() -> Environment:
    templates = environment()
    templates.globals.update(
        link=link,
        static=kept_address(),
        script_json=script_json,
        with_code=with_code,
        with_links=with_links,
        version=__version__,
    )
    return templates


def render_page(
    request: Request,
    template: str,
    status_code: int = 200,
    **values: Any,  # noqa: ANN401
) -> HTMLResponse:
    """Return a page made from a template and the values that it uses."""
    html = (
        _templates()
        .get_template(template)
        .render(
            here=request.url.path,
            corpus=without_names(request, pool_of(request).folder.resolve().name),
            names_hidden=_hides_names(request),
            is_local=request.app.state.is_local,
            **values,
        )
    )
    return HTMLResponse(html, status_code, headers={"cache-control": "no-store"})


def error_page(request: Request, status_code: int, reason: str) -> Response:
    """Return a page that says what is wrong."""
    return render_page(request, "error.html", status_code, why=reason)


def progress_page(request: Request, job: Job[Any], title: str) -> HTMLResponse | None:
    """Return a page that follows a job and then becomes what was asked for; None if it is done."""
    pool = pool_of(request)
    if pool.wait(job, pool.page_timeout):
        return None
    return render_page(
        request, "computing.html", job=job, progress=job_progress(request, job), what=title
    )


def job_progress(request: Request, job: Job[Any]) -> JobProgress:
    """Return how far a job is, for the page that follows it."""
    progress = progress_of(job)
    return replace(progress, error=progress.error and without_names(request, progress.error))


def _hides_names(request: Request) -> bool:
    return request.cookies.get("names") == "hidden"


def pseudonyms(request: Request) -> Pseudonyms | None:
    """Return the pseudonyms of authors and answers; None if the user wants to see names."""
    return _all_pseudonyms(request) if _hides_names(request) else None


def _all_pseudonyms(request: Request) -> Pseudonyms:
    pool = pool_of(request)
    job = names_job(pool)
    pool.wait(job, PSEUDONYMS_TIMEOUT)
    return job.get()


def names_job(pool: IndexPool) -> Job[Pseudonyms]:
    """Return the job that finds all names, and gives each author and answer a pseudonym."""
    return pool.job("names", lambda index, _: Pseudonyms(index.answers(), replace=True))


def without_names(request: Request, text: str) -> str:
    """Return a text with pseudonyms in the place of names, if names are hidden.

    An error page must be shown whatever is wrong, so it has no text where names aren't known.
    """
    try:
        names = pseudonyms(request)
    except SearchkitError:
        return "…"
    return names.replace_in_message(text) if names else text


def original(request: Request, kind: NameKind, name: str) -> str:
    """Return what a pseudonym in a request stands for, if names are hidden; or else the name."""
    names = pseudonyms(request)
    return names.originals[kind].get(name, name) if names else name


def hidden_pair(record: dict[str, Any], names: Pseudonyms | None) -> dict[str, Any]:
    """Return a record of two answers, with pseudonyms if names are hidden."""
    if not names:
        return record
    hidden = {side: names.answer(record[side]) for side in ("left", "right")}
    if "reason" in record:
        hidden["reason"] = names.replace_in_message(record["reason"])
    return record | hidden


def original_note(request: Request, note: str, stored: Iterable[str]) -> str:
    """Return a note from a page with names in the place of pseudonyms, if names are hidden.

    One that comes back as a page displayed it is the stored note.
    """
    names = pseudonyms(request)
    if not names or not note:
        return note
    displayed = {_one_line(text_runs(text, names)): text for text in stored}
    if note in displayed:
        return displayed[note]
    known = {**names.originals["answer"], **names.originals["author"]}
    return _PSEUDONYM.sub(lambda match: known.get(match[0], match[0]), note)


def _one_line(runs: Iterable[TextRun]) -> str:
    """Return a text as a field of one line holds it."""
    return re.sub(r"[\r\n]", "", "".join(run.text for run in runs))


def map_point(answer: Answer, place: tuple[float, float], cluster: str) -> dict[str, Any]:
    """Return a point of the map: an answer with its short columns, by which it can be coloured."""
    return {
        "id": answer.id,
        "author": answer.author,
        "text": answer.text[:MAX_MAP_TEXT],
        "columns": {k: v for k, v in answer.meta.items() if len(v) <= MAX_MAP_VALUE},
        "x": round(place[0], 4),
        "y": round(place[1], 4),
        "cluster": cluster,
    }


def hidden_point(point: dict[str, Any], names: Pseudonyms | None) -> dict[str, Any]:
    """Return a point of the map, with pseudonyms if names are hidden."""
    if not names:
        return point
    return point | {
        "id": names.answer(point["id"]),
        "author": point["author"] and names.author(point["author"]),
        "text": names.replace_in_text(point["text"]),
        "columns": {
            names.replace_in_message(column): names.replace_in_text(value)
            for column, value in point["columns"].items()
            if not holds_names(column)
        },
        "cluster": names.replace_in_message(point["cluster"]),
    }


def hide_in_address(request: Request) -> None:
    """Send a browser to the address with pseudonyms if names are hidden, and back if not.

    Raises:
        HTTPException: with the other address, if it differs.
    """
    query = dict(request.query_params)
    kinds = NAME_FIELDS | ({"name": "author"} if request.url.path == "/author" else {})
    given = {field: query[field] for field in kinds if query.get(field)}
    is_hidden = _hides_names(request)
    if not given or not (is_hidden or any(_PSEUDONYM.search(name) for name in given.values())):
        return
    originals = _all_pseudonyms(request).originals
    for field, name in given.items():
        stands_for = originals[kinds[field]]
        aliases = {author_key(real): alias for alias, real in stands_for.items()}  # in any case
        if is_hidden and name not in stands_for:
            query[field] = aliases.get(author_key(name), name)
        elif not is_hidden and author_key(name) not in aliases:
            query[field] = stands_for.get(name, name)
    if query != dict(request.query_params):
        raise HTTPException(303, headers={"location": link(request.url.path, **query)})


@cache
def _plotly_path() -> Path:
    try:
        import plotly
    except ImportError:
        raise MissingExtra(
            "the map needs plotly, which isn't installed: pip install 'searchkit[web]'"
        ) from None
    return Path(plotly.__file__).parent / "package_data" / "plotly.min.js"


def plotly_script() -> FileResponse:
    """Return the script that draws the map, from the installed plotly package."""
    return FileResponse(_plotly_path(), headers={"cache-control": "max-age=86400"})
