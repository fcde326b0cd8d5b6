"""Processes as people have them: interrupted, without streams, in another locale, with limits."""

from __future__ import annotations

import os
import resource
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers.encoder import ToyEncoder
from helpers.files import ROOT

from searchkit import Answer, Index
from searchkit.core.errors import SearchkitError
from searchkit.encoding.loading import load_encoder
from searchkit.runners.limits import check_address_space, check_open_files

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs signals and descriptors")

NOT_UTF8 = os.fsdecode(b"b\xe9")
BIG = "word " * 50_000  # more than a pipe holds


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("processes") / "index"
    make_index(path)
    return path


def make_index(path: Path) -> None:
    with Index.create(path, ToyEncoder(window=1000)) as index:
        index.add([Answer("a1", "The event loop runs callbacks"), Answer("a2", BIG)])


def run(*arguments: object, shell: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a shell, with redirections or, before a semicolon, limits."""
    words = [sys.executable, "-m", "searchkit", *arguments]
    command = shlex.join(os.fsdecode(str(word)) for word in words)
    before, _, after = shell.rpartition(";")
    return subprocess.run(
        ["sh", "-c", f"{before or ':'}; exec {command} {after}"],
        capture_output=True,
        text=True,
        errors="surrogateescape",
        env=environment(**variables),
    )


def environment(**variables: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    return {**kept, "PYTHONPATH": str(ROOT), **variables}


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("*[bs]")}  # the database, FAISS


# -- Ctrl+C ------------------------------------------------------------------------------------

INTERRUPTED_IMPORT = """
import os, signal, sys
from searchkit.__main__ import main
module = sys.argv.pop(1)
class Interrupting:
    def find_spec(self, name, *_):
        if name == module:
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Interrupting())
main()
"""


@pytest.mark.parametrize(
    "module", ["searchkit.cli.app", "click", "searchkit.cli.upkeep", "numpy", "faiss"]
)
def test_an_interrupted_import_is_quiet(folder: Path, module: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED_IMPORT, module, "verify", "-i", folder],
        capture_output=True,
        text=True,
        env=environment(),
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def started(*arguments: object) -> subprocess.Popen[bytes]:
    """Start a command whose output nobody reads, and return it when it writes."""
    child = subprocess.Popen(
        [sys.executable, "-m", "searchkit", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
    )
    assert child.stdout
    child.stdout.read(1)
    return child


def test_an_interrupted_command_says_so_in_one_line(folder: Path) -> None:
    child = started("export", "-i", folder)
    child.send_signal(signal.SIGINT)
    _, errors = child.communicate(timeout=30)
    assert (child.returncode, errors) == (130, b"searchkit: interrupted\n")


IGNORED_INTERRUPT = """
import signal, sys
from searchkit.__main__ import main
signal.signal(signal.SIGINT, signal.SIG_IGN)
sys.argv[1:] = ["--version"]
try:
    main()
finally:
    print(signal.getsignal(signal.SIGINT).name)
"""


def test_interrupts_that_the_shell_ignores_stay_ignored() -> None:  # as after nohup
    done = subprocess.run(
        [sys.executable, "-c", IGNORED_INTERRUPT], capture_output=True, text=True, env=environment()
    )
    assert done.stdout.endswith("SIG_IGN\n")


# -- standard streams --------------------------------------------------------------------------

NO_OUTPUT = "searchkit: standard output: can't be written (Bad file descriptor)\n"
NO_INPUT = "searchkit: -: can't be read (Bad file descriptor)\n"
FULL = "searchkit: standard output: can't be written (No space left on device)\n"


@pytest.mark.parametrize(
    ("streams", "arguments", "code", "errors"),
    [
        ("<&-", ["status"], 0, ""),
        ("<&-", ["query", "-"], 1, NO_INPUT),
        ("<&-", ["ingest", "-"], 1, NO_INPUT),
        (">&-", ["export"], 1, NO_OUTPUT),
        (">&-", ["query", "loop", "-m", "lexical"], 1, NO_OUTPUT),
        (">&-", ["rebuild"], 1, NO_OUTPUT),
        (">&-", ["--help"], 1, NO_OUTPUT),
        (">&-", ["query", "--help"], 1, NO_OUTPUT),
        ("2>&-", ["delete", "nobody"], 1, ""),
        ("2>&-", ["verify", "--nothing"], 2, ""),
        ("2>&-", ["status"], 0, ""),
        ("<&- >&-", ["verify"], 1, NO_OUTPUT),
        ("<&- >&- 2>&-", ["query", "loop", "-m", "lexical"], 1, ""),
        ("> /dev/full", ["status"], 1, FULL),
        ("> /dev/full", ["verify"], 1, FULL),
        ("> /dev/full", ["rebuild"], 1, FULL),
        ("> /dev/full", ["query", "--help"], 1, FULL),
        ("> /dev/full", ["--version"], 1, FULL),
        ("2> /dev/full", ["delete", "nobody"], 1, ""),
    ],
)
def test_streams_that_are_closed_or_full(
    folder: Path, streams: str, arguments: list[str], code: int, errors: str
) -> None:
    if "/dev/full" in streams and not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    before = contents(folder)
    done = run(*arguments, shell=streams, SEARCHKIT_INDEX=str(folder))
    assert (done.returncode, done.stderr) == (code, errors)
    if arguments[0] != "rebuild":
        assert contents(folder) == before
    with Index.open(folder) as index:
        assert len(index) == 2


@pytest.mark.parametrize("streams", ["<&-", "<&- >&-", "2>&-", "<&- >&- 2>&-"])
def test_a_writer_without_streams_writes_no_message_into_a_file(
    tmp_path: Path, streams: str
) -> None:
    make_index(tmp_path / "i")
    done = run("delete", "a1", "-y", "-i", tmp_path / "i", shell=streams)
    assert done.returncode == (1 if ">&- " in streams + " " and streams[0] != "2" else 0)
    assert run("verify", "-i", tmp_path / "i").stdout == "sound\n"
    with Index.open(tmp_path / "i") as index:
        assert index.ids() == ["a2"]


# -- the locale, and names that are not UTF-8 --------------------------------------------------

LOCALES = [
    {"LC_ALL": "C.UTF-8"},
    {"LC_ALL": "C"},
    {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    {"LC_ALL": "xx_YY", "PYTHONIOENCODING": "latin-1"},
]


@pytest.fixture(scope="module", params=["ö", NOT_UTF8], ids=["utf-8", "bytes"])
def named(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("names") / request.param
    try:
        path.mkdir()
    except OSError:
        pytest.skip("this file system takes names in UTF-8 only")
    make_index(path)
    return path


@pytest.mark.parametrize("locale", LOCALES, ids=lambda locale: "-".join(locale.values()))
def test_names_are_bytes_and_output_is_utf8_in_every_locale(
    named: Path, locale: dict[str, str]
) -> None:
    found = run("query", "löop event", "-m", "lexical", "-f", "json", "-i", named, **locale)
    assert (found.returncode, found.stderr) == (0, "")
    assert '"query": "löop event"' in found.stdout and '"id": "a1"' in found.stdout
    mined = run("mine", "-f", "csv", "-i", named, **locale)  # which reads the FAISS file
    assert (mined.returncode, mined.stderr) == (0, "")


def test_every_command_takes_names_that_are_not_utf8(named: Path) -> None:
    out = named.parent / NOT_UTF8
    for arguments in (
        ["rebuild", "-q"],
        ["verify"],
        ["export", "-o", f"{out}.jsonl"],
        ["status", "-f", "json", "-o", f"{out}.json"],
        ["status", "-f", "json"],
    ):
        done = run(*arguments, "-i", named)
        assert (done.returncode, done.stderr) == (0, ""), arguments
    assert Path(f"{out}.jsonl").read_text("utf-8").count("\n") == 2


@pytest.mark.parametrize(
    "arguments", [["query", NOT_UTF8], ["export", "--author", NOT_UTF8], ["delete", NOT_UTF8]]
)
def test_a_text_that_is_not_utf8_is_refused(folder: Path, arguments: list[str]) -> None:
    done = run(*arguments, "-i", folder)
    assert done.returncode == 1
    assert done.stderr.endswith(": 'b\\udce9' is not UTF-8; write it in UTF-8\n")


# -- limits of the process ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("limit", "message"),
    [
        ("-v 400000", "every command needs 1"),
        ("-d 200000", "every command needs 0."),
        ("-n 8", "every command needs 16 open files, and this process may have 8; raise"),
    ],
)
def test_limits_that_libraries_would_crash_on_are_one_line(
    folder: Path, limit: str, message: str
) -> None:
    done = run("mine", "-i", folder, shell=f"ulimit {limit};")
    assert (done.returncode, done.stdout) == (1, "")
    assert message in done.stderr and "raise the limit: ulimit " + limit[:2] in done.stderr
    assert done.stderr.count("\n") == 1


def test_sixteen_open_files_are_enough(folder: Path) -> None:
    for arguments in (["mine", "-f", "csv"], ["rebuild", "-q"]):
        assert run(*arguments, "-i", folder, shell="ulimit -n 16;").returncode == 0


@pytest.fixture
def limited(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[int, int]]:
    """Yield the limits of this process, to be changed."""
    limits: dict[int, int] = {}
    monkeypatch.setattr(
        resource, "getrlimit", lambda name: (limits.get(name, resource.RLIM_INFINITY), 0)
    )
    yield limits


def test_a_model_is_not_loaded_below_its_address_space(limited: dict[int, int]) -> None:
    check_address_space("this", 10**9, 10**9)  # there is no limit
    check_open_files(10**9)
    limited[resource.RLIMIT_AS] = 1_400_000_000
    with pytest.raises(SearchkitError, match=r"embedding needs .* may use 1\.4 GB; raise the"):
        load_encoder()
    check_address_space("this", 1_400, 0)
    with pytest.raises(SearchkitError, match=r"this needs 1\.6 GB.*ulimit -v 1600000$"):
        check_address_space("this", 1_600, 0)
    limited[resource.RLIMIT_DATA] = 600_000_000
    with pytest.raises(SearchkitError, match=r"this needs 0\.7 GB.*ulimit -d 700000$"):
        check_address_space("this", 1_400, 0)


@pytest.mark.parametrize(
    "variables",
    [{"HOME": "/dev/null"}, {"HOME": ""}, {"TMPDIR": "/dev/null/no"}],
    ids=lambda variables: "-".join(variables),
)
def test_commands_need_no_home_and_no_folder_for_temporary_files(
    folder: Path, variables: dict[str, str]
) -> None:
    done = run("verify", "-i", folder, **variables)
    assert (done.returncode, done.stdout) == (0, "sound\n")
