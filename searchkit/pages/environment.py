"""The templates, styles and scripts that `searchkit report` and `searchkit serve` share."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING

from searchkit.core.messages import counted
from searchkit.index.records import DECISION_WORDS
from searchkit.output.console import visible
from searchkit.output.plagiarism.chance import UNJUDGED_HEADING
from searchkit.pages.glossary import GLOSSARY
from searchkit.pages.groups.matrix import strength_legend
from searchkit.pages.views import TONES
from searchkit.plagiarism.records import VERDICTS
from searchkit.text.times import time_in_words

if TYPE_CHECKING:
    from jinja2 import Environment


def environment() -> Environment:
    """Return the templates' environment, which escapes markup and spells out hidden characters."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    made = Environment(
        loader=PackageLoader("searchkit.pages"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_spell_out,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals["counted"] = counted
    made.globals["decision_words"] = DECISION_WORDS
    made.globals["glossary"] = GLOSSARY
    made.globals["time_in_words"] = time_in_words
    made.globals["strengths_in_words"] = strength_legend()
    made.globals["unjudged_heading"] = UNJUDGED_HEADING
    made.globals["verdicts"] = [(name, TONES[name], meaning) for name, meaning in VERDICTS.items()]
    return made


def asset(name: str) -> str:
    """Return the text of a file in this folder, such as `static/colours.css`."""
    return resources.files(__package__).joinpath(name).read_text("utf-8")


def _spell_out(value: object) -> object:
    """Spell out control characters in a text; markup was made from texts treated this way."""
    return visible(value) if type(value) is str else value
