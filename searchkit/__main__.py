"""`python -m searchkit` is `searchkit`."""

from searchkit.cli.app import main

main(prog_name="searchkit")
