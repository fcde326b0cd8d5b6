"""Folders and zips of XML exports."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.source_files import read, rejected, write, zipped

from searchkit.core.errors import BadInput
from searchkit.sources.files import FileOptions
from searchkit.sources.reader import read_rows


def question(name: str) -> bytes:
    answers = "".join(f"<studentAnswer id='{name}.{n}'>said {n}</studentAnswer>" for n in (1, 2))
    return f"<question id='{name}'>\n{answers}</question>".encode()


def result(author: str) -> bytes:
    return (
        f"<assessmentResult><context sourcedId='{author}'/><itemResult identifier='Q1'>"
        "<responseVariable identifier='RESPONSE' baseType='string'><candidateResponse>"
        "<value>because</value></candidateResponse></responseVariable></itemResult>"
        "</assessmentResult>"
    ).encode()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("L1", "L2"):
        (tmp_path / "train" / name).mkdir(parents=True)
        write(tmp_path / "train" / name / f"{name}.xml", question(name))
    return tmp_path / "train"


def test_a_file_a_question_described_once(folder: Path) -> None:
    write(folder / "README.txt", "about this corpus")
    write(folder / "pom.xml", "<project/>")
    write(folder / "empty.xml", "<question id='q'/>")
    skipped: list[str] = []
    layouts: list[str] = []
    answers = list(
        read_rows(
            [folder],
            FileOptions(),
            on_skip=skipped.append,
            on_layout=lambda file, layout, names: layouts.append(layout.describe(names)),
        )
    )
    assert [(a.id, a.question) for a in answers] == [
        ("L1.1", "L1"),
        ("L1.2", "L1"),
        ("L2.1", "L2"),
        ("L2.2", "L2"),
    ]
    assert str(answers[0].source).endswith("train/L1/L1.xml")
    assert [line.removeprefix(f"{folder}/")[:25] for line in skipped] == [
        "empty.xml: no answers in ",
        "pom.xml: XML of <project>",
        "README.txt: beside XML ex",
    ]
    assert len(layouts) == 1
    assert layouts[0].startswith("SemEval-2013 XML; ")


def test_a_zip_of_results(tmp_path: Path) -> None:
    path = zipped(tmp_path / "r.zip", {f"r/{name}.xml": result(name) for name in ("ann", "bob")})
    assert [(a.id, a.author) for a in read(path)] == [("Q1/ann", "ann"), ("Q1/bob", "bob")]
    assert len(read(path, platform="qti-results")) == 2


def test_damage_names_the_file(folder: Path) -> None:
    write(folder / "L1" / "L1.xml", question("L1")[:-15])
    with pytest.raises(BadInput, match=r"train/L1/L1.xml:2: not complete XML"):
        read(folder)
    answers, bad = rejected(folder)
    assert [a.id for a in answers] == ["L1.1", "L2.1", "L2.2"]
    assert [(Path(reject.source).name, reject.line) for reject in bad] == [("L1.xml", 2)]


def test_xml_of_a_project_is_left_out(tmp_path: Path) -> None:
    path = zipped(tmp_path / "p.zip", {"ann/Main.java": b"class Main {}", "ann/pom.xml": b"<p/>"})
    assert [a.text for a in read(path)] == ["class Main {}"]
    broken = zipped(tmp_path / "p.zip", {"ann/a.txt": b"words", "ann/pom.xml": b"no XML"})
    assert [a.text for a in read(broken)] == ["words"]
