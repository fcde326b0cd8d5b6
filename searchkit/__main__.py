"""`python -m searchkit` is `searchkit`."""

from searchkit.cli import main

main(prog_name="searchkit")
