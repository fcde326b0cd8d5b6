"""Decisions from a file: all or none, never about a text that has changed since."""

from __future__ import annotations

import json
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from click.testing import CliRunner
from helpers.encoder import ToyEncoder

from searchkit import Answer, Index
from searchkit.cli.app import main
from searchkit.core.errors import BadInput, NotFound
from searchkit.index.decisions import decide, decisions, import_decisions
from searchkit.output.plagiarism.findings import decision_as_record


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    with Index.create(tmp_path / "i", ToyEncoder()) as made:
        made.add([Answer(name, f"text of {name}", "q", name) for name in "abc"])
        yield made


def write(path: Path, records: object) -> Path:
    path.write_text(json.dumps(records), "utf-8")
    return path


def export(index: Index, path: Path) -> Path:
    command = ["decisions", "--index", str(index.path), "--format", "json", "-o", str(path)]
    assert CliRunner().invoke(main, command).exit_code == 0
    return path


def test_an_export_is_imported_elsewhere_with_its_times(index: Index, tmp_path: Path) -> None:
    decide(index, "a", "b", "confirmed", "the same slip")
    decide(index, "a", "c", "dismissed")
    exported = [decision_as_record(d) for d in decisions(index).values()]
    path = write(tmp_path / "d.json", exported)
    with Index.create(tmp_path / "j", ToyEncoder()) as other:
        other.add([Answer(name, f"text of {name}", "q", name) for name in "abc"])
        assert import_decisions(other, path) == 2
        assert [decision_as_record(d) | {"number": 0} for d in decisions(other).values()] == [
            record | {"number": 0} for record in exported
        ]
        assert import_decisions(other, path) == 0


def test_an_export_knows_a_text_that_has_changed_since(index: Index, tmp_path: Path) -> None:
    decide(index, "a", "b", "confirmed")
    decide(index, "c", "b", "confirmed")
    exported = export(index, tmp_path / "all.json")
    index.add([Answer("a", "another text", "q", "a")])
    with pytest.raises(BadInput, match="number 1: the text of 'a' has changed since; decide again"):
        import_decisions(index, exported)
    one_is_stale = export(index, tmp_path / "stale.json")
    with Index.create(tmp_path / "j", ToyEncoder()) as other:
        other.add([Answer(name, f"text of {name}", "q", name) for name in "bc"])  # without a
        assert import_decisions(other, one_is_stale) == 1
        assert list(decisions(other)) == [("b", "c")]


def test_a_stale_decision_is_left_out(index: Index, tmp_path: Path) -> None:
    record = {"left": "a", "right": "b", "decision": "confirmed", "is_stale": True}
    assert import_decisions(index, write(tmp_path / "d.json", [record])) == 0


def test_the_later_decision_counts_whichever_comes_from_a_file(
    index: Index, tmp_path: Path
) -> None:
    decide(index, "a", "b", "confirmed")
    decide(index, "b", "c", "dismissed")
    record = {"left": "a", "right": "b", "decision": "dismissed", "reason": "talked to both"}
    older = write(tmp_path / "old.json", [record | {"decided_at": "2020-01-01T12:00:00+01:00"}])
    command = ["decisions", "--index", str(index.path), "--import", str(older)]
    index.close()
    run = CliRunner().invoke(main, command)
    assert "1 decision left out, as the index has a later one about the pair: a and b" in run.stderr
    assert "0 decisions stored" in run.stderr
    later = {"decided_at": "2100-01-01T00:00:00Z"}
    newer = write(
        tmp_path / "new.json",
        [record | later, record | {"decided_at": "2099-01-01T00:00:00Z", "decision": "asked"}],
    )
    with Index.open(index.path, write=True, encoder=ToyEncoder()) as opened:
        assert decisions(opened)["a", "b"].decision == "confirmed"
        assert import_decisions(opened, newer) == 2
        found = {pair: one.decision for pair, one in decisions(opened).items()}
        assert found == {("a", "b"): "dismissed", ("b", "c"): "dismissed"}
        assert import_decisions(opened, newer) == 0
        assert import_decisions(opened, older) == 0


def test_a_withdrawn_decision_does_not_come_back_with_an_older_export(
    index: Index, tmp_path: Path
) -> None:
    decide(index, "a", "b", "confirmed")
    exported = export(index, tmp_path / "d.json")
    decide(index, "a", "b", "open")
    assert import_decisions(index, exported) == 0
    assert decisions(index)["a", "b"].decision == "open"


@pytest.mark.parametrize(
    ("record", "error", "message"),
    [
        ({"left": "a"}, BadInput, "number 2 is no decision"),
        (7, BadInput, "number 2 is no decision"),
        ({"left": "a", "right": 3, "decision": "open"}, BadInput, "number 2 is no decision"),
        ({"left": "a", "right": "b", "decision": "guilty"}, BadInput, "not 'guilty'"),
        ({"left": "a", "right": "b", "decision": []}, BadInput, "a decision is one of"),
        ({"left": "a", "right": "b", "decision": "open", "reason": 3}, BadInput, "number 2 is no"),
        (
            {"left": "a", "right": "b", "decision": "open", "decided_at": "soon"},
            BadInput,
            "number 2 is no decision",
        ),
        (
            {
                "left": "a",
                "right": "b",
                "decision": "confirmed",
                "left_sha": sha256(b"an older text").hexdigest(),
            },
            BadInput,
            "number 2: the text of 'a' has changed since; decide again",
        ),
        ({"left": "a", "right": "z", "decision": "confirmed"}, NotFound, "no answer 'z'"),
    ],
)
def test_nothing_is_stored_if_one_is_refused(
    index: Index, tmp_path: Path, record: object, error: type[Exception], message: str
) -> None:
    good = {"left": "a", "right": "c", "decision": "confirmed"}
    with pytest.raises(error, match=message):
        import_decisions(index, write(tmp_path / "d.json", [good, record]))
    assert not decisions(index)


def test_a_file_without_decisions_is_refused(index: Index, tmp_path: Path) -> None:
    for text in ("", "{}", "[" * 100_000, "left,right\na,b\n"):
        (tmp_path / "d.json").write_text(text)
        with pytest.raises(BadInput, match=r"d\.json: is no list of decisions; name a file"):
            import_decisions(index, tmp_path / "d.json")
    with pytest.raises(BadInput, match=r"none\.json: can't be read"):
        import_decisions(index, tmp_path / "none.json")
