"""The README and the documentation show what really happens.

The commands in the ```` ```console ```` blocks of a page are run in one folder, from top to bottom,
and what they print is compared with what the page shows: a line `…` stands for any number of lines,
and a command with no output below it is only run. The ```` ```python ```` blocks of a page are run
as one program. A block after `<!-- not run: why -->`, which readers don't see, isn't run.
"""

from __future__ import annotations

import csv
import itertools
import re
import shlex
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner
from helpers.files import ROOT

import searchkit
from searchkit.cli.app import COMMANDS, main
from searchkit.demo.corpus import DEMO_ANSWERS, DEMO_PLANTED
from searchkit.encoding.openvino_runtime import half_precisions

DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.glob("*.md")), *sorted(DOCS.glob("[cf]*/*.md"))]
BEGIN_WITHOUT_INDEX = ("README", "getting-started", "ingest")
COPIES = ("exact", "near", "light", "mosaic", "heavy")
BLOCK = re.compile(r"(<!-- not run: .*-->\n)?```(console|python)\n(.*?)```", re.S)


def blocks(page: Path, language: str) -> list[str]:
    found = BLOCK.findall(page.read_text("utf-8"))
    return [text for not_run, name, text in found if name == language and not not_run]


def commands(page: Path) -> list[tuple[str, str]]:
    """Return the commands of a page, each with the output that the page shows."""
    parts = [re.split(r"^\$ ", block, flags=re.M) for block in blocks(page, "console")]
    assert not any(before.strip() for before, *_ in parts), "a block begins with a command"
    return [
        (command, output)
        for _, *shown in parts
        for command, _, output in (text.partition("\n") for text in shown)
    ]


WITH_COMMANDS = [page for page in PAGES if commands(page)]
WITH_PYTHON = [page for page in PAGES if blocks(page, "python")]


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory, remembered: None) -> Path:
    """Make the folder that the examples stand in: the demo corpus, its index, a few files more."""
    folder = tmp_path_factory.mktemp("course")
    (folder / "searchkit").mkdir()
    (folder / "searchkit" / "demo").symlink_to(DEMO_ANSWERS.parent)
    shutil.copy(DEMO_ANSWERS, folder / "answers.csv")
    (folder / "handout.txt").write_text("CORS means cross-origin resource sharing.")
    (folder / "pages").mkdir()
    (folder / "pages" / "streams.html").write_text("<p>A stream hands on a file in pieces.</p>")
    (folder / "chat-bot.txt").write_text("As a language model, I would say that CORS is a header.")
    (folder / "questions.txt").write_text("what is a stream\nwhat is CORS\n")
    rows = read(DEMO_ANSWERS)
    by_id = {row["id"]: row for row in rows}
    for row in rows:
        if row["question"] == "q16" and row["id"] > "q16-s15" and row["author"] != "reference":
            row["score"] = ""
    write(folder / "half-graded.csv", list(rows[0]), [list(row.values()) for row in rows])
    pairs = [
        [by_id[f"{row['question']}-ref"]["answer"], row["answer"], row["score"], row["question"]]
        for row in rows
        if row["score"] and row["author"] != "reference"
    ]
    write(folder / "pairs.csv", ["sentence_0", "sentence_1", "label", "question"], pairs)
    planted = [row for row in read(DEMO_PLANTED) if row["kind"] in COPIES]
    copies = [[row["copy"], row["source"]] for row in planted]
    write(folder / "known-copies.csv", ["copy", "source"], copies)
    ingest = ["ingest", str(folder / "answers.csv"), "-q", "-i", str(folder / "index")]
    result = CliRunner().invoke(main, ingest)
    assert result.exit_code == 0, result.stderr
    shutil.copytree(folder / "index", folder / "last-year" / "index")
    write(folder / "last-year" / "solutions.csv", ["id", "text"], [["s1", "An event loop runs."]])
    return folder


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def write(path: Path, header: list[str], rows: list[list[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])


@pytest.fixture
def folder(course: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Copy that folder, and go there."""
    monkeypatch.delenv("SEARCHKIT_INDEX", raising=False)
    shutil.copytree(course, tmp_path / "course", symlinks=True)
    monkeypatch.chdir(tmp_path / "course")
    return tmp_path / "course"


@pytest.mark.model
@pytest.mark.parametrize("page", WITH_COMMANDS, ids=lambda page: page.stem)
def test_the_commands_print_what_is_shown(page: Path, folder: Path, monkeypatch) -> None:
    if page.stem == "grade" and half_precisions():
        pytest.skip("the suggested marks that are shown are those of a CPU without half precisions")
    clock = itertools.count(0, 2.065)  # the seconds that are shown: columns are as wide
    monkeypatch.setattr("searchkit.index.ingest.time", SimpleNamespace(perf_counter=clock.__next__))
    if page.stem in BEGIN_WITHOUT_INDEX:
        shutil.rmtree(folder / "index")
    for command, shown in commands(page):
        printed = run(command)
        if shown.strip():
            assert re.fullmatch(pattern(shown), steady(printed)), f"$ {command}\n{printed}"


@pytest.mark.model
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("page", WITH_PYTHON, ids=lambda page: page.stem)
def test_the_programs_run(page: Path, folder: Path) -> None:
    program = "\n".join(blocks(page, "python"))
    exec(compile(program, str(page), "exec"), {"__name__": "__main__"})


def run(line: str) -> str:
    """Run a command line of searchkit, which may be a pipe, in this process; return its stdout."""
    printed = ""
    for command in line.split(" | "):
        program, *arguments = shlex.split(command)
        if program == "cat":
            printed = "".join(Path(name).read_text("utf-8") for name in arguments)
            continue
        assert program == "searchkit", line
        result = CliRunner().invoke(main, arguments, input=printed)
        assert result.exit_code == 0, (line, result.stderr, result.exception)
        printed = result.stdout
    return printed


def pattern(shown: str) -> str:
    """Return the regular expression of an output in which `…` lines stand for any lines."""
    lines = steady(shown).rstrip("\n").split("\n")
    return (
        "".join(r"(.*\n)*" if line == "…" else re.escape(line) + r"\n" for line in lines) + r"\n*"
    )


def steady(output: str) -> str:
    """Leave out what differs between machines: seconds, the last digits of numbers, margins."""
    output = re.sub(r'(seconds"?:? +)[\d.]+', r"\1", output)
    output = re.sub(r"(; )[\d.]+( s)$", r"\1#\2", output, flags=re.M)
    output = re.sub(r"(0\.\d\d)\d+", r"\1", output)
    output = re.sub(r"\d\.\d+(e-\d\d)", r"#\1", output)
    output = re.sub(r"\d+(?:\.\d)? (kB|MB)", r"# \1", output)
    return re.sub(r" +$", "", output, flags=re.M)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_options_and_files_that_are_named_exist(page: Path) -> None:
    text = page.read_text("utf-8")
    options = {name for command in COMMANDS for p in main.load(command).params for name in p.opts}
    for option in set(re.findall(r"`(--[a-z-]+)", text)) - {"--help", "--version"}:
        assert option in options, option
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text):
        if "://" not in target:
            assert (page.parent / target).exists(), target


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_has_a_page(name: str) -> None:
    page = (DOCS / "commands" / f"{name}.md").read_text("utf-8")
    assert f".. command:: {name}\n" in page
    assert f"\n{name}\n" in (DOCS / "commands" / "index.md").read_text("utf-8")


def test_every_public_name_is_in_the_reference() -> None:
    text = (DOCS / "api.md").read_text("utf-8")
    documented = set(re.findall(r"^\.\. auto\w+:: searchkit\.(\w+)$", text, re.M))
    assert documented == set(searchkit.__all__) - {"__version__"}


def test_every_folder_is_in_the_map() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    for folder in (ROOT / "searchkit").iterdir():
        if (folder / "__init__.py").exists():
            assert f"{folder.name}/" in text, folder.name


def test_few_examples_are_not_run() -> None:
    found = [match for page in PAGES for match in BLOCK.findall(page.read_text("utf-8"))]
    assert len([not_run for not_run, *_ in found if not_run]) <= 12


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text("utf-8").splitlines()) <= 150
