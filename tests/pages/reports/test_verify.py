"""A report is checked against an index: what changed is named, and nothing hidden is in it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
from helpers.answers import honest
from helpers.encoder import ToyEncoder

from searchkit import Answer, Index, Where
from searchkit.core.errors import BadInput
from searchkit.index.decisions import decide
from searchkit.pages.reports.make import make_report
from searchkit.pages.reports.manifest import read_manifest
from searchkit.pages.reports.page import report_as_page
from searchkit.pages.reports.report_json import as_json
from searchkit.pages.reports.verify import verify_report
from searchkit.plagiarism.records import PlagiarismOptions


def corpus() -> list[Answer]:
    """Return answers to two questions, with a copy in each of them."""
    answers = [*honest(30, "loops", 1), *honest(30, "streams", 2)]
    answers = [replace(a, author=f"pupil-{n % 30}") for n, a in enumerate(answers)]
    for left, right in ((3, 9), (35, 41)):
        answers[right] = replace(answers[right], text=f"{answers[left].text} </script> by pupil-3")
    return answers


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    with Index.create(tmp_path / "i", ToyEncoder(window=100)) as made:
        made.add(corpus())
        yield made


def write(
    index: Index, path: Path, options: PlagiarismOptions | None = None, anonymous: bool = False
) -> Path:
    report = make_report(index, options or PlagiarismOptions(), anonymous=anonymous)
    as_text = as_json if path.suffix == ".json" else report_as_page
    path.write_text(as_text(report), "utf-8")
    return path


@pytest.mark.parametrize("name", ["r.html", "r.json"])
@pytest.mark.parametrize("anonymous", [False, True])
def test_the_same_index_gives_the_same_report(
    index: Index, tmp_path: Path, name: str, anonymous: bool
) -> None:
    path = write(index, tmp_path / name, anonymous=anonymous)
    assert verify_report(index, path) == []
    ids = [answer.id for answer in corpus()]
    decide(index, ids[3], ids[9], "confirmed")  # made after the report, and no other report
    assert verify_report(index, path) == []


def test_the_manifest_has_the_hash_of_each_text_and_all_settings(
    index: Index, tmp_path: Path
) -> None:
    options = PlagiarismOptions(fdr=0.1, template="Say what a loop is", where=Where("loops"))
    manifest, is_as_written = read_manifest(write(index, tmp_path / "r.html", options))
    assert is_as_written
    texts = {a.id: a.text for a in corpus() if a.question == "loops"}
    assert manifest["answers"] == {
        id_: sha256(text.encode()).hexdigest() for id_, text in texts.items()
    }
    assert manifest["settings"]["fdr"] == 0.1 and manifest["settings"]["question"] == "loops"
    assert manifest["model"] == index.model.fingerprint
    assert manifest["counts"]["answers"] == 60 and manifest["versions"]["python"]
    assert [(f["left"], f["right"]) for f in manifest["findings"]] == [("loops-003", "loops-009")]


def test_changed_missing_and_new_answers_are_named(index: Index, tmp_path: Path) -> None:
    path = write(index, tmp_path / "r.html")
    rows = corpus()
    index.remove([rows[20].id])
    index.add([replace(rows[3], text=rows[3].text.replace(" ", "  ", 1) + " and more")])
    index.add([Answer("late", "a new answer that nobody expected here", "loops", "Late")])
    lines = verify_report(index, path)
    assert "answers: 1 changed: loops-003" in lines
    assert "answers: 1 missing: loops-020" in lines and "answers: 1 new: late" in lines
    index.add([replace(rows[9], text="something else altogether that was written alone")])
    lines = verify_report(index, path)
    assert "findings: 1 missing: loops-003 and loops-009" in lines


def test_another_model_is_told(index: Index, tmp_path: Path) -> None:
    path = write(index, tmp_path / "r.json")
    with Index.create(tmp_path / "j", ToyEncoder(window=100, fingerprint="toy-2")) as other:
        other.add(corpus())
        lines = verify_report(other, path)
        assert lines == ["model: fingerprint toy-1 in the report, toy-2 here"]


@pytest.mark.parametrize("name", ["r.html", "r.json"])
def test_a_file_that_was_edited_is_told(index: Index, tmp_path: Path, name: str) -> None:
    path = write(index, tmp_path / name)
    text = path.read_text("utf-8")
    path.write_text(text.replace("loops-003", "loops-004", 1), "utf-8")
    assert "content: the file was changed after it was written" in verify_report(index, path)


def test_what_a_report_cannot_hold_is_given_again(index: Index, tmp_path: Path) -> None:
    options = PlagiarismOptions(template="Say what a loop is", max_expected=0.2)
    path = write(index, tmp_path / "r.html", options)
    with pytest.raises(BadInput, match=r"was made with a template; give the same again, --templ"):
        verify_report(index, path)
    assert verify_report(index, path, PlagiarismOptions(template=options.template)) == []
    (line,) = (
        line
        for line in verify_report(index, path, PlagiarismOptions(template="Another one"))
        if line.startswith("settings")
    )
    assert line.startswith("settings: template ")
    hidden = write(
        index,
        tmp_path / "h.html",
        PlagiarismOptions(where=Where(author="pupil-3")),
        anonymous=True,
    )
    with pytest.raises(BadInput, match="was made with one author only; give the same again"):
        verify_report(index, hidden)
    assert verify_report(index, hidden, PlagiarismOptions(where=Where(author="pupil-3"))) == []


def test_an_anonymous_manifest_has_no_hash_of_what_is_not_shown(
    index: Index, tmp_path: Path
) -> None:
    options = PlagiarismOptions(template="Say what a loop is", where=Where(author="pupil-3"))
    for name in ("r.html", "r.json"):
        text = write(index, tmp_path / name, options, anonymous=True).read_text("utf-8")
        for secret in [a.text for a in corpus()] + ["pupil-3", "Say what a loop is"]:
            alone = "pupil-" not in secret and secret in text
            assert alone or sha256(secret.encode()).hexdigest() not in text
        manifest, _ = read_manifest(tmp_path / name)
        shown = {a["id"]: a["text"] for a in json.loads(text)["answers"]} if "json" in name else {}
        for id_, shown_text in shown.items():
            assert manifest["answers"][id_] == sha256(shown_text.encode()).hexdigest()
        assert all(id_.startswith("answer ") for id_ in manifest["answers"])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[1]",
        '{"manifest": {"format": 1}}',
        '{"manifest": {"format": 2, "settings": {}}}',
        '<script type="application/json" id="manifest">[]</script>',
        "[" * 100_000,
        "\ufffd",
    ],
)
def test_a_file_without_a_manifest_is_refused(index: Index, tmp_path: Path, text: str) -> None:
    (tmp_path / "r.html").write_text(text, "utf-8")
    with pytest.raises(BadInput, match=r"r\.html: has no manifest of a report; name a file"):
        verify_report(index, tmp_path / "r.html")
    (tmp_path / "r.html").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadInput, match=r"r\.html: can't be read"):
        verify_report(index, tmp_path / "r.html")
