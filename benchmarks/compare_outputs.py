"""Record what many commands print, and compare two records: a change of structure changes none.

    python benchmarks/compare_outputs.py record CHECKOUT RECORD.json
    python benchmarks/compare_outputs.py diff BEFORE.json AFTER.json

`record` runs the commands below with the package of a checkout, one after another in a temporary
folder, and keeps the exit code, both streams and the files that were written. Seconds, sizes that
depend on the machine and paths of the temporary folder are replaced by a word.
"""

from __future__ import annotations

import difflib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

SHARED = Path(__file__).parent.parent.parent / "shared" / "data"

DEMO = """
--help
ingest --help
query --help
mine --help
plagiarism --help
compare --help
report --help
cluster --help
grade --help
serve --help
train --help
evaluate --help
status --help
reindex --help
no-such-command
query text --index nowhere
ingest nowhere.csv --index demo
ingest demo.csv --text-column nothing --index demo
ingest bad.csv --index demo
ingest bad.csv --index other --keep-going --format json
demo --index demo-index
ingest demo.csv --index demo --format json
ingest demo.csv --index demo
status --index demo
status --index demo --format json
query callbacks --index demo
query "the server answers" "a promise" -n 3 --format json --index demo
query "event loop" -n 4 --mode hybrid --format csv --index demo
query "event loop" -n 4 --mode lexical --format jsonl --index demo
query middleware --question q05 --author s07 --index demo
query promise --where "score < 5" --format json --index demo
query promise --where "score <" --index demo
query promise --where "nothing = 1" --index demo
query promise --author nobody --index demo
query promise -n 0 --index demo
mine --index demo
mine --index demo -t 0.7 --max-pairs 5 --format json
mine --index demo -t 0.75 --by all --format jsonl
mine --index demo -t 0.75 --format csv
mine --index demo -t 2
plagiarism --index demo
plagiarism --index demo --format json
plagiarism --index demo --format jsonl --question q16
plagiarism --index demo --format csv --max-expected 0.5
plagiarism --index demo --template template.txt --max-common 3
plagiarism --index demo --max-expected -1
plagiarism --index demo --against nowhere
compare q16-s07 q16-s19 --index demo
compare q16-s07 q16-s19 --index demo --format json
compare q16-s07 nothing --index demo
report --index demo -o report.html
report --index demo -o anonymous.html --anonymous --question q16
decisions --index demo
cluster --index demo
cluster --index demo --format json --question q16
cluster --index demo --method k-means -k 5 --by all --format csv
cluster --index demo --method hdbscan --min-size 4 --format jsonl
cluster --index demo --method k-means -k 0
grade --index demo --column score
grade --index demo --column score --evaluate
grade --index demo --column score --evaluate --format json
grade --index demo --column score --audit
grade --index demo --column score --audit --format csv
grade --index demo --column score --propagate q16-s07 --format json
grade --index demo --column score --propagate q16-s07=9
grade --index demo --column nothing
grade --index demo --column score --write suggested --format json
grade --index demo --column score --audit --write suggested
export --index demo --where "id = 'q01-ref'"
export --index demo --format csv
verify --index demo
verify --index demo --format json
rebuild --index demo
copy demo copied
copy demo copied --format json
reindex --model default --index demo
reindex --model default --dry-run --index demo
train -o model
train pairs.csv -o model --epochs 1 --column score
evaluate --pairs pairs.csv --resamples 50
evaluate --pairs pairs.csv --resamples 50 --format json
evaluate --corpus demo.csv --copies planted.csv --resamples 50
evaluate
delete q01-ref --index copied --format json --yes
delete q01-ref --index copied --yes
delete --author s07 --index copied --yes
delete --index copied
query text --index milvus+http://127.0.0.1:1/corpus
serve --index nowhere --no-open
""".strip().splitlines()

SAF = """
ingest saf.csv --index saf --format json
status --index saf --format json
query "tcp header" --index saf --format json
mine --index saf --format csv -t 0.9
plagiarism --index saf --format json
plagiarism --index saf
cluster --index saf --format json
grade --index saf --column score --evaluate --format json
grade --index saf --column score --audit --format csv
report --index saf -o saf.html --anonymous
export --index saf --format jsonl
verify --index saf --format json
""".strip().splitlines()

TRAINING = """
train pairs.csv -o model --epochs 1 --format json
evaluate --pairs pairs.csv --model default --model model --resamples 50
reindex --model model --index demo --format json
query callbacks --index demo
""".strip().splitlines()

STEADY = (
    (re.compile(r'("?seconds"?:? +)[\d.e-]+'), r"\1N"),
    (re.compile(r"\b\d+(\.\d+)? (s|seconds|minutes|min)\b"), "N s"),
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[.\d]*(\+00:00|Z)?"), "TIME"),
)


def record(checkout: Path) -> dict[str, Any]:
    """Run all commands in a temporary folder and return what each of them did."""
    saf = SHARED / "saf-train.csv"
    done: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        demo = checkout / "searchkit" / "demo"
        shutil.copy(demo / "answers.csv", folder / "demo.csv")
        shutil.copy(demo / "planted.csv", folder / "planted.csv")
        (folder / "template.txt").write_text("The event loop runs callbacks.\n")
        (folder / "bad.csv").write_text("id,answer\na,one\na,two\n,three\n")
        (folder / "pairs.csv").write_text(_pairs())
        if saf.exists():
            shutil.copy(saf, folder / "saf.csv")
        else:
            print("needs ../shared/data for a part of the commands", file=sys.stderr)
        for line in [*DEMO, *(SAF if saf.exists() else []), *TRAINING]:
            before = _files(folder)
            done[line] = _run(line, checkout, folder)
            written = {
                path: _steady(folder, checkout, (folder / path).read_text("utf-8"))
                for path, time in _files(folder).items()
                if before.get(path) != time
            }
            done[line]["files"] = written
            print(done[line]["code"], line, file=sys.stderr)
    return done


def _pairs() -> str:
    """Return pairs of short sentences with a label and a question, as CSV."""
    words = ["loop", "promise", "stream", "buffer", "socket", "router"]
    rows = ["sentence_0,sentence_1,label,question"]
    for question in range(6):
        for n in range(8):
            left = f"the {words[n % 6]} of task {question} waits for {words[(n + 1) % 6]} {n}"
            right = f"task {question} waits with its {words[(n * n) % 6]} for number {n}"
            rows.append(f"{left},{right},{(n * 3 + question) % 11},q{question}")
    return "\n".join(rows) + "\n"


def _files(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in folder.glob("*.*") if path.is_file()}


def _run(line: str, checkout: Path, folder: Path) -> dict[str, Any]:
    environment = {**os.environ, "PYTHONPATH": str(checkout), "COLUMNS": "100"}
    run = subprocess.run(
        [sys.executable, "-m", "searchkit", *shlex.split(line)], cwd=folder, env=environment,
        capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=900,
    )  # fmt: skip
    return {
        "code": run.returncode,
        "stdout": _steady(folder, checkout, run.stdout),
        "stderr": _steady(folder, checkout, run.stderr),
    }


def _steady(folder: Path, checkout: Path, text: str) -> str:
    for path, word in ((folder, "FOLDER"), (checkout, "CHECKOUT")):
        text = text.replace(str(path.resolve()), word).replace(str(path), word)
    for pattern, word in STEADY:
        text = pattern.sub(word, text)
    return text


def diff(before: dict[str, Any], after: dict[str, Any]) -> int:
    """Print what differs; return how many commands differ."""
    differing = 0
    for line in before | after:
        old, new = (json.dumps(each.get(line), indent=1, ensure_ascii=False).replace("\\n", "\n")
                    for each in (before, after))  # fmt: skip
        if old != new:
            differing += 1
            print(f"== searchkit {line}")
            print("\n".join(difflib.unified_diff(old.split("\n"), new.split("\n"), n=0)))
    print(f"{differing} of {len(before | after)} commands differ")
    return differing


def main() -> None:
    """Record, or compare."""
    match sys.argv[1:]:
        case ["record", checkout, path]:
            done = record(Path(checkout))
            Path(path).write_text(json.dumps(done, indent=1, ensure_ascii=False), "utf-8")
        case ["diff", before, after]:
            records = (json.loads(Path(path).read_text("utf-8")) for path in (before, after))
            sys.exit(bool(diff(*records)))
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()
