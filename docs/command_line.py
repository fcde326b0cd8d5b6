"""Each command under its own name, for the `click` directives of the pages in docs/commands."""

from searchkit.cli.app import main

globals().update(main.commands)
