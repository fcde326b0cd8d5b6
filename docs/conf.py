"""The documentation site: `make docs` builds it into docs/_build/html, without a network."""

from __future__ import annotations

import sys
from pathlib import Path

import click
from docutils import nodes
from sphinx.application import Sphinx
from sphinx_click.ext import ClickDirective

from searchkit import __version__
from searchkit.cli.app import main

sys.path.insert(0, str(Path(__file__).parent))  # for rest_reference

project = "searchkit"
copyright = "the searchkit contributors, Apache-2.0"
release = version = __version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_click",
    "sphinx_copybutton",
    "sphinx_design",
]
exclude_patterns = ["_build", "**/.ipynb_checkpoints"]
source_suffix = {".md": "myst-nb", ".ipynb": "myst-nb"}

nb_execution_mode = "off"  # the notebooks are stored with their outputs; the tests execute them
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
suppress_warnings = ["myst.header"]  # a page of benchmarks is also read on its own

autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
default_role = "code"  # docstrings write `names` in single back-quotes
maximum_signature_line_length = 88

copybutton_prompt_text = "$ "
copybutton_only_copy_prompt_lines = True

html_theme = "pydata_sphinx_theme"
html_title = "searchkit"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sourcelink = False
WITHOUT_CHILDREN = (
    "index getting-started concepts files files-and-formats api rest beyond-one-machine "
    "comparison index-format promises contributing changelog"
)
html_sidebars = {page: [] for page in WITHOUT_CHILDREN.split()}
html_theme_options = {
    "logo": {"text": "searchkit"},
    "navbar_align": "left",
    "header_links_before_dropdown": 7,
    "show_toc_level": 2,
    "show_prev_next": True,
    "footer_start": ["copyright"],
    "footer_end": [],
}


class CommandDirective(ClickDirective):
    """`.. command:: NAME` shows the usage and the options of a command."""

    def _load_module(self, module_path: str) -> click.Command:
        return main.load(module_path)

    def run(self) -> list[nodes.Node]:
        """Return what sphinx-click makes of the command, without a heading of its own."""
        self.options["prog"] = f"searchkit {self.arguments[0]}"
        (section,) = super().run()
        return section.children[1:]


def _leave_out_description(app: Sphinx, context: click.Context, lines: list[str]) -> None:
    """Drop the text of --help: the page says the same at more length."""
    lines.clear()


def _escape(app: Sphinx, context: click.Context, lines: list[str]) -> None:
    """Escape what help texts contain and reStructuredText would take for markup."""
    lines[:] = [line.replace("/*", r"/\*") for line in lines]


def _insert_rest_reference(app: Sphinx, docname: str, source: list[str]) -> None:
    """Replace a comment in rest.md by the reference that the OpenAPI schema describes."""
    if docname == "rest":
        from rest_reference import rest_reference

        source[0] = source[0].replace("<!-- rest reference -->", rest_reference())


def setup(app: Sphinx) -> None:
    """Connect what this file adds to Sphinx."""
    app.add_directive("command", CommandDirective)
    app.connect("sphinx-click-process-description", _leave_out_description)
    app.connect("sphinx-click-process-options", _escape)
    app.connect("source-read", _insert_rest_reference)
