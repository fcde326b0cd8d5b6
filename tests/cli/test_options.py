"""Messages of the library on the command line: parameters are shown as options."""

from __future__ import annotations

import logging
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from searchkit.cli.app import main
from searchkit.cli.options import command, option, option_group
from searchkit.cli.session import listen, with_options
from searchkit.core.messages import Message


@pytest.mark.parametrize(
    ("name", "message", "shown"),
    [
        ("mine", "`max_pairs` must be", "--max-pairs must be"),
        ("query", "`where`: no", "--where: no"),
        ("query", "`k`", "--number"),
        ("cluster", "`k`", "-k"),
        ("grade", "say `kind='labels'`", "say --as labels"),
        ("grade", "`propagate`: or `overwrite=True`", "--propagate: or --overwrite"),
        ("ingest", "`format` or `columns.submitted_at`", "--input-format or --time-column"),
        ("ingest", "`columns.text=NAME`", "--text-column NAME"),
        ("evaluate", "`model`", "--model"),
        ("reindex", "`model`", "--model"),
        ("status", "another `folder`", "another --index"),
        ("copy", "another `folder`, `nothing`", "another --index, `nothing`"),  # of other commands
    ],
)
def test_parameters_are_shown_as_options(name: str, message: str, shown: str) -> None:
    with click.Context(main) as root, click.Context(main.load(name), parent=root):
        assert with_options(Message(message)) == shown
        assert with_options(message) == message  # no text that names parameters


def test_without_a_command_a_message_stays_as_it_is() -> None:
    assert with_options(Message("`k`")) == "`k`"


def test_the_log_shows_options(capsys: pytest.CaptureFixture[str]) -> None:
    log = logging.getLogger("searchkit")
    before = log.handlers[:], log.propagate, log.level
    try:
        with click.Context(main) as root, click.Context(main.load("mine"), parent=root):
            listen(quiet=False)
        log.warning(Message("`where` sees {count:,} of `x`", count=1000))
        log.warning("%s `where`", "no parameter:")
    finally:
        log.handlers[:], log.propagate = before[:2]
        log.setLevel(before[2])
    assert capsys.readouterr().err == (
        "searchkit: --where sees 1,000 of `x`\nsearchkit: no parameter: `where`\n"
    )


def test_rejects_show_options(tmp_path: Path) -> None:
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "a.txt").write_bytes(b"caf\xe9")
    rejects = tmp_path / "rejects.jsonl"
    arguments = ["ingest", tmp_path / "texts", "-i", tmp_path / "i", "--rejects", rejects]
    CliRunner().invoke(main, [*map(str, arguments), "--keep-going"])
    assert "name its encoding: --encoding cp1252" in rejects.read_text("utf-8")


def test_two_groups_can_make_one_argument() -> None:
    first = option_group("First", option("--a"), argument="both", record=dict)
    second = option_group(
        "Second", option("--b"), argument="both", record=lambda a, b: {**a, "b": b}
    )

    @command()
    @first
    @second
    def show(both: dict[str, str]) -> None:
        click.echo(both)

    result = CliRunner().invoke(show, ["--b", "2", "--a", "1"])
    assert result.output == "{'a': '1', 'b': '2'}\n"
