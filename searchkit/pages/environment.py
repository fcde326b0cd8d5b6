"""Templates, style and scripts of what people look at: one set for `report` and for `serve`."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING

from searchkit.output.console import visible

if TYPE_CHECKING:
    from jinja2 import Environment


def environment() -> Environment:
    """Return the templates' environment: everything is escaped, no character can hide or act."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader("searchkit.pages"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def asset(name: str) -> str:
    """Return the text of a file of this folder: `static/style.css`, a script."""
    return resources.files(__package__).joinpath(name).read_text("utf-8")


def _shown(value: object) -> object:
    """Spell out what acts in any text; what is markup already has been through here."""
    return visible(value) if type(value) is str else value
