"""What all pages share: templates, the frame around a page, hidden names, "not yet" and errors."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import FileResponse, HTMLResponse, Response
from markupsafe import Markup, escape

from searchkit._version import __version__
from searchkit.core.errors import MissingExtra
from searchkit.core.messages import counted
from searchkit.pages.environment import environment
from searchkit.pages.pseudonyms import Pseudonyms
from searchkit.web.index_pool import pool_of
from searchkit.web.jobs import Job

if TYPE_CHECKING:
    from jinja2 import Environment

JOB_TIMEOUT = 2.0  # seconds that a page waits for a job before it shows the job's progress
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
        counted=counted,
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
            corpus=pool_of(request).folder.resolve().name,
            names_hidden=_hides_names(request),
            **values,
        )
    )
    return HTMLResponse(html, status_code, headers={"cache-control": "no-store"})


def error_page(request: Request, status_code: int, reason: str) -> Response:
    """Return a page that says what is wrong."""
    return render_page(request, "error.html", status_code, why=reason)


def progress_page(request: Request, job: Job[Any], title: str) -> HTMLResponse | None:
    """Return a page that shows a job's progress and reloads itself; None if the job is done."""
    if pool_of(request).wait(job, JOB_TIMEOUT):
        return None
    page = render_page(request, "computing.html", 200, job=job, what=title)
    page.headers["refresh"] = "2"
    return page


def _hides_names(request: Request) -> bool:
    return request.cookies.get("names") == "hidden"


def pseudonyms(request: Request) -> Pseudonyms | None:
    """Return the pseudonyms of authors and answers; None if the user wants to see names."""
    if not _hides_names(request):
        return None
    pool = pool_of(request)
    job = pool.job("names", lambda index, _: Pseudonyms(index.answers()))
    pool.wait(job, PSEUDONYMS_TIMEOUT)
    return job.get()


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
