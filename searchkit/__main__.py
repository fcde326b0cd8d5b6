"""The entry point of `searchkit` and `python -m searchkit`: it brings the process into order.

The command line itself is `cli/app.py`, which is imported when standard streams, signals and the
encoding are as it needs them.
"""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType

NO_OUTPUT = "standard output: can't be written"
INTERRUPTED = 130  # the exit code of programs that Ctrl+C has ended


def main() -> None:
    """Run the command line, and exit."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # else the shell ignores it
        signal.signal(signal.SIGINT, _interrupt)
    _open_closed_streams()
    _use_utf8()
    try:
        from searchkit.cli.app import main as run

        run(prog_name="searchkit")
    except OSError as error:  # in an import, or in the text of --help
        what = f"{error.filename}: can't be read" if error.filename else NO_OUTPUT
        _exit(f"searchkit: {what} ({error.strerror})", 1)
    except MemoryError:
        _exit("searchkit: out of memory", 1)
    except KeyboardInterrupt:
        _exit("", INTERRUPTED)
    except SystemExit as end:
        is_interrupted = signal.getsignal(signal.SIGINT) is _end
        _exit("", INTERRUPTED if end.code and is_interrupted else end.code)


def _interrupt(_: int, frame: FrameType | None) -> None:
    """Raise KeyboardInterrupt in a command; in an import, and before and after it, end at once.

    Libraries turn a KeyboardInterrupt in their imports into other errors, or ignore it. A second
    interrupt ends at once, too. What was acknowledged stays: a write is complete or undone.
    """
    signal.signal(signal.SIGINT, _end)
    names = set()
    while frame:
        names.add(frame.f_code.co_name)
        frame = frame.f_back
    if "_find_and_load" in names or "invoke" not in names:
        _end()
    raise KeyboardInterrupt


def _end(*_: object) -> None:
    os._exit(INTERRUPTED)


def _exit(message: str, code: str | int | None) -> None:
    """Exit after a last message; what a standard stream doesn't take is dropped."""
    for stream, text in ((sys.stderr, message), (sys.stdout, "")):
        try:
            if text:
                stream.write(text + "\n")
            stream.flush()
        except (OSError, ValueError):
            # The interpreter would flush again, and report that.
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1 if stream is sys.stdout else 2)
    sys.exit(code)


def _open_closed_streams() -> None:
    """Open the standard streams that are closed, so that no other file gets their numbers.

    Reading and writing them then fails as it should; only messages are dropped.
    """
    for number, mode in enumerate((os.O_WRONLY, os.O_RDONLY, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, mode)  # the lowest number that is free
    sys.stdin = sys.stdin or open(0, encoding="utf-8")
    sys.stdout = sys.stdout or open(1, "w", encoding="utf-8")
    sys.stderr = sys.stderr or open(2, "w", encoding="utf-8")


def _use_utf8() -> None:
    """Start again in Python's UTF-8 mode if the locale has another encoding for names of files."""
    if sys.getfilesystemencoding() != "utf-8" and os.environ.get("PYTHONUTF8") != "1":
        os.environ["PYTHONUTF8"] = "1"
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])


if __name__ == "__main__":
    main()
